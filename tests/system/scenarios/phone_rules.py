# SPDX-License-Identifier: Apache-2.0
"""What an agent does at the phone on a call, judged by ear: hold and resume, a second call, transfer
by REFER, hanging up. Each is a verb of the desk."""
from board import (AGENT_HOLD, COURIER, CUSTOMER_HOLD, RINGBACK, accept, board_stage, consult,
                   hears_now, panel, shown, talking)
from leaving import nothing_left
from main_job import never
from operating import cordctl
from stage import CONTROL, MUSIC, TRUNK, WHISPER, eventually


async def carrier(stage, **more):
    """The far end behind the trunk."""
    return await stage.phone("carrier", TRUNK, port=5060, **more)


async def dials(stage, leg, number=COURIER):
    """A second call of the phone, the first one on hold as phones do it."""
    assert await leg.hold() == 200
    return await leg.phone.call(f"sip:{number}@{CONTROL}")


async def consulting(stage):
    """The agent talks with the courier on a second call of the phone; the customer is on hold."""
    far = await carrier(stage)
    call, leg, _ = await talking(stage, others=())
    second = await dials(stage, leg)
    other = await far.incoming()
    await other.answer()
    await second.answered()
    await second.hears(far.tone)
    await hears_now({call: {CUSTOMER_HOLD}, second: {far.tone}, other: {leg.phone.tone}})
    return call, leg, second, other


def muted(stage, agent):
    return panel(stage, agent)["muted"]


# ---- hold ----------------------------------------------------------------------------------------


async def pain_12_hold_and_resume_at_the_phone_in_every_way():
    async with board_stage() as stage:
        call, leg, _ = await talking(stage, others=())
        customer, agent = call.phone.tone, leg.phone.tone
        for direction in ("sendonly", "inactive"):
            for delayed in (False, True):
                assert await leg.reinvite(direction, delayed_offer=delayed) == 200
                await eventually("the customer on hold", lambda: shown(stage, "arossi")[0][1] == "On hold")
                await hears_now({call: {CUSTOMER_HOLD}, leg: set()})
                assert await leg.reinvite("sendrecv", delayed_offer=delayed) == 200
                await eventually("off hold", lambda: shown(stage, "arossi")[0][1] == "Connected")
                await hears_now({call: {agent}, leg: {customer}})
        await leg.hang_up()
        await call.ended()
        stage.call("agent.clear", agent="arossi")
        record = (await stage.records(1))[0]
        assert record["Agent"]["NumberOfHolds"] == 4
        never(await leg.report(), CUSTOMER_HOLD, AGENT_HOLD)
        await nothing_left(stage)


async def pain_12_hold_of_the_customers_phone_is_its_own():
    async with board_stage() as stage:
        call, leg, _ = await talking(stage, others=())
        for direction in ("sendonly", "inactive"):
            assert await call.reinvite(direction) == 200
            await hears_now({leg: {call.phone.tone} if direction == "sendonly" else set()})
            assert shown(stage, "arossi")[0][1] == "Connected"
            assert await call.reinvite("sendrecv", delayed_offer=True) == 200
            await hears_now({call: {leg.phone.tone}, leg: {call.phone.tone}})


async def test_hold_at_the_phone_in_a_consultation_holds_the_target_alone():
    async with board_stage() as stage:
        call, leg, (phone,) = await talking(stage)
        target = await consult(stage, call, leg, phone, "B. Khan")
        assert await leg.hold() == 200
        await hears_now({call: {CUSTOMER_HOLD}, target: {AGENT_HOLD}})
        assert await leg.resume() == 200
        await hears_now({call: {CUSTOMER_HOLD}, target: {leg.phone.tone}, leg: {phone.tone}})


async def test_resume_at_the_phone_when_whom_it_held_has_left():
    async with board_stage() as stage:
        far = await carrier(stage)
        call, leg, _ = await talking(stage, others=())
        stage.call("contact.transfer", agent="arossi", number=COURIER)
        other = await far.incoming()
        await other.answer()
        await leg.hears(far.tone)
        assert await leg.hold() == 200
        await hears_now({call: {CUSTOMER_HOLD}, other: {CUSTOMER_HOLD}})
        await other.hang_up()
        await hears_now({call: {CUSTOMER_HOLD}})
        assert await leg.resume() == 200
        await hears_now({call: {leg.phone.tone}, leg: {call.phone.tone}})


async def test_hold_at_the_phone_after_join_leaves_the_others_talking():
    async with board_stage() as stage:
        call, leg, (phone,) = await talking(stage)
        customer, agent, other = call.phone.tone, leg.phone.tone, phone.tone
        target = await consult(stage, call, leg, phone, "B. Khan")
        stage.call("contact.join", agent="arossi")
        await hears_now({call: {agent, other}, target: {customer, agent}})
        assert await leg.hold() == 200  # sends its own music, that is, its tone
        await hears_now({call: {other}, target: {customer}, leg: set()})
        assert muted(stage, "arossi")
        assert await leg.resume() == 200
        await hears_now({call: {agent, other}, target: {customer, agent}, leg: {customer, other}})
        assert not muted(stage, "arossi")
        # who has muted oneself before stays so
        stage.call("contact.mute", agent="arossi")
        assert await leg.hold() == 200
        assert await leg.resume() == 200
        await hears_now({call: {other}, target: {customer}, leg: {customer, other}})


