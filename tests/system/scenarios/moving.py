# SPDX-License-Identifier: Apache-2.0
"""Looking before queueing, and moving a waiting caller: what the caller hears, queue by queue."""
import asyncio

from main_job import never, one_span, spans
from stage import (BEEP, FULL, GREETING, MUSIC, WHISPER, Stage, action, eventually, flow, play,
                   queue_flow, tone)

SECOND, WRONG = 1750, 1950  # a second message of the queue; the error branch
QUEUE_ARN = "arn:aws:connect:eu-central-1:111122223333:instance/abc/queue/"
NUMBERS = [f"+1202555010{n}" for n in range(10)]


def compare(identifier, kind, parameters, operator, operand, yes, no):
    """An action with one condition; all else leads to `no`."""
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters,
            "Transitions": {"NextAction": no,
                            "Conditions": [{"NextAction": yes, "Condition": {
                                "Operator": operator, "Operands": [operand]}}],
                            "Errors": [{"ErrorType": "NoMatchingCondition", "NextAction": no},
                                       {"ErrorType": "NoMatchingError", "NextAction": "Wrong"}]}}


def prompts(identifier, messages, then, interrupt="1"):
    return {"Identifier": identifier, "Type": "MessageParticipantIteratively",
            "Parameters": {"Messages": messages, "InterruptFrequencySeconds": interrupt},
            "Transitions": {"NextAction": then, "Conditions": [
                {"NextAction": then, "Condition": {"Operator": "Equals",
                                                   "Operands": ["MessagesInterrupted"]}}]}}


def moving_flow(to, messages=({"PromptId": "music"},), interrupt="1", success="Say"):
    """A queue flow that is interrupted and moves: beep on success, full, or wrong; and goes on."""
    return flow("Tone customer queue", "customerQueue", "Music",
                prompts("Music", list(messages), "Move", interrupt),
                action("Move", "DequeueContactAndTransferToQueue", to, success,
                       {"QueueAtCapacity": "Full", "NoMatchingError": "Wrong"}),
                play("Say", "beep", "Stay"), play("Full", "full", "Stay"),
                play("Wrong", "wrong", "Stay"), action("Stay", "EndFlowExecution"))


def add_number(stage, n, content):
    stage.flows[f"number-{n}"] = content
    stage.instance["cordboard"]["numbers"].append(
        {"number": NUMBERS[n], "flow": content["Metadata"]["name"]})


def to_queue(name, queue, *before):
    """An inbound flow that goes through some actions and then into a queue. They lead from one to the
    next by their identifiers: "Queue" comes behind the last."""
    first = before[0]["Identifier"] if before else "Queue"
    return flow(name, "contactFlow", first, *before,
                action("Queue", "UpdateContactTargetQueue", {"QueueId": queue}, "Transfer",
                       {"NoMatchingError": "Wrong"}),
                action("Transfer", "TransferContactToQueue", None, "Wrong",
                       {"QueueAtCapacity": "Wrong", "NoMatchingError": "Wrong"}),
                play("Wrong", "wrong", "End"), action("End", "DisconnectParticipant"))


def with_attribute(name, value):
    return to_queue(name, "Orders", action("Set", "UpdateContactAttributes",
                                           {"Attributes": {"to": value}}, "Queue",
                                           {"NoMatchingError": "Wrong"}))


def moving_stage(to, **more):
    stage = Stage()
    stage.instance["prompts"] += [{"name": "wrong", "file": tone(WRONG, 300)},
                                  {"name": "second", "file": tone(SECOND, 300)}]
    stage.instance["queues"][0]["id"] = "q-orders"
    stage.instance["queues"][1]["id"] = "q-returns"
    stage.flows["waiting"] = moving_flow(to, **more)
    return stage


async def block_returns(stage):
    """Takes the one place of Returns."""
    blocker = await stage.dial(await stage.caller(number="+12025550190"), number=NUMBERS[9])
    await eventually("Returns to be full", lambda: stage.queue("Returns")["contacts"] == 1)
    return blocker


