# SPDX-License-Identifier: Apache-2.0
"""Transfer to phone number: a flow connects the customer to an outside number behind the trunk."""
import asyncio

from leaving import nothing_left
from main_job import never, no_gaps, one_span, spans
from stage import (BEEP, FULL, GREETING, MUSIC, TRUNK, WHISPER, Stage, action, eventually, flow, play,
                   tone)

RINGBACK, BAD = 1550, 2000
COURIER = "+12025550177"


def courier_flow(**parameters):
    """A prompt, then the courier; each branch says its own tone and hangs up."""
    parameters = {"ThirdPartyPhoneNumber": COURIER, "ThirdPartyConnectionTimeLimitSeconds": "20",
                  "ContinueFlowExecution": "True", **parameters}
    resume = parameters["ContinueFlowExecution"] == "True"
    errors = {"NoMatchingError": "Bad"}
    if resume:
        errors.update({"CallFailed": "Failed", "ConnectionTimeLimitExceeded": "Late"})
    return flow("Main", "contactFlow", "Greet",
                play("Greet", "greeting", "Set"),
                action("Set", "UpdateContactAttributes",
                       {"Attributes": {"number": COURIER, "seconds": "1", "digits": "7",
                                       "words": "soon", "from": "+12025550101", "who": "Parcels"}},
                       "Call", {"NoMatchingError": "End"}),
                action("Call", "TransferParticipantToThirdParty", parameters,
                       "Done" if resume else None, errors),
                play("Done", "beep", "End"), play("Failed", "full", "End"),
                play("Late", "whisper", "End"), play("Bad", "bad", "End"),
                action("End", "DisconnectParticipant"))


def courier_stage(options=None, **parameters):
    stage = Stage(**{"media__ringback": tone(RINGBACK, 1000), **(options or {})})
    stage.instance["prompts"].append({"name": "bad", "file": tone(BAD, 300)})
    stage.flows["main"] = courier_flow(**parameters)
    return stage


async def carrier(stage, **more):
    """The far end behind the trunk."""
    return await stage.phone("carrier", TRUNK, port=5060, **more)


async def R3_R69_R71_the_number_is_called_and_the_flow_goes_on_at_success():
    for number in (COURIER, "$.Attributes.number"):
        async with courier_stage(ThirdPartyPhoneNumber=number) as stage:
            far = await carrier(stage)
            caller = await stage.caller()
            call = await stage.dial(caller)
            other = await far.incoming()
            assert COURIER in other.invite.uri
            await call.hears(GREETING)
            await other.ring()
            await call.hears(RINGBACK)
            await other.answer()
            await call.hears(far.tone)
            await other.hears(caller.tone)
            await asyncio.sleep(0.3)
            assert stage.states() == ["bridged"]
            await other.hang_up()
            await call.hears(BEEP)
            await call.ended()
            heard = await call.report()
            no_gaps(heard)
            ring, talk, done = (one_span(heard, hz) for hz in (RINGBACK, far.tone, BEEP))
            assert ring[1] <= talk[0] <= talk[1] <= done[0]
            never(await other.report(), GREETING, RINGBACK, BEEP)
            record = (await stage.records(1))[0]
            assert record["TransferredToEndpoint"]["Address"] == COURIER
            assert record["TransferCompletedTimestamp"]
            await nothing_left(stage)


async def branch_taken(stage, act, hz):
    """What the caller hears when the far end does this."""
    async with stage:
        far = await carrier(stage)
        call = await stage.dial(await stage.caller())
        await act(far)
        await call.hears(hz, timeout=15)
        await call.ended()
        heard = await call.report()
        never(heard, *({BEEP, FULL, WHISPER, BAD} - {hz}))
        assert (await stage.records(1))[0]["TransferredToEndpoint"] is None
        await nothing_left(stage)


def refuse(status):
    async def act(far):
        await (await far.incoming()).reject(status)
    return act


async def never_answer(far):
    leg = await far.incoming()
    await leg.ring()
    await leg.ended()


async def not_called(far):
    await asyncio.sleep(0.5)
    assert far.waiting.empty(), "nobody should be called"


async def R72_a_failed_call_takes_the_branch_of_its_cause():
    for status in (486, 603, 503, 480):
        await branch_taken(courier_stage(), refuse(status), FULL)
    await branch_taken(courier_stage(), refuse(404), BAD)
    await branch_taken(courier_stage(ThirdPartyPhoneNumber="$.Attributes.who"), not_called, BAD)
    # what the number plan does not list is not dialled (toll fraud)
    await branch_taken(courier_stage(ThirdPartyPhoneNumber="+19005550123"), not_called, BAD)


