# SPDX-License-Identifier: Apache-2.0
"""What two sides do in the same moment, what callers write into their headers, reloads under way."""
import asyncio
import json

from leaving import nothing_left
from main_job import connect
from stage import CONTROL, FULL, MUSIC, Stage, action, eventually, flow, play


def straight_to(queue):
    """An inbound flow that queues without a word."""
    return flow("Main", "contactFlow", "Queue",
                action("Queue", "UpdateContactTargetQueue", {"QueueId": queue}, "Transfer",
                       {"NoMatchingError": "End"}),
                action("Transfer", "TransferContactToQueue", None, "End",
                       {"QueueAtCapacity": "End", "NoMatchingError": "End"}),
                action("End", "DisconnectParticipant"))


async def test_callers_who_hang_up_at_once_leave_no_ghost():
    stage = Stage()
    stage.flows["main"] = straight_to("Orders")
    async with stage:
        caller = await stage.caller()
        for _ in range(30):
            call = await stage.dial(caller)
            await call.answered()
            await call.hang_up()
        assert stage.queue("Orders")["contacts"] == 0
        await nothing_left(stage)
        phone = await stage.agent("arossi", auto="answer")
        call = await stage.dial(caller)
        await call.hears(phone.tone)
        await call.hang_up()


async def test_agents_who_hang_up_at_once():
    stage = Stage()
    stage.flows["main"] = straight_to("Orders")
    async with stage:
        phone = await stage.agent("arossi")
        caller = await stage.caller()
        call = await stage.dial(caller)
        for _ in range(10):
            leg = await phone.incoming()
            await leg.answer()
            await leg.hang_up()
            await stage.until_states("queued")
            stage.call("agent.set_status", agent="arossi", status="Available")
        leg = await phone.incoming()
        await leg.answer()
        await leg.hears(caller.tone)
        await call.hang_up()


async def test_hang_ups_around_the_end_of_a_whisper():
    """The caller's BYE meets every moment from the whisper to the talk."""
    stage = Stage()
    stage.flows["main"] = straight_to("Orders")
    stage.instance["prompts"][4]["file"] = "tone:800:100ms"
    stage.instance["prompts"][3]["file"] = "tone:1400:60ms"
    stage.instance["agents"][0]["after_contact_seconds"] = 0
    async with stage:
        phone = await stage.agent("arossi", auto="answer")
        caller = await stage.caller()
        for step in range(24):
            call = await stage.dial(caller)
            leg = await phone.incoming()
            await leg.answered()
            await asyncio.sleep(step * 0.01)
            await (call if step % 2 else leg).hang_up()
            await eventually("the call to be over or queued again", lambda: stage.states() in (
                [], ["queued"], ["ended"]))
            await call.hang_up()
            await eventually("the caller to be gone", lambda: stage.states() in ([], ["ended"]))
            stage.call("agent.clear", agent="arossi")
            stage.call("agent.set_status", agent="arossi", status="Available")
            await stage.until_agent("arossi", "Available")
        await nothing_left(stage)


async def test_odd_callers_do_agents_no_harm():
    async with Stage() as stage:
        for user in ("john%20doe", "a%23b", "%FF%FE", "x" * 200, "o'brien", "%00"):
            phone = await stage.agent("arossi", auto="answer") if not stage.phones else phone
            caller = await stage.caller(number=user)
            call = await stage.dial(caller)
            if await call.final() != 200:
                continue
            await call.hears(phone.tone)
            await call.hang_up()
            stage.call("contact.list")
            await stage.until_agent("arossi", "AfterCallWork")
            stage.call("agent.clear", agent="arossi")
        assert len(await stage.records(3)) >= 3


async def test_a_whisper_that_wants_to_queue():
    stage = Stage()
    stage.flows["customer"] = flow(
        "Tone customer whisper", "customerWhisper", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "Beep",
               {"QueueAtCapacity": "Beep", "NoMatchingError": "Beep"}),
        play("Beep", "full", "End"), action("End", "EndFlowExecution"))
    async with stage:
        phone = await stage.agent("arossi", auto="answer")
        call = await stage.dial(await stage.caller())
        await call.hears(FULL)  # the error branch
        await call.hears(phone.tone)
        await call.hang_up()


async def test_reload_under_calls():
    """Calls go on; what was taken away takes no new ones; a bad file changes nothing."""
    async with Stage() as stage:
        caller, call, phone, leg = await connect(stage)
        waiting = await stage.dial(await stage.caller(number="+12025550198"))
        await waiting.hears(MUSIC)
        stage.instance["agents"] = [a for a in stage.instance["agents"] if a["user"] == "bkhan"]
        stage.instance["queues"].append({"name": "Third", "hours": "Always"})
        stage.write_instance()
        assert stage.call("reload")["loaded"]
        assert {q["name"] for q in stage.call("queue.list")["queues"]} >= {"Orders", "Third"}
        assert stage.states() == ["queued", "talking"]
        await call.hang_up()
        await leg.ended()
        stage.instance["queues"].append({"name": "Third", "hours": "Always"})
        stage.write_instance()
        answer = stage.call("reload")
        assert not answer["loaded"] and "queues.yaml" in json.dumps(answer["report"]), answer
        second = await stage.agent("bkhan", auto="answer")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.accept", agent="bkhan")
        await waiting.hears(second.tone)
        await waiting.hang_up()


async def test_a_user_who_is_removed_with_callers_in_the_own_queue():
    stage = Stage()
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Agent",
        action("Agent", "UpdateContactTargetQueue", {"AgentId": "$.Attributes.who"}, "Transfer",
               {"NoMatchingError": "Set"}),
        action("Set", "UpdateContactAttributes", {"Attributes": {"who": "bkhan"}}, "Agent",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"QueueAtCapacity": "End", "NoMatchingError": "End"}),
        action("End", "DisconnectParticipant"))
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        stage.instance["agents"] = [a for a in stage.instance["agents"] if a["user"] == "arossi"]
        stage.write_instance()
        stage.call("reload")
        stage.call("queue.list")
        stage.call("contact.list")
        await call.hang_up()
        assert (await stage.records(1))[0]["Attributes"] == {"who": "bkhan"}
        await nothing_left(stage)


async def test_what_the_plan_cannot_read_is_not_dialled():
    stage = Stage()
    stage.instance["cordboard"]["number_plan"].update(allow=["+1"], deny=["+1900"])
    async with stage:
        phone = await stage.agent("arossi")
        carrier = await stage.phone("carrier", "10.77.0.10", port=5060)
        for number in ("+1*9005551234", "+1/9005551234", "+19005551234", "1;phone-context=+1900",
                       "911", "+1900555123400000000"):
            call = await phone.call(f"sip:{number}@{CONTROL}")
            assert await call.final() in (400, 403, 404), number
        assert carrier.waiting.empty()
