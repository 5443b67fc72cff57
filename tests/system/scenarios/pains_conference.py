# SPDX-License-Identifier: Apache-2.0
"""What breaks elsewhere on a call of three: verbs that cross (pain 9), hold music over a re-INVITE
(pain 11), audio one way after a phone's hold (pain 12)."""
import json
import random

from board import (AGENT_HOLD, CUSTOMER_HOLD, Trio, accept, all_kinds, board_stage, consult,
                   hang_up_all, hear, hears_now, panel, refused, shown, talking, trio_stage)
from leaving import nothing_left
from stage import Admin, Refused, eventually
from supervising import supervisor

FIRST, SECOND = "arossi", "bkhan"


class Tab(Admin):
    """A tab of a desktop: presses keys without waiting for the answers."""

    def __init__(self, stage):
        super().__init__(stage.directory / "control.sock")
        self.waiting = []

    def press(self, method, **params):
        request = {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        self.waiting.append(self.next_id)
        self.next_id += 1

    def answers(self):
        """In the order of the keys: a result, or Refused."""
        found = {}
        while len(found) < len(self.waiting):
            answer = self.read()
            found[answer["id"]] = (Refused(answer["error"]) if "error" in answer
                                   else answer["result"])
        found, self.waiting = [found[i] for i in self.waiting], []
        return found


def states(answer):
    """The connections as an answer shows them: {role: state}."""
    return {c["role"]: c["state"] for c in answer["connections"]}


def heard_by(trio, shown_states):
    """What each leg hears when the primary's panel shows these states."""
    legs = {"customer": trio.call, "agent": trio.target}
    talkers = [trio.source] + [leg for role, leg in legs.items()
                               if shown_states.get(role) == "connected"]
    held = {"customer": CUSTOMER_HOLD, "agent": AGENT_HOLD}
    expected = {leg: {t.phone.tone for t in talkers if t is not leg} for leg in talkers}
    for role, leg in legs.items():
        if shown_states.get(role) == "hold":
            expected[leg] = {held[role]}
    return expected


async def a_trio(stage):
    call, source, (phone,) = await talking(stage)
    return await Trio(stage, "agent", call, source, phone).reach()


# ---- pain 9 --------------------------------------------------------------------------------------

async def storm(stage, trio, rounds, keys=40):
    """Two tabs of the primary and one of the secondary press keys at random."""
    chance = random.Random(9)
    tabs, other = [Tab(stage), Tab(stage)], Tab(stage)
    verbs = [("join", {}), ("hold_all", {})] + [
        (verb, {"party": who}) for verb in ("hold", "resume", "swap")
        for who in ("customer", trio.target_party)]
    for _ in range(rounds):
        for _ in range(keys):
            verb, params = chance.choice(verbs)
            for _ in range(chance.choice((1, 1, 2))):  # a double click now and then
                chance.choice(tabs).press(f"contact.{verb}", agent=FIRST, **params)
            other.press(f"contact.{verb}", agent=SECOND, **params)
        last = [tab.answers()[-1]["panel"] for tab in tabs if tab.waiting]
        assert all(isinstance(a, Refused) for a in other.answers())
        now = panel(stage, FIRST)
        assert now in last, f"the panel is {now}, the last answers were {last}"
        await hears_now(heard_by(trio, states(now)))
    for tab in (*tabs, other):
        tab.close()


async def pain_9_a_storm_of_verbs_leaves_the_state_of_the_last_answer():
    async with board_stage() as stage:
        trio = await a_trio(stage)
        await storm(stage, trio, rounds=8)
        trio.verb("leave")
        await hear([trio], "source gone")
        await hang_up_all(stage, trio.call)
        await nothing_left(stage)


async def pain_9_verbs_work_while_a_supervisor_listens():
    async with board_stage() as stage:
        trio = await a_trio(stage)
        _, ear = await supervisor(stage)
        await ear.hears(trio.source.phone.tone)
        await storm(stage, trio, rounds=4)
        trio.verb("join")
        tones = {leg.phone.tone for leg in (trio.call, trio.source, trio.target)}
        await hears_now({ear: tones, **trio.pattern("all joined")})


async def pain_9_each_verb_twice_is_the_verb_once():
    async with board_stage() as stage:
        trio = await a_trio(stage)
        tabs = [Tab(stage), Tab(stage)]
        other = trio.target_party
        for verb, params, expected in (
                ("join", {}, {"customer": "connected", "agent": "connected"}),
                ("hold_all", {}, {"customer": "hold", "agent": "hold"}),
                ("resume", {"party": "customer"}, {"customer": "connected", "agent": "hold"}),
                ("swap", {"party": other}, {"customer": "hold", "agent": "connected"}),
                ("hold", {"party": other}, {"customer": "connected", "agent": "hold"}),
                ("swap", {"party": "customer"}, {"customer": "connected", "agent": "hold"}),
                ("hold", {"party": "customer"}, {"customer": "hold", "agent": "hold"}),
                ("join", {}, {"customer": "connected", "agent": "connected"})):
            for tab in (*tabs, *tabs):
                tab.press(f"contact.{verb}", agent=FIRST, **params)
            for answer in (*tabs[0].answers(), *tabs[1].answers()):
                assert states(answer["panel"]) == expected, (verb, answer)
            await hears_now(heard_by(trio, expected))


async def pain_9_a_transfer_that_is_clicked_twice_is_one_transfer():
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        tabs = [Tab(stage), Tab(stage)]
        for tab in tabs:  # the same click, sent again by the other tab
            tab.press("contact.transfer", agent=FIRST, quick_connect="B. Khan", request="click-1")
        first, again = (tab.answers()[0] for tab in tabs)
        assert first == again and len(first["panel"]["connections"]) == 2
        refused(stage, "another party is still on the way", "contact.transfer", agent=FIRST,
                quick_connect="B. Khan")
        refused(stage, "this id was used for another call", "contact.transfer", agent=FIRST,
                quick_connect="C. Silva", request="click-1")
        target = await accept(stage, phone)
        await target.hears(source.phone.tone)
        assert phone.waiting.empty() and len(stage.contacts()) == 2
        for tab in tabs:
            tab.press("contact.leave", agent=FIRST)
        assert not [a for tab in tabs for a in tab.answers() if isinstance(a, Refused)]
        assert stage.agent_state(FIRST) == "AfterCallWork"
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})


