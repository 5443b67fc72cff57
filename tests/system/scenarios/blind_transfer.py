# SPDX-License-Identifier: Apache-2.0
"""The blind-transfer message of agents' desktops (R111 to R125, R129), judged by ear."""
import asyncio
import json

from board import (AGENT_HOLD, COURIER, CUSTOMER_HOLD, RINGBACK, TO_AGENT, TO_QUEUE, accept,
                   board_stage, consult, hears_now, panel, party, shown, talking)
from leaving import nothing_left
from main_job import never, one_span, spans
from operating import cordctl
from stage import (BEEP, FULL, MUSIC, TRUNK, WHISPER, Admin, Refused, eventually, queue_flow, tone)

RETURNS = "+12025550120"
HEAD = {"channel": "Amazon", "topic": "InboundCall", "subtopic": "BlindTransfer"}
QUICK_CONNECTS = {"Returns desk": ("queue", "7c2e9f40-83b5-4d16-a9e8-1b0c3d5f7a92"),
                  "Courier": ("phone_number", "d41f6b8a-09c7-4e52-8b3d-6a7f1e2c9054"),
                  "B. Khan": ("agent", "2f9a1c77-5b0e-4a5d-9d5b-0c61c1f8e311")}


def desk_stage(**options):
    stage = board_stage(**options)
    for row in stage.instance["quick_connects"]:
        if row["name"] in QUICK_CONNECTS:
            row["id"] = QUICK_CONNECTS[row["name"]][1]
    stage.instance["cordboard"]["numbers"].append({"number": RETURNS, "flow": "Returns line"})
    stage.flows["returns"] = queue_flow("Returns line", "Returns")
    for row in stage.instance["agents"]:
        if row["user"] == "dyang":
            row["routing_profile"] = "Returns only"
    return stage


def endpoint(stage, name, **more):
    """The quick connect as a desktop sends it back (R118)."""
    kind, key = QUICK_CONNECTS[name]
    arn = f"{stage.status()['instance']}/transfer-destination/{key}"
    return {"endpointARN": arn, "endpointId": arn, "type": kind, "name": name,
            "phoneNumber": COURIER if name == "Courier" else None,
            "agentLogin": None, "queue": None, **more}


class Desktop(Admin):
    """A desktop's own connection to the admin socket."""

    def __init__(self, stage, agent=None):
        super().__init__(stage.directory / "control.sock")
        self.socket.settimeout(20)
        if agent:
            self.call("desktop.register", agent=agent, application="ui")

    def say(self, **message):
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def transfer(self, data, **more):
        self.say(**{**HEAD, "source": "ui", "data": data, **more})

    async def answer(self):
        return await asyncio.to_thread(self.read)

    async def succeeds(self, contact):
        """R120, to the letter."""
        found = await self.answer()
        assert found == {**HEAD, "message": {"contactId": contact,
                                             "agentState": "AfterCallWork"}}, found

    async def fails(self, *causes):
        """R121, to the letter; the cause names each of these."""
        found = await self.answer()
        why = found.pop("msg")
        assert found == {**HEAD, "errorType": "BLIND_TRANSFER_FAILED",
                         "errorMessage": "Blind transfer failed."}, found
        assert all(cause in why for cause in causes), why
        return why


def contact_of(stage, agent="arossi"):
    return panel(stage, agent)["contact"]


async def as_before(call, source):
    """R122: source and customer talk on."""
    await hears_now({call: {source.phone.tone}, source: {call.phone.tone}})


async def far_end(stage, **more):
    return await stage.phone("carrier", TRUNK, port=5060, **more)


# ---- each kind of destination, with one failing and one succeeding run (R129) ---------------------

async def R114_R123_R129_a_number_that_is_busy_and_one_that_rings():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        far = await far_end(stage)
        desktop = Desktop(stage, "arossi")
        contact = contact_of(stage)

        desktop.transfer("+12025550143")
        other = await far.incoming()
        assert "+12025550143" in other.invite.uri
        await call.hears(CUSTOMER_HOLD)
        await other.reject(486)
        assert await desktop.fails() == "+12025550143: busy"
        await as_before(call, source)
        assert shown(stage, "arossi") == [(call.phone.user, "Connected")]

        desktop.transfer("+12025550143")
        other = await far.incoming()
        await hears_now({call: {CUSTOMER_HOLD}})
        assert stage.agent_state("arossi") == "Busy", "nothing has rung yet"
        await other.ring()
        await desktop.succeeds(contact)
        await source.ended()
        assert stage.agent_state("arossi") == "AfterCallWork"
        await hears_now({call: {RINGBACK}})
        await other.answer()
        await hears_now({call: {far.tone}, other: {call.phone.tone}})
        never(await other.report(), BEEP, WHISPER, TO_AGENT, source.phone.tone)
        await other.hang_up()
        await call.ended()
        stage.call("agent.clear", agent="arossi")
        await nothing_left(stage)


