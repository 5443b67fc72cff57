# SPDX-License-Identifier: Apache-2.0
"""Calls that go out: started by a program (R60), or by an agent at the panel (R56)."""
import asyncio

from leaving import nothing_left
from main_job import never, one_span
from stage import (BEEP, FULL, GREETING, MUSIC, TRUNK, WHISPER, Refused, Stage, action, eventually,
                   flow, play, tone)

RINGBACK, OUTBOUND = 1550, 2000
NUMBER, OTHER = "+12025550118", "+12025550100"


def panel_stage(**options):
    """The outbound whisper and our ringback are tones; an external quick connect is there."""
    stage = Stage(**{"media__ringback": tone(RINGBACK, 1000), **options})
    stage.instance["prompts"].append({"name": "outbound", "file": tone(OUTBOUND, 500)})
    stage.instance["cordboard"]["defaults"]["outbound_whisper"] = "Tone outbound whisper"
    stage.instance["queues"][0].update(outbound_caller_id={"name": "Orders", "number": OTHER},
                                       quick_connects=["Courier", "Colleague"])
    stage.instance["quick_connects"] = [
        {"name": "Courier", "description": "parcels by telephone", "type": "external", "number": NUMBER},
        {"name": "Colleague", "description": "knows more", "type": "agent", "agent": "bkhan",
         "flow": "Default agent transfer"}]
    stage.flows["outbound"] = flow("Tone outbound whisper", "outboundWhisper", "Tone",
                                   play("Tone", "outbound", "End"), action("End", "EndFlowExecution"))
    return stage


def dial(stage, agent="bkhan", **more):
    return stage.call("contact.dial", agent=agent, **(more or {"number": NUMBER}))["panel"]


def cannot_dial(stage, *words, **more):
    try:
        dial(stage, **more)
    except Refused as refusal:
        for word in words:
            assert word in str(refusal), f"{word!r} is not in {refusal}"
        return
    raise AssertionError(f"{more} was dialled")


def start(stage, **more):
    params = {"DestinationPhoneNumber": NUMBER, "ContactFlowId": "Main", "SourcePhoneNumber": OTHER}
    params.update(more)
    return stage.call("contact.start_outbound",
                      **{k: v for k, v in params.items() if v is not None})["ContactId"]


def refused(stage, *words, **more):
    """Refused, with these words in the reason."""
    try:
        start(stage, **more)
    except Refused as refusal:
        for word in words:
            assert word in str(refusal), f"{word!r} is not in {refusal}"
        return
    raise AssertionError(f"{more} was taken")


async def R60_an_api_call_runs_the_flow_named_once_it_is_answered():
    async with Stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        contact = start(stage, ClientToken="order-1043", Attributes={"order": "1043", "text": "a\nb"})
        call = await home.incoming()
        assert NUMBER in call.invite.uri and OTHER in call.invite.get("from")
        await call.ring()
        await asyncio.sleep(1.1)
        assert stage.states() == ["dialling"]
        await call.answer()
        await call.hears(GREETING)
        await call.hears(MUSIC)
        phone = await stage.agent("arossi")
        leg = await phone.incoming()
        await leg.ring()
        await leg.answer()
        await call.hears(phone.tone)
        await leg.hears(home.tone)
        await asyncio.sleep(0.3)
        await call.hang_up()
        await leg.ended()
        # as an inbound call: greeting, queue, whisper to the agent, whisper to the customer, joined
        ours, theirs = await call.report(), await leg.report()
        beep, talk = one_span(ours, BEEP), one_span(ours, phone.tone)
        assert one_span(ours, GREETING)[1] <= beep[0] and beep[1] <= talk[0]
        never(ours, WHISPER, FULL)
        never(theirs, GREETING, MUSIC, BEEP)
        assert one_span(theirs, WHISPER)[1] <= one_span(theirs, home.tone)[0]
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        record = (await stage.records(1))[0]
        assert record["ContactId"] == contact and record["InitiationMethod"] == "API"
        assert record["CustomerEndpoint"]["Address"] == NUMBER
        assert record["SystemEndpoint"]["Address"] == OTHER
        assert record["Attributes"] == {"order": "1043", "text": "a\nb"}
        assert record["ConnectedToSystemTimestamp"] > record["InitiationTimestamp"]
        assert record["DisconnectReason"] == "CUSTOMER_DISCONNECT"
        assert record["Agent"]["Username"] == "arossi" and record["Queue"]["Name"] == "Orders"
        # the token is known after the contact is gone
        assert start(stage, ClientToken="order-1043") == contact
        await asyncio.sleep(0.2)
        assert home.waiting.empty()
        await nothing_left(stage)