async def R70_the_time_to_answer_is_fixed_or_an_attribute():
    for seconds in ("1", "$.Attributes.seconds"):
        await branch_taken(courier_stage(ThirdPartyConnectionTimeLimitSeconds=seconds),
                           never_answer, WHISPER)
    for seconds in ("$.Attributes.words", "$.Attributes.nothing"):
        await branch_taken(courier_stage(ThirdPartyConnectionTimeLimitSeconds=seconds),
                           not_called, BAD)


async def R73_without_resume_the_flow_ends_with_the_transfer():
    async with courier_stage(ContinueFlowExecution="False") as stage:
        far = await carrier(stage)
        caller = await stage.caller()
        call = await stage.dial(caller)
        other = await far.incoming()
        await other.answer()
        await call.hears(far.tone)
        await other.hears(caller.tone)
        await other.hang_up()
        await call.ended()
        never(await call.report(), BEEP, FULL, BAD)
        record = (await stage.records(1))[0]
        assert record["DisconnectReason"] == "THIRD_PARTY_DISCONNECT"
        assert record["TransferredToEndpoint"]["Address"] == COURIER
        await nothing_left(stage)
    # R72: a failure has only the Error branch then
    await branch_taken(courier_stage(ContinueFlowExecution="False"), refuse(486), BAD)


async def R74_R75_digits_are_sent_before_the_customer_is_joined():
    for digits, expected in (("1,2*0#", "12*0#"), ("$.Attributes.digits", "7")):
        async with courier_stage(ThirdPartyDTMFDigits=digits) as stage:
            far = await carrier(stage)
            caller = await stage.caller()
            call = await stage.dial(caller)
            other = await far.incoming()
            await other.ring(183, early_media=True)
            await call.hears(RINGBACK)  # not the far end's early media
            await other.answer()
            await other.hears(caller.tone)
            await call.hears(far.tone)
            await asyncio.sleep(0.2)
            await call.hang_up()
            await other.ended()
            theirs, ours = await other.report(), await call.report()
            assert (theirs["digits"], ours["digits"]) == (expected, "")
            keys = [(await other.gets_digit(digit))["at_ms"] for digit in expected]
            joined = one_span(theirs, caller.tone)[0]
            assert joined > keys[-1], "the customer is heard after the last digit"
            assert abs(one_span(ours, far.tone)[0] - joined) <= 60
            if "," in digits:
                assert keys[1] - keys[0] > 750, "a comma is a pause"


async def R75_digits_as_tones_for_a_far_end_without_telephone_events():
    async with courier_stage(ThirdPartyDTMFDigits="159") as stage:
        far = await carrier(stage, events=False)
        caller = await stage.caller(tone=1900)
        call = await stage.dial(caller)
        other = await far.incoming()
        await other.answer()
        await other.hears(caller.tone)
        await call.hears(far.tone)
        await call.hang_up()
        await other.ended()
        theirs = await other.report()
        joined = spans(theirs, caller.tone)[0][0]
        keys = {h["from_ms"] for h in theirs["heard"] if 60 < h["to_ms"] - h["from_ms"] < 140}
        assert len(keys) == 3 and max(keys) < joined, theirs["heard"]
        one = {h["hz"] for h in theirs["heard"] if h["from_ms"] == min(keys)}
        assert one == {700, 1200}, "the first key is 1: 697 and 1209 Hz"


async def R76_caller_id_number_and_name():
    cases = [({"Number": "+12025550100", "Name": "Returns"}, "+12025550100", "Returns"),
             ({"Number": "$.Attributes.from", "Name": "$.Attributes.who"}, "+12025550101", "Parcels"),
             (None, "+12025550199", "")]
    for caller_id, number, name in cases:
        parameters = {"CallerId": caller_id} if caller_id else {}
        async with courier_stage(**parameters) as stage:
            far = await carrier(stage, auto="answer")
            call = await stage.dial(await stage.caller())
            other = await far.incoming()
            sender = other.invite.get("from")
            assert f"sip:{number}@" in sender and name in sender, sender
            await call.hears(far.tone)
            await call.hang_up()
            await other.ended()


async def test_early_media_of_the_far_end_replaces_our_ringback():
    async with courier_stage() as stage:
        far = await carrier(stage)
        call = await stage.dial(await stage.caller())
        other = await far.incoming()
        await other.ring()
        await call.hears(RINGBACK)
        await other.ring(183, early_media=True)
        await call.hears(far.tone)
        assert stage.states() == ["flow"]
        await other.reject(486)
        await call.hears(FULL)
        await call.ended()


