# SPDX-License-Identifier: Apache-2.0
"""Who may do what in three-party mode (the default): one scenario for each row of the table, what is
allowed and what is refused, judged by ear."""
import contextlib

from board import (AGENT_HOLD, CUSTOMER_HOLD, accept, board_stage, call_number, carrier, consult,
                   hears_now, panel, party, refused, shown, talking)
from stage import WHISPER, eventually, tone

PRIMARY_ONLY = "in three-party mode this is for the primary agent"
FIRST, SECOND = "arossi", "bkhan"


@contextlib.asynccontextmanager
async def three(others=("bkhan",), joined=True):
    """The stage, the customer's call, the primary's leg, the secondary's, the phones of the rest."""
    async with board_stage() as stage:
        call, first, phones = await talking(stage, others=others)
        second = await consult(stage, call, first, phones[0], "B. Khan")
        if joined:
            stage.call("contact.join", agent=FIRST)
        yield stage, call, first, second, phones[1:]


async def all_hear_all(*legs):
    tones = {leg.phone.tone for leg in legs}
    await hears_now({leg: tones - {leg.phone.tone} for leg in legs})


async def test_three_party_an_agent_adds_one_party_and_no_more():
    async with three(others=("bkhan", "csilva"), joined=False) as (stage, call, first, second, _):
        refused(stage, "three parties are on the call", "contact.transfer", agent=FIRST,
                quick_connect="C. Silva")
        refused(stage, "three parties are on the call", "contact.transfer", agent=FIRST,
                quick_connect="Returns desk")
        refused(stage, "three parties are on the call", "contact.transfer", agent=FIRST,
                number="+12025550177")
        refused(stage, PRIMARY_ONLY, "contact.transfer", agent=SECOND, quick_connect="C. Silva")
        await hears_now({call: {CUSTOMER_HOLD}, first: {second.phone.tone},
                         second: {first.phone.tone}})
        assert stage.agent_state("csilva") == "Available"
        second_party = party(stage, FIRST, "agent")
        stage.call("contact.disconnect", agent=FIRST, party=second_party)
        await second.ended()
        stage.call("contact.transfer", agent=FIRST, quick_connect="C. Silva")
        refused(stage, "another party is still on the way", "contact.transfer", agent=FIRST,
                quick_connect="B. Khan")
        assert len(shown(stage, FIRST)) == 2


async def test_three_party_hold_is_for_the_primary():
    async with three() as (stage, call, first, second, _):
        refused(stage, PRIMARY_ONLY, "contact.hold", agent=SECOND, party="customer")
        refused(stage, PRIMARY_ONLY, "contact.hold", agent=SECOND,
                party=party(stage, SECOND, "agent"))
        refused(stage, PRIMARY_ONLY, "contact.hold_all", agent=SECOND)
        await all_hear_all(call, first, second)
        stage.call("contact.hold", agent=FIRST, party=party(stage, FIRST, "agent"))
        await hears_now({call: {first.phone.tone}, first: {call.phone.tone}, second: {AGENT_HOLD}})
        stage.call("contact.hold", agent=FIRST, party="customer")
        await hears_now({call: {CUSTOMER_HOLD}, first: set(), second: {AGENT_HOLD}})


async def test_three_party_nobody_puts_itself_on_hold():
    async with three() as (stage, call, first, second, _):
        own = str(int(party(stage, FIRST, "customer")) + 1)  # the first agent's follows the customer's
        refused(stage, "may not put itself on hold", "contact.hold", agent=FIRST, party=own)
        refused(stage, PRIMARY_ONLY, "contact.hold", agent=SECOND,
                party=party(stage, FIRST, "agent"))
        refused(stage, "no party '77'", "contact.hold", agent=FIRST, party="77")
        await all_hear_all(call, first, second)


async def test_three_party_a_secondary_on_hold_cannot_resume_alone():
    async with three() as (stage, call, first, second, _):
        held = party(stage, FIRST, "agent")
        stage.call("contact.hold", agent=FIRST, party=held)
        assert panel(stage, SECOND)["on_hold"]
        assert stage.call("agent.get", agent=SECOND)["contact"]["state"] == "on hold"
        refused(stage, PRIMARY_ONLY, "contact.resume", agent=SECOND, party=held)
        refused(stage, PRIMARY_ONLY, "contact.join", agent=SECOND)
        refused(stage, PRIMARY_ONLY, "contact.swap", agent=SECOND, party="customer")
        await hears_now({call: {first.phone.tone}, first: {call.phone.tone}, second: {AGENT_HOLD}})
        assert panel(stage, SECOND)["on_hold"]
        stage.call("contact.resume", agent=FIRST, party=held)
        await all_hear_all(call, first, second)
        assert not panel(stage, SECOND)["on_hold"]


