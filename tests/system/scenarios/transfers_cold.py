# SPDX-License-Identifier: Apache-2.0
"""The customer hangs up, or the source, at each moment of a transfer. When the customer has gone,
nobody's phone rings on; when the source has gone, the customer takes its place (R50, R124)."""
from board import (COURIER, CUSTOMER_HOLD, RINGBACK, TO_AGENT, TO_QUEUE, accept, board_stage, carrier,
                   chain, clear, hears_now, lasts, shown, talking, transfer, who_did_what)
from leaving import nothing_left
from main_job import never, no_gaps, one_span, spans
from stage import BEEP, MUSIC, WHISPER, eventually, user


def slow_stage(*prompts, **options):
    """These prompts last long enough for somebody to hang up in them."""
    stage = board_stage(**options)
    for prompt in prompts:
        lasts(stage, prompt, 1500)
    return stage


# ---- the customer hangs up -----------------------------------------------------------------------

async def customer_leaves(stage, call, source, *others):
    """The pending invitation ends, and the source is alone: its call is over."""
    await call.hang_up()
    for other in others:
        await other.ended()
        assert other.ended_by == "them"
    await source.ended()
    await clear(stage, "arossi")


async def test_the_customer_hangs_up_in_the_transfer_flow():
    for target, hz in (("B. Khan", TO_AGENT), ("Returns desk", TO_QUEUE)):
        async with slow_stage("to-agent", "to-queue") as stage:
            call, source, _ = await talking(stage)
            transfer(stage, source, target)
            await source.hears(hz)
            await customer_leaves(stage, call, source)
            assert stage.agent_state("bkhan") == "Available", "nobody was offered anything"
            assert stage.queue("Returns")["contacts"] == 0
            assert who_did_what(await chain(stage, 2)) == [("INBOUND", "arossi"), ("TRANSFER", None)]
            await nothing_left(stage)


async def test_the_customer_hangs_up_while_a_phone_rings_and_it_rings_on_nowhere():
    """An agent's own phone, of a quick connect and of a queue, and an outside number."""
    for target in ("B. Khan", "Returns desk", "Courier"):
        stage = board_stage()
        stage.instance["agents"][1] = user("bkhan", "ring")
        async with stage:
            call, source, (phone,) = await talking(stage)
            if target == "Courier":
                phone = await carrier(stage)
            transfer(stage, source, target)
            ringing = await phone.incoming()
            await ringing.ring()
            await source.hears(MUSIC if target == "Returns desk" else RINGBACK)
            await customer_leaves(stage, call, source, ringing)
            assert ringing.status != 200
            await stage.until_agent("bkhan", "Available")
            assert stage.queue("Returns")["contacts"] == 0
            await nothing_left(stage)


async def test_the_customer_hangs_up_while_the_panel_rings_and_in_the_queue():
    async with board_stage() as stage:
        call, source, _ = await talking(stage)
        transfer(stage, source, "B. Khan")
        await stage.until_agent("bkhan", "Offered")
        await customer_leaves(stage, call, source)
        await stage.until_agent("bkhan", "Available")
        assert shown(stage, "bkhan") == []
        await nothing_left(stage)
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        transfer(stage, source, "Returns desk")
        await source.hears(MUSIC)
        await customer_leaves(stage, call, source)
        assert stage.queue("Returns")["contacts"] == 0
        await nothing_left(stage)


async def test_the_customer_hangs_up_in_the_whispers():
    for hears in (WHISPER, None):
        async with slow_stage("whisper", "beep") as stage:
            call, source, (phone,) = await talking(stage)
            transfer(stage, source, "B. Khan")
            target = await accept(stage, phone)
            await (target.hears(hears) if hears else source.hears(BEEP))
            await customer_leaves(stage, call, source, target)
            await eventually("the target to be free", lambda: stage.agent_state("bkhan") in (
                "Available", "AfterCallWork"))
            if stage.agent_state("bkhan") == "AfterCallWork":
                stage.call("agent.clear", agent="bkhan")
            assert who_did_what(await chain(stage, 2))[0] == ("INBOUND", "arossi")
            await nothing_left(stage)