async def R115_R123_R124_R129_a_queue_that_is_full_and_one_with_room():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        contact = contact_of(stage)
        desktop = Desktop(stage, "arossi")
        other = await stage.dial(await stage.caller("+12025550198"), RETURNS)
        await stage.until_states("queued", "talking")

        desktop.transfer(endpoint(stage, "Returns desk"))
        await source.hears(TO_QUEUE)
        await call.hears(CUSTOMER_HOLD)
        await source.hears(FULL)
        assert await desktop.fails() == "queue Returns is full (1 of 1)"
        await as_before(call, source)

        await other.hang_up()
        await stage.until_states("talking")
        desktop.transfer(endpoint(stage, "Returns desk"))
        await desktop.succeeds(contact)
        await source.ended()
        assert stage.agent_state("arossi") == "AfterCallWork"
        await hears_now({call: {MUSIC}})
        assert stage.queue("Returns")["contacts"] == 1
        phone = await stage.agent("dyang")
        target = await accept(stage, phone)
        await target.hears(call.phone.tone)
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        assert len(spans(await call.report(), BEEP)) == 2, "R124: the customer whisper"
        never(await source.report(), MUSIC, AGENT_HOLD)
        one_span(await target.report(), WHISPER)
        await call.hang_up()
        await target.ended()
        stage.call("agent.clear", agent="arossi")
        stage.call("agent.clear", agent="dyang")
        by_id = {r["ContactId"]: r for r in await stage.records(4)}
        failed = by_id[by_id[contact]["NextContactId"]]
        last = by_id[failed["NextContactId"]]
        assert (failed["Queue"], failed["Agent"]) == (None, None)
        assert last["InitiationMethod"] == "TRANSFER" and last["Queue"]["Name"] == "Returns"
        assert last["InitialContactId"] == contact and last["NextContactId"] is None
        await nothing_left(stage)


async def R116_R123_R129_an_external_quick_connect_that_refuses_and_one_that_answers_at_once():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        far = await far_end(stage)
        desktop = Desktop(stage, "arossi")
        contact = contact_of(stage)
        for status, cause in ((603, "refused"), (404, "no such number"), (503, "not reached")):
            desktop.transfer(endpoint(stage, "Courier"))
            other = await far.incoming()
            assert COURIER in other.invite.uri
            await other.reject(status)
            assert await desktop.fails() == f"{COURIER}: {cause}"
        await as_before(call, source)
        desktop.transfer(endpoint(stage, "Courier"))
        other = await far.incoming()
        await other.answer()
        await desktop.succeeds(contact)
        await source.ended()
        await hears_now({call: {far.tone}, other: {call.phone.tone}})
        await call.hang_up()
        await other.ended()


async def R14_R117_R123_R124_R129_an_agent_who_is_not_there_and_one_who_is():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        desktop = Desktop(stage, "arossi")
        contact = contact_of(stage)
        desktop.transfer(endpoint(stage, "B. Khan"))
        await source.hears(TO_AGENT)
        assert await desktop.fails() == "bkhan: not logged in"
        await as_before(call, source)

        phone = await stage.agent("bkhan")
        listed = stage.call("agent.endpoints", agent="arossi")["endpoints"]             # R14
        one, = [e for e in listed if e["name"] == "B. Khan"]
        assert one == endpoint(stage, "B. Khan", agentLogin="bkhan")
        desktop.transfer(one)
        await desktop.succeeds(contact)
        await source.ended()
        assert stage.agent_state("bkhan") == "Offered"
        await hears_now({call: {RINGBACK}})
        target = await accept(stage, phone)
        await target.hears(call.phone.tone)
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        assert len(spans(await call.report(), BEEP)) == 2, "R124: the customer whisper"
        never(await call.report(), TO_AGENT, WHISPER)
        one_span(await target.report(), WHISPER)
        await call.hang_up()
        await target.ended()
        stage.call("agent.clear", agent="arossi")
        stage.call("agent.clear", agent="bkhan")
        await nothing_left(stage)


