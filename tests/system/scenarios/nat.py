# SPDX-License-Identifier: Apache-2.0
"""Peers behind NAT, and attackers on live media ports: RTP bleed, RTP inject and a flood of junk.

Nothing is sent to a foreign address and nothing of one is heard, whether the leg may learn or not.
"""
import asyncio
import re
import socket
import struct
import time

import stage as stage_module
from main_job import connect_legs, never, no_gaps
from stage import MEDIA, STRANGER, TRUNK, Stage, alone, eventually

PRIVATE = "192.168.77.1"  # what a peer behind NAT takes for its address
FOREIGN_HZ = 2000
FLOOD_S, FLOOD_RATE = 2, 100000


def nat_stage(nat):
    stage = Stage()
    stage.instance["cordboard"]["trunks"][0]["nat"] = nat
    return stage


# 160 samples, two up and two down: a loud tone of 2000 Hz, which the ear knows.
FOREIGN = b"\x10\x10\x90\x90" * 40


class Attacker:
    """Sends RTP, RTCP and junk to media ports from an address of its own, and counts what it gets."""

    def __init__(self, ports, to=MEDIA):
        self.ports, self.to, self.got, self.sent = ports, to, 0, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((STRANGER, 0))
        self.socket.setblocking(False)

    def send(self, n):
        rtp = struct.pack(">BBHII", 0x80, 0, n & 0xffff, 160 * n, 0x66666666) + FOREIGN
        rtcp = struct.pack(">BBHI", 0x80, 201, 1, 0x66666666)
        for port in self.ports:
            for to, packet in ((port, rtp), (port, bytes(12)), (port + 1, rtcp), (port, rtcp)):
                self.socket.sendto(packet, (self.to, to))
                self.sent += 1
        self.receive()

    def receive(self):
        try:
            while self.socket.recv(2048):
                self.got += 1
        except BlockingIOError:
            pass

    async def attack(self, seconds):
        """50 packets a second of each kind to each port, as sippts rtpbleedinject sends them."""
        begun, n = time.monotonic(), 0
        while time.monotonic() - begun < seconds:
            self.send(n)
            n += 1
            await asyncio.sleep(max(0, begun + n * 0.02 - time.monotonic()))


def port_of(leg):
    return leg.remote_sdp.port


def media_of(stage, role):
    contact = stage.call("contact.get", contact=stage.contacts()[0]["id"])
    return next(leg["media"] for leg in contact["legs"] if leg["role"] == role)


async def attacked(stage, call, leg, seconds=2.0):
    """Both ports of a call are attacked: both parties go on as if nothing was."""
    attacker = Attacker([port_of(call), port_of(leg)])
    before = stage.counters()["drop_source"]
    await attacker.attack(seconds)
    assert attacker.got == 0, f"{attacker.got} packets went to a foreign address"
    assert stage.counters()["drop_source"] - before >= attacker.sent / 2
    for party in (call, leg):
        report = await party.report()
        never(report, FOREIGN_HZ)
        no_gaps(report)


async def test_a_strict_leg_bleeds_nothing_and_takes_nothing_in():
    async with Stage() as stage:
        caller, phone = await stage.caller(), await stage.agent("arossi")
        call, leg = await connect_legs(stage, caller, phone)
        await attacked(stage, call, leg)
        assert media_of(stage, "customer")["learned"] is None
        # The ear would have known the attacker's sound.
        port = (await stage.ear.command(f"leg victim {TRUNK} 0 0"))["port"]
        await Attacker([port], to=TRUNK).attack(1.0)
        heard = (await stage.ear.report("victim"))["heard"]
        assert [h for h in heard if h["hz"] == FOREIGN_HZ and h["frames"] > 40], heard


async def test_a_caller_behind_nat_is_heard_where_it_is():
    async with nat_stage("learn") as stage:
        caller = await stage.caller(said_ip=PRIVATE)
        phone = await stage.agent("arossi")
        call, leg = await connect_legs(stage, caller, phone)
        assert media_of(stage, "customer")["learned"].startswith(TRUNK + ":")
        # RTCP of ours comes to the learnt address too, and a late attacker changes nothing
        await attacked(stage, call, leg)
        assert media_of(stage, "customer")["learned"].startswith(TRUNK + ":")
        assert media_of(stage, "agent")["learned"] is None


async def test_a_leg_that_may_not_learn_does_not():
    async with nat_stage("off") as stage:
        caller = await stage.caller(said_ip=PRIVATE)
        call = await stage.dial(caller)
        await call.answered()
        await eventually("its packets to be dropped",
                         lambda: stage.counters()["drop_source"] > 20)
        report = await call.report()
        assert report["received"] == 0, report


@alone
async def test_a_flood_of_junk_costs_calls_nothing():
    async with Stage() as stage:
        caller, phone = await stage.caller(), await stage.agent("arossi")
        call, leg = await connect_legs(stage, caller, phone)
        first = min(port_of(call), port_of(leg))
        before = stage.counters()
        flood = await asyncio.create_subprocess_exec(
            str(stage_module.BUILDS.flood), STRANGER, MEDIA, str(first), "4", str(FLOOD_S),
            str(FLOOD_RATE), stdout=asyncio.subprocess.PIPE)
        said = (await flood.communicate())[0].decode()
        after = stage.counters()
        dropped = sum(after[name] - before[name] for name in after if name.startswith("drop_"))
        print(f"flood: {said.strip()}; {dropped} of them judged")
        assert flood.returncode == 0
        sent = int(re.match(r"(\d+) packets", said).group(1))
        assert dropped > 0.5 * sent, (dropped, sent)
        for party, tone in ((call, phone.tone), (leg, caller.tone)):
            report = await party.report()
            never(report, FOREIGN_HZ)
            assert report["longest_pause_ms"] < 200, report
            assert report["missing"] <= 2, report
            heard = [h for h in report["heard"] if h["hz"] == tone]
            assert sum(h["breaks"] for h in heard) <= 5, report
