#!/usr/bin/env python3
"""What scraping costs beside Debian's prometheus and victoria-metrics, from the same synthetic targets.

Each server by itself scrapes `--targets` targets of `--series` series every `--interval` seconds, for `--seconds` after a
warm-up. Measured for each:

  CPU-s/M     processor seconds of the server for a million scraped samples (the targets' own are not in it)
  of prometheus   the same as a part of what prometheus takes
  RSS, peak   resident memory at the end, and the most it ever had, MB
  written     bytes that the kernel was given to write to the disk, for each sample; only a run of minutes has
              checkpoints, blocks and merges in it
  scrapes     answers that were asked for in the time, of those that should have been

usage: side_by_side.py --hearth BINARY [--targets 50] [--series 1000] [--interval 1] [--seconds 60] [--markdown FILE]
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Query"))

from servers import Hearth, Prometheus, VictoriaMetrics, http  # noqa: E402


def configuration(port, targets, interval):
    lines = [
        "global:", f"  scrape_interval: {interval}s", f"  scrape_timeout: {interval}s", "scrape_configs:",
        "  - job_name: bench", "    static_configs:"]
    for number in range(targets):
        lines += [
            f"      - targets: ['127.0.0.1:{port}']",
            f"        labels: {{__param_target: '{number}', number: '{number}'}}"]
    return "\n".join(lines) + "\n"


def scraping(kind, text):
    """The same server with a configuration of its own."""

    class Scraping(kind):
        def command(self):
            command = super().command()
            config = self.directory / "scrape.yml"
            config.write_text(text)
            if kind is VictoriaMetrics:
                return command + [f"-promscrape.config={config}"]
            return [f"--config.file={config}" if part.startswith("--config.file=") else part for part in command]

    return Scraping


def answers(port):
    return json.loads(http("GET", f"http://127.0.0.1:{port}/count")[1])["answers"]


def written(server):
    for line in Path(f"/proc/{server.process.pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    return 0


def measure(server, port, arguments):
    server.start()
    time.sleep(max(2 * arguments.interval, 5))
    cpu, count, disk, began = server.cpu_seconds(), answers(port), written(server), time.monotonic()
    time.sleep(arguments.seconds)
    cpu, count, disk = server.cpu_seconds() - cpu, answers(port) - count, written(server) - disk
    seconds = time.monotonic() - began
    memory = server.memory()
    row = {
        "server": server.version(), "CPU-s/M": cpu / (count * arguments.series) * 1e6,
        "written": disk / (count * arguments.series),
        "RSS": memory["VmRSS"] / 1e6, "peak": memory["VmHWM"] / 1e6,
        "scrapes": f"{count} of {arguments.targets * seconds / arguments.interval:.0f}"}
    server.stop()
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", required=True)
    parser.add_argument("--targets", type=int, default=50)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--interval", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only", default="prometheus,victoria-metrics,hearth")
    parser.add_argument("--markdown")
    arguments = parser.parse_args()
    kinds = {"hearth": (Hearth, arguments.hearth), "prometheus": (Prometheus, "prometheus"),
             "victoria-metrics": (VictoriaMetrics, "victoria-metrics")}
    targets = subprocess.Popen(
        [sys.executable, str(HERE / "targets.py"), "--series", str(arguments.series)], stdout=subprocess.PIPE, text=True)
    rows = {}
    try:
        port = int(targets.stdout.readline())
        text = configuration(port, arguments.targets, arguments.interval)
        for name in arguments.only.split(","):
            kind, binary = kinds[name]
            if not shutil.which(binary):
                print(f"skipped: {binary} is not there", file=sys.stderr)
                continue
            with tempfile.TemporaryDirectory(prefix="hearth-bench-") as directory:
                rows[name] = measure(scraping(kind, text)(binary, directory), port, arguments)
            print(json.dumps(rows[name]), file=sys.stderr, flush=True)
    finally:
        targets.terminate()
        targets.wait()
    reference = rows.get("prometheus", {}).get("CPU-s/M")
    lines = ["| server | CPU-s/M | of prometheus | RSS MB | peak MB | written | scrapes |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for row in rows.values():
        part = f"{row['CPU-s/M'] / reference:.2f}" if reference else "-"
        lines.append(
            f"| {row['server']} | {row['CPU-s/M']:.2f} | {part} | {row['RSS']:.0f} | {row['peak']:.0f} "
            f"| {row['written']:.1f} | {row['scrapes']} |")
    text = (
        f"{arguments.targets} targets x {arguments.series} series every {arguments.interval} s, "
        f"{arguments.seconds} s\n\n" + "\n".join(lines) + "\n")
    print(text)
    if arguments.markdown:
        Path(arguments.markdown).write_text(text)


if __name__ == "__main__":
    main()
