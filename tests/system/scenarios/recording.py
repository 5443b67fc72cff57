# SPDX-License-Identifier: Apache-2.0
"""Recordings, judged by ear: what each channel of the file holds, 20 ms at a time."""
import array
import asyncio
import math
import pathlib
import signal
import tempfile
import time
import wave

from board import board_stage, consult, talking
from sealed_input import KEY_ID, make_key
from stage import GREETING, Stage, action, eventually, flow, play, run
from told import Watcher

RATE = 8000
FRAME = 160  # samples of 20 ms
LOUD = 2000  # amplitude of a tone that is there; those of the ear have about 6000


def record(identifier, then, participants=("Agent", "Customer"), ivr=None):
    behavior = {"RecordedParticipants": list(participants)}
    if ivr:
        behavior["IVRRecordingBehavior"] = ivr
    return action(identifier, "UpdateContactRecordingBehavior", {"RecordingBehavior": behavior}, then)


def recorded(stage, **more):
    """The inbound flow of the stage records from the greeting on."""
    main = stage.flows["main"]
    main["Actions"].append(record("Record", main["StartAction"], **more))
    main["StartAction"] = "Record"
    return stage


def amplitude(samples, hz):
    turn = 2 * math.pi * hz / RATE
    a = sum(s * math.cos(turn * i) for i, s in enumerate(samples))
    b = sum(s * math.sin(turn * i) for i, s in enumerate(samples))
    return 2 * math.hypot(a, b) / len(samples)


class Tape:
    """A file as a player reads it. Channel 0 is the customer, channel 1 everybody else."""

    def __init__(self, path):
        with wave.open(str(path), "rb") as f:
            assert (f.getnchannels(), f.getsampwidth(), f.getframerate()) == (2, 2, RATE)
            samples = array.array("h", f.readframes(f.getnframes()))
        assert len(samples) % (2 * FRAME) == 0, "whole periods"
        self.channel = samples[0::2], samples[1::2]
        self.frames = len(samples) // 2 // FRAME
        self.bytes = pathlib.Path(path).stat().st_size
        assert self.bytes == 44 + 2 * len(samples), "the header says the length of the file"

    def frame(self, channel, n):
        return self.channel[channel][n * FRAME:(n + 1) * FRAME]

    def loud(self, channel, hz):
        """For each 20 ms whether the tone is there."""
        return [amplitude(self.frame(channel, n), hz) > LOUD for n in range(self.frames)]

    def seconds(self, channel, hz):
        return sum(self.loud(channel, hz)) / 50

    def silent(self, channel):
        """For each 20 ms whether every sample is 0."""
        return [not any(self.frame(channel, n)) for n in range(self.frames)]

    def gaps(self, channel):
        """Runs of frames that are nothing but zeros, between others: (first, frames)."""
        out, begin = [], None
        for n, silent in enumerate(self.silent(channel)):
            if silent and begin is None:
                begin = n
            elif not silent and begin is not None:
                out.append((begin, n - begin))
                begin = None
        return [gap for gap in out if gap[0]]


def phase(samples, hz):
    turn = 2 * math.pi * hz / RATE
    a = sum(s * math.cos(turn * i) for i, s in enumerate(samples))
    b = sum(s * math.sin(turn * i) for i, s in enumerate(samples))
    return math.atan2(b, a)


async def ear(call, verb):
    await call.phone.ear.command(f"{verb} {call.leg}")


async def finished(stage):
    await eventually("recordings to be finished", lambda: not any(
        (stage.directory / "store/recordings/unfinished").iterdir()))


async def tapes(stage, at_least=1):
    """Each complete record with the tapes that it names."""
    rows = await stage.records(at_least)
    await finished(stage)
    return [(row, [Tape(r["Location"]) for r in row["Recordings"] or []]) for row in rows]


def told(watcher):
    return [e for e in watcher.events("contact") if e["EventType"].startswith("RECORDING_")]


async def on_the_phone(stage):
    """A caller and arossi, who talk."""
    caller = await stage.caller()
    agent = await stage.agent("arossi")
    call = await stage.dial(caller)
    leg = await agent.incoming()
    await leg.answer()
    await stage.until_states("talking")
    await call.hears(agent.tone)
    await leg.hears(caller.tone)
    return call, leg


async def over(stage, call, leg):
    await call.hang_up()
    await leg.ended()
    stage.call("agent.clear", agent=leg.phone.user)


