"""A minute of random inputs for each fuzz target, in release mode; an input that fails is kept.

`make e2e` builds the fuzzer beside the binary under test.
"""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import ROOT, Skip, check

SECONDS = 60
TARGETS = ["parser", "evaluator", "text", "openmetrics", "protobuf", "remote-write", "relabel", "config"]


def run(bench):
    fuzzer = Path(bench.hearth_binary).parent / "hearth-fuzz"
    if not os.access(fuzzer, os.X_OK):
        raise Skip(f"{fuzzer} is not built: make build-fuzz")

    def fuzz(target):
        return target, subprocess.run(
            [str(fuzzer), "--target", target, "--seconds", str(SECONDS)], cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=2 * SECONDS + 60)

    # One a core: a target is busy with one thread.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for target, done in pool.map(fuzz, TARGETS):
            print("    " + done.stdout.strip().replace("\n", "\n    "), flush=True)
            check(done.returncode == 0, f"{target}: an input failed; it is kept in Tests/Fuzz/Failures")
