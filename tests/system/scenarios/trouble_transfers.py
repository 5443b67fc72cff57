# SPDX-License-Identifier: Apache-2.0
"""Things that go wrong in the middle of transfers and conferences."""
from board import (COURIER, CUSTOMER_HOLD, accept, add_prompt, before_queueing, board_stage,
                   call_number, carrier, chain, clear, consult, hears_now, lasts, panel, refused,
                   shown, talking, until_failed, who_did_what)
from leaving import nothing_left
from stage import MUSIC, action, eventually, flow, play, user
from supervising import supervisor

OTHER_HOLD = 2150


async def test_the_dataplane_dies_in_a_conference_and_comes_back():
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        target = await consult(stage, call, source, phone, "B. Khan")
        customer, first, second = call.phone.tone, source.phone.tone, phone.tone
        stage.kill("dataplane")
        await eventually("control to notice", lambda: stage.status()["dataplane"]["state"] == "down")
        stage.call("contact.join", agent="arossi")  # what is to be is kept, and told anew
        await stage.start_dataplane()
        await eventually("the dataplane", lambda: stage.status()["dataplane"]["state"] == "up")
        await hears_now({call: {first, second}, source: {customer, second},
                         target: {customer, first}}, settle=1.5)
        stage.call("contact.hold", agent="arossi", party="customer")
        await hears_now({call: {CUSTOMER_HOLD}, source: {second}, target: {first}})
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await hears_now({call: {second}, target: {customer}})
        await call.hang_up()
        await target.ended()


async def test_an_agent_transfers_to_itself():
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        stage.call("contact.transfer", agent="arossi", quick_connect="A. Rossi")
        await eventually("the refusal", lambda: panel(stage, "arossi")["transfer_failed"])
        assert "arossi" in panel(stage, "arossi")["transfer_failed"]
        assert shown(stage, "arossi") == [(call.phone.user, "On hold")]
        stage.call("contact.resume", agent="arossi", party="customer")
        await hears_now({call: {source.phone.tone}, source: {call.phone.tone}})
        await call.hang_up()
        await source.ended()


async def test_two_agents_transfer_to_each_other():
    """Each has a customer: the other one is on a contact, and nobody is lost."""
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        second = await stage.dial(await stage.caller(number="+12025550144"))
        leg = await accept(stage, phone)
        await leg.hears(second.phone.tone)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        stage.call("contact.transfer", agent="bkhan", quick_connect="A. Rossi")
        for agent in ("arossi", "bkhan"):
            await eventually("the refusal", lambda a=agent: panel(stage, a)["transfer_failed"])
            stage.call("contact.resume", agent=agent, party="customer")
        await hears_now({call: {source.phone.tone}, source: {call.phone.tone},
                         second: {phone.tone}, leg: {second.phone.tone}})
        for one in (call, second):
            await one.hang_up()
        await source.ended()
        await leg.ended()


async def test_an_operator_ends_a_transfer_on_its_way():
    """Whichever contact of the call is named: everybody is hung up on."""
    async with board_stage() as stage:
        call, source, _ = await talking(stage)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Offered")
        transfer = next(c["id"] for c in stage.contacts() if c["method"] == "TRANSFER")
        stage.call("contact.end", contact=transfer)
        await call.ended()
        await source.ended()
        await stage.until_agent("bkhan", "Available")
        stage.call("agent.clear", agent="arossi")
        await nothing_left(stage)


async def test_a_reload_takes_the_quick_connect_away_meanwhile():
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Offered")
        instance = stage.instance
        instance["quick_connects"] = [q for q in instance["quick_connects"] if q["name"] != "B. Khan"]
        for queue in instance["queues"]:
            if "quick_connects" in queue:
                queue["quick_connects"] = [n for n in queue["quick_connects"] if n != "B. Khan"]
        stage.write_instance()
        stage.call("reload")
        target = await accept(stage, phone)
        await target.hears(source.phone.tone)
        await hears_now({call: {CUSTOMER_HOLD}, source: {phone.tone}, target: {source.phone.tone}})
        refused(stage, "no quick connect 'B. Khan'", "contact.transfer", agent="arossi",
                quick_connect="B. Khan")
        stage.call("contact.leave", agent="arossi")
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        await call.hang_up()


def without(stage, name):
    """A reload takes the user away, and what leads to it."""
    instance = stage.instance
    instance["agents"] = [a for a in instance["agents"] if a["user"] != name]
    gone = [q["name"] for q in instance["quick_connects"] if q.get("agent") == name]
    instance["quick_connects"] = [q for q in instance["quick_connects"] if q["name"] not in gone]
    for queue in instance["queues"]:
        if "quick_connects" in queue:
            queue["quick_connects"] = [n for n in queue["quick_connects"] if n not in gone]
    stage.write_instance()
    stage.call("reload")


