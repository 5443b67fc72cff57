# SPDX-License-Identifier: Apache-2.0
"""Callbacks and outside numbers while agents leave, operators step in, control reloads or ends, and
the dataplane dies."""
import asyncio

from calling_back import RINGBACK, callback_stage, promise
from leaving import nothing_left
from main_job import never
from phone_transfer import carrier, courier_stage
from stage import BEEP, FULL, MUSIC, TRUNK, WHISPER, action, eventually, flow, user


async def nothing_at_all_left(stage):
    await nothing_left(stage)
    assert [trunk["calls"] for trunk in stage.call("trunk.list")["trunks"]] == [0]


def waiting_flow(stage):
    """A second number, whose callers wait in Orders."""
    stage.flows["other"] = flow(
        "Other", "contactFlow", "Queue",
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"NoMatchingError": "End", "QueueAtCapacity": "End"}),
        action("End", "DisconnectParticipant"))
    stage.instance["cordboard"]["numbers"].append({"number": "+12025550101", "flow": "Other"})


async def test_an_operator_ends_a_callback_whose_agent_has_accepted():
    """The phone of a panel is still ringing: its agent is not kept."""
    async with callback_stage() as stage:
        phone = await stage.agent("bkhan")
        await promise(stage)
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.accept", agent="bkhan")
        leg = await phone.incoming()
        await leg.ring()
        stage.call("contact.end", contact=stage.contacts()[0]["id"])
        await leg.ended()
        await stage.until_agent("bkhan", "AfterCallWork")
        stage.call("agent.clear", agent="bkhan")
        await stage.until_agent("bkhan", "Available")
        first, second = await stage.records(2)
        assert second["InitiationMethod"] == "CALLBACK" and second["Agent"] is None
        await nothing_at_all_left(stage)


async def test_a_callback_without_a_port_for_the_customer():
    """Its agent is let go, phone and all, and it waits for the next one."""
    async with callback_stage(options={"ports": 2}) as stage:  # one is spare
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("arossi", auto="answer")
        await promise(stage)
        leg = await phone.incoming()
        await leg.hears(WHISPER)
        await leg.ended()
        assert leg.ended_by == "them" and home.waiting.empty()
        await stage.until_agent("arossi", "Error")
        await stage.until_states("queued")
        await nothing_on_the_dataplane(stage)
        stage.call("contact.end", contact=stage.contacts()[0]["id"])
        await nothing_at_all_left(stage)


async def nothing_on_the_dataplane(stage):
    await eventually("no port and room", lambda: (
        stage.status()["dataplane"]["ports"]["used"],
        stage.status()["dataplane"]["rooms"]["used"]) == (0, 0))


async def test_callbacks_leave_contacts_to_calls():
    async with callback_stage(delay="60", options={"instance__contacts_max": 4}) as stage:
        await promise(stage)
        for _ in range(4):
            await promise(stage, FULL)
        assert stage.states() == ["scheduled"]


async def test_the_queue_of_a_callback_goes_on_reload():
    """Waiting or not yet due, it ends; being offered, with the offer; accepted, it is made."""
    for step in ("scheduled", "queued", "offered", "whisper"):
        stage = callback_stage(queue="Returns", delay="2" if step == "scheduled" else "1")
        stage.instance["prompts"][4]["file"] = f"tone:{WHISPER}:2s"
        async with stage:
            home = await stage.phone("customer", TRUNK, port=5060)
            phone = await stage.agent("arossi") if step in ("offered", "whisper") else None
            await promise(stage)
            leg = await phone.incoming() if phone else None
            if step == "offered":
                await leg.ring()
            if step == "whisper":
                await leg.answer()
                await leg.hears(WHISPER)
            await stage.until_states({"whisper": "agent-whisper"}.get(step, step))
            stage.instance["queues"].pop()
            stage.instance["routing_profiles"][0]["queues"].pop()
            stage.flows["main"]["Actions"][1]["Parameters"]["QueueId"] = "Orders"
            stage.write_instance()
            report = stage.call("reload")
            assert report["loaded"], report
            if step == "offered":
                await asyncio.sleep(0.3)
                assert stage.states() == ["offered"]
                await leg.reject(486)
            if step == "whisper":
                call = await home.incoming()
                await call.answer()
                await call.hears(phone.tone)
                await call.hang_up()
                await stage.until_agent("arossi", "AfterCallWork")
                stage.call("agent.clear", agent="arossi")
            rows = await stage.records(2)
            assert rows[1]["InitiationMethod"] == "CALLBACK"
            assert rows[1]["DisconnectReason"] == (
                "CUSTOMER_DISCONNECT" if step == "whisper" else "OTHER")
            await nothing_at_all_left(stage)


