# SPDX-License-Identifier: Apache-2.0
"""Transfers by agents, step by step, judged by ear (R15 to R44, R126)."""
import asyncio

from board import (AGENT_HOLD, CUSTOMER_HOLD, RINGBACK, TO_AGENT, accept, board_stage, consult,
                   hears_now, shown, talking)
from leaving import nothing_left
from main_job import never, no_gaps, one_span, spans
from stage import BEEP, WHISPER, tone


async def R126_the_story_of_a_warm_transfer():
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


async def R124_the_customer_hears_what_is_left_of_the_transfer_flow():
    stage = board_stage()
    stage.instance["prompts"].append({"name": "long", "file": tone(TO_AGENT, 3000)})
    stage.flows["to-agent"]["Actions"][0]["Parameters"]["PromptId"] = "long"
    async with stage:
        call, source, (phone,) = await talking(stage)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await source.hears(TO_AGENT)
        await asyncio.sleep(1.5)
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        assert stage.agent_state("arossi") == "AfterCallWork"
        target = await accept(stage, phone)
        await target.hears(call.phone.tone)
        await call.hears(phone.tone)
        heard, agent = await call.report(), await source.report()
        first, rest = one_span(agent, TO_AGENT), one_span(heard, TO_AGENT)
        total = first[1] - first[0] + rest[1] - rest[0]
        assert 2800 <= total <= 3150, f"3 s in all, heard {first} and {rest}"
        assert len(spans(heard, BEEP)) == 2, "a customer whisper for each agent"
        never(await target.report(), TO_AGENT, BEEP, CUSTOMER_HOLD)
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        await call.hang_up()