async def test_three_party_agents_talk_while_the_customer_is_held():
    async with three() as (stage, call, first, second, _):
        stage.call("contact.hold", agent=FIRST, party="customer")
        await hears_now({call: {CUSTOMER_HOLD}, first: {second.phone.tone},
                         second: {first.phone.tone}})
        refused(stage, PRIMARY_ONLY, "contact.resume", agent=SECOND, party="customer")
        assert shown(stage, FIRST)[0] == (call.phone.user, "On hold")


async def test_three_party_mute_is_for_oneself():
    async with three() as (stage, call, first, second, _):
        both = party(stage, FIRST, "agent")
        for agent, whom in ((FIRST, "customer"), (FIRST, both), (SECOND, "customer"),
                            (SECOND, party(stage, SECOND, "agent"))):
            refused(stage, "may only mute itself", "contact.mute", agent=agent, party=whom)
        await all_hear_all(call, first, second)
        stage.call("contact.mute", agent=FIRST)
        stage.call("contact.mute", agent=FIRST)
        assert panel(stage, FIRST)["muted"] and not panel(stage, SECOND)["muted"]
        await hears_now({call: {second.phone.tone}, second: {call.phone.tone},
                         first: {call.phone.tone, second.phone.tone}})
        stage.call("contact.mute", agent=SECOND)
        await hears_now({call: set(), second: {call.phone.tone},
                         first: {call.phone.tone}})
        # a hold in between changes nothing about it
        stage.call("contact.hold_all", agent=FIRST)
        stage.call("contact.join", agent=FIRST)
        await hears_now({call: set(), second: {call.phone.tone}, first: {call.phone.tone}})
        refused(stage, "may only mute itself", "contact.unmute", agent=FIRST, party=both)
        stage.call("contact.unmute", agent=FIRST)
        stage.call("contact.unmute", agent=SECOND, party=both)
        await all_hear_all(call, first, second)


async def test_three_party_the_primary_disconnects_and_the_secondary_only_when_alone():
    async with three() as (stage, call, first, second, _):
        refused(stage, PRIMARY_ONLY, "contact.disconnect", agent=SECOND, party="customer")
        refused(stage, PRIMARY_ONLY, "contact.disconnect", agent=SECOND,
                party=party(stage, SECOND, "agent"))
        await all_hear_all(call, first, second)
        stage.call("contact.disconnect", agent=FIRST, party=party(stage, FIRST, "agent"))
        await second.ended()
        assert second.ended_by == "them" and stage.agent_state(SECOND) == "AfterCallWork"
        await all_hear_all(call, first)
        stage.call("agent.clear", agent=SECOND)
        again = await consult(stage, call, first, second.phone, "B. Khan")
        stage.call("contact.leave", agent=FIRST)
        await first.ended()
        await all_hear_all(call, again)
        stage.call("contact.disconnect", agent=SECOND, party="customer")
        await call.ended()
        await again.ended()
        assert stage.agent_state(SECOND) == "AfterCallWork"


async def test_three_party_the_primary_disconnects_the_customer_and_talks_on():
    async with three() as (stage, call, first, second, _):
        stage.call("contact.disconnect", agent=FIRST, party="customer")
        await call.ended()
        await all_hear_all(first, second)
        refused(stage, "the customer has left", "contact.transfer", agent=FIRST,
                quick_connect="C. Silva")
        refused(stage, "no party 'customer'", "contact.hold", agent=FIRST, party="customer")
        stage.call("contact.leave", agent=SECOND)
        await second.ended()
        await first.ended()
        assert stage.agent_state(FIRST) == stage.agent_state(SECOND) == "AfterCallWork"


async def test_three_party_who_stays_keeps_the_control():
    async with three() as (stage, call, first, second, _):
        stage.call("contact.leave", agent=SECOND)
        await second.ended()
        stage.call("contact.hold", agent=FIRST, party="customer")
        await hears_now({call: {CUSTOMER_HOLD}, first: set()})
        stage.call("agent.clear", agent=SECOND)
        again = await consult(stage, call, first, second.phone, "B. Khan")
        stage.call("contact.leave", agent=FIRST)
        await first.ended()
        stage.call("contact.hold", agent=SECOND, party="customer")
        await hears_now({call: {CUSTOMER_HOLD}, again: set()})
        stage.call("agent.clear", agent=FIRST)
        back = await consult(stage, call, again, first.phone, "A. Rossi")
        refused(stage, PRIMARY_ONLY, "contact.join", agent=FIRST)  # it is the secondary now
        stage.call("contact.join", agent=SECOND)
        await all_hear_all(call, again, back)


