# SPDX-License-Identifier: Apache-2.0
"""How good each leg sounds: on cordctl, on the Prometheus page, in the record; media that stays away."""
import asyncio
import re
import socket
import struct
import threading
import time
import urllib.request

from board import accept, board_stage
from leaving import nothing_left
from operating import cordctl
from stage import CONTROL, eventually
from told import Watcher

METRICS = f"{CONTROL}:9464"
NETWORK_S = 0.08  # there and back, for RTCP
PEER_LOST, PEER_JITTER_MS = 0.1, 25


class Reporter(threading.Thread):
    """The RTCP of a phone: answers each sender report of ours, and says how bad it hears us."""

    def __init__(self, ip, rtp_port, sequence):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ip, rtp_port + 1))
        self.sequence = sequence
        self.names, self.reports, self.goodbyes = set(), 0, 0
        self.start()

    def run(self):
        while True:
            packet, source = self.socket.recvfrom(2048)
            kinds, at = {}, 0
            while at < len(packet):
                kinds[packet[at + 1]] = packet[at:]
                at += 4 * (struct.unpack(">H", packet[at + 2:at + 4])[0] + 1)
            self.goodbyes += 203 in kinds
            self.names.add(kinds[202][10:10 + kinds[202][9]])
            if 200 not in kinds or 203 in kinds:
                continue
            ssrc, high, low = struct.unpack(">III", packet[4:16])
            sent = struct.unpack(">I", packet[20:24])[0]
            time.sleep(NETWORK_S)
            lost = int(sent * PEER_LOST)
            self.socket.sendto(struct.pack(
                ">BBHIIIIIII", 0x81, 201, 7, 77, ssrc, int(256 * PEER_LOST) << 24 | lost,
                self.sequence(), 8 * PEER_JITTER_MS, (high & 0xffff) << 16 | low >> 16, 0), source)
            self.reports += 1


def page():
    with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=5) as answer:
        return answer.read().decode()


def figure(text, name, **labels):
    """The value of a sample with these labels, among others."""
    found = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
             if re.match(rf"cordboard_{name}[ {{]", line)
             and all(f'{k}="{v}"' in line for k, v in labels.items())]
    assert len(found) == 1, (name, labels, found)
    return found[0]


def legs(stage):
    return {row["role"]: row for row in stage.call("quality.list")["legs"]}


async def test_a_call_over_a_bad_network_is_rated_where_anybody_looks():
    """5 % of the caller's packets are lost, the rest come up to 30 ms late; the agent's are fine."""
    async with board_stage(admin__metrics=METRICS) as stage:
        caller = await stage.caller()
        call = await stage.dial(caller)
        await call.answered()
        await stage.ear.command(f"set {call.leg} loss=50 jitter-ms=30")
        heard = {"sequence": 0}
        reporter = Reporter(caller.ip, call.port, lambda: heard["sequence"])
        phone = await stage.agent("arossi")
        leg = await accept(stage, phone)
        await leg.hears(caller.tone)
        contact = stage.contacts()[0]["id"]
        for _ in range(26):
            await asyncio.sleep(0.5)
            heard.update(await call.report())
        rows = legs(stage)
        customer, agent = rows["customer"], rows["agent"]
        assert 1 < customer["from"]["loss_percent"] < 12, customer
        assert 4 < customer["from"]["jitter_ms"] < 40, customer
        assert customer["from"]["mos"] < agent["from"]["mos"] - 0.1, rows
        assert agent["from"]["loss_percent"] == 0 and agent["from"]["mos"] > 4.2, agent
        # what the caller says of us
        assert 75 < customer["round_trip_ms"] < 200, customer
        assert 8 < customer["to"]["loss_percent"] < 12, customer
        assert customer["to"]["jitter_ms"] == PEER_JITTER_MS, customer
        assert customer["to"]["mos"] < 4, customer
        assert agent["to"] is agent["round_trip_ms"] is None, "its phone has no RTCP"
        assert (customer["side"], agent["side"]) == ("carrier", "agents")
        assert len(reporter.names) == 1 and all(len(n) == 16 for n in reporter.names)
        shown = cordctl(stage, "quality", contact).stdout.splitlines()
        assert len(shown) == 3 and "carrier" in shown[1] + shown[2], shown
        assert stage.call("contact.get", contact=contact)["legs"][0]["quality"]["from"]
        text = page()
        carrier = {"side": "carrier", "direction": "from"}
        assert figure(text, "leg_mos_count", **carrier) >= 2
        assert figure(text, "leg_loss_ratio_sum", **carrier) > 0.02
        assert figure(text, "leg_loss_ratio_sum", side="agents", direction="from") == 0
        assert figure(text, "leg_round_trip_seconds_sum", side="carrier") > 0.07
        assert figure(text, "legs_without_media") == 0
        await call.hang_up()
        await leg.ended()
        await eventually("a goodbye", lambda: reporter.goodbyes == 1)
        stage.call("agent.clear", agent="arossi")
        (record,) = await stage.records()
        metrics = record["QualityMetrics"]
        bad, good = metrics["Customer"]["Audio"], metrics["Agent"]["Audio"]
        assert bad["QualityScore"] < good["QualityScore"] - 0.1, metrics
        assert "HighPacketLoss" in bad["PotentialQualityIssues"], metrics
        assert good["PotentialQualityIssues"] == [], metrics
        assert 2 < bad["FromParticipant"]["PacketLossPercent"] < 9, metrics
        assert 8 < bad["ToParticipant"]["PacketLossPercent"] < 12, metrics
        assert bad["FromParticipant"]["MinimumQualityScore"] <= bad["FromParticipant"]["QualityScore"]
        assert 75 < bad["MaximumRoundTripMilliseconds"] < 300, metrics
        assert good["FromParticipant"]["PacketLossPercent"] == 0, metrics
        assert good["ToParticipant"] is None, metrics
        await nothing_left(stage)


async def test_media_that_stays_away_is_announced_and_ends_nothing():
    stage = board_stage(admin__metrics=METRICS)
    stage.instance["cordboard"]["trunks"][0]["media_timeout"] = "2s"
    async with stage:
        watcher = Watcher(stage, topics=["contact"])
        caller = await stage.caller()
        call = await stage.dial(caller)
        await call.answered()
        phone = await stage.agent("arossi")
        leg = await accept(stage, phone)
        await leg.hears(caller.tone)
        await stage.ear.command(f"hold {call.leg}")  # sends nothing, and nobody has said so
        lost = await watcher.until("contact", "the caller's media to be missed",
                                   lambda e: e["EventType"] == "MEDIA_LOST")
        assert lost["ParticipantRole"] == "CUSTOMER"
        assert legs(stage)["customer"]["media_lost"] and not legs(stage)["agent"]["media_lost"]
        assert figure(page(), "legs_without_media") == 1
        await stage.ear.command(f"resume {call.leg}")
        await watcher.until("contact", "the caller's media to be back",
                            lambda e: e["EventType"] == "MEDIA_BACK")
        assert not legs(stage)["customer"]["media_lost"]
        await leg.hears(caller.tone)
        # hold is said: nothing is missed
        await call.hold()
        await asyncio.sleep(3.5)
        assert [e["EventType"] for e in watcher.events("contact")].count("MEDIA_LOST") == 1
        assert figure(page(), "leg_media_lost_total", side="carrier") == 1
        await call.resume()
        await leg.hears(caller.tone)
        await call.hang_up()
        await leg.ended()
        stage.call("agent.clear", agent="arossi")
        await nothing_left(stage)
