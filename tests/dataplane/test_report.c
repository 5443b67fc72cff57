/* SPDX-License-Identifier: Apache-2.0 */
/* How good a port's streams are: RTCP both ways, and media that does not come. */
#include "rig.h"

#include "packet.h"

#include <cordboard/rating.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct cord_port_status status(const struct rig *r, uint32_t slot)
{
	struct cord_port_status s;

	port_status_write(r->dp.worker[0], &r->dp.port[slot]);
	assert_true(cord_port_status_read(&r->dp.port_status[slot], &s));
	return s;
}

/* Two ports in a room, of which the first has the terms. */
static struct rig *call(const struct cord_terms *terms)
{
	struct rig *r = rig_create(1);
	const uint32_t slots[] = {0, 1};
	const uint16_t hears[] = {2, 1};
	struct cord_message m;

	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_PCMU), 0);
	m = (struct cord_message){.port_set = {.port = rig_port(r, 0), .terms = *terms}};
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_set(r, 0, 0, 2, slots, hears), 0);
	return r;
}

static struct cord_terms ordinary(void)
{
	return rig_terms(0, CORD_CODEC_PCMU);
}

static void change(struct rig *r, const struct cord_terms *terms)
{
	struct cord_message m = {.port_set = {.port = rig_port(r, 0), .terms = *terms}};

	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
}

/* Runs until the port has sent one more report; how long it took. */
static uint32_t until_report(struct rig *r, uint32_t slot, struct rtcp_summary *s)
{
	struct rig_heard *h = &r->heard[slot];
	uint32_t before = h->rtcp, ms = 0;

	while (h->rtcp == before) {
		assert_true(ms++ < 10000);
		rig_run(r, 1);
	}
	assert_int_equal(rtcp_parse(h->last_rtcp, h->last_rtcp_bytes, 0x5000 + slot, s), 0);
	return ms;
}

/* What a peer that hears us says. */
static void peer_report(struct rig *r, struct rtcp_report report)
{
	uint8_t packet[RTCP_WRITE_MAX];
	int bytes;

	if (report.ssrc == 0)
		report.ssrc = 0x5000;
	report.cname = "peer";
	bytes = rtcp_write(packet, sizeof(packet), &report);
	assert_true(bytes > 0);
	rig_rtcp(r, 0, packet, (uint16_t)bytes);
}

/* A report block about what we sent so far. */
static struct rtcp_block block(const struct rig *r)
{
	return (struct rtcp_block){.ssrc = r->dp.port[0].ssrc, .highest = r->heard[0].sequence};
}

static void a_report_says_what_came_and_what_was_lost(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;

	rig_talk(r, 0, 500);
	rig_run(r, 1000);
	r->peer[0].lose = 10;
	rig_run(r, 19000);
	until_report(r, 0, &s);
	uint32_t sent = r->peer[0].sequence;

	assert_true(s.has_sr && s.has_block);
	assert_int_equal(s.sender_ssrc, r->dp.port[0].ssrc);
	assert_int_equal(s.packets, r->heard[0].packets);
	assert_int_equal(s.bytes, r->heard[0].packets * 160);
	assert_int_equal(s.block.ssrc, 0x5000);
	assert_int_equal(s.block.lost, 10);
	assert_int_equal(s.block.fraction, 0);
	assert_int_equal(s.block.highest, sent - 1);
	assert_true(s.xr.has_voip && !s.xr.has_reference);
	assert_int_equal(s.xr.voip.lost, 10 * 256 / sent);
	/* what was not there to play: of ten frames at least those that were waited for */
	assert_true(s.xr.voip.burst_density > 0 && s.xr.voip.burst_ms >= 100);
	assert_int_equal(status(r, 0).rx_lost, 10);
	assert_int_equal(status(r, 0).rx_expected, sent);
	assert_int_equal(status(r, 0).missing_stretches, 1);
	rig_destroy(r);
}

/* RFC 3611 section 4.7.5: the ratings of a stream with such a loss at random and such a delay. */
static void rated(const struct rtcp_voip *v, double lost, double delay_ms)
{
	struct cord_rating in = {.codec = CORD_CODEC_PCMU, .lost = lost, .burst = 1};

	assert_true(fabs(v->mos_lq - 10 * cord_rating_mos(cord_rating_r(&in))) < 1);
	in.delay_ms = delay_ms;
	assert_true(fabs(v->r_factor - cord_rating_r(&in)) < 1);
	assert_true(fabs(v->mos_cq - 10 * cord_rating_mos(cord_rating_r(&in))) < 1);
}

