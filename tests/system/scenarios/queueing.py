# SPDX-License-Identifier: Apache-2.0
"""Queues: capacity, races, agents' own queues."""
import asyncio

from stage import (BEEP, FULL, GREETING, MUSIC, Stage, action, eventually, flow, play, queue_flow,
                   user)


def outcome(stage, call):
    """What a caller hears behind the greeting: the music of the queue, or that it is full."""
    for event in stage.ear.events:
        if event.get("leg") == call.leg and event["event"] == "tone" and event["hz"] in (MUSIC, FULL):
            return event["hz"]
    return None


async def until_outcomes(stage, calls):
    await eventually("every caller to be queued or refused",
                     lambda: all(outcome(stage, c) for c in calls))
    return [outcome(stage, c) for c in calls]


async def R77_at_the_maximum_the_queue_is_full():
    stage = Stage()
    stage.flows["main"] = queue_flow("Main", "Returns")  # holds one
    async with stage:
        first = await stage.dial(await stage.caller())
        await first.hears(MUSIC)
        second = await stage.dial(await stage.caller(number="+12025550198"))
        await second.hears(FULL)
        await second.ended()
        await first.hang_up()
        await eventually("the queue to be empty",
                         lambda: stage.queue("Returns")["contacts"] == 0)
        third = await stage.dial(await stage.caller(number="+12025550197"))
        await third.hears(MUSIC)


async def R80_of_two_that_race_exactly_one_gets_the_place():
    stage = Stage()
    stage.flows["main"] = queue_flow("Main", "Returns")
    async with stage:
        callers = [await stage.caller(number=f"+1202555019{n}") for n in range(2)]
        calls = await asyncio.gather(*(stage.dial(c) for c in callers))
        assert sorted(await until_outcomes(stage, calls)) == sorted([MUSIC, FULL])
        assert stage.queue("Returns")["contacts"] == 1


async def R78_without_a_maximum_the_instance_limits():
    stage = Stage(instance__calls_max="3")
    async with stage:
        calls = []
        for n in range(3):
            calls.append(await stage.dial(await stage.caller(number=f"+1202555019{n}")))
        for call in calls:
            await call.hears(MUSIC)
        assert stage.queue("Orders")["limit"] == 3
        refused = await stage.dial(await stage.caller(number="+12025550193"))
        assert await refused.final() == 503


async def R79_full_is_full_for_every_inbound_call():
    stage = Stage(routing__overflow_percent="100")  # gives nothing to those who come by a flow
    stage.flows["main"] = queue_flow("Main", "Returns")
    async with stage:
        calls = [await stage.dial(await stage.caller(number=f"+1202555019{n}")) for n in range(3)]
        heard = await until_outcomes(stage, calls)
        assert heard.count(MUSIC) == 1 and heard.count(FULL) == 2


async def R81_a_caller_stays_queued_until_an_agent_takes_the_call():
    async with Stage() as stage:
        caller = await stage.caller()
        call = await stage.dial(caller)
        await call.hears(MUSIC)
        phone = await stage.agent("arossi")
        for _ in range(2):
            leg = await phone.incoming()
            await leg.ring()
            await leg.reject(603)
            await stage.until_states("queued")
            assert stage.queue("Orders")["contacts"] == 1
            await stage.until_agent("arossi", "Missed")
            stage.call("agent.set_status", agent="arossi", status="Available")
        leg = await phone.incoming()
        await leg.answer()
        await leg.hears(caller.tone)
        assert stage.queue("Orders")["contacts"] == 0


async def R2_transfer_to_queue_ends_the_flow_and_queues_the_customer():
    async with Stage() as stage:
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        contact = stage.contacts()[0]
        assert contact["state"] == "queued" and contact["queue"] == "Orders"
        await asyncio.sleep(2.5)  # longer than the music: it loops, the inbound flow is over
        assert stage.states() == ["queued"]
        report = await call.report()
        assert len([h for h in report["heard"] if h["hz"] == GREETING]) == 1


async def R91_a_user_has_a_queue_of_their_own():
    stage = Stage()
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Agent",
        action("Agent", "UpdateContactTargetQueue", {"AgentId": "bkhan"}, "Transfer",
               {"NoMatchingError": "Wrong"}),
        action("Transfer", "TransferContactToQueue", None, "Wrong",
               {"QueueAtCapacity": "Wrong", "NoMatchingError": "Wrong"}),
        play("Wrong", "full", "End"), action("End", "DisconnectParticipant"))
    async with stage:
        other = await stage.agent("arossi", auto="answer")
        caller = await stage.caller()
        call = await stage.dial(caller)
        await call.hears(MUSIC)
        await asyncio.sleep(0.5)
        assert other.waiting.empty(), "it is nobody else's"
        phone = await stage.agent("bkhan", auto="answer")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.accept", agent="bkhan")
        await call.hears(phone.tone)
        await call.hang_up()


