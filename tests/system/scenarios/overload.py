# SPDX-License-Identifier: Apache-2.0
"""More work than there is time for: new calls are refused with 503 and Retry-After, calls that are
there do not notice, and when the load is gone calls are taken again."""
import asyncio
import json

import stage as stage_module
from crowd import Crowd
from main_job import connect_legs, no_gaps
from stage import CONTROL, MEDIA, PHONES, STRANGER, TRUNK, Stage, alone, eventually

PLAIN = "+12025550101"
BOUND_PERCENT = 4
FLOOD_S, FLOOD_RATE, UNUSED_PORT = 5, 100000, 65000
OFFERED, OFFERED_S = 400, 3
QUIET = PHONES[-1]


def has_time(scene):
    return scene.status()["dataplane"]["has_time"]


async def refused(scene, caller):
    call = await scene.dial(caller)
    assert await call.final() == 503, call.status
    assert int(call.final_response.get("retry-after")) > 0, call.final_response
    return call


@alone
async def test_a_worker_without_time_gets_no_new_calls():
    async with Stage(admission__busy_percent=BOUND_PERCENT) as scene:
        caller, phone = await scene.caller(), await scene.agent("arossi")
        call, leg = await connect_legs(scene, caller, phone)
        assert has_time(scene), scene.status()["dataplane"]
        flood = await asyncio.create_subprocess_exec(
            str(stage_module.BUILDS.flood), STRANGER, MEDIA, str(UNUSED_PORT), "4", str(FLOOD_S),
            str(FLOOD_RATE), stdout=asyncio.subprocess.DEVNULL)
        await eventually("the worker to have no time left", lambda: not has_time(scene), FLOOD_S)
        busy = scene.status()
        assert busy["dataplane"]["worker"][0]["busy_percent"] > BOUND_PERCENT
        assert "admission.busy_percent" in busy["bottleneck"], busy["bottleneck"]
        other = await scene.caller(number="+12025550198")
        await refused(scene, other)
        # what belongs to a call that is there is done as ever
        await call.hold()
        await call.resume()
        await flood.wait()
        await eventually("the worker to have time again", lambda: has_time(scene), 5)
        again = await scene.dial(other)
        await again.answered()
        for party in (call, leg):
            no_gaps(await party.report())
        await again.hang_up()
        await call.hang_up()
        await leg.ended()


@alone
async def test_new_calls_give_way_while_messages_wait():
    """With a bound so low that every queue of messages is too long for it."""
    crowd = Crowd(agents=1, admission__sip_wait="1us")
    crowd.instance["cordboard"]["trunks"].append(stage_module.trunk("quiet", f"{QUIET}:5060"))
    async with crowd as scene:
        standing = await scene.dial(await scene.caller(ip=QUIET))
        await standing.answered()
        program = stage_module.BUILDS.dataplane.parent.parent / "bench" / "callers"
        callers = await asyncio.create_subprocess_exec(
            program, "--control", CONTROL, "--caller", TRUNK, "--agent", PHONES[0], "--number", PLAIN,
            "--calls", str(OFFERED * OFFERED_S), "--rate", str(OFFERED), stdout=asyncio.subprocess.PIPE)
        await eventually("calls to be refused", lambda: scene.status()["sip"]["overload"]["refused"], OFFERED_S)
        assert "overloaded" in scene.status()["bottleneck"], scene.status()["bottleneck"]
        for _ in range(3):
            await asyncio.wait_for(standing.hold(), 0.5)
            await asyncio.wait_for(standing.resume(), 0.5)
        # another trunk's share is its own
        other = await scene.dial(await scene.caller(number="+12025550198", ip=QUIET))
        await other.answered()
        said, _ = await asyncio.wait_for(callers.communicate(), 30)
        made = json.loads(said)
        assert made["refused"] > 0 and made["ended"] > 0, made
        assert made["refused"] == made["failed"] and made["answered"] == made["ended"], made
        assert made["ended"] + made["refused"] == OFFERED * OFFERED_S and made["late"] == 0, made
        again = await scene.dial(await scene.caller(number="+12025550196"))
        await again.answered()
        for call in (again, other, standing):
            await call.hang_up()
        await scene.until_idle(clear=False)