static void the_peer_is_told_how_it_sounds(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;

	rig_talk(r, 0, 500);
	rig_run(r, 3000);
	until_report(r, 0, &s);
	/* as good as it can be: 4.4, and 93 less what some 50 ms take */
	assert_int_equal(s.xr.voip.mos_lq, 44);
	assert_in_range(s.xr.voip.r_factor, 91, 92);
	rated(&s.xr.voip, 0, s.xr.voip.end_system_ms);
	/* half a second there and back */
	struct rtcp_block b = block(r);

	b.last_sr = (uint32_t)(s.ntp >> 16);
	rig_run(r, 500);
	b.highest = r->heard[0].sequence;
	peer_report(r, (struct rtcp_report){.receiving = true, .block = b});
	until_report(r, 0, &s);
	assert_in_range(s.xr.voip.round_trip_ms, 499, 501);
	assert_int_equal(s.xr.voip.mos_lq, 44);
	assert_in_range(s.xr.voip.r_factor, 70, 80);
	rated(&s.xr.voip, 0, 250 + s.xr.voip.end_system_ms);
	/* and then every tenth packet is lost */
	for (uint32_t i = 0; i < 200; i++) {
		r->peer[0].lose = 1;
		rig_run(r, 200);
	}
	until_report(r, 0, &s);
	double lost = status(r, 0).rx_lost, of = status(r, 0).rx_expected;

	assert_true(lost / of > 0.07);
	rated(&s.xr.voip, lost / of, 250 + s.xr.voip.end_system_ms);
	rig_destroy(r);
}

