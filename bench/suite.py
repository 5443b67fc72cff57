#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""suite.py BUILD [NAME…] [--smoke] [--runs N] [--like FILE] --out FILE: runs benches one after the
other and writes their JSON lines, each with its program, the commit, the machine and the settings it
was measured with; a line without a hash of its result is a fault. --like: the benches, the size and the
runs that FILE has. Called by scripts/bench, which builds and then prints the tables."""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
sys.path.insert(0, str(HERE))

from catalog import BENCHES, LINES, bench_of  # noqa: E402
from report import read, small  # noqa: E402

NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
SPIN_S, GAP_S = 0.5, 20e-6


def commit():
    def git(*words):
        return subprocess.run(["git", "-C", str(TOP), *words], capture_output=True, text=True,
                              check=False).stdout.strip()
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if git("status", "--porcelain", "-uno") else "")


def machine():
    def first(path, word):
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            if line.startswith(word):
                return line.split(":", 1)[1].strip()
        return "unknown"
    mhz = float(first("/proc/cpuinfo", "cpu MHz") or 0)
    return {"cpu": f"{first('/proc/cpuinfo', 'model name')} at {mhz / 1000:.1f} GHz",
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(int(first("/proc/meminfo", "MemTotal").split()[0]) / 1e6),
            "kernel": platform.release().split("-")[0]}


def options_of(build):
    return {o["name"]: o["value"] for o in json.loads(
        (build / "meson-info" / "intro-buildoptions.json").read_text(encoding="utf-8"))}


def why_no_use(build):
    """Why what is measured in a build says nothing about speed, or None."""
    options = options_of(build)
    if options["optimization"] != "3":
        return f"its optimization is {options['optimization']}, expected 3"
    return f"it has {options['b_sanitize']} sanitizers" if options["b_sanitize"] != "none" else None


def settings(build, runs):
    """How it was built, and how often it is run."""
    options = options_of(build)
    log = (build / "meson-logs" / "meson-log.txt").read_text(encoding="utf-8")
    compiler = re.search(r"^C compiler for the host machine: .*?\((\S+ \S+)", log, re.M)
    return {"compiler": compiler.group(1) if compiler else "unknown", "optimization": options["optimization"],
            "sanitizers": options["b_sanitize"], "c_args": " ".join(options["c_args"]), "runs": runs}


def built(name, build):
    """A hash of the programs that a bench measures."""
    programs = BENCHES[name].programs or (f"bench/bench_{name}",)
    return hashlib.sha256(b"".join((build / p).read_bytes() for p in programs)).hexdigest()[:12]


def spin():
    """A loop of nothing: how much of the core others took, by the gaps that it saw, and how many turns it
    made in a millisecond of the rest, which are fewer where the core is slower."""
    begun = last = time.perf_counter()
    stolen, turns = 0.0, 0
    while last - begun < SPIN_S:
        now = time.perf_counter()
        if now - last > GAP_S:
            stolen += now - last
        last = now
        turns += 1
    return {"stolen_percent": round(100 * stolen / SPIN_S, 2),
            "turns_per_ms": round(turns / 1000 / max(last - begun - stolen, GAP_S), 1)}


def command(name, build, smoke):
    kind = BENCHES[name].kind
    words = [str(build / "bench" / f"bench_{name}")] if kind == "program" else \
        [sys.executable, "-B", str(HERE / f"bench_{name}.py"), str(build)]
    if kind == "script":
        words = [*(["sudo"] if os.geteuid() else []), *NAMESPACES, *words]
    return words + (["--smoke"] if smoke else [])


def run(name, build, smoke, extra, out):
    """Runs a bench and writes its lines; False when it failed, or a line is not listed or has no hash."""
    extra = dict(extra, program=name, build=built(name, build), **spin())
    good = True
    with subprocess.Popen(command(name, build, smoke), stdout=subprocess.PIPE, text=True) as process:
        for text in process.stdout:
            print(text, end="", flush=True)
            if not text.startswith("{"):
                continue
            line = json.loads(text)
            if line["bench"] not in LINES:
                print(f"suite: bench/catalog.py does not list lines of {line['bench']}", file=sys.stderr)
                good = False
            if "hash" not in line:
                print(f"suite: a line of {name} has no hash of its result", file=sys.stderr)
                good = False
            out.write(json.dumps({**line, **extra}) + "\n")
            out.flush()
    if process.returncode:
        print(f"suite: {name} ended with {process.returncode}", file=sys.stderr)
    return good and process.returncode == 0


def like(lines):
    """The benches, the size and the runs that lines are of."""
    names = [name for name in dict.fromkeys(bench_of(line) for line in lines) if name in BENCHES]
    return names, small(lines), 1 + max((line.get("run", 0) for line in lines), default=0)


def arguments(words=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--like", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_intermixed_args(words)
    if options.like:
        if options.names or options.smoke or options.runs != 1:
            parser.error(f"what is run is what {options.like} has: --like and --out alone")
        if options.out.exists() and options.out.samefile(options.like):
            parser.error(f"{options.like} would be lost: --out is the same file")
        options.names, options.smoke, options.runs = like(read(options.like))
        if not options.names:
            parser.error(f"{options.like} has no line of a bench")
    for name in options.names:
        if name not in BENCHES:
            parser.error(f"no bench is called {name}: {', '.join(BENCHES)}")
    useless = None if options.smoke else why_no_use(options.build)
    if useless:
        parser.error(f"{options.build}: {useless}: only --smoke runs")
    return options


def main():
    options = arguments()
    told = {"commit": commit(), "machine": machine(), "settings": settings(options.build, options.runs),
            "smoke": options.smoke, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")}
    good = True
    with open(options.out, "w", encoding="utf-8") as out:
        for turn in range(options.runs):
            for name in options.names or BENCHES:
                print(f"== {name}: {BENCHES[name].what}", flush=True)
                good = run(name, options.build.resolve(), options.smoke, dict(told, run=turn), out) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
