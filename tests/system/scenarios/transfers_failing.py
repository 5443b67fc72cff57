# SPDX-License-Identifier: Apache-2.0
"""The ways in which the target of a transfer does not come: the source is told why, the customer stays
on hold, and the source resumes or transfers again (R22, R40)."""
from board import (CUSTOMER_HOLD, RINGBACK, TO_AGENT, TO_QUEUE, accept, add_quick_connect, board_stage,
                   chain, clear, hears_now, lasts, panel, resume, shown, talking, transfer,
                   until_failed, who_did_what)
from leaving import nothing_left
from main_job import never, spans
from stage import BEEP, FULL, MUSIC, WHISPER, action, eventually, flow, play, queue_flow, user


async def R22_the_agent_rejects_misses_or_refuses_at_the_phone():
    """And each time the same source transfers again; the last one comes."""
    stage = board_stage(routing__offer="1s", routing__panel_answer="1s")
    stage.instance["agents"][2] = user("csilva", "ring")
    async with stage:
        call, source, (panel_phone, ring_phone) = await talking(stage, others=("bkhan", "csilva"))
        transfer(stage, source, "B. Khan")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.reject", agent="bkhan")
        await until_failed(stage, call, source, "bkhan: rejected")

        stage.call("agent.set_status", agent="bkhan", status="Available")
        transfer(stage, source, "B. Khan")
        await stage.until_agent("bkhan", "Missed")
        await until_failed(stage, call, source, "bkhan: not accepted in time")

        stage.call("agent.set_status", agent="bkhan", status="Available")
        transfer(stage, source, "B. Khan")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.accept", agent="bkhan")
        await (await panel_phone.incoming()).ended()  # it rang for a second
        await until_failed(stage, call, source, "bkhan: ")

        transfer(stage, source, "C. Silva")
        await source.hears(RINGBACK)
        await (await ring_phone.incoming()).reject(486)
        await until_failed(stage, call, source, "csilva: rejected")
        await resume(stage, call, source)

        stage.call("agent.set_status", agent="csilva", status="Available")
        transfer(stage, source, "C. Silva")
        assert panel(stage, "arossi")["transfer_failed"] is None
        target = await ring_phone.incoming()
        await target.ring()
        await target.answer()
        await target.hears(source.phone.tone)
        await call.hang_up()
        stage.call("contact.leave", agent="csilva")
        await clear(stage, "arossi", "csilva")
        never(await call.report(), RINGBACK, TO_AGENT, *(p.tone for p in (panel_phone, ring_phone)))
        records = await chain(stage, 6)  # one for each attempt
        assert who_did_what(records) == [
            ("INBOUND", "arossi")] + [("TRANSFER", None)] * 4 + [("TRANSFER", "csilva")]
        await nothing_left(stage)


async def R22_the_agent_is_busy_offline_away_or_without_a_phone():
    stage = board_stage()
    stage.instance["agents"][3]["security_profile"] = "QualityAnalyst"
    async with stage:
        call, source, _ = await talking(stage, others=())
        for why, become in (
                ("not logged in", None),
                ("not in the status Available", lambda: stage.agent("bkhan", status="Lunch")),
                ("on a contact", lambda: busy(stage, "csilva"))):
            if become:
                await become()
            transfer(stage, source, "C. Silva" if why == "on a contact" else "B. Khan")
            await source.hears(TO_AGENT)
            await until_failed(stage, call, source, why)
        await stage.agent("dyang")
        transfer(stage, source, "D. Yang")
        await until_failed(stage, call, source, "does not allow taking calls")
        phone = next(p for p in stage.phones if p.user == "bkhan")
        stage.call("agent.set_status", agent="bkhan", status="Available")
        await phone.register(expires=0)
        transfer(stage, source, "B. Khan")
        await until_failed(stage, call, source, "the phone is not registered")
        never(await source.report(), RINGBACK)
        await resume(stage, call, source)
        assert stage.agent_state("bkhan") == "Available", "who was not offered it has missed nothing"


