# SPDX-License-Identifier: Apache-2.0
"""What is told: contact events and the agent event stream, in order, resumable (R104 to R110)."""
import asyncio
import socket

from board import board_stage, consult, talking
from calling_back import callback_stage, promise
from leaving import nothing_left
from main_job import connect
from outbound import dial, panel_stage, start
from stage import BEEP, MUSIC, TRUNK, Admin, Stage, eventually

ORDER = ["INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "CONNECTED_TO_AGENT", "DISCONNECTED",
         "COMPLETED"]


class Watcher:
    """A reader of events: what has come so far, each with its number and topic."""

    def __init__(self, stage, **params):
        self.admin = Admin(stage.directory / "control.sock")
        self.admin.call("events.subscribe", **params)
        self.notes = []

    def look(self):
        """What has come; nothing is waited for."""
        self.notes += self.admin.notifications
        self.admin.notifications = []
        self.admin.socket.settimeout(0.05)
        try:
            while True:
                self.notes.append(self.admin.read())
        except socket.timeout:
            return self

    def events(self, topic):
        self.look()
        return [n["params"]["event"] for n in self.notes
                if n["method"] == "event" and n["params"]["topic"] == topic]

    def of_agent(self, name):
        return [e for e in self.events("agent")
                if (e["CurrentAgentSnapshot"] or e["PreviousAgentSnapshot"])
                ["Configuration"]["Username"] == name]

    def contacts(self):
        """The types of the contact events of each contact id, in the order in which they came."""
        out = {}
        for e in self.events("contact"):
            out.setdefault(e["ContactId"], []).append(e["EventType"])
        return out

    async def until(self, topic, what, condition, timeout=10.0):
        return await eventually(what, lambda: next(
            (e for e in self.events(topic) if condition(e)), None), timeout)


def whole(watcher):
    """Every contact id: begun, ended, complete, each step at most once and in order."""
    found = watcher.contacts()
    callbacks = {e["ContactId"] for e in watcher.events("contact")
                 if e["InitiationMethod"] == "CALLBACK"}
    for contact, kinds in found.items():
        assert kinds[0] == "INITIATED" and kinds[-2:] == ["DISCONNECTED", "COMPLETED"], (contact, kinds)
        order = ORDER if contact not in callbacks else ORDER[:1] + ["QUEUED", ORDER[1]] + ORDER[3:]
        steps = [order.index(k) for k in kinds]
        assert steps == sorted(set(steps)), (contact, kinds)
    return found


def chained(watcher):
    """Each agent's events: one begins where the one before it ended."""
    before = {}
    for e in watcher.events("agent"):
        if e["EventType"] != "LOGIN":
            assert e["PreviousAgentSnapshot"] == before[e["AgentARN"]], e
        before[e["AgentARN"]] = e["CurrentAgentSnapshot"]


def contact_states(events):
    """The states of the agent's contact as they follow each other, None without one."""
    out = []
    for e in events:
        contacts = e["CurrentAgentSnapshot"]["Contacts"]
        state = contacts[0]["State"] if contacts else None
        if not out or out[-1] != state:
            out.append(state)
    return out


async def R110_the_stream_of_a_call():
    async with Stage() as stage:
        watcher = Watcher(stage)
        caller, call, phone, leg = await connect(stage)
        contact = stage.contacts()[0]["id"]
        await leg.hang_up()
        await call.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        await stage.records(1)
        stage.call("agent.set_status", agent="arossi", status="Lunch")
        stage.call("agent.logout", agent="arossi")
        await watcher.until("agent", "the logout", lambda e: e["EventType"] == "LOGOUT")
        events = watcher.of_agent("arossi")
        kinds = [e["EventType"] for e in events]
        assert kinds[0] == "LOGIN" and kinds[-1] == "LOGOUT", kinds
        assert set(kinds[1:-1]) == {"STATE_CHANGE"}, kinds
        assert contact_states(events) == [None, "CONNECTING", "CONNECTED", "ENDED", None]
        for e in events:
            for entry in e["CurrentAgentSnapshot"]["Contacts"]:
                assert entry["ContactId"] == contact and entry["Queue"]["Name"] == "Orders"
        chained(watcher)
        assert whole(watcher) == {contact: ORDER}
        talked = next(e for e in watcher.events("contact") if e["EventType"] == "CONNECTED_TO_AGENT")
        assert talked["AgentInfo"]["AgentArn"] == events[0]["AgentARN"]
        assert talked["QueueInfo"]["QueueType"] == "STANDARD"


