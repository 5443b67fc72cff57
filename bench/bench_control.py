#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_control.py BUILD [--smoke]: calls that one control process sets up and ends, with SIPp for
both sides and the dataplane on its software NIC, in namespaces of its own (scripts/bench makes them):

    control_plain  a call that is answered, hears a prompt of 200 ms and is hung up
    control_agent  a call through flow, queue, an agent's ring phone and both whispers, talk, record

CPU time is the control process's, user and kernel, all its threads. The highest rate is that of the
steps tried at which every call ended well and neither side repeated a message.
"""
import argparse
import asyncio
import json
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests" / "system"), str(TOP / "tests" / "support")]

import stage  # noqa: E402
from crowd import Crowd  # noqa: E402
from stage import NUMBER  # noqa: E402

PLAIN = "+12025550101"
CASES = (("control_plain", PLAIN), ("control_agent", NUMBER))
STEPS = {"control_plain": (100, 200, 300, 400, 500, 600, 800), "control_agent": (20, 50, 100, 150, 200, 250)}
STEP_S = 6


async def run(crowd, number, rate, seconds):
    """One step: what it took, and whether every call went well without a message repeated."""
    calls = int(rate * seconds)
    cpu, repeats = crowd.cpu_seconds("control"), crowd.status()["sip"]["repeats_sent"]
    good = await crowd.callers(calls, rate, number, clear=False)
    cpu = crowd.cpu_seconds("control") - cpu
    repeats = crowd.status()["sip"]["repeats_sent"] - repeats + crowd.sipp_repeats
    return {"rate": rate, "calls": calls, "cpu_us": cpu / calls * 1e6, "repeats": repeats,
            "good": good and repeats == 0}


async def measure(name, number, smoke):
    steps = []
    size = {"agents": 10} if smoke else {"agents": 600, "ports": 16384, "rooms": 8192}
    async with Crowd(talk_ms=500, acw_s=1, **size) as crowd:
        async with crowd.agents_phones():
            for rate in (5,) if smoke else STEPS[name]:
                steps.append(await run(crowd, number, rate, 1 if smoke else STEP_S))
                await crowd.until_idle(clear=False)
                if not steps[-1]["good"]:
                    break
    good = [s for s in steps if s["good"]]
    best = good[-1] if good else steps[0]
    print(json.dumps({
        "bench": name, "steps": [{k: round(v, 1) if isinstance(v, float) else v for k, v in s.items()}
                                 for s in steps],
        "cpu_us_per_call": round(best["cpu_us"], 1),
        "calls_per_second_of_cpu": round(1e6 / best["cpu_us"]) if best["cpu_us"] else None,
        "highest_rate_without_repeats": best["rate"] if good else 0}), flush=True)
    return bool(good)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    stage.BUILDS = stage.Builds(options.build.resolve(), options.build.resolve())
    good = True
    for name, number in CASES:
        good = asyncio.run(measure(name, number, options.smoke)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