async def test_control_that_drains_makes_no_more_callbacks():
    stage = callback_stage(delay="3", options={"admin__drain": "20s"})
    waiting_flow(stage)
    async with stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("arossi", auto="answer")
        await promise(stage)
        call = await stage.dial(await stage.caller(number="+12025550198"), number="+12025550101")
        await call.hears(phone.tone)
        await stage.agent("bkhan")
        process = stage.processes["control"]
        process.terminate()
        await asyncio.sleep(3.5)
        assert stage.agent_state("bkhan") == "Available"
        assert stage.states() == ["scheduled", "talking"]
        await call.hang_up()
        await eventually("control to end", lambda: process.poll() is not None, 5)
        assert home.waiting.empty()


async def test_an_agent_logs_out_while_a_callback_is_offered():
    async with callback_stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        first = await stage.agent("arossi")
        await promise(stage)
        leg = await first.incoming()
        await leg.ring()
        stage.call("agent.logout", agent="arossi")
        await leg.ended()
        await stage.until_states("queued")
        await nothing_on_the_dataplane(stage)
        phone = await stage.agent("bkhan", auto="answer")
        await stage.until_agent("bkhan", "Offered")
        stage.call("contact.accept", agent="bkhan")
        call = await home.incoming()
        await call.answer()
        await call.hears(phone.tone)
        await call.hang_up()
        await stage.until_agent("bkhan", "AfterCallWork")
        stage.call("agent.clear", agent="bkhan")
        await nothing_at_all_left(stage)


