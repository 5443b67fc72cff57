# SPDX-License-Identifier: Apache-2.0
"""Queued callbacks: a flow promises one, the caller hangs up, an agent takes it, the customer rings."""
import asyncio

from leaving import nothing_left
from main_job import never, one_span
from stage import (BEEP, FULL, GREETING, MUSIC, TRUNK, WHISPER, Stage, action, eventually, flow, play,
                   tone)

RINGBACK, OUTBOUND = 1550, 2000
CUSTOMER = "+12025550199"


def callback_stage(queue="Orders", delay="1", retries="1", number=None, options=None):
    """A prompt, then a callback is made: promised (beep) or not (full)."""
    stage = Stage(**{"media__ringback": tone(RINGBACK, 1000), **(options or {})})
    stage.instance["prompts"].append({"name": "outbound", "file": tone(OUTBOUND, 500)})
    stage.instance["cordboard"]["defaults"]["outbound_whisper"] = "Tone outbound whisper"
    stage.instance["queues"][0]["outbound_caller_id"] = {"name": "Orders", "number": "+12025550100"}
    stage.flows["outbound"] = flow("Tone outbound whisper", "outboundWhisper", "Tone",
                                   play("Tone", "outbound", "End"), action("End", "EndFlowExecution"))
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Greet",
        play("Greet", "greeting", "Queue"),
        action("Queue", "UpdateContactTargetQueue", {"QueueId": queue}, "Set",
               {"NoMatchingError": "End"}),
        action("Set", "UpdateContactAttributes",
               {"Attributes": {"order": "1043", "number": number or CUSTOMER}}, "Number",
               {"NoMatchingError": "End"}),
        action("Number", "UpdateContactCallbackNumber", {"CallbackNumber": "$.Attributes.number"},
               "Callback", {"InvalidCallbackNumber": "Invalid", "CallbackNumberNotDialable": "Refused"}),
        action("Callback", "CreateCallbackContact",
               {"InitialCallDelaySeconds": delay, "MaximumConnectionAttempts": retries,
                "RetryDelaySeconds": "1"}, "Promise", {"NoMatchingError": "Full"}),
        play("Promise", "beep", "End"), play("Full", "full", "End"),
        play("Invalid", "whisper", "End"), play("Refused", "music", "End"),
        action("End", "DisconnectParticipant"))
    return stage


async def promise(stage, hz=BEEP):
    call = await stage.dial(await stage.caller())
    await call.hears(hz)
    await call.ended()
    return call


async def R59_a_callback_whispers_to_the_agent_then_to_the_customer():
    async with callback_stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        await promise(stage)
        assert stage.states() == ["scheduled"]
        phone = await stage.agent("arossi")
        await asyncio.sleep(0.3)
        assert phone.waiting.empty(), "not before its delay is over"
        leg = await phone.incoming()
        await leg.ring()
        assert stage.queue("Orders")["contacts"] == 1, "a callback that is due counts"
        await asyncio.sleep(0.2)
        assert home.waiting.empty(), "the customer is called when an agent has accepted"
        await leg.answer()
        await leg.hears(WHISPER)
        call = await home.incoming()
        assert CUSTOMER in call.invite.uri
        assert "+12025550100" in call.invite.get("from") and "Orders" in call.invite.get("from")
        await call.ring()
        await leg.hears(RINGBACK)
        await call.answer()
        await call.hears(OUTBOUND)
        await call.hears(phone.tone)
        await leg.hears(home.tone)
        await asyncio.sleep(0.3)
        await leg.hang_up()
        await call.ended()
        ours, theirs = await call.report(), await leg.report()
        never(ours, GREETING, MUSIC, BEEP, WHISPER, RINGBACK)
        never(theirs, OUTBOUND, MUSIC, BEEP)
        whisper, ring, talk = (one_span(theirs, hz) for hz in (WHISPER, RINGBACK, home.tone))
        assert whisper[1] <= ring[0] and ring[1] <= talk[0]
        assert one_span(ours, OUTBOUND)[1] <= one_span(ours, phone.tone)[0]
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        first, second = await stage.records(2)
        # R101: the callback follows the segment whose flow asked for it
        assert second["InitiationMethod"] == "CALLBACK" and first["InitiationMethod"] == "INBOUND"
        assert second["InitialContactId"] == second["PreviousContactId"] == first["ContactId"]
        assert first["NextContactId"] == second["ContactId"] and second["NextContactId"] is None
        assert second["Agent"]["Username"] == "arossi" and second["Queue"]["Name"] == "Orders"
        assert second["Attributes"]["order"] == "1043" and second["ScheduledTimestamp"]
        assert second["ConnectedToSystemTimestamp"] and second["DisconnectReason"] == "AGENT_DISCONNECT"
        await nothing_left(stage)


