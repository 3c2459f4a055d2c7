#!/usr/bin/env python3
"""Query speed of Hearth beside Debian's prometheus and victoria-metrics, on the same data in one run.

  side_by_side.py --hearth BINARY --feeder QueryBenchmark [--quick] [--only A|B] [--json FILE] [--markdown FILE]
  side_by_side.py --render FILE… [--markdown FILE]

Data A are 5,000 series over 24 h at 15 s (with --quick 6 h), B 100,000 series over 2 h; both come from the feeder by
remote write. A peer that is not on the machine is skipped; nothing is installed. With --data DIR the servers' data stay
there, and a later run with the same options feeds only those that are empty (--refeed NAME empties one): a new Hearth
is compared within minutes. --json keeps all figures, from which --render makes the tables again (of several runs, if their
binaries are the same). What stands in the file of --markdown from the heading "## Reading" on is kept.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

# Compiled files beside the sources would be strangers in the Swift target.
sys.dont_write_bytecode = True

import measure  # noqa: E402
import report  # noqa: E402
from query_set import SERIES_PER_INSTANCE, requests  # noqa: E402
from servers import Failure, MemoryWatch, check, servers, settle, wait_until  # noqa: E402

SEED = 42
READING = "## Reading\n"
# Prometheus looks for blocks to compact once a minute.
COMPACTION_SECONDS = 75


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", default=".build/release/hearth")
    parser.add_argument("--feeder", default=".build/release/QueryBenchmark")
    parser.add_argument("--servers", default="prometheus,victoria-metrics,hearth")
    parser.add_argument("--quick", action="store_true", help="6 h instead of 24 h, no data B, few repetitions")
    parser.add_argument("--only", choices=["A", "B"])
    parser.add_argument("--match", default="", help="only requests whose name or form holds this text")
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--budget", type=float, help="seconds for one query and server")
    parser.add_argument("--data", help="directory that keeps the servers' data for the next run")
    parser.add_argument("--refeed", action="append", default=[], help="server whose kept data are thrown away")
    parser.add_argument("--json", help="where all figures go")
    parser.add_argument("--markdown", help="where the tables go, besides the terminal")
    parser.add_argument("--render", nargs="+", help="make the tables from the figures of an earlier run")
    return parser.parse_args()


def main():
    options = parsed()
    if options.render:
        runs = [json.loads(Path(file).read_text()) for file in options.render]
        runs[0]["data"] = [data for run in runs for data in run["data"]]
        output(report.render(runs[0]), options.markdown)
        return 0
    # Ended from outside, the servers end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    repetitions = options.repetitions or (5 if options.quick else 15)
    budget = options.budget or (3 if options.quick else 10)
    wanted = options.servers.split(",")
    saved = {
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "machine": machine(), "repetitions": repetitions,
        "versions": {}, "missing": [], "names": [], "data": []}
    sets = [("A", 5000, 6 if options.quick else 24)] + ([] if options.quick else [("B", 100_000, 2)])
    keep = options.data is not None
    root = Path(options.data or tempfile.mkdtemp(prefix="hearth-query-"))
    try:
        for name, series, hours in sets:
            if options.only in (None, name):
                data = described(root / f"{name}-{series}-{hours}h", series, hours)
                for server in options.refeed:
                    shutil.rmtree(root / f"{name}-{series}-{hours}h" / server, ignore_errors=True)
                compare(options, data, root / f"{name}-{series}-{hours}h", wanted, repetitions, budget, saved)
                if options.json:
                    Path(options.json).write_text(json.dumps(saved, indent=1))
    except Failure as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return 1
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)
    output(report.render(saved), options.markdown)
    return 0


def machine():
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), "unknown CPU")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} cores ({cpu}), {memory / 2**30:.0f} GiB"


def described(directory, series, hours):
    """What the data of a directory are; their end stays the same from run to run."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "data.json"
    if not file.exists():
        end = int(time.time()) // 3600 * 3600
        file.write_text(json.dumps({"series": series, "hours": hours, "end": end, "seed": SEED}))
    return json.loads(file.read_text())


def output(text, file):
    print(text)
    if file:
        before = Path(file).read_text() if Path(file).exists() else ""
        kept = before.find(READING)
        Path(file).write_text(text + ("\n" + before[kept:] if kept >= 0 else ""))


def compare(options, data, directory, wanted, repetitions, budget, saved):
    hours = data["hours"]
    print(f"==> {data['series']} series over {hours} h", flush=True)
    found, missing = servers(options.hearth, directory, wanted)
    saved["missing"] = missing
    for text in missing:
        print(f"    {text}", flush=True)
    saved["names"] = [server.name for server in found]
    saved["versions"] = {server.name: server.version() for server in found}
    with contextlib.ExitStack() as ended:
        for server in found:
            ended.callback(server.stop)
        feed(found, options.feeder, data)
        result = {"title": f"{data['series']:,} series × {hours} h at 15 s", "data": data, "lines": [],
                  "feed": {server.name: server.fed()["figures"] for server in found}}
        clients = {server.name: measure.Client(server.port) for server in found}
        cpu = {server.name: server.cpu_seconds() for server in found}
        result["load"] = [round(os.getloadavg()[0], 1)]
        with MemoryWatch(found) as watch:
            for request in requests(data["series"] // SERIES_PER_INSTANCE, hours, data["end"]):
                if options.match in request.name or options.match in request.form:
                    line = measure.run(request, found, clients, repetitions, budget)
                    result["lines"].append(line)
                    progress(line)
        result["memory"] = watch.figures()
        result["load"].append(round(os.getloadavg()[0], 1))
        for server in found:
            result["memory"][server.name]["cpu_seconds"] = server.cpu_seconds() - cpu[server.name]
            clients[server.name].close()
    saved["data"].append(result)


def feed(found, feeder, data):
    """Starts all servers, with their data in them and at rest."""
    fresh = [server for server in found if (server.fed() or {}).get("data") != data]
    for server in fresh:
        shutil.rmtree(server.directory)
        server.directory.mkdir()
        server.start()
        figures = server.feed(feeder, data)
        millions = figures["samples"] / 1e6
        print(f"    {server.name} took {millions:.1f} M samples in {figures['seconds']:.0f} s", flush=True)
        wait_until(f"{server.name} to show the data", lambda: counted(server, data) >= data["series"], 120, 1)
    if fresh:
        settle(fresh, COMPACTION_SECONDS)
        # A server that has just taken in millions of samples is not what is asked in real life.
        for server in fresh:
            server.stop()
    for server in found:
        server.start()
        check(counted(server, data) >= data["series"], f"{server.name} lost data by its restart")
    settle(found, 10)


def counted(server, data):
    client = measure.Client(server.port)
    request = requests(1, 2, data["end"])
    wanted = next(line for line in request if (line.name, line.form) == ("count everything", "instant"))
    _, status, body = client.measure(client.prepare(wanted, server.extra))
    client.close()
    if status != 200:
        return 0
    return sum(points[0][1] for points in measure.Answer(body).series.values())


def progress(line):
    cells = [f"{name} {entry['p50']:.2f} ({entry['min']:.2f})" if "p50" in entry else f"{name} {entry.get('error')}"
             for name, entry in line["servers"].items()]
    mark = f"  DIFFERS: {line['difference']}" if line.get("difference") else ""
    print(f"    {line['name']}, {line['form']}: " + ", ".join(cells) + mark, flush=True)


if __name__ == "__main__":
    sys.exit(main())
