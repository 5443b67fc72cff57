# SPDX-License-Identifier: Apache-2.0
"""A caller reaches an agent: who hears what, in which order, and what the record says."""
import asyncio

from stage import (BEEP, FULL, GREETING, MUSIC, WHISPER, Stage, action, eventually, flow, play,
                   queue_flow)


def spans(report, hz):
    """When a leg heard a tone: [(from_ms, to_ms)], pieces less than 60 ms apart joined."""
    out = []
    for heard in sorted((h for h in report["heard"] if h["hz"] == hz), key=lambda h: h["from_ms"]):
        if out and heard["from_ms"] - out[-1][1] < 60:
            out[-1] = (out[-1][0], heard["to_ms"])
        else:
            out.append((heard["from_ms"], heard["to_ms"]))
    return out


def one_span(report, hz):
    found = spans(report, hz)
    assert len(found) == 1, f"{hz} Hz was heard {len(found)} times: {report['heard']}"
    return found[0]


def never(report, *tones):
    """Speech holds each tone for a moment; what is played lasts longer."""
    for hz in tones:
        assert not [s for s in spans(report, hz) if s[1] - s[0] > 80], (
            f"{hz} Hz should not be heard: {report['heard']}")


def no_gaps(report):
    for what in ("missing", "duplicates", "reordered", "timestamp_jumps", "ssrc_changes"):
        assert report[what] == 0, f"{what}: {report}"


def follows(first, second, gap_ms=40):
    """The second span begins where the first ends, with no more than gap_ms without tone."""
    assert -20 <= second[0] - first[1] <= gap_ms, f"{first} and {second} are not side by side"


async def connect(stage, agent="arossi"):
    """A caller and a ring phone, talking."""
    caller = await stage.caller()
    phone = await stage.agent(agent)
    call, leg = await connect_legs(stage, caller, phone)
    return caller, call, phone, leg


async def connect_legs(stage, caller, phone):
    """Such a caller and such a phone, talking."""
    call = await stage.dial(caller)
    await call.answered()
    leg = await phone.incoming()
    await leg.ring()
    await leg.answer()
    await call.hears(phone.tone)
    await leg.hears(caller.tone)
    return call, leg


async def R55_inbound_whispers_one_after_the_other_then_joined():
    async with Stage() as stage:
        caller = await stage.caller()
        phone = await stage.agent("arossi")
        call = await stage.dial(caller)
        await call.answered()
        leg = await phone.incoming()
        await leg.ring()
        await call.hears(MUSIC)
        await asyncio.sleep(0.5)
        await leg.answer()
        await call.hears(phone.tone)
        await leg.hears(caller.tone)
        await asyncio.sleep(0.5)
        await leg.hang_up()
        await call.ended()
        heard, agent = await call.report(), await leg.report()

        greeting, music, beep = (one_span(heard, hz) for hz in (GREETING, MUSIC, BEEP))
        talk = one_span(heard, phone.tone)
        follows(greeting, music)
        follows(music, beep)
        follows(beep, talk)
        whisper, theirs = one_span(agent, WHISPER), one_span(agent, caller.tone)
        # the customer waits in the queue during the agent whisper, and is whispered to after it
        assert abs(beep[0] - whisper[1]) <= 60
        assert abs(theirs[0] - talk[0]) <= 60
        # R68: a whisper is heard by the one it is for
        never(heard, WHISPER)
        never(agent, BEEP, MUSIC, GREETING)
        no_gaps(heard)
        no_gaps(agent)
        assert abs([h for h in heard["heard"] if h["hz"] == GREETING][0]["dbm0"] + 10) < 1.5


