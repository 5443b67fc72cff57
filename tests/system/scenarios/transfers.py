# SPDX-License-Identifier: Apache-2.0
"""Transfers by agents, step by step, judged by ear (R15 to R44, R126)."""
from board import (AGENT_HOLD, CUSTOMER_HOLD, RINGBACK, TO_AGENT, TO_QUEUE, accept, add_prompt,
                   add_quick_connect, before_queueing, board_stage, chain, clear, hears_now,
                   lasts, panel, refused, shown, short_prompt, talking, transfer, who_did_what)
from leaving import nothing_left
from main_job import never, no_gaps, one_span, spans
from stage import BEEP, FULL, MUSIC, WHISPER, action, eventually, flow, play
from told import Watcher


async def R20_R126_the_story_of_a_warm_transfer():
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        customer, first, second = call.phone.tone, source.phone.tone, phone.tone
        assert shown(stage, "arossi") == [(call.phone.user, "Connected")]              # R23
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        assert shown(stage, "arossi")[1] == ("internal-transfer", "Connected")         # R24
        await source.hears(TO_AGENT)
        await call.hears(CUSTOMER_HOLD)
        await stage.until_agent("bkhan", "Offered")                                    # R25
        await hears_now({call: {CUSTOMER_HOLD}, source: {RINGBACK}})
        target = await accept(stage, phone)
        await target.hears(WHISPER)                                                    # R26
        assert shown(stage, "bkhan") == [("internal-transfer", "Connecting")]
        await source.hears(BEEP)                                                       # R27
        await target.hears(first)                                                      # R28
        await hears_now({call: {CUSTOMER_HOLD}, source: {second}, target: {first}})
        assert shown(stage, "bkhan") == [("internal-transfer", "Connected")]
        stage.call("contact.join", agent="arossi")                                     # R45
        await hears_now({call: {first, second}, source: {customer, second},
                         target: {customer, first}})
        stage.call("contact.leave", agent="arossi")                                    # R49
        await source.ended()
        await hears_now({call: {second}, target: {customer}})
        assert stage.agent_state("arossi") == "AfterCallWork"                          # R51
        stage.call("agent.clear", agent="arossi")
        record = (await stage.records(1))[0]
        assert record["Agent"]["Username"] == "arossi"
        assert record["InitiationMethod"] == "INBOUND" and record["NextContactId"]
        await hears_now({call: {second}, target: {customer}})
        await call.hang_up()
        await target.ended()
        stage.call("agent.clear", agent="bkhan")
        last = (await stage.records(2))[1]
        assert last["Agent"]["Username"] == "bkhan" and last["InitiationMethod"] == "TRANSFER"
        assert last["ContactId"] == record["NextContactId"]
        assert last["PreviousContactId"] == record["ContactId"]
        assert last["InitialContactId"] == record["ContactId"] and last["NextContactId"] is None
        heard, agent, other = await call.report(), await source.report(), await target.report()
        never(heard, WHISPER, TO_AGENT, RINGBACK, AGENT_HOLD)
        never(agent, CUSTOMER_HOLD, AGENT_HOLD)
        never(other, BEEP, TO_AGENT, RINGBACK, CUSTOMER_HOLD)
        for report in (heard, agent, other):
            no_gaps(report)
        whisper, beep = one_span(other, WHISPER), one_span(agent, BEEP)
        assert whisper[1] - 40 <= beep[0], "R27: the customer whisper follows the agent whisper"
        await nothing_left(stage)


async def R15_R16_a_transfer_needs_a_contact_and_a_destination():
    stage = board_stage()
    stage.instance["quick_connects"].append(
        {"name": "Nobody's desk", "description": "at no queue", "type": "external",
         "number": "+12025550178"})
    async with stage:
        caller = await stage.caller()
        phone = await stage.agent("arossi")
        refused(stage, "no contact", "contact.transfer", agent="arossi", quick_connect="B. Khan")
        call = await stage.dial(caller)
        await stage.until_agent("arossi", "Offered")
        refused(stage, "only being offered", "contact.transfer", agent="arossi", quick_connect="B. Khan")
        source = await accept(stage, phone)
        await call.hears(phone.tone)
        for words, wrong in (
                ("no quick connect", {"quick_connect": "Nobody's desk"}),
                ("no quick connect", {"quick_connect": "Nothing"}),
                ("no phone number", {"number": "12"}), ("no phone number", {"number": "courier"}),
                ("may not be called", {"number": "+19005550123"}), ("", {}),
                ("", {"number": "+12025550177", "quick_connect": "Courier"}),
                ("caller_id", {"number": "+12025550177", "caller_id": "+12025550100"})):  # R43
            refused(stage, words, "contact.transfer", agent="arossi", **wrong)
        assert shown(stage, "arossi") == [(caller.user, "Connected")]
        await hears_now({call: {phone.tone}, source: {caller.tone}})
        await call.hang_up()
        await stage.until_agent("arossi", "AfterCallWork")
        refused(stage, "after-contact work", "contact.transfer", agent="arossi", quick_connect="B. Khan")
        never(await call.report(), CUSTOMER_HOLD)