async def busy(stage, agent):
    """The agent talks with another customer."""
    phone = await stage.agent(agent)
    call = await stage.dial(await stage.caller(number="+12025550198"))
    leg = await accept(stage, phone)
    await call.hears(phone.tone)
    return call, leg


async def R22_after_contact_work_of_the_agent_is_ended_and_the_call_offered():
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        other, leg = await busy(stage, "csilva")
        await other.hang_up()
        await leg.ended()
        await stage.until_agent("csilva", "AfterCallWork")
        transfer(stage, source, "C. Silva")
        target = await accept(stage, leg.phone)
        await target.hears(source.phone.tone)
        await hears_now({call: {CUSTOMER_HOLD}, source: {target.phone.tone},
                         target: {source.phone.tone}})
        record = (await stage.records(1))[0]
        assert record["Agent"]["Username"] == "csilva", "the work before is done"


async def R22_in_a_queue_another_agent_takes_what_the_first_has_rejected():
    async with board_stage(routing__offer="1s") as stage:
        call, source, (first,) = await talking(stage)
        transfer(stage, source, "Returns desk")
        await source.hears(TO_QUEUE)
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.reject", agent="bkhan")
        await stage.until_agent("bkhan", "Missed")
        await hears_now({call: {CUSTOMER_HOLD}, source: {MUSIC}})
        assert panel(stage, "arossi")["transfer_failed"] is None
        assert shown(stage, "arossi")[1] == ("internal-transfer", "Connecting")
        second = await stage.agent("csilva")
        await stage.until_agent("csilva", "Offered")
        await stage.until_agent("csilva", "Missed")
        third = await stage.agent("dyang")
        target = await accept(stage, third)
        await target.hears(source.phone.tone)
        await hears_now({call: {CUSTOMER_HOLD}, source: {third.tone}})
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        await call.hang_up()
        await clear(stage, "arossi", "dyang")
        records = await chain(stage, 2)
        assert who_did_what(records) == [("INBOUND", "arossi"), ("TRANSFER", "dyang")]
        assert records[1]["AgentConnectionAttempts"] == 3
        assert first.waiting.empty() and second.waiting.empty()


async def R22_a_transfer_flow_that_disconnects_hangs_up_on_nobody():
    """The desk is closed: its flow says so, to the source, and ends."""
    stage = board_stage()
    stage.instance["hours"].append({"name": "Never", "time_zone": "UTC", "week": {
        "monday": ["00:00-00:01"]}})
    stage.instance["queues"].append({"name": "Closed", "hours": "Never"})
    for name, kind, queue in (("closed", "queueTransfer", "Closed"), ("agent-closed", "agentTransfer",
                                                                      "Closed")):
        stage.flows[name] = flow(
            name, kind, "Set",
            action("Set", "UpdateContactTargetQueue", {"QueueId": queue}, "Hours",
                   {"NoMatchingError": "End"}),
            action("Hours", "CheckHoursOfOperation", {}, "End", {"NoMatchingError": "End"},
                   {"True": "Go", "False": "Full"}),
            action("Go", "TransferContactToQueue", None, "End",
                   {"QueueAtCapacity": "End", "NoMatchingError": "End"}),
            play("Full", "full", "End"), action("End", "DisconnectParticipant"))
    add_quick_connect(stage, "Closed desk", type="queue", queue="Closed", flow="closed")
    add_quick_connect(stage, "Closed agent", type="agent", agent="bkhan", flow="agent-closed")
    async with stage:
        call, source, _ = await talking(stage)
        for number, name in enumerate(("Closed desk", "Closed agent")):
            transfer(stage, source, name)
            await until_failed(stage, call, source, "the transfer flow has ended")
            assert len(spans(await source.report(), FULL)) == number + 1
        assert stage.queue("Closed")["figures"]["entered"] == 0
        await resume(stage, call, source)
        never(await call.report(), FULL)
        await call.hang_up()
        await clear(stage, "arossi")
        assert who_did_what(await chain(stage, 3)) == [("INBOUND", "arossi"), ("TRANSFER", None),
                                                       ("TRANSFER", None)]


