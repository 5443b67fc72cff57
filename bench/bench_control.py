#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_control.py BUILD [--smoke]: calls that one control process sets up and ends, in namespaces of
its own (the suite makes them). bench/callers is both sides of every call; there is no media beyond the
dataplane, whose NIC throws away what it is given.

    control_plain   a call that is answered, hears a prompt of 20 ms and is hung up
    control_agent   a call through flow, queue, an agent's ring phone and both whispers, talk, record
    control_memory  private memory of both processes for a caller who waits in a queue, with 1 kB of
                    attributes: the slope between 10,000 and 20,000 of them

Control has one CPU, the rest the other. CPU time is the control process's, user and kernel, all its
threads, ended ones too. The highest rate is that of the steps tried at which every call ended well and
neither side repeated a message; the figures are of that step.
"""
import argparse
import asyncio
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

from result import ends, hashed

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests" / "system"), str(TOP / "tests" / "support")]

import stage  # noqa: E402
from crowd import Crowd  # noqa: E402
from stage import CONTROL, MEDIA, NUMBER, PHONES, TRUNK, action, eventually, tone  # noqa: E402

PLAIN = "+12025550101"
CASES = (("control_plain", PLAIN), ("control_agent", NUMBER))
STEPS = {"control_plain": (500, 1000, 2000, 3000, 5000, 7000, 10000),
         "control_agent": (200, 500, 1000, 1500, 2000, 3000)}
STEP_S, WARM_S, TALK_MS = 4, 1, 100
WAITING, WAITING_RATE = 10000, 1000
# As many as it takes that their limit, 10,000 calls a second each, is not what limits.
TRUNKS = [TRUNK, *PHONES[-3:]]
ADDRESSES = [MEDIA] + [f"10.77.0.{n}" for n in range(200, 207)]


class Line(Crowd):
    """A crowd whose callers and phones are bench/callers, and whose dataplane has no NIC."""
    VDEV = "net_null0,no-rx=1"

    def __init__(self, build, addresses, **options):
        super().__init__(acw_s=1, **options)
        self.program, self.media, self.first = build / "bench" / "callers", ADDRESSES[:addresses], 0
        trunks = self.instance["cordboard"]["trunks"]
        trunks += [stage.trunk(f"carrier at {ip}", f"{ip}:5060") for ip in TRUNKS[1:]]
        for trunk in trunks:
            trunk.update(calls_per_second_in=10000, channels=50000)
        self.instance["cordboard"].setdefault("admission", {}).update(busy_percent=0, sip_wait="0s")
        self.instance["cordboard"]["sip"]["transactions_max"] = 2000000
        for prompt in self.instance["prompts"]:
            if prompt["name"] in ("greeting", "beep", "whisper"):
                prompt["file"] = tone(1000, 20)

    async def start_dataplane(self):
        if not any(name == "cb0" for _, name in socket.if_nameindex()):
            stage.run("ip", "tuntap", "add", "cb0", "mode", "tap")
        await super().start_dataplane()
        # with so many ports it takes a while until all memory is there
        await eventually("the dataplane to listen", (self.directory / "dataplane.sock").exists, 120)

    async def __aenter__(self):
        await super().__aenter__()
        if len(os.sched_getaffinity(0)) > 1:
            for name, cpu in (("control", "1"), ("dataplane", "0")):
                stage.run("taskset", "-a", "-cp", cpu, self.processes[name].pid)
            os.sched_setaffinity(0, {0})
        return self

    async def make(self, number, rate, calls, *words, caller=TRUNK, agent=PHONES[0]):
        """So many calls at a rate; what callers counted."""
        command = [self.program, "--control", CONTROL, "--caller", caller, "--agent", agent,
                   "--number", number, "--calls", calls, "--rate", rate, "--talk", TALK_MS,
                   "--first", self.first, *words]
        self.first += calls
        process = await asyncio.create_subprocess_exec(
            *(str(w) for w in command), stdout=subprocess.PIPE)
        out, _ = await process.communicate()
        return json.loads(out)

    def cpu(self):
        """User and kernel seconds of control; the sum is exact, the parts are as the ticks fell."""
        pid = self.processes["control"].pid
        words = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return time.clock_gettime((~pid << 3) | 2), int(words[11]), int(words[12])

    def private_kb(self, name):
        text = pathlib.Path(f"/proc/{self.processes[name].pid}/smaps_rollup").read_text(encoding="ascii")
        return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


async def run(line, number, rate, seconds):
    """One step: what a call took, and whether every one went well without a message repeated."""
    before, repeats = line.cpu(), line.status()["sip"]["repeats_sent"]
    calls = int(rate * seconds)
    counted = await line.make(number, rate, calls)
    # with what is done behind the last call: after-contact work, records
    await asyncio.sleep(1.5)
    after = line.cpu()
    total, user, kernel = (b - a for a, b in zip(before, after))
    repeats = line.status()["sip"]["repeats_sent"] - repeats + counted["repeats"] + counted["repeats_seen"]
    user_part = user / (user + kernel) if user + kernel else 0
    return {"rate": rate, "calls": calls, "cpu_us": total / calls * 1e6,
            "user_us": total * user_part / calls * 1e6, "kernel_us": total * (1 - user_part) / calls * 1e6,
            "repeats": repeats, "refused": counted["failed"], "setup_ms": counted["setup_ms"],
            "ends": ends(**{key: counted[key] for key in ("ended", "failed", "refused")}),
            "good": counted["ended"] == calls and repeats == 0}


async def measure(build, name, number, smoke):
    steps = []
    rates = (5,) if smoke else STEPS[name]
    agents = 10 if smoke or name == "control_plain" else int(rates[-1] * 1.5)
    size = {"ports": 1024, "rooms": 512} if smoke else {"ports": 131072, "rooms": 65536}
    async with Line(build, 1 if smoke else 8, agents=agents, **size) as line:
        await line.make(number, rates[0], int(rates[0] * WARM_S))
        for rate in rates:
            steps.append(await run(line, number, rate, 1 if smoke else STEP_S))
            if not steps[-1]["good"]:
                break
    good = [s for s in steps if s["good"]]
    best = good[-1] if good else steps[0]
    print(json.dumps({
        "bench": name, "steps": [{k: round(v, 1) if isinstance(v, float) else v for k, v in s.items()}
                                 for s in steps],
        "cpu_us_per_call": round(best["cpu_us"], 1), "user_us_per_call": round(best["user_us"], 1),
        "kernel_us_per_call": round(best["kernel_us"], 1), "refused": best["refused"],
        "repeats": best["repeats"],
        "calls_per_second_of_cpu": round(1e6 / best["cpu_us"]) if best["cpu_us"] else None,
        "highest_rate_without_repeats": best["rate"] if good else 0,
        "hash": hashed(best["ends"])}), flush=True)
    return bool(good)


async def memory(build, smoke):
    callers, rate = (10, 20) if smoke else (WAITING, WAITING_RATE)
    size = {"ports": 1024, "rooms": 512} if smoke else {"ports": 65536, "rooms": 32768}
    line = Line(build, 1 if smoke else 4, agents=1, **size)
    # ten attributes of 100 bytes before the queue
    main = line.flows["main"]
    main["Actions"].append(action("Set", "UpdateContactAttributes",
                                  {"Attributes": {f"name{n}": "v" * 95 for n in range(10)}}, "Queue",
                                  {"NoMatchingError": "End"}))
    main["Actions"][0]["Transitions"]["NextAction"] = "Set"
    main["StartAction"] = "Set"
    async with line:
        line.call("agent.logout", agent=line.agents[0])
        kb = []
        for turn in (1, 2):
            counted = await line.make(NUMBER, rate, callers, "--hold")
            await eventually("all to wait", lambda: line.status()["contacts"]["by_state"]["queued"]
                             == turn * callers, 20)
            await asyncio.sleep(2)
            kb.append([line.private_kb(name) for name in ("control", "dataplane")])
        control, dataplane = ((after - before) / callers for before, after in zip(*kb))
        print(json.dumps({"bench": "control_memory", "waiting": 2 * callers, "refused": counted["failed"],
                          "kb_per_caller": round(control + dataplane, 2), "control_kb": round(control, 2),
                          "dataplane_kb": round(dataplane, 2),
                          "hash": hashed(2 * callers, counted["answered"])}), flush=True)
    return counted["answered"] == callers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    build = options.build.resolve()
    stage.BUILDS = stage.Builds(build, build)
    good = True
    for name, number in CASES:
        good = asyncio.run(measure(build, name, number, options.smoke)) and good
    good = asyncio.run(memory(build, options.smoke)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