async def R60_the_queue_of_an_api_call_gives_caller_id_and_target():
    """The flow sets no queue: the one of the request is the target."""
    stage = Stage()
    stage.instance["queues"][1]["outbound_caller_id"] = {"name": "Returns", "number": "+12025550155"}
    main = stage.flows["main"]
    main["Actions"] = [a for a in main["Actions"] if a["Type"] != "UpdateContactTargetQueue"]
    main["Actions"][0]["Transitions"] = {
        "NextAction": "Transfer", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "Transfer"}]}
    async with stage:
        home = await stage.phone("customer", TRUNK, port=5060, auto="answer")
        start(stage, QueueId="Returns", SourcePhoneNumber=None)
        call = await home.incoming()
        assert "+12025550155" in call.invite.get("from") and "Returns" in call.invite.get("from")
        await call.hears(MUSIC)
        assert stage.queue("Returns")["contacts"] == 1
        await call.hang_up()
        start(stage, QueueId="Returns")
        call = await home.incoming()
        assert OTHER in call.invite.get("from"), "the source number goes before the queue's"
        await call.hang_up()


async def R60_a_token_starts_one_contact():
    async with Stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        first = start(stage, ClientToken="one")
        assert start(stage, ClientToken="one") == first
        call = await home.incoming()
        await call.ring()
        assert start(stage, ClientToken="one") == first
        await asyncio.sleep(0.2)
        assert home.waiting.empty() and len(stage.contacts()) == 1
        second = start(stage, ClientToken="two")
        assert second != first
        other = await home.incoming()
        await call.reject(486)
        await other.reject(486)
        # what could not begin is not remembered
        refused(stage, "number plan", ClientToken="three", DestinationPhoneNumber="+19005550123")
        third = start(stage, ClientToken="three")
        assert third not in (first, second)
        await (await home.incoming()).reject(486)
        await stage.records(3)


async def R60_an_api_call_that_is_busy_or_not_answered_has_a_record():
    async with Stage(routing__dial="1s") as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        busy = start(stage)
        await (await home.incoming()).reject(486)
        rows = await stage.records(1)
        late = start(stage)
        call = await home.incoming()
        await call.ring()
        await call.ended()
        assert call.ended_by == "them"
        rows = await stage.records(2)
        assert [r["ContactId"] for r in rows] == [busy, late]
        for row in rows:
            assert row["InitiationMethod"] == "API" and row["DisconnectReason"]
            assert not row["ConnectedToSystemTimestamp"] and not row["Agent"]
        await nothing_left(stage)


async def R60_what_is_wrong_with_an_api_call_is_named():
    stage = Stage(instance__calls_max=1)
    async with stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        refused(stage, "DestinationPhoneNumber", "+ and 2 to 15 digits", DestinationPhoneNumber="118")
        refused(stage, "DestinationPhoneNumber", "number plan", DestinationPhoneNumber="+19005550123")
        refused(stage, "DestinationPhoneNumber", "missing", DestinationPhoneNumber=None)
        refused(stage, "ContactFlowId", "nothing here", ContactFlowId="nothing here")
        refused(stage, "ContactFlowId", "inbound", ContactFlowId="Tone customer queue")
        refused(stage, "QueueId", "Orderz", QueueId="Orderz")
        refused(stage, "SourcePhoneNumber", "none of the instance's", SourcePhoneNumber="+12025550177")
        refused(stage, "SourcePhoneNumber", SourcePhoneNumber=None)
        refused(stage, "Attributes", "object of texts", Attributes={"order": 1043})
        refused(stage, "Attributes", "32768", Attributes={"order": "1" * 32768})
        assert not stage.contacts() and home.waiting.empty()
        start(stage, Attributes={"order": "1" * (32768 - 7)})
        call = await home.incoming()
        refused(stage, "as many calls")
        await call.reject(486)
        await stage.records(1)
        await eventually("the call to be over", lambda: not stage.contacts())


