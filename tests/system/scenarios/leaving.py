# SPDX-License-Identifier: Apache-2.0
"""Hang-ups, refusals and misses at every point of a call's way."""
import asyncio

from main_job import connect, never, one_span
from stage import BEEP, GREETING, MUSIC, WHISPER, Stage, eventually


async def nothing_left(stage):
    """No contact, leg, port or room stays behind."""
    await eventually("every contact to be gone", lambda: not stage.contacts())
    await eventually("every port and room to be gone", lambda: (
        stage.status()["dataplane"]["ports"]["used"],
        stage.status()["dataplane"]["rooms"]["used"]) == (0, 0))


async def test_caller_hangs_up_in_the_flow():
    async with Stage() as stage:
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        await call.hang_up()
        record = (await stage.records(1))[0]
        assert record["DisconnectReason"] == "CUSTOMER_DISCONNECT"
        assert record["Queue"] is None and record["Agent"] is None
        await nothing_left(stage)


async def test_caller_hangs_up_in_the_queue():
    async with Stage() as stage:
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        await call.hang_up()
        record = (await stage.records(1))[0]
        assert record["Queue"]["Name"] == "Orders" and record["Agent"] is None
        assert stage.queue("Orders")["figures"]["abandoned"] == 1
        await nothing_left(stage)


async def test_caller_hangs_up_during_the_offer():
    async with Stage() as stage:
        phone = await stage.agent("arossi")
        call = await stage.dial(await stage.caller())
        leg = await phone.incoming()
        await leg.ring()
        await asyncio.sleep(0.2)
        await call.hang_up()
        await leg.ended()
        assert leg.ended_by == "them", "the phone stops ringing"
        await stage.until_agent("arossi", "Available")
        await nothing_left(stage)


async def test_caller_hangs_up_in_the_agent_whisper():
    stage = Stage()
    stage.instance["prompts"][4]["file"] = f"tone:{WHISPER}:3s"
    async with stage:
        phone = await stage.agent("arossi", auto="answer")
        call = await stage.dial(await stage.caller())
        leg = await phone.incoming()
        await leg.hears(WHISPER)
        await call.hang_up()
        await leg.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        record = (await stage.records(1))[0]
        assert record["Agent"] is None, "nobody was connected"
        await nothing_left(stage)


async def test_caller_hangs_up_in_the_customer_whisper():
    stage = Stage()
    stage.instance["prompts"][3]["file"] = f"tone:{BEEP}:3s"
    async with stage:
        phone = await stage.agent("arossi", auto="answer")
        call = await stage.dial(await stage.caller())
        await call.hears(BEEP)
        leg = await phone.incoming()
        await call.hang_up()
        await leg.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        assert (await stage.records(1))[0]["DisconnectReason"] == "CUSTOMER_DISCONNECT"
        await nothing_left(stage)


async def test_caller_cancels_before_the_answer():
    """A CANCEL that crosses our 200 still ends the call, and nothing stays behind."""
    async with Stage() as stage:
        caller = await stage.caller()
        for _ in range(5):
            call = await stage.dial(caller)
            await call.cancel()
            if await call.final() == 200:
                await call.answered()
                await call.hang_up()
        await nothing_left(stage)


async def test_agent_rejects():
    async with Stage() as stage:
        phone = await stage.agent("arossi")
        caller = await stage.caller()
        call = await stage.dial(caller)
        leg = await phone.incoming()
        await leg.ring()
        await leg.reject(486)
        await stage.until_agent("arossi", "Missed")
        await stage.until_states("queued")
        await call.hears(MUSIC)
        await asyncio.sleep(0.5)
        assert phone.waiting.empty(), "who rejected is not offered anything until they return"
        stage.call("agent.set_status", agent="arossi", status="Available")
        leg = await phone.incoming()
        await leg.answer()
        await leg.hears(caller.tone)
        await call.hang_up()
        await leg.ended()
        stage.call("agent.clear", agent="arossi")
        assert (await stage.records(1))[0]["AgentConnectionAttempts"] == 2


async def test_agent_misses_and_the_next_one_gets_it():
    async with Stage(routing__offer="1500ms") as stage:
        first = await stage.agent("arossi")
        caller = await stage.caller()
        call = await stage.dial(caller)
        leg = await first.incoming()
        await leg.ring()
        second = await stage.agent("bkhan", auto="answer")
        await stage.until_agent("arossi", "Missed", 5)
        await leg.ended()
        await stage.until_agent("bkhan", "Offered", 5)
        stage.call("contact.accept", agent="bkhan")
        await call.hears(second.tone)
        await call.hang_up()