async def test_the_caller_hangs_up_while_it_rings_and_while_they_talk():
    for answered in (False, True):
        async with courier_stage() as stage:
            far = await carrier(stage)
            call = await stage.dial(await stage.caller())
            other = await far.incoming()
            await other.ring()
            await call.hears(RINGBACK)
            if answered:
                await other.answer()
                await call.hears(far.tone)
            await call.hang_up()
            await other.ended()
            assert other.ended_by == "them"
            assert (await stage.records(1))[0]["DisconnectReason"] == "CUSTOMER_DISCONNECT"
            await nothing_left(stage)


async def test_keys_of_the_customer_reach_the_far_end():
    async with courier_stage() as stage:
        far = await carrier(stage)
        call = await stage.dial(await stage.caller())
        other = await far.incoming()
        await other.answer()
        await call.hears(far.tone)
        await call.digits("42")
        await other.gets_digit("4")
        await other.gets_digit("2")
        await other.hang_up()
        await call.hears(BEEP)
        await call.ended()


async def test_a_waiting_caller_talks_to_a_number_and_keeps_the_place():
    """In a queue flow: parked while they talk, offered when the number has hung up."""
    stage = courier_stage()
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End", {"NoMatchingError": "End"}),
        action("End", "DisconnectParticipant"))
    stage.flows["waiting"] = flow(
        "Tone customer queue", "customerQueue", "Call",
        action("Call", "TransferParticipantToThirdParty",
               {"ThirdPartyPhoneNumber": COURIER, "ThirdPartyConnectionTimeLimitSeconds": "20",
                "ContinueFlowExecution": "True"}, "Music",
               {"NoMatchingError": "Music", "CallFailed": "Music",
                "ConnectionTimeLimitExceeded": "Music"}),
        action("Music", "MessageParticipantIteratively", {"Messages": [{"PromptId": "music"}]}))
    async with stage:
        far = await carrier(stage)
        caller = await stage.caller()
        call = await stage.dial(caller)
        other = await far.incoming()
        await other.answer()
        await call.hears(far.tone)
        phone = await stage.agent("arossi", auto="answer")
        await asyncio.sleep(0.5)
        assert stage.queue("Orders")["contacts"] == 1 and phone.waiting.empty()
        await other.hang_up()
        await call.hears(phone.tone)
        await call.hang_up()
        await eventually("the agent's call to end", lambda: stage.agent_state("arossi") == "AfterCallWork")


async def R128_a_courier_with_resume_and_digits_then_the_queue():
    stage = courier_stage(ThirdPartyDTMFDigits="31")
    stage.flows["main"]["Actions"] += [
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End", {"NoMatchingError": "End"})]
    done = next(a for a in stage.flows["main"]["Actions"] if a["Identifier"] == "Done")
    done["Transitions"]["NextAction"] = "Queue"
    async with stage:
        far = await carrier(stage)
        caller = await stage.caller()
        call = await stage.dial(caller)
        other = await far.incoming()
        await other.ring()
        await other.answer()
        await other.gets_digit("3")
        last = await other.gets_digit("1")
        await other.hears(caller.tone)
        await call.hears(far.tone)
        theirs = await other.report()
        assert theirs["digits"] == "31" and last["at_ms"] < one_span(theirs, caller.tone)[0]
        await other.hang_up()
        await call.hears(BEEP)
        await call.hears(MUSIC)
        phone = await stage.agent("arossi", auto="answer")
        await call.hears(phone.tone)
        leg = await phone.incoming()
        await leg.hears(caller.tone)
        await leg.hang_up()
        await call.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        record = (await stage.records(1))[0]
        assert record["Agent"]["Username"] == "arossi" and record["Queue"]["Name"] == "Orders"
        assert record["TransferredToEndpoint"]["Address"] == COURIER
        await nothing_left(stage)


async def test_a_trunk_whose_gateway_is_gone_fails_the_call():
    stage = courier_stage()
    stage.instance["cordboard"]["trunks"].append(
        {"name": "gone", "gateways": [{"address": "10.77.0.98:5060"}], "ping": "1s"})
    stage.instance["cordboard"]["number_plan"]["routes"] = [{"prefix": "+1", "trunks": ["gone"]}]
    async with stage:
        await eventually("the gateway to be down", lambda: not next(
            t for t in stage.call("trunk.list")["trunks"] if t["name"] == "gone")["usable"], 60)
        call = await stage.dial(await stage.caller())
        await call.hears(FULL)
        await call.ended()
        await nothing_left(stage)
