# SPDX-License-Identifier: Apache-2.0
"""The stage of transfers and conferences: three agents, quick connects of each kind, and flows whose
prompts are tones, so that the ear tells who hears which of them.

    transfer to agent 1450 Hz, transfer to queue 1650 Hz, ringback 1550 Hz,
    customer on hold 1750 Hz, agent on hold 1850 Hz, outbound whisper 1950 Hz
"""
import asyncio

from stage import (CONTROL, TRUNK, Refused, Stage, action, eventually, flow, play, tone, user)

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


def lasts(stage, prompt, ms):
    """The tone of this prompt lasts so long."""
    row = next(p for p in stage.instance["prompts"] if p["name"] == prompt)
    row["file"] = tone(row["file"].split(":")[1], ms)


def add_prompt(stage, name, hz, ms):
    stage.instance["prompts"].append({"name": name, "file": tone(hz, ms)})


def add_quick_connect(stage, name, **row):
    """One more, which every agent sees."""
    stage.instance["quick_connects"].append({"name": name, "description": "one more", **row})
    stage.instance["queues"][0]["quick_connects"].append(name)


def before_queueing(stage, *actions):
    """The inbound flow runs these before it queues the caller; the last one goes on at "Queue"."""
    main = stage.flows["main"]
    main["Actions"][0]["Transitions"]["NextAction"] = actions[0]["Identifier"]
    main["Actions"] += actions


def short_prompt(name, kind, prompt):
    """A flow that says one thing."""
    return flow(name, kind, "Say", play("Say", prompt, "End"), action("End", "EndFlowExecution"))


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


def refused(stage, words, method, **params):
    """The verb is refused, and its text has these words."""
    try:
        stage.call(method, **params)
    except Refused as refusal:
        assert words in str(refusal), f"refused with '{refusal}', expected '{words}'"
    else:
        raise AssertionError(f"{method} {params} should be refused: {words}")


async def carrier(stage):
    """The far end of the trunk, which outside numbers are behind."""
    return await stage.phone("carrier", TRUNK, port=5060)


async def call_number(stage, leg, far, **target):
    """The agent calls an outside number (the courier's), which answers: its leg."""
    stage.call("contact.transfer", agent=leg.phone.user, **(target or {"quick_connect": "Courier"}))
    other = await far.incoming()
    await other.answer()
    await other.hears(leg.phone.tone)
    return other


# ---- a customer, the first agent and a target, for each kind of target ---------------------------

KINDS = {"agent": "B. Khan", "queue": "Returns desk", "external": "Courier"}


class Trio:
    """The first agent (source) has called a target of a kind; `phone` is the target's."""

    def __init__(self, stage, kind, call, source, phone):
        self.stage, self.kind, self.call, self.source, self.phone = stage, kind, call, source, phone
        self.target = None
        self.role = "outside" if kind == "external" else "agent"

    async def reach(self):
        """The transfer, to the point where the two talk."""
        self.stage.call("contact.transfer", agent=self.source.phone.user,
                        quick_connect=KINDS[self.kind])
        if self.kind == "external":
            self.target = await self.phone.incoming()
            await self.target.answer()
        else:
            self.target = await accept(self.stage, self.phone)
        await self.target.hears(self.source.phone.tone)
        return self

    @property
    def target_party(self):
        return party(self.stage, self.source.phone.user, self.role)

    def verb(self, name, **params):
        """A verb of the source; `party` may be "target"."""
        if params.get("party") == "target":
            params["party"] = self.target_party
        return self.stage.call(f"contact.{name}", agent=self.source.phone.user, **params)

    def pattern(self, name):
        """What each leg hears: the table of section 5."""
        customer, first, second = self.call.phone.tone, self.source.phone.tone, self.phone.tone
        held = CUSTOMER_HOLD if self.kind == "external" else AGENT_HOLD
        return {leg: tones for leg, tones in zip((self.call, self.source, self.target), {
            "customer held": ({CUSTOMER_HOLD}, {second}, {first}),
            "all joined": ({first, second}, {customer, second}, {customer, first}),
            "both held": ({CUSTOMER_HOLD}, set(), {held}),
            "target held": ({first}, {customer}, {held}),
            "source gone": ({second}, None, {customer}),
            "target gone": ({CUSTOMER_HOLD}, set(), None),
            "customer gone": (None, {second}, {first}),
        }[name]) if tones is not None}

    def go_to(self, name):
        """From just connected (customer held) to another pattern."""
        if name == "all joined":
            self.verb("join")
        elif name == "both held":
            self.verb("hold_all")
        elif name == "target held":
            self.verb("hold", party="target")