async def test_each_channel_holds_what_its_side_spoke():
    stage = recorded(Stage())
    async with stage:
        call, leg = await on_the_phone(stage)
        customer, agent = call.phone.tone, leg.phone.tone
        await asyncio.sleep(2)
        await over(stage, call, leg)
        ((row, (tape,)),) = await tapes(stage)
        (link,) = row["Recordings"]
        assert link["Status"] == "AVAILABLE" and link["ParticipantType"] == "ALL", link
        assert link["MediaStreamType"] == "AUDIO" and link["StorageType"] == "FILE", link
        assert link["StartTimestamp"] == row["Agent"]["ConnectedToAgentTimestamp"], row
        assert link["StopTimestamp"] == row["DisconnectTimestamp"], row
        assert row["Recording"]["Location"] == link["Location"], row
        assert pathlib.Path(link["Location"]).name == row["ContactId"] + ".wav"
        assert pathlib.Path(link["Location"]).stat().st_mode & 0o777 == 0o640
        assert tape.seconds(0, customer) > 1.8 and tape.seconds(1, agent) > 1.8
        assert tape.seconds(0, agent) == 0 and tape.seconds(1, customer) == 0
        # what was said before the agent was joined is not there
        assert tape.seconds(0, GREETING) == tape.seconds(1, GREETING) == 0


