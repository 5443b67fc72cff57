/* SPDX-License-Identifier: Apache-2.0 */
#include "telephone_event.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct telephone_event_receiver receiver;
static unsigned clock_khz = 8;
static char told[128];

static int begin(void **state)
{
	clock_khz = 8;
	receiver = (struct telephone_event_receiver){0};
	told[0] = '\0';
	return 0;
}

static enum telephone_event_verdict take(
	unsigned event, bool end, unsigned duration, uint32_t timestamp, bool marker)
{
	uint8_t payload[4] = {(uint8_t)event, (uint8_t)(end << 7 | 10), (uint8_t)(duration >> 8),
		(uint8_t)duration};
	char digit = '?';
	enum telephone_event_verdict v = telephone_event_receive(
		&receiver, clock_khz, payload, 4, timestamp, marker, &digit);

	if (v == TELEPHONE_EVENT_BEGUN)
		strncat(told, &digit, 1);
	else
		assert_int_equal(digit, '?');
	return v;
}

static void every_key_has_its_code(void **state)
{
	const char *keys = "0123456789*#ABCD";

	for (int i = 0; i < 256; i++)
		assert_int_equal(telephone_event_digit((uint8_t)i), i < 16 ? keys[i] : '\0');
	for (int c = -128; c < 128; c++) {
		int upper = c >= 'a' && c <= 'd' ? c - 32 : c;
		const char *found = upper ? strchr(keys, upper) : NULL;
		assert_int_equal(telephone_event_code((char)c), found ? (int)(found - keys) : -1);
	}
}

static void a_key_is_told_once_whatever_is_lost(void **state)
{
	/* Seven packets: four updates, three ends; every subset of them that is not empty. */
	for (unsigned kept = 1; kept < 128; kept++) {
		begin(NULL);
		for (uint32_t key = 0; key < 3; key++)
			for (unsigned i = 0; i < 7; i++)
				if (kept >> i & 1)
					take(5, i >= 4, i < 4 ? (i + 1) * 160 : 800,
						4294960000u + key * 4000, i == 0);
		assert_string_equal(told, "555");
	}
}

static void reordered_packets_tell_nothing_new(void **state)
{
	assert_int_equal(take(1, false, 160, 1000, true), TELEPHONE_EVENT_BEGUN);
	assert_int_equal(take(1, true, 480, 1000, false), TELEPHONE_EVENT_ENDED);
	assert_int_equal(take(1, false, 320, 1000, false), TELEPHONE_EVENT_REPEATED);
	assert_int_equal(take(1, true, 480, 1000, false), TELEPHONE_EVENT_REPEATED);
	assert_int_equal(take(2, false, 160, 5000, true), TELEPHONE_EVENT_BEGUN);
	assert_int_equal(take(1, true, 480, 1000, false), TELEPHONE_EVENT_REPEATED);
	assert_int_equal(take(2, false, 320, 5000, false), TELEPHONE_EVENT_CONTINUES);
	assert_string_equal(told, "12");
}

/* As a gateway does that keeps SSRC and sequence numbers over a change of the session. */
static void timestamps_that_begin_anew_are_followed(void **state)
{
	assert_int_equal(take(1, false, 160, 3000000000u, true), TELEPHONE_EVENT_BEGUN);
	assert_int_equal(take(1, true, 480, 3000000000u, false), TELEPHONE_EVENT_ENDED);
	assert_int_equal(take(2, false, 160, 2000000000u, true), TELEPHONE_EVENT_BEGUN);
	assert_int_equal(take(2, true, 480, 2000000000u, false), TELEPHONE_EVENT_ENDED);
	assert_int_equal(take(2, true, 480, 2000000000u, false), TELEPHONE_EVENT_REPEATED);
	assert_int_equal(take(3, true, 480, 2000001600u, false), TELEPHONE_EVENT_BEGUN);
	assert_string_equal(told, "123");
	/* Half of all timestamps away, which is as far back as forward: not the key that went on. */
	assert_int_equal(take(3, false, 160, 2000003200u, true), TELEPHONE_EVENT_BEGUN);
	assert_int_equal(
		take(3, false, 160, 2000003200u + 0x80000000u, false), TELEPHONE_EVENT_BEGUN);
	assert_string_equal(told, "12333");
}

