#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_overload.py BUILD [--smoke]: goodput of one control process when more calls are offered than it
can set up, in namespaces of its own (the suite makes them). The calls are those of control_plain, by
bench/callers, who offer on whatever came before:

    served    answered within half a second, and ended well
    refused   503 with Retry-After
    broken    all others: answered late, cut off, never answered, refused otherwise

Control has one CPU, the rest the other. Capacity is what is served of far more than that; each step is a
factor of it. With `admission` off nothing is refused for want of time, as a comparison.
"""
import argparse
import asyncio
import json
import pathlib
import sys

from bench_control import PLAIN, Line

import stage

FACTORS, STEP_S = (0.5, 1, 1.5, 2, 3), 4
FIRST_RATE, FIRST_S, SMOKE_RATE = 10000, 4, 20


async def offer(line, rate, seconds):
    """So many calls a second; what became of them."""
    calls, before = int(rate * seconds), line.cpu()[0]
    made = await line.make(PLAIN, rate, calls)
    cpu = line.cpu()[0] - before
    served = min(made["ended"], made["answered"]) - made["late"]
    broken = calls - served - made["refused"]
    offered_s = calls / made["rate"] if made["rate"] else seconds
    return {"offered_per_second": made["rate"], "served_per_second": round(served / offered_s),
            "refused_per_second": round(made["refused"] / offered_s), "broken": broken,
            "broken_percent": round(100 * broken / max(1, calls - made["refused"]), 3),
            "answer_p50_ms": made["setup_ms"], "answer_p99_ms": made["setup_ms_p99"],
            "cpu_percent": round(100 * cpu / offered_s), "repeats": made["repeats"]}


async def curve(build, sip_wait, capacity, smoke):
    """Prints a line for each factor, and returns the capacity."""
    size = {"ports": 1024, "rooms": 512} if smoke else {"ports": 131072, "rooms": 65536}
    async with Line(build, 1 if smoke else 8, agents=1, admission__sip_wait=sip_wait, **size) as line:
        await line.make(PLAIN, SMOKE_RATE if smoke else 500, SMOKE_RATE // 2 if smoke else 500)
        if capacity is None:
            first = await offer(line, SMOKE_RATE if smoke else FIRST_RATE, 0.5 if smoke else FIRST_S)
            capacity = first["served_per_second"]
        for factor in (1,) if smoke else FACTORS:
            # ports of the step before have rested, and what it left behind is done
            await asyncio.sleep(0 if smoke else 11)
            step = await offer(line, max(1, factor * capacity), 0.5 if smoke else STEP_S)
            print(json.dumps({"bench": "overload", "admission": "off" if sip_wait == "0s" else "on",
                              "factor": factor, **step}), flush=True)
    return capacity


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    build = options.build.resolve()
    stage.BUILDS = stage.Builds(build, build)
    capacity = asyncio.run(curve(build, "10ms", None, options.smoke))
    if not options.smoke:
        asyncio.run(curve(build, "0s", capacity, False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
