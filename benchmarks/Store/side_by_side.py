#!/usr/bin/env python3
"""Ingest, restart and disk beside Debian's prometheus and victoria-metrics, over remote write on loopback.

Each server by itself gets the same backend-like series from the feeder of benchmarks/Query (`QueryBenchmark feed`):
so many series, so many hours at 15 s, ending now. Measured for each:

  CPU-s/M       processor seconds of the server for a million samples while they come in
  samples/s     as fast as it takes them over one connection
  RSS, peak     resident memory after the load, MB; anonymous in brackets
  written B/s.  bytes that the process had written to files, for each sample
  ready s       after kill -9: seconds until /-/ready (or its like) answers 200
  lost          samples of those that were acknowledged that a query does not find after it
  disk B/s.     bytes in the data directory after it has settled, for each sample

usage: side_by_side.py --hearth BINARY --feeder BINARY [--series 20000] [--hours 2] [--only NAME,NAME] [--markdown FILE]
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Query"))

from servers import Hearth, Prometheus, VictoriaMetrics, http  # noqa: E402


def written_bytes(server):
    for line in Path(f"/proc/{server.process.pid}/io").read_text().splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    return 0


def count(server, end):
    """The samples that a query finds."""
    query = "sum(count_over_time({__name__=~\".+\"}[30d]))"
    status, body = http("GET", f"{server.url}/api/v1/query?query={quote(query)}&time={end + 60}", timeout=300)
    if status != 200:
        raise SystemExit(f"{server.name}: {status} {body[:200]}")
    result = json.loads(body)["data"]["result"]
    return int(float(result[0]["value"][1])) if result else 0


def quote(text):
    from urllib.parse import quote as quoted
    return quoted(text)


def disk(directory):
    done = subprocess.run(["du", "-s", "--block-size=1", str(directory)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def measure(server, feeder, data):
    server.start()
    before = written_bytes(server)
    figures = server.feed(feeder, data)
    samples = figures["samples"]
    memory = server.memory()
    row = {
        "server": f"{server.name} ({figures['version']})",
        "CPU-s/M": figures["cpu_seconds"] / samples * 1e6,
        "samples/s": samples / figures["seconds"],
        "RSS": memory["VmRSS"] / 1e6, "anonymous": memory["RssAnon"] / 1e6, "peak": memory["VmHWM"] / 1e6,
        "written B/s.": (written_bytes(server) - before) / samples,
    }
    found = count(server, data["end"])
    time.sleep(2)
    server.process.signal(signal.SIGKILL)
    server.process.wait(10)
    began = time.monotonic()
    server.start()
    row["ready s"] = time.monotonic() - began
    row["peak after"] = server.memory()["VmHWM"] / 1e6
    row["lost"] = found - count(server, data["end"])
    time.sleep(30)
    server.stop()
    row["disk B/s."] = disk(server.directory) / samples
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", required=True)
    parser.add_argument("--feeder", required=True)
    parser.add_argument("--series", type=int, default=20000)
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--only", default="hearth,prometheus,victoria-metrics")
    parser.add_argument("--markdown")
    arguments = parser.parse_args()
    data = {"series": arguments.series, "hours": arguments.hours, "end": int(time.time()), "seed": 42}
    kinds = {"hearth": (Hearth, arguments.hearth), "prometheus": (Prometheus, "prometheus"),
             "victoria-metrics": (VictoriaMetrics, "victoria-metrics")}
    rows = []
    for name in arguments.only.split(","):
        kind, binary = kinds[name]
        if not shutil.which(binary):
            print(f"skipped: {binary} is not there", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory(prefix="hearth-bench-") as directory:
            rows.append(measure(kind(binary, directory), arguments.feeder, data))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|---" + "|---:" * (len(columns) - 1) + "|"]
    for row in rows:
        lines.append("| " + " | ".join(
            row[c] if isinstance(row[c], str) else f"{row[c]:,.0f}" if c in ("samples/s", "lost") else f"{row[c]:.2f}"
            for c in columns) + " |")
    text = f"{data['series']} series x {data['hours']} h\n\n" + "\n".join(lines) + "\n"
    print(text)
    if arguments.markdown:
        Path(arguments.markdown).write_text(text)


if __name__ == "__main__":
    main()