async def R17_R18_R19_attributes_and_the_hold_flow_of_the_inbound_flow_hold_in_the_transfer():
    """The customer hears the hold flow that a flow has set, for each kind of quick connect."""
    other_hold = 1250
    stage = board_stage()
    add_prompt(stage, "other-hold", other_hold, 2000)
    stage.flows["other-hold"] = flow(
        "Other hold", "customerHold", "Hold",
        action("Hold", "MessageParticipantIteratively", {"Messages": [{"PromptId": "other-hold"}]}))
    before_queueing(
        stage,
        action("Set", "UpdateContactAttributes", {"Attributes": {"order": "1043"}}, "Hook",
               {"NoMatchingError": "End"}),
        action("Hook", "UpdateContactEventHooks", {"EventHooks": {"CustomerHold": "Other hold"}},
               "Queue", {"NoMatchingError": "End"}))
    for name, kind in (("to-agent", "agentTransfer"), ("to-queue", "queueTransfer")):
        stage.flows[name]["StartAction"] = "Check"
        stage.flows[name]["Actions"] += [
            action("Check", "Compare", {"ComparisonValue": "$.Attributes.order"}, None,
                   {"NoMatchingCondition": "Bad"}, {"1043": "Tone"}),
            play("Bad", "full", "Bye"), action("Bye", "DisconnectParticipant")]
    async with stage:
        call, source, _ = await talking(stage, others=())
        for target, tone in (("B. Khan", TO_AGENT), ("Returns desk", TO_QUEUE)):
            transfer(stage, source, target)
            await source.hears(tone)
            await hears_now({call: {other_hold}}, settle=0.1)
            stage.call("contact.disconnect", agent="arossi", party=added(stage, "arossi"))
            stage.call("contact.resume", agent="arossi", party="customer")
            await hears_now({call: {source.phone.tone}, source: {call.phone.tone}})
        transfer(stage, source, "Courier")
        await hears_now({call: {other_hold}})
        heard, agent = await call.report(), await source.report()
        never(heard, CUSTOMER_HOLD, TO_AGENT, TO_QUEUE, FULL)
        never(agent, other_hold, FULL)


def added(stage, agent):
    """The party that the agent has added."""
    return panel(stage, agent)["connections"][1]["party"]


async def R24_R29_an_agent_step_by_step_and_nobody_talks_before_the_last():
    stage = board_stage()
    for prompt in ("to-agent", "whisper", "beep"):
        lasts(stage, prompt, 1500)
    async with stage:
        call, source, (phone,) = await talking(stage)
        customer, first, second = call.phone.tone, source.phone.tone, phone.tone
        transfer(stage, source, "B. Khan")
        theirs = [(call.phone.user, "On hold"), ("internal-transfer", "Connected")]
        assert shown(stage, "arossi") == theirs
        assert shown(stage, "bkhan") == [] and stage.agent_state("bkhan") == "Available"   # R24
        await hears_now({call: {CUSTOMER_HOLD}, source: {TO_AGENT}})
        await stage.until_agent("bkhan", "Offered")
        assert shown(stage, "bkhan") == [("internal-transfer", "Incoming")]                # R25
        await hears_now({call: {CUSTOMER_HOLD}, source: {RINGBACK}})
        target = await accept(stage, phone)
        await target.hears(WHISPER)
        assert shown(stage, "bkhan") == [("internal-transfer", "Connecting")]              # R26
        await hears_now({call: {CUSTOMER_HOLD}, source: set(), target: {WHISPER}})
        await source.hears(BEEP)
        assert shown(stage, "bkhan") == [("internal-transfer", "Connecting")]              # R27
        assert shown(stage, "arossi") == theirs
        await hears_now({call: {CUSTOMER_HOLD}, source: {BEEP}, target: set()})
        await target.hears(first)
        assert shown(stage, "bkhan") == [("internal-transfer", "Connected")]               # R28
        assert shown(stage, "arossi") == theirs
        await hears_now({call: {CUSTOMER_HOLD}, source: {second}, target: {first}})
        heard, agent, other = await call.report(), await source.report(), await target.report()
        never(heard, TO_AGENT, RINGBACK, WHISPER, second)
        never(agent, CUSTOMER_HOLD)
        one_span(agent, WHISPER)  # its own, on the way to the customer
        never(other, TO_AGENT, RINGBACK, CUSTOMER_HOLD, customer)
        whisper, beep = one_span(other, WHISPER), one_span(agent, BEEP)
        assert abs(beep[0] - whisper[1]) < 60, "R27: side by side"
        assert abs(spans(agent, second)[0][0] - beep[1]) < 60, "R28"
        assert abs(spans(other, first)[0][0] - beep[1]) < 60, "R29"


