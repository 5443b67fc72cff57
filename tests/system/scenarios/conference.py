# SPDX-License-Identifier: Apache-2.0
"""What an agent can do once the target of a transfer is connected, for each kind of target, judged by
ear (requirements section 5, R45 to R54), and what happens when a party hangs up."""
import asyncio

from board import (AGENT_HOLD, COURIER, CUSTOMER_HOLD, KINDS, all_kinds, accept, board_stage,
                   call_number, carrier, consult, hang_up_all, hear, hears_now, panel, party, shown,
                   source_and_customer, talking, trio_stage)
from leaving import nothing_left
from main_job import never
from stage import eventually


async def R45_join():
    async with trio_stage() as stage:
        trios = await all_kinds(stage)
        await hear(trios, "customer held")
        for trio in trios:
            answer = trio.verb("join")["panel"]
            assert [c["banner"] for c in answer["connections"]] == ["Connected", "Connected"]
        await hear(trios, "all joined")


async def R46_hold_all():
    async with trio_stage() as stage:
        trios = await all_kinds(stage)
        for trio in trios:
            trio.verb("join")
            answer = trio.verb("hold_all")["panel"]
            assert [c["banner"] for c in answer["connections"]] == ["On hold", "On hold"]
        await hear(trios, "both held")
        for trio in trios:
            trio.verb("join")
        await hear(trios, "all joined")


async def R47_hold_the_target_takes_the_customer_off_hold():
    async with trio_stage() as stage:
        trios = await all_kinds(stage)
        for trio in trios:
            trio.verb("hold", party="target")
        await hear(trios, "target held")
        for trio in trios:  # to and fro
            trio.verb("hold", party="customer")
            trio.verb("resume", party="target")
        await hear(trios, "customer held")
        for trio in trios:
            trio.verb("hold", party="target")
        await hear(trios, "target held")


async def source_leaves(pattern, by_phone):
    """The sources of these kinds hang up their phones, the others use the verb."""
    async with trio_stage() as stage:
        trios = await all_kinds(stage)
        for trio in trios:
            trio.go_to(pattern)
        await hear(trios, pattern)
        for trio in trios:
            if trio.kind in by_phone:
                await trio.source.hang_up()
            else:
                trio.verb("leave")
        for trio in trios:
            await trio.source.ended()
            assert stage.agent_state(trio.source.phone.user) == "AfterCallWork"
        await hear(trios, "source gone")
        await hang_up_all(stage, *(trio.call for trio in trios))
        for trio in trios:
            await trio.target.ended()
        await nothing_left(stage)


async def R48_end_call_connects_target_and_customer():
    await source_leaves("customer held", by_phone=KINDS)


async def R49_leave_after_join_completes_the_transfer():
    await source_leaves("all joined", by_phone=())


async def R50_end_call_from_customer_held():
    await source_leaves("customer held", by_phone=())


async def R50_end_call_from_target_held():
    await source_leaves("target held", by_phone=("queue",))


async def R50_end_call_from_both_held():
    await source_leaves("both held", by_phone=("agent", "external"))


async def R50_end_call_from_all_joined():
    await source_leaves("all joined", by_phone=KINDS)


async def R51_who_leaves_works_on_until_clear_and_only_then_gets_the_next_offer():
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        target = await consult(stage, call, source, phone, "B. Khan")
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        assert stage.agent_state("arossi") == "AfterCallWork"
        waiting = await stage.dial(await stage.caller(number="+12025550155"))
        await eventually("the second caller to wait", lambda: "queued" in stage.states())
        await asyncio.sleep(0.6)
        assert stage.agent_state("arossi") == "AfterCallWork"
        assert source.phone.waiting.empty() and "queued" in stage.states()
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        stage.call("agent.clear", agent="arossi")
        leg = await accept(stage, source.phone)
        await leg.hears(waiting.phone.tone)
        record = (await stage.records(1))[0]
        assert record["Agent"]["Username"] == "arossi"
        assert record["Agent"]["AfterContactWorkStartTimestamp"] == record["DisconnectTimestamp"]


