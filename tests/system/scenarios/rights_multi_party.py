# SPDX-License-Identifier: Apache-2.0
"""Who may do what in multi-party mode (up to six parties): one scenario for each row of the table,
what is allowed and what is refused, judged by ear."""
import contextlib

from board import (AGENT_HOLD, CUSTOMER_HOLD, accept, board_stage, call_number, carrier, consult,
                   hang_up_all, hears_now, panel, refused, shown, talking)
from leaving import nothing_left
from stage import WHISPER, eventually, tone

NAMES = {"arossi": "A. Rossi", "bkhan": "B. Khan", "csilva": "C. Silva", "dyang": "D. Yang"}


@contextlib.asynccontextmanager
async def many(agents):
    """The stage, the customer's call, and the legs of as many agents, all joined."""
    async with board_stage(multi_party=True) as stage:
        users = list(NAMES)[:agents]
        call, first, phones = await talking(stage, others=users[1:])
        legs = [first]
        for phone in phones:
            legs.append(await consult(stage, call, first, phone, NAMES[phone.user]))
            stage.call("contact.join", agent=phone.user)
        yield stage, call, *legs


def who(stage, viewer, label):
    """The id of the party that is shown by this label."""
    found = [c["party"] for c in panel(stage, viewer)["connections"] if c["label"] == label]
    assert len(found) == 1, panel(stage, viewer)
    return found[0]



async def all_hear_all(*legs):
    tones = {leg.phone.tone for leg in legs}
    await hears_now({leg: tones - {leg.phone.tone} for leg in legs})


async def test_multi_party_any_agent_adds_until_they_are_six():
    async with many(2) as (stage, call, first, second):
        third_phone, fourth_phone = await stage.agent("csilva"), await stage.agent("dyang")
        far = await carrier(stage)
        stage.call("contact.transfer", agent="bkhan", quick_connect="C. Silva")  # a secondary
        for agent in ("arossi", "bkhan"):
            refused(stage, "another party is still on the way", "contact.transfer", agent=agent,
                    quick_connect="D. Yang")
            refused(stage, "another party is still on the way", "contact.transfer", agent=agent,
                    number="+12025550177")
        third = await accept(stage, third_phone)
        await third.hears(second.phone.tone)
        await hears_now({call: {CUSTOMER_HOLD}, third: {first.phone.tone, second.phone.tone}})
        stage.call("contact.join", agent="csilva")
        fourth = await consult(stage, call, third, fourth_phone, "D. Yang")
        other = await call_number(stage, fourth, far)
        stage.call("contact.join", agent="dyang")
        await all_hear_all(call, first, second, third, fourth, other)
        for agent in NAMES:
            refused(stage, "six parties are on the call", "contact.transfer", agent=agent,
                    number="+12025550178")
        await all_hear_all(call, first, second, third, fourth, other)
        assert len(shown(stage, "arossi")) == 5
        for leg in (first, second, third, fourth):  # one after the other, and the rest talk on
            stage.call("contact.leave", agent=leg.phone.user)
            await leg.ended()
        await all_hear_all(call, other)
        await hang_up_all(stage, call)
        await other.ended()
        await nothing_left(stage)


async def test_multi_party_any_agent_holds_any_party_itself_included():
    async with many(3) as (stage, call, first, second, third):
        customer, one, two, three = (leg.phone.tone for leg in (call, first, second, third))
        stage.call("contact.hold", agent="csilva", party="customer")
        await hears_now({call: {CUSTOMER_HOLD}, first: {two, three}, second: {one, three},
                         third: {one, two}})
        stage.call("contact.hold", agent="bkhan", party=who(stage, "bkhan", "arossi"))
        await hears_now({call: {CUSTOMER_HOLD}, first: {AGENT_HOLD}, second: {three}, third: {two}})
        assert panel(stage, "arossi")["on_hold"]
        stage.call("contact.join", agent="csilva")
        stage.call("contact.hold", agent="bkhan", party=who(stage, "arossi", "B. Khan"))
        await hears_now({call: {one, three}, first: {customer, three}, second: {AGENT_HOLD},
                         third: {customer, one}})
        stage.call("contact.hold_all", agent="csilva")
        await hears_now({call: {CUSTOMER_HOLD}, first: {AGENT_HOLD}, second: {AGENT_HOLD},
                         third: set()})


