#!/usr/bin/env python3
"""Thousands of targets on one core, by hand: part of `make soak`.

Hearth, tied to one processor and with a soft limit of 1,024 open files, scrapes `--targets` targets every `--interval`
seconds; a process of its own answers for all of them. After `--rounds` rounds each target must have been scraped in each
round, with success, at its own time: every series of `up` is whole, and as far apart as the configuration says. Prints what
it took; commit that to benchmarks/results.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import Bench, Failure, api, check  # noqa: E402

TARGETS = HERE.parent.parent / "benchmarks" / "Scrape" / "targets.py"


def configuration(port, count, interval):
    lines = [
        "global:", f"  scrape_interval: {interval}s", f"  scrape_timeout: {interval}s", "scrape_configs:",
        "  - job_name: many", "    static_configs:"]
    for number in range(count):
        # An address each, so that each has a connection of its own.
        address = f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
        lines += [f"      - targets: ['{address}:{port}']"]
    return "\n".join(lines) + "\n"


def confined():
    """In the child, before the program starts."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith("Vm")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", required=True)
    parser.add_argument("--targets", type=int, default=5000)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--interval", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=12)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    answering = subprocess.Popen(
        [sys.executable, str(TARGETS), "--series", str(arguments.series), "--all-loopback"],
        stdout=subprocess.PIPE, text=True)
    bench = Bench("targets", arguments.hearth)
    failed = True
    try:
        port = int(answering.stdout.readline())
        config = bench.write_config(configuration(port, arguments.targets, arguments.interval))
        server = bench.start_hearth(config, preexec=confined)
        # The first round makes all series.
        time.sleep(2 * arguments.interval)
        cpu, began = cpu_seconds(server.pid), time.time()
        time.sleep(arguments.rounds * arguments.interval)
        cpu, seconds = cpu_seconds(server.pid) - cpu, time.time() - began
        window = f"[{arguments.rounds * arguments.interval}s]"
        # What is due just now may still be under way.
        settled = time.time() - arguments.interval / 5
        for text, wanted in {
            "count(up)": arguments.targets,
            f"min(min_over_time(up{window}))": 1,
            f"min(count_over_time(up{window}))": arguments.rounds,
            "sum(scrape_samples_scraped)": arguments.targets * arguments.series,
        }.items():
            found = float(api(server, "query", query=text, time=settled)["result"][0]["value"][1])
            check(found == wanted, f"{text} is {found}, not {wanted}")
        # The distances between two samples of a target, milliseconds.
        rows = api(server, "query", query=f"up{window}", time=settled)["result"]
        gaps = [
            round((later[0] - earlier[0]) * 1000)
            for row in rows for earlier, later in zip(row["values"], row["values"][1:])]
        late = [gap for gap in gaps if abs(gap - arguments.interval * 1000) > 0.1 * arguments.interval * 1000]
        check(not late, f"{len(late)} of {len(gaps)} scrapes came more than a tenth of the interval early or late")
        failed = False
    except Failure as failure:
        print(f"FAILED: {failure}")
    finally:
        if not failed:
            samples = seconds / arguments.interval * arguments.targets * arguments.series
            held = memory(server.pid)
            print(
                f"{arguments.targets} targets of {arguments.series} series every {arguments.interval} s on one processor, "
                f"{arguments.rounds} rounds: none skipped; {100 * cpu / seconds:.1f} % of the processor, "
                f"{cpu / samples * 1e6:.2f} CPU-s/M samples, {held['VmRSS']:.0f} MB resident, {held['VmHWM']:.0f} at most; "
                f"distances of scrapes {min(gaps)} to {max(gaps)} ms")
        bench.close(failed)
        answering.terminate()
        answering.wait(10)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
