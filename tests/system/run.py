#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the system scenarios: each `test_*`, `R<n>_*` or `pain_<n>_*` function of
tests/system/scenarios/*.py is one test, in a network namespace, mount namespace and temporary
directory of its own, several at a time.

    tests/system/run.py --control BUILD --dataplane BUILD [--results FILE] [--jobs N] [--timeout S]
                        [NAME...]

NAME is a part of a test's name. A test that raises fails; one that raises stage.Skip is skipped.
One with the decorator `@alone` (stage.py) runs when all others are done: it takes the machine's whole power.
Needs root: namespaces and the dataplane's software NIC.
"""
import argparse
import ast
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TEST = re.compile(r"^(test_|R\d+_|pain_\d+_)")
TIMEOUT_S = 120
SKIPPED = 77


def find_tests():
    for path in sorted((HERE / "scenarios").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and TEST.match(node.name):
                alone = any(isinstance(d, ast.Name) and d.id == "alone" for d in node.decorator_list)
                yield path.stem, node.name, alone


def run_one(module, name, options):
    command = ["unshare", "--net", "--mount", "--", sys.executable, str(HERE / "one.py"),
               module, name, "--control", options.control, "--dataplane", options.dataplane]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True, cwd=HERE)
    try:
        output, _ = process.communicate(timeout=options.timeout)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            output, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
        output += f"\ntimed out after {options.timeout} s".encode()
        code = 1
    result = {0: "passed", SKIPPED: "skipped"}.get(code, "failed")
    return {"name": name, "module": module, "result": result,
            "seconds": round(time.monotonic() - started, 1),
            "output": output.decode("utf-8", "replace")}


def report(results, result, options):
    results.append(result)
    print(f"{result['result']:8} {result['seconds']:6.1f} s  {result['name']}", flush=True)
    if result["result"] == "failed" and not options.results:
        print(result["output"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--control", required=True, help="build with cordboard-control and cordctl")
    parser.add_argument("--dataplane", required=True, help="build with cordboard-dataplane and ear")
    parser.add_argument("--results")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1)
    parser.add_argument("--timeout", type=float, default=TIMEOUT_S, help="seconds for one test")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    options.control = os.path.abspath(options.control)
    options.dataplane = os.path.abspath(options.dataplane)

    tests = [t for t in find_tests() if not options.names or any(n in t[1] for n in options.names)]
    results, again = [], []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {pool.submit(run_one, m, n, options) for m, n, alone in tests if not alone}
        for done in concurrent.futures.as_completed(waiting):
            result = done.result()
            if result["result"] == "failed":
                again.append((result["module"], result["name"]))
                print(f"again    {result['seconds']:6.1f} s  {result['name']}", flush=True)
                continue
            report(results, result, options)
    for module, name, alone in tests:
        if alone:
            report(results, run_one(module, name, options), options)
    # On a busy machine a scenario may miss its times: what failed is run once more, alone.
    for module, name in again:
        report(results, run_one(module, name, options), options)
    if options.results:
        pathlib.Path(options.results).write_text(json.dumps(results), encoding="utf-8")
    failed = sum(r["result"] == "failed" for r in results)
    passed = sum(r["result"] == "passed" for r in results)
    print(f"system: {passed} passed, {failed} failed, {len(again)} ran twice")
    sys.exit(1 if failed or not results else 0)


if __name__ == "__main__":
    main()