static void a_long_key_in_segments_is_one(void **state)
{
	uint32_t timestamp = 4294900000u;

	for (unsigned segment = 0; segment < 5; segment++, timestamp += 65535)
		for (unsigned duration = 160; duration <= 65535; duration += 65375)
			take(9, segment == 4 && duration > 160, duration, timestamp,
				segment == 0 && duration == 160);
	assert_string_equal(told, "9");
	/* The same key again, right behind, but marked as new. */
	take(9, false, 160, timestamp, true);
	assert_string_equal(told, "99");
}

/* As above, at every clock, with any of the packets before the next segment lost. */
static void a_long_key_is_one_whatever_its_segments_lose(void **state)
{
	static const unsigned clocks[] = {8, 16, 48};

	for (unsigned i = 0; i < 3; i++) {
		for (unsigned lost = 0; lost < 5; lost++) {
			uint32_t timestamp = 4294900000u, step = 20 * clocks[i];

			begin(NULL);
			clock_khz = clocks[i];
			for (unsigned segment = 0; segment < 4; segment++, timestamp += 65535)
				for (unsigned d = step; d + lost * step <= 65535; d += step)
					take(3, false, d, timestamp, segment == 0 && d == step);
			assert_string_equal(told, "3");
			/* The same key again, a moment after the end of that one was lost. */
			take(3, false, step, timestamp + 2 * step, false);
			assert_string_equal(told, "33");
		}
	}
}

static void a_key_that_comes_again_with_its_end_lost_is_another(void **state)
{
	for (unsigned ms = 40; ms <= 1000; ms += 20) {
		begin(NULL);
		clock_khz = 48;
		for (unsigned d = 20; d <= ms; d += 20)
			take(4, false, d * 48, 0, false);
		take(4, false, 20 * 48, (ms + 40) * 48, false);
		assert_string_equal(told, "44");
	}
}

/* A key of 100 ms and its three ends; the stream is another from the nth packet on, by a new clock. */
static void a_key_is_told_once_through_another_stream(void **state)
{
	static const unsigned clocks[] = {8, 16, 48};

	for (unsigned way = 0; way < 9; way++) {
		for (unsigned from = 1; from < 7; from++) {
			/* what is lost around the change */
			for (unsigned lost = 0; lost < 8; lost++) {
				begin(NULL);
				clock_khz = clocks[way % 3];
				for (unsigned i = 0; i < 7; i++) {
					if (i == from) {
						telephone_event_receiver_renew(
							&receiver, clock_khz, clocks[way / 3]);
						clock_khz = clocks[way / 3];
					}
					if (i && i + 1 >= from && lost >> (i + 1 - from) & 1)
						continue;
					take(5, i >= 4, (i < 4 ? i + 1 : 5) * 20 * clock_khz,
						i < from ? 777 : 4000000000u, i == 0);
				}
				assert_string_equal(told, "5");
				/* The next one is another. */
				take(5, false, 20 * clock_khz, 4000000000u + 200 * clock_khz, true);
				assert_string_equal(told, "55");
			}
		}
	}
}

/* What begins in a renewed stream is a key, whatever was before, and where its timestamps are. */
static void the_first_key_of_another_stream_is_told(void **state)
{
	for (unsigned ended = 0; ended < 2; ended++) {
		begin(NULL);
		take(5, ended, 800, 90000, true);
		telephone_event_receiver_renew(&receiver, 8, 8);
		assert_int_equal(take(5, false, 160, 88000, true), TELEPHONE_EVENT_BEGUN);
		telephone_event_receiver_renew(&receiver, 8, 8);
		assert_int_equal(take(6, false, 320, 50000, false), TELEPHONE_EVENT_BEGUN);
		/* of a key that is shorter than what has been seen, the marker was lost */
		take(6, ended, 800, 50000, false);
		telephone_event_receiver_renew(&receiver, 8, 8);
		assert_int_equal(take(6, false, 320, 50000, false), TELEPHONE_EVENT_BEGUN);
		assert_string_equal(told, "5566");
	}
}

