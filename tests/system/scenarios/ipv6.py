# SPDX-License-Identifier: Apache-2.0
"""Signalling and media over IPv6, by ear: both legs of a call, or one of each family."""
from main_job import connect_legs, no_gaps
from stage import MEDIA, MEDIA6, TRUNK, TRUNK6, Stage, eventually

COURIER = "+12025550177"


def media_of(leg):
    """The address that our SDP named to this leg."""
    return leg.remote_sdp.ip


async def test_both_legs_over_ipv6():
    async with Stage(ipv6=True) as stage:
        caller = await stage.caller(ip=TRUNK6)
        phone = await stage.agent("arossi", ipv6=True)
        call, leg = await connect_legs(stage, caller, phone)
        assert media_of(call) == MEDIA6 and media_of(leg) == MEDIA6
        await call.digits("5")
        heard, other = await call.report(), await leg.report()
        no_gaps(heard)
        no_gaps(other)
        assert heard["from"].startswith(f"[{MEDIA6}]:"), heard["from"]
        counters = stage.counters()
        assert counters["tx_no_neighbor"] < 10, counters
        assert counters["rx_discovery"] > 0
        await eventually("RTCP over IPv6", lambda: stage.counters()["tx_rtcp"] > 0)
        await leg.hang_up()
        await call.ended()


async def test_a_trunk_of_ipv4_and_an_agent_of_ipv6():
    async with Stage(ipv6=True) as stage:
        caller = await stage.caller(ip=TRUNK)
        phone = await stage.agent("arossi", ipv6=True)
        call, leg = await connect_legs(stage, caller, phone)
        assert media_of(call) == MEDIA and media_of(leg) == MEDIA6
        no_gaps(await call.report())
        no_gaps(await leg.report())
        await call.hang_up()
        await leg.ended()


async def test_a_trunk_of_ipv6_over_tcp_and_an_agent_of_ipv4():
    async with Stage(ipv6=True) as stage:
        caller = await stage.caller(ip=TRUNK6, transport="tcp")
        phone = await stage.agent("arossi")
        call, leg = await connect_legs(stage, caller, phone)
        assert media_of(call) == MEDIA6 and media_of(leg) == MEDIA
        await leg.hang_up()
        await call.ended()


async def test_an_offer_of_ipv6_on_signalling_of_ipv4():
    """The SDP says where media goes, not the signalling."""
    async with Stage(ipv6=True) as stage:
        caller = await stage.caller(ip=TRUNK, media_ip=TRUNK6)
        phone = await stage.agent("arossi")
        call, leg = await connect_legs(stage, caller, phone)
        assert media_of(call) == MEDIA6 and media_of(leg) == MEDIA


async def test_a_number_over_a_trunk_of_ipv6():
    stage = Stage(ipv6=True)
    stage.instance["cordboard"]["number_plan"]["routes"] = [{"prefix": "+1", "trunks": ["carrier6"]}]
    async with stage:
        far = await stage.phone("carrier", TRUNK6, port=5060)
        phone = await stage.agent("arossi")
        leg = await stage.dial(phone, COURIER)
        other = await far.incoming()
        await other.answer()
        await leg.hears(far.tone)
        await other.hears(phone.tone)
        assert media_of(other) == MEDIA6 and media_of(leg) == MEDIA


async def test_an_offer_of_a_family_that_media_lacks_is_refused():
    async with Stage() as stage:
        caller = await stage.caller(media_ip="::1")
        call = await stage.dial(caller)
        assert await call.final() == 488
        stage.log.flush()
        assert "has media over IPv6, and no media-address" in (stage.directory / "log").read_text()