async def test_a_reload_takes_the_target_away_while_it_is_offered():
    async with board_stage() as stage:
        call, source, _ = await talking(stage)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Offered")
        without(stage, "bkhan")
        await until_failed(stage, call, source, "logged out")
        await call.hang_up()
        await source.ended()
        await clear(stage, "arossi")
        await nothing_left(stage)


async def test_a_reload_takes_the_target_away_in_its_whispers():
    """The target goes on; who hangs up in the customer whisper is no reason to fall over."""
    stage = board_stage()
    stage.flows["long"] = flow("Long customer whisper", "customerWhisper", "Say",
                               play("Say", "long", "End"), action("End", "EndFlowExecution"))
    add_prompt(stage, "long", 2050, 4000)
    stage.instance["cordboard"]["defaults"]["customer_whisper"] = "Long customer whisper"
    async with stage:
        call, source, (phone,) = await talking(stage)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        target = await accept(stage, phone)
        await eventually("the customer whisper", lambda: "customer-whisper" in stage.states())
        without(stage, "bkhan")
        await target.hang_up()
        await until_failed(stage, call, source, "hung up")
        await call.hang_up()
        await source.ended()
        await clear(stage, "arossi")


async def test_the_phone_of_a_user_whom_a_reload_took_away_refers():
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        without(stage, "arossi")
        assert await source.refer(COURIER) in (403, 404, 480)
        await hears_now({call: {source.phone.tone}, source: {call.phone.tone}})
        await source.hang_up()
        await call.ended()
        await nothing_left(stage)


def queue_again_afterwards(stage):
    """The disconnect flow queues the customer."""
    stage.flows["after"] = flow(
        "After", "contactFlow", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"QueueAtCapacity": "End", "NoMatchingError": "End"}),
        action("End", "DisconnectParticipant"))
    before_queueing(stage, action("Hook", "UpdateContactEventHooks",
                                  {"EventHooks": {"CustomerRemaining": "After"}}, "Queue",
                                  {"NoMatchingError": "Queue"}))


async def test_who_has_left_has_no_say_when_the_customer_has_another_agent():
    """The disconnect flow queues the customer again; the first agent is in after-contact work still."""
    stage = board_stage()
    queue_again_afterwards(stage)
    async with stage:
        call, source, (phone,) = await talking(stage)
        stage.call("contact.leave", agent="arossi")
        leg = await accept(stage, phone)
        await leg.hears(call.phone.tone)
        assert stage.agent_state("arossi") == "AfterCallWork"
        for verb, params in (("hold", {"party": "customer"}), ("hold_all", {}), ("mute", {}),
                             ("disconnect", {"party": "customer"}),
                             ("transfer", {"number": COURIER})):
            refused(stage, "after-contact work", f"contact.{verb}", agent="arossi", **params)
        refused(stage, "after-contact work", "contact.monitor", supervisor="eboss", agent="arossi")
        await hears_now({call: {phone.tone}, leg: {call.phone.tone}})
        await call.hang_up()
        await leg.ended()


async def test_a_supervisor_over_a_supervisor():
    """Who only listens has no contact of its own to listen to."""
    stage = board_stage()
    next(a for a in stage.instance["agents"] if a["user"] == "dyang")["security_profile"] = "Admin"
    async with stage:
        call, source, _ = await talking(stage, others=())
        phone, leg = await supervisor(stage, status="Available")
        await leg.hears(call.phone.tone)
        refused(stage, "not connected", "contact.monitor", supervisor="dyang", agent="eboss")
        refused(stage, "", "contact.transfer", agent="eboss", number=COURIER)
        refused(stage, "", "contact.transfer_blind", agent="eboss", number=COURIER)
        refused(stage, "", "contact.dial", agent="eboss", number=COURIER)
        await hears_now({call: {source.phone.tone}, source: {call.phone.tone},
                         leg: {call.phone.tone, source.phone.tone}})
        await call.hang_up()
        await leg.ended()


async def test_a_target_that_rejects_takes_nobody_along():
    """The source has left the customer with an outside number and a transfer on its way."""
    async with board_stage(multi_party=True) as stage:
        far = await carrier(stage)
        call, source, _ = await talking(stage)
        other = await call_number(stage, source, far)
        stage.call("contact.join", agent="arossi")
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        stage.call("contact.reject", agent="bkhan")
        await hears_now({call: {far.tone}, other: {call.phone.tone}}, settle=0.6)
        await call.hang_up()
        await other.ended()
        await clear(stage, "arossi")
        stage.call("agent.clear", agent="bkhan")
        await nothing_left(stage)
        assert who_did_what(await chain(stage, 2)) == [("INBOUND", "arossi"), ("TRANSFER", None)]


