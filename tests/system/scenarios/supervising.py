# SPDX-License-Identifier: Apache-2.0
"""Supervisors on a call: silent monitor, coach, barge, and back (pain 19: who hears a supervisor is a
row of the mixer, and not an effect on a leg)."""
from board import (CUSTOMER_HOLD, board_stage, consult, hears_now, party, shown, talking)
from leaving import nothing_left
from stage import Refused, eventually, user


async def supervisor(stage, name="eboss", agent="arossi", verb="monitor", status=None):
    phone = await stage.agent(name, status=status)
    stage.call(f"contact.{verb}", supervisor=name, agent=agent)
    leg = await phone.incoming()
    await leg.answer()
    return phone, leg


async def pain_19_monitor_coach_barge_and_back():
    async with board_stage() as stage:
        call, agent, _ = await talking(stage, others=())
        customer, first = call.phone.tone, agent.phone.tone
        phone, ear = await supervisor(stage)
        boss = phone.tone

        def watch(verb):
            return stage.call(f"contact.{verb}", supervisor="eboss", agent="arossi")

        await ear.hears(customer)
        await hears_now({call: {first}, agent: {customer}, ear: {customer, first}})
        assert shown(stage, "arossi") == [(call.phone.user, "Connected")], "a monitor is not seen"
        watch("coach")
        await hears_now({call: {first}, agent: {customer, boss}, ear: {customer, first}})
        watch("barge")
        await hears_now({call: {first, boss}, agent: {customer, boss}, ear: {customer, first}})
        assert ("eboss", "Connected") in shown(stage, "arossi")
        watch("monitor")
        watch("monitor")  # the wanted state is there already
        await hears_now({call: {first}, agent: {customer}, ear: {customer, first}})
        # on hold the customer hears no talk, and whoever listens hears what the agent hears
        watch("coach")
        stage.call("contact.hold", agent="arossi", party="customer")
        await hears_now({call: {CUSTOMER_HOLD}, agent: {boss}, ear: {first}})
        stage.call("contact.resume", agent="arossi", party="customer")
        await hears_now({call: {first}, agent: {customer, boss}, ear: {customer, first}})
        stage.call("contact.leave", agent="eboss")
        await ear.ended()
        await hears_now({call: {first}, agent: {customer}})
        await call.hang_up()
        await agent.ended()
        stage.call("agent.clear", agent="arossi")
        await nothing_left(stage)


async def test_a_supervisor_who_barges_may_drop_the_agent():
    async with board_stage() as stage:
        call, agent, _ = await talking(stage, others=())
        phone, leg = await supervisor(stage, verb="barge", status="Available")
        await leg.hears(call.phone.tone)
        assert stage.agent_state("eboss") == "Busy"
        stage.call("contact.disconnect", agent="eboss", party=party(stage, "eboss", "agent"))
        await agent.ended()
        await hears_now({call: {phone.tone}, leg: {call.phone.tone}})
        stage.call("agent.clear", agent="arossi")
        await leg.hang_up()
        await call.ended()
        await stage.until_agent("eboss", "Available")
        record = await eventually("the record of the whole contact", lambda: next(
            (r for r in stage.call("record.list", since=0)["records"] if r["DisconnectReason"]), None))
        assert record["Agent"]["Username"] == "arossi"
        assert record["DisconnectReason"] == "BARGED"
        await nothing_left(stage)


async def test_supervisors_go_with_the_agent_and_no_more_than_five_come():
    stage = board_stage()
    names = [f"watch{n}" for n in range(6)]
    stage.instance["agents"] += [user(n, "panel", security_profile="QualityAnalyst") for n in names]
    async with stage:
        call, agent, (other,) = await talking(stage)
        legs = [(await supervisor(stage, name))[1] for name in names[:5]]
        for leg in legs:
            await leg.hears(agent.phone.tone)
        try:
            await supervisor(stage, names[5])
            raise AssertionError("a sixth supervisor should be refused")
        except Refused as refusal:
            assert "five" in str(refusal)
        target = await consult(stage, call, agent, other, "B. Khan")
        await hears_now({call: {CUSTOMER_HOLD}, target: {agent.phone.tone},
                         agent: {other.tone},
                         **{leg: {agent.phone.tone, other.tone} for leg in legs}})
        stage.call("contact.leave", agent="arossi")
        for leg in legs:
            await leg.ended()
        await hears_now({call: {other.tone}, target: {call.phone.tone}})
        await call.hang_up()
        await target.ended()
        for name in ("arossi", "bkhan"):
            stage.call("agent.clear", agent=name)
        await nothing_left(stage)


async def test_who_may_not_supervise_is_refused():
    async with board_stage() as stage:
        call, agent, (other,) = await talking(stage)
        for supervisor_, agent_, why in (("bkhan", "arossi", "security profile"),
                                         ("arossi", "arossi", "security profile"),
                                         ("eboss", "bkhan", "no contact"),
                                         ("nobody", "arossi", "no user")):
            try:
                stage.call("contact.monitor", supervisor=supervisor_, agent=agent_)
                raise AssertionError(f"{supervisor_} over {agent_} should be refused")
            except Refused as refusal:
                assert why in str(refusal), refusal
        await hears_now({call: {agent.phone.tone}, agent: {call.phone.tone}})