static void reports_leave_every_few_seconds(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;
	uint32_t first = until_report(r, 0, &s), least = 10000, most = 0;

	/* the timestamp is the media time of the moment */
	assert_true(first >= 1000 && first <= 3500);
	for (int i = 0; i < 60; i++) {
		uint32_t ms = until_report(r, 0, &s);

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	assert_true(least >= 2000 && most <= 6500);
	assert_true(most - least > 2000);
	rig_destroy(r);
}

static void the_time_of_a_report_is_that_of_the_media(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;

	until_report(r, 0, &s);
	/* within a packet of what is being sent */
	assert_true(s.timestamp - r->heard[0].timestamp <= 2 * 160);
	rig_destroy(r);
}

static void names_are_of_one_port(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;
	char name[2][RTCP_CNAME_SIZE] = {{0}};

	for (uint32_t slot = 0; slot < 2; slot++) {
		until_report(r, slot, &s);
		/* sender report without block: 28 bytes; SDES header, SSRC, item, length */
		memcpy(name[slot], r->heard[slot].last_rtcp + 28 + 10, RTCP_CNAME_SIZE - 1);
		assert_int_equal(r->heard[slot].last_rtcp[28 + 9], RTCP_CNAME_SIZE - 1);
		assert_string_equal(name[slot], r->dp.port_cold[slot].report.cname);
	}
	assert_string_not_equal(name[0], name[1]);
	rig_destroy(r);
}

static void rtcp_goes_where_the_terms_say(void **state)
{
	struct cord_terms terms = ordinary();
	struct rtcp_summary s;

	terms.remote_rtcp_udp_port = 4711;
	struct rig *r = call(&terms);

	until_report(r, 0, &s);
	assert_int_equal(r->heard[0].rtcp_to, 4711);
	assert_int_equal(r->heard[0].rtcp_from, 20001);
	terms.flags = CORD_TERMS_RTCP_MUX;
	change(r, &terms);
	until_report(r, 0, &s);
	assert_int_equal(r->heard[0].rtcp_to, 4000);
	assert_int_equal(r->heard[0].rtcp_from, 20000);
	/* what the peer does with its own is no reason to do otherwise */
	peer_report(r, (struct rtcp_report){.receiving = true, .block = block(r)});
	until_report(r, 0, &s);
	assert_int_equal(r->heard[0].rtcp_to, 4000);
	terms.flags = 0;
	terms.remote_rtcp_udp_port = 0;
	change(r, &terms);
	uint32_t before = r->heard[0].rtcp;

	rig_run(r, 20000);
	assert_int_equal(r->heard[0].rtcp, before);
	rig_destroy(r);
}

/* The peer answers our report 300 ms after it came, which took 40 ms each way. */
static void the_round_trip_follows_from_the_peers_reports(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;

	until_report(r, 0, &s);
	struct rtcp_block b = block(r);

	b.last_sr = (uint32_t)(s.ntp >> 16);
	b.delay_last_sr = 300 * 65536 / 1000;
	b.jitter = 8 * 12;
	b.lost = 3;
	rig_run(r, 380);
	b.highest = r->heard[0].sequence;
	peer_report(r, (struct rtcp_report){.receiving = true, .block = b});
	struct cord_port_status p = status(r, 0);

	assert_in_range(p.round_trip_us, 79900, 80100);
	assert_int_equal(p.round_trip_max_us, p.round_trip_us);
	assert_int_equal(p.peer_reports, 1);
	assert_int_equal(p.peer_jitter_us, 12000);
	assert_int_equal(p.peer_lost, 3);
	assert_int_equal(p.peer_lost_of, r->heard[0].packets);
	/* a shorter one: the longest stays */
	b.delay_last_sr = 360 * 65536 / 1000;
	peer_report(r, (struct rtcp_report){.receiving = true, .block = b});
	assert_in_range(status(r, 0).round_trip_us, 19900, 20100);
	assert_int_equal(status(r, 0).round_trip_max_us, p.round_trip_us);
	rig_destroy(r);
}

static void who_only_receives_asks_for_the_time(void **state)
{
	struct cord_terms terms = ordinary();
	struct rtcp_summary s;

	terms.direction = CORD_MAY_RECEIVE;
	struct rig *r = call(&terms);

	rig_talk(r, 0, 500);
	until_report(r, 0, &s);
	assert_true(!s.has_sr && s.has_block && s.xr.has_reference);
	rig_run(r, 250);
	peer_report(r, (struct rtcp_report){.sending = true,
			       .xr = {.answer = true,
				       .peer_ssrc = r->dp.port[0].ssrc,
				       .last_reference = s.xr.reference,
				       .delay_last_reference = 200 * 65536 / 1000}});
	assert_in_range(status(r, 0).round_trip_us, 49900, 50100);
	rig_destroy(r);
}

static void who_asks_for_the_time_is_told(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;

	peer_report(r, (struct rtcp_report){.xr = {.reference = true, .ntp = 0x123456789abcull}});
	uint64_t at = r->now_ns;

	until_report(r, 0, &s);
	assert_true(s.xr.has_answer);
	assert_int_equal(s.xr.last_reference, 0x12345678);
	assert_int_equal(s.xr.delay_last_reference, (r->now_ns - at) * 65536 / 1000000000u);
	/* not for ever, and not after it has gone */
	peer_report(r, (struct rtcp_report){.bye = true});
	until_report(r, 0, &s);
	assert_false(s.xr.has_answer);
	peer_report(r, (struct rtcp_report){.xr = {.reference = true, .ntp = 0x123456789abcull}});
	rig_run(r, 61000);
	until_report(r, 0, &s);
	assert_false(s.xr.has_answer);
	rig_destroy(r);
}

static void what_cannot_be_is_not_believed(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;

	until_report(r, 0, &s);
	for (int i = 0; i < 6; i++) {
		struct rtcp_block b = block(r);

		b.last_sr = (uint32_t)(s.ntp >> 16);
		if (i == 0)
			b.ssrc++;
		else if (i == 1)
			b.highest += 1; /* not sent yet */
		else if (i == 2)
			b.highest -= 5000; /* long ago */
		else if (i == 3)
			b.jitter = 8 * 11000;
		else if (i == 4)
			b.lost = (int32_t)r->heard[0].packets + 1;
		else
			b.last_sr += 1; /* no report of ours: no round trip, the rest is good */
		peer_report(r, (struct rtcp_report){.receiving = true, .block = b});
		assert_int_equal(status(r, 0).round_trip_us, 0);
		assert_int_equal(status(r, 0).peer_reports, i == 5);
	}
	/* more received than were sent: duplicates on the way */
	struct rtcp_block b = block(r);

	b.lost = -4;
	peer_report(r, (struct rtcp_report){.receiving = true, .block = b});
	assert_int_equal(status(r, 0).peer_lost, 0);
	assert_int_equal(status(r, 0).peer_reports, 2);
	rig_destroy(r);
}

static void metrics_of_the_peer_are_kept(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_xr_report xr = {.voip = true,
		.metrics = {.ssrc = r->dp.port[0].ssrc, .discarded = 9, .end_system_ms = 90}};

	rig_run(r, 100);
	peer_report(r, (struct rtcp_report){.xr = xr});
	assert_int_equal(status(r, 0).peer_discarded, 9);
	assert_int_equal(status(r, 0).peer_end_system_ms, 90);
	xr.metrics.end_system_ms = 5001;
	peer_report(r, (struct rtcp_report){.xr = xr});
	assert_int_equal(status(r, 0).peer_end_system_ms, 90);
	xr.metrics.ssrc++;
	xr.metrics.discarded = 200;
	peer_report(r, (struct rtcp_report){.xr = xr});
	assert_int_equal(status(r, 0).peer_discarded, 9);
	rig_destroy(r);
}

/* BYE, true or forged, ends nothing: the talker goes on to be heard without a gap. */
static void a_goodbye_silences_nobody(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;

	rig_talk(r, 0, 500);
	rig_run(r, 500);
	peer_report(r, (struct rtcp_report){.sending = true, .ntp = 0x0001000200030004ull});
	until_report(r, 0, &s);
	assert_int_equal(s.block.last_sr, 0x00020003);
	/* of somebody else */
	peer_report(r, (struct rtcp_report){.ssrc = 0x1234, .bye = true});
	until_report(r, 0, &s);
	assert_int_equal(s.block.last_sr, 0x00020003);
	peer_report(r, (struct rtcp_report){.bye = true});
	until_report(r, 0, &s);
	assert_int_equal(s.block.last_sr, 0);
	rig_run(r, 500);
	assert_true(rig_level(r, 1, 500, 400) > 7000);
	assert_int_equal(status(r, 0).concealed, 0);
	assert_int_equal(status(r, 0).rx_dropped, 0);
	rig_destroy(r);
}

/* Somebody else's sender report is not what we answer. */
static void a_report_of_another_ssrc_sets_no_time(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct rtcp_summary s;

	rig_talk(r, 0, 500);
	rig_run(r, 500);
	peer_report(r, (struct rtcp_report){
			       .ssrc = 0x1234, .sending = true, .ntp = 0x0001000200030004ull});
	until_report(r, 0, &s);
	assert_int_equal(s.block.last_sr, 0);
	rig_destroy(r);
}

static void who_closes_says_goodbye(void **state)
{
	struct cord_terms terms = ordinary();
	struct rig *r = call(&terms);
	struct cord_message m = {.port_close = {.port = rig_port(r, 0)}};
	struct rtcp_summary s;

	rig_run(r, 100);
	assert_int_equal(r->heard[0].rtcp, 0);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_CLOSE), 0);
	assert_int_equal(r->heard[0].rtcp, 1);
	assert_int_equal(
		rtcp_parse(r->heard[0].last_rtcp, r->heard[0].last_rtcp_bytes, 0x5000, &s), 0);
	assert_true(s.bye && s.has_sr);
	assert_int_equal(s.sender_ssrc, 0x9000);
	/* one that has never sent anything says none */
	assert_int_equal(rig_open(r, 0, 2, CORD_CODEC_PCMU), 0);
	m.port_close.port = rig_port(r, 2);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_CLOSE), 0);
	rig_run(r, 10);
	assert_int_equal(r->heard[2].rtcp, 0);
	rig_destroy(r);
}

