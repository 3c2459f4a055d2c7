"""A data directory that prometheus wrote is imported, served, exported, and opened by prometheus again: same samples."""

import hashlib
import struct
import subprocess
import time

from harness import check, find_peer, free_port, http, query, wait_until

from scenarios.remote_write import push, sized, varint

CONFIG = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: self
    static_configs:
      - targets: ["127.0.0.1:{port}"]
storage:
  tsdb:
    out_of_order_time_window: 30m
"""
SERIES = 12
STEP = 60_000
HOURS = 13
OPENMETRICS = """# TYPE requests counter
requests_total{{code="200",path="/\\"a\\""}} 1 {day}
requests_total{{code="200",path="/\\"a\\""}} 2.5 {day}.5
requests_total{{code="500",path="\u00e9\U0001f525"}} NaN {hour}
# TYPE latency histogram
latency_bucket{{le="1"}} 3 1e9
latency_bucket{{le="+Inf"}} 4 1e9
# EOF
"""


def start_prometheus(bench, data, name, config="global: {}\n"):
    port = free_port()
    path = bench.write_config(config.format(port=port) if "{port}" in config else config, f"{name}.yml")
    server = bench.start(name, [
        find_peer("prometheus"), f"--config.file={path}", f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y", "--web.enable-remote-write-receiver", "--web.enable-admin-api",
        f"--web.listen-address=127.0.0.1:{port}"])
    server.url = f"http://127.0.0.1:{port}"
    wait_until("prometheus to be ready", lambda: http("GET", server.url + "/-/ready")[0] == 200, 30)
    return server


def message(start, count, step=STEP):
    """Some samples of all series; a series is `pushed_<number>` with a label."""
    out = b""
    for number in range(SERIES):
        labels = sized(1, sized(1, b"__name__") + sized(2, f"pushed_{number % 3}".encode()))
        labels += sized(1, sized(1, b"number") + sized(2, str(number).encode()))
        samples = b""
        for index in range(count):
            at = start + index * step
            value = (number + 1) * (at // STEP % 97) / 8
            samples += sized(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(at))
        body = labels + samples
        out += bytes([1 << 3 | 2]) + varint(len(body)) + body
    return out


def newest_segment(data):
    return max(int(path.name) for path in (data / "wal").iterdir() if path.name.isdigit())


def fill(server, data):
    """Hours of samples, some late, some deleted: blocks, a checkpoint, both logs."""
    now = int(time.time() * 1000)
    start = now - HOURS * 3_600_000
    cut_at, segment = start + 4 * 3_600_000, newest_segment(data)
    for at in range(start, now, 10 * STEP):
        status, text = push(server, message(at, min(10, max(1, (now - at) // STEP))))
        check(status // 100 == 2, f"prometheus answered {status} {text}")
        if at >= cut_at:
            # A checkpoint is made only where blocks were cut several times.
            wait_until("a block to be cut", lambda before=segment: newest_segment(data) > before, 30, every=0.02)
            cut_at, segment = cut_at + 2 * 3_600_000 + 600_000, newest_segment(data)
    status, text = push(server, message(now - 20 * STEP + 17, 3, 3 * STEP))
    check(status // 100 == 2, f"prometheus refused late samples: {status} {text}")
    status, text = http("POST", server.url + "/api/v1/admin/tsdb/delete_series?match[]=pushed_1&start="
                        f"{(start + 1_800_000) / 1000}&end={(start + 2_400_000) / 1000}")
    check(status == 204, f"deleting was answered {status} {text}")
    status, text = http("POST", server.url + "/api/v1/admin/tsdb/delete_series?match[]=pushed_2&start="
                        f"{(now - 600_000) / 1000}&end={(now - 300_000) / 1000}")
    check(status == 204, f"deleting was answered {status} {text}")
    wait_until("some scrapes", lambda: query(server, "count_over_time(up[1h]) > 3"), 30)


def tool(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
    check(done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr[-500:]}")
    return done.stdout


def dump(directory):
    """What promtool reads of a data directory."""
    return sorted(tool(find_peer("promtool"), "tsdb", "dump", directory).splitlines())


def fingerprints(directory):
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(directory.rglob("*")) if path.is_file()}


def check_same(what, found, wanted):
    if found == wanted:
        return
    extra, missing = set(found) - set(wanted), set(wanted) - set(found)
    check(False, f"{what}: {len(missing)} samples are missing, {len(extra)} are new: "
                 f"{sorted(missing)[:3]} {sorted(extra)[:3]}")


def run(bench):
    data = bench.directory / "prometheus"
    server = start_prometheus(bench, data, "prometheus", CONFIG)
    fill(server, data)
    wait_until("blocks", lambda: len([p for p in data.iterdir() if len(p.name) == 26]) >= 2, 60)
    wait_until("a checkpoint", lambda: list((data / "wal").glob("checkpoint.*")), 60)
    server.stop()
    check((data / "wbl").exists(), "prometheus wrote no log of late samples")
    wanted = dump(data)
    check(len(wanted) > SERIES * HOURS * 50, f"prometheus holds {len(wanted)} samples only")

    # In: Prometheus' files stay as they are, and a second import changes nothing.
    before = fingerprints(data)
    ours = bench.directory / "data"
    for _ in range(2):
        tool(bench.hearth_binary, "tsdb", "import", data, ours)
    check(fingerprints(data) == before, "the import changed prometheus' files")

    # Out: promtool and a real prometheus see the same samples.
    out = bench.directory / "out"
    tool(bench.hearth_binary, "tsdb", "export", "--format=prometheus", ours, out)
    check_same("exported", dump(out), wanted)
    tool(find_peer("promtool"), "tsdb", "analyze", out)
    listed = tool(find_peer("promtool"), "tsdb", "list", out)
    check(len(listed.splitlines()) > 3, f"promtool lists {listed}")
    some = bench.directory / "some"
    tool(bench.hearth_binary, "tsdb", "export", "--format=prometheus", '--match={number="3"}', ours, some)
    check_same("exported by selector", dump(some), [line for line in wanted if 'number="3"' in line])

    # Side by side.
    hearth = bench.start_hearth(bench.write_config("global: {}\n"))
    peer = start_prometheus(bench, out, "prometheus-again")
    end = time.time()
    for expression in ["sum by (__name__) (count_over_time({number=~\".+\"}[14h]))", "rate(pushed_0[3h])",
                       "max_over_time(prometheus_http_requests_total[1h])"]:
        ask = lambda server: query(server, expression, time=end)  # noqa: E731
        wait_until("the blocks to be served", lambda: ask(hearth), 70)
        check(ask(hearth) == ask(peer), f"{expression}: {ask(hearth)} and {ask(peer)}")
    hearth.stop()

    # Backfill of any age, against promtool's own.
    now = int(time.time())
    text = bench.directory / "old.om"
    text.write_text(OPENMETRICS.format(day=now - 86400 * 400, hour=now - 3600))
    theirs, backfilled, again = (bench.directory / name for name in ("theirs", "backfilled", "again"))
    tool(find_peer("promtool"), "tsdb", "create-blocks-from", "openmetrics", text, theirs)
    tool(bench.hearth_binary, "tsdb", "create-blocks-from", "openmetrics", text, backfilled)
    tool(bench.hearth_binary, "tsdb", "export", backfilled, again)
    (theirs / "wal").mkdir(exist_ok=True)
    # Hearth brings bounds into the form of OpenMetrics: 1 becomes 1.0.
    check_same("backfilled", dump(again), sorted(line.replace('le="1"', 'le="1.0"') for line in dump(theirs)))