async def R98_a_record_is_complete_when_the_contact_is_cleared():
    async with Stage() as stage:
        caller, call, phone, leg = await connect(stage)
        contact = stage.contacts()[0]["id"]
        await asyncio.sleep(1.2)
        await leg.hang_up()
        await call.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        await asyncio.sleep(0.3)
        assert stage.call("record.list", since=0)["records"] == []
        stage.call("agent.clear", agent="arossi")
        record = (await stage.records(1))[0]
        assert record["ContactId"] == contact
        assert record["InitiationMethod"] == "INBOUND"
        assert record["InitialContactId"] == contact and record["PreviousContactId"] is None
        assert record["Agent"]["Username"] == "arossi"
        assert record["Agent"]["AgentInteractionDuration"] >= 1
        assert record["Queue"]["Name"] == "Orders"
        assert record["CustomerEndpoint"]["Address"] == caller.user
        assert record["SystemEndpoint"]["Address"] == "+12025550100"
        assert record["DisconnectReason"] == "AGENT_DISCONNECT"
        await stage.until_agent("arossi", "Available")


async def test_after_contact_work_ends_by_its_timeout():
    stage = Stage()
    stage.instance["agents"][0]["after_contact_seconds"] = 1
    async with stage:
        caller, call, phone, leg = await connect(stage)
        await call.hang_up()
        await leg.ended()
        await stage.until_agent("arossi", "Available", 5)
        assert (await stage.records(1))[0]["DisconnectReason"] == "CUSTOMER_DISCONNECT"


async def test_panel_phone():
    async with Stage() as stage:
        caller = await stage.caller()
        phone = await stage.agent("bkhan", auto="answer")
        call = await stage.dial(caller)
        await call.hears(MUSIC)
        await stage.until_agent("bkhan", "Offered")
        await asyncio.sleep(0.3)
        assert phone.waiting.empty(), "a panel phone does not ring before the agent accepts"
        stage.call("contact.accept", agent="bkhan")
        leg = await phone.incoming()
        assert "answer-after=0" in leg.invite.get("call-info")
        await call.hears(phone.tone)
        await leg.hears(caller.tone)
        stage.call("contact.leave", agent="bkhan")
        await call.ended()
        await leg.ended()


async def test_tcp_trunk_and_phone():
    async with Stage() as stage:
        caller = await stage.caller(transport="tcp")
        phone = await stage.agent("arossi", transport="tcp", auto="answer")
        call = await stage.dial(caller)
        await call.hears(phone.tone)
        leg = await phone.incoming()
        await leg.hears(caller.tone)
        await call.hang_up()
        await leg.ended()


async def test_delayed_offer():
    async with Stage() as stage:
        caller = await stage.caller()
        phone = await stage.agent("arossi", auto="answer")
        call = await stage.dial(caller, delayed_offer=True)
        await call.hears(GREETING)
        await call.hears(phone.tone)
        leg = await phone.incoming()
        await leg.hears(caller.tone)
        await call.hang_up()


async def test_a_law_and_other_packet_times():
    for options in ({"codecs": ("pcma",)}, {"ptime": 30}, {"codecs": ("pcma",), "ptime": 10}):
        async with Stage() as stage:
            caller = await stage.caller(**options)
            phone = await stage.agent("arossi", auto="answer")
            call = await stage.dial(caller)
            await call.hears(GREETING)
            await call.hears(phone.tone)
            leg = await phone.incoming()
            await leg.hears(caller.tone)
            await asyncio.sleep(0.5)
            await call.hang_up()
            no_gaps(await call.report())


async def test_the_caller_holds_and_resumes():
    for direction in ("sendonly", "inactive"):
        async with Stage() as stage:
            caller, call, phone, leg = await connect(stage)
            since = len(stage.ear.events)
            assert await call.hold(direction) == 200
            await stage.ear.wait(lambda e: e.get("leg") == call.leg and e["event"] == "tone_end",
                                 since=since)
            since = len(stage.ear.events)
            assert await call.resume() == 200
            await call.hears(phone.tone, since=since)
            await asyncio.sleep(0.3)
            assert stage.states() == ["talking"]
            await call.hang_up()
            await leg.ended()