async def test_multi_party_any_agent_resumes_itself():
    async with many(3) as (stage, call, first, second, third):
        customer, one, two, three = (leg.phone.tone for leg in (call, first, second, third))
        mine = who(stage, "arossi", "B. Khan")
        stage.call("contact.hold_all", agent="arossi")
        await hears_now({call: {CUSTOMER_HOLD}, first: set(), second: {AGENT_HOLD},
                         third: {AGENT_HOLD}})
        stage.call("contact.resume", agent="bkhan", party=mine)
        await hears_now({call: {CUSTOMER_HOLD}, first: {two}, second: {one}, third: {AGENT_HOLD}})
        stage.call("contact.resume", agent="bkhan", party="customer")
        await hears_now({call: {one, two}, first: {customer, two}, second: {customer, one},
                         third: {AGENT_HOLD}})
        stage.call("contact.resume", agent="csilva", party=who(stage, "arossi", "C. Silva"))
        await all_hear_all(call, first, second, third)


async def test_multi_party_secondaries_on_hold_do_not_hear_each_other():
    async with many(4) as (stage, call, first, second, third, fourth):
        parties = {name: who(stage, "arossi", label) for name, label in list(NAMES.items())[1:]}
        for name in ("bkhan", "csilva"):
            stage.call("contact.hold", agent="arossi", party=parties[name])
        await hears_now({second: {AGENT_HOLD}, third: {AGENT_HOLD},
                         first: {call.phone.tone, fourth.phone.tone},
                         fourth: {call.phone.tone, first.phone.tone},
                         call: {first.phone.tone, fourth.phone.tone}})
        stage.call("contact.resume", agent="bkhan", party=parties["bkhan"])
        await hears_now({third: {AGENT_HOLD},
                         second: {call.phone.tone, first.phone.tone, fourth.phone.tone}})
        stage.call("contact.resume", agent="csilva", party=parties["csilva"])
        await all_hear_all(call, first, second, third, fourth)


async def test_multi_party_any_agent_mutes_any_party():
    async with many(2) as (stage, call, first, second):
        customer, one, two = (leg.phone.tone for leg in (call, first, second))
        stage.call("contact.mute", agent="bkhan", party="customer")
        await hears_now({call: {one, two}, first: {two}, second: {one}})
        stage.call("contact.mute", agent="bkhan", party=who(stage, "bkhan", "arossi"))
        assert panel(stage, "arossi")["muted"]
        await hears_now({call: {two}, first: {two}, second: set()})
        stage.call("contact.unmute", agent="arossi")
        stage.call("contact.unmute", agent="arossi", party="customer")
        await all_hear_all(call, first, second)
        stage.call("contact.mute", agent="bkhan")
        await hears_now({call: {one}, first: {customer}, second: {customer, one}})
        stage.call("contact.unmute", agent="arossi", party=who(stage, "arossi", "B. Khan"))
        await all_hear_all(call, first, second)


async def test_multi_party_any_agent_disconnects_any_other_party():
    async with many(3) as (stage, call, first, second, third):
        refused(stage, "oneself: leave", "contact.disconnect", agent="csilva",
                party=who(stage, "arossi", "C. Silva"))
        await all_hear_all(call, first, second, third)
        stage.call("contact.disconnect", agent="csilva", party=who(stage, "csilva", "arossi"))
        await first.ended()
        assert stage.agent_state("arossi") == "AfterCallWork"
        await all_hear_all(call, second, third)
        stage.call("contact.disconnect", agent="csilva", party="customer")
        await call.ended()
        await all_hear_all(second, third)
        stage.call("contact.disconnect", agent="bkhan", party=who(stage, "bkhan", "C. Silva"))
        await third.ended()
        await second.ended()
        await hang_up_all(stage)
        await nothing_left(stage)


async def test_multi_party_control_passes_to_those_who_stay():
    async with many(3) as (stage, call, first, second, third):
        stage.call("contact.hold", agent="arossi", party="customer")
        await first.hang_up()
        await all_hear_all(call, second, third)  # R50
        stage.call("contact.hold", agent="csilva", party=who(stage, "csilva", "B. Khan"))
        await hears_now({call: {third.phone.tone}, second: {AGENT_HOLD}, third: {call.phone.tone}})
        stage.call("contact.leave", agent="csilva")
        await third.ended()
        await all_hear_all(call, second)
        stage.call("agent.clear", agent="csilva")
        again = await consult(stage, call, second, third.phone, "C. Silva")
        stage.call("contact.join", agent="csilva")
        await all_hear_all(call, second, again)


async def test_multi_party_everybody_sees_every_connection():
    async with many(3) as (stage, call, first, second, third):
        number = call.phone.user
        assert shown(stage, "arossi") == [(number, "Connected"), ("B. Khan", "Connected"),
                                          ("C. Silva", "Connected")]
        assert shown(stage, "bkhan") == [(number, "Connected"), ("arossi", "Connected"),
                                         ("C. Silva", "Connected")]
        stage.call("contact.hold_all", agent="bkhan")
        assert shown(stage, "csilva") == [(number, "On hold"), ("arossi", "On hold"),
                                          ("B. Khan", "Connected")]
        assert shown(stage, "bkhan") == [(number, "On hold"), ("arossi", "On hold"),
                                         ("C. Silva", "On hold")]
        stage.call("contact.join", agent="bkhan")
        stage.call("contact.mute", agent="bkhan", party="customer")
        assert all(panel(stage, name)["connections"][0]["muted"] for name in list(NAMES)[:3])


