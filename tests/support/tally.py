#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up what the tests said: failures with their output, the requirements that are covered, and
the closing line `N passed, N failed, N skipped`. Reads the folder that scripts/test filled:
unit.json and bench.json (meson's testlog.json, one JSON object a line) and system.json."""
import json
import pathlib
import re
import sys

CASE = re.compile(r"^\[\s*(OK|FAILED|SKIPPED)\s*\] (\w+)", re.M)
REQUIREMENTS = re.compile(r"^(?:test_)?((?:R\d+_)+)")
LAST_REQUIREMENT = 129

results = pathlib.Path(sys.argv[1])
passed, failed, skipped = [], [], []
outputs = {}


def take_meson(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        name, result, text = test["name"], test["result"], test.get("stdout", "")
        cases = CASE.findall(text)
        bad = {case for state, case in cases if state == "FAILED"}
        passed.extend(f"{name}: {case}" for state, case in cases if state == "OK")
        skipped.extend(f"{name}: {case}" for state, case in cases if state == "SKIPPED")
        failed.extend(f"{name}: {case}" for case in sorted(bad))
        if result in ("OK", "EXPECTEDFAIL"):
            if not cases:
                passed.append(name)
        elif result == "SKIP":
            skipped.append(name)
        elif not bad:
            failed.append(f"{name}: {result.lower()}")
        if result not in ("OK", "SKIP"):
            outputs[name] = (text + test.get("stderr", ""))[-4000:]


def take_system(path):
    for test in json.loads(path.read_text(encoding="utf-8")):
        {"passed": passed, "failed": failed, "skipped": skipped}[test["result"]].append(test["name"])
        if test["result"] == "failed":
            outputs[test["name"]] = test.get("output", "")[-6000:]


for file in sorted(results.glob("*.json")):
    (take_system if file.name == "system.json" else take_meson)(file)

for name, text in outputs.items():
    print(f"---- {name}\n{text}")
for name in failed:
    print(f"FAILED {name}")
for name in skipped:
    print(f"skipped {name}")

covered = set()
for name in passed:
    match = REQUIREMENTS.match(name.split(": ")[-1])
    if match:
        covered.update(int(number) for number in re.findall(r"\d+", match.group(1)))
if covered:
    print("requirements covered by passing tests:", " ".join(f"R{n}" for n in sorted(covered)),
          f"({len(covered)} of {LAST_REQUIREMENT})")
print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
sys.exit(1 if failed or not passed else 0)