async def R112_R113_R129_the_members_of_the_message():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        contact = contact_of(stage)
        desktop = Desktop(stage, "arossi")
        good = endpoint(stage, "Courier")
        for member in ("source", "data"):
            message = {**HEAD, "source": "ui", "data": COURIER}
            message.pop(member)
            desktop.say(**message)
            await desktop.fails(f"{member}: ", "missing")
        for member, value in (("source", ""), ("source", 7), ("data", None), ("data", [COURIER])):
            desktop.say(**{**HEAD, "source": "ui", "data": COURIER, member: value})
            await desktop.fails(f"{member}: ")
        desktop.say(channel="Amazon", topic="InboundCall", subtopic="StateSync", source="ui")
        assert await desktop.answer() == {
            "channel": "Amazon", "topic": "InboundCall", "subtopic": "StateSync",
            "errorType": "UNKNOWN_MESSAGE", "errorMessage": "Unknown message.",
            "msg": "subtopic: expected BlindTransfer, found 'StateSync'"}
        assert stage.states() == ["talking"]
        never(await call.report(), CUSTOMER_HOLD)

        far = await far_end(stage)
        desktop.transfer(good, subtopic="Blindtransfer", source="another desk", more=[1])
        other = await far.incoming()
        await other.ring()
        await desktop.succeeds(contact)
        await source.ended()


async def R118_R119_R129_the_members_of_the_object():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        contact = contact_of(stage)
        desktop = Desktop(stage, "arossi")
        good = endpoint(stage, "Courier")
        for member in ("type", "name", "endpointARN", "endpointId"):
            desktop.transfer({k: v for k, v in good.items() if k != member})
            await desktop.fails(f"{member}: ", "missing")
            desktop.transfer({**good, member: 7})
            await desktop.fails(f"{member}: ")
        for member in ("phoneNumber", "agentLogin", "queue"):
            desktop.transfer({**good, member: False})
            await desktop.fails(f"{member}: ")
        returns = endpoint(stage, "Returns desk")
        for member, value in (("type", "queue"), ("endpointId", returns["endpointId"]),
                              ("phoneNumber", "+12025550143")):
            desktop.transfer({**good, member: value})
            await desktop.fails(f"{member}: ", "endpointARN")
        unknown = good["endpointARN"][:-4] + "0000"
        desktop.transfer({**good, "endpointARN": unknown, "endpointId": unknown})
        await desktop.fails("endpointARN: ", unknown)
        assert stage.states() == ["talking"]
        never(await call.report(), CUSTOMER_HOLD)

        far = await far_end(stage)
        table = {"Type": good["type"], "Name": "an old name", "EndpointARN": good["endpointARN"],
                 "endpointid": good["endpointId"], "phonenumber": COURIER, "Color": {"of": "it"}}
        desktop.transfer(table)
        other = await far.incoming()
        assert COURIER in other.invite.uri
        await other.ring()
        await desktop.succeeds(contact)
        await source.ended()


# ---- who may, and when ---------------------------------------------------------------------------

async def R111_R129_only_the_primary_agent_and_only_with_an_active_call():
    async with desk_stage() as stage:
        desktop = Desktop(stage, "arossi")
        other_desktop = Desktop(stage, "bkhan")
        desktop.transfer(COURIER)
        assert await desktop.fails() == "the agent has no contact"
        source_phone = await stage.agent("arossi")
        call = await stage.dial(await stage.caller())
        await stage.until_agent("arossi", "Offered")
        desktop.transfer(COURIER)
        assert await desktop.fails() == "the agent is only being offered the contact"
        source = await accept(stage, source_phone)
        await source.hears(call.phone.tone)
        phone = await stage.agent("bkhan")
        target = await consult(stage, call, source, phone, "B. Khan")

        other_desktop.transfer(COURIER)
        assert await other_desktop.fails() == "only the primary agent may do that"
        await hears_now({call: {CUSTOMER_HOLD}, source: {phone.tone},
                         target: {source_phone.tone}})
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        desktop.transfer(COURIER)
        assert await desktop.fails() == "the agent is in after-contact work"

        contact = contact_of(stage, "bkhan")                                           # R54
        far = await far_end(stage)
        other_desktop.transfer(COURIER)
        third = await far.incoming()
        await third.ring()
        await other_desktop.succeeds(contact)
        await target.ended()
        await third.answer()
        await hears_now({call: {far.tone}, third: {call.phone.tone}})
        await call.hang_up()