def heard_in_order(report):
    """The tones that were heard, one after the other; short pieces left out."""
    order = []
    for heard in sorted(report["heard"], key=lambda h: h["from_ms"]):
        long = heard["to_ms"] - heard["from_ms"] > 80
        if long and (not order or order[-1] != heard["hz"]):
            order.append(heard["hz"])
    return order


def long_span(report, hz):
    """When a tone was heard first that is no moment of speech."""
    return next(s for s in spans(report, hz) if s[1] - s[0] > 200)


def longest_silence(report):
    heard = sorted(report["heard"], key=lambda h: h["from_ms"])
    return max(b["from_ms"] - a["to_ms"] for a, b in zip(heard, heard[1:]))


async def R82_a_flow_looks_before_it_queues():
    """Status, then staffing, then the figures: each turns the caller away until all are right."""
    stage = moving_stage({"QueueId": "Returns"})
    add_number(stage, 1, flow(
        "Look", "contactFlow", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Status",
               {"NoMatchingError": "Wrong"}),
        compare("Status", "CheckMetricData", {"MetricType": "NumberOfContactsInQueue"},
                "NumberGreaterThan", "0", "Busy", "Staff"),
        compare("Staff", "CheckMetricData", {"MetricType": "NumberOfAgentsStaffed"},
                "NumberGreaterThan", "0", "Figures", "Nobody"),
        action("Figures", "GetMetricData", {"QueueChannel": "vOICE"}, "Size",
               {"NoMatchingError": "Wrong"}),
        compare("Size", "Compare", {"ComparisonValue": "$.Metrics.Queue.Size"}, "Equals", "0",
                "Agents", "Wrong"),
        compare("Agents", "Compare", {"ComparisonValue": "$.Metrics.Agents.Available.Count"},
                "NumberGreaterThan", "0", "Good", "Engaged"),
        play("Busy", "full", "End"), play("Nobody", "second", "End"), play("Good", "beep", "End"),
        play("Engaged", "greeting", "End"), play("Wrong", "wrong", "End"),
        action("End", "DisconnectParticipant")))

    async def look(stage, n, hz):
        call = await stage.dial(await stage.caller(number=f"+1202555018{n}"), number=NUMBERS[1])
        await call.hears(hz)
        await call.ended()

    async with stage:
        await look(stage, 0, SECOND)
        phone = await stage.agent("arossi")
        await look(stage, 1, BEEP)
        caller = await stage.dial(await stage.caller())
        leg = await phone.incoming()
        await look(stage, 2, FULL)  # offered, not yet taken: it counts
        await leg.answer()
        await caller.hears(phone.tone)
        await look(stage, 3, GREETING)  # staffed, but not available
        await caller.hang_up()


async def test_agents_in_a_custom_status_are_online_and_not_staffed():
    stage = moving_stage({"QueueId": "Returns"})
    add_number(stage, 1, flow(
        "Look", "contactFlow", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Staffed",
               {"NoMatchingError": "Wrong"}),
        compare("Staffed", "CheckMetricData", {"MetricType": "NumberOfAgentsStaffed"},
                "NumberGreaterThan", "0", "Wrong", "Available"),
        compare("Available", "CheckMetricData", {"MetricType": "NumberOfAgentsAvailable"},
                "NumberGreaterThan", "0", "Wrong", "Online"),
        compare("Online", "CheckMetricData", {"MetricType": "NumberOfAgentsOnline"},
                "NumberGreaterThan", "0", "Figures", "Nobody"),
        action("Figures", "GetMetricData", {}, "Lunch", {"NoMatchingError": "Wrong"}),
        compare("Lunch", "Compare", {"ComparisonValue": "$.Metrics.Agents.NonProductive.Count"},
                "Equals", "1", "Good", "Wrong"),
        play("Good", "beep", "End"), play("Nobody", "full", "End"), play("Wrong", "wrong", "End"),
        action("End", "DisconnectParticipant")))
    async with stage:
        call = await stage.dial(await stage.caller(), number=NUMBERS[1])
        await call.hears(FULL)
        await call.ended()
        await stage.agent("arossi", status="Lunch")
        call = await stage.dial(await stage.caller(number="+12025550198"), number=NUMBERS[1])
        await call.hears(BEEP)
        await call.ended()


