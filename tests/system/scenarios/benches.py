# SPDX-License-Identifier: Apache-2.0
"""The benches that are scripts, at smoke size: that they work, and print lines that the suite lists."""
import json
import os
import subprocess
import sys

import stage
from stage import Skip, alone

sys.path.insert(0, str(stage.TOP / "bench"))

import catalog  # noqa: E402


def lines_of(name):
    """What a bench prints, of the build for speed."""
    build = stage.BUILDS.dataplane.parent.parent
    done = subprocess.run([sys.executable, "-B", stage.TOP / "bench" / f"bench_{name}.py", build, "--smoke"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(text) for text in done.stdout.splitlines() if text.startswith("{")]
    if not lines and "skipped" in done.stdout:
        raise Skip(done.stdout.strip())
    assert lines
    for line in lines:
        kind = catalog.LINES[line["bench"]]
        assert set(kind.keys) <= set(line) and set(kind.figures) & set(line), line
        assert line["hash"], line
    return lines


@alone
def test_bench_of_the_software_nic():
    line = lines_of("nic")[0]
    assert line["heard_wrong"] == 0, line


def test_bench_of_what_a_person_waits_for():
    assert {line["what"] for line in lines_of("latency")} == {"answer", "offer", "whisper"}


def test_bench_of_more_calls_than_can_be():
    assert lines_of("overload")[0]["broken"] == 0


def test_bench_of_workers_side_by_side():
    lines = lines_of("scaling")
    assert [line["workers"] for line in lines] == list(range(1, len(os.sched_getaffinity(0)) + 1)), lines
    assert len({line["hash"] for line in lines}) == 1, lines


def test_bench_of_calls():
    lines_of("control")
