# SPDX-License-Identifier: Apache-2.0
"""The ear against itself: what its bad network does shows in its report. Usage: test_ear.py EAR"""

import asyncio
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sipua import SUITES, Ear, Failed  # noqa: E402


async def leg(ear, name, hz, options="", ip="127.0.0.1"):
    return (await ear.command(f"leg {name} {ip} 0 {hz} {options}"))["port"]


async def connect(ear, a, a_port, b, b_port, ip="127.0.0.1"):
    await ear.command(f"remote {a} {ip} {b_port}")
    await ear.command(f"remote {b} {ip} {a_port}")


def hears(event, name, hz, kind="tone"):
    return event.get("leg") == name and event["event"] == kind and event["hz"] == hz


async def good_and_bad(ear):
    """Each pair has one leg with a fault; its partner reports exactly that fault."""
    faults = {"fine": "", "lossy": "loss=200", "mixed": "reorder=200", "slow": "jitter-ms=40",
              "alaw": "codec=pcma level=-30 ptime=30"}
    for name, options in faults.items():
        a = await leg(ear, name, 700, options)
        b = await leg(ear, name + ".peer", 1100)
        await connect(ear, name, a, name + ".peer", b)
    await asyncio.sleep(2)
    reports = await ear.report()
    seen = {name: reports[name + ".peer"] for name in faults}
    for name, report in seen.items():
        assert (report["missing"] > 5) == (name == "lossy"), report
        assert (report["reordered"] > 5) == (name in ("mixed", "slow")), report
        assert report["duplicates"] == report["timestamp_jumps"] == report["ssrc_changes"] == 0, report
        assert report["heard"][0]["hz"] == 700, report
        assert abs(report["heard"][0]["dbm0"] - (-30 if name == "alaw" else -10)) < 0.5, report
    # One tone without a break; where a busy machine sent nothing for a while, that was a pause.
    fine, pauses = seen["fine"]["heard"], seen["fine"]["pauses"]
    assert len(fine) <= 1 + len(pauses) and not seen["fine"]["quiet"], fine
    assert all(tone["hz"] == 700 and tone["breaks"] == 0 for tone in fine), fine


async def codecs_and_keys(ear):
    """Every codec, every suite, IPv6; a leg with another key hears nothing."""
    cases = [(f"{codec}.{ptime}", f"codec={codec} ptime={ptime}", None, "127.0.0.1")
             for codec, ptime in (("g722", 20), ("g722", 40), ("opus", 20), ("opus", 60))]
    cases += [(suite, "codec=opus payload=111", suite, "::1") for suite in SUITES]
    for name, options, suite, ip in cases:
        a = await leg(ear, name, 700, options, ip)
        b = await leg(ear, name + ".peer", 1100, options, ip)
        if suite:
            one, two = (base64.b64encode(os.urandom(SUITES[suite])).decode() for _ in range(2))
            await ear.command(f"key {name} {suite} {one} {two}")
            await ear.command(f"key {name}.peer {suite} {two} {one}")
        await connect(ear, name, a, name + ".peer", b, ip)
    for name, _, _, _ in cases:
        await ear.wait(lambda e: hears(e, name + ".peer", 700))
        await ear.wait(lambda e: hears(e, name, 1100))
    await ear.command("set opus.20 eventclock=48")
    await ear.command("digit opus.20 7")
    await ear.wait(lambda e: e.get("leg") == "opus.20.peer" and e["event"] == "digit")
    reports = await ear.report()
    for name, _, _, _ in cases:
        assert not reports[name]["unprotected"] and not reports[name]["timestamp_jumps"], reports[name]
    wrong = base64.b64encode(os.urandom(30)).decode()
    before = reports["AES_CM_128_HMAC_SHA1_80"]["received"]
    await ear.command(f"key AES_CM_128_HMAC_SHA1_80 AES_CM_128_HMAC_SHA1_80 {wrong} {wrong}")
    await asyncio.sleep(0.3)
    report = await ear.report("AES_CM_128_HMAC_SHA1_80")
    assert report["unprotected"] > 5 and report["received"] - before < 5, report
    assert report["from"].startswith("[::1]:"), report