async def R111_R122_a_customer_on_hold_stays_there_and_may_be_transferred():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        contact = contact_of(stage)
        desktop = Desktop(stage, "arossi")
        far = await far_end(stage)
        stage.call("contact.hold", agent="arossi", party="customer")
        await call.hears(CUSTOMER_HOLD)
        desktop.transfer(COURIER)
        other = await far.incoming()
        await other.ring(183)
        await asyncio.sleep(0.3)
        await other.reject(486)
        assert await desktop.fails() == f"{COURIER}: busy"
        await hears_now({call: {CUSTOMER_HOLD}, source: set()})
        assert stage.states() == ["hold"]
        one_span(await call.report(), CUSTOMER_HOLD)
        desktop.transfer(endpoint(stage, "B. Khan"))
        await source.hears(TO_AGENT)
        assert await desktop.fails() == "bkhan: not logged in"
        await hears_now({call: {CUSTOMER_HOLD}, source: set()})
        stage.call("contact.resume", agent="arossi", party="customer")
        await as_before(call, source)
        stage.call("contact.hold", agent="arossi", party="customer")

        desktop.transfer(COURIER)
        other = await far.incoming()
        await other.ring(183, early_media=True)
        await desktop.succeeds(contact)
        await source.ended()
        await hears_now({call: {far.tone}})
        await other.answer()
        await hears_now({call: {far.tone}, other: {call.phone.tone}})
        await call.hang_up()


async def R123_what_is_refused_before_anything_is_tried():
    stage = desk_stage()
    for row in stage.instance["queues"]:
        if row["name"] == "Orders":
            row["quick_connects"].remove("Returns desk")
    async with stage:
        call, source, (phone,) = await talking(stage)
        desktop = Desktop(stage, "arossi")
        for number, cause in (("12025550143", "no phone number"), ("", "no phone number"),
                              ("+4930123456", "may not be called")):
            desktop.transfer(number)
            await desktop.fails(cause)
        desktop.transfer(endpoint(stage, "Returns desk"))                              # R12
        await desktop.fails("no quick connect")
        never(await call.report(), CUSTOMER_HOLD)
        target = await consult(stage, call, source, phone, "B. Khan")
        desktop.transfer(COURIER)
        await desktop.fails("three parties")
        await hears_now({call: {CUSTOMER_HOLD}, source: {phone.tone}, target: {source.phone.tone}})


async def R123_R124_in_multi_party_mode_the_others_stay_with_the_customer():
    async with desk_stage(multi_party=True) as stage:
        call, source, (phone,) = await talking(stage)
        desktop = Desktop(stage, "arossi")
        contact = contact_of(stage)
        target = await consult(stage, call, source, phone, "B. Khan")
        stage.call("contact.join", agent="arossi")
        far = await far_end(stage)
        desktop.transfer(COURIER)
        other = await far.incoming()
        await other.ring()
        await desktop.succeeds(contact)
        await source.ended()
        await other.answer()
        await hears_now({call: {phone.tone, far.tone}, target: {call.phone.tone, far.tone},
                         other: {call.phone.tone, phone.tone}})
        await call.hang_up()


# ---- what happens meanwhile ----------------------------------------------------------------------

async def R123_R124_the_agent_may_hang_up_before_the_moment_of_success():
    stage = desk_stage()
    stage.instance["prompts"].append({"name": "long", "file": tone(TO_AGENT, 2500)})
    stage.flows["to-agent"]["Actions"][0]["Parameters"]["PromptId"] = "long"
    async with stage:
        call, source, (phone,) = await talking(stage)
        contact = contact_of(stage)
        desktop = Desktop(stage, "arossi")
        desktop.transfer(endpoint(stage, "B. Khan"))
        await source.hears(TO_AGENT)
        await hears_now({call: {CUSTOMER_HOLD}})
        await source.hang_up()
        await call.hears(TO_AGENT)
        assert stage.agent_state("bkhan") == "Available"
        await desktop.succeeds(contact)
        await hears_now({call: {RINGBACK}})
        first = one_span(await source.report(), TO_AGENT)
        rest = one_span(await call.report(), TO_AGENT)
        total = first[1] - first[0] + rest[1] - rest[0]
        assert 2300 <= total <= 2650, f"2.5 s in all, heard {first} and {rest}"
        target = await accept(stage, phone)
        await target.hears(call.phone.tone)
        await hears_now({call: {phone.tone}, target: {call.phone.tone}})
        await call.hang_up()
        stage.call("agent.clear", agent="arossi")
        await stage.until_agent("bkhan", "AfterCallWork")
        stage.call("agent.clear", agent="bkhan")
        await nothing_left(stage)


