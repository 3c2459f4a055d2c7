"""A disk that fills up under load: samples are refused and that is told, queries go on, and it ends by itself."""

import errno
import signal
import subprocess

from harness import Absent, api, check, http, query, scalar_of, wait_until

CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: backend
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""

DISK = "24m"
FLAGS = ("--storage.tsdb.min-free-disk=2MB", "--storage.tsdb.disk-reserve=1MB")


def small_disk(bench):
    """A disk of its own below `data`, in a namespace that lives as long as a process. Gives what runs a command there, and
    the way to the disk from outside."""
    data = bench.directory / "data"
    data.mkdir()
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    mount = f"mount -t tmpfs -o size={DISK} none {data}"
    tried = subprocess.run([*unshare, "sh", "-c", mount], capture_output=True, text=True, timeout=20)
    if tried.returncode != 0:
        raise Absent(f"this system gives no namespace with a disk of its own: {tried.stderr.strip()}")
    keeper = bench.start("disk", [*unshare, "sh", "-c", f"{mount} && echo mounted && exec sleep 600"])
    wait_until("the disk", lambda: "mounted" in keeper.log.read_text(), 20)
    enter = ("nsenter", "--preserve-credentials", "--user", "--mount", f"--target={keeper.pid}")
    return enter, f"/proc/{keeper.pid}/root{data}"


def fill(path):
    """Takes what is free, to the last byte."""
    with open(path, "ab", buffering=0) as filler:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    filler.write(b"\0" * size)
            except OSError as error:
                check(error.errno == errno.ENOSPC, f"filling the disk: {error}")


def metric(server, name):
    lines = http("GET", server.url + "/metrics")[1].splitlines()
    return next((float(line.split()[-1]) for line in lines if line.split(" ")[0].split("{")[0] == name), None)


def told(server):
    return [entry["text"] for entry in api(server, "notifications") if entry["active"] and "disk" in entry["text"]]


def samples(server):
    return scalar_of(server, 'count_over_time(up{job="backend"}[1h])') or 0


def run(bench):
    enter, disk = small_disk(bench)
    app = bench.start_backend()
    config = bench.write_config(CONFIG.format(port=app.port))
    server = bench.start_hearth(config, *FLAGS, prefix=enter)
    wait_until("samples", lambda: samples(server) >= 10, 20)
    check(metric(server, "hearth_tsdb_healthy") == 1 and not told(server), "something is wrong from the start")

    filler = f"{disk}/filler"
    fill(filler)
    wait_until("it to be told that the disk is full", lambda: told(server), 20)
    check(metric(server, "hearth_tsdb_healthy") == 0, "the store calls itself healthy")
    # What the reserve gave back is taken too.
    fill(filler)
    refused = metric(server, "hearth_tsdb_appends_refused_disk_total")
    wait_until("batches to be refused", lambda: metric(server, "hearth_tsdb_appends_refused_disk_total") > refused, 20)
    before = samples(server)
    check(before >= 10, f"{before} samples are left while the disk is full")
    check(query(server, 'process_cpu_seconds_total'), "queries do not go on")

    # Death with a full disk harms nothing.
    server.signal(signal.SIGKILL)
    server.wait(10)
    subprocess.run(["rm", filler], check=True, timeout=20)
    server = bench.start_hearth(config, *FLAGS, name="hearth-again", prefix=enter)
    after = wait_until("samples", lambda: samples(server), 20)
    check(after >= before, f"{before} samples before the kill, {after} after it")

    # Full once more, and this time it ends without a restart.
    fill(filler)
    wait_until("it to be told again", lambda: told(server), 20)
    before = samples(server)
    subprocess.run(["rm", filler], check=True, timeout=20)
    wait_until("samples to be taken again", lambda: samples(server) > before + 5, 30)
    wait_until("nothing to be wrong", lambda: metric(server, "hearth_tsdb_healthy") == 1 and not told(server), 30)
    server.signal(signal.SIGTERM)
    check(server.wait(20) == 0, "it did not end well")
    verified = subprocess.run(
        [*enter, bench.hearth_binary, "tsdb", "verify", str(bench.directory / "data")], capture_output=True, text=True,
        timeout=60)
    check(verified.returncode == 0, f"verify: {verified.stdout}{verified.stderr}")