async def pain_9_of_two_verbs_with_one_version_one_is_done():
    async with board_stage() as stage:
        trio = await a_trio(stage)
        contact = panel(stage, FIRST)["contact"]
        tabs = [Tab(stage), Tab(stage)]
        for n in range(6):
            version = stage.call("contact.get", contact=contact)["version"]
            keys = [("contact.join", {}), ("contact.swap", {"party": "customer"})]
            if n % 2:
                keys.reverse()
            for tab, (method, params) in zip(tabs, keys):
                tab.press(method, agent=FIRST, if_version=version, **params)
            answers = [tab.answers()[0] for tab in tabs]
            done = [a for a in answers if not isinstance(a, Refused)]
            late = [a for a in answers if isinstance(a, Refused)]
            assert len(done) == len(late) == 1, answers
            assert f"the contact is at version {stage.call('contact.get', contact=contact)['version']}" \
                in str(late[0]), late
            assert done[0]["panel"] == panel(stage, FIRST)
            await hears_now(heard_by(trio, states(done[0]["panel"])))
            trio.verb("hold_all")


async def pain_9_verbs_that_cross_a_hang_up():
    """Whoever is first, the call goes on with those who are left, and nobody is left on hold."""
    async with board_stage() as stage:
        trio = await a_trio(stage)
        tab = Tab(stage)
        for verb, params in (("hold_all", {}), ("join", {}), ("swap", {"party": "customer"})):
            bye = trio.target.phone.spawn(trio.target.hang_up())
            for _ in range(10):
                tab.press(f"contact.{verb}", agent=FIRST, **params)
            await bye
            tab.answers()
            await eventually("the target to be gone", lambda: len(shown(stage, FIRST)) == 1)
            await hears_now(heard_by(trio, states(panel(stage, FIRST))))
            stage.call("agent.clear", agent=SECOND)
            await trio.reach()
        bye = trio.call.phone.spawn(trio.call.hang_up())
        for _ in range(10):
            tab.press("contact.swap", agent=FIRST, party=trio.target_party)
        await bye
        tab.answers()
        await hear([trio], "customer gone")
        trio.verb("leave")
        await trio.target.ended()
        await hang_up_all(stage)
        await nothing_left(stage)


# ---- pain 11 -------------------------------------------------------------------------------------

async def pain_11_hold_music_survives_what_the_held_callers_phone_does():
    async with board_stage() as stage:
        trio = await a_trio(stage)
        talk = trio.pattern("customer held")
        await hears_now(talk)
        for change in ({"codecs": ["pcma"]}, {"ptime": 40}, {"port": True},
                       {"codecs": ["pcmu"], "ptime": 20, "port": True}):
            assert await trio.call.renew(**change) == 200
            await hears_now(talk)
        assert await trio.call.reinvite(delayed_offer=True) == 200
        await hears_now(talk)
        for direction in ("sendonly", "inactive"):
            assert await trio.call.hold(direction) == 200
            await hears_now({**talk, trio.call: set()})
            assert await trio.call.resume() == 200
            await hears_now(talk)
        trio.verb("join")
        await hears_now(trio.pattern("all joined"))