async def R122_the_customer_hangs_up_or_the_agent_ends_it():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        far = await far_end(stage)
        desktop = Desktop(stage, "arossi")
        desktop.transfer(COURIER)
        other = await far.incoming()
        stage.call("contact.disconnect", agent="arossi", party=party(stage, "arossi", "outside"))
        assert await desktop.fails() == "the transfer was ended"
        await other.ended()
        await as_before(call, source)
        desktop.transfer(COURIER)
        other = await far.incoming()
        await call.hears(CUSTOMER_HOLD)
        await call.hang_up()
        assert await desktop.fails() == "the customer has left"
        await other.ended()
        await source.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        stage.call("agent.clear", agent="arossi")
        await nothing_left(stage)


async def R125_control_ends_while_a_transfer_is_on_its_way():
    async with desk_stage() as stage:
        await talking(stage, others=())
        far = await far_end(stage)
        desktop = Desktop(stage, "arossi")
        desktop.transfer(COURIER)
        await far.incoming()
        stage.processes["control"].terminate()
        assert await desktop.fails() == "the call has ended"


# ---- the connection ------------------------------------------------------------------------------

async def R125_R129_a_connection_is_bound_to_one_agent():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        contact = contact_of(stage)
        desktop = Desktop(stage)
        desktop.transfer(COURIER)
        await desktop.fails("bound to no agent", "desktop.register")
        for agent, why in (("nobody", "no user 'nobody'"),):
            try:
                desktop.call("desktop.register", agent=agent, application="ui")
                raise AssertionError("there is no such user")
            except Refused as refused:
                assert str(refused) == why
        assert desktop.call("desktop.register", agent="arossi", application="ui") == {
            "agent": "arossi", "application": "ui"}
        desktop.call("desktop.register", agent="arossi", application="ui again")
        try:
            desktop.call("desktop.register", agent="bkhan", application="ui")
            raise AssertionError("one connection, one agent")
        except Refused as refused:
            assert "bound to another agent" in str(refused)
        Desktop(stage, "bkhan").transfer(COURIER)
        assert stage.states() == ["talking"], "another agent's desktop has no say"

        # not strict JSON, and a list: calls, not messages
        for line in (b'{channel: "Amazon", "topic": "InboundCall"}',
                     b'[{"channel": "Amazon", "topic": "InboundCall"}]'):
            desktop.socket.sendall(line + b"\n")
            found = await desktop.answer()
            assert (found[0] if isinstance(found, list) else found)["error"], found

        # answered in the order in which they end
        far = await far_end(stage)
        desktop.transfer(COURIER)
        other = await far.incoming()
        desktop.transfer(COURIER)
        assert await desktop.fails() == "a blind transfer is on its way already"
        assert desktop.call("ping")["pong"]
        await other.ring()
        await desktop.succeeds(contact)
        await source.ended()


async def R120_R121_an_operator_has_the_same_as_a_verb():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        desktop = Desktop(stage)
        try:
            desktop.call("contact.transfer_blind", agent="arossi")
            raise AssertionError("where to?")
        except Refused as refused:
            assert "quick_connect" in str(refused)
        far = await far_end(stage)
        for ring in (False, True):
            asked = asyncio.create_task(asyncio.to_thread(
                cordctl, stage, "transfer", "blind", "arossi", "Courier", check=False))
            other = await far.incoming()
            if ring:
                await other.ring()
            else:
                await other.reject(486)
            done = await asked
            assert (done.returncode == 0) == ring, done
            assert ("AfterCallWork" if ring else f"{COURIER}: busy") in done.stdout + done.stderr
        await source.ended()
        await other.answer()
        await hears_now({call: {far.tone}, other: {call.phone.tone}})
        await call.hang_up()


async def R125_the_connection_may_close_before_the_answer():
    async with desk_stage() as stage:
        call, source, _ = await talking(stage, others=())
        far = await far_end(stage)
        for ring in (False, True):
            desktop = Desktop(stage, "arossi")
            desktop.transfer(COURIER)
            other = await far.incoming()
            desktop.close()
            await asyncio.sleep(0.2)
            if ring:
                await other.ring()
            else:
                await other.reject(486)
                await as_before(call, source)
        await source.ended()
        await stage.until_agent("arossi", "AfterCallWork")
        await other.answer()
        await hears_now({call: {far.tone}, other: {call.phone.tone}})
        await call.hang_up()
        stage.call("agent.clear", agent="arossi")
        await nothing_left(stage)
