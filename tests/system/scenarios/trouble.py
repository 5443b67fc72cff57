# SPDX-License-Identifier: Apache-2.0
"""Strangers, processes that die, a real softphone."""
import asyncio
import shutil
import socket
import subprocess

from main_job import connect, no_gaps
from stage import CONTROL, MEDIA, MUSIC, STRANGER, TRUNK, Skip, Stage, eventually


async def test_a_stranger_is_refused_and_told_nothing():
    async with Stage() as stage:
        stranger = await stage.phone("1000", STRANGER)
        answers = set()
        for number in ("+12025550100", "100", "admin"):
            call = await stranger.call(f"sip:{number}@{CONTROL}", to=(CONTROL, 5060))
            answers.add(await call.final())
        assert len(answers) == 1 and answers <= {401, 403}, answers
        assert stage.contacts() == []


async def test_a_number_that_is_not_ours():
    async with Stage() as stage:
        call = await stage.dial(await stage.caller(), number="+12025550999")
        assert await call.final() == 404
        assert stage.contacts() == []


async def test_packets_from_a_wrong_address_are_dropped():
    async with Stage() as stage:
        caller, call, phone, leg = await connect(stage)
        port = call.remote_sdp.port
        before = stage.call("dataplane.stats")["sum"]["drop_source"]
        rogue = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rogue.bind((STRANGER, 0))
        for n in range(50):
            header = bytes([0x80, 0, n >> 8, n & 255]) + (n * 160).to_bytes(4, "big") + b"evil"
            rogue.sendto(header + bytes([0x10]) * 160, (MEDIA, port))
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert stage.call("dataplane.stats")["sum"]["drop_source"] - before == 50
        await call.hang_up()
        await leg.ended()
        report = await leg.report()
        assert not [h for h in report["heard"] if h["hz"] == 0], "foreign samples were heard"
        no_gaps(report)


async def test_malformed_messages_touch_no_call():
    async with Stage() as stage:
        caller, call, phone, leg = await connect(stage)
        rogue = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rogue.bind((STRANGER, 0))
        for junk in (b"", b"\0" * 100, b"INVITE", b"INVITE sip:x SIP/2.0\r\n\r\n", b"\xff" * 60000,
                     b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n"):
            rogue.sendto(junk, (CONTROL, 5060))
            rogue.sendto(junk[:1400], (MEDIA, call.remote_sdp.port))
        tcp = socket.create_connection((CONTROL, 5060), source_address=(STRANGER, 0))
        tcp.sendall(b"garbage\r\n\r\n" * 1000)
        await asyncio.sleep(0.5)
        tcp.close()
        assert stage.states() == ["talking"]
        since = len(stage.ear.events)
        await stage.ear.command(f"tone {leg.leg} 2000")
        await call.hears(2000, since=since)
        await call.hang_up()
        await leg.ended()


async def test_control_is_killed_and_restarted():
    """Talkers go on, callers keep their music; the new control attaches and clears up."""
    async with Stage() as stage:
        caller, call, phone, leg = await connect(stage)
        waiting = await stage.dial(await stage.caller(number="+12025550198"))
        await waiting.hears(MUSIC)
        stage.kill("control")
        await asyncio.sleep(3)
        since = len(stage.ear.events)
        await stage.ear.command(f"tone {call.leg} 2000")
        await stage.ear.command(f"tone {leg.leg} 1850")
        await leg.hears(2000, since=since)
        await call.hears(1850, since=since)
        no_gaps(await call.report())
        music = [h for h in (await waiting.report())["heard"] if h["hz"] == MUSIC]
        assert music[-1]["to_ms"] - music[0]["from_ms"] > 2500, music
        no_gaps(await waiting.report())
        await stage.start_control()
        orphans = stage.call("dataplane.orphans")["orphans"]
        assert len(orphans) == 2, orphans
        left = await stage.records(2)
        assert {r["DisconnectReason"] for r in left} == {"OTHER"}, "calls of a dead control are booked"
        no_gaps(await call.report())
        stage.call("dataplane.orphan_remove")
        await eventually("the orphans to be gone",
                         lambda: not stage.call("dataplane.orphans")["orphans"])
        again = await stage.dial(await stage.caller(number="+12025550197"))
        await again.hears(MUSIC)
        await again.hang_up()


async def test_dataplane_is_killed_and_restarted():
    """Control says so, and restores the media with the same ports within 2 s of its return."""
    async with Stage() as stage:
        caller, call, phone, leg = await connect(stage)
        waiting = await stage.dial(await stage.caller(number="+12025550198"))
        await waiting.hears(MUSIC)
        stage.kill("dataplane")
        await eventually("control to notice", lambda: stage.status()["dataplane"]["state"] == "down")
        refused = await stage.dial(await stage.caller(number="+12025550197"))
        assert await refused.final() == 503
        since = len(stage.ear.events)
        await stage.start_dataplane()
        await stage.ear.command(f"tone {call.leg} 2000")
        await stage.ear.command(f"tone {leg.leg} 1850")
        await leg.hears(2000, timeout=2, since=since)
        await call.hears(1850, timeout=2, since=since)
        await waiting.hears(MUSIC, timeout=2, since=since)
        assert stage.states() == ["queued", "talking"]
        await call.hang_up()
        await leg.ended()


async def test_baresip_is_the_agent():
    if not shutil.which("baresip"):
        raise Skip("baresip is not installed")
    async with Stage(sip__digest="MD5") as stage:
        home = stage.directory / "baresip"
        home.mkdir()
        music = home / "tone.wav"
        write_tone(music, 1150)
        (home / "accounts").write_text(
            f"<sip:arossi@{CONTROL};transport=udp>;auth_user=arossi;auth_pass=secret-arossi;"
            "answermode=auto;regint=60\n")
        modules = "/usr/lib/baresip/modules"
        (home / "config").write_text(
            f"module_path {modules}\nsip_listen 0.0.0.0:5070\n"
            "module g711.so\nmodule aufile.so\nmodule_tmp account.so\nmodule_app menu.so\n"
            f"audio_source aufile,{music}\naudio_player aufile,{home}/heard.wav\n"
            "audio_srate 8000\ncall_max_calls 4\n")
        (home / "contacts").write_text("")
        agent = subprocess.Popen(["baresip", "-f", str(home)], stdout=stage.log, stderr=stage.log,
                                 stdin=subprocess.DEVNULL)
        try:
            await eventually("baresip to register", lambda: stage.call(
                "agent.get", agent="arossi")["phone_ready"], 15)
            stage.call("agent.login", agent="arossi", status="Available")
            caller = await stage.caller()
            call = await stage.dial(caller)
            await call.hears(1150, timeout=15)
            await stage.until_states("talking")
            await call.hang_up()
        finally:
            agent.terminate()
            agent.wait(10)


def write_tone(path, hz):
    import math
    import struct
    import wave
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(2 * math.pi * hz * n / 8000)))
                                  for n in range(8000 * 20)))