async def R51_after_contact_work_ends_by_the_agents_timeout():
    stage = board_stage()
    stage.instance["agents"][0]["after_contact_seconds"] = 1
    async with stage:
        call, source, (phone,) = await talking(stage)
        target = await consult(stage, call, source, phone, "B. Khan")
        await source.hang_up()
        waiting = await stage.dial(await stage.caller(number="+12025550155"))
        await stage.until_agent("arossi", "Offered", 3)
        leg = await accept(stage, source.phone)
        await leg.hears(waiting.phone.tone)
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})


async def R52_the_first_agent_has_every_choice_over_target_and_customer():
    async with trio_stage() as stage:
        trios = await all_kinds(stage)
        for trio in trios:
            trio.verb("join")
            trio.verb("hold", party="customer")
        await hear(trios, "customer held")
        for trio in trios:
            trio.verb("resume", party="customer")
        await hear(trios, "all joined")
        for trio in trios:
            trio.verb("hold", party="target")
        await hear(trios, "target held")
        for trio in trios:
            trio.verb("resume", party="target")
        await hear(trios, "all joined")
        for trio in trios:
            trio.verb("hold", party="customer")
            trio.verb("disconnect", party="target")
            await trio.target.ended()
        await hear(trios, "target gone")
        stage.call("agent.clear", agent="fsato")
        for trio in trios:
            await trio.reach()
            trio.verb("disconnect", party="customer")
            await trio.call.ended()
        await hear(trios, "customer gone")


async def R53_each_hears_the_hold_flow_that_is_for_it():
    async with trio_stage() as stage:
        trios = await all_kinds(stage)
        for trio in trios:
            trio.verb("hold_all")
        await hear(trios, "both held")
        for trio in trios:
            other = CUSTOMER_HOLD if trio.kind != "external" else AGENT_HOLD
            never(await trio.target.report(), other)
            never(await trio.source.report(), CUSTOMER_HOLD, AGENT_HOLD)
            never(await trio.call.report(), AGENT_HOLD)


async def R54_an_agent_left_alone_with_the_customer_may_do_everything():
    async with board_stage() as stage:
        call, source, (phone, third) = await talking(stage, others=("bkhan", "csilva"))
        customer = call.phone.tone
        target = await consult(stage, call, source, phone, "B. Khan")
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await hears_now({call: {phone.tone}, target: {customer}})
        assert shown(stage, "bkhan") == [(call.phone.user, "Connected")]
        stage.call("contact.hold", agent="bkhan", party="customer")
        await hears_now({call: {CUSTOMER_HOLD}, target: set()})
        stage.call("contact.resume", agent="bkhan", party="customer")
        next_one = await consult(stage, call, target, third, "C. Silva")
        await hears_now({call: {CUSTOMER_HOLD}, target: {third.tone}, next_one: {phone.tone}})
        stage.call("contact.join", agent="bkhan")
        stage.call("contact.hold", agent="bkhan", party=party(stage, "bkhan", "agent"))
        await hears_now({call: {phone.tone}, target: {customer}, next_one: {AGENT_HOLD}})
        stage.call("contact.leave", agent="bkhan")
        await target.ended()
        await hears_now({call: {third.tone}, next_one: {customer}})
        far = await carrier(stage)  # and on, to an outside number
        other = await call_number(stage, next_one, far)
        await next_one.hang_up()
        await hears_now({call: {far.tone}, other: {customer}})
        await hang_up_all(stage, call)
        await other.ended()
        await nothing_left(stage)
        records = {r["ContactId"]: r for r in await stage.records(3)}
        first = next(r for r in records.values() if not r["PreviousContactId"])
        second = records[first["NextContactId"]]
        last = records[second["NextContactId"]]
        assert [r["Agent"]["Username"] for r in (first, second, last)] == ["arossi", "bkhan", "csilva"]
        assert last["NextContactId"] is None
        assert last["TransferredToEndpoint"]["Address"] == COURIER


# ---- who hangs up, and what is left --------------------------------------------------------------