async def who_has_no_key(ear):
    """Knows the address and the numbers of a leg with keys; equal keys given again change nothing."""
    suite = "AEAD_AES_128_GCM"
    one, two = (base64.b64encode(os.urandom(SUITES[suite])).decode() for _ in range(2))
    a, b = await leg(ear, "one", 700), await leg(ear, "two", 1100)
    await ear.command(f"key one {suite} {one} {two}")
    await ear.command(f"key two {suite} {two} {one}")
    await connect(ear, "one", a, "two", b)
    await ear.wait(lambda e: hears(e, "two", 700))
    await asyncio.sleep(0.5)
    await ear.command("hold one")
    await asyncio.sleep(0.1)
    await ear.command("clear two")
    await ear.command(f"key two {suite} {two} {one}")
    for how in ("plain", "forged", "replayed"):
        await ear.command(f"attack one {how} 20 900")
    await asyncio.sleep(0.1)
    report = await ear.report("two")
    assert report["unprotected"] == 60 and report["received"] == 0 and not report["heard"], report
    since = len(ear.events)
    await ear.command("resume one")
    await ear.wait(lambda e: hears(e, "two", 700), since=since)
    await ear.command("close one")
    await ear.command("close two")


async def what_a_script_does(ear):
    """Each command shows at the other end."""
    a, b = await leg(ear, "a", 700), await leg(ear, "b", 1100)
    await connect(ear, "a", a, "b", b)
    await ear.wait(lambda e: hears(e, "b", 700))
    for command, hz in (("mute a", 700), ("hold a", 700), ("tone a 900", 700)):
        since = len(ear.events)
        await ear.command(command)
        await ear.wait(lambda e: hears(e, "b", hz, "tone_end"), since=since)
        if not command.startswith("tone"):
            await asyncio.sleep(0.1)
            await ear.command({"mute a": "unmute a", "hold a": "resume a"}[command])
            await ear.wait(lambda e: hears(e, "b", hz), since=since)
    await ear.command("ssrc a")
    await asyncio.sleep(0.1)
    await ear.command("jump a 3 480")
    await asyncio.sleep(0.1)
    await ear.command("jump a 0 8000")
    await ear.command("digit a 1*")
    await ear.wait(lambda e: e.get("leg") == "b" and e.get("digit") == "*")
    report = await ear.report("b")
    assert report["ssrc_changes"] == 1 and report["missing"] == 3, report
    # The hold and the mute; a machine that is busy may add to them.
    assert report["digits"] == "1*" and report["quiet"], report
    assert any(p["to_ms"] - p["from_ms"] > 100 for p in report["pauses"]), report
    await ear.command("clear b")
    assert (await ear.report("b"))["digits"] == ""
    await ear.command("close b")


async def refusals(ear):
    for line in ("nonsense", "leg", "leg x 127.0.0.1 0 701", "leg x 999.0.0.1 0 700",
                 "leg x 127.0.0.1 99999 700", "leg x 127.0.0.1 0 700 loss=2000",
                 "leg x 127.0.0.1 0 700 loss", "remote nobody 127.0.0.1 1", "remote a here 1",
                 "digit a 5x", "report nobody", 'leg "x 127.0.0.1 0 700', "tone a 12345"):
        try:
            await ear.command(line)
        except Failed:
            continue
        raise AssertionError(f"taken: {line}")


async def main(path):
    async with Ear(path) as ear:
        await asyncio.gather(good_and_bad(ear), what_a_script_does(ear))
        await codecs_and_keys(ear)
        await who_has_no_key(ear)
        await refusals(ear)
        reports = await ear.stop()
        assert "fine.peer" in reports and "b" not in reports


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 60))
print("ok")