async def R110_heart_beats_until_something_else_is_told():
    async with Stage(events__heartbeat="1s") as stage:
        await stage.agent("bkhan", status=None)
        watcher = Watcher(stage, topics=["agent"])
        await asyncio.sleep(1.5)
        assert not watcher.events("agent"), "nobody is logged in"
        stage.call("agent.login", agent="bkhan", status="Available")
        for _ in range(6):  # each of these comes before a heart-beat is due
            await asyncio.sleep(0.4)
            for status in ("Lunch", "Available"):
                stage.call("agent.set_status", agent="bkhan", status=status)
        assert "HEART_BEAT" not in [e["EventType"] for e in watcher.events("agent")]
        await asyncio.sleep(2.5)
        stage.call("agent.logout", agent="bkhan")
        await asyncio.sleep(1.5)
        kinds = [e["EventType"] for e in watcher.events("agent")]
        end = kinds.index("LOGOUT")
        assert kinds[end - 2:end] == ["HEART_BEAT"] * 2 and kinds[end + 1:] == ["HEART_BEAT"], kinds
        beat = watcher.events("agent")[end + 1]
        assert beat["CurrentAgentSnapshot"] == beat["PreviousAgentSnapshot"]
        assert beat["CurrentAgentSnapshot"]["AgentStatus"]["Name"] == "Offline"
        chained(watcher)


async def R110_a_callback_is_incoming_pending_connecting():
    async with callback_stage() as stage:
        watcher = Watcher(stage)
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("arossi")
        await promise(stage)
        leg = await phone.incoming()
        await leg.answer()
        call = await home.incoming()
        await call.ring()
        assert stage.agent_state("arossi") == "Calling"
        await call.answer()
        await call.hears(phone.tone)
        await leg.hang_up()
        await call.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        await stage.records(2)
        await watcher.until("agent", "the end", lambda e: e["EventType"] != "LOGIN" and
                            not e["CurrentAgentSnapshot"]["Contacts"])
        assert contact_states(watcher.of_agent("arossi")) == [
            None, "INCOMING", "PENDING", "CONNECTING", "CONNECTED", "ENDED", None]
        first, second = whole(watcher).values()
        assert first == ["INITIATED", "CONNECTED_TO_SYSTEM", "DISCONNECTED", "COMPLETED"]
        assert sorted(second) == sorted(ORDER), second
        entry = watcher.of_agent("arossi")[1]["CurrentAgentSnapshot"]["Contacts"][0]
        assert entry["InitiationMethod"] == "CALLBACK"
        assert entry["InitialContactId"] == list(whole(watcher))[0]


async def R110_both_agents_of_a_transfer_are_told_of():
    async with board_stage() as stage:
        watcher = Watcher(stage)
        call, source, (phone,) = await talking(stage)
        target = await consult(stage, call, source, phone, "B. Khan")
        stage.call("contact.join", agent="arossi")
        await target.hears(call.phone.tone)
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        stage.call("agent.clear", agent="arossi")
        await call.hang_up()
        await target.ended()
        await stage.until_agent("bkhan", "AfterCallWork")
        stage.call("agent.clear", agent="bkhan")
        first, second = await stage.records(2)
        await watcher.until("contact", "the second to be complete",
                            lambda e: e["EventType"] == "COMPLETED" and
                            e["ContactId"] == second["ContactId"])
        assert contact_states(watcher.of_agent("arossi")) == [
            None, "CONNECTING", "CONNECTED", "CONNECTED_ONHOLD", "CONNECTED", "ENDED", None]
        assert contact_states(watcher.of_agent("bkhan")) == [
            None, "CONNECTING", "CONNECTED", "ENDED", None]
        offered = watcher.of_agent("bkhan")[1]["CurrentAgentSnapshot"]["Contacts"][0]
        assert offered["ContactId"] == second["ContactId"]
        assert offered["InitialContactId"] == first["ContactId"]
        assert offered["InitiationMethod"] == "TRANSFER"
        chained(watcher)
        assert whole(watcher)[second["ContactId"]][:2] == ["INITIATED", "CONNECTED_TO_SYSTEM"]
        await nothing_left(stage)


async def R110_a_reload_that_changes_an_agent_is_told():
    async with Stage() as stage:
        await stage.agent("arossi")
        watcher = Watcher(stage, topics=["agent"])
        stage.write_instance()
        assert stage.call("reload")["loaded"]
        assert not watcher.events("agent"), "nothing has changed"
        stage.instance["routing_profiles"][0]["queues"].pop()
        stage.write_instance()
        assert stage.call("reload")["loaded"]
        event = await watcher.until("agent", "the change", lambda e: True)
        assert event["EventType"] == "STATE_CHANGE"
        names = {which: [q["Name"] for q in event[which]["Configuration"]["RoutingProfile"]
                         ["InboundQueues"]]
                 for which in ("PreviousAgentSnapshot", "CurrentAgentSnapshot")}
        assert names == {"PreviousAgentSnapshot": ["Orders", "Returns", None],
                         "CurrentAgentSnapshot": ["Orders", None]}


