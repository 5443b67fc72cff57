#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_overload.py BUILD [--smoke]: goodput of one control process when more calls are offered than it
can set up, in namespaces of its own (the suite makes them). The calls are those of control_plain, by
bench/callers, which offer on whatever came before, over as many trunks as it takes:

    served    answered within half a second, and ended well
    refused   503 with Retry-After
    broken    all others: answered late, cut off, never answered, refused otherwise

Control has one CPU, the rest the other. Capacity is the most that is served while the offer grows
until much more is offered than served; each step is a factor of it. With `admission` off nothing is refused
for want of time, as a comparison. Where the callers cannot offer what they should, the bench fails.
"""
import argparse
import asyncio
import json
import pathlib
import sys

from bench_control import PLAIN, TRUNKS, Line
from catalog import OVERLOAD_FACTORS
from result import ends, hashed

import stage
from stage import PHONES

STEP_S, REST_S = 4, 11  # in a rest ports are free again, and what a step left behind is done
FIRST_RATE, GROWTH, SMOKE_RATE = 1000, 1.5, 20
SATURATED, OFFERED = 0.8, 0.95  # served of what is offered; offered of what should be


def together(made):
    """What all callers counted, who offered the same each."""
    sums = {key: sum(one[key] for one in made)
            for key in ("answered", "late", "ended", "failed", "refused", "repeats", "rate")}
    return {**sums, "setup_ms": sorted(one["setup_ms"] for one in made)[len(made) // 2],
            "setup_ms_p99": max(one["setup_ms_p99"] for one in made)}


async def offer(line, rate, seconds):
    """So many calls a second; what became of them."""
    each, before = max(1, int(rate * seconds / len(TRUNKS))), line.cpu()[0]
    calls = each * len(TRUNKS)
    made = together(await asyncio.gather(*(
        line.make(PLAIN, rate / len(TRUNKS), each, caller=trunk, agent=phone)
        for trunk, phone in zip(TRUNKS, PHONES))))
    cpu = line.cpu()[0] - before
    served = min(made["ended"], made["answered"]) - made["late"]
    broken = calls - served - made["refused"]
    offered_s = calls / made["rate"] if made["rate"] else seconds
    return {"offered_per_second": round(made["rate"]), "served_per_second": round(served / offered_s),
            "refused_per_second": round(made["refused"] / offered_s), "broken": broken,
            "broken_percent": round(100 * broken / max(1, calls - made["refused"]), 3),
            "answer_p50_ms": made["setup_ms"], "answer_p99_ms": made["setup_ms_p99"],
            "cpu_percent": round(100 * cpu / offered_s), "repeats": made["repeats"],
            "hash": hashed(ends(served=served, refused=made["refused"], broken=broken))}


def need_offered(step, rate):
    if step["offered_per_second"] < OFFERED * rate:
        raise SystemExit(f"bench_overload: {rate:.0f} calls a second were to be offered, and only "
                         f"{step['offered_per_second']} were: the callers are what limits")


async def find_capacity(line):
    """The most that is served."""
    rate, most = FIRST_RATE, 0
    while True:
        step = await offer(line, rate, STEP_S)
        print(f"capacity: {step['served_per_second']} served of {step['offered_per_second']} a second", flush=True)
        most = max(most, step["served_per_second"])
        await asyncio.sleep(REST_S)
        if step["served_per_second"] < SATURATED * step["offered_per_second"]:
            return most
        need_offered(step, rate)
        rate *= GROWTH


async def curve(build, sip_wait, capacity, smoke):
    """Prints a line for each factor, and returns the capacity."""
    size = {"ports": 1024, "rooms": 512} if smoke else {"ports": 131072, "rooms": 65536}
    async with Line(build, 1 if smoke else 8, agents=1, admission__sip_wait=sip_wait, **size) as line:
        await offer(line, SMOKE_RATE if smoke else 500, 1)
        if capacity is None:
            capacity = SMOKE_RATE if smoke else await find_capacity(line)
        for factor in (1,) if smoke else OVERLOAD_FACTORS:
            step = await offer(line, factor * capacity, 0.5 if smoke else STEP_S)
            if not smoke:
                need_offered(step, factor * capacity)
                await asyncio.sleep(REST_S)
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
