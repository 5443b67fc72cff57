# SPDX-License-Identifier: Apache-2.0
"""Contact records: one for each segment, chained, with figures that add up (R98 to R103)."""
import asyncio
import datetime
import time

from board import COURIER, accept, board_stage, consult, talking
from calling_back import CUSTOMER
from leaving import nothing_left
from main_job import connect
from stage import MUSIC, TRUNK, Stage, action, eventually, flow, play
from told import Watcher, whole


def seconds(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").timestamp()


def between(record, first, last):
    return seconds(last) - seconds(first)


def adds_up(record):
    """What is written in durations is what is written in times."""
    queue, agent = record["Queue"], record["Agent"]
    if queue:
        assert queue["Duration"] == between(
            record, queue["EnqueueTimestamp"], queue["DequeueTimestamp"]), queue
    if agent:
        assert agent["AgentInteractionDuration"] + agent["CustomerHoldDuration"] == between(
            record, agent["ConnectedToAgentTimestamp"], agent["AfterContactWorkStartTimestamp"]), agent
        assert agent["AfterContactWorkDuration"] == between(
            record, agent["AfterContactWorkStartTimestamp"], agent["AfterContactWorkEndTimestamp"])
        assert agent["LongestHoldDuration"] <= agent["CustomerHoldDuration"]
    connected = [record["ConnectedToSystemTimestamp"]]
    waited = [queue["EnqueueTimestamp"], queue["DequeueTimestamp"]] if queue else []
    # the customer of a callback is connected when an agent has taken it
    order = waited + connected if record["InitiationMethod"] == "CALLBACK" else connected + waited
    times = [record["InitiationTimestamp"], *order, *(
        [agent["ConnectedToAgentTimestamp"], agent["AfterContactWorkStartTimestamp"]] if agent else [])]
    assert times == sorted(times), times
    assert record["LastUpdateTimestamp"] >= max(times)


async def chain_of(stage, n):
    """The n records of one chain in its order, the chain whole: R100, R102, R103."""
    rows = {}

    def complete():
        rows.clear()
        for row in stage.call("record.list", since=0, limit=1000)["records"]:
            rows[row["ContactId"]] = row
        return len(rows) == n
    await eventually(f"{n} complete records", complete)
    first = [r for r in rows.values() if r["PreviousContactId"] is None]
    assert len(first) == 1 and first[0]["InitialContactId"] == first[0]["ContactId"], rows
    order, row = [], first[0]
    while row:
        assert row not in order, "the chain visits each exactly once"
        order.append(row)
        following = rows.get(row["NextContactId"])
        assert (following is None) == (row["NextContactId"] is None), row
        assert not following or following["PreviousContactId"] == row["ContactId"]
        row = following
    assert len(order) == n, [r["InitiationMethod"] for r in order]
    assert {r["InitialContactId"] for r in order} == {first[0]["ContactId"]}
    for row in order:
        adds_up(row)
    return order


def story(rows):
    """[(method, user name or None)]"""
    return [(r["InitiationMethod"], r["Agent"] and r["Agent"]["Username"]) for r in rows]


async def R98_the_figures_add_up_to_wall_time():
    async with board_stage() as stage:
        caller = await stage.caller()
        call = await stage.dial(caller)
        await call.hears(MUSIC)
        await asyncio.sleep(2.2)  # in the queue
        phone = await stage.agent("arossi")
        leg = await accept(stage, phone)
        await leg.hears(caller.tone)
        talk = time.monotonic()
        await asyncio.sleep(1.4)
        for hold in (1.3, 2.4):
            stage.call("contact.hold", agent="arossi", party="customer")
            await asyncio.sleep(hold)
            stage.call("contact.resume", agent="arossi", party="customer")
            await asyncio.sleep(0.6)
        stage.call("contact.leave", agent="arossi")
        await call.ended()
        talk = time.monotonic() - talk
        await stage.until_agent("arossi", "AfterCallWork")
        await asyncio.sleep(1.5)
        assert not stage.call("record.list", since=0)["records"], "not before it is cleared"
        stage.call("agent.clear", agent="arossi")
        (record,) = await chain_of(stage, 1)
        agent = record["Agent"]
        assert agent["NumberOfHolds"] == 2
        held = agent["CustomerHoldDuration"]
        assert held in (3, 4) and agent["LongestHoldDuration"] in (2, 3), agent
        assert abs(agent["AgentInteractionDuration"] + held - talk) <= 1.5, (agent, talk)
        assert record["Queue"]["Duration"] in (2, 3, 4)
        assert agent["AfterContactWorkDuration"] in (1, 2)
        assert record["ConnectedToSystemTimestamp"] == record["InitiationTimestamp"]
        assert record["DisconnectReason"] == "AGENT_DISCONNECT"
        assert record["TransferCompletedTimestamp"] is record["TransferredToEndpoint"] is None
        assert record["AgentConnectionAttempts"] == 1


async def R98_a_contact_without_an_agent_has_a_record_at_its_end():
    async with Stage() as stage:
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        assert not stage.call("record.list", since=0)["records"]
        await call.hang_up()
        (record,) = await chain_of(stage, 1)
        assert record["Agent"] is None and record["DisconnectReason"] == "CUSTOMER_DISCONNECT"


def callback_in(flow_name, kind, queue, then):
    """A flow that promises the customer a callback in two seconds, then goes on to its end."""
    return flow(flow_name, kind, "Set",
                action("Set", "UpdateContactAttributes", {"Attributes": {"number": CUSTOMER}}, "Number",
                       {"NoMatchingError": "End"}),
                action("Number", "UpdateContactCallbackNumber",
                       {"CallbackNumber": "$.Attributes.number"}, "Queue",
                       {"InvalidCallbackNumber": "End", "CallbackNumberNotDialable": "End"}),
                action("Queue", "UpdateContactTargetQueue", {"QueueId": queue}, "Callback",
                       {"NoMatchingError": "End"}),
                action("Callback", "CreateCallbackContact",
                       {"InitialCallDelaySeconds": "2", "MaximumConnectionAttempts": "1",
                        "RetryDelaySeconds": "1"}, then[0]["Identifier"], {"NoMatchingError": "End"}),
                *then, action("End", "DisconnectParticipant"))


async def called_back(stage, home, name):
    """Agent `name` takes the callback, the customer answers, they talk, both are done."""
    phone = await stage.agent(name)
    leg = await accept(stage, phone)
    call = await home.incoming(timeout=10)
    await call.answer()
    await call.hears(phone.tone)
    await leg.hears(home.tone)
    await call.hang_up()
    await stage.until_agent(name, "AfterCallWork")
    stage.call("agent.clear", agent=name)


async def R100_R101_the_story_of_three_records():
    """Agent 1 takes the call, transfers it to agent 2; agent 3 handles the callback."""
    stage = board_stage()
    # the transfer flow is where the callback is asked for: its segment comes before it
    stage.flows["to-agent"] = callback_in("Tone agent transfer", "agentTransfer", "Returns",
                                          [play("Tone", "to-agent", "Go"),
                                           action("Go", "TransferContactToAgent")])
    async with stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        call, source, (phone,) = await talking(stage)
        target = await consult(stage, call, source, phone, "B. Khan")
        stage.call("contact.join", agent="arossi")
        await target.hears(call.phone.tone)
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await call.hang_up()
        await target.ended()
        for name in ("arossi", "bkhan"):
            await stage.until_agent(name, "AfterCallWork")
            stage.call("agent.set_status", agent=name, status="Lunch")
        await called_back(stage, home, "csilva")
        rows = await chain_of(stage, 3)
        assert story(rows) == [("INBOUND", "arossi"), ("TRANSFER", "bkhan"), ("CALLBACK", "csilva")]
        assert rows[0]["DisconnectReason"] == "AGENT_DISCONNECT"
        assert rows[1]["DisconnectReason"] == "CUSTOMER_DISCONNECT"
        await nothing_left(stage)


async def R99_R103_other_segments_may_be_between():
    """A move, an agent, a transfer that nobody answered, a disconnect flow with a callback: five
    segments, each with a record of its own (R99) and no more than one agent."""
    stage = board_stage(routing__offer="1s")
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Returns"}, "Hook",
               {"NoMatchingError": "End"}),
        action("Hook", "UpdateContactEventHooks",
               {"EventHooks": {"CustomerRemaining": "After the call"}}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"QueueAtCapacity": "End", "NoMatchingError": "End"}),
        action("End", "DisconnectParticipant"))
    stage.flows["waiting"] = flow(
        "Tone customer queue", "customerQueue", "Music",
        {"Identifier": "Music", "Type": "MessageParticipantIteratively",
         "Parameters": {"Messages": [{"PromptId": "music"}], "InterruptFrequencySeconds": "1"},
         "Transitions": {"NextAction": "Move", "Conditions": [
             {"NextAction": "Move", "Condition": {"Operator": "Equals",
                                                  "Operands": ["MessagesInterrupted"]}}]}},
        action("Move", "DequeueContactAndTransferToQueue", {"QueueId": "Orders"}, "Music",
               {"QueueAtCapacity": "Music", "NoMatchingError": "Music"}))
    stage.flows["after"] = callback_in("After the call", "contactFlow", "Returns",
                                       [play("Bye", "full", "End")])
    async with stage:
        watcher = Watcher(stage, topics=["contact"])
        home = await stage.phone("customer", TRUNK, port=5060)
        call = await stage.dial(await stage.caller())
        await eventually("the move", lambda: stage.queue("Orders")["contacts"] == 1)
        phone = await stage.agent("arossi")
        leg = await accept(stage, phone)
        await leg.hears(call.phone.tone)
        await stage.agent("bkhan")
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Missed")
        stage.call("agent.set_status", agent="bkhan", status="Lunch")
        await eventually("the transfer to be over", lambda: len(stage.contacts()) == 1)
        if stage.agent_state("arossi") == "Busy":
            stage.call("contact.leave", agent="arossi")
        await call.ended()
        stage.call("agent.set_status", agent="arossi", status="Lunch")
        await called_back(stage, home, "csilva")
        rows = await chain_of(stage, 5)
        assert story(rows) == [("INBOUND", None), ("QUEUE_TRANSFER", "arossi"), ("TRANSFER", None),
                               ("DISCONNECT", None), ("CALLBACK", "csilva")]
        assert [r["Queue"] and r["Queue"]["Name"] for r in rows] == [
            "Returns", "Orders", None, None, "Returns"]
        await eventually("all to be told", lambda: sum(
            kinds[-1] == "COMPLETED" for kinds in watcher.contacts().values()) == 5)
        # told in the order of the chain
        assert list(whole(watcher)) == [r["ContactId"] for r in rows]
        await nothing_left(stage)