/* ---- media that does not come --------------------------------------------------------------- */

static void media_that_stops_is_missed_once_and_comes_back(void **state)
{
	struct cord_terms terms = ordinary();

	terms.media_timeout_s = 3;
	struct rig *r = call(&terms);

	rig_talk(r, 0, 500);
	rig_run(r, 5000);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_FIRST), 1);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 0);
	rig_hush(r, 0);
	rig_run(r, 2900);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 0);
	rig_run(r, 500);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 1);
	assert_int_equal(r->event[r->event_count - 1].event_media_lost.port, rig_port(r, 0));
	assert_int_equal(status(r, 0).media_lost, 1);
	rig_run(r, 10000);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 1);
	rig_talk(r, 0, 500);
	rig_run(r, 100);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_BACK), 1);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_FIRST), 1);
	assert_int_equal(status(r, 0).media_lost, 0);
	rig_hush(r, 0);
	rig_run(r, 3500);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 2);
	/* the other port has no limit */
	assert_int_equal(status(r, 1).media_lost, 0);
	rig_destroy(r);
}

static void media_that_never_came_is_missed(void **state)
{
	struct cord_terms terms = ordinary();

	terms.media_timeout_s = 3;
	struct rig *r = call(&terms);

	rig_run(r, 3500);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 1);
	rig_talk(r, 0, 500);
	rig_run(r, 100);
	/* it is the first, and that says it all */
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_FIRST), 1);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_BACK), 0);
	assert_int_equal(status(r, 0).media_lost, 0);
	rig_destroy(r);
}