async def R30_the_transfer_flow_sets_the_whispers():
    for_agent, for_source = 1250, 1350
    stage = board_stage()
    add_prompt(stage, "for-agent", for_agent, 500)
    add_prompt(stage, "for-source", for_source, 500)
    stage.flows["w"] = short_prompt("Other agent whisper", "agentWhisper", "for-agent")
    stage.flows["c"] = short_prompt("Other customer whisper", "customerWhisper", "for-source")
    for name in ("to-agent", "to-queue"):
        stage.flows[name]["StartAction"] = "Agent side"
        stage.flows[name]["Actions"] += [
            action("Agent side", "UpdateContactEventHooks",
                   {"EventHooks": {"AgentWhisper": "Other agent whisper"}}, "Other side",
                   {"NoMatchingError": "Bye"}),
            action("Other side", "UpdateContactEventHooks",
                   {"EventHooks": {"CustomerWhisper": "Other customer whisper"}}, "Tone",
                   {"NoMatchingError": "Bye"}),
            action("Bye", "DisconnectParticipant")]
    async with stage:
        call, source, (phone,) = await talking(stage)
        already = len(spans(await source.report(), WHISPER))
        for target in ("B. Khan", "Returns desk"):
            transfer(stage, source, target)
            other = await accept(stage, phone)
            await other.hears(source.phone.tone)
            await hears_now({source: {phone.tone}, other: {source.phone.tone}})
            theirs = await other.report()
            one_span(theirs, for_agent)
            never(theirs, WHISPER, for_source, BEEP)
            stage.call("contact.disconnect", agent="arossi", party=added(stage, "arossi"))
            await clear(stage, "bkhan")
        agent = await source.report()
        assert len(spans(agent, for_source)) == 2 and len(spans(agent, WHISPER)) == already
        never(agent, for_agent, BEEP)


async def R31_R67_without_whispers_of_its_own_the_defaults_of_the_instance():
    """The name of the queue that the customer came through is spoken to the target, who has no queue."""
    stage = board_stage()
    for which in ("agent_whisper", "customer_whisper"):
        del stage.instance["cordboard"]["defaults"][which]
    async with stage:
        call, source, (phone,) = await talking(stage)
        name = speech_ms(await source.report(), call.phone.tone)
        assert name > 200, "the source heard the name of the queue"
        transfer(stage, source, "B. Khan")
        target = await accept(stage, phone)
        await target.hears(0)
        await source.hears(BEEP)
        await target.hears(source.phone.tone)
        await hears_now({source: {phone.tone}, target: {source.phone.tone}})
        theirs = await target.report()
        assert abs(speech_ms(theirs, source.phone.tone) - name) < 100, "the same name"
        never(theirs, BEEP)
        one_span(await source.report(), BEEP)


def speech_ms(report, until_hz):
    """How long sound other than this party's tone was heard before it."""
    end = spans(report, until_hz)[0][0]
    heard = [h for h in report["heard"] if h["from_ms"] < end]
    return max(h["to_ms"] for h in heard) - min(h["from_ms"] for h in heard) if heard else 0