async def R64_the_defaults_run_when_no_flow_is_set():
    stage = Stage()
    # the flows as shipped: spoken agent whisper, a beep, text and music in the queue
    for key in ("agent_whisper", "customer_queue", "customer_whisper"):
        del stage.instance["cordboard"]["defaults"][key]
    async with stage:
        caller = await stage.caller()
        phone = await stage.agent("arossi")
        call = await stage.dial(caller)
        await call.hears(GREETING)
        await call.hears(0)  # the thank-you sentence
        leg = await phone.incoming()
        await call.hears(MUSIC, timeout=20)
        await leg.answer()
        await leg.hears(0)  # R67: the name of the queue, spoken
        await call.hears(BEEP)  # R66
        await leg.hears(caller.tone)
        await call.hang_up()
        await leg.ended()
        never(await leg.report(), BEEP, MUSIC)


async def R66_the_default_customer_whisper_beeps():
    stage = Stage()
    del stage.instance["cordboard"]["defaults"]["customer_whisper"]
    async with stage:
        caller, call, phone, leg = await connect(stage)
        await call.hang_up()
        await leg.ended()
        one_span(await call.report(), BEEP)
        never(await leg.report(), BEEP)


async def R67_the_default_agent_whisper_speaks_the_name_of_the_queue():
    stage = Stage()
    del stage.instance["cordboard"]["defaults"]["agent_whisper"]
    async with stage:
        caller = await stage.caller()
        phone = await stage.agent("arossi", auto="answer")
        call = await stage.dial(caller)
        leg = await phone.incoming()
        await leg.hears(0)
        await leg.hears(caller.tone)
        await call.hang_up()
        await leg.ended()
        assert not spans(await call.report(), 0), "the customer hears nothing of it"


async def R65_a_flow_replaces_the_defaults():
    stage = Stage()
    hooks = {"AgentWhisper": "Other whisper", "CustomerWhisper": "Other beep",
             "CustomerQueue": "Other music"}
    actions = [action(f"Set {name}", "UpdateContactEventHooks", {"EventHooks": {name: target}}, then,
                      {"NoMatchingError": "End"})
               for (name, target), then in zip(hooks.items(),
                                               ["Set CustomerWhisper", "Set CustomerQueue", "Queue"])]
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Set AgentWhisper", *actions,
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"QueueAtCapacity": "End", "NoMatchingError": "End"}),
        action("End", "DisconnectParticipant"))
    end = action("End", "EndFlowExecution")
    stage.flows["w2"] = flow("Other whisper", "agentWhisper", "P", play("P", "other-whisper", "End"), end)
    stage.flows["c2"] = flow("Other beep", "customerWhisper", "P", play("P", "other-beep", "End"), end)
    stage.flows["q2"] = flow("Other music", "customerQueue", "P", action(
        "P", "MessageParticipantIteratively", {"Messages": [{"PromptId": "other-music"}]}))
    stage.instance["prompts"] += [{"name": "other-whisper", "file": "tone:1250:500ms"},
                                  {"name": "other-beep", "file": "tone:1350:500ms"},
                                  {"name": "other-music", "file": "tone:1550:2s"}]
    async with stage:
        caller = await stage.caller()
        phone = await stage.agent("arossi")
        call = await stage.dial(caller)
        await call.hears(1550)
        leg = await phone.incoming()
        await leg.answer()
        await leg.hears(1250)
        await call.hears(1350)
        await leg.hears(caller.tone)
        await call.hang_up()
        await leg.ended()
        never(await call.report(), MUSIC, BEEP, WHISPER, 1250)
        never(await leg.report(), MUSIC, BEEP, WHISPER, 1350)


async def R68_a_whisper_is_heard_by_one_alone():
    async with Stage() as stage:
        caller, call, phone, leg = await connect(stage)
        await call.hang_up()
        await leg.ended()
        heard, agent = await call.report(), await leg.report()
        one_span(agent, WHISPER)
        never(heard, WHISPER)
        one_span(heard, BEEP)
        never(agent, BEEP)
        # while the agent hears the whisper, the customer hears the queue, not the agent
        assert one_span(heard, phone.tone)[0] >= one_span(agent, WHISPER)[1] + 200