async def R83_prompts_of_several_kinds_until_the_interrupt():
    stage = moving_stage({"QueueId": "Returns"}, interrupt="6",
                         messages=({"PromptId": "second"}, {"Text": "Please hold the line."},
                                   {"PromptId": "music"}))
    stage.options["speech__cache"] = "/tmp/cordboard-speech"
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(SECOND)
        await call.hears(0)  # speech
        await eventually("the move", lambda: stage.queue("Returns")["contacts"] == 1)
        await asyncio.sleep(0.5)
        report = await call.report()
        (second, _), (beep, _) = (long_span(report, hz) for hz in (SECOND, BEEP))
        music, speech = long_span(report, MUSIC)[0], spans(report, 0)
        assert second < speech[0][0] < music < beep, report["heard"]
        assert 5800 <= beep - second <= 6400, f"interrupted after {beep - second} ms"


async def R84_no_move_while_being_offered():
    async with moving_stage({"QueueId": "Returns"}) as stage:
        phone = await stage.agent("arossi")
        call = await stage.dial(await stage.caller())
        leg = await phone.incoming()
        await leg.ring()
        await call.hears(WRONG)
        assert stage.states() == ["offered"]
        assert stage.queue("Orders")["contacts"] == 1 and stage.queue("Returns")["contacts"] == 0
        await leg.answer()
        await call.hears(phone.tone)
        never(await call.report(), FULL)
        await call.hang_up()


async def R85_the_new_queue_is_an_arn_or_an_id():
    stage = moving_stage({"QueueId": "$.Attributes.to"})
    values = {1: QUEUE_ARN + "q-returns", 2: "q-returns", 3: "Returns", 4: "nonsense",
              5: QUEUE_ARN + "nonsense"}
    for n, value in values.items():
        add_number(stage, n, with_attribute(f"Set {n}", value))
    async with stage:
        for n in (1, 2):
            call = await stage.dial(await stage.caller(number=f"+1202555018{n}"), number=NUMBERS[n])
            await call.hears(BEEP)
            assert stage.queue("Returns")["contacts"] == 1
            await call.hang_up()
            await stage.until_states()
        for n in (3, 4, 5):
            call = await stage.dial(await stage.caller(number=f"+1202555018{n}"), number=NUMBERS[n])
            await call.hears(WRONG)
            assert stage.queue("Orders")["contacts"] == 1
            await call.hang_up()
            await stage.until_states()


async def R86_after_a_move_the_same_queue_flow_goes_on():
    async with moving_stage({"QueueId": "Returns"}) as stage:
        call = await stage.dial(await stage.caller())
        await call.hears(BEEP)
        await eventually("the move", lambda: stage.queue("Returns")["contacts"] == 1)
        assert stage.queue("Orders")["contacts"] == 0
        assert stage.states() == ["queued"]
        await call.hang_up()
        assert started(stage) == ["Main", "Tone customer queue"]


async def R62_a_queue_transfer_runs_no_further_flow():
    """Both records, one call: the customer queue flow is the only one that goes on."""
    async with moving_stage({"QueueId": "Returns"}) as stage:
        call = await stage.dial(await stage.caller())
        await call.hears(BEEP)
        await asyncio.sleep(2.5)
        report = await call.report()
        assert heard_in_order(report).count(GREETING) == 1
        never(report, FULL, WRONG, WHISPER)
        await call.hang_up()
        rows = await stage.records(2)
        assert [r["InitiationMethod"] for r in rows] == ["INBOUND", "QUEUE_TRANSFER"], rows
        assert started(stage) == ["Main", "Tone customer queue"]


def started(stage):
    """Flows in the order in which they were started, by the log."""
    stage.log.flush()
    lines = (stage.directory / "log").read_text(encoding="utf-8").splitlines()
    return [line.split("flow '")[1].split("' starts as")[0] for line in lines if "' starts as" in line]