async def test_the_customer_hangs_up_while_source_and_target_talk_and_they_talk_on():
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        transfer(stage, source, "B. Khan")
        target = await accept(stage, phone)
        await target.hears(source.phone.tone)
        await call.hang_up()
        await hears_now({source: {phone.tone}, target: {source.phone.tone}})
        assert shown(stage, "arossi") == [("internal-transfer", "Connected")]
        await source.hang_up()
        await target.ended()
        await clear(stage, "arossi", "bkhan")
        records = await chain(stage, 2)
        assert who_did_what(records) == [("INBOUND", "arossi"), ("TRANSFER", "bkhan")]
        assert records[0]["DisconnectReason"] == "CUSTOMER_DISCONNECT"
        await nothing_left(stage)
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        far = await carrier(stage)
        transfer(stage, source, "Courier")
        other = await far.incoming()
        await other.answer()
        await other.hears(source.phone.tone)
        await call.hang_up()
        await hears_now({source: {far.tone}, other: {source.phone.tone}})
        await source.hang_up()
        await other.ended()
        await clear(stage, "arossi")
        await nothing_left(stage)


# ---- the source hangs up: cold -------------------------------------------------------------------

async def source_leaves(stage, source):
    """At its phone, and is in after-contact work at once (R51)."""
    await source.hang_up()
    await stage.until_agent("arossi", "AfterCallWork")


async def the_two_talk(stage, call, target, second="bkhan"):
    """Customer and target, until the customer hangs up; one record for each agent (R99)."""
    await call.hears(target.phone.tone)
    await hears_now({call: {target.phone.tone}, target: {call.phone.tone}})
    assert shown(stage, second) == [(call.phone.user, "Connected")]
    await call.hang_up()
    await target.ended()
    await clear(stage, "arossi", second)
    records = await chain(stage, 2)
    assert who_did_what(records) == [("INBOUND", "arossi"), ("TRANSFER", second)]
    assert records[0]["DisconnectReason"] == "AGENT_DISCONNECT"
    assert records[1]["DisconnectReason"] == "CUSTOMER_DISCONNECT"
    await nothing_left(stage)


async def R124_the_source_leaves_in_the_agent_transfer_flow():
    async with slow_stage("to-agent") as stage:
        call, source, (phone,) = await talking(stage)
        transfer(stage, source, "B. Khan")
        await source.hears(TO_AGENT)
        await call.hears(CUSTOMER_HOLD)
        await source_leaves(stage, source)
        await call.hears(TO_AGENT)
        await stage.until_agent("bkhan", "Offered")
        await hears_now({call: {RINGBACK}})
        target = await accept(stage, phone)
        await the_two_talk(stage, call, target)
        heard, agent = await call.report(), await source.report()
        parts = [one_span(report, TO_AGENT) for report in (agent, heard)]
        whole = sum(end - begin for begin, end in parts)
        assert abs(whole - 1500) < 150, f"the rest of the flow, not all of it: {parts}"
        assert len(spans(heard, BEEP)) == 2, "on arrival, and before the target"
        never(heard, WHISPER)
        never(await target.report(), TO_AGENT, BEEP, CUSTOMER_HOLD)
        no_gaps(heard)


async def R124_the_source_leaves_in_the_queue_transfer_flow_and_in_the_queue():
    for hz in (TO_QUEUE, MUSIC):
        async with slow_stage("to-queue") as stage:
            call, source, _ = await talking(stage, others=())
            transfer(stage, source, "Returns desk")
            await source.hears(hz)
            if hz == MUSIC:
                never(await call.report(), TO_QUEUE)
            await source_leaves(stage, source)
            if hz == TO_QUEUE:
                await call.hears(TO_QUEUE)
            await eventually("the customer to be in the queue",
                             lambda: stage.queue("Returns")["contacts"] == 1)
            await hears_now({call: {MUSIC}})
            phone = await stage.agent("bkhan")
            target = await accept(stage, phone)
            await the_two_talk(stage, call, target)
            never(await call.report(), WHISPER, RINGBACK)