async def test_dtmf_menu():
    stage = Stage()
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Ask",
        action("Ask", "GetParticipantInput",
               {"PromptId": "greeting", "StoreInput": "False", "InputTimeLimitSeconds": "5"}, "End",
               {"InputTimeLimitExceeded": "End", "NoMatchingCondition": "Wrong",
                "NoMatchingError": "End"}, {"1": "One", "2": "Two"}),
        play("Wrong", "full", "Ask"), play("One", "beep", "End"), play("Two", "whisper", "End"),
        action("End", "DisconnectParticipant"))
    async with stage:
        caller = await stage.caller()
        call = await stage.dial(caller)
        await call.hears(GREETING)
        since = len(stage.ear.events)
        await call.digits("7")
        await call.hears(1800)  # a key without a branch
        since = len(stage.ear.events)
        await call.hears(GREETING, since=since)
        await call.digits("2")
        await call.hears(WHISPER)
        await call.ended()
        never(await call.report(), BEEP)
        assert (await stage.records(1))[0]["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"


async def test_two_workers():
    """Packets that arrive at the worker that does not own the room are handed over."""
    async with Stage(workers=2) as stage:
        callers = [await stage.caller(number=f"+1202555020{n}") for n in range(4)]
        calls = []
        for caller in callers:
            calls.append(await stage.dial(caller))
            await calls[-1].hears(MUSIC)
        phone = await stage.agent("arossi", auto="answer")
        leg = await phone.incoming()
        await calls[0].hears(phone.tone)
        await leg.hears(callers[0].tone)
        stats = stage.call("dataplane.stats")
        assert stats["sum"]["rx_handed_over"] > 0, stats
        for call in calls:
            await call.hang_up()
        for call in calls:
            no_gaps(await call.report())


async def test_many_calls_at_once():
    stage = Stage()
    stage.flows["main"] = queue_flow("Main", "Orders")
    async with stage:
        phones = [await stage.agent("arossi", auto="answer")]
        stage.call("agent.login", agent="bkhan", status="Available")
        callers = [await stage.caller(number=f"+1202555030{n}") for n in range(6)]
        calls = [await stage.dial(c) for c in callers]
        for call in calls:
            await call.hears(GREETING)
        await eventually("one of them to talk", lambda: "talking" in stage.states())
        for call in calls:
            await call.hang_up()
        await eventually("all to end", lambda: not [s for s in stage.states() if s != "ended"])
        assert phones


async def R63_the_disconnect_flow_is_played_to_who_remains():
    stage = Stage()
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Hook",
        action("Hook", "UpdateContactEventHooks", {"EventHooks": {"CustomerRemaining": "After"}},
               "Queue", {"NoMatchingError": "End"}),
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"QueueAtCapacity": "End", "NoMatchingError": "End"}),
        action("End", "DisconnectParticipant"))
    stage.flows["after"] = flow("After", "contactFlow", "Say", play("Say", "full", "End"),
                                action("End", "DisconnectParticipant"))
    async with stage:
        caller, call, phone, leg = await connect(stage)
        await leg.hang_up()
        await call.hears(FULL)
        await stage.until_agent("arossi", "AfterCallWork")
        await call.ended()
        assert call.ended_by == "them"
        stage.call("agent.clear", agent="arossi")
        first, second = sorted(await stage.records(2), key=lambda r: r["InitiationMethod"] != "INBOUND")
        assert first["InitiationMethod"] == "INBOUND" and first["Agent"]["Username"] == "arossi"
        assert second["InitiationMethod"] == "DISCONNECT" and second["Agent"] is None
        assert first["NextContactId"] == second["ContactId"]
        assert first["DisconnectReason"] == "AGENT_DISCONNECT"
        assert second["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
