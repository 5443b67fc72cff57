#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_latency.py BUILD [--smoke]: what a person waits for, seen by a phone on the wire, nothing else
going on:

    offer    an agent becomes available while a caller waits: until the INVITE is at the agent's phone
    whisper  the phone's 200 is sent: until the first sound of the agent whisper arrives
    answer   a caller's INVITE is sent: until its 200 arrives

Both processes sleep when idle, as on the default software NIC. Includes what the phone itself takes (a
program in Python); sound has a grain of 1 ms and waits up to 20 ms for its tick. scripts/bench makes the
namespaces. Needs root.
"""
import argparse
import asyncio
import json
import pathlib
import sys
import time

from result import hashed

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests" / "system"), str(TOP / "tests" / "support")]

import stage  # noqa: E402
from stage import WHISPER, Stage  # noqa: E402

REPEATS, SMOKE_REPEATS = 200, 3
AGENT = "arossi"


def said_at(call, what):
    """When something happened to a call, ms of CLOCK_MONOTONIC."""
    return next(at for at, happened in reversed(call.history) if happened == what) * 1000


async def once(scene, caller, phone):
    """One call through the queue; three times in ms by their names, and what happened to both legs."""
    dialled = time.monotonic()
    call = await scene.dial(caller)
    await call.answered()
    took = {"answer": (time.monotonic() - dialled) * 1000}
    await scene.until_states("queued")
    await asyncio.sleep(0.05)
    free = time.monotonic()
    scene.call("agent.set_status", agent=AGENT, status="Available")
    leg = await phone.incoming()
    took["offer"] = (time.monotonic() - free) * 1000
    since = len(scene.ear.events)
    await leg.ring()
    await leg.answer()
    heard = await leg.hears(WHISPER, since=since)
    epoch = next(e["monotonic_ms"] for e in scene.ear.events if e["event"] == "start")
    took["whisper"] = epoch + heard["from_ms"] - said_at(leg, "answered")
    await call.hang_up()
    await leg.ended()
    scene.call("agent.set_status", agent=AGENT, status="Lunch")
    scene.call("agent.clear", agent=AGENT)
    await scene.until_states()
    return took, [[what for _, what in side.history] for side in (call, leg)]


async def measure(repeats):
    times, happened = {"answer": [], "offer": [], "whisper": []}, []
    scene = Stage()
    scene.instance["cordboard"]["log"]["level"] = "warning"
    async with scene:
        caller = await scene.caller()
        phone = await scene.agent(AGENT, status="Lunch")
        await once(scene, caller, phone)
        for _ in range(repeats):
            took, history = await once(scene, caller, phone)
            happened.append(history)
            for what, ms in took.items():
                times[what].append(ms)
    for what, found in times.items():
        found.sort()
        at = {name: found[min(len(found) - 1, int(share * len(found)))]
              for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99))}
        print(json.dumps({"bench": "latency", "what": what, "calls": repeats,
                          **{name: round(ms, 2) for name, ms in at.items()},
                          "max_ms": round(found[-1], 2), "hash": hashed(happened)}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    stage.BUILDS = stage.Builds(options.build.resolve(), options.build.resolve())
    asyncio.run(measure(SMOKE_REPEATS if options.smoke else REPEATS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
