"""Every query of the PromQL corpus on Hearth and on Debian's prometheus 2.42, over the same pushed samples.

The corpus, the feeder and the comparison are no part of the repository: the folder of conformance vectors is what
HEARTH_CONFORMANCE names, or ../shared/conformance beside the checkout, and the tools lie in ../shared/tools, beside
that folder. Where the two generations differ on purpose is listed in docs/promql-differences.md, with the reason.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from harness import ROOT, Absent, Failure, api, check, find_peer, free_port, http, wait_until

# Always the same samples, so that what differs in one run differs in all of them. PROMQL_DIFFERENTIAL_END=now (or Unix
# seconds) takes others.
END = os.environ.get("PROMQL_DIFFERENTIAL_END") or "1700004900"
# A little more than what Hearth cuts a block at. The queries' ten minutes lie so far before the end that the block ends
# within their ranges: they read block and head.
HOURS = 3.1
SECONDS_TO_END = 4800
SECONDS_MAX = 240

DIFFERENCES = ROOT / "docs" / "promql-differences.md"


def needed_files():
    conformance = Path(os.environ.get("HEARTH_CONFORMANCE") or ROOT.parent / "shared" / "conformance")
    tools = conformance.parent / "tools"
    corpus = conformance / "compliance"
    files = {
        "queries": corpus / "queries.yml",
        "extra": corpus / "extra-queries.txt",
        "known": corpus / "known_2.42_vs_3.x.json",
        "feed": tools / "feed.py",
        "promdiff": tools / "promdiff.py",
    }
    for path in files.values():
        if not path.is_file():
            raise Absent(f"{path} is not there: the PromQL corpus and its tools are no part of the repository")
    return files


def known_differences(bench, corpus_known):
    """The queries of the page's first table, as the comparison takes them. What the corpus lists has to be there."""
    section = DIFFERENCES.read_text().split("\n## In the corpus\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([^|]+) \|$", section, re.MULTILINE)
    check(rows, f"{DIFFERENCES.name} has no table of queries")
    cases = [{"query": query, "why": why} for query, why in rows]
    listed = {case["query"] for case in cases}
    for case in json.loads(corpus_known.read_text())["cases"]:
        check(case["query"] in listed, f"{DIFFERENCES.name} does not tell of {case['query']}: {case['why']}")
    path = bench.directory / "known.json"
    path.write_text(json.dumps({"cases": cases}))
    return path


def start_prometheus(bench):
    port = free_port()
    config = bench.write_config("global: {}\n", "reference.yml")
    server = bench.start("prometheus", [
        find_peer("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={bench.directory / 'reference'}",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver"])
    server.url = f"http://127.0.0.1:{port}"
    wait_until("prometheus to be ready", lambda: http("GET", server.url + "/-/ready")[0] == 200, 30)
    return server


def run_tool(bench, name, *arguments):
    """Runs one of the tools; its output goes to a file, and is given back."""
    log = bench.directory / f"{name}.txt"
    with open(log, "wb") as output:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)], stdout=output, stderr=subprocess.STDOUT, timeout=SECONDS_MAX)
    return done.returncode, log.read_text(errors="replace")


def feed(bench, files, servers):
    """Pushes the samples to all servers. - Returns: the time at which to query last."""
    targets = [word for server in servers for word in ("--to", server.url)]
    code, text = run_tool(bench, "feed", files["feed"], "--hours", HOURS, "--end", END, *targets)
    check(code == 0, f"the samples could not be pushed:\n{text[-2000:]}")
    data_end = json.loads(text.strip().splitlines()[-1])["data_end"]
    # No sample and no step of a subquery may lie exactly on the edge of a range: 2.x counts it in, 3.x does not.
    return int(data_end - SECONDS_TO_END) // 10 * 10 - 17


def run(bench):
    files = needed_files()
    known = known_differences(bench, files["known"])
    reference = start_prometheus(bench)
    hearth = bench.start_hearth(bench.write_config("global: {}\n"), "--web.enable-remote-write-receiver")
    end = feed(bench, files, [reference, hearth])
    wait_until(
        "a block to be cut",
        lambda: re.search(r"^prometheus_tsdb_blocks_loaded [1-9]", http("GET", hearth.url + "/metrics")[1], re.MULTILINE))
    counts = [api(server, "query", query='count({job="demo"})', time=end)["result"][0]["value"][1]
              for server in (reference, hearth)]
    check(counts[0] == counts[1], f"prometheus has {counts[0]} series, Hearth {counts[1]}")

    code, text = run_tool(
        bench, "promdiff", files["promdiff"], "--reference", reference.url, "--candidate", hearth.url, "--queries",
        files["queries"], "--queries", files["extra"], "--known", known, "--start", end - 600, "--end", end,
        "--step", 10, "--strict-format", "--order")
    lines = text.strip().splitlines()
    if code != 0:
        raise Failure("differences from prometheus:\n" + "\n".join(lines[:200]))
    print("    " + "; ".join(lines[-2:]), flush=True)