async def test_who_resumes_too_late_is_told_of_the_gap_and_how_things_are():
    async with Stage(store__events="1000") as stage:
        await stage.agent("bkhan", status="Lunch")
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        contact = stage.contacts()[0]["id"]
        for _ in range(600):
            for status in ("Offline", "Lunch"):
                stage.call("agent.set_status", agent="bkhan", status=status)
        last = stage.call("events.subscribe", topics=["system"])["last"]

        def resumed():
            """What is too old goes with the batches that are written."""
            reader = Watcher(stage, after=1).look()
            return reader if reader.notes and reader.notes[0]["method"] == "gap" else None
        watcher = await eventually("the oldest to be gone", resumed)
        await eventually("all events", lambda: watcher.look().notes and
                         watcher.notes[-1]["method"] == "event" and
                         watcher.notes[-1]["params"]["number"] == last)
        gap, *rest = watcher.notes
        assert gap["method"] == "gap" and gap["params"]["after"] == 1
        snapshots = [n["params"] for n in rest if n["method"] == "snapshot"]
        assert [s["topic"] for s in snapshots] == ["agent", "contact", "end"], snapshots
        agent = snapshots[0]["snapshot"]["CurrentAgentSnapshot"]
        assert agent["Configuration"]["Username"] == "bkhan"
        assert agent["AgentStatus"]["Name"] == "Lunch"
        assert snapshots[1]["snapshot"]["id"] == contact
        assert snapshots[1]["number"] == last
        expected = None
        for note in watcher.notes:
            if note["method"] == "gap":  # one more when the oldest go while they are read
                assert expected in (None, note["params"]["after"] + 1), note
                expected = note["params"]["first"]
            elif note["method"] == "event":
                assert note["params"]["number"] == expected, (note["params"]["number"], expected)
                expected += 1
        assert expected == last + 1
        await call.hang_up()


async def test_a_move_and_a_disconnect_flow_are_contacts_from_first_to_last():
    """Three contact ids of one call, each with a beginning and an end of its own."""
    from moving import moving_stage
    stage = moving_stage({"QueueId": "Returns"})
    async with stage:
        watcher = Watcher(stage)
        call = await stage.dial(await stage.caller())
        await call.hears(BEEP)
        await eventually("the move", lambda: stage.queue("Returns")["contacts"] == 1)
        await call.hang_up()
        await stage.records(2)
        await eventually("both to be told", lambda: sum(
            kinds[-1] == "COMPLETED" for kinds in watcher.contacts().values()) == 2)
        first, second = whole(watcher).values()
        assert first == second == ["INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "DISCONNECTED",
                                   "COMPLETED"]
        moved = [e for e in watcher.events("contact") if e["PreviousContactId"]]
        assert {e["InitiationMethod"] for e in moved} == {"QUEUE_TRANSFER"}


async def test_calls_that_go_out_are_told_from_first_to_last():
    """By a program, busy and answered; by an agent."""
    async with panel_stage() as stage:
        watcher = Watcher(stage)
        home = await stage.phone("customer", TRUNK, port=5060)
        busy = start(stage)
        await (await home.incoming()).reject(486)
        await stage.records(1)
        answered = start(stage)
        call = await home.incoming()
        await call.answer()
        await call.hears(MUSIC)
        await call.hang_up()
        await stage.records(2)
        phone = await stage.agent("bkhan", auto="answer")
        dial(stage)
        call = await home.incoming()
        await call.answer()
        await call.hears(phone.tone)
        await call.hang_up()
        await stage.until_agent("bkhan", "AfterCallWork")
        stage.call("agent.clear", agent="bkhan")
        dialled = (await stage.records(3))[2]["ContactId"]
        await eventually("all to be told", lambda: sum(
            kinds[-1] == "COMPLETED" for kinds in watcher.contacts().values()) == 3)
        assert whole(watcher) == {
            busy: ["INITIATED", "DISCONNECTED", "COMPLETED"],
            answered: ["INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "DISCONNECTED", "COMPLETED"],
            dialled: ["INITIATED", "CONNECTED_TO_SYSTEM", "CONNECTED_TO_AGENT", "DISCONNECTED",
                      "COMPLETED"]}
        events = watcher.of_agent("bkhan")
        assert contact_states(events) == [None, "CONNECTING", "CONNECTED", "ENDED", None]
        entry = events[1]["CurrentAgentSnapshot"]["Contacts"][0]
        assert entry["ContactId"] == dialled and entry["InitiationMethod"] == "OUTBOUND"
        chained(watcher)