async def R87_at_capacity_the_place_is_kept():
    stage = moving_stage({"QueueId": "Returns"})
    stage.instance["routing_profiles"][0]["queues"] = [{"queue": "Orders", "priority": 1}]
    add_number(stage, 9, queue_flow("Block", "Returns"))
    async with stage:
        await block_returns(stage)
        first = await stage.dial(await stage.caller(number="+12025550191"))
        await first.hears(MUSIC)
        second = await stage.dial(await stage.caller(number="+12025550192"))
        await first.hears(FULL)
        await second.hears(FULL)
        assert stage.queue("Orders")["contacts"] == 2
        phone = await stage.agent("arossi", auto="answer")
        await first.hears(phone.tone)
        never(await second.report(), phone.tone)


async def R89_the_prompts_start_again_and_the_interrupt_counts_anew():
    stage = moving_stage({"QueueId": "Orders"}, interrupt="2",
                         messages=({"PromptId": "second"}, {"PromptId": "music"}))
    async with stage:
        call = await stage.dial(await stage.caller())
        await asyncio.sleep(9)
        report = await call.report()
        await call.hang_up()
        assert heard_in_order(report)[:7] == [GREETING] + 2 * [SECOND, MUSIC, BEEP]
        firsts, ends = spans(report, SECOND), spans(report, BEEP)
        assert len(firsts) >= 3
        for first, end in zip(firsts, ends):
            assert 1800 <= end[0] - first[0] <= 2600, (firsts, ends)
        assert longest_silence(report) < 300, report["heard"]


async def R90_without_prompts_to_go_back_to_there_is_silence():
    stage = moving_stage({})
    stage.flows["waiting"] = flow("Tone customer queue", "customerQueue", "Once",
                                  play("Once", "second", "Stay"), action("Stay", "EndFlowExecution"))
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(SECOND)
        await asyncio.sleep(2)
        report = await call.report()
        one_span(report, SECOND)
        never(report, MUSIC, BEEP)
        assert stage.states() == ["queued"]
        phone = await stage.agent("arossi", auto="answer")
        await call.hears(phone.tone)
        await call.hang_up()


async def R92_by_agent_in_all_five_actions():
    stage = moving_stage({"AgentId": "bkhan"})
    stage.instance["agents"][0]["id"] = "u-rossi"
    add_number(stage, 1, flow(
        "By agent", "contactFlow", "Status",
        compare("Status", "CheckMetricData",
                {"MetricType": "NumberOfContactsInQueue", "AgentId": "u-rossi"},
                "NumberGreaterThan", "0", "Full", "Staff"),
        compare("Staff", "CheckMetricData", {"MetricType": "NumberOfAgentsOnline", "AgentId": "arossi"},
                "NumberGreaterThan", "0", "Figures", "Full"),
        action("Figures", "GetMetricData", {"AgentId": "bkhan"}, "Nobody", {"NoMatchingError": "Wrong"}),
        compare("Nobody", "Compare", {"ComparisonValue": "$.Metrics.Agents.Online.Count"}, "Equals",
                "0", "Queue", "Full"),
        action("Queue", "UpdateContactTargetQueue", {"AgentId": "u-rossi"}, "Transfer",
               {"NoMatchingError": "Wrong"}),
        action("Transfer", "TransferContactToQueue", None, "Wrong",
               {"QueueAtCapacity": "Full", "NoMatchingError": "Wrong"}),
        play("Full", "full", "End"), play("Wrong", "wrong", "End"),
        action("End", "DisconnectParticipant")))
    async with stage:
        call = await stage.dial(await stage.caller(), number=NUMBERS[1])
        await call.hears(FULL)  # the agent is not there
        await call.ended()
        rossi = await stage.agent("arossi", status="Lunch")
        call = await stage.dial(await stage.caller(number="+12025550198"), number=NUMBERS[1])
        await call.hears(MUSIC)
        waiting = await stage.dial(await stage.caller(number="+12025550197"), number=NUMBERS[1])
        await waiting.hears(FULL)  # one waits in the agent's own queue
        await call.hears(BEEP)  # moved to the other agent's
        khan = await stage.agent("bkhan", auto="answer")
        await stage.until_agent("bkhan", "Offered")
        stage.call("agent.set_status", agent="arossi", status="Available")
        stage.call("contact.accept", agent="bkhan")
        await call.hears(khan.tone)
        assert rossi.waiting.empty()
        await call.hang_up()


