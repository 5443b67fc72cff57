#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_scaling.py BUILD [--smoke]: what a worker does while others work beside it.

Workers share no lock, no line and no ring in their way, only the machine: its memory, its caches, its
clock. So 1, 2, ... N whole workers (bench_worker, three-party G.711), each a process on a core of its own,
are measured at the same time.

    parties_together    that all of them would carry: computed, as bench_worker does
    efficiency_percent  of N times what one alone would carry

Beyond the cores that there are, a model stands in (report.py, catalog.scaled): what a worker waits for
each other one beside it, as a share of its time alone, is what the most that were measured wait.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

from result import hashed

PARTIES, SMOKE_PARTIES, REPEATS = 9999, 99, 3


def together(build, cores, smoke):
    """What each of them carries, measured at the same time, and the hash of what each did."""
    words = [build / "bench" / "bench_worker", *(("--smoke",) if smoke else ("--parties", PARTIES)), "g711"]
    running = [subprocess.Popen(["taskset", "-c", str(core), *(str(w) for w in words)],
                                stdout=subprocess.PIPE, text=True) for core in cores]
    found, hashes = [], set()
    for process in running:
        text, _ = process.communicate()
        if process.returncode:
            sys.exit(f"bench_scaling: bench_worker ended with {process.returncode}")
        line = json.loads(text.splitlines()[0])
        found.append(line["parties_per_core"])
        hashes.add(line["hash"])
    if len(hashes) != 1:
        sys.exit("bench_scaling: the workers did not all do the same")
    return found, hashes.pop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    cores, alone = sorted(os.sched_getaffinity(0)), None
    for count in range(1, len(cores) + 1):
        runs = [together(options.build, cores[:count], options.smoke)
                for _ in range(1 if options.smoke else REPEATS)]
        carried = sorted(sum(found) for found, _ in runs)
        parties = carried[len(carried) // 2]
        alone = alone or parties
        print(json.dumps({"bench": "scaling", "workers": count, "parties_together": parties,
                          "efficiency_percent": round(100 * parties / (count * alone), 1),
                          "hash": hashed(sorted({result for _, result in runs}))}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