async def R40_a_full_queue_tells_the_source_and_the_customer_stays_on_hold():
    stage = board_stage()
    stage.instance["cordboard"]["numbers"].append({"number": "+12025550103", "flow": "Returns line"})
    stage.flows["returns"] = queue_flow("Returns line", "Returns")
    async with stage:
        call, source, _ = await talking(stage, others=())
        other = await stage.dial(await stage.caller(number="+12025550198"), "+12025550103")
        await other.hears(MUSIC)
        transfer(stage, source, "Returns desk")
        await source.hears(TO_QUEUE)
        await source.hears(FULL)
        await hears_now({call: {CUSTOMER_HOLD}}, settle=0)
        await until_failed(stage, call, source, "Returns")
        assert stage.queue("Returns")["contacts"] == 1
        await other.hang_up()
        await eventually("the queue to be empty", lambda: stage.queue("Returns")["contacts"] == 0)
        transfer(stage, source, "Returns desk")
        await eventually("the transfer to be in the queue",
                         lambda: stage.queue("Returns")["contacts"] == 1)
        await hears_now({call: {CUSTOMER_HOLD}, source: {MUSIC}})
        assert panel(stage, "arossi")["transfer_failed"] is None


async def R22_the_target_hangs_up_at_each_moment():
    """In the whispers a transfer to an agent fails; in talk only the target is gone."""
    stage = board_stage()
    for prompt in ("whisper", "beep"):
        lasts(stage, prompt, 1200)
    async with stage:
        call, source, (phone,) = await talking(stage)
        for hears in (WHISPER, None, source.phone.tone):
            transfer(stage, source, "B. Khan")
            target = await accept(stage, phone)
            if hears:
                await target.hears(hears)
            else:
                await source.hears(BEEP)
            await target.hang_up()
            if hears == source.phone.tone:
                await eventually("the target's entry to be gone",
                                 lambda: len(shown(stage, "arossi")) == 1)
                assert panel(stage, "arossi")["transfer_failed"] is None
                # an agent who leaves takes everybody off hold (R50)
                await hears_now({call: {source.phone.tone}, source: {call.phone.tone}})
            else:
                await until_failed(stage, call, source,
                                   "bkhan: " if hears else "bkhan: hung up")
            if stage.agent_state("bkhan") != "Available":
                await after(stage, "bkhan")
        await call.hang_up()
        await clear(stage, "arossi")
        records = await chain(stage, 4)
        assert who_did_what(records)[:1] == [("INBOUND", "arossi")]
        assert who_did_what(records)[3] == ("TRANSFER", "bkhan")
        await nothing_left(stage)


async def after(stage, agent):
    """Whatever has come of the last contact, the agent is ready for the next."""
    if stage.agent_state(agent) == "AfterCallWork":
        stage.call("agent.clear", agent=agent)
    else:
        stage.call("agent.set_status", agent=agent, status="Available")
    await stage.until_agent(agent, "Available")


async def R22_in_a_queue_the_target_hangs_up_in_the_agent_whisper_and_another_comes():
    stage = board_stage()
    lasts(stage, "whisper", 1200)
    async with stage:
        call, source, (phone,) = await talking(stage)
        transfer(stage, source, "Returns desk")
        target = await accept(stage, phone)
        await target.hears(WHISPER)
        await hears_now({source: {MUSIC}}, settle=0)
        await target.hang_up()
        await hears_now({call: {CUSTOMER_HOLD}, source: {MUSIC}})
        assert panel(stage, "arossi")["transfer_failed"] is None
        other = await stage.agent("csilva")
        target = await accept(stage, other)
        await target.hears(source.phone.tone)
        await hears_now({call: {CUSTOMER_HOLD}, source: {other.tone}, target: {source.phone.tone}})