async def test_a_target_that_rejects_leaves_the_customer_to_a_supervisor():
    async with board_stage() as stage:
        call, source, _ = await talking(stage)
        phone, leg = await supervisor(stage, verb="barge")
        await leg.hears(call.phone.tone)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        stage.call("contact.reject", agent="bkhan")
        await hears_now({call: {phone.tone}, leg: {call.phone.tone}}, settle=0.6)
        await leg.hang_up()
        await call.ended()
        await clear(stage, "arossi")
        stage.call("agent.clear", agent="bkhan")
        await nothing_left(stage)


async def test_a_target_comes_to_a_customer_who_was_left_with_an_outside_number():
    async with board_stage(multi_party=True) as stage:
        far = await carrier(stage)
        call, source, (phone,) = await talking(stage)
        other = await call_number(stage, source, far)
        stage.call("contact.join", agent="arossi")
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.leave", agent="arossi")
        await clear(stage, "arossi")
        target = await accept(stage, phone)
        await target.hears(call.phone.tone)
        customer, second = call.phone.tone, phone.tone
        await hears_now({call: {far.tone, second}, other: {customer, second},
                         target: {customer, far.tone}})
        stage.call("contact.hold", agent="bkhan", party="customer")
        await hears_now({call: {CUSTOMER_HOLD}, other: {second}, target: {far.tone}})
        stage.call("contact.leave", agent="bkhan")
        await hears_now({call: {far.tone}, other: {customer}})
        await other.hang_up()
        await call.ended()
        await clear(stage, "bkhan")
        await nothing_left(stage)
        records = await chain(stage, 2)
        assert who_did_what(records) == [("INBOUND", "arossi"), ("TRANSFER", "bkhan")]


async def test_an_outside_number_leaves_before_the_target_comes():
    """The transfer that is left is an ordinary contact: the customer's."""
    async with board_stage(multi_party=True) as stage:
        far = await carrier(stage)
        call, source, (phone,) = await talking(stage)
        other = await call_number(stage, source, far)
        stage.call("contact.join", agent="arossi")
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await other.hang_up()
        target = await accept(stage, phone)
        await target.hears(call.phone.tone)
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        await call.hang_up()
        await target.ended()
        await clear(stage, "arossi", "bkhan")
        await nothing_left(stage)
        assert who_did_what(await chain(stage, 2)) == [("INBOUND", "arossi"), ("TRANSFER", "bkhan")]


async def test_a_hold_flow_goes_on_when_another_agent_has_hung_up_on_the_first():
    """It looks at the customer's attributes every second, and counts as the second agent's hold."""
    stage = board_stage(multi_party=True)
    add_prompt(stage, "other-hold", OTHER_HOLD, 2000)
    stage.flows["hold"] = flow(
        "Tone customer hold", "customerHold", "Hold",
        action("Hold", "MessageParticipantIteratively",
               {"Messages": [{"PromptId": "customer-hold"}], "InterruptFrequencySeconds": "1"},
               None, None, {"MessagesInterrupted": "Look"}),
        action("Look", "Compare", {"ComparisonValue": "$.Attributes.mine"}, None,
               {"NoMatchingCondition": "Lost"}, {"yes": "Hold"}),
        action("Lost", "MessageParticipantIteratively", {"Messages": [{"PromptId": "other-hold"}]}))
    before_queueing(stage, action("Mine", "UpdateContactAttributes", {"Attributes": {"mine": "yes"}},
                                  "Queue", {"NoMatchingError": "Queue"}))
    async with stage:
        call, source, (phone,) = await talking(stage)
        target = await consult(stage, call, source, phone, "B. Khan")
        first = next(c["party"] for c in panel(stage, "bkhan")["connections"]
                     if c["label"] == "arossi")
        stage.call("contact.disconnect", agent="bkhan", party=first)
        await source.ended()
        await clear(stage, "arossi")
        assert [c["state"] for c in stage.contacts()] == ["hold"]
        await hears_now({call: {CUSTOMER_HOLD}, target: set()}, settle=2.5)
        stage.call("contact.resume", agent="bkhan", party="customer")
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        await call.hang_up()
        await target.ended()
        await clear(stage, "bkhan")
        records = await chain(stage, 2)
        assert records[1]["Agent"]["NumberOfHolds"] == 1, records[1]