static void nothing_is_missed_of_who_is_held(void **state)
{
	struct cord_terms terms = ordinary();

	terms.media_timeout_s = 3;
	struct rig *r = call(&terms);

	rig_talk(r, 0, 500);
	rig_run(r, 1000);
	rig_hush(r, 0);
	terms.direction = CORD_MAY_SEND;
	change(r, &terms);
	rig_run(r, 10000);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 0);
	/* off hold: the time begins anew */
	terms.direction |= CORD_MAY_RECEIVE;
	change(r, &terms);
	rig_run(r, 2900);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 0);
	rig_run(r, 500);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 1);
	/* on hold again it is missed no longer */
	terms.direction = CORD_MAY_SEND;
	change(r, &terms);
	assert_int_equal(status(r, 0).media_lost, 0);
	rig_destroy(r);
}

static void a_peer_that_may_pause_is_missed_when_it_reports_no_more(void **state)
{
	struct cord_terms terms = ordinary();

	terms.media_timeout_s = 3;
	for (int may_pause = 0; may_pause < 2; may_pause++) {
		terms.receive_noise_payload_type = may_pause ? 13 : CORD_NO_PAYLOAD_TYPE;
		struct rig *r = call(&terms);

		for (int i = 0; i < 5; i++) {
			rig_run(r, 2000);
			peer_report(r, (struct rtcp_report){0});
		}
		assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), !may_pause);
		rig_run(r, 3500);
		assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 1);
		rig_destroy(r);
	}
}

static void a_peer_that_moves_is_waited_for_anew(void **state)
{
	struct cord_terms terms = ordinary();

	terms.media_timeout_s = 3;
	struct rig *r = call(&terms);

	rig_run(r, 3500);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 1);
	terms.remote.udp_port = 4002;
	change(r, &terms);
	assert_int_equal(status(r, 0).media_lost, 0);
	assert_int_equal(status(r, 0).first_rx, 0);
	rig_run(r, 3500);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LOST), 2);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_says_what_came_and_what_was_lost),
		cmocka_unit_test(the_peer_is_told_how_it_sounds),
		cmocka_unit_test(reports_leave_every_few_seconds),
		cmocka_unit_test(the_time_of_a_report_is_that_of_the_media),
		cmocka_unit_test(names_are_of_one_port),
		cmocka_unit_test(rtcp_goes_where_the_terms_say),
		cmocka_unit_test(the_round_trip_follows_from_the_peers_reports),
		cmocka_unit_test(who_only_receives_asks_for_the_time),
		cmocka_unit_test(who_asks_for_the_time_is_told),
		cmocka_unit_test(what_cannot_be_is_not_believed),
		cmocka_unit_test(metrics_of_the_peer_are_kept),
		cmocka_unit_test(a_goodbye_silences_nobody),
		cmocka_unit_test(a_report_of_another_ssrc_sets_no_time),
		cmocka_unit_test(who_closes_says_goodbye),
		cmocka_unit_test(media_that_stops_is_missed_once_and_comes_back),
		cmocka_unit_test(media_that_never_came_is_missed),
		cmocka_unit_test(nothing_is_missed_of_who_is_held),
		cmocka_unit_test(a_peer_that_may_pause_is_missed_when_it_reports_no_more),
		cmocka_unit_test(a_peer_that_moves_is_waited_for_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