async def pain_11_hold_music_of_targets_survives_a_change_of_codec_and_port():
    async with trio_stage() as stage:
        trios = await all_kinds(stage)
        for trio in trios:
            trio.verb("hold_all")
        await hear(trios, "both held")
        for trio in trios:
            assert await trio.target.renew(codecs=["pcma"], ptime=40) == 200
        await hear(trios, "both held")
        for trio in trios:
            assert await trio.target.renew(codecs=["pcmu"], port=True) == 200
            assert await trio.source.renew(codecs=["pcma"]) == 200
        await hear(trios, "both held")
        for trio in trios:
            assert await trio.target.hold() == 200
            assert await trio.target.resume() == 200
        await hear(trios, "both held")
        for trio in trios:
            trio.verb("join")
        await hear(trios, "all joined")


async def pain_11_a_transfer_while_the_callers_phone_holds():
    """The caller's phone holds, the caller is transferred, and comes back to the new agent."""
    async with board_stage() as stage:
        call, source, (phone,) = await talking(stage)
        assert await call.hold() == 200
        target = await consult(stage, call, source, phone, "B. Khan")
        await hears_now({call: set(), source: {phone.tone}, target: {source.phone.tone}})
        assert await call.resume() == 200
        await hears_now({call: {CUSTOMER_HOLD}, source: {phone.tone}, target: {source.phone.tone}})
        assert await call.hold("inactive") == 200
        stage.call("contact.leave", agent=FIRST)
        await source.ended()
        assert await call.resume() == 200
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})


# ---- pain 12 -------------------------------------------------------------------------------------

async def every_hold(leg, others, no_sdp, is_agent=False):
    """The hold matrix of RFC 3264 for one phone, with both ways back. Hold at an agent's phone is the
    verb: whom the agent talks to is on hold, or the agent is muted when these are several."""
    mine = leg.phone.tone
    tones = {other: other.phone.tone for other in others}
    both = {leg: set(tones.values())}
    for other in others:
        both[other] = {mine, *tones.values()} - {other.phone.tone}
    await hears_now(both)
    for direction in ("sendonly", "recvonly", "inactive"):
        assert await leg.reinvite(direction) == 200
        expected = {leg: both[leg] if direction == "recvonly" else set()}
        for other in others:
            expected[other] = both[other] - (set() if direction == "sendonly" else {mine})
            if is_agent and direction != "recvonly":
                expected[other] = both[other] - {mine} or {CUSTOMER_HOLD}
        await hears_now(expected)
        assert leg.remote_sdp.direction == {"sendonly": "recvonly", "recvonly": "sendonly",
                                            "inactive": "inactive"}[direction]
        assert await leg.reinvite("sendrecv", delayed_offer=no_sdp) == 200
        await hears_now(both)


async def pain_12_both_ways_after_each_hold_of_the_customer():
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        await every_hold(call, [source], no_sdp=False)
        await every_hold(call, [source], no_sdp=True)


async def pain_12_both_ways_after_each_hold_of_the_agent():
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        await every_hold(source, [call], no_sdp=False, is_agent=True)
        await every_hold(source, [call], no_sdp=True, is_agent=True)


async def pain_12_both_ways_after_each_hold_in_a_conference():
    async with board_stage() as stage:
        trio = await a_trio(stage)
        trio.verb("join")
        await every_hold(trio.target, [trio.call, trio.source], no_sdp=False, is_agent=True)
        await every_hold(trio.call, [trio.source, trio.target], no_sdp=True)


async def pain_12_a_phones_hold_and_the_agents_hold_cross():
    """Each has its own way back: the audio is back when the second of them has ended."""
    async with board_stage() as stage:
        call, source, _ = await talking(stage, others=())
        customer, first = call.phone.tone, source.phone.tone
        for phone_first in (True, False):
            assert await call.hold() == 200
            stage.call("contact.hold", agent=FIRST, party="customer")
            await hears_now({call: set(), source: set()})
            if phone_first:
                assert await call.reinvite("sendrecv", delayed_offer=True) == 200
                await hears_now({call: {CUSTOMER_HOLD}, source: set()})
                stage.call("contact.resume", agent=FIRST, party="customer")
            else:
                stage.call("contact.resume", agent=FIRST, party="customer")
                await hears_now({call: set(), source: {customer}})
                assert await call.resume() == 200
            await hears_now({call: {first}, source: {customer}})
