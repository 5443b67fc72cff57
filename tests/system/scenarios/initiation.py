# SPDX-License-Identifier: Apache-2.0
"""Each initiation method runs the flows that belong to it, in their order, and no others (R57, R58,
R63). INBOUND and QUEUE_TRANSFER are in main_job.py and moving.py, CALLBACK in calling_back.py, OUTBOUND
and API in outbound.py."""
from board import (AGENT_HOLD, CUSTOMER_HOLD, RINGBACK, TO_AGENT, TO_QUEUE, accept, board_stage, talking)
from leaving import nothing_left
from main_job import connect, never, one_span, spans
from stage import (BEEP, FULL, GREETING, MUSIC, WHISPER, Stage, action, flow, play)


async def transferred(stage, quick_connect, transfer_flow, waiting):
    """From the pick of the quick connect until source and target talk; what was heard then."""
    call, source, (phone,) = await talking(stage)
    begin = [(await leg.report())["now_ms"] for leg in (call, source)]
    stage.call("contact.transfer", agent="arossi", quick_connect=quick_connect)
    await source.hears(transfer_flow)
    await source.hears(waiting)
    target = await accept(stage, phone)
    await target.hears(source.phone.tone)
    await source.hears(phone.tone)
    reports = [await leg.report() for leg in (call, source, target)]
    for report, from_ms in zip(reports, begin):
        report["heard"] = [h for h in report["heard"] if h["to_ms"] > from_ms + 100]
    await call.hang_up()
    return call, source, target, reports


def in_order(report, *tones):
    last = 0
    for hz in tones:
        found = spans(report, hz)
        assert found, f"{hz} Hz was not heard: {report['heard']}"
        assert last <= found[0][0] + 40, f"{hz} Hz came too early: {report['heard']}"
        last = found[-1][1]


async def R57_a_transfer_to_an_agent_runs_its_four_flows():
    async with board_stage() as stage:
        call, source, target, (customer, first, second) = await transferred(
            stage, "B. Khan", TO_AGENT, RINGBACK)
        in_order(first, TO_AGENT, RINGBACK, BEEP, target.phone.tone)
        in_order(second, WHISPER, source.phone.tone)
        in_order(customer, CUSTOMER_HOLD)
        never(customer, TO_AGENT, TO_QUEUE, WHISPER, BEEP, MUSIC, GREETING, RINGBACK)
        never(first, TO_QUEUE, WHISPER, MUSIC, GREETING, CUSTOMER_HOLD, AGENT_HOLD)
        never(second, TO_AGENT, TO_QUEUE, BEEP, MUSIC, GREETING, CUSTOMER_HOLD, AGENT_HOLD)


async def R58_a_transfer_to_a_queue_runs_its_flows():
    async with board_stage() as stage:
        call, source, target, (customer, first, second) = await transferred(
            stage, "Returns desk", TO_QUEUE, MUSIC)
        in_order(first, TO_QUEUE, MUSIC, BEEP, target.phone.tone)
        in_order(second, WHISPER, source.phone.tone)
        in_order(customer, CUSTOMER_HOLD)
        never(customer, TO_AGENT, TO_QUEUE, WHISPER, BEEP, MUSIC, GREETING, RINGBACK)
        never(first, TO_AGENT, WHISPER, GREETING, CUSTOMER_HOLD, AGENT_HOLD)
        never(second, TO_AGENT, TO_QUEUE, BEEP, MUSIC, GREETING, CUSTOMER_HOLD, AGENT_HOLD)


async def R63_no_flow_follows_the_disconnect_flow():
    """It queues the customer again; when the second agent leaves too, that is the end."""
    stage = Stage()
    queue = [action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
                    {"NoMatchingError": "End"}),
             action("Transfer", "TransferContactToQueue", None, "End",
                    {"QueueAtCapacity": "End", "NoMatchingError": "End"}),
             action("End", "DisconnectParticipant")]
    hook = action("Hook", "UpdateContactEventHooks", {"EventHooks": {"CustomerRemaining": "After"}},
                  "Queue", {"NoMatchingError": "End"})
    stage.flows["main"] = flow("Main", "contactFlow", "Hook", hook, *queue)
    stage.flows["after"] = flow("After", "contactFlow", "Say", play("Say", "full", "Hook"), hook, *queue)
    async with stage:
        caller, call, phone, leg = await connect(stage)
        await leg.hang_up()
        await call.hears(FULL)
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        leg = await phone.incoming()
        await leg.answer()
        await leg.hears(caller.tone)
        await leg.hang_up()
        await call.ended()
        assert call.ended_by == "them"
        one_span(await call.report(), FULL)
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        methods = [r["InitiationMethod"] for r in await stage.records(2)]
        assert sorted(methods) == ["DISCONNECT", "INBOUND"]
        await nothing_left(stage)