async def test_an_agent_queue_holds_ten():
    stage = Stage()
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Agent",
        action("Agent", "UpdateContactTargetQueue", {"AgentId": "bkhan"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "Full",
               {"QueueAtCapacity": "Full", "NoMatchingError": "End"}),
        play("Full", "full", "End"), action("End", "DisconnectParticipant"))
    async with stage:
        calls = [await stage.dial(await stage.caller(number=f"+120255502{n:02}")) for n in range(11)]
        heard = await until_outcomes(stage, calls)
        assert heard.count(MUSIC) == 10 and heard.count(FULL) == 1


async def test_longest_available_agent_first():
    async with Stage() as stage:
        first = await stage.agent("arossi")
        await asyncio.sleep(0.2)
        await stage.agent("bkhan")
        call = await stage.dial(await stage.caller())
        await first.incoming()
        assert stage.agent_state("bkhan") == "Available"
        await call.hang_up()


async def test_checks_of_hours_staffing_and_status():
    stage = Stage()
    stage.instance["hours"].append({"name": "Never", "time_zone": "Europe/Rome", "week": {
        "monday": ["00:00-00:01"]}, "overrides": []})
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Hours",
               {"NoMatchingError": "End"}),
        action("Hours", "CheckHoursOfOperation", {}, "End", {"NoMatchingError": "End"},
               {"True": "Staff", "False": "End"}),
        {"Identifier": "Staff", "Type": "CheckMetricData",
         "Parameters": {"MetricType": "NumberOfAgentsAvailable"},
         "Transitions": {"NextAction": "End",
                         "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "End"},
                                    {"ErrorType": "NoMatchingCondition", "NextAction": "Nobody"}],
                         "Conditions": [{"NextAction": "Somebody", "Condition": {
                             "Operator": "NumberGreaterThan", "Operands": ["0"]}}]}},
        play("Nobody", "full", "End"), play("Somebody", "beep", "End"),
        action("End", "DisconnectParticipant"))
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(FULL)
        await call.ended()
        await stage.agent("arossi")
        call = await stage.dial(await stage.caller(number="+12025550198"))
        await call.hears(BEEP)
        await call.ended()


async def R127_a_waiting_caller_is_moved_when_the_other_queue_has_room():
    """Interrupted prompts; queue B is full: stays in A; the next interrupt succeeds; answered in B."""
    stage = Stage()
    stage.instance["routing_profiles"][0]["queues"] = [{"queue": "Returns", "priority": 1}]
    stage.flows["waiting"] = flow(
        "Tone customer queue", "customerQueue", "Music",
        {"Identifier": "Music", "Type": "MessageParticipantIteratively",
         "Parameters": {"Messages": [{"PromptId": "music"}], "InterruptFrequencySeconds": "1"},
         "Transitions": {"NextAction": "Move", "Conditions": [
             {"NextAction": "Move", "Condition": {"Operator": "Equals",
                                                  "Operands": ["MessagesInterrupted"]}}]}},
        action("Move", "DequeueContactAndTransferToQueue", {"QueueId": "Returns"}, "Say",
               {"QueueAtCapacity": "Music", "NoMatchingError": "Music"}),
        play("Say", "beep", "Stay"),
        action("Stay", "EndFlowExecution"))
    stage.flows["blocker"] = queue_flow("Block", "Returns")
    stage.instance["cordboard"]["numbers"].append({"number": "+12025550101", "flow": "Block"})
    async with stage:
        blocker = await stage.dial(await stage.caller(number="+12025550197"), number="+12025550101")
        await blocker.hears(MUSIC)  # Returns holds one
        caller = await stage.caller()
        call = await stage.dial(caller)
        await call.hears(MUSIC)
        await asyncio.sleep(1.5)
        assert stage.queue("Orders")["contacts"] == 1, "B is full: the caller stays in A"
        await blocker.hang_up()
        await call.hears(BEEP, timeout=5)  # R86: the same queue flow goes on
        assert stage.queue("Orders")["contacts"] == 0
        assert stage.queue("Returns")["contacts"] == 1
        phone = await stage.agent("arossi", auto="answer")
        await call.hears(phone.tone)
        await call.hang_up()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        rows = [r for r in await stage.records(3) if r["CustomerEndpoint"]["Address"] == caller.user]
        first = next(r for r in rows if r["InitiationMethod"] == "INBOUND")
        second = next(r for r in rows if r["InitiationMethod"] == "QUEUE_TRANSFER")
        assert first["NextContactId"] == second["ContactId"]
        assert second["PreviousContactId"] == first["ContactId"] == second["InitialContactId"]
        assert first["Queue"]["Name"] == "Orders" and second["Queue"]["Name"] == "Returns"
        assert first["Agent"] is None and second["Agent"]["Username"] == "arossi"