async def R102_a_delivered_record_that_gets_a_successor_is_delivered_again():
    """A transfer that failed is complete at once, and the end of the chain until the next one."""
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        stage.call("agent.set_status", agent="bkhan", status="Lunch")
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        (before,) = await stage.records(1)
        assert story([before]) == [("TRANSFER", None)] and before["NextContactId"] is None
        stage.call("agent.set_status", agent="bkhan", status="Available")
        target = await consult(stage, call, source, phone, "B. Khan")
        rows = await eventually("the record again", lambda: [
            r for r in stage.call("record.list", since=0)["records"] if r["NextContactId"]])
        assert [r["ContactId"] for r in rows] == [before["ContactId"]]
        assert rows[0]["LastUpdateTimestamp"] > before["LastUpdateTimestamp"]
        changed = {k for k in before if before[k] != rows[0][k]}
        assert changed == {"NextContactId", "LastUpdateTimestamp"}, changed
        await call.hang_up()
        stage.call("contact.leave", agent="arossi")
        await target.ended()
        for name in ("arossi", "bkhan"):
            await stage.until_agent(name, "AfterCallWork")
            stage.call("agent.clear", agent=name)
        assert story(await chain_of(stage, 3)) == [
            ("INBOUND", "arossi"), ("TRANSFER", None), ("TRANSFER", "bkhan")]