async def test_hold_at_the_phone_of_a_second_agent_is_a_mute():
    async with board_stage() as stage:
        call, leg, (phone,) = await talking(stage)
        target = await consult(stage, call, leg, phone, "B. Khan")
        assert await target.hold() == 200
        await hears_now({call: {CUSTOMER_HOLD}, leg: set(), target: set()})
        assert muted(stage, "bkhan") and shown(stage, "arossi")[1][1] == "Connected"
        assert await target.resume() == 200
        await hears_now({leg: {phone.tone}, target: {leg.phone.tone}})


# ---- blind transfer ------------------------------------------------------------------------------


async def test_blind_transfer_by_refer_to_a_number():
    async with board_stage() as stage:
        far = await carrier(stage)
        call, leg, _ = await talking(stage, others=())
        assert await leg.hold() == 200
        assert await leg.refer("(202) 555-0177") == 202  # as it is dialled here
        other = await far.incoming()
        assert COURIER in other.invite.uri
        await other.ring()
        assert await leg.referred() == 200 and leg.notified == [100, 200]
        await leg.ended()
        assert stage.agent_state("arossi") == "AfterCallWork"
        await call.hears(RINGBACK)
        await other.answer()
        await hears_now({call: {far.tone}, other: {call.phone.tone}})
        await other.hang_up()
        await call.ended()
        stage.call("agent.clear", agent="arossi")
        await nothing_left(stage)


async def test_blind_transfer_by_refer_that_fails_changes_nothing():
    async with board_stage() as stage:
        far = await carrier(stage, auto="reject", code=486)
        call, leg, _ = await talking(stage, others=())
        customer, agent = call.phone.tone, leg.phone.tone
        assert await leg.refer(COURIER) == 202
        assert await leg.referred() == 480 and leg.notified == [100, 480]
        await hears_now({call: {agent}, leg: {customer}})
        assert "busy" in panel(stage, "arossi")["transfer_failed"]
        # after the hold that phones begin with, the customer stays on hold
        assert await leg.hold() == 200
        assert await leg.refer(COURIER) == 202
        assert await leg.referred() == 480
        await hears_now({call: {CUSTOMER_HOLD}})
        assert await leg.resume() == 200
        for target, status in (("+19005550100", 403), ("Nobody", 404), ("12", 404), ("Lunch room", 404)):
            assert await leg.refer(target) == status, target
        await hears_now({call: {agent}, leg: {customer}})
        # nobody but the agent's phone may
        assert await call.refer(COURIER) == 403
        assert await call.refer(COURIER, replaces=leg) == 403
        assert await leg.refer(replaces=call) == 481
        while not far.waiting.empty():
            assert COURIER in far.waiting.get_nowait().invite.uri
        await hears_now({call: {agent}, leg: {customer}})


async def test_blind_transfer_by_refer_to_quick_connects():
    for name in ("B. Khan", "Returns desk", "Courier"):
        async with board_stage() as stage:
            far = await carrier(stage, auto="answer")
            call, leg, (phone,) = await talking(stage)
            assert await leg.refer(name) == 202
            assert await leg.referred() == 200
            await leg.ended()
            assert stage.agent_state("arossi") == "AfterCallWork"
            if name == "Courier":
                other = await far.incoming()
            else:
                other = await accept(stage, phone)
                await other.hears(WHISPER)
            await other.hears(call.phone.tone)
            await hears_now({call: {other.phone.tone}, other: {call.phone.tone}})
            never(await leg.report(), CUSTOMER_HOLD, MUSIC)


async def test_the_phone_hangs_up_right_after_its_refer():
    async with board_stage() as stage:
        call, leg, (phone,) = await talking(stage)
        assert await leg.refer("B. Khan") == 202
        await leg.hang_up()
        assert stage.agent_state("arossi") == "AfterCallWork"
        target = await accept(stage, phone)
        await target.hears(call.phone.tone)
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        # nothing of that transfer is left
        stage.call("contact.hold", agent="bkhan", party="customer")
        await hears_now({call: {CUSTOMER_HOLD}})
        assert shown(stage, "bkhan")[0][1] == "On hold"


async def test_blind_transfer_by_refer_without_subscription():
    async with board_stage() as stage:
        far = await carrier(stage, auto="answer")
        call, leg, _ = await talking(stage, others=())
        assert await leg.refer(COURIER, subscribe=False) == 202
        other = await far.incoming()
        await leg.ended()
        assert leg.notified == []
        await hears_now({call: {far.tone}, other: {call.phone.tone}})


# ---- a second call -------------------------------------------------------------------------------