static void what_is_no_key_is_ignored(void **state)
{
	char digit;

	for (unsigned event = 16; event < 256; event++)
		assert_int_equal(
			take(event, false, 160, event * 1000, true), TELEPHONE_EVENT_IGNORED);
	for (size_t bytes = 0; bytes < 4; bytes++)
		assert_int_equal(telephone_event_receive(&receiver, 8, (const uint8_t *)"\1\1\1",
					 bytes, 1, true, &digit),
			TELEPHONE_EVENT_BAD);
	take(1, false, 160, 1000, true);
	assert_int_equal(take(2, false, 320, 1000, false), TELEPHONE_EVENT_BAD);
	assert_string_equal(told, "1");
}

/* Runs a sender to its end; what its packets tell a receiver, and how long it took. */
static unsigned run(struct telephone_event_sender *s, char *shape, size_t size)
{
	struct telephone_event_packet packet;
	unsigned periods = 0;
	size_t at = 0;

	for (uint32_t timestamp = 4294966000u; periods < 6000;
		periods++, timestamp += 20 * clock_khz) {
		char digit;
		enum telephone_event_step step =
			telephone_event_step(s, timestamp, clock_khz, &packet);

		if (step == TELEPHONE_EVENT_STEP_DONE)
			break;
		assert_int_not_equal(step, TELEPHONE_EVENT_STEP_NOTHING);
		char mark = '.';
		if (step == TELEPHONE_EVENT_STEP_PACKET) {
			enum telephone_event_verdict v =
				telephone_event_receive(&receiver, clock_khz, packet.payload, 4,
					packet.timestamp, packet.marker, &digit);
			assert_int_equal(packet.marker, v == TELEPHONE_EVENT_BEGUN);
			mark = v == TELEPHONE_EVENT_BEGUN       ? digit
			       : v == TELEPHONE_EVENT_CONTINUES ? '-'
			       : v == TELEPHONE_EVENT_ENDED     ? 'E'
								: 'e';
		}
		if (at + 1 < size)
			shape[at++] = mark;
	}
	shape[at] = '\0';
	assert_int_equal(
		telephone_event_step(s, 0, clock_khz, &packet), TELEPHONE_EVENT_STEP_NOTHING);
	return periods;
}

static void sends_keys_gaps_and_pauses(void **state)
{
	struct telephone_event_sender s;
	char shape[200];

	telephone_event_sender_init(&s);
	assert_int_equal(telephone_event_send(&s, "1,d", 3, 100, 80, 200), 0);
	assert_int_equal(telephone_event_send(&s, "1", 1, 100, 80, 200), -EBUSY);
	run(&s, shape, sizeof(shape));
	assert_string_equal(shape, "1---Eee.."
				   ".........."
				   "D---Eee..");
}

static void durations_rise_and_the_timestamp_stands(void **state)
{
	struct telephone_event_sender s;
	struct telephone_event_packet packet;

	telephone_event_sender_init(&s);
	assert_int_equal(telephone_event_send(&s, "#", 1, 60, 40, 100), 0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(telephone_event_step(&s, 8000 + i * 160, 8, &packet),
			TELEPHONE_EVENT_STEP_PACKET);
		assert_int_equal(packet.timestamp, 8000);
		assert_int_equal(packet.payload[0], 11);
		assert_int_equal(packet.payload[1] >> 7, i >= 2);
		assert_int_equal(
			packet.payload[2] << 8 | packet.payload[3], i < 3 ? (i + 1) * 160 : 480);
		assert_int_equal(packet.marker, i == 0);
	}
	assert_int_equal(telephone_event_step(&s, 9000, 8, &packet), TELEPHONE_EVENT_STEP_DONE);
}

