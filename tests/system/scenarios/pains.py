# SPDX-License-Identifier: Apache-2.0
"""What the users of other switches complain about (field.md section 2), tried on real calls."""
import asyncio
import datetime

from leaving import nothing_left
from main_job import connect
from races import straight_to
from stage import MUSIC, Stage, eventually, user
from told import Watcher, chained, contact_states


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").timestamp()


def fast_stage(**options):
    """Calls that reach an agent at once, with whispers that take no time."""
    stage = Stage(**options)
    stage.flows["main"] = straight_to("Orders")
    stage.instance["prompts"][3]["file"] = "tone:1400:60ms"
    stage.instance["prompts"][4]["file"] = "tone:800:60ms"
    return stage


async def pain_4_agent_state_never_drifts_from_calls():
    """Calls that end at every point, on both sides; whatever an agent shows, the legs say it too."""
    stage = fast_stage()
    stage.instance["agents"] = [user("arossi", "ring", after_contact_seconds=1),
                                user("bkhan", "ring", after_contact_seconds=1)]
    async with stage:
        watcher = Watcher(stage)
        phones = [await stage.agent(name, auto="answer") for name in ("arossi", "bkhan")]
        callers = [await stage.caller(number=f"+1202555019{n}") for n in range(4)]

        async def call_often(caller, n):
            for step in range(6):
                call = await stage.dial(caller)
                await call.answered()
                await asyncio.sleep(0.13 * ((n * 6 + step) % 11))
                await call.hang_up()

        async def drop_often(phone, n):
            for step in range(100):
                leg = await phone.incoming(timeout=20)
                await asyncio.sleep(0.19 * ((n + step) % 7))
                await leg.hang_up()

        async def come_back():
            """Who has missed a contact is there again: only now, or the miss comes after it."""
            while True:
                for name in ("arossi", "bkhan"):
                    if stage.agent_state(name) in ("Missed", "Error"):
                        stage.call("agent.set_status", agent=name, status="Available")
                await asyncio.sleep(0.05)

        def agrees():
            """Two questions: what happens in between is no drift, so it is asked again."""
            talks = {c["agent"] for c in stage.contacts() if c["state"] in ("talking", "hold")}
            busy = {a["name"] for a in stage.call("agent.list")["agents"] if a["state"] == "Busy"}
            return busy == talks

        async def look_often():
            while True:
                await eventually("agents and calls to agree", agrees, 0.5)
                await asyncio.sleep(0.03)

        drops = [asyncio.create_task(drop_often(p, n)) for n, p in enumerate(phones)]
        drops.append(asyncio.create_task(come_back()))
        looks = asyncio.create_task(look_often())
        await asyncio.gather(*(call_often(c, n) for n, c in enumerate(callers)))
        for task in drops:
            task.cancel()
        drifted = looks.done() and looks.exception()
        looks.cancel()
        assert not drifted, drifted
        await nothing_left(stage)
        for name in ("arossi", "bkhan"):
            await eventually(f"{name} to be free", lambda n=name: stage.agent_state(n) in (
                "Available", "Error", "Missed"))
        chained(watcher)
        for name in ("arossi", "bkhan"):
            states = contact_states(watcher.of_agent(name))
            assert len(states) > 6, states
            for before, after in zip(states, states[1:]):
                assert (before, after) in {
                    (None, "CONNECTING"), ("CONNECTING", "CONNECTED"), ("CONNECTED", "ENDED"),
                    ("CONNECTING", None), ("CONNECTING", "ENDED"), ("CONNECTING", "ERROR"),
                    ("CONNECTING", "MISSED"), ("ENDED", None), ("ERROR", None),
                    ("MISSED", None)}, (before, after)


async def pain_4_no_agent_stays_busy_when_control_was_killed():
    async with fast_stage() as stage:
        caller, call, phone, leg = await connect(stage)
        stage.kill("control")
        await stage.start_control()
        assert stage.agent_state("arossi") == "LoggedOut"
        assert not stage.contacts()
        await call.hang_up()
        await phone.register()
        stage.call("agent.login", agent="arossi", status="Available")
        again = await stage.dial(await stage.caller(number="+12025550198"))
        second = await phone.incoming()
        await second.answer()
        await again.hears(phone.tone)
        await again.hang_up()


async def pain_5_no_agent_rings_for_a_caller_who_is_gone():
    """Callers give up at every moment of the ringing; the phone stops at once and rings no more."""
    async with fast_stage() as stage:
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        await call.hang_up()
        phone = await stage.agent("arossi", auto="ring")
        await asyncio.sleep(0.5)
        assert phone.waiting.empty(), "nobody was logged in, and the caller is gone"
        caller = await stage.caller(number="+12025550198")
        legs = []
        for step in range(16):
            call = await stage.dial(caller)
            await call.answered()
            await asyncio.sleep(0.02 * step)
            await call.hang_up()
            while not phone.waiting.empty():
                legs.append(await phone.incoming())
            for leg in legs:
                await leg.ended(timeout=1)
            await stage.until_agent("arossi", "Available", 2)
        assert len(legs) >= 8, len(legs)
        await asyncio.sleep(1)
        assert phone.waiting.empty()
        await nothing_left(stage)


async def pain_6_wrap_up_is_honoured_by_one_clock():
    """Two seconds from the end of the call to the next offer, whatever happens meanwhile."""
    stage = fast_stage()
    stage.instance["agents"][0]["after_contact_seconds"] = 2
    async with stage:
        watcher = Watcher(stage, topics=["agent"])
        caller, call, phone, leg = await connect(stage)
        waiting = await stage.dial(await stage.caller(number="+12025550198"))
        await waiting.hears(MUSIC)
        await call.hang_up()
        await leg.ended()
        await asyncio.sleep(0.7)
        assert await phone.register() == 200  # none of these ends it or begins it anew
        stage.call("agent.set_status", agent="arossi", status="Available")
        stage.write_instance()
        assert stage.call("reload")["loaded"]
        second = await phone.incoming()
        await second.answer()
        await waiting.hears(phone.tone)
        entries = [e["CurrentAgentSnapshot"]["Contacts"] for e in watcher.of_agent("arossi")]
        entries = [c[0] for c in entries if c]
        ended = next(moment(c["StateStartTimestamp"]) for c in entries if c["State"] == "ENDED")
        offered = [moment(c["StateStartTimestamp"]) for c in entries
                   if c["State"] == "CONNECTING" and moment(c["StateStartTimestamp"]) > ended]
        assert 2.0 <= offered[0] - ended <= 2.3, (ended, offered)
        await waiting.hang_up()