async def R32_R33_R34_R35_R36_R37_R38_a_queue_step_by_step():
    stage = board_stage()
    for prompt in ("to-queue", "whisper", "beep"):
        lasts(stage, prompt, 1500)
    async with stage:
        call, source, _ = await talking(stage, others=())
        customer, first = call.phone.tone, source.phone.tone
        transfer(stage, source, "Returns desk")
        theirs = [(call.phone.user, "On hold"), ("internal-transfer", "Connecting")]
        assert shown(stage, "arossi") == theirs                                            # R32
        await hears_now({call: {CUSTOMER_HOLD}, source: {TO_QUEUE}})
        assert stage.queue("Returns")["contacts"] == 0                                     # R38
        assert stage.queue("Returns")["figures"]["entered"] == 0
        await source.hears(MUSIC)                                                          # R33
        assert stage.queue("Returns")["contacts"] == 1
        assert shown(stage, "arossi") == theirs
        await hears_now({call: {CUSTOMER_HOLD}, source: {MUSIC}})
        phone = await stage.agent("bkhan")
        second = phone.tone
        await stage.until_agent("bkhan", "Offered")                                        # R34
        assert shown(stage, "bkhan") == [("internal-transfer", "Incoming")]
        await hears_now({call: {CUSTOMER_HOLD}, source: {MUSIC}})
        target = await accept(stage, phone)
        await target.hears(WHISPER)                                                        # R35
        assert shown(stage, "bkhan") == [("internal-transfer", "Connecting")]
        await hears_now({call: {CUSTOMER_HOLD}, source: {MUSIC}, target: {WHISPER}})
        await source.hears(BEEP)                                                           # R36
        assert shown(stage, "bkhan") == [("internal-transfer", "Connecting")]
        assert shown(stage, "arossi") == theirs
        await hears_now({call: {CUSTOMER_HOLD}, source: {BEEP}, target: set()})
        await target.hears(first)                                                          # R37
        assert shown(stage, "bkhan") == [("internal-transfer", "Connected")]
        assert shown(stage, "arossi") == [(call.phone.user, "On hold"),
                                          ("internal-transfer", "Connected")]
        await hears_now({call: {CUSTOMER_HOLD}, source: {second}, target: {first}})
        assert stage.queue("Returns")["contacts"] == 0
        heard, agent, other = await call.report(), await source.report(), await target.report()
        assert len(spans(heard, MUSIC)) == len(spans(heard, BEEP)) == 1, "only on arrival"
        never(heard, TO_QUEUE, WHISPER, second)
        never(other, MUSIC, TO_QUEUE, BEEP, CUSTOMER_HOLD, customer)
        assert abs(spans(agent, second)[0][0] - spans(agent, BEEP)[0][1]) < 60
        no_gaps(agent)
        await call.hang_up()
        await hears_now({source: {second}, target: {first}})
        stage.call("contact.leave", agent="arossi")
        await clear(stage, "arossi", "bkhan")
        records = await chain(stage, 2)                                                    # R20
        assert who_did_what(records) == [("INBOUND", "arossi"), ("TRANSFER", "bkhan")]
        assert records[0]["Queue"]["Name"] == "Orders" and records[1]["Queue"]["Name"] == "Returns"
        await nothing_left(stage)


async def R39_the_queue_that_the_flow_sets_wins():
    stage = board_stage()
    add_quick_connect(stage, "Orders desk", type="queue", queue="Orders", flow="To Returns")
    stage.flows["other"] = flow(
        "To Returns", "queueTransfer", "Set",
        action("Set", "UpdateContactTargetQueue", {"QueueId": "Returns"}, "Go",
               {"NoMatchingError": "Bye"}),
        action("Go", "TransferContactToQueue", None, "Bye",
               {"QueueAtCapacity": "Bye", "NoMatchingError": "Bye"}),
        action("Bye", "DisconnectParticipant"))
    async with stage:
        call, source, _ = await talking(stage, others=())
        transfer(stage, source, "Orders desk")
        await source.hears(MUSIC)
        assert (stage.queue("Orders")["contacts"], stage.queue("Returns")["contacts"]) == (0, 1)
        phone = await stage.agent("bkhan")
        target = await accept(stage, phone)
        await target.hears(source.phone.tone)
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        await call.hang_up()
        await clear(stage, "arossi", "bkhan")
        assert [r["Queue"]["Name"] for r in await chain(stage, 2)] == ["Orders", "Returns"]


async def R21_the_panel_can_be_read_and_followed():
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        watcher = Watcher(stage, topics=["panel"])
        transfer(stage, source, "B. Khan")
        target = await accept(stage, phone)
        await target.hears(source.phone.tone)
        stage.call("contact.join", agent="arossi")
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await eventually("the last panel", lambda: [p for p in panels(watcher.look(), "bkhan")
                                                    if p == [(call.phone.user, "Connected")]])
        first, second = (panels(watcher, name) for name in ("arossi", "bkhan"))
        customer, other = call.phone.user, "internal-transfer"
        assert first == [[(customer, "On hold"), (other, "Connected")],
                         [(customer, "Connected"), (other, "Connected")], []], first
        assert second == [[(other, "Incoming")], [(other, "Connecting")], [(other, "Connected")],
                          [(customer, "Connected")]], second
        assert shown(stage, "bkhan") == second[-1] and shown(stage, "arossi") == []


def panels(watcher, agent):
    """What the agent's panel showed, one after the other, each once."""
    out = []
    for note in watcher.notes:
        event = note["params"].get("event", {})
        if note["params"].get("topic") != "panel" or event["agent"] != agent:
            continue
        shows = [(c["label"], c["banner"]) for c in event["connections"]]
        if not out or out[-1] != shows:
            out.append(shows)
    return out
