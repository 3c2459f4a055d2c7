#!/usr/bin/env python3
"""Hours of scraping with kills in between, by hand: `make soak MINUTES=120`, or `make soak ROUNDS=100`.

A synthetic target exports many series and numbers its scrapes. Hearth scrapes it every second; again and again it is
killed with SIGKILL at a random moment and started anew. Every number that a query saw before a kill must be there
after it. Queries over all series go on meanwhile. At the end it prints rounds, scrapes, restart times and memory;
commit what it says to benchmarks/results.
"""

import argparse
import http.server
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import Bench, Failure, Load, api, check, scalar_of  # noqa: E402

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: synthetic
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


class Target(http.server.BaseHTTPRequestHandler):
    series = 1000
    answered = 0
    lock = threading.Lock()

    def do_GET(self):
        with Target.lock:
            Target.answered += 1
            number = Target.answered
        lines = ["# TYPE scrapes_answered_total counter", f"scrapes_answered_total {number}", "# TYPE load gauge"]
        lines += [f'load{{series="{index}"}} {(number * index) % 977}' for index in range(Target.series)]
        body = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def numbers(server, since):
    window = max(10, int(time.time() - since) + 10)
    data = api(server, "query", query=f"scrapes_answered_total[{window}s]")
    return {int(float(value)) for row in data["result"] for _, value in row["values"]}


def resident_megabytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", required=True)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--rounds", type=int, default=0, help="so many kills, soon after each other; not --minutes")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}; repeat with --seed {arguments.seed}", flush=True)
    chance = random.Random(arguments.seed)
    Target.series = arguments.series
    target = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=target.serve_forever, daemon=True).start()
    bench = Bench("soak", arguments.hearth)
    config = bench.write_config(CONFIG.format(port=target.server_address[1]))
    began = time.time()
    seen, restarts, memory, rounds, failed = set(), [], 0.0, 0, True
    try:
        while rounds < arguments.rounds if arguments.rounds else time.time() - began < arguments.minutes * 60:
            rounds += 1
            started = time.monotonic()
            server = bench.start_hearth(config, name=f"hearth-{rounds}")
            restarts.append(time.monotonic() - started)
            lost = seen - numbers(server, began)
            check(not lost, f"round {rounds}: lost {len(lost)} of {len(seen)} scrapes, e.g. {sorted(lost)[:5]}")
            until = time.monotonic() + (chance.uniform(2, 8) if arguments.rounds else chance.uniform(5, 60))
            load = Load(server)
            while time.monotonic() < until:
                seen |= numbers(server, began)
                time.sleep(chance.uniform(0.05, 0.5))
            memory = max(memory, resident_megabytes(server.pid))
            check(scalar_of(server, "count(load)") == arguments.series, "series are missing")
            server.signal(signal.SIGKILL)
            load.end()
            server.wait(10)
            bench.processes.remove(server)
        failed = False
    except Failure as failure:
        print(f"FAILED: {failure}")
    finally:
        bench.close(failed)
        target.shutdown()
    print(f"{rounds} rounds in {(time.time() - began) / 60:.1f} min, {len(seen)} scrapes seen, none lost: {not failed}")
    print(f"start to ready: median {sorted(restarts)[len(restarts) // 2]:.2f} s, slowest {max(restarts):.2f} s")
    print(f"resident memory at most {memory:.0f} MB with {arguments.series} series")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
