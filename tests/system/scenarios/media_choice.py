# SPDX-License-Identifier: Apache-2.0
"""What is agreed on with trunks and phones that say what their media are: codecs and whose order
counts, keys that must, may or must not be there, keys by INFO. By what each side's SDP says, and by
ear where there is a call."""
import json

from operating import cordctl
from sealed_input import DIGITS, log_of
from stage import GREETING, Stage, action, flow, user

AVP, SAVP = "RTP/AVP", "RTP/SAVP"
GCM_FIRST = ["AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_256_CM_HMAC_SHA1_80",
             "AES_CM_128_HMAC_SHA1_80"]


def media_stage(trunk=None, phone=None, **everybody):
    """A stage whose trunk and whose first agent's phone say this of their media."""
    stage = Stage()
    stage.instance["cordboard"]["trunks"][0].update(trunk or {})
    stage.instance["cordboard"]["media"].update(everybody)
    first = user("arossi", "ring")
    first["phone"].update(phone or {})
    stage.instance["agents"][0] = first
    return stage


async def connected(stage, caller=None, phone=None):
    """A caller and the first agent, who talk: both calls."""
    customer = await stage.caller(**(caller or {}))
    agent = await stage.agent("arossi", **(phone or {}))
    call = await stage.dial(customer)
    leg = await agent.incoming()
    await leg.answer()
    await call.answered()
    await call.hears(agent.tone)
    await leg.hears(customer.tone)
    return call, leg


def offered(leg):
    """The codecs of an offer of ours, in its order."""
    return [leg.remote_sdp.maps[p] for p in leg.remote_sdp.payload_types
            if leg.remote_sdp.maps[p] not in ("telephone-event", "cn")]


# ---- codecs --------------------------------------------------------------------------------------

async def test_each_trunk_and_phone_has_codecs_of_its_own():
    async with media_stage(trunk={"codecs": ["pcma"]}, phone={"codecs": ["pcmu"], "ptime": 30},
                           codecs=["PCMA", "PCMU"], ptime=40) as stage:
        call, leg = await connected(stage)
        assert call.codec[0] == "pcma" and call.remote_sdp.ptime == 40, call.remote_sdp.text
        assert offered(leg) == ["pcmu"] and leg.remote_sdp.ptime == 30, leg.remote_sdp.text
        refused = await stage.dial(await stage.caller("+12025550198", codecs=["pcmu"]))
        assert await refused.final() == 488


async def test_the_order_that_counts_is_ours_or_the_peers():
    for prefer, expected in (("ours", "pcma"), ("theirs", "pcmu")):
        async with media_stage(trunk={"codecs": ["pcma", "pcmu"], "prefer": prefer}) as stage:
            call = await stage.dial(await stage.caller(codecs=["pcmu", "pcma"]))
            await call.hears(GREETING)
            assert call.codec[0] == expected


async def test_a_call_goes_on_through_every_change_of_codec():
    """Re-INVITEs of both sides, each with what only it wants; who talks is heard after each."""
    async with media_stage() as stage:
        call, leg = await connected(stage)
        for codecs, ptime in ((["pcma"], 30), (["pcmu"], 10), (["pcma", "pcmu"], 60)):
            for one, other in ((call, leg), (leg, call)):
                since = len(stage.ear.events)
                assert await one.renew(codecs=codecs, ptime=ptime) == 200
                await one.tone(1950)
                await other.hears(1950, since=since)
                await one.tone(one.phone.tone)
                await other.hears(one.phone.tone, since=since)
        # What we do not have is refused, and the call stays as it was.
        before = call.remote_sdp.text
        call.phone.codecs = ["opus"]
        assert await call.reinvite() == 488
        assert call.remote_sdp.text == before
        since = len(stage.ear.events)
        await call.tone(1950)
        await leg.hears(1950, since=since)


# ---- keys ----------------------------------------------------------------------------------------

async def test_a_caller_gets_in_with_what_its_trunk_takes():
    """Each way of a trunk with each way of a caller."""
    expected = {("off", "off"): AVP, ("off", "optional"): AVP, ("off", "required"): None,
                ("optional", "off"): AVP, ("optional", "optional"): AVP,
                ("optional", "required"): SAVP, ("required", "off"): None,
                ("required", "optional"): None, ("required", "required"): SAVP}
    for (ours, theirs), protocol in expected.items():
        async with media_stage(trunk={"srtp": ours}) as stage:
            call = await stage.dial(await stage.caller(srtp=theirs, suites=GCM_FIRST[::-1]))
            if protocol is None:
                assert await call.final() == 488, (ours, theirs)
                continue
            await call.hears(GREETING)
            assert call.remote_sdp.protocol == protocol, (ours, theirs)
            # The peer's order does not count.
            suites = [] if "off" in (ours, theirs) else GCM_FIRST[:1]
            assert [suite for _, suite, _ in call.remote_sdp.crypto] == suites, (ours, theirs)