async def test_the_channels_are_aligned_within_one_tick():
    stage = recorded(Stage())
    async with stage:
        call, leg = await on_the_phone(stage)
        for _ in range(5):
            await asyncio.gather(ear(call, "mute"), ear(leg, "mute"))
            await asyncio.sleep(0.4)
            await asyncio.gather(ear(call, "unmute"), ear(leg, "unmute"))
            await asyncio.sleep(0.4)
        await over(stage, call, leg)
        ((_, (tape,)),) = await tapes(stage)

        def onsets(channel, hz):
            samples, out, quiet = tape.channel[channel], [], 0
            for i, s in enumerate(samples):
                if abs(s) < 500:
                    quiet += 1
                else:
                    if quiet > RATE // 4:
                        out.append(i)
                    quiet = 0
            return out
        left, right = onsets(0, call.phone.tone), onsets(1, leg.phone.tone)
        assert len(left) >= 3 and len(right) >= 3, (left, right)
        # a leg's packets may be held up on a busy machine: most of them are not
        apart = sorted(min(abs(a - b) for b in right) for a in left)
        assert apart[len(apart) // 2] <= FRAME, f"samples apart: {apart}"


async def test_a_held_customer_is_not_recorded_and_the_agent_is():
    stage = recorded(board_stage())
    async with stage:
        call, leg, _ = await talking(stage, others=())
        customer, agent = call.phone.tone, leg.phone.tone
        await asyncio.sleep(1)
        stage.call("contact.hold", agent="arossi", party="customer")
        await asyncio.sleep(1.5)
        stage.call("contact.resume", agent="arossi", party="customer")
        await leg.hears(customer)
        await asyncio.sleep(1)
        await over(stage, call, leg)
        ((_, (tape,)),) = await tapes(stage)
        (gap,) = [g for g in tape.gaps(0) if g[1] > 10]
        assert 70 <= gap[1] <= 110, gap
        held = slice(gap[0] + 2, gap[0] + gap[1] - 2)
        assert all(tape.loud(1, agent)[held]), "the agent speaks on"
        assert not any(tape.loud(0, customer)[held])
        assert all(tape.loud(0, customer)[gap[0] + gap[1] + 1:gap[0] + gap[1] + 20])


async def test_suspend_and_resume_leave_silence_of_that_length():
    stage = recorded(board_stage())
    async with stage:
        watcher = Watcher(stage, topics=["contact"])
        call, leg, _ = await talking(stage, others=())
        await asyncio.sleep(1)
        for _ in range(2):  # the wanted state is there already the second time
            answer = stage.call("contact.suspend_recording", agent="arossi")
        assert answer["contact"]["recording_suspended"] is True, answer
        await asyncio.sleep(1)
        stage.call("contact.resume_recording", agent="arossi")
        await asyncio.sleep(1)
        await over(stage, call, leg)
        ((row, (tape,)),) = await tapes(stage)
        events = told(watcher)
        assert [(e["EventType"], e["Reason"]) for e in events] == [
            ("RECORDING_STARTED", None), ("RECORDING_PAUSED", "REQUESTED"),
            ("RECORDING_RESUMED", None), ("RECORDING_ENDED", None)], events
        for e in events:
            assert e["ContactId"] == row["ContactId"], e
            assert e["Recording"]["Location"] == row["Recordings"][0]["Location"], e
            assert e["Recording"]["ParticipantType"] == "ALL", e
        (left,) = [g for g in tape.gaps(0) if g[1] > 10]
        assert left in tape.gaps(1), "both channels, the same periods"
        assert 40 <= left[1] <= 75, left
        # the tones go on where they are: time in the file is time
        for channel, hz in ((0, call.phone.tone), (1, leg.phone.tone)):
            before = phase(tape.frame(channel, left[0] - 5), hz)
            after = phase(tape.frame(channel, left[0] + left[1] + 5), hz)
            turn = math.remainder(after - before, 2 * math.pi)
            assert abs(turn) < 0.3, f"{hz} Hz is {turn:.2f} rad off after the gap"


async def test_a_conference_is_on_the_right_channel_and_a_transfer_records_for_itself():
    stage = recorded(board_stage())
    async with stage:
        call, source, (phone,) = await talking(stage)
        target = await consult(stage, call, source, phone, "B. Khan")
        stage.call("contact.join", agent="arossi")
        await call.hears(phone.tone)
        await asyncio.sleep(1)
        stage.call("contact.leave", agent="arossi")
        await source.ended()
        stage.call("agent.clear", agent="arossi")
        await asyncio.sleep(0.5)
        await call.hang_up()
        await target.ended()
        stage.call("agent.clear", agent="bkhan")
        rows = await tapes(stage, 2)
        first = next(t for r, t in rows if r["InitiationMethod"] == "INBOUND")
        second = next(r for r, t in rows if r["InitiationMethod"] == "TRANSFER")
        assert second["Recordings"] is None, "the transfer's flow sets nothing"
        (tape,) = first
        both = sum(a and b for a, b in zip(tape.loud(1, source.phone.tone), tape.loud(1, phone.tone)))
        assert both > 45, "both agents are on the right channel"
        assert tape.seconds(0, source.phone.tone) == tape.seconds(0, phone.tone) == 0
        assert tape.seconds(0, call.phone.tone) > 0.9
        assert tape.loud(1, source.phone.tone)[-5:] != [False] * 5, "it ends with the agent"


async def test_what_a_flow_leaves_out_is_not_recorded():
    for participants, silent in ((("Agent",), 0), (("Customer",), 1)):
        stage = recorded(Stage(), participants=participants)
        async with stage:
            call, leg = await on_the_phone(stage)
            await asyncio.sleep(1)
            await over(stage, call, leg)
            ((row, (tape,)),) = await tapes(stage)
            assert row["Recordings"][0]["ParticipantType"] == participants[0].upper()
            assert all(tape.silent(silent)) and not all(tape.silent(1 - silent))
    stage = recorded(Stage(), participants=())
    async with stage:
        call, leg = await on_the_phone(stage)
        await over(stage, call, leg)
        ((row, none),) = await tapes(stage)
        assert row["Recordings"] is None and row["Recording"] is None and not none


async def test_a_recording_that_cannot_be_written_is_no_link():
    async with recorded(Stage()) as stage:
        # Where the directory of the year should be is a file.
        (stage.directory / "store/recordings" / time.strftime("%Y", time.gmtime())).touch()
        watcher = Watcher(stage, topics=["contact"])
        call, leg = await on_the_phone(stage)
        await call.hang_up()
        await leg.ended()
        await watcher.until("contact", "the failure to be told",
                            lambda e: e["EventType"] == "RECORDING_FAILED")
        started, failed = told(watcher)
        assert (failed["Recording"]["Location"], failed["Reason"]) == (None, "Not a directory"), failed
        stage.call("agent.clear", agent="arossi")
        (row,) = await stage.records(1)
        assert row["Recordings"][0]["Location"] is None and row["Recordings"][0]["Status"] is None
        assert row["Recording"]["Status"] is None
        stage.log.flush()
        assert "Not a directory" in (stage.directory / "log").read_text()


async def test_secure_input_is_not_on_the_recording_of_what_the_flows_say():
    with tempfile.TemporaryDirectory() as where:
        _, certificate = make_key(pathlib.Path(where))
        stage = Stage()
        stage.flows["main"] = flow(
            "Main", "contactFlow", "Record", record("Record", "Greet", (), "Enabled"),
            play("Greet", "greeting", "Ask"),
            action("Ask", "GetParticipantInput",
                   {"PromptId": "beep", "StoreInput": "True", "InputTimeLimitSeconds": "10",
                    "InputValidation": {"CustomValidation": {"MaximumLength": "20"}},
                    "InputEncryption": {"EncryptionKeyId": KEY_ID, "Key": certificate}},
                   "Long", {"NoMatchingError": "Long"}),
            play("Long", "long", "End"), action("End", "DisconnectParticipant"))
        stage.instance["prompts"].append({"name": "long", "file": "tone:650:2500ms"})
        async with stage:
            call = await stage.dial(await stage.caller())
            await call.hears(1400)
            await call.digits("1234#")
            await call.ended(20)
            ((row, (tape,)),) = await tapes(stage)
            assert row["Recordings"][0]["ParticipantType"] == "IVR", row
            assert row["Recordings"][0]["Location"].endswith("_ivr.wav")
            assert tape.seconds(1, GREETING) > 0.4, "what the flow says is on the right"
            assert tape.seconds(1, 1400) == 0, "not while the flow takes the digits"
            (gap,) = [g for g in tape.gaps(0) if g[1] > 10]
            assert gap in tape.gaps(1) or tape.silent(1)[gap[0]], "both channels"
            assert gap[1] >= 50, "and a second more"
            assert all(tape.loud(0, call.phone.tone)[gap[0] + gap[1] + 1:gap[0] + gap[1] + 20])
            assert tape.seconds(1, 650) > 0.5, "the flow is heard again afterwards"


async def test_opus_in_ogg_holds_the_same():
    stage = recorded(Stage(recording__format="opus"))
    async with stage:
        call, leg = await on_the_phone(stage)
        await asyncio.sleep(2)
        await over(stage, call, leg)
        (row,) = await stage.records(1)
        await finished(stage)
        path = pathlib.Path(row["Recordings"][0]["Location"])
        assert path.suffix == ".opus"
        decoded = stage.directory / "decoded.wav"
        run("opusdec", "--quiet", "--rate", RATE, path, decoded)
        with wave.open(str(decoded), "rb") as f:
            samples = array.array("h", f.readframes(f.getnframes()))
        sides = samples[0::2], samples[1::2]
        tones = call.phone.tone, leg.phone.tone
        assert len(sides[0]) % FRAME == 0 and len(sides[0]) > 1.8 * RATE
        for side, own, other in ((0, *tones), (1, *reversed(tones))):
            middle = sides[side][RATE // 2:RATE + RATE // 2]
            assert amplitude(middle, own) > LOUD and amplitude(middle, other) < 100


async def test_a_killed_control_leaves_a_file_that_can_be_played():
    stage = recorded(Stage(recording__sync="1s"))
    async with stage:
        call, leg = await on_the_phone(stage)
        await asyncio.sleep(4)
        (row,) = stage.contacts()
        path = stage.call("contact.get", contact=row["id"])["recordings"][0]["location"]
        stage.kill("control")
        with wave.open(path, "rb") as f:
            assert f.getnframes() > RATE, "as it lies there"
        await stage.start_control()
        tape = Tape(path)  # repaired: the header says the length of the file
        assert tape.frames >= 100
        assert tape.seconds(0, call.phone.tone) > 1 and tape.seconds(1, leg.phone.tone) > 1
        await finished(stage)
        left = await stage.records(1)
        assert left[0]["Recordings"][0]["Location"] == path, left


async def test_a_control_that_stood_still_leaves_a_gap_to_the_sample():
    stage = recorded(Stage())
    async with stage:
        call, leg = await on_the_phone(stage)
        await asyncio.sleep(1.5)
        stage.processes["control"].send_signal(signal.SIGSTOP)
        await asyncio.sleep(7)  # longer than a tap is deep, and than a lease lives without a beat
        stage.processes["control"].send_signal(signal.SIGCONT)
        await eventually("the dataplane to be attached again",
                         lambda: stage.status()["dataplane"]["state"] == "up", 20)
        await asyncio.sleep(2)
        await over(stage, call, leg)
        ((_, (tape,)),) = await tapes(stage)
        (gap,) = [g for g in tape.gaps(0) if g[1] > 10]
        assert gap in tape.gaps(1)
        assert gap[1] > 50, gap
        for channel, hz in ((0, call.phone.tone), (1, leg.phone.tone)):
            before = phase(tape.frame(channel, gap[0] - 5), hz)
            after = phase(tape.frame(channel, gap[0] + gap[1] + 25), hz)
            turn = math.remainder(after - before, 2 * math.pi)
            assert abs(turn) < 0.3, f"{hz} Hz is {turn:.2f} rad off after the gap"