async def target_hangs_up(pattern):
    """An agent who hangs up leaves: everybody is off hold (R50). An outside party's end leaves the
    holds as they are (R22)."""
    async with trio_stage() as stage:
        trios = await all_kinds(stage)
        for trio in trios:
            trio.go_to(pattern)
            await trio.target.hang_up()
        await eventually("the panels to show the customer only", lambda: all(
            len(panel(stage, trio.source.phone.user)["connections"]) == 1 for trio in trios))
        expected = {}
        for trio in trios:
            held = trio.kind == "external" and pattern in ("customer held", "both held")
            banner = [c["banner"] for c in panel(stage, trio.source.phone.user)["connections"]]
            assert banner == ["On hold" if held else "Connected"], (trio.kind, banner)
            expected[trio.call] = {CUSTOMER_HOLD} if held else {trio.source.phone.tone}
            expected[trio.source] = set() if held else {trio.call.phone.tone}
        await hears_now(expected)
        for trio in trios:
            trio.verb("resume", party="customer")
        await hears_now({leg: {tone} for trio in trios for leg, tone in
                         ((trio.call, trio.source.phone.tone), (trio.source, trio.call.phone.tone))})
        await hang_up_all(stage, *(trio.call for trio in trios))
        await nothing_left(stage)


async def test_target_hangs_up_while_the_customer_is_held():
    await target_hangs_up("customer held")


async def test_target_hangs_up_while_all_are_joined():
    await target_hangs_up("all joined")


async def test_target_hangs_up_while_both_are_held():
    await target_hangs_up("both held")


async def test_target_hangs_up_while_on_hold():
    await target_hangs_up("target held")


async def customer_hangs_up(pattern):
    """Source and target talk on, until one leaves; a held target is taken off hold by the source."""
    async with trio_stage() as stage:
        trios = await all_kinds(stage)
        for trio in trios:
            trio.go_to(pattern)
            await trio.call.hang_up()
        await eventually("the panels to show the target only", lambda: all(
            [c["role"] for c in panel(stage, trio.source.phone.user)["connections"]] == [trio.role]
            for trio in trios))
        if "target" in pattern or "both" in pattern:
            await hears_now({trio.source: set() for trio in trios})
            for trio in trios:
                trio.verb("resume", party="target")
        await hear(trios, "customer gone")
        for trio in trios:
            trio.verb("leave")
            await trio.target.ended()  # an agent, or an outside party, alone
            await trio.source.ended()
        await hang_up_all(stage)
        await nothing_left(stage)
        first = [r for r in await stage.records(3) if not r["PreviousContactId"]]
        assert {r["DisconnectReason"] for r in first} == {"CUSTOMER_DISCONNECT"}


async def test_customer_hangs_up_while_on_hold():
    await customer_hangs_up("customer held")


async def test_customer_hangs_up_while_all_are_joined():
    await customer_hangs_up("all joined")


async def test_customer_hangs_up_while_both_are_held():
    await customer_hangs_up("both held")


async def test_customer_hangs_up_while_the_target_is_held():
    await customer_hangs_up("target held")


async def test_customer_hangs_up_while_the_target_is_on_the_way():
    """The invitations end, and the sources are left with their after-contact work."""
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Offered")
        await call.hang_up()
        await source.ended()
        await stage.until_agent("bkhan", "Available")
        assert stage.agent_state("arossi") == "AfterCallWork"
        assert phone.waiting.empty()
        stage.call("agent.logout", agent="bkhan")
        far = await carrier(stage)
        call, source = await source_and_customer(stage, "csilva", "+12025550144")
        stage.call("contact.transfer", agent="csilva", quick_connect="Courier")
        other = await far.incoming()
        await other.ring()
        await call.hang_up()
        await source.ended()
        await other.ended()
        await hang_up_all(stage)
        await nothing_left(stage)


async def test_records_count_the_holds_of_the_customer():
    """Those of the source's part; a hold of the target is none of the customer's."""
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        stage.call("contact.hold", agent="arossi", party="customer")
        await asyncio.sleep(2.2)
        stage.call("contact.resume", agent="arossi", party="customer")
        target = await consult(stage, call, source, phone, "B. Khan")
        stage.call("contact.hold", agent="arossi", party=party(stage, "arossi", "agent"))
        await asyncio.sleep(0.5)
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        await hang_up_all(stage, call)
        records = await stage.records(2)
        first = next(r["Agent"] for r in records if not r["PreviousContactId"])
        second = next(r["Agent"] for r in records if r["PreviousContactId"])
        assert first["NumberOfHolds"] == 2 and second["NumberOfHolds"] == 0, (first, second)
        assert first["LongestHoldDuration"] == 2 and 3 <= first["CustomerHoldDuration"] <= 5, first
        assert second["CustomerHoldDuration"] == second["LongestHoldDuration"] == 0