async def test_three_party_what_one_sees():
    async with three(joined=False) as (stage, call, first, second, _):
        assert shown(stage, FIRST) == [(call.phone.user, "On hold"), ("internal-transfer", "Connected")]
        assert shown(stage, SECOND) == [("internal-transfer", "Connected")]
        stage.call("contact.hold_all", agent=FIRST)
        assert shown(stage, FIRST) == [(call.phone.user, "On hold"), ("internal-transfer", "On hold")]
        assert shown(stage, SECOND) == [("internal-transfer", "Connected")]
        stage.call("contact.join", agent=FIRST)
        assert shown(stage, FIRST) == [(call.phone.user, "Connected"),
                                       ("internal-transfer", "Connected")]
        assert shown(stage, SECOND) == [("internal-transfer", "Connected")]
        stage.call("contact.leave", agent=FIRST)
        await first.ended()
        assert shown(stage, SECOND) == [(call.phone.user, "Connected")]
        assert shown(stage, FIRST) == []
        far = await carrier(stage)
        await call_number(stage, second, far)
        assert shown(stage, SECOND)[1] == ("+12025550177", "Connected")


async def test_three_party_an_agent_and_a_queue_are_shown_as_internal_transfer():
    async with board_stage() as stage:
        call, first, (phone,) = await talking(stage)
        stage.call("contact.transfer", agent=FIRST, quick_connect="Returns desk")
        assert shown(stage, FIRST)[1] == ("internal-transfer", "Connecting")
        await stage.until_agent(SECOND, "Offered")
        assert shown(stage, SECOND) == [("internal-transfer", "Incoming")]
        assert shown(stage, FIRST)[1] == ("internal-transfer", "Connecting")
        second = await accept(stage, phone)
        await second.hears(first.phone.tone)
        assert shown(stage, FIRST)[1] == ("internal-transfer", "Connected")
        assert shown(stage, SECOND) == [("internal-transfer", "Connected")]


async def test_three_party_rights_are_those_of_the_role():
    """Whoever is on the way has none yet, and none over the call once it is connected."""
    stage = board_stage()
    stage.instance["prompts"][4]["file"] = tone(WHISPER, 2500)
    async with stage:
        call, first, (phone,) = await talking(stage)
        refused(stage, "has no contact", "contact.join", agent=SECOND)
        stage.call("contact.transfer", agent=FIRST, quick_connect="B. Khan")
        await stage.until_agent(SECOND, "Offered")
        refused(stage, "only being offered", "contact.mute", agent=SECOND)
        second = await accept(stage, phone)
        await second.hears(WHISPER)
        refused(stage, "not connected yet", "contact.mute", agent=SECOND)
        refused(stage, PRIMARY_ONLY, "contact.join", agent=SECOND)
        refused(stage, PRIMARY_ONLY, "contact.resume", agent=SECOND, party="customer")
        assert shown(stage, SECOND) == [("internal-transfer", "Connecting")]
        refused(stage, "not connected yet", "contact.hold", agent=FIRST,
                party=party(stage, FIRST, "agent"))
        await hears_now({call: {CUSTOMER_HOLD}, second: {WHISPER}})
        await second.hears(first.phone.tone)
        refused(stage, PRIMARY_ONLY, "contact.join", agent=SECOND)
        stage.call("contact.mute", agent=SECOND)
        await hears_now({call: {CUSTOMER_HOLD}, first: set(), second: {first.phone.tone}})


async def test_three_party_swap():
    async with three(joined=False) as (stage, call, first, second, _):
        other = party(stage, FIRST, "agent")
        refused(stage, PRIMARY_ONLY, "contact.swap", agent=SECOND, party="customer")
        stage.call("contact.swap", agent=FIRST, party="customer")
        await hears_now({call: {first.phone.tone}, first: {call.phone.tone}, second: {AGENT_HOLD}})
        stage.call("contact.swap", agent=FIRST, party=other)
        await hears_now({call: {CUSTOMER_HOLD}, first: {second.phone.tone},
                         second: {first.phone.tone}})
        stage.call("contact.join", agent=FIRST)
        stage.call("contact.swap", agent=FIRST, party="customer")
        await hears_now({call: {first.phone.tone}, first: {call.phone.tone}, second: {AGENT_HOLD}})
        stage.call("contact.disconnect", agent=FIRST, party=other)
        await second.ended()
        refused(stage, "swap is for a call of three", "contact.swap", agent=FIRST, party="customer")
        await eventually("one connection", lambda: len(shown(stage, FIRST)) == 1)