async def test_panel_agent_rejects():
    async with Stage() as stage:
        await stage.agent("bkhan")
        call = await stage.dial(await stage.caller())
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.reject", agent="bkhan")
        await stage.until_agent("bkhan", "Missed")
        await stage.until_states("queued")
        await call.hang_up()


async def test_panel_phone_does_not_answer():
    async with Stage(routing__panel_answer="800ms") as stage:
        phone = await stage.agent("bkhan")
        call = await stage.dial(await stage.caller())
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.accept", agent="bkhan")
        leg = await phone.incoming()
        await leg.ring()
        await stage.until_agent("bkhan", "Missed", 5)
        await leg.ended()
        await stage.until_states("queued")
        await call.hang_up()


async def test_agent_hangs_up_in_the_whisper():
    """The customer keeps the place and is offered to the next agent."""
    stage = Stage()
    stage.instance["prompts"][4]["file"] = f"tone:{WHISPER}:2s"
    async with stage:
        first = await stage.agent("arossi")
        caller = await stage.caller()
        call = await stage.dial(caller)
        leg = await first.incoming()
        await leg.answer()
        await leg.hears(WHISPER)
        await leg.hang_up()
        await stage.until_states("queued")
        second = await stage.agent("bkhan", auto="answer")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.accept", agent="bkhan")
        await call.hears(second.tone)
        await call.hang_up()
        await stage.until_agent("bkhan", "AfterCallWork")
        stage.call("agent.clear", agent="bkhan")
        record = (await stage.records(1))[0]
        assert record["Agent"]["Username"] == "bkhan"
        one_span(await call.report(), MUSIC)


async def test_a_whisper_that_never_ends():
    stage = Stage(routing__whisper_max="1s")
    stage.instance["prompts"][4]["file"] = f"tone:{WHISPER}:20s"
    async with stage:
        phone = await stage.agent("arossi", auto="answer")
        call = await stage.dial(await stage.caller())
        leg = await phone.incoming()
        await leg.hears(WHISPER)
        await leg.ended(5)
        await stage.until_states("queued")
        await call.hang_up()


async def test_phone_loses_its_registration():
    async with Stage() as stage:
        phone = await stage.agent("arossi")
        assert await phone.register(expires=0) == 200
        await eventually("the agent to be unroutable", lambda: "phone" in (
            stage.call("agent.get", agent="arossi")["not_routable_because"] or ""))
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        assert stage.states() == ["queued"]
        assert await phone.register() == 200
        await phone.incoming()
        await call.hang_up()


async def test_agent_dials_and_the_plan_decides():
    async with Stage() as stage:
        phone = await stage.agent("arossi")
        carrier = await stage.phone("carrier", "10.77.0.10", port=5060)
        call = await phone.call("sip:+19005550123@10.77.0.1")
        assert await call.final() == 403, "a number that the plan does not list"
        assert carrier.waiting.empty()
        await stage.until_agent("arossi", "Available")

        call = await phone.call("sip:2025550177@10.77.0.1")
        other = await carrier.incoming()
        assert "+12025550177" in other.invite.uri
        await other.ring()
        await call.ringing()
        await other.answer()
        await call.answered()
        await other.hears(phone.tone)
        await call.hears(carrier.tone)
        await call.hang_up()
        await other.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        record = (await stage.records(1))[-1]
        assert record["InitiationMethod"] == "OUTBOUND"
        assert record["Agent"]["Username"] == "arossi"
        never(await other.report(), MUSIC)


async def test_a_destination_that_is_busy():
    async with Stage() as stage:
        phone = await stage.agent("arossi")
        await stage.phone("carrier", "10.77.0.10", port=5060, auto="reject", code=486)
        call = await phone.call("sip:2025550177@10.77.0.1")
        assert await call.final() == 486
        await stage.until_agent("arossi", "AfterCallWork")


async def test_drain():
    """SIGTERM: no new calls, those that are up go on until they end."""
    async with Stage(admin__drain="20s") as stage:
        caller, call, phone, leg = await connect(stage)
        process = stage.processes["control"]
        process.terminate()
        await asyncio.sleep(0.3)
        refused = await stage.dial(await stage.caller(number="+12025550198"))
        assert await refused.final() == 503
        assert process.poll() is None and call.state == "up"
        await call.hang_up()
        await leg.ended()
        await eventually("control to end", lambda: process.poll() is not None, 5)