async def test_a_transfer_out_of_the_system_is_written():
    """The agent leaves the customer with an outside number: complete at the clear, and delivered
    again when the call ends."""
    async with board_stage() as stage:
        watcher = Watcher(stage, topics=["contact"])
        carrier = await stage.phone("carrier", TRUNK, port=5060)
        call, source, _ = await talking(stage)
        stage.call("contact.transfer", agent="arossi", quick_connect="Courier")
        other = await carrier.incoming()
        await other.answer()
        await source.hears(carrier.tone)
        stage.call("contact.join", agent="arossi")
        await call.hears(carrier.tone)
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        (first,) = await stage.records(1)
        assert first["TransferCompletedTimestamp"] == first["Agent"]["AfterContactWorkStartTimestamp"]
        assert first["TransferredToEndpoint"] == {"Address": COURIER, "Type": "TELEPHONE_NUMBER"}
        assert first["DisconnectTimestamp"] is None
        assert "COMPLETED" not in watcher.contacts()[first["ContactId"]]
        await other.hang_up()
        await call.ended()
        last = await eventually("the record again", lambda: next(
            (r for r in stage.call("record.list", since=0)["records"] if r["DisconnectTimestamp"]),
            None))
        assert last["ContactId"] == first["ContactId"]
        assert last["DisconnectReason"] == "THIRD_PARTY_DISCONNECT"
        assert last["LastUpdateTimestamp"] > first["LastUpdateTimestamp"]
        assert last["Agent"] == first["Agent"]
        adds_up(last)
        await watcher.until("contact", "the end", lambda e: e["EventType"] == "COMPLETED")
        whole(watcher)
        await nothing_left(stage)