async def R124_the_source_leaves_while_the_target_rings():
    for target_kind, hz in (("B. Khan", RINGBACK), ("Returns desk", MUSIC)):
        async with board_stage() as stage:
            call, source, (phone,) = await talking(stage)
            transfer(stage, source, target_kind)
            await stage.until_agent("bkhan", "Offered")
            await hears_now({call: {CUSTOMER_HOLD}, source: {hz}})
            await source_leaves(stage, source)
            await hears_now({call: {hz}})
            target = await accept(stage, phone)
            await the_two_talk(stage, call, target)
            never(await call.report(), WHISPER)


async def R124_the_source_leaves_in_the_agent_whisper():
    async with slow_stage("whisper", "beep") as stage:
        call, source, (phone,) = await talking(stage)
        transfer(stage, source, "B. Khan")
        target = await accept(stage, phone)
        await target.hears(WHISPER)
        await source_leaves(stage, source)
        await the_two_talk(stage, call, target)
        heard, other = await call.report(), await target.report()
        last = spans(heard, BEEP)[-1]
        assert last[1] - last[0] > 1400, "the whole customer whisper"
        assert abs(last[0] - one_span(other, WHISPER)[1]) < 60
        never(heard, WHISPER)
        never(other, BEEP)


async def R124_the_source_leaves_in_the_customer_whisper():
    async with slow_stage("whisper", "beep") as stage:
        call, source, (phone,) = await talking(stage)
        transfer(stage, source, "B. Khan")
        target = await accept(stage, phone)
        await source.hears(BEEP)
        await source_leaves(stage, source)
        await the_two_talk(stage, call, target)
        heard, agent, other = await call.report(), await source.report(), await target.report()
        parts = one_span(agent, BEEP), spans(heard, BEEP)[-1]
        whole = sum(end - begin for begin, end in parts)
        assert abs(whole - 1500) < 150, f"what is left of the whisper: {parts}"
        assert abs(spans(other, call.phone.tone)[0][0] - parts[1][1]) < 60
        never(other, BEEP, source.phone.tone)


async def R50_the_source_hangs_up_while_it_talks_with_the_target():
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        transfer(stage, source, "B. Khan")
        target = await accept(stage, phone)
        await target.hears(source.phone.tone)
        await hears_now({call: {CUSTOMER_HOLD}, source: {phone.tone}})
        await source_leaves(stage, source)
        await the_two_talk(stage, call, target)


async def R124_the_source_leaves_while_an_outside_number_rings_and_after():
    for answered in (False, True):
        async with board_stage() as stage:
            call, source, _ = await talking(stage, others=())
            far = await carrier(stage)
            transfer(stage, source, "Courier")
            other = await far.incoming()
            await other.ring()
            await source.hears(RINGBACK)
            if answered:
                await other.answer()
                await other.hears(source.phone.tone)
                await source_leaves(stage, source)
            else:
                await source_leaves(stage, source)
                await hears_now({call: {RINGBACK}})
                await other.answer()
            await other.hears(call.phone.tone)
            await hears_now({call: {far.tone}, other: {call.phone.tone}})
            await call.hang_up()
            await other.ended()
            await clear(stage, "arossi")
            await eventually("the contact to end", lambda: not stage.contacts())
            record = (await chain(stage, 1))[0]
            assert record["Agent"]["Username"] == "arossi"
            assert record["TransferredToEndpoint"]["Address"] == COURIER
            never(await other.report(), RINGBACK, BEEP, WHISPER, *(
                () if answered else (source.phone.tone,)))
            await nothing_left(stage)


async def test_a_target_who_does_not_come_leaves_no_customer_behind():
    """The source has left, and then the target does not come: the customer's call ends."""
    async with board_stage(routing__offer="1s") as stage:
        call, source, _ = await talking(stage)
        transfer(stage, source, "B. Khan")
        await stage.until_agent("bkhan", "Offered")
        await source_leaves(stage, source)
        await stage.until_agent("bkhan", "Missed")
        await call.ended()
        await clear(stage, "arossi")
        assert who_did_what(await chain(stage, 2)) == [("INBOUND", "arossi"), ("TRANSFER", None)]
        await nothing_left(stage)
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        far = await carrier(stage)
        transfer(stage, source, "Courier")
        other = await far.incoming()
        await other.ring()
        await source.hears(RINGBACK)
        await source_leaves(stage, source)
        await other.reject(486)
        await call.ended()
        await clear(stage, "arossi")
        await nothing_left(stage)
