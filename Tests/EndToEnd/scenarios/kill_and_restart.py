"""SIGKILL under load, three times: every scrape that a query saw before the kill is there after the restart."""

import signal
import time

from harness import Load, api, check, query, wait_until

CONFIG = """
global:
  scrape_interval: 100ms
  scrape_timeout: 100ms
scrape_configs:
  - job_name: backend
    static_configs:
      - targets: ["127.0.0.1:{app}"]
  - job_name: load
    static_configs:
      - targets: ["127.0.0.1:{app}"]
        labels: {{copy: "1"}}
      - targets: ["127.0.0.1:{app}"]
        labels: {{copy: "2"}}
"""

NUMBERS = "scrapes_answered_total[10m]"  # Every scrape, of either job, has its own number.
ROUNDS = 3


def numbers(server):
    """The scrapes seen so far, by the number that the app gave them."""
    data = api(server, "query", query=NUMBERS)
    return {int(float(value)) for row in data["result"] for _, value in row["values"]}


def run(bench):
    app = bench.start_backend()
    config = bench.write_config(CONFIG.format(app=app.port))
    seen = set()
    for round_number in range(1, ROUNDS + 1):
        server = bench.start_hearth(config, name=f"hearth-{round_number}")
        lost = seen - wait_until("an answer", lambda server=server: numbers(server) or (not seen and {0}), 10)
        check(not lost, f"round {round_number}: {len(lost)} of {len(seen)} scrapes are gone: {sorted(lost)[:10]}")
        before = len(seen)
        wait_until("scrapes to arrive", lambda server=server: len(numbers(server)) >= before + 20, 30)
        load = Load(server)
        # Ask until the very last moment: what the last answer holds must survive.
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            seen |= numbers(server)
        server.signal(signal.SIGKILL)
        load.end()
        server.wait(10)
    server = bench.start_hearth(config, name="hearth-last")
    lost = seen - numbers(server)
    check(not lost, f"after the last restart {len(lost)} of {len(seen)} scrapes are gone")
    wait_until("scraping to go on", lambda: query(server, 'up{job="backend"} == 1'), 10)