async def test_a_key_of_the_peers_is_new_and_ours_stays():
    keys = {"srtp": "optional", "suites": ["AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"]}
    async with media_stage(trunk={"srtp": "optional"}, phone={"srtp": "optional"}) as stage:
        call, leg = await connected(stage, keys, keys)
        for one in (call, leg):
            before = one.security
            one.keys.clear()
            since = len(stage.ear.events)
            assert await one.renew(ptime=30) == 200
            assert one.security == before
            await one.tone(1950)
            await (leg if one is call else call).hears(1950, since=since)
            await one.tone(one.phone.tone)
        assert (await call.report())["unprotected"] == 0


async def test_our_offer_to_a_phone_has_the_keys_that_it_may_have():
    for ours, protocol, suites in (("off", AVP, []), ("optional", AVP, GCM_FIRST),
                                   ("required", SAVP, GCM_FIRST)):
        async with media_stage(phone={"srtp": ours}) as stage:
            agent = await stage.agent("arossi")
            call = await stage.dial(await stage.caller())
            leg = await agent.incoming()
            await leg.apply(leg.invite.body)
            sdp = leg.remote_sdp
            assert sdp.protocol == protocol, sdp.text
            assert [suite for _, suite, _ in sdp.crypto] == suites, sdp.text
            assert len({key for _, _, key in sdp.crypto}) == len(suites)
            await leg.answer()
            if ours == "required":
                # This phone has no keys: it said 488, and the caller waits for another agent.
                assert leg.state == "ended"
                await stage.until_states("queued")
            else:
                await leg.hears(call.phone.tone)


async def test_no_key_is_in_a_log_or_a_trace():
    async with media_stage(trunk={"srtp": "optional"}, phone={"srtp": "optional"}) as stage:
        call, leg = await connected(stage)
        secret = [key for _, _, key in leg.remote_sdp.crypto]
        assert len(secret) == len(GCM_FIRST)
        # A key of the peer's, in an offer that is refused and in one that is ignored.
        call.phone.srtp = "required"
        call.phone.suites = ["AES_CM_128_HMAC_SHA1_32"]
        offer = call.describe("sendrecv").replace("HMAC_SHA1_32", "HMAC_SHA1_16")
        refused = await call.phone.ask(call.make("INVITE", offer), call.where())
        assert refused.status == 488
        secret.append(call.key("AES_CM_128_HMAC_SHA1_32"))
        contact = next(c["id"] for c in stage.contacts())
        seen = json.dumps(stage.call("call.trace", contact=contact))
        assert "inline:xxxx" in seen and "AEAD_AES_256_GCM" in seen
        seen += log_of(stage) + cordctl(stage, "trace", contact, "--messages").stdout
        for key in secret:
            assert key not in seen and key[:16] not in seen


# ---- keys of the keypad by INFO ------------------------------------------------------------------

def asking():
    return flow("Main", "contactFlow", "Ask",
                action("Ask", "GetParticipantInput",
                       {"PromptId": "greeting", "StoreInput": "True", "InputTimeLimitSeconds": "5",
                        "InputValidation": {"CustomValidation": {"MaximumLength": "20"}}},
                       "Keep", {"NoMatchingError": "End"}),
                action("Keep", "UpdateContactAttributes",
                       {"Attributes": {"typed": "$.StoredCustomerInput"}}, "End",
                       {"NoMatchingError": "End"}),
                action("End", "DisconnectParticipant"))


async def typed(stage, call):
    await call.ended(20)
    return (await stage.records(1))[0]["Attributes"]["typed"]


async def test_keys_by_info_count_where_no_telephone_event_was_agreed_on():
    for form in ("dtmf-relay", "dtmf"):
        stage = Stage()
        stage.flows["main"] = asking()
        async with stage:
            call = await stage.dial(await stage.caller(events=False))
            await call.hears(GREETING)
            for key in DIGITS + "#":
                assert await call.info(key, form) == 200
            assert await typed(stage, call) == DIGITS


async def test_keys_in_the_sound_count_where_no_telephone_event_was_agreed_on():
    stage = Stage()
    stage.flows["main"] = asking()
    async with stage:
        call = await stage.dial(await stage.caller(events=False))
        await call.hears(GREETING)
        await call.digits(DIGITS + "#")
        assert await typed(stage, call) == DIGITS


async def test_keys_by_info_beside_telephone_events_count_once():
    stage = Stage()
    stage.flows["main"] = asking()
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        for key in "1122#":
            assert await call.info(key) == 200
            await call.digits(key)
        assert await typed(stage, call) == "1122"