async def test_a_supervisor_who_does_not_come_leaves_early_media_alone():
    async with board_stage() as stage:
        far = await carrier(stage)
        call, source, _ = await talking(stage, others=())
        phone = await stage.agent("eboss", status=None)
        stage.call("contact.transfer", agent="arossi", quick_connect="Courier")
        other = await far.incoming()
        stage.call("contact.monitor", supervisor="eboss", agent="arossi")
        ear = await phone.incoming()
        await other.ring(183, early_media=True)
        await source.hears(far.tone)
        await ear.reject(486)
        await hears_now({call: {CUSTOMER_HOLD}, source: {far.tone}}, settle=0.6)
        await other.answer()
        await hears_now({call: {CUSTOMER_HOLD}, source: {far.tone}, other: {source.phone.tone}})


async def test_who_listens_is_offered_nothing():
    """A supervisor who was not logged in does not log in meanwhile."""
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        phone, ear = await supervisor(stage)
        await ear.hears(call.phone.tone)
        refused(stage, "supervis", "agent.login", agent="eboss", status="Available")
        stage.call("contact.leave", agent="eboss")
        await ear.ended()
        stage.call("agent.login", agent="eboss", status="Available")


async def R63_a_transfer_after_the_disconnect_flow_has_no_second_one():
    stage = board_stage()
    queue_again_afterwards(stage)
    async with stage:
        call, source, (phone,) = await talking(stage)
        stage.call("contact.leave", agent="arossi")
        second = await accept(stage, phone)
        await second.hears(call.phone.tone)
        last = await stage.agent("csilva")
        third = await consult(stage, call, second, last, "C. Silva")
        stage.call("contact.leave", agent="bkhan")
        await third.hears(call.phone.tone)
        await third.hang_up()
        await call.ended()
        await clear(stage, "arossi", "bkhan", "csilva")
        await nothing_left(stage)
        assert who_did_what(await chain(stage, 3)) == [
            ("INBOUND", "arossi"), ("DISCONNECT", "bkhan"), ("TRANSFER", "csilva")]


async def dataplane_dies_and_comes_back(stage, *meanwhile):
    stage.kill("dataplane")
    await eventually("control to notice", lambda: stage.status()["dataplane"]["state"] == "down")
    for verb, params in meanwhile:
        stage.call(verb, **params)
    await stage.start_dataplane()
    await eventually("the dataplane", lambda: stage.status()["dataplane"]["state"] == "up")


async def test_the_source_leaves_a_transfer_while_there_is_no_dataplane():
    stage = board_stage()
    stage.instance["agents"].append(user("fsato", "panel", routing_profile="Returns only"))
    async with stage:
        call, source, _ = await talking(stage, others=())
        stage.call("contact.transfer", agent="arossi", quick_connect="Returns desk")
        await source.hears(MUSIC)
        await dataplane_dies_and_comes_back(stage, ("contact.leave", {"agent": "arossi"}))
        await source.ended()
        await hears_now({call: {MUSIC}}, settle=1.5)
        target = await accept(stage, await stage.agent("fsato"))
        await target.hears(call.phone.tone)
        await hears_now({call: {target.phone.tone}, target: {call.phone.tone}})
        await call.hang_up()
        await target.ended()


async def test_the_dataplane_dies_in_the_customer_whisper_of_a_transfer():
    """What was played there is over; the target comes, and nobody hears anything wrong."""
    stage = board_stage()
    lasts(stage, "beep", 3000)
    async with stage:
        call, source, (phone,) = await talking(stage)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        target = await accept(stage, phone)
        await eventually("the whisper", lambda: "customer-whisper" in stage.states())
        await dataplane_dies_and_comes_back(stage)
        await eventually("the target", lambda: stage.states() == ["hold", "talking"])
        await hears_now({call: {CUSTOMER_HOLD}, source: {phone.tone},
                         target: {source.phone.tone}}, settle=1.5)


async def test_control_ends_in_the_middle_of_everything():
    """A conference with a supervisor, a number that rings, a blind transfer on its way: a clean end."""
    async with board_stage() as stage:
        far = await carrier(stage)
        call, source, (phone,) = await talking(stage)
        target = await consult(stage, call, source, phone, "B. Khan")
        stage.call("contact.join", agent="arossi")
        _, ear = await supervisor(stage, verb="coach")
        second = await stage.dial(await stage.caller(number="+12025550144"))
        leg = await accept(stage, await stage.agent("csilva"))
        await leg.hears(second.phone.tone)
        stage.call("contact.transfer", agent="csilva", number=COURIER)
        other = await far.incoming()
        await other.ring()
        third = await stage.dial(await stage.caller(number="+12025550145"))
        blind = await accept(stage, await stage.agent("dyang"))
        await blind.hears(third.phone.tone)
        assert await blind.refer("(202) 555-0178") == 202
        await far.incoming()
        stage.processes["control"].terminate()
        for one in (call, source, target, ear, second, leg, third, blind):
            await one.ended()
