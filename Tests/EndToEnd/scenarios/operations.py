"""Signals, reloads and the lock: what an operator does to a running server."""

import signal
import subprocess
import time

from harness import check, free_port, http, query, scalar_of, wait_until

GOOD = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: {job}
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""

BAD = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: broken
    scrape_intervall: 5s
"""


def self_metric(server, name):
    lines = http("GET", server.url + "/metrics")[1].splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name + " ")), None)


def run(bench):
    port = free_port()
    config = bench.write_config(GOOD.format(job="first", port=port))
    server = bench.start_hearth(config, "--web.enable-lifecycle", port=port)
    wait_until("the server to scrape itself", lambda: query(server, 'up{job="first"} == 1'), 15)

    # A second process on the same data is refused.
    second = subprocess.run(
        [bench.hearth_binary, f"--config.file={config}", f"--storage.tsdb.path={bench.directory / 'data'}",
         f"--web.listen-address=127.0.0.1:{free_port()}"], capture_output=True, text=True, timeout=20)
    check(second.returncode == 1 and "lock" in second.stderr.lower(), f"second process: {second}")

    # A bad file changes nothing, and says why in the answer and in a metric.
    config.write_text(BAD)
    status, text = http("POST", server.url + "/-/reload")
    check(status == 500 and "scrape_intervall" in text, f"bad reload: {status} {text}")
    check(self_metric(server, "prometheus_config_last_reload_successful") == 0, "the metric of the failed reload")
    check(query(server, 'up{job="first"} == 1'), "the old configuration goes on")

    # A good one is taken by signal.
    config.write_text(GOOD.format(job="second", port=port))
    server.signal(signal.SIGHUP)
    wait_until("the new job", lambda: query(server, 'up{job="second"} == 1'), 15)
    check(self_metric(server, "prometheus_config_last_reload_successful") == 1, "the metric of the good reload")
    wait_until("the old job's series to go stale", lambda: not query(server, 'up{job="first"}'), 15)

    # SIGTERM: down within seconds, nothing lost.
    before = scalar_of(server, 'count_over_time(up{job="second"}[5m])')
    started = time.monotonic()
    server.signal(signal.SIGTERM)
    code = server.wait(10)
    check(code == 0, f"exit status {code}\n{server.tail()}")
    check(time.monotonic() - started < 6, "it took too long to stop")
    server = bench.start_hearth(config, name="hearth-again", port=port)
    after = wait_until("samples", lambda: scalar_of(server, 'count_over_time(up{job="second"}[5m])'), 10)
    check(after >= before, f"{before} samples before, {after} after the restart")

    # Bad start: exit 1 with the place.
    config.write_text(BAD)
    failed = subprocess.run(
        [bench.hearth_binary, f"--config.file={config}"], capture_output=True, text=True, timeout=20,
        cwd=bench.directory)
    check(failed.returncode == 1 and str(config) in failed.stderr and "line 5:" in failed.stderr, f"bad config: {failed}")
    unknown = subprocess.run([bench.hearth_binary, "--no.such.flag"], capture_output=True, text=True, timeout=20)
    check(unknown.returncode == 2, f"unknown flag: {unknown}")
