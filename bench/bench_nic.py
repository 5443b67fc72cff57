#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_nic.py BUILD [--smoke]: what a party costs through the kernel, on the default software NIC.

Three-party conferences of G.711; the peers are `callgen` of ../shared, which measured the other
switches: every party sends 50 packets a second from a socket of its own, and what it receives is
checked by ear (it hears the other two, not itself), for loss and for lateness. The dataplane has one
worker on the first core; the generator, the kernel's delivery to its sockets (receive packet
steering) and the dataplane's housekeeping have the second.

    share_percent   of a core for each party: cycles of passes that moved a packet or a tick
    empty_percent   cycles of polls that found nothing, of the whole core
    bad_percent     packets lost or late (callgen's README has the definition)

Nothing is printed, and the bench fails, where a party heard something wrong or not all that it should,
or where at full size BAD_PERCENT of the packets were bad or the generator was busy for over
GENERATOR_PERCENT of its core: then it is not the dataplane that was measured. With few parties two packets
that the machine held up are too many, so such a step is tried anew, TRIES times in all. So is wrong sound
where packets were bad too, for a tone with a hole in it is another tone; without, it fails at once.

scripts/bench makes the namespaces. Needs root and two cores.
"""
import argparse
import contextlib
import json
import os
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile
import time

from result import hashed

TOP = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("CORDBOARD_SHARED", TOP.parent / "shared"))
PEERS, MEDIA, BASE, MEMBERS = "10.77.0.1", "10.77.0.2", 20000, 3
STEPS, SMOKE_STEPS = (3, 9, 99, 300, 999, 1500), (30,)
BAD_PERCENT, GENERATOR_PERCENT = 0.1, 70
TRIES = 5
WARM_UP_S, WINDOW_S, SMOKE_WINDOW_S = 3, 10, 2


def run(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, text=True, capture_output=True, **more)


def until(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"bench_nic: not within {seconds} s: {what}")
        time.sleep(0.02)


@contextlib.contextmanager
def process(command, **more):
    started = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, **more)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(10)


@contextlib.contextmanager
def dataplane(build, directory, parties):
    """One worker on the first core, its NIC beside the peers' address."""
    worker, other = sorted(os.sched_getaffinity(0))[:2]
    command = [build / "dataplane" / "cordboard-dataplane", "--media-address", f"{MEDIA}/24",
               "--vdev", "net_tap0,iface=cb0,mac=02:63:6f:72:64:01", "--idle", "spin",
               "--attach-socket", directory / "dataplane.sock", "--file-prefix", f"nic{os.getpid()}",
               "--hugepages", "no", "--cores", f"{other},{worker}", "--workers", 1,
               "--ports", max(64, parties), "--rooms", max(64, parties // MEMBERS)]
    with open(directory / "dataplane.log", "w", encoding="utf-8") as log, \
            process(command, stdout=log, stderr=log):
        until("the software NIC", lambda: any(name == "cb0" for _, name in socket.if_nameindex()))
        run("ip", "addr", "add", f"{PEERS}/24", "dev", "cb0")
        run("ip", "link", "set", "cb0", "up", "txqueuelen", "10000")
        pathlib.Path("/sys/class/net/cb0/queues/rx-0/rps_cpus").write_text(f"{1 << other:x}\n", "ascii")
        until("the attach socket", (directory / "dataplane.sock").exists)
        yield other


def counters_at(lines, ns):
    """The first line of counters that is not before a time."""
    return next(line for line in lines if line["ns"] >= ns)


def wrong_sound(heard, parties):
    found = []
    if heard["hear_bad"]:
        found.append(f"{heard['hear_bad']} times something wrong was heard")
    if heard["hear_ok"] < parties:
        found.append(f"{heard['hear_ok']} times it was heard right, expected once for each party at least")
    return found


def disturbance(heard):
    """Why what callgen tells says nothing of the dataplane."""
    found = []
    if heard["bad_pct"] >= BAD_PERCENT:
        found.append(f"{heard['bad_pct']} % of the packets were lost or late")
    if 100 * heard["gen_cpu"] > GENERATOR_PERCENT:
        found.append(f"the generator was busy for {100 * heard['gen_cpu']:.0f} % of its core")
    return found


def faults(heard, parties, smoke):
    """Why what callgen tells is no measurement."""
    return ([] if smoke else disturbance(heard)) + wrong_sound(heard, parties)


def measure(build, callgen, parties, smoke, tries=TRIES):
    window_s = SMOKE_WINDOW_S if smoke else WINDOW_S
    with tempfile.TemporaryDirectory(prefix="cordboard-") as name:
        directory = pathlib.Path(name)
        printed, plan = directory / "rooms", directory / "plan"
        with dataplane(build, directory, parties) as other, open(printed, "w", encoding="utf-8") as out, \
                process([build / "bench" / "static_rooms", directory / "dataplane.sock", PEERS, BASE,
                         parties, MEMBERS], stdout=out):
            until("the rooms", lambda: "{" in printed.read_text(encoding="utf-8"), 60)
            plan.write_text("".join(line[5:] + "\n" for line in printed.read_text(encoding="utf-8").split("\n")
                                    if line.startswith("plan ")), "utf-8")
            load = run("taskset", "-c", other, callgen, "--plan", plan, "-l", PEERS, "-n", parties,
                       "-g", MEMBERS, "-w", WARM_UP_S, "-s", window_s, "-H", "others")
            ended = time.monotonic_ns()
            time.sleep(0.3)
        lines = [json.loads(line) for line in printed.read_text(encoding="utf-8").splitlines()
                 if line.startswith("{") and line.endswith("}")]
    heard = json.loads(load.stdout)
    wrong = faults(heard, parties, smoke)
    if wrong:
        print(f"bench_nic: {parties} parties: {'; '.join(wrong)}", file=sys.stderr)
        if smoke or not disturbance(heard) or tries == 1:
            raise SystemExit(1)
        return measure(build, callgen, parties, smoke, tries - 1)
    # the generator reports within half a second of the end of its window
    to_ns = ended - 500_000_000
    begin, end = counters_at(lines, to_ns - int(window_s * 0.8 * 1e9)), counters_at(lines, to_ns)
    spent = {key: end[key] - begin[key] for key in begin}
    busy = spent["busy_cycles"] / spent["total_cycles"]
    return {"bench": "nic", "work": "conference", "codec": "PCMU", "members": MEMBERS, "parties": parties,
            "share_percent": round(100 * busy / parties, 5),
            "busy_percent": round(100 * busy, 2), "empty_percent": round(100 * (1 - busy), 2),
            "bad_percent": heard["bad_pct"], "heard_wrong": heard["hear_bad"],
            "ticks_late": spent["ticks_late"], "ticks_skipped": spent["ticks_skipped"],
            "tries": TRIES + 1 - tries, "generator_core_percent": round(100 * heard["gen_cpu"], 1),
            "hash": hashed(parties, "each heard the others and not itself")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    source = SHARED / "callgen" / "callgen.c"
    if not source.exists() or len(os.sched_getaffinity(0)) < 2:
        print(f"bench_nic: skipped: needs {source} and two cores")
        return 0
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    run("ip", "link", "set", "lo", "up")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    callgen = options.build / "bench" / "callgen"
    run("cc", "-O2", "-o", callgen, source, "-lm")
    for parties in SMOKE_STEPS if options.smoke else STEPS:
        print(json.dumps(measure(options.build.resolve(), callgen, parties, options.smoke)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