static void every_length_and_time_is_told_once(void **state)
{
	char digits[CORD_DIGITS_MAX + 1], shape[4000];

	for (unsigned count = 1; count <= CORD_DIGITS_MAX; count++) {
		for (unsigned ms = 40; ms <= 1000; ms += 240) {
			struct telephone_event_sender s;
			unsigned n = 0;

			begin(NULL);
			memset(digits, '7', sizeof(digits));
			telephone_event_sender_init(&s);
			assert_int_equal(telephone_event_send(&s, digits, count, ms, ms, 100), 0);
			run(&s, shape, sizeof(shape));
			for (const char *c = shape; *c; c++)
				n += *c == '7';
			if (strlen(shape) + 1 < sizeof(shape))
				assert_int_equal(n, count);
		}
	}
}

static void fifty_keys_with_pauses_arrive_at_every_clock(void **state)
{
	static const unsigned clocks[] = {8, 16, 48};
	static const char digits[] = "1,234567890*#,ABCD1122334455667788990,0#,123456,78";
	struct telephone_event_sender s;
	char shape[6000], got[60];
	unsigned periods[3];

	assert_int_equal(strlen(digits), CORD_DIGITS_MAX);
	for (unsigned i = 0; i < 3; i++) {
		unsigned n = 0, d = 0;

		begin(NULL);
		clock_khz = clocks[i];
		telephone_event_sender_init(&s);
		assert_int_equal(telephone_event_send(&s, digits, CORD_DIGITS_MAX, 80, 60, 700), 0);
		periods[i] = run(&s, shape, sizeof(shape));
		for (const char *c = shape; *c; c++)
			if (telephone_event_code(*c) >= 0 && *c != 'E' && *c != 'e')
				got[n++] = *c;
		for (const char *c = digits; *c; c++)
			if (*c != ',')
				assert_int_equal(got[d++], *c);
		assert_int_equal(d, n);
		/* 45 keys of 80 ms and gaps of 60 ms, 5 pauses of 700 ms. */
		assert_int_equal(periods[i], 45 * 7 + 5 * 35);
	}
}

static void durations_count_the_clock(void **state)
{
	static const unsigned clocks[] = {8, 16, 48};

	for (unsigned i = 0; i < 3; i++) {
		struct telephone_event_sender s;
		struct telephone_event_packet packet;
		unsigned at = 20 * clocks[i];

		telephone_event_sender_init(&s);
		assert_int_equal(telephone_event_send(&s, "5", 1, 1000, 40, 100), 0);
		for (unsigned n = 1; n <= 50; n++) {
			telephone_event_step(&s, 7 + n * at, clocks[i], &packet);
			assert_int_equal(packet.timestamp, 7 + at);
			assert_int_equal(packet.payload[2] << 8 | packet.payload[3], n * at);
		}
		assert_int_equal(packet.payload[1] >> 7, 1);
	}
}

static void refuses_what_it_cannot_send(void **state)
{
	struct telephone_event_sender s;

	telephone_event_sender_init(&s);
	assert_int_equal(telephone_event_send(&s, "", 0, 100, 100, 100), -EINVAL);
	assert_int_equal(
		telephone_event_send(&s, "1", CORD_DIGITS_MAX + 1, 100, 100, 100), -EINVAL);
	assert_int_equal(telephone_event_send(&s, "1x", 2, 100, 100, 100), -EINVAL);
	assert_int_equal(telephone_event_send(&s, "1", 1, 39, 100, 100), -EINVAL);
	assert_int_equal(telephone_event_send(&s, "1", 1, 100, 1001, 100), -EINVAL);
	assert_int_equal(telephone_event_send(&s, "1", 1, 100, 100, 5001), -EINVAL);
	assert_int_equal(telephone_event_send_more(&s, ','), -EINVAL);
}

static void keys_that_are_passed_on_queue_up(void **state)
{
	struct telephone_event_sender s;
	struct telephone_event_packet packet;
	char shape[2000], got[CORD_DIGITS_MAX + 3] = {0};
	unsigned n = 0;

	telephone_event_sender_init(&s);
	assert_int_equal(telephone_event_send_more(&s, '0'), 0);
	telephone_event_step(&s, 4294900000u, 8, &packet);
	take(0, false, 160, 4294900000u, true);
	for (unsigned i = 0; i < CORD_DIGITS_MAX; i++)
		assert_int_equal(telephone_event_send_more(&s, (char)('1' + i % 9)), 0);
	assert_int_equal(telephone_event_send_more(&s, '1'), -ENOSPC);
	run(&s, shape, sizeof(shape));
	for (const char *c = shape; *c; c++)
		if (strchr("0123456789", *c))
			got[n++] = *c;
	assert_int_equal(n, CORD_DIGITS_MAX);
	for (unsigned i = 0; i < CORD_DIGITS_MAX; i++)
		assert_int_equal(got[i], '1' + i % 9);
}

