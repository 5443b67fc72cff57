# SPDX-License-Identifier: Apache-2.0
"""The stage of transfers and conferences: three agents, quick connects of each kind, and flows whose
prompts are tones, so that the ear tells who hears which of them.

    transfer to agent 1450 Hz, transfer to queue 1650 Hz, ringback 1550 Hz,
    customer on hold 1750 Hz, agent on hold 1850 Hz, outbound whisper 1950 Hz
"""
import asyncio

from stage import (CONTROL, TRUNK, Stage, action, eventually, flow, play, tone, user)

TO_AGENT, TO_QUEUE, RINGBACK = 1450, 1650, 1550
CUSTOMER_HOLD, AGENT_HOLD, OUTBOUND = 1750, 1850, 1950
COURIER = "+12025550177"
CALLER_ID = "+12025550101"


def hold_flow(name, kind, prompt):
    return flow(name, kind, "Hold",
                action("Hold", "MessageParticipantIteratively", {"Messages": [{"PromptId": prompt}]}))


def board_stage(multi_party=False, **options):
    options.setdefault("media__ringback", tone(RINGBACK, 1000))
    stage = Stage(instance__multi_party="true" if multi_party else "false", **options)
    instance = stage.instance
    instance["cordboard"]["defaults"].update({"customer_hold": "Tone customer hold",
                                              "agent_hold": "Tone agent hold"})
    instance["cordboard"]["number_plan"]["routes"] = [{"prefix": "+1", "trunks": ["carrier"]}]
    instance["prompts"] += [{"name": "to-agent", "file": tone(TO_AGENT, 600)},
                            {"name": "to-queue", "file": tone(TO_QUEUE, 600)},
                            {"name": "customer-hold", "file": tone(CUSTOMER_HOLD, 2000)},
                            {"name": "agent-hold", "file": tone(AGENT_HOLD, 2000)}]
    instance["agents"] = [user("arossi", "panel"), user("bkhan", "panel"), user("csilva", "panel"),
                          user("dyang", "panel"), user("eboss", "panel", security_profile="Admin")]
    instance["queues"] = [
        {"name": "Orders", "hours": "Always", "outbound_caller_id": {"number": CALLER_ID},
         "quick_connects": ["A. Rossi", "B. Khan", "C. Silva", "D. Yang", "Returns desk", "Courier"]},
        {"name": "Returns", "hours": "Always", "max_contacts": 1}]
    instance["routing_profiles"].append(
        {"name": "Returns only", "default_outbound_queue": "Orders",
         "queues": [{"queue": "Returns", "priority": 1}]})
    agents = [("A. Rossi", "arossi"), ("B. Khan", "bkhan"), ("C. Silva", "csilva"),
              ("D. Yang", "dyang")]
    instance["quick_connects"] = [
        {"name": name, "description": "an agent", "type": "agent", "agent": who,
         "flow": "Tone agent transfer"} for name, who in agents] + [
        {"name": "Returns desk", "description": "a queue", "type": "queue", "queue": "Returns",
         "flow": "Tone queue transfer"},
        {"name": "Courier", "description": "a number", "type": "external", "number": COURIER}]
    stage.flows.update({
        "to-agent": flow("Tone agent transfer", "agentTransfer", "Tone",
                         play("Tone", "to-agent", "Go"), action("Go", "TransferContactToAgent")),
        "to-queue": flow("Tone queue transfer", "queueTransfer", "Tone",
                         play("Tone", "to-queue", "Go"),
                         action("Go", "TransferContactToQueue", None, "Full",
                                {"QueueAtCapacity": "Full", "NoMatchingError": "End"}),
                         play("Full", "full", "End"), action("End", "DisconnectParticipant")),
        "hold": hold_flow("Tone customer hold", "customerHold", "customer-hold"),
        "agent-hold": hold_flow("Tone agent hold", "agentHold", "agent-hold"),
    })
    return stage


# ---- who hears whom ------------------------------------------------------------------------------

def heard_between(report, from_ms, to_ms):
    """The tones that were heard for most of that time."""
    length = to_ms - from_ms
    total = {}
    for h in report["heard"]:
        part = min(h["to_ms"], to_ms) - max(h["from_ms"], from_ms)
        if part > 0:
            total[h["hz"]] = total.get(h["hz"], 0) + part
    return {hz for hz, ms in total.items() if ms > 0.6 * length}


async def who_hears(*legs, settle=0.3, listen=0.4):
    """What each leg hears from now on, once the change has settled: a list of sets of tones."""
    await asyncio.sleep(settle)
    begin = [(await leg.report())["now_ms"] for leg in legs]
    await asyncio.sleep(listen)
    out = []
    for leg, from_ms in zip(legs, begin):
        report = await leg.report()
        out.append(heard_between(report, from_ms, from_ms + listen * 1000 - 60))
    return out


async def hears_now(expected, settle=0.3):
    """`expected`: {leg: set of tones}; each leg hears these and no others."""
    legs = list(expected)
    found = await who_hears(*legs, settle=settle)
    wrong = [f"{leg.phone.user} hears {sorted(is_)}, expected {sorted(expected[leg])}"
             for leg, is_ in zip(legs, found) if is_ != set(expected[leg])]
    assert not wrong, "; ".join(wrong)


# ---- how a call gets there -----------------------------------------------------------------------

async def accept(stage, phone):
    """The agent takes the offer at the panel, and the phone answers."""
    await stage.until_agent(phone.user, "Offered")
    stage.call("contact.accept", agent=phone.user)
    leg = await phone.incoming()
    await leg.answer()
    return leg


async def talking(stage, agent="arossi", others=("bkhan",)):
    """A caller who talks with the first agent; the others log in afterwards.

    Returns the caller's call, the agent's leg, and the phones of the others."""
    caller = await stage.caller()
    phone = await stage.agent(agent)
    call = await stage.dial(caller)
    await call.answered()
    leg = await accept(stage, phone)
    await call.hears(phone.tone)
    await leg.hears(caller.tone)
    return call, leg, [await stage.agent(name) for name in others]


def panel(stage, agent):
    return stage.call("contact.panel", agent=agent)["panel"]


def shown(stage, agent):
    """What an agent's panel shows: [(label, banner)]."""
    return [(c["label"], c["banner"]) for c in panel(stage, agent)["connections"]]


def party(stage, agent, role):
    """The id of the party of this role on the agent's panel."""
    found = [c["party"] for c in panel(stage, agent)["connections"] if c["role"] == role]
    assert len(found) == 1, panel(stage, agent)
    return found[0]


async def consult(stage, call, leg, phone, quick_connect):
    """The first agent picks an agent's quick connect; both whispers over, the two talk."""
    stage.call("contact.transfer", agent=leg.phone.user, quick_connect=quick_connect)
    other = await accept(stage, phone)
    await leg.hears(phone.tone)
    await other.hears(leg.phone.tone)
    return other
