#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Chooses anew what tests/fuzz/corpus keeps: keep.py BUILD [NAME...], BUILD as scripts/fuzz leaves it.

Of the inputs that runs came upon (BUILD/corpus), the seeds and what is kept already, those that reach
most for their size, within a number of bytes and files for each harness: it is a start for the fuzzers
and a quick test, not all there is.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BYTES = {"flow": 22000, "sdp": 14000, "sip_message": 14000, "rtp": 11000, "command": 8000,
         "yaml": 7000, "srtp": 6000, "admin": 5000}
BYTES_OF_OTHERS, FILES, LONGEST = 4500, 64, 4096
FILE_COST = 1000  # bytes that one file more is worth


def reached(binary, pool, work):
    """Each input's path with the edges and features that libFuzzer sees it reach."""
    control = work / "control"
    (work / "merged").mkdir()
    subprocess.run([binary, "-merge=1", f"-max_len={LONGEST}", f"-merge_control_file={control}",
                    work / "merged", pool], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    lines = control.read_text().split("\n")
    count = int(lines[0])
    paths = [pathlib.Path(line) for line in lines[2:2 + count]]
    found = {path: set() for path in paths}
    for words in map(str.split, lines[2 + count:]):
        if words and words[0] in ("FT", "COV"):
            found[paths[int(words[1])]] |= {(words[0], number) for number in words[2:]}
    return found


def choose(found, most):
    """Greedy: the input with the most that is new for its bytes goes first. An edge is worth 100 features."""
    seen, used, chosen = set(), 0, []
    while found and len(chosen) < FILES:
        def worth(path):
            new = found[path] - seen
            return sum(100 if kind == "COV" else 1 for kind, _ in new) / (path.stat().st_size + FILE_COST)
        best = max(found, key=worth)
        new = found.pop(best) - seen
        if not new:
            break
        if used + best.stat().st_size <= most:
            used += best.stat().st_size
            seen |= new
            chosen.append(best)
    return chosen


def keep(build, name, seeds):
    kept = HERE / "corpus" / name
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "pool").mkdir()
        for source in (kept, build / "corpus" / f"fuzz_{name}", seeds / f"fuzz_{name}"):
            for path in source.iterdir() if source.is_dir() else ():
                data = path.read_bytes()[:LONGEST]
                (work / "pool" / hashlib.sha1(data).hexdigest()[:12]).write_bytes(data)
        chosen = choose(reached(build / "tests/fuzz" / f"fuzz_{name}", work / "pool", work),
                        BYTES.get(name, BYTES_OF_OTHERS))
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for path in chosen:
            shutil.copy(path, kept / path.name)
    print(f"{name}: {len(chosen)} inputs, {sum(p.stat().st_size for p in kept.iterdir())} bytes")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    names = sys.argv[2:] or sorted(p.stem[5:] for p in HERE.glob("fuzz_*.c"))
    source = HERE.parent.parent
    shared = os.environ.get("CORDBOARD_SHARED", source.parent / "shared")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, HERE / "seeds.py", source, shared, folder], check=True)
        for name in names:
            keep(build, name, pathlib.Path(folder))


main()