async def R93_an_attribute_holds_a_user_name_or_a_user_id():
    stage = moving_stage({"AgentId": "$.Attributes.to"})
    stage.instance["agents"][0]["id"] = "u-rossi"
    values = {1: ("arossi", BEEP), 2: ("u-rossi", BEEP), 3: ("Rossi", WRONG), 4: ("q-orders", WRONG),
              5: ("arn:aws:connect:eu-central-1:111122223333:instance/abc/agent/u-rossi", WRONG)}
    for n, (value, _) in values.items():
        add_number(stage, n, with_attribute(f"Set {n}", value))
    async with stage:
        for n, (value, hz) in values.items():
            call = await stage.dial(await stage.caller(number=f"+1202555018{n}"), number=NUMBERS[n])
            await call.hears(hz)
            assert stage.queue("Orders")["contacts"] == (hz == WRONG), value
            await call.hang_up()
            await stage.until_states()


async def R88_success_that_leads_nowhere_is_refused():
    """Such a file is not taken over, by name of its action; the callers of the other stay queued."""
    async with moving_stage({"QueueId": "Returns"}) as stage:
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        stage.flows["waiting"] = moving_flow({"QueueId": "Returns"}, success=None)
        stage.write_instance()
        report = stage.call("reload")
        assert not report["loaded"]
        wrong = [row for row in report["report"] if row["severity"] == "error"]
        assert len(wrong) == 1 and "'Move'" in str(wrong[0]) and "waiting.json" in str(wrong[0]), report
        await call.hears(BEEP)
        assert stage.queue("Returns")["contacts"] == 1


async def test_figures_by_channel_and_of_an_agents_queue():
    """One waits in an agent's own queue: voice knows of it, chat has no figures."""
    stage = moving_stage({"QueueId": "Returns"}, interrupt="60")
    add_number(stage, 1, flow(
        "Own", "contactFlow", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"AgentId": "bkhan"}, "Transfer",
               {"NoMatchingError": "Wrong"}),
        action("Transfer", "TransferContactToQueue", None, "Wrong",
               {"QueueAtCapacity": "Wrong", "NoMatchingError": "Wrong"}),
        play("Wrong", "wrong", "End"), action("End", "DisconnectParticipant")))
    add_number(stage, 2, flow(
        "Look", "contactFlow", "Chat",
        action("Chat", "GetMetricData", {"AgentId": "bkhan", "QueueChannel": "CHAT"}, "None",
               {"NoMatchingError": "Wrong"}),
        compare("None", "Compare", {"ComparisonValue": "$.Metrics.Queue.Size"},
                "NumberGreaterOrEqualTo", "0", "Wrong", "Voice"),
        action("Voice", "GetMetricData", {"AgentId": "bkhan", "QueueChannel": "voice"}, "Size",
               {"NoMatchingError": "Wrong"}),
        compare("Size", "Compare", {"ComparisonValue": "$.Metrics.Queue.Size"}, "Equals", "1",
                "Age", "Wrong"),
        compare("Age", "Compare", {"ComparisonValue": "$.Metrics.Queue.OldestContactAge"},
                "NumberGreaterThan", "0", "Good", "Wrong"),
        play("Good", "beep", "End"), play("Wrong", "wrong", "End"),
        action("End", "DisconnectParticipant")))
    async with stage:
        waiting = await stage.dial(await stage.caller(), number=NUMBERS[1])
        await waiting.hears(MUSIC)
        await asyncio.sleep(1.2)
        call = await stage.dial(await stage.caller(number="+12025550198"), number=NUMBERS[2])
        await call.hears(BEEP)
        await call.ended()
        never(await call.report(), WRONG)
        await waiting.hang_up()