async def pain_8_statistics_and_reasons_after_transfers():
    """Each agent's figures are that agent's own, and the source learns why a transfer failed."""
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        stage.call("agent.set_status", agent="bkhan", status="Lunch")
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        why = await eventually("the reason", lambda: stage.call(
            "contact.panel", agent="arossi")["panel"]["transfer_failed"])
        assert "bkhan" in why and "Available" in why, why
        assert stage.agent_state("arossi") == "Busy"
        stage.call("agent.set_status", agent="bkhan", status="Available")
        target = await consult(stage, call, source, phone, "B. Khan")
        stage.call("contact.join", agent="arossi")
        await target.hears(call.phone.tone)
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        left = time.monotonic()
        await stage.until_agent("arossi", "AfterCallWork")  # not shown as talking any more
        await asyncio.sleep(3)
        assert stage.agent_state("arossi") == "AfterCallWork"
        stage.call("agent.clear", agent="arossi")
        await call.hang_up()
        await target.ended()
        talked = time.monotonic() - left
        await stage.until_agent("bkhan", "AfterCallWork")
        stage.call("agent.clear", agent="bkhan")
        first, failed, second = await chain_of(stage, 3)
        assert story([first, failed, second]) == [
            ("INBOUND", "arossi"), ("TRANSFER", None), ("TRANSFER", "bkhan")]
        assert failed["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT", failed
        assert failed["AgentConnectionAttempts"] == 0 and second["AgentConnectionAttempts"] == 1
        # the source's talk ended when it left; the target's goes on, and began with the consultation
        gap = between(first, first["Agent"]["AfterContactWorkStartTimestamp"],
                      second["Agent"]["AfterContactWorkStartTimestamp"])
        assert abs(gap - talked) <= 1.5, (gap, talked)
        assert second["Agent"]["ConnectedToAgentTimestamp"] <= \
            first["Agent"]["AfterContactWorkStartTimestamp"]
        assert second["Agent"]["AgentInteractionDuration"] >= 3
        assert first["Agent"]["CustomerHoldDuration"] >= 1 and first["Agent"]["NumberOfHolds"] >= 1
        assert first["DisconnectReason"] == "AGENT_DISCONNECT"
        assert second["DisconnectReason"] == "CUSTOMER_DISCONNECT"