async def test_sipp_calls_through_packet_loss():
    if not shutil.which("sipp"):
        raise Skip("sipp is not installed")
    async with Stage() as stage:
        process = await asyncio.create_subprocess_exec(
            "sipp", "-sn", "uac", f"{CONTROL}:5060", "-i", TRUNK, "-p", "5062", "-s", "+12025550100",
            "-r", "10", "-m", "60", "-d", "500", "-lost", "10", "-timeout", "60", "-nostdin",
            stdout=stage.log, stderr=stage.log, cwd=stage.directory)
        assert await process.wait() == 0, "sipp saw calls fail"
        await eventually("every contact to be gone", lambda: not stage.contacts(), 40)


async def test_a_phone_that_calls_from_another_port_is_challenged():
    """Behind NAT, or over a new connection: where it registered from is gone. Strangers meet 403."""
    async with Stage() as stage:
        phone = await stage.agent("arossi")
        for ip, status in ((phone.ip, b"401"), (STRANGER, b"403")):
            tcp = socket.create_connection((CONTROL, 5060), source_address=(ip, 0))
            tcp.settimeout(5)
            tcp.sendall(b"INVITE sip:100@%s SIP/2.0\r\n"
                        b"Via: SIP/2.0/TCP %s;branch=z9hG4bKport\r\n"
                        b"From: <sip:arossi@%s>;tag=1\r\nTo: <sip:100@%s>\r\nCall-ID: port\r\n"
                        b"CSeq: 1 INVITE\r\nContact: <sip:arossi@%s>\r\nContent-Length: 0\r\n\r\n"
                        % ((CONTROL.encode(), ip.encode()) + (CONTROL.encode(),) * 2 + (ip.encode(),)))
            assert tcp.recv(4000).startswith(b"SIP/2.0 " + status)
            tcp.close()


async def test_forged_messages_do_not_cut_off_a_phone():
    """Who floods from a phone's address silences nobody but strangers."""
    async with Stage() as stage:
        phone = await stage.agent("arossi", auto="answer")
        forger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        forger.bind((phone.ip, 0))
        for _ in range(200):
            forger.sendto(b"INVITE sip:1 SIP/2.0\r\nVia: SIP/2.0/UDP x\r\n\r\n", (CONTROL, 5060))
        call = await stage.dial(await stage.caller())
        await call.hears(phone.tone)
        assert await phone.register() == 200
        await call.hang_up()