async def test_fifty_callbacks_and_five_agents():
    names = ("arossi", "cdiaz", "dkim", "eroy", "fsmith")
    stage = callback_stage(delay="4")
    stage.instance["agents"] = [user(name, "ring", after_contact_seconds=1) for name in names]
    stage.instance["prompts"][4]["file"] = f"tone:{WHISPER}:100ms"
    stage.instance["prompts"][-1]["file"] = "tone:2000:100ms"
    async with stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        caller = await stage.caller()

        async def ask():
            call = await stage.dial(caller)
            await call.ended(timeout=30)

        async def serve(count):
            for n in range(count):
                call = await home.incoming(timeout=30)
                if n % 7 == 6:
                    await call.reject(486)
                    continue
                await call.answer()
                stage_tasks.append(asyncio.ensure_future(talk(call)))

        async def talk(call):
            await asyncio.sleep(0.3)
            await call.hang_up()

        stage_tasks = []
        await asyncio.gather(*(ask() for _ in range(50)))
        assert len(stage.contacts()) == 50
        for name in names:
            await stage.agent(name, auto="answer")
        await serve(50)
        # those that were refused ring once more
        await serve(50 // 7)
        await asyncio.gather(*stage_tasks)
        await eventually("every contact to be gone", lambda: not stage.contacts(), 30)
        await nothing_at_all_left(stage)
        rows = await stage.records(100 + 50 // 7)
        assert len({row["ContactId"] for row in rows}) == len(rows) == 100 + 50 // 7
        for name in names:
            await stage.until_agent(name, "Available")


async def test_the_dataplane_dies_while_a_number_rings_and_in_the_bridge():
    async with courier_stage() as stage:
        far = await carrier(stage)
        caller = await stage.caller()
        call = await stage.dial(caller)
        other = await far.incoming()
        await other.ring()
        await call.hears(RINGBACK)
        stage.kill("dataplane")
        await eventually("control to notice", lambda: stage.status()["dataplane"]["state"] == "down")
        since = len(stage.ear.events)
        await stage.start_dataplane()
        await call.hears(RINGBACK, since=since)
        await other.answer()
        await call.hears(far.tone)
        await other.hears(caller.tone)
        stage.kill("dataplane")
        await eventually("control to notice", lambda: stage.status()["dataplane"]["state"] == "down")
        await other.hang_up()
        await stage.until_states("flow")
        since = len(stage.ear.events)
        await stage.start_dataplane()
        await call.hears(BEEP, since=since)
        await call.ended()
        await nothing_at_all_left(stage)


async def test_the_dataplane_dies_while_digits_are_sent():
    async with courier_stage(ThirdPartyDTMFDigits="1,,,,,,,,2") as stage:
        far = await carrier(stage)
        caller = await stage.caller()
        call = await stage.dial(caller)
        other = await far.incoming()
        await other.answer()
        await other.gets_digit("1")
        stage.kill("dataplane")
        await stage.until_states("bridged")
        since = len(stage.ear.events)
        await stage.start_dataplane()
        await call.hears(far.tone, since=since)
        await other.hears(caller.tone, since=since)
        await call.hang_up()
        await other.ended()
        await nothing_at_all_left(stage)


async def test_a_far_end_that_answers_while_it_is_cancelled():
    """The time is over and the 200 under way: it gets a BYE, which it never answers."""
    async with courier_stage(ThirdPartyConnectionTimeLimitSeconds="2") as stage:
        far = await carrier(stage)
        call = await stage.dial(await stage.caller())
        other = await far.incoming()
        await other.ring(183, early_media=True)
        await call.hears(far.tone)
        byes = []

        async def cross(request, source):
            await far.respond(request, source, 200, tag=other.local_tag)
            await other.answer()

        async def deaf(request, source):
            byes.append(request)

        other.take_cancel, other.take_bye = cross, deaf
        await call.hears(WHISPER)  # the branch of the time limit
        await call.ended()
        await eventually("a BYE", lambda: byes)
        await nothing_at_all_left(stage)
        await other.silence()


async def test_early_media_then_busy():
    async with courier_stage() as stage:
        far = await carrier(stage)
        call = await stage.dial(await stage.caller())
        other = await far.incoming()
        await other.ring(183, early_media=True)
        await call.hears(far.tone)
        await other.reject(486)
        await call.hears(FULL)
        await call.ended()
        await other.silence()
        never(await call.report(), RINGBACK, MUSIC)
        await nothing_at_all_left(stage)


async def test_the_trunk_goes_on_reload_while_a_number_talks():
    async with courier_stage() as stage:
        far = await carrier(stage)
        caller = await stage.caller()
        call = await stage.dial(caller)
        other = await far.incoming()
        await other.answer()
        await call.hears(far.tone)
        await stage.until_states("bridged")
        board = stage.instance["cordboard"]
        board["trunks"][0]["name"] = "another"
        board["number_plan"]["routes"][0]["trunks"] = ["another"]
        stage.write_instance()
        assert stage.call("reload")["loaded"]
        since = len(stage.ear.events)
        await call.digits("5")
        await other.gets_digit("5", since=since)
        await other.hang_up()
        await call.hears(BEEP)
        await call.ended()
        await nothing_at_all_left(stage)


async def test_the_trunk_goes_on_reload_while_a_callback_is_dialled():
    """The call that is under way goes on; the next attempt has no way out."""
    for answered in (True, False):
        stage = callback_stage()
        stage.instance["agents"][0]["after_contact_seconds"] = 1
        async with stage:
            home = await stage.phone("customer", TRUNK, port=5060)
            phone = await stage.agent("arossi", auto="answer")
            await promise(stage)
            call = await home.incoming()
            await call.ring()
            await stage.until_states("dialling")
            board = stage.instance["cordboard"]
            board["number_plan"].update(allow=["+1303"], routes=[])
            board["trunks"][0]["name"] = "another"
            stage.write_instance()
            report = stage.call("reload")
            assert report["loaded"], report
            if answered:
                await call.answer()
                await call.hears(phone.tone)
                await call.hang_up()
            else:
                await call.reject(486)
            rows = await stage.records(2 if answered else 3)
            methods = [row["InitiationMethod"] for row in rows]
            assert methods == ["INBOUND"] + ["CALLBACK"] * (1 if answered else 2)
            await stage.until_agent("arossi", "Available")
            await nothing_at_all_left(stage)


async def ends_all(stage, *legs):
    """SIGTERM, and again nothing that waits for ever: every party gets its BYE or CANCEL."""
    process = stage.processes["control"]
    process.terminate()
    for leg in legs:
        await leg.ended()
        assert leg.ended_by == "them"
    await eventually("control to end", lambda: process.poll() is not None, 5)
    assert process.returncode == 0


async def test_control_ends_while_a_number_rings_and_while_it_talks():
    for answered in (False, True):
        async with courier_stage() as stage:
            far = await carrier(stage)
            call = await stage.dial(await stage.caller())
            other = await far.incoming()
            await other.ring()
            await call.hears(RINGBACK)
            if answered:
                await other.answer()
                await call.hears(far.tone)
            await ends_all(stage, call, other)


async def test_control_ends_while_a_callback_is_dialled():
    async with callback_stage() as stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        phone = await stage.agent("arossi")
        await promise(stage)
        leg = await phone.incoming()
        await leg.answer()
        call = await home.incoming()
        await call.ring()
        await stage.until_states("dialling")
        await ends_all(stage, leg, call)
