# SPDX-License-Identifier: Apache-2.0
"""What operators do: cordctl, events, the metrics page, roles, trunks and their limits."""
import asyncio
import json
import subprocess
import urllib.request

from main_job import connect
from stage import BUILDS, CONTROL, MUSIC, Admin, Refused, Stage, eventually


def cordctl(stage, *words, check=True):
    command = [str(BUILDS.cordctl), "--socket", str(stage.directory / "control.sock"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if check:
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


async def test_cordctl_shows_a_call():
    # cordctl blocks, so what it talks to must not be in this process: control is not
    async with Stage() as stage:
        caller, call, phone, leg = await connect(stage)
        contact = stage.contacts()[0]["id"]
        assert "up" in cordctl(stage, "status").stdout
        assert "arossi" in cordctl(stage, "agents").stdout
        assert "Orders" in cordctl(stage, "queues").stdout
        assert "talking" in cordctl(stage, "contacts").stdout
        assert json.loads(cordctl(stage, "--json", "status").stdout)["dataplane"]["state"] == "up"
        ladder = cordctl(stage, "trace", contact).stdout
        assert "INVITE" in ladder and "200" in ladder and "ACK" in ladder, ladder
        full = stage.call("contact.get", contact=contact)
        customer = [x for x in full["legs"] if x["role"] == "customer"][0]
        assert customer["media"]["rx_packets"] > 0 and customer["media"]["concealed"] == 0, customer
        cordctl(stage, "leave", "arossi")
        await call.ended()
        cordctl(stage, "clear", "arossi")
        await stage.records(1)
        assert contact in cordctl(stage, "record", "list").stdout
        refused = cordctl(stage, "accept", "arossi", check=False)
        assert refused.returncode == 1 and refused.stderr
        secret = json.dumps(stage.call("call.trace", contact=contact))
        assert "secret-arossi" not in secret


async def test_events_resume_without_a_gap():
    async with Stage() as stage:
        watcher = Admin(stage.directory / "control.sock")
        watcher.call("events.subscribe")
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        await call.hang_up()
        await stage.records(1)
        seen = []
        while not any(e["event"].get("EventType") == "DISCONNECTED" for e in seen):
            note = watcher.notifications.pop(0) if watcher.notifications else watcher.read()
            if note.get("method", "").startswith("event"):
                seen.append(note["params"])
        kinds = [e["event"]["EventType"] for e in seen if e["topic"] == "contact"]
        assert kinds == ["INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "DISCONNECTED"], kinds
        numbers = [e["number"] for e in seen]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers
        again = Admin(stage.directory / "control.sock")
        again.call("events.subscribe", after=numbers[0])
        replayed = []
        while len(replayed) < len(seen) - 1:
            note = again.notifications.pop(0) if again.notifications else again.read()
            if note.get("method", "").startswith("event"):
                replayed.append(note["params"])
        assert [e["number"] for e in replayed] == numbers[1:]
        assert replayed[0]["event"] == seen[1]["event"]


async def test_the_metrics_page():
    async with Stage(admin__metrics=f"{CONTROL}:9099") as stage:
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)

        def fetch():
            with urllib.request.urlopen(f"http://{CONTROL}:9099/metrics", timeout=5) as page:
                return page.read().decode()
        text = await asyncio.to_thread(fetch)
        assert 'cordboard_queue_contacts{queue="Orders"' in text and "# TYPE" in text, text[:2000]
        for line in text.splitlines():
            assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2, line
        await call.hang_up()


async def test_malformed_requests_are_answered_and_hurt_nobody():
    async with Stage() as stage:
        caller, call, phone, leg = await connect(stage)
        rogue = Admin(stage.directory / "control.sock")
        for line in (b"{", b"[]", b"null", b'{"jsonrpc":"2.0"}', b'{"jsonrpc":"2.0","id":1,"method":7}',
                     b"\xff\xfe", b'{"jsonrpc":"2.0","id":1,"method":"agent.login","params":{"agent":[]}}'):
            rogue.socket.sendall(line + b"\n")
            assert "error" in rogue.read()
        for verb, params, named in (("agent.login", {"agent": "nobody"}, "nobody"),
                                    ("no.such", {}, "no.such"),
                                    ("contact.get", {"contact": "x" * 60}, "")):
            try:
                rogue.call(verb, **params)
                raise AssertionError(f"{verb} was taken")
            except Refused as refused:
                assert named in str(refused), refused
        rogue.socket.sendall(b"x" * (1 << 20))
        assert stage.states() == ["talking"]
        await call.hang_up()
        await leg.ended()


async def test_a_trunk_has_so_many_channels():
    stage = Stage()
    stage.instance["cordboard"]["trunks"][0]["channels"] = 2
    async with stage:
        calls = [await stage.dial(await stage.caller(number=f"+1202555019{n}")) for n in range(2)]
        for call in calls:
            await call.hears(MUSIC)
        third = await stage.caller(number="+12025550195")
        refused = await stage.dial(third)
        assert await refused.final() == 503
        await calls[0].hang_up()
        await stage.until_states("queued")
        call = await stage.dial(third)
        await call.hears(MUSIC)


async def test_a_trunk_takes_so_many_calls_a_second():
    stage = Stage()
    stage.instance["cordboard"]["trunks"][0]["calls_per_second_in"] = 3
    async with stage:
        callers = [await stage.caller(number=f"+1202555019{n}") for n in range(8)]
        calls = [await stage.dial(c) for c in callers]
        finals = [await c.final() for c in calls]
        assert 3 <= finals.count(200) <= 5 and set(finals) == {200, 503}, finals


async def test_a_dead_gateway_is_passed_over():
    stage = Stage()
    stage.instance["cordboard"]["trunks"][0].update(
        gateways=[{"address": "10.77.0.61:5060"}, {"address": "10.77.0.10:5060"}], ping="1s")
    async with stage:
        carrier = await stage.phone("carrier", "10.77.0.10", port=5060)
        phone = await stage.agent("arossi")

        def health():
            trunk = stage.call("trunk.list")["trunks"][0]
            return [g["health"].lower() for g in trunk["gateways"]]
        await eventually("OPTIONS to find who lives", lambda: health()[1] == "up", 15)
        call = await phone.call(f"sip:2025550177@{CONTROL}")
        other = await carrier.incoming(timeout=12)
        await other.answer()
        await call.hears(carrier.tone)
        await call.hang_up()


async def test_early_media_of_a_destination_is_heard():
    async with Stage() as stage:
        carrier = await stage.phone("carrier", "10.77.0.10", port=5060)
        phone = await stage.agent("arossi")
        call = await phone.call(f"sip:2025550177@{CONTROL}")
        other = await carrier.incoming()
        await other.ring(183, early_media=True)
        await call.hears(carrier.tone)
        assert call.state == "ringing"
        await other.answer()
        await call.answered()
        await other.hears(phone.tone)
        await call.hang_up()
        await other.ended()
