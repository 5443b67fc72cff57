# SPDX-License-Identifier: Apache-2.0
"""Sounds that flows name by URI."""
import math
import struct
import wave

from stage import FULL, Stage, action, flow, play

HZ = 1250
WELCOME = "s3://prompts/en/welcome.wav"


def write_tone(path, hz):
    path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(2 * math.pi * hz * n / 16000)))
                                  for n in range(16000)))


def playing(uri):
    """Plays a sound by URI, in the words of a real export; the error branch is another tone."""
    return flow("Main", "contactFlow", "Name",
                action("Name", "UpdateContactAttributes", {"Attributes": {"sound": WELCOME}},
                       "Say", {"NoMatchingError": "End"}),
                action("Say", "MessageParticipant",
                       {"Media": {"Uri": uri, "SourceType": "S3", "MediaType": "Audio"}}, "End",
                       {"NoMatchingError": "Failed"}),
                play("Failed", "full", "End"), action("End", "DisconnectParticipant"))


async def heard(uri, **options):
    """The tones that a caller hears, and the log."""
    stage = Stage(**options)
    write_tone(stage.directory / "sounds" / "prompts" / "en" / "welcome.wav", HZ)
    (stage.directory / "sounds" / "prompts" / "text.wav").write_text("no sound")
    (stage.directory / "sounds" / "prompts" / "out.wav").symlink_to("/etc/passwd")
    stage.instance["cordboard"]["media"]["files"] = str(stage.directory / "sounds")
    stage.flows["main"] = playing(uri)
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.ended(20)
        tones = {h["hz"] for h in (await call.report())["heard"]}
        stage.log.flush()
        return tones, (stage.directory / "log").read_text(encoding="utf-8")


async def test_a_flow_plays_a_file_of_the_media_directory():
    for uri in (WELCOME, "$.Attributes.sound"):
        tones, _ = await heard(uri)
        assert tones == {HZ}, (uri, tones)


async def test_what_cannot_be_played_takes_the_error_branch():
    for uri, why in (("s3://prompts/en/none.wav", "No such file"),
                     ("s3://prompts/text.wav", "prompts/text.wav"),
                     ("s3://prompts/out.wav", "a link leads out"),
                     ("s3://prompts/../../log", "expected s3://BUCKET/KEY"),
                     ("https://example.net/welcome.wav", "expected s3://BUCKET/KEY")):
        tones, log = await heard(uri)
        assert tones == {FULL}, (uri, tones)
        assert why in log, (uri, why)