async def test_a_callback_is_tried_again_and_given_up():
    """One retry: two calls in all, each a segment of its own, with the agent in ACW in between."""
    async with callback_stage(delay="1") as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("arossi", auto="answer")
        await promise(stage)
        for _ in range(2):
            call = await home.incoming()
            await call.reject(486)
            await stage.until_agent("arossi", "AfterCallWork")
            await (await phone.incoming()).ended()
            stage.call("agent.clear", agent="arossi")
        await asyncio.sleep(1.5)
        assert home.waiting.empty() and not stage.contacts()
        rows = await stage.records(3)
        chain = {r["ContactId"]: r for r in rows}
        first = next(r for r in rows if r["InitiationMethod"] == "INBOUND")
        seen, row = [], first
        while row:
            seen.append(row["InitiationMethod"])
            following = chain.get(row["NextContactId"])
            assert not following or following["PreviousContactId"] == row["ContactId"]
            row = following
        assert seen == ["INBOUND", "CALLBACK", "CALLBACK"]
        await nothing_left(stage)


async def test_a_callback_that_rings_for_too_long():
    async with callback_stage(retries="1", options={"routing__dial": "1s"}) as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        await stage.agent("arossi", auto="answer")
        await promise(stage)
        call = await home.incoming()
        await call.ring()
        await call.ended()
        assert call.ended_by == "them"
        await stage.until_agent("arossi", "AfterCallWork")


async def test_a_full_queue_takes_no_callback():
    async with callback_stage(queue="Returns", delay="1") as stage:
        await promise(stage)
        await eventually("the callback to be due", lambda: stage.queue("Returns")["contacts"] == 1, 5)
        await promise(stage, FULL)


async def test_numbers_that_cannot_be_called_back():
    async with callback_stage(number="+19005550123") as stage:
        await promise(stage, MUSIC)
    async with callback_stage(number="tomorrow") as stage:
        await promise(stage, WHISPER)


async def test_an_agent_who_rejects_a_callback_costs_no_attempt():
    async with callback_stage(retries="1") as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        first = await stage.agent("arossi")
        await promise(stage)
        await (await first.incoming()).reject(486)
        await stage.until_agent("arossi", "Missed")
        await stage.until_states("queued")
        second = await stage.agent("bkhan", auto="answer")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.accept", agent="bkhan")
        call = await home.incoming()
        await call.answer()
        await call.hears(second.tone)
        await call.hang_up()
        await stage.until_agent("bkhan", "AfterCallWork")


async def test_an_agent_who_hangs_up_in_the_whisper_of_a_callback():
    stage = callback_stage()
    stage.instance["prompts"][4]["file"] = f"tone:{WHISPER}:2s"
    async with stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        first = await stage.agent("arossi")
        await promise(stage)
        leg = await first.incoming()
        await leg.answer()
        await leg.hears(WHISPER)
        await leg.hang_up()
        await stage.until_states("queued")
        assert home.waiting.empty()
        stage.call("agent.set_status", agent="arossi", status="Available")
        leg = await first.incoming()
        await leg.answer()
        call = await home.incoming()
        await call.answer()
        await call.hears(first.tone)
        await call.hang_up()


async def test_the_caller_stays_and_is_served_before_the_callback():
    """The order of a queue counts callbacks and callers alike."""
    stage = callback_stage(delay="1")
    stage.flows["other"] = flow(
        "Other", "contactFlow", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"NoMatchingError": "End", "QueueAtCapacity": "End"}),
        action("End", "DisconnectParticipant"))
    stage.instance["cordboard"]["numbers"].append({"number": "+12025550101", "flow": "Other"})
    async with stage:
        await promise(stage)
        caller = await stage.caller(number="+12025550198")
        call = await stage.dial(caller, number="+12025550101")
        await call.hears(MUSIC)
        await eventually("both to wait", lambda: stage.queue("Orders")["contacts"] == 2, 5)
        phone = await stage.agent("arossi", auto="answer")
        await call.hears(phone.tone)
        await call.hang_up()


async def test_call_phone_number_sets_the_caller_id_and_the_time():
    """CompleteOutboundCall in the outbound whisper; what comes before it is done before the call."""
    stage = callback_stage(retries="1")
    stage.flows["outbound"] = flow(
        "Tone outbound whisper", "outboundWhisper", "Set",
        action("Set", "UpdateContactAttributes", {"Attributes": {"called": "yes"}}, "Call",
               {"NoMatchingError": "Call"}),
        action("Call", "CompleteOutboundCall",
               {"CallerId": {"Number": "+12025550155"}, "ConnectionTimeLimitSeconds": "1"}, "Tone"),
        play("Tone", "outbound", "End"), action("End", "EndFlowExecution"))
    async with stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("arossi", auto="answer")
        await promise(stage)
        call = await home.incoming()
        assert "+12025550155" in call.invite.get("from")
        await call.ring()
        await call.ended()  # after one second
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        call = await home.incoming()
        await call.answer()
        await call.hears(OUTBOUND)
        await call.hears(phone.tone)
        await call.hang_up()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        rows = await stage.records(3)
        assert rows[-1]["Attributes"]["called"] == "yes"


async def test_callbacks_that_wait_do_not_hold_up_the_end():
    async with callback_stage(delay="60", options={"admin__drain": "20s"}) as stage:
        await promise(stage)
        process = stage.processes["control"]
        process.terminate()
        await eventually("control to end", lambda: process.poll() is not None, 5)