async def R16_attended_transfer_at_the_phone():
    async with board_stage() as stage:
        call, leg, second, other = await consulting(stage)
        assert shown(stage, "arossi") == [(call.phone.user, "On hold"), (COURIER, "Connected")]
        contact = panel(stage, "arossi")["contact"]
        assert await leg.refer(replaces=second) == 202
        assert await leg.referred() == 200
        await leg.ended()
        await second.ended()
        assert stage.agent_state("arossi") == "AfterCallWork"
        await hears_now({call: {other.phone.tone}, other: {call.phone.tone}})
        await call.hang_up()
        await other.ended()
        stage.call("agent.clear", agent="arossi")
        await nothing_left(stage)
        ladder = cordctl(stage, "trace", contact).stdout
        assert "202 Accepted [REFER]" in ladder, ladder
        assert ladder.count("401 Unauthorized [INVITE]") == 1, "the second call is of the contact"
        record = (await stage.records(1))[0]
        assert record["TransferredToEndpoint"]["Address"] == COURIER
        assert record["Agent"]["NumberOfHolds"] == 1


async def R16_attended_transfer_from_the_second_call_while_it_rings():
    async with board_stage() as stage:
        far = await carrier(stage)
        call, leg, _ = await talking(stage, others=())
        second = await dials(stage, leg)
        other = await far.incoming()
        await other.ring()
        await second.hears(RINGBACK)
        await call.hears(CUSTOMER_HOLD)
        assert await second.refer(replaces=leg) == 202
        await leg.ended()
        await second.ended()
        await call.hears(RINGBACK)
        await other.answer()
        await hears_now({call: {far.tone}, other: {call.phone.tone}})


async def test_the_second_call_is_hung_up():
    async with board_stage() as stage:
        call, leg, second, other = await consulting(stage)
        await second.hang_up()
        await other.ended()
        await hears_now({call: {CUSTOMER_HOLD}})
        assert shown(stage, "arossi") == [(call.phone.user, "On hold")]
        assert await leg.resume() == 200
        await hears_now({call: {leg.phone.tone}, leg: {call.phone.tone}})
        # and again, with the far end hanging up
        second = await dials(stage, leg)
        other = await other.phone.incoming()
        await other.answer()
        await second.hears(other.phone.tone)
        await other.hang_up()
        await second.ended()
        assert await leg.resume() == 200
        await hears_now({call: {leg.phone.tone}, leg: {call.phone.tone}})


async def test_the_phone_changes_between_its_two_calls():
    async with board_stage() as stage:
        call, leg, second, other = await consulting(stage)
        customer, agent, far = call.phone.tone, leg.phone.tone, other.phone.tone
        for _ in range(2):
            assert await second.hold() == 200
            await hears_now({call: {CUSTOMER_HOLD}, other: {CUSTOMER_HOLD}})
            assert await leg.resume() == 200
            await hears_now({call: {agent}, leg: {customer}, other: {CUSTOMER_HOLD}})
            assert await leg.hold() == 200
            assert await second.resume() == 200
            await hears_now({call: {CUSTOMER_HOLD}, second: {far}, other: {agent}})
        # a conference of the phone's own is Join
        assert await leg.resume() == 200
        await hears_now({call: {agent, far}, second: {customer, far}, other: {customer, agent}})
        # joined, the first call is enough to take part; hanging up that one too is Leave
        await second.hang_up()
        await hears_now({call: {agent, far}, leg: {customer, far}, other: {customer, agent}})
        await leg.hang_up()
        await hears_now({call: {far}, other: {customer}})
        assert stage.agent_state("arossi") == "AfterCallWork"


async def test_the_first_call_is_hung_up_before_the_second():
    async with board_stage() as stage:
        call, leg, second, other = await consulting(stage)
        await leg.hang_up()
        await hears_now({call: {CUSTOMER_HOLD}, second: {other.phone.tone}, other: {leg.phone.tone}})
        await second.hang_up()
        await hears_now({call: {other.phone.tone}, other: {call.phone.tone}})
        assert stage.agent_state("arossi") == "AfterCallWork"


async def test_what_a_second_call_may_not_do():
    async with board_stage() as stage:
        far = await carrier(stage)
        call, leg, _ = await talking(stage, others=())
        refused = await dials(stage, leg, "+19005550100")
        assert await refused.final() == 403
        assert await leg.resume() == 200
        await hears_now({call: {leg.phone.tone}, leg: {call.phone.tone}})
        second = await dials(stage, leg)
        other = await far.incoming()
        third = await leg.phone.call(f"sip:+12025550178@{CONTROL}")
        assert await third.final() == 486
        assert await leg.refer("+12025550178") == 486
        await other.reject(486)
        await second.ended()
        await hears_now({call: {CUSTOMER_HOLD}})
        assert "busy" in panel(stage, "arossi")["transfer_failed"]
        assert await leg.resume() == 200
        await hears_now({call: {leg.phone.tone}, leg: {call.phone.tone}})
        assert far.waiting.empty()
