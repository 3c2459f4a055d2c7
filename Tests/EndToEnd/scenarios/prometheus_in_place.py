"""Hearth takes over the data directory of a stopped prometheus: same answers before and after the import."""

import json
import shutil
import subprocess
import time

from harness import api, check, find_peer, http, query, wait_until

from scenarios.prometheus_blocks import (
    CONFIG, HOURS, OPENMETRICS, SERIES, check_same, dump, fill, fingerprints, start_prometheus, tool)

# Ours scrapes too: its samples come beside those that are there.
OURS = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: ours
    static_configs:
      - targets: ["127.0.0.1:9"]
"""
# Without the second, what is older than 30 days would be served no more.
FLAGS = ["--web.enable-admin-api", "--storage.tsdb.retention.time=100y"]


def answers(server, end, old):
    """Everything that the directory holds, asked in several ways, as text."""
    found = {}
    for what, expression, at in [
            ("all samples", f'{{__name__=~".+"}}[{HOURS + 1}h]', end),
            ("oldest samples", "latency_bucket", 1e9),
            ("old samples", '{__name__=~".+"}[3h]', old + 3600),
            ("rates", "sum by (__name__) (rate({number=~\".+\"}[3h]))", end),
            ("scraped", "max_over_time(prometheus_http_requests_total[1h])", end)]:
        for row in api(server, "query", query=expression, time=at)["result"]:
            labels = tuple(sorted(row["metric"].items()))
            # Sums are the same up to the order in which they are added.
            found[what, labels] = (
                f"{float(row['value'][1]):.12g}" if what == "rates" else str(row.get("values") or row.get("value")))
    found["range"] = sorted(
        str(row) for row in api(server, "query_range", query="sum(pushed_0)", start=end - HOURS * 3600, end=end,
                                step=60)["result"])
    pushed = {"match[]": '{number=~".+"}'}
    found["labels"] = str(api(server, "labels", **pushed))
    found["values"] = str(api(server, "label/number/values", **pushed))
    found["series"] = sorted(str(sorted(row.items())) for row in api(server, "series", **pushed))
    return found


def check_answers(what, server, end, old, wanted):
    found = answers(server, end, old)
    wrong = [key for key in {**wanted, **found} if found.get(key) != wanted.get(key)]
    check(not wrong, f"{what}: {len(wrong)} of {len(wanted)} answers differ: "
          + "; ".join(f"{key}: {str(found.get(key))[:200]}, not {str(wanted.get(key))[:200]}" for key in wrong[:3]))


def check_unchanged(what, before, directory):
    now = fingerprints(directory)
    wrong = [path for path in before if now.get(path) != before[path]]
    check(not wrong, f"{what} changed prometheus' files: {wrong[:5]}")


def delete(server, selector):
    return http("POST", f"{server.url}/api/v1/admin/tsdb/delete_series?match[]={selector}")


def blocks(directory):
    return sorted(path for path in directory.iterdir() if len(path.name) == 26)


def blocks_within(directory, end):
    """Those whose samples are older than a time in seconds."""
    return [path for path in blocks(directory)
            if json.loads((path / "meta.json").read_text())["maxTime"] <= end * 1000]


def check_damaged(bench, data, old_block):
    """One block is destroyed: it is named, and the rest is served."""
    damaged = bench.directory / "damaged"
    shutil.copytree(data, damaged)
    index = damaged / old_block.name / "index"
    index.write_bytes(b"nothing of the kind")
    done = subprocess.run([bench.hearth_binary, "tsdb", "verify", str(damaged)], capture_output=True, text=True,
                          timeout=120)
    check(done.returncode == 1 and old_block.name in done.stdout + done.stderr,
          f"verify of a damaged block: {done.returncode} {done.stdout} {done.stderr}")
    hearth = bench.start_hearth(bench.write_config("global: {}\n"), data="damaged", name="hearth-damaged")
    check(query(hearth, f"count(count_over_time(pushed_0[{HOURS}h]))"), "the blocks beside a damaged one are not served")
    check(index.read_bytes() == b"nothing of the kind", "a damaged block of prometheus' was changed")
    check(old_block.name in hearth.log.read_text(errors="replace"), "the damaged block is not named in the log")
    hearth.stop()


def run(bench):
    data = bench.directory / "data"
    # Blocks of promtool's, blocks of prometheus' own, and both its logs.
    old = int(time.time()) - 86400 * 400
    text = bench.directory / "old.om"
    text.write_text(OPENMETRICS.format(day=old, hour=old + 1800))
    tool(find_peer("promtool"), "tsdb", "create-blocks-from", "openmetrics", text, data)
    check(blocks(data), "promtool made no block")
    server = start_prometheus(bench, data, "prometheus", CONFIG)
    fill(server, data)
    wait_until("blocks", lambda: len(blocks(data)) - len(blocks_within(data, end=old + 86400)) >= 2, 60)
    wait_until("a checkpoint", lambda: list((data / "wal").glob("checkpoint.*")), 60)
    end = int(time.time()) - 1
    wanted = answers(server, end, old)
    check(len(wanted) > 100, f"prometheus answered {len(wanted)} series only")
    server.stop()
    samples = dump(data)
    check(len(samples) > SERIES * HOURS * 50, f"prometheus holds {len(samples)} samples only")
    before = fingerprints(data)
    # Prometheus may have merged promtool's.
    oldest = blocks_within(data, end=old - 86400)[0]

    # The tools read it, and leave nothing behind.
    hearth_tool = lambda *command: tool(bench.hearth_binary, "tsdb", *command)  # noqa: E731
    listed = hearth_tool("list", data)
    check(all(path.name in listed for path in blocks(data)), f"hearth lists {listed}")
    hearth_tool("analyze", data, oldest.name)
    hearth_tool("verify", data)
    check_same("dumped", sorted(hearth_tool("dump", data).splitlines()), samples)
    check(fingerprints(data) == before, "the tools changed the directory")
    check_damaged(bench, data, oldest)

    # Served as it is; a block that is put there by hand is noticed.
    aside = bench.directory / oldest.name
    oldest.rename(aside)
    hearth = bench.start_hearth(bench.write_config(OURS), *FLAGS)
    aside.rename(oldest)
    wait_until("the block to be noticed", lambda: answers(hearth, end, old).keys() == wanted.keys(), 75, every=2)
    check_answers("served beside", hearth, end, old, wanted)
    wait_until("our own samples", lambda: query(hearth, 'count_over_time(up{job="ours"}[1m]) > 1'), 30)
    status, text = delete(hearth, "pushed_0")
    check(status != 204 and "hearth tsdb import" in text, f"a deletion was answered {status} {text}")
    hearth.stop()
    check_unchanged("serving", before, data)
    hearth = bench.start_hearth(bench.write_config(OURS), *FLAGS, name="hearth-again")
    check_answers("after a restart", hearth, end, old, wanted)

    # Imported under the running server, twice. What was Prometheus' can be removed then.
    hearth_tool("import", data)
    check("is there already" in hearth_tool("import", data), "the second import took something again")
    check_answers("after the import", hearth, end, old, wanted)
    hearth.stop()
    check_unchanged("the import", before, data)
    for path in blocks(data) + [data / name for name in ("wal", "wbl", "chunks_head")]:
        shutil.rmtree(path)
    hearth = bench.start_hearth(bench.write_config("global: {}\n"), *FLAGS, name="hearth-alone")
    check_answers("without prometheus' files", hearth, end, old, wanted)
    hearth.stop()

    # And back.
    out = bench.directory / "out"
    hearth_tool("export", "--format=prometheus", data, out)
    check_same("exported", [line for line in dump(out) if 'job="ours"' not in line], samples)
    peer = start_prometheus(bench, out, "prometheus-again")
    check_answers("prometheus on what was exported", peer, end, old, wanted)

    # What is ours can be deleted.
    hearth = bench.start_hearth(bench.write_config("global: {}\n"), *FLAGS, name="hearth-last")
    status, text = delete(hearth, "pushed_0")
    check(status == 204, f"a deletion was answered {status} {text}")
    check(not query(hearth, "count_over_time(pushed_0[14h])", time=end), "what was deleted is seen")