async def hear(trios, pattern):
    expected = {}
    for trio in trios:
        expected.update(trio.pattern(pattern))
    await hears_now(expected)


def trio_stage(**options):
    """A stage for three calls at a time: no target is offered anything but its transfer."""
    stage = board_stage(**options)
    stage.instance["queues"].append({"name": "Quiet", "hours": "Always"})
    stage.instance["routing_profiles"].append(
        {"name": "Quiet only", "default_outbound_queue": "Orders",
         "queues": [{"queue": "Quiet", "priority": 1}]})
    for agent in stage.instance["agents"]:
        if agent["user"] == "bkhan":
            agent["routing_profile"] = "Quiet only"
    stage.instance["agents"].append(user("fsato", "panel", routing_profile="Returns only"))
    return stage


async def source_and_customer(stage, agent, number):
    caller, phone = await stage.caller(number=number), await stage.agent(agent)
    call = await stage.dial(caller)
    leg = await accept(stage, phone)
    await leg.hears(caller.tone)
    await call.hears(phone.tone)
    return call, leg


async def all_kinds(stage):
    """Three calls, in each of which the first agent talks to a target of another kind."""
    phones = {"agent": await stage.agent("bkhan"), "queue": await stage.agent("fsato"),
              "external": await carrier(stage)}
    trios = []
    for n, (kind, agent) in enumerate(zip(KINDS, ("arossi", "csilva", "dyang"))):
        call, leg = await source_and_customer(stage, agent, f"+1202555019{n}")
        trios.append(Trio(stage, kind, call, leg, phones[kind]))
    await asyncio.gather(*(trio.reach() for trio in trios))
    return trios


async def hang_up_all(stage, *legs):
    """Ends what is left of the calls, and the work after them."""
    for leg in legs:
        await leg.hang_up()
    await eventually("no agent to be on a call", lambda: not [
        a for a in stage.call("agent.list")["agents"] if a["state"] in ("Busy", "Offered")])
    for agent in stage.call("agent.list")["agents"]:
        stage.call("agent.clear", agent=agent["name"])


def transfer(stage, source, quick_connect=None, **target):
    """The agent of this leg picks a quick connect, or dials number=."""
    if quick_connect:
        target["quick_connect"] = quick_connect
    stage.call("contact.transfer", agent=source.phone.user, **target)


# ---- what the agent may do about the customer ----------------------------------------------------

async def until_failed(stage, call, source, why, timeout=10.0):
    """The transfer has failed: the source is told why, and has the customer on hold (R22)."""
    agent = source.phone.user
    await eventually(f"{agent} to be told: {why}",
                     lambda: why in (panel(stage, agent)["transfer_failed"] or ""), timeout)
    assert shown(stage, agent) == [(call.phone.user, "On hold")]
    await hears_now({call: {CUSTOMER_HOLD}, source: set()})


async def resume(stage, call, source):
    """Customer and source talk again."""
    stage.call("contact.resume", agent=source.phone.user, party="customer")
    assert shown(stage, source.phone.user) == [(call.phone.user, "Connected")]
    await hears_now({call: {source.phone.tone}, source: {call.phone.tone}})


# ---- what is left --------------------------------------------------------------------------------

async def clear(stage, *agents):
    """Each has after-contact work, and ends it."""
    for agent in agents:
        await stage.until_agent(agent, "AfterCallWork")
        stage.call("agent.clear", agent=agent)


async def chain(stage, length):
    """The records of the only customer, in the order of their chain (R100 to R103)."""
    rows = {r["ContactId"]: r for r in await stage.records(length)}
    assert len(rows) == length, list(rows.values())
    first = [r for r in rows.values() if r["PreviousContactId"] is None]
    assert len(first) == 1, list(rows.values())
    out = first
    while out[-1]["NextContactId"]:
        out.append(rows[out[-1]["NextContactId"]])
        assert out[-1]["PreviousContactId"] == out[-2]["ContactId"]
        assert out[-1]["InitialContactId"] == out[0]["ContactId"]
    assert len(out) == length, out
    return out


def who_did_what(records):
    """[(method, agent)]"""
    return [(r["InitiationMethod"], (r["Agent"] or {}).get("Username")) for r in records]
