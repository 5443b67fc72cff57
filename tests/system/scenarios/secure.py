# SPDX-License-Identifier: Apache-2.0
"""Encrypted calls, by ear: every suite both ways, hold and resume, somebody who knows all but the
keys, and no way back to plain RTP."""
import asyncio

from media_choice import connected, media_stage
from sealed_input import log_of
from stage import GREETING, eventually

PAIRS = (("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"),
         ("AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80"),
         ("AES_256_CM_HMAC_SHA1_32", "AEAD_AES_128_GCM"))
STRANGER = 1950


def secure_stage():
    return media_stage(trunk={"srtp": "optional"}, phone={"srtp": "required"})


async def talk(stage, one="AEAD_AES_128_GCM", other="AES_CM_128_HMAC_SHA1_80"):
    """A caller and an agent who talk, each with keys of a suite of its own."""
    return await connected(stage, {"srtp": "required", "suites": [one]},
                           {"srtp": "required", "suites": [other]})


async def hear_each_other(stage, call, leg):
    """From now on, and nothing that they are sent is of another key."""
    for one in (call, leg):
        await stage.ear.command(f"clear {one.leg}")
    since = len(stage.ear.events)
    await call.hears(leg.phone.tone, since=since)
    await leg.hears(call.phone.tone, since=since)
    for one in (call, leg):
        report = await one.report()
        assert report["unprotected"] == 0, report


def dropped(stage, why):
    return stage.call("dataplane.stats")["sum"][why]


async def test_every_suite_is_heard_both_ways():
    for one, other in PAIRS:
        async with secure_stage() as stage:
            call, leg = await talk(stage, one, other)
            assert (call.security[1], leg.security[1]) == (one, other)
            await hear_each_other(stage, call, leg)
            assert dropped(stage, "drop_srtp_auth") == dropped(stage, "drop_srtp_replay") == 0
            assert stage.status()["dataplane"]["srtp"].startswith(("libsrtp", "ipsec-mb"))


async def test_plain_and_encrypted_talk():
    async with media_stage(phone={"srtp": "required"}) as stage:
        call, leg = await connected(stage, phone={"srtp": "required"})
        assert call.security is None and leg.security
        await hear_each_other(stage, call, leg)


async def test_hold_and_resume_keep_the_keys():
    async with secure_stage() as stage:
        call, leg = await talk(stage)
        for one in (call, leg, call):
            ssrc_changes = (await one.report())["ssrc_changes"]
            _, *keys = one.security
            assert await one.hold() == 200
            await asyncio.sleep(1)
            assert await one.resume() == 200
            assert one.security[1:] == tuple(keys)
            await hear_each_other(stage, call, leg)
            assert (await one.report())["ssrc_changes"] == ssrc_changes
        assert dropped(stage, "drop_srtp_auth") == 0


async def test_who_has_no_key_is_not_heard():
    """From the caller's own address, numbered as its packets would be, while it is quiet."""
    async with secure_stage() as stage:
        call, leg = await talk(stage)
        await stage.ear.command(f"hold {call.leg}")
        await asyncio.sleep(1)
        await stage.ear.command(f"clear {leg.leg}")
        auth, replay = dropped(stage, "drop_srtp_auth"), dropped(stage, "drop_srtp_replay")
        for how in ("plain", "forged", "replayed"):
            await stage.ear.command(f"attack {call.leg} {how} 50 {STRANGER}")
            await asyncio.sleep(0.3)
        await asyncio.sleep(1)
        report = await leg.report()
        assert not report["heard"], report
        assert dropped(stage, "drop_srtp_auth") - auth == 100
        assert dropped(stage, "drop_srtp_replay") - replay == 50
        await stage.ear.command(f"resume {call.leg}")
        await hear_each_other(stage, call, leg)


async def test_plain_rtp_never_replaces_keys():
    async with secure_stage() as stage:
        call, leg = await talk(stage)
        for one in (call, leg):
            assert await one.reinvite(plain=True) == 488
            await hear_each_other(stage, call, leg)
        assert dropped(stage, "drop_srtp_auth") == 0


async def outlive_sequence_numbers(stage, *calls):
    """Their sequence numbers begin anew at least once, as they do every 22 minutes."""
    for _ in range(3):
        for one in calls:
            await stage.ear.command(f"jump {one.leg} 30000 {30000 * 160}")
        await asyncio.sleep(0.5)


async def restart_dataplane(stage):
    stage.kill("dataplane")
    await eventually("control to notice", lambda: stage.status()["dataplane"]["state"] == "down")
    await stage.start_dataplane()


async def test_calls_get_new_keys_when_the_dataplane_is_restarted():
    async with secure_stage() as stage:
        call, leg = await talk(stage)
        await outlive_sequence_numbers(stage, call, leg)
        await hear_each_other(stage, call, leg)
        before = [(dict(one.keys), one.security[2]) for one in (call, leg)]
        await restart_dataplane(stage)
        for one, (ours, theirs) in zip((call, leg), before):
            await one.until(lambda: one.history[-1][1] == "acknowledged" and
                            one.security[2] != theirs, "no new keys")
            assert one.keys.keys() == ours.keys() and one.keys != ours
        await hear_each_other(stage, call, leg)
        assert "is not heard any more" not in log_of(stage)


async def test_a_key_that_is_kept_when_the_dataplane_is_restarted_is_told_of():
    async with media_stage(trunk={"srtp": "optional"}) as stage:
        call, leg = await connected(stage, {"srtp": "required", "rekeys": False})
        theirs = call.security[2]
        invites = [what for _, what in leg.history].count("re-invite")
        await restart_dataplane(stage)
        await call.until(lambda: call.history[-1][1] == "acknowledged" and
                         call.security[2] != theirs, "no new key")
        await hear_each_other(stage, call, leg)
        await eventually("the log to say so",
                         lambda: "the customer keeps its SRTP key: " in log_of(stage))
        assert [what for _, what in leg.history].count("re-invite") == invites == 0


async def test_a_call_that_is_encrypted_hears_the_flow():
    async with media_stage(trunk={"srtp": "required"}) as stage:
        call = await stage.dial(await stage.caller(srtp="required"))
        await call.hears(GREETING)
        assert call.security