def reach(name, kind, parameters):
    """An inbound flow of an action and the queue Orders."""
    return flow(name, "contactFlow", "Act",
                action("Act", kind, parameters, "Queue", {"NoMatchingError": "Wrong"}),
                action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
                       {"NoMatchingError": "Wrong"}),
                action("Transfer", "TransferContactToQueue", None, "Wrong",
                       {"QueueAtCapacity": "Wrong", "NoMatchingError": "Wrong"}),
                play("Wrong", "full", "End"), action("End", "DisconnectParticipant"))


def reach_stage(kind, parameters):
    """What +12025550101 reaches goes through the action, +12025550100 does not."""
    stage = Stage()
    stage.instance["agents"] += [user("cmoro", "ring")]
    stage.flows["reach"] = reach("Reach", kind, parameters)
    stage.instance["cordboard"]["numbers"].append({"number": "+12025550101", "flow": "Reach"})
    return stage


async def served_later_first(stage):
    """The one who called later is served first."""
    first = await stage.dial(await stage.caller())
    await first.hears(MUSIC)
    second = await stage.dial(await stage.caller(number="+12025550198"), number="+12025550101")
    await second.hears(MUSIC)
    phone = await stage.agent("arossi", auto="answer")
    await second.hears(phone.tone)
    assert stage.states() == ["queued", "talking"]
    await second.hang_up()
    await stage.until_agent("arossi", "AfterCallWork")
    stage.call("agent.clear", agent="arossi")
    await first.hears(phone.tone)
    await first.hang_up()


async def test_a_better_priority_is_served_first():
    async with reach_stage("UpdateContactRoutingBehavior", {"QueuePriority": "1"}) as stage:
        await served_later_first(stage)


async def test_an_adjusted_age_counts_as_waiting():
    async with reach_stage("UpdateContactRoutingBehavior",
                           {"QueueTimeAdjustmentSeconds": "600"}) as stage:
        await served_later_first(stage)


def criteria(*steps):
    """Parameters of the action; each step an AttributeCondition and seconds, or None."""
    rows = []
    for condition, seconds in steps:
        row = {"Expression": {"AttributeCondition": condition}}
        if seconds:
            row["Expiry"] = {"DurationInSeconds": seconds}
        rows.append(row)
    return {"RoutingCriteria": {"Steps": rows}}


def italian(level):
    return {"Name": "Language", "Value": "Italian", "ProficiencyLevel": level,
            "ComparisonOperator": "NumberGreaterOrEqualTo"}


async def test_criteria_choose_the_agent_who_is_proficient():
    """The other agent has waited longer, and takes the call when the step has expired."""
    stage = reach_stage("UpdateContactRoutingCriteria", criteria((italian("4.0"), "3")))
    stage.instance["agents"][2]["proficiencies"] = [
        {"attribute": "Language", "value": "Italian", "level": 4}]
    async with stage:
        rossi = await stage.agent("arossi")
        await asyncio.sleep(0.2)
        moro = await stage.agent("cmoro")
        call = await stage.dial(await stage.caller(), number="+12025550101")
        leg = await moro.incoming()
        assert stage.agent_state("arossi") == "Available"
        await leg.ring()
        await leg.reject(603)
        await stage.until_agent("cmoro", "Missed")
        await stage.until_states("queued")
        await asyncio.sleep(0.5)
        assert rossi.waiting.empty(), "the step has not expired"
        leg = await rossi.incoming()
        await leg.answer()
        await call.hears(rossi.tone)
        await call.hang_up()


async def test_criteria_prefer_an_agent_and_are_passed_meanwhile():
    preferred = {"ComparisonOperator": "Match",
                 "MatchCriteria": {"AgentsCriteria": {"AgentIds": ["u-moro"]}}}
    stage = reach_stage("UpdateContactRoutingCriteria", criteria((preferred, None)))
    stage.instance["agents"][2]["id"] = "u-moro"
    async with stage:
        picky = await stage.dial(await stage.caller(number="+12025550198"), number="+12025550101")
        await picky.hears(MUSIC)
        plain = await stage.dial(await stage.caller())
        await plain.hears(MUSIC)
        rossi = await stage.agent("arossi", auto="answer")
        await plain.hears(rossi.tone)
        assert stage.states() == ["queued", "talking"]
        moro = await stage.agent("cmoro", auto="answer")
        await picky.hears(moro.tone)
        await picky.hang_up()
        await plain.hang_up()


async def test_malformed_criteria_take_the_error_branch():
    stage = reach_stage("UpdateContactRoutingCriteria", criteria((italian("$.Attributes.level"), "3")))
    async with stage:
        call = await stage.dial(await stage.caller(), number="+12025550101")
        await call.hears(FULL)
        await call.ended()
