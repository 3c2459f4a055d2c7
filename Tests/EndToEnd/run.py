#!/usr/bin/env python3
"""Runs the end-to-end scenarios: the release binary against real programs, on loopback.

    run.py --hearth PATH [SCENARIO ...]     all scenarios, or those named

A scenario is a module in `scenarios/` with a function `run(bench)`. What cannot run here is skipped with its reason;
with CI=true that is a failure, unless what is missing is no part of the repository.
"""

import argparse
import importlib
import os
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import HERE, Absent, Bench, Failure, Skip  # noqa: E402

SECONDS_MAX = 300


def on_alarm(_signal, _frame):
    raise Failure(f"took longer than {SECONDS_MAX} s")


def run_scenario(name, hearth):
    module = importlib.import_module(f"scenarios.{name}")
    print(f"==> {name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
    started = time.monotonic()
    bench = Bench(name, hearth)
    outcome, reason = "failed", ""
    signal.alarm(SECONDS_MAX)
    try:
        module.run(bench)
        outcome = "passed"
    except Absent as absent:
        outcome, reason = "absent", str(absent)
    except Skip as skip:
        outcome, reason = "skipped", str(skip)
    except Failure as failure:
        reason = str(failure)
    except Exception:  # noqa: BLE001: whatever a scenario throws is its failure
        reason = traceback.format_exc()
    finally:
        signal.alarm(0)
        bench.close(failed=outcome == "failed")
    word = "skipped" if outcome == "absent" else outcome
    print(f"    {word} after {time.monotonic() - started:.1f} s{': ' + reason if reason else ''}", flush=True)
    return outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", required=True, help="the binary under test")
    parser.add_argument("scenarios", nargs="*", help="names; all when left out")
    arguments = parser.parse_args()
    signal.signal(signal.SIGALRM, on_alarm)
    known = sorted(path.stem for path in (HERE / "scenarios").glob("*.py") if path.stem != "__init__")
    unknown = set(arguments.scenarios) - set(known)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    outcomes = [run_scenario(name, arguments.hearth) for name in arguments.scenarios or known]
    passed, failed, skipped = (outcomes.count(word) for word in ("passed", "failed", "skipped"))
    if os.environ.get("CI") == "true":
        failed, skipped = failed + skipped, 0
    skipped += outcomes.count("absent")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