static void hear(
	struct telephone_event_receiver *by, const struct telephone_event_packet *p, char *keys)
{
	char digit;

	if (telephone_event_receive(by, clock_khz, p->payload, 4, p->timestamp, p->marker,
		    &digit) == TELEPHONE_EVENT_BEGUN)
		strncat(keys, &digit, 1);
}

/*
 * The stream ends in each period of two keys of 100 ms, and what remains goes out in another, which a
 * peer hears that forgets the one before, and one that does not.
 */
static void what_is_cut_is_neither_lost_nor_sent_again(void **state)
{
	for (unsigned at = 0; at < 16; at++) {
		struct telephone_event_sender s;
		struct telephone_event_receiver by[2] = {{0}};
		struct telephone_event_packet packet;
		char keys[2][16] = {""};
		unsigned ends = 0;

		telephone_event_sender_init(&s);
		assert_int_equal(telephone_event_send(&s, "12", 2, 100, 60, 500), 0);
		for (unsigned period = 0; period < 20; period++) {
			uint32_t base = period < at ? 1000 : 90000;

			if (period == at) {
				for (unsigned n = telephone_event_cut(&s, clock_khz, &packet); n;
					n--) {
					assert_true(packet.payload[1] & 0x80);
					hear(&by[0], &packet, keys[0]);
					hear(&by[1], &packet, keys[1]);
					ends++;
				}
				assert_int_equal(telephone_event_cut(&s, clock_khz, &packet), 0);
				memset(&by[0], 0, sizeof(by[0]));
			}
			if (telephone_event_step(&s, base + period * 160, clock_khz, &packet) !=
				TELEPHONE_EVENT_STEP_PACKET)
				continue;
			assert_true(packet.timestamp >= base);
			ends += packet.payload[1] >> 7;
			hear(&by[0], &packet, keys[0]);
			hear(&by[1], &packet, keys[1]);
		}
		assert_string_equal(keys[0], "12");
		assert_string_equal(keys[1], "12");
		assert_int_equal(ends, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_its_code),
		cmocka_unit_test_setup(a_key_is_told_once_whatever_is_lost, begin),
		cmocka_unit_test_setup(a_key_is_told_once_through_another_stream, begin),
		cmocka_unit_test_setup(the_first_key_of_another_stream_is_told, begin),
		cmocka_unit_test_setup(what_is_cut_is_neither_lost_nor_sent_again, begin),
		cmocka_unit_test_setup(reordered_packets_tell_nothing_new, begin),
		cmocka_unit_test_setup(timestamps_that_begin_anew_are_followed, begin),
		cmocka_unit_test_setup(a_long_key_in_segments_is_one, begin),
		cmocka_unit_test_setup(a_long_key_is_one_whatever_its_segments_lose, begin),
		cmocka_unit_test_setup(a_key_that_comes_again_with_its_end_lost_is_another, begin),
		cmocka_unit_test_setup(fifty_keys_with_pauses_arrive_at_every_clock, begin),
		cmocka_unit_test_setup(durations_count_the_clock, begin),
		cmocka_unit_test_setup(what_is_no_key_is_ignored, begin),
		cmocka_unit_test_setup(sends_keys_gaps_and_pauses, begin),
		cmocka_unit_test_setup(durations_rise_and_the_timestamp_stands, begin),
		cmocka_unit_test_setup(every_length_and_time_is_told_once, begin),
		cmocka_unit_test_setup(refuses_what_it_cannot_send, begin),
		cmocka_unit_test_setup(keys_that_are_passed_on_queue_up, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