async def R60_no_api_call_begins_while_control_ends():
    async with Stage(admin__drain="20s") as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        start(stage)
        call = await home.incoming()
        await call.answer()
        await call.hears(GREETING)
        stage.processes["control"].terminate()
        await asyncio.sleep(0.3)
        refused(stage, "control is ending")
        await call.hang_up()
        await eventually("control to end",
                         lambda: stage.processes["control"].poll() is not None, 5)


# ---- an agent dials at the panel ---------------------------------------------------------------

async def talks(stage, phone, home, agent):
    """The phone is called, then the destination: whisper to it alone, then the two talk."""
    assert dial(stage, agent)["state"] == "Calling"
    leg = await phone.incoming()
    assert home.waiting.empty(), "the destination is called when the agent is on the line"
    if not phone.auto:
        await leg.ring()
        await leg.answer()
    call = await home.incoming()
    assert NUMBER in call.invite.uri
    assert OTHER in call.invite.get("from") and "Orders" in call.invite.get("from")
    panel = stage.call("contact.panel", agent=agent)["panel"]
    assert [(c["label"], c["banner"]) for c in panel["connections"]] == [(NUMBER, "Connecting")]
    assert dial(stage, agent)["state"] == "Calling", "dialled once"
    await call.ring()
    await leg.hears(RINGBACK)
    await asyncio.sleep(0.3)
    await call.answer()
    await call.hears(OUTBOUND)
    await call.hears(phone.tone)
    await leg.hears(home.tone)
    await stage.until_agent(agent, "Busy")
    await asyncio.sleep(0.3)
    return leg, call


async def judge(stage, phone, home, agent, leg, call):
    ours, theirs = await call.report(), await leg.report()
    never(ours, WHISPER, BEEP, MUSIC, GREETING, RINGBACK)
    never(theirs, WHISPER, BEEP, MUSIC, GREETING, OUTBOUND)
    whisper, talk = one_span(ours, OUTBOUND), one_span(ours, phone.tone)
    assert whisper[1] - 20 <= talk[0], (whisper, talk)
    assert whisper[1] - whisper[0] >= 400
    one_span(theirs, home.tone)
    await stage.until_agent(agent, "AfterCallWork")
    stage.call("agent.clear", agent=agent)
    record = (await stage.records(1))[-1]
    assert record["InitiationMethod"] == "OUTBOUND" and record["Agent"]["Username"] == agent
    assert record["CustomerEndpoint"]["Address"] == NUMBER
    assert record["SystemEndpoint"]["Address"] == OTHER
    await nothing_left(stage)


async def R56_an_agent_dials_at_the_panel():
    async with panel_stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("bkhan", auto="answer")
        leg, call = await talks(stage, phone, home, "bkhan")
        await leg.hang_up()
        await call.ended()
        await judge(stage, phone, home, "bkhan", leg, call)


async def R56_an_agent_with_a_phone_that_rings_dials_at_the_panel():
    async with panel_stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("arossi")
        leg, call = await talks(stage, phone, home, "arossi")
        await call.hang_up()
        await leg.ended()
        await judge(stage, phone, home, "arossi", leg, call)


