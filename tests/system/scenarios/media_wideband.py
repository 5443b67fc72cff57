# SPDX-License-Identifier: Apache-2.0
"""Calls in which not everybody speaks G.711, by ear: who hears whom is as ever."""
import asyncio
import time

from board import accept, board_stage, hears_now
from media_choice import asking, connected, media_stage, typed
from sealed_input import DIGITS
from stage import GREETING, MEDIA6, eventually


def says(stage, agent, **media):
    """The agent's phone says this of its media."""
    next(a for a in stage.instance["agents"] if a["user"] == agent)["phone"].update(media)


async def test_a_g711_trunk_an_opus_agent_with_srtp_and_a_g722_supervisor_over_ipv6_confer():
    stage = board_stage(ipv6=True)
    says(stage, "arossi", codecs=["opus", "pcmu"], srtp="required")
    says(stage, "eboss", codecs=["g722"])
    async with stage:
        caller = await stage.caller()
        phone = await stage.agent("arossi", codecs=["opus"], srtp="required",
                                  suites=["AEAD_AES_256_GCM"])
        boss = await stage.agent("eboss", status=None, ipv6=True, codecs=["g722"])
        call = await stage.dial(caller)
        await call.answered()
        agent = await accept(stage, phone)
        await hears_now({call: {phone.tone}, agent: {caller.tone}}, settle=1.5)
        assert (call.codec[0], agent.codec[0]) == ("pcmu", "opus")
        assert agent.security[1] == "AEAD_AES_256_GCM"
        stage.call("contact.monitor", supervisor="eboss", agent="arossi")
        ear = await boss.incoming()
        await ear.answer()
        assert ear.codec[0] == "g722" and ear.remote_sdp.ip == MEDIA6
        await hears_now({call: {phone.tone}, agent: {caller.tone}, ear: {caller.tone, phone.tone}})
        stage.call("contact.coach", supervisor="eboss", agent="arossi")
        await hears_now({call: {phone.tone}, agent: {caller.tone, boss.tone},
                         ear: {caller.tone, phone.tone}})
        stage.call("contact.barge", supervisor="eboss", agent="arossi")
        await hears_now({call: {phone.tone, boss.tone}, agent: {caller.tone, boss.tone},
                         ear: {caller.tone, phone.tone}})
        assert (await agent.report())["unprotected"] == 0


async def test_codecs_change_in_a_call_from_each_to_each():
    every = ["pcmu", "opus", "pcma", "g722"]
    async with media_stage(trunk={"codecs": every}, phone={"codecs": every}) as stage:
        call, leg = await connected(stage, {"codecs": every}, {"codecs": every})
        customer, agent = call.phone.tone, leg.phone.tone
        for one, other in (("opus", "pcmu"), ("opus", "opus"), ("g722", "opus"), ("g722", "g722"),
                           ("pcma", "g722"), ("pcmu", "pcmu")):
            for side, codec in ((call, one), (leg, other)):
                assert await side.renew(codecs=[codec]) == 200
                assert side.codec[0] == codec
            await hears_now({call: {agent}, leg: {customer}}, settle=0.8)


async def test_keys_of_an_opus_caller_are_counted_by_their_own_clock():
    stage = media_stage(trunk={"codecs": ["opus"]})
    stage.flows["main"] = asking()
    async with stage:
        call = await stage.dial(await stage.caller(codecs=["opus"]))
        await call.hears(GREETING)
        assert call.remote_sdp.clocks[call.remote_sdp.event(48000)] == 48000
        await call.digits(DIGITS + "#")
        assert await typed(stage, call) == DIGITS


async def frames(stage):
    """Packets of Opus passed on and frames coded, of what two members of Opus are sent in a second."""
    before, begun = stage.counters(), time.monotonic()
    await asyncio.sleep(1)
    after, periods = stage.counters(), (time.monotonic() - begun) * 50
    return tuple(round((after[name] - before[name]) / periods)
                 for name in ("frames_passed", "frames_coded"))


async def test_opus_is_passed_on_and_mixed_while_a_third_talks():
    stage = board_stage()
    stage.instance["cordboard"]["trunks"][0]["codecs"] = ["opus"]
    says(stage, "arossi", codecs=["opus"])
    says(stage, "eboss", codecs=["opus"])
    async with stage:
        caller = await stage.caller(codecs=["opus"])
        phone = await stage.agent("arossi", codecs=["opus"])
        boss = await stage.agent("eboss", status=None, codecs=["opus"])
        call = await stage.dial(caller)
        await call.answered()
        agent = await accept(stage, phone)
        two = {call: {phone.tone}, agent: {caller.tone}}
        await hears_now(two, settle=1.5)
        assert await frames(stage) == (2, 0)
        stage.call("contact.monitor", supervisor="eboss", agent="arossi")
        ear = await boss.incoming()
        await ear.answer()
        await hears_now({**two, ear: {caller.tone, phone.tone}})
        assert await frames(stage) == (2, 1)
        stage.call("contact.barge", supervisor="eboss", agent="arossi")
        await hears_now({call: {phone.tone, boss.tone}, agent: {caller.tone, boss.tone},
                         ear: {caller.tone, phone.tone}})
        assert await frames(stage) == (0, 3)
        await ear.hang_up()
        await hears_now(two, settle=0.5)
        # In 5 s at the latest: these tones make no pause to switch in.
        passed = stage.counters()["frames_passed"]
        await eventually("passed on", lambda: stage.counters()["frames_passed"] > passed + 20)
        assert await frames(stage) == (2, 0)
