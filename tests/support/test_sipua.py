# SPDX-License-Identifier: Apache-2.0
"""The test phones against each other, over UDP and TCP. Usage: test_sipua.py EAR"""

import asyncio
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sipua import Ear, Failed, Message, Phone, Sdp  # noqa: E402


async def pair(ear, transport="udp", **extra):
    alice = await Phone("alice", "127.0.0.1", ear=ear, tone=700, transport=transport).open()
    bob = await Phone("bob", "127.0.0.1", ear=ear, tone=1100, transport=transport, **extra).open()
    return alice, bob, f"sip:bob@127.0.0.1:{bob.port}"


async def talk(ear, transport, delayed_offer):
    alice, bob, uri = await pair(ear, transport)
    call = await alice.call(uri, delayed_offer=delayed_offer)
    other = await bob.incoming()
    await other.ring()
    await call.ringing()
    await other.answer()
    await call.answered()
    await call.hears(1100)
    await other.hears(700)
    await call.digits("5#")
    await other.gets_digit("#")
    since = len(ear.events)
    assert await call.hold() == 200
    assert other.remote_sdp.direction == "sendonly" and call.remote_sdp.direction == "recvonly"
    await ear.wait(lambda e: e.get("leg") == call.leg and e["event"] == "tone_end", since=since)
    assert await call.resume() == 200
    await call.hears(1100, since=since)
    assert await other.hold("inactive") == 200
    assert await other.resume() == 200
    assert await call.hang_up() == 200
    await other.ended()
    assert other.ended_by == "them" and call.ended_by == "us"
    assert (await other.report())["digits"] == "5#"
    await alice.close()
    await bob.close()


async def refusals(ear):
    alice, bob, uri = await pair(ear, auto="reject", code=486)
    call = await alice.call(uri)
    assert await call.final() == 486
    bob.auto = "ring"
    call = await alice.call(uri)
    await call.ringing()
    assert await call.cancel() == 200
    assert await call.final() == 487
    bob.auto = "ignore"
    call = await alice.call(uri)
    try:
        await call.answered(0.3)
        raise AssertionError("answered by nobody")
    except Failed as failure:
        assert "INVITE" in str(failure)
    bob.auto = "answer"
    call = await alice.call(uri)
    await call.answered()
    await bob.incoming()
    await bob.incoming()
    await bob.incoming()
    other = await bob.incoming()
    assert await other.hang_up() == 200
    await call.ended()
    await alice.close()
    await bob.close()


async def obey(call, request, source):
    """A peer that takes every REFER but tells of 486, and keeps what it was asked."""
    call.asked = request
    await call.phone.respond(request, source, 202, tag=call.local_tag)
    for status, state in ((100, "active;expires=60"), (486, "terminated;reason=noresource")):
        if request.get("refer-sub") != "false":
            notify = call.make("NOTIFY", f"SIP/2.0 {status} Whatever\r\n", [
                ("Event", "refer"), ("Subscription-State", state)], "message/sipfrag;version=2.0")
            assert (await call.phone.ask(notify, call.where())).status == 200


async def refers(ear):
    alice, bob, uri = await pair(ear, auto="answer")
    call, second = await alice.call(uri), await alice.call(uri)
    await call.answered()
    await second.answered()
    other = await bob.incoming()
    assert await call.refer("100") == 405
    plain = other.take_request
    other.take_request = lambda request, source: (
        obey(other, request, source) if request.method == "REFER" else plain(request, source))
    assert await call.refer("+49 30#") == 202
    assert await call.referred() == 486 and call.notified == [100, 486]
    assert other.asked.get("refer-to") == "<sip:+49%2030%23@127.0.0.1>"
    assert other.asked.get("referred-by") == "<sip:alice@127.0.0.1>"
    assert await call.refer(replaces=second, subscribe=False) == 202
    assert call.notified == [] and not call.subscribed
    wanted = f"<{uri}?Replaces={second.call_id}%3Bto-tag%3D{second.remote_tag}%3Bfrom-tag%3D{second.local_tag}>"
    assert other.asked.get("refer-to") == wanted
    stray = other.make("NOTIFY", "SIP/2.0 200 OK\r\n", [("Event", "refer")])
    assert (await bob.ask(stray, other.where())).status == 481
    for each in (call, second):
        await each.hang_up()
    await alice.close()
    await bob.close()


async def digest():
    """Both algorithms in form, and a known answer."""
    phone = Phone("bob", "127.0.0.1", password="zanzibar")
    for algorithm, length in (("MD5", 32), ("SHA-256", 64)):
        challenge = Message(status=401, headers=[(
            "WWW-Authenticate", f'Digest realm="biloxi.com", nonce="dcd98b", qop="auth", algorithm={algorithm}')])
        name, value = phone.credentials(challenge, Message("REGISTER", "sip:biloxi.com"))
        assert name == "Authorization" and f"algorithm={algorithm}" in value
        assert len(value.split('response="')[1].split('"')[0]) == length
    challenge = Message(status=407, headers=[("Proxy-Authenticate", 'Digest realm="biloxi.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')])
    name, value = phone.credentials(challenge, Message("INVITE", "sip:bob@biloxi.com"))
    assert name == "Proxy-Authorization"
    assert 'response="bf57e4e0d0bffc0fbaedce64d59add5e"' in value


def descriptions():
    sdp = Sdp("v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 18 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=inactive\r\n")
    assert (sdp.ip, sdp.port, sdp.direction, sdp.event()) == ("10.0.0.1", 4000, "inactive", 96)
    assert sdp.codec(["pcmu", "pcma"]) == ("pcma", 8)
    assert Sdp("m=audio 0 RTP/AVP 0\nc=IN IP4 0.0.0.0").direction == "inactive"


async def main(path):
    descriptions()
    await digest()
    async with Ear(path) as ear:
        await asyncio.gather(talk(ear, "udp", False), talk(ear, "udp", True), talk(ear, "tcp", False))
        await refusals(ear)
        await refers(ear)


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 60))
print("ok")
