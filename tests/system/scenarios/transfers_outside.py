# SPDX-License-Identifier: Apache-2.0
"""Transfers to outside numbers: external quick connects and the number pad (R41 to R44)."""
from board import (CALLER_ID, COURIER, CUSTOMER_HOLD, RINGBACK, board_stage, carrier, chain, clear,
                   hears_now, panel, party, resume, shown, talking, transfer, until_failed,
                   who_did_what)
from leaving import nothing_left
from main_job import never, one_span
from stage import BEEP, MUSIC, WHISPER, eventually


async def called(stage, source, far, **target):
    """The source picks the number; the far end's call, not answered yet."""
    transfer(stage, source, **(target or {"quick_connect": "Courier"}))
    return await far.incoming()


async def R1_R41_R42_R43_R44_an_outside_number_step_by_step():
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        customer, first = call.phone.tone, source.phone.tone
        far = await carrier(stage)
        other = await called(stage, source, far)
        theirs = [(call.phone.user, "On hold"), (COURIER, "Connecting")]
        assert shown(stage, "arossi") == theirs
        assert COURIER in other.invite.uri
        assert f"sip:{CALLER_ID}@" in other.invite.get("from"), other.invite.get("from")
        await hears_now({call: {CUSTOMER_HOLD}, source: set()})
        await other.ring()
        await source.hears(RINGBACK)
        assert shown(stage, "arossi") == theirs
        await hears_now({call: {CUSTOMER_HOLD}, source: {RINGBACK}})
        await other.answer()
        await other.hears(first)
        await source.hears(far.tone)
        assert shown(stage, "arossi") == [theirs[0], (COURIER, "Connected")]
        await hears_now({call: {CUSTOMER_HOLD}, source: {far.tone}, other: {first}})
        stage.call("contact.join", agent="arossi")
        await hears_now({call: {first, far.tone}, source: {customer, far.tone},
                         other: {customer, first}})
        stage.call("contact.hold", agent="arossi", party=party(stage, "arossi", "outside"))
        await hears_now({call: {first}, source: {customer}, other: {CUSTOMER_HOLD}})    # R47, R53
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await hears_now({call: {far.tone}, other: {customer}})
        await clear(stage, "arossi")
        await call.hang_up()
        await other.ended()
        never(await other.report(), WHISPER, BEEP, RINGBACK, MUSIC)
        one_span(await source.report(), WHISPER)
        one_span(await call.report(), BEEP)  # both on the way of the first contact
        await eventually("the contact to end", lambda: not stage.contacts())
        records = await chain(stage, 1)
        assert who_did_what(records) == [("INBOUND", "arossi")]
        assert records[0]["TransferredToEndpoint"]["Address"] == COURIER
        assert records[0]["TransferCompletedTimestamp"]
        await nothing_left(stage)


async def R16_the_number_pad_is_as_an_external_quick_connect_to_that_number():
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        far = await carrier(stage)
        other = await called(stage, source, far, number="+12025550166")
        assert "+12025550166" in other.invite.uri
        assert f"sip:{CALLER_ID}@" in other.invite.get("from")
        assert shown(stage, "arossi")[1] == ("+12025550166", "Connecting")
        await other.answer()
        await other.hears(source.phone.tone)
        await hears_now({call: {CUSTOMER_HOLD}, source: {far.tone}, other: {source.phone.tone}})
        await source.digits("42")  # an automatic menu there
        await other.gets_digit("4")
        await other.gets_digit("2")
        stage.call("contact.leave", agent="arossi")
        await hears_now({call: {far.tone}, other: {call.phone.tone}})


async def test_what_the_far_end_plays_before_it_answers_is_heard_by_the_source_only():
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        far = await carrier(stage)
        other = await called(stage, source, far)
        await other.ring()
        await source.hears(RINGBACK)
        await other.ring(183, early_media=True)
        await source.hears(far.tone)
        await hears_now({call: {CUSTOMER_HOLD}, source: {far.tone}, other: set()})
        await other.answer()
        await hears_now({call: {CUSTOMER_HOLD}, source: {far.tone}, other: {source.phone.tone}})
        never(await call.report(), far.tone, RINGBACK)


async def R22_R44_the_number_does_not_answer_is_busy_or_unknown():
    """And each time the source may call again."""
    async with board_stage(routing__dial="2s") as stage:
        call, source, _ = await talking(stage, others=())
        far = await carrier(stage)
        for status, why in ((486, "busy"), (404, "no such number"), (603, "refused"),
                            (480, "no answer"), (503, "not reached")):
            other = await called(stage, source, far)
            await other.reject(status)
            await until_failed(stage, call, source, f"{COURIER}: {why}")
        other = await called(stage, source, far)
        await other.ring()
        await source.hears(RINGBACK)
        await other.ended()
        await until_failed(stage, call, source, f"{COURIER}: no answer")
        await resume(stage, call, source)
        other = await called(stage, source, far)
        assert panel(stage, "arossi")["transfer_failed"] is None
        await other.answer()
        await other.hears(source.phone.tone)
        await other.hang_up()
        await eventually("its entry to be gone", lambda: len(shown(stage, "arossi")) == 1)
        assert shown(stage, "arossi") == [(call.phone.user, "On hold")]
        await hears_now({call: {CUSTOMER_HOLD}, source: set()})
        await resume(stage, call, source)
        await call.hang_up()
        await source.ended()
        await clear(stage, "arossi")
        record = (await chain(stage, 1))[0]
        assert record["TransferredToEndpoint"] is None, "nobody was left with it"
        await nothing_left(stage)


async def test_the_source_gives_up_while_the_number_rings():
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        far = await carrier(stage)
        other = await called(stage, source, far)
        await other.ring()
        await source.hears(RINGBACK)
        stage.call("contact.disconnect", agent="arossi", party=party(stage, "arossi", "outside"))
        await other.ended()
        assert other.ended_by == "them"
        assert panel(stage, "arossi")["transfer_failed"] is None
        await hears_now({call: {CUSTOMER_HOLD}, source: set()})
        await resume(stage, call, source)


async def R43_for_an_outbound_contact_the_caller_id_of_the_outbound_queue():
    ours = "+12025550102"
    stage = board_stage()
    stage.instance["queues"][1]["outbound_caller_id"] = {"number": ours}
    stage.instance["routing_profiles"][0]["default_outbound_queue"] = "Returns"
    async with stage:
        phone = await stage.agent("arossi", auto="answer")
        far = await carrier(stage)
        stage.call("contact.dial", agent="arossi", number="+12025550118")
        leg = await phone.incoming()
        customer = await far.incoming()
        await customer.answer()
        await customer.hears(phone.tone)
        transfer(stage, leg, number="+12025550166")
        other = await far.incoming()
        assert f"sip:{ours}@" in other.invite.get("from"), other.invite.get("from")
        await hears_now({customer: {CUSTOMER_HOLD}})
        await other.answer()
        await other.hears(phone.tone)