async def test_multi_party_an_agent_is_shown_by_the_quick_connect():
    async with board_stage(multi_party=True) as stage:
        call, first, (phone, third_phone) = await talking(stage, others=("bkhan", "csilva"))
        stage.call("contact.transfer", agent="arossi", quick_connect="C. Silva")
        third = await accept(stage, third_phone)
        await third.hears(first.phone.tone)
        stage.call("contact.transfer", agent="arossi", quick_connect="Returns desk")
        assert shown(stage, "arossi")[1:] == [("C. Silva", "Connected"), ("Returns desk", "Connecting")]
        second = await accept(stage, phone)
        await second.hears(first.phone.tone)
        assert shown(stage, "csilva")[2] == ("Returns desk", "Connected")
        far = await carrier(stage)
        await call_number(stage, second, far)
        assert shown(stage, "arossi")[3] == ("+12025550177", "Connected")


async def test_multi_party_rights_begin_when_the_agent_accepts():
    """Before the warm transfer is complete the target takes the customer off hold, and talks."""
    stage = board_stage(multi_party=True)
    stage.instance["prompts"][4]["file"] = tone(WHISPER, 2500)
    async with stage:
        call, first, (phone,) = await talking(stage)
        stage.call("contact.transfer", agent="arossi", quick_connect="B. Khan")
        await stage.until_agent("bkhan", "Offered")
        refused(stage, "only being offered", "contact.resume", agent="bkhan", party="customer")
        second = await accept(stage, phone)
        await second.hears(WHISPER)
        assert shown(stage, "bkhan") == [(call.phone.user, "On hold"), ("arossi", "Connecting")]
        refused(stage, "another party is still on the way", "contact.transfer", agent="bkhan",
                quick_connect="Courier")
        stage.call("contact.resume", agent="bkhan", party="customer")
        await hears_now({call: {first.phone.tone}, first: {call.phone.tone}, second: {WHISPER}})
        stage.call("contact.hold", agent="bkhan", party="customer")
        await second.hears(first.phone.tone)
        await hears_now({call: {CUSTOMER_HOLD}, first: {phone.tone}, second: {first.phone.tone}})
        stage.call("contact.resume", agent="bkhan", party="customer")
        await all_hear_all(call, first, second)
        stage.call("contact.hold", agent="bkhan", party=who(stage, "bkhan", "arossi"))
        await hears_now({call: {phone.tone}, first: {AGENT_HOLD}, second: {call.phone.tone}})


async def test_multi_party_swap_only_while_there_are_three():
    async with many(2) as (stage, call, first, second):
        stage.call("contact.swap", agent="bkhan", party="customer")
        await hears_now({call: {second.phone.tone}, second: {call.phone.tone}, first: {AGENT_HOLD}})
        stage.call("contact.swap", agent="bkhan", party=who(stage, "bkhan", "arossi"))
        await hears_now({call: {CUSTOMER_HOLD}, second: {first.phone.tone},
                         first: {second.phone.tone}})
        stage.call("contact.join", agent="bkhan")
        phone = await stage.agent("csilva")
        third = await consult(stage, call, second, phone, "C. Silva")
        stage.call("contact.join", agent="csilva")
        for agent in ("arossi", "bkhan", "csilva"):
            refused(stage, "swap is for a call of three", "contact.swap", agent=agent,
                    party="customer")
        await all_hear_all(call, first, second, third)
        stage.call("contact.leave", agent="csilva")
        await third.ended()
        stage.call("contact.swap", agent="arossi", party="customer")
        await hears_now({call: {first.phone.tone}, first: {call.phone.tone}, second: {AGENT_HOLD}})


async def test_multi_party_parties_hang_up_one_by_one():
    """The call lives as long as the customer or an agent is on it with somebody."""
    async with many(3) as (stage, call, first, second, third):
        far = await carrier(stage)
        other = await call_number(stage, third, far)
        stage.call("contact.hold_all", agent="csilva")
        await other.hang_up()
        await eventually("the number to be gone", lambda: len(shown(stage, "csilva")) == 3)
        await hears_now({call: {CUSTOMER_HOLD}, first: {AGENT_HOLD}, second: {AGENT_HOLD},
                         third: set()})
        await second.hang_up()
        await all_hear_all(call, first, third)
        other = await call_number(stage, first, far)
        await call.hang_up()
        await all_hear_all(first, third, other)
        await first.hang_up()
        await all_hear_all(third, other)
        await third.hang_up()
        await other.ended()
        await hang_up_all(stage)
        await nothing_left(stage)
