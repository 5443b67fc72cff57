# SPDX-License-Identifier: Apache-2.0
"""Calls that go out: started by a program (R60), or by an agent at the panel (R56)."""
import asyncio

from leaving import nothing_left
from main_job import never, one_span
from stage import (BEEP, CONTROL, FULL, GREETING, MUSIC, TRUNK, WHISPER, Refused, Stage, eventually)

NUMBER, OTHER = "+12025550118", "+12025550100"


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