async def R13_an_idle_agent_dials_an_external_quick_connect():
    async with panel_stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        await stage.agent("bkhan", auto="answer", status="Lunch")
        cannot_dial(stage, "Colleague", "without a contact", quick_connect="Colleague")
        cannot_dial(stage, "nobody knows", quick_connect="nobody knows")
        dial(stage, quick_connect="Courier")
        call = await home.incoming()
        assert NUMBER in call.invite.uri
        await call.answer()
        await call.hears(OUTBOUND)
        await call.hang_up()
        await eventually("the contact to be over", lambda: stage.agent_state("bkhan") != "Calling")


async def R56_what_cannot_be_dialled_at_the_panel_is_refused():
    async with panel_stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        cannot_dial(stage, "not logged in")
        stage.call("agent.login", agent="bkhan", status="Available")
        cannot_dial(stage, "phone")
        phone = await stage.agent("bkhan", auto="answer")
        cannot_dial(stage, "may not be called", number="+19005550123")
        cannot_dial(stage, "+ and 2 to 15 digits", number="2025550118")
        cannot_dial(stage, "quick_connect", number=NUMBER, quick_connect="Courier")
        cannot_dial(stage, "no user", agent="nobody", number=NUMBER)
        assert stage.agent_state("bkhan") == "Available" and not stage.contacts()
        assert phone.waiting.empty() and home.waiting.empty()
        dial(stage)
        await home.incoming()
        cannot_dial(stage, "on a contact", number="+12025550177")


async def R56_a_destination_that_is_busy_or_does_not_answer():
    async with panel_stage(routing__dial="1s") as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("bkhan", auto="answer")
        for answers in (True, False):
            dial(stage)
            leg = await phone.incoming()
            call = await home.incoming()
            if answers:
                await call.reject(486)
            else:
                await call.ring()
                await call.ended()
            await leg.ended()
            assert leg.ended_by == "them"
            never(await leg.report(), OUTBOUND, WHISPER, MUSIC, BEEP)
            await stage.until_agent("bkhan", "AfterCallWork")
            stage.call("agent.clear", agent="bkhan")
        for record in await stage.records(2):
            assert record["InitiationMethod"] == "OUTBOUND" and record["DisconnectReason"]
            assert not record["ConnectedToSystemTimestamp"]
        await nothing_left(stage)


async def R56_an_agent_who_does_not_answer_the_own_phone():
    """Nobody was called: no after-contact work; an error that keeps the agent out until cleared."""
    async with panel_stage(routing__offer="1s") as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("arossi")
        for way in ("late", "reject", "leave"):
            dial(stage, "arossi")
            leg = await phone.incoming()
            await leg.ring()
            if way == "reject":
                await leg.reject(486)
            elif way == "leave":
                stage.call("contact.leave", agent="arossi")
            await stage.until_agent("arossi", "Error")
            if way != "reject":
                await leg.ended()
            stage.call("agent.clear", agent="arossi")
            await stage.until_agent("arossi", "Available")
        assert home.waiting.empty()
        for record in await stage.records(3):
            assert record["InitiationMethod"] == "OUTBOUND"
            assert record["DisconnectReason"] == "AGENT_DISCONNECT"
        await nothing_left(stage)


async def R56_an_agent_hangs_up_before_the_destination_answers():
    async with panel_stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("bkhan", auto="answer")
        dial(stage)
        leg = await phone.incoming()
        call = await home.incoming()
        await call.ring()
        await leg.hears(RINGBACK)
        await leg.hang_up()
        await call.ended()
        await stage.until_agent("bkhan", "AfterCallWork")


async def R56_an_agent_dials_at_the_phone():
    """The same without the panel: the phone's call is answered when the destination has answered."""
    async with panel_stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("arossi")
        leg = await phone.call(f"sip:{NUMBER}@10.77.0.1")
        call = await home.incoming()
        assert OTHER in call.invite.get("from") and stage.agent_state("arossi") == "Calling"
        await call.ring()
        await leg.ringing()
        await call.answer()
        await call.hears(OUTBOUND)
        await call.hears(phone.tone)
        await leg.hears(home.tone)
        await asyncio.sleep(0.3)
        await leg.hang_up()
        await call.ended()
        await judge(stage, phone, home, "arossi", leg, call)
