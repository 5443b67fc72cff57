/* SPDX-License-Identifier: Apache-2.0 */
/* Keys through ports and rooms: as telephone-events at every clock, and in the sound. */
#include "g711.h"
#include "rig.h"
#include "rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct rig *r;

static int setup(void **state)
{
	r = rig_create(1);
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(r);
	return 0;
}

/* What the peer of a port sends by hand. */
struct hand {
	uint32_t slot;
	uint16_t sequence;
	uint32_t timestamp; /* of the event */
};

static void send_event(struct hand *h, char key, uint32_t duration, bool end, bool marker)
{
	uint8_t payload[4] = {(uint8_t)telephone_event_code(key), (uint8_t)(end << 7 | 10),
		(uint8_t)(duration >> 8), (uint8_t)duration};

	rig_rtp(r, h->slot, 101, marker, h->sequence++, h->timestamp, payload, 4);
}

/* A key of 100 ms in events of a clock; bit n of lost: its nth of eight packets does not come. */
static void press(struct hand *h, char key, unsigned khz, unsigned lost)
{
	for (unsigned i = 0; i < 8; i++) {
		unsigned ms = i < 5 ? (i + 1) * 20 : 100;

		if (lost >> i & 1)
			h->sequence++;
		else
			send_event(h, key, ms * khz, i >= 5, i == 0);
		rig_run(r, i < 5 ? 20 : 1);
	}
	h->timestamp += 200 * khz;
	rig_run(r, 97);
}

static void told(char *keys)
{
	for (uint32_t i = 0; i < r->event_count; i++)
		if (r->event[i].type == CORD_EVENT_DIGIT)
			*keys++ = r->event[i].event_digit.digit;
	*keys = '\0';
}

static void open_with_clock(uint32_t slot, uint32_t hz)
{
	struct cord_terms t = rig_terms(slot, CORD_CODEC_PCMU);

	t.event_clock_hz = hz;
	assert_int_equal(rig_open_terms(r, 0, slot, &t), 0);
}

static void join(uint32_t members, const uint16_t *digits_to)
{
	struct cord_message m = {.room_set = {.room = rig_room(0), .members = (uint8_t)members}};

	for (uint32_t i = 0; i < members; i++)
		m.room_set.member[i] = (struct cord_room_member){.port = rig_port(r, i),
			.hears = (uint16_t)(((1u << members) - 1) & ~(1u << i)),
			.digits_to = digits_to ? digits_to[i] : 0};
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
}

static void keys_of_every_clock_are_told_once(void **state)
{
	static const uint32_t clocks[] = {8000, 16000, 48000};
	char keys[RIG_EVENTS_MAX + 1];

	rig_open_room(r, 0, 0);
	for (uint32_t slot = 0; slot < 3; slot++)
		open_with_clock(slot, clocks[slot]);
	join(3, NULL);
	for (uint32_t slot = 0; slot < 3; slot++) {
		struct hand h = {.slot = slot, .sequence = 65530, .timestamp = 4294960000u};

		rig_forget(r);
		press(&h, '1', clocks[slot] / 1000, 0);
		press(&h, '1', clocks[slot] / 1000, 0xe0); /* no end */
		press(&h, '1', clocks[slot] / 1000, 0x1f); /* nothing but the end */
		press(&h, '#', clocks[slot] / 1000, 0x55);
		told(keys);
		assert_string_equal(keys, "111#");
	}
	/* Nobody was sent any, and each heard only silence. */
	for (uint32_t slot = 0; slot < 3; slot++)
		assert_int_equal(r->heard[slot].events, 0);
}

/* RFC 4733 section 2.5.1.3: 20 s at 48 kHz are fifteen segments. */
static void a_long_key_is_told_once(void **state)
{
	struct hand h = {.slot = 0, .timestamp = 77};
	char keys[RIG_EVENTS_MAX + 1];

	rig_open_room(r, 0, 0);
	open_with_clock(0, 48000);
	join(1, NULL);
	rig_forget(r);
	for (uint32_t at = 960, begun = 0; at <= 20 * 48000; at += 960) {
		if (at - begun > 65535) {
			send_event(&h, '7', 65535, false, false);
			begun += 65535;
			h.timestamp += 65535;
		}
		send_event(&h, '7', at - begun, false, at == 960);
		rig_run(r, 20);
	}
	told(keys);
	assert_string_equal(keys, "7");
}

static void keys_leave_a_port_only_where_the_mask_says(void **state)
{
	static const uint32_t clocks[] = {48000, 8000, 16000};
	const uint16_t to[] = {1 << 1 | 1 << 2, 0, 0};
	struct hand from0 = {.slot = 0}, from1 = {.slot = 1};

	rig_open_room(r, 0, 0);
	for (uint32_t slot = 0; slot < 3; slot++)
		open_with_clock(slot, clocks[slot]);
	join(3, to);
	press(&from0, '3', 48, 0);
	press(&from1, '9', 8, 0);
	press(&from0, '4', 48, 0);
	rig_run(r, 400);
	assert_int_equal(r->heard[0].events, 0);
	assert_string_equal(r->heard[1].keys, "34");
	assert_string_equal(r->heard[2].keys, "34");
	/* Each in its own clock: 100 ms. */
	assert_int_equal(r->heard[1].last_event[2] << 8 | r->heard[1].last_event[3], 800);
	assert_int_equal(r->heard[2].last_event[2] << 8 | r->heard[2].last_event[3], 1600);
	/* No longer wanted. */
	join(3, NULL);
	press(&from0, '5', 48, 0);
	rig_run(r, 400);
	assert_string_equal(r->heard[1].keys, "34");
	assert_string_equal(r->heard[2].keys, "34");
}

/* R74: fifty, with pauses, in the clock of Opus. */
static void R74_fifty_digits_are_sent_at_48_khz(void **state)
{
	static const char digits[] = "1,234567890*#,ABCD1122334455667788990,0#,123456,78";
	static const char keys[] = "1234567890*#ABCD11223344556677889900#12345678";
	struct cord_message m = {.port_digits = {.duration_ms = 100,
					 .gap_ms = 60,
					 .pause_ms = 500,
					 .digits = CORD_DIGITS_MAX}};

	rig_open_room(r, 0, 0);
	open_with_clock(0, 48000);
	join(1, NULL);
	rig_run(r, 100);
	m.port_digits.port = rig_port(r, 0);
	memcpy(m.port_digits.digit, digits, CORD_DIGITS_MAX);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), 0);
	rig_run(r, 45 * 160 + 5 * 500 - 60);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 0);
	rig_run(r, 200);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 1);
	assert_string_equal(r->heard[0].keys, keys);
	assert_int_equal(r->heard[0].last_event[2] << 8 | r->heard[0].last_event[3], 4800);
	assert_int_equal(r->heard[0].sequence_gaps, 0);
}

/* An update or an end of a key in a stream of its own SSRC. */
static void send_event_as(struct hand *h, uint32_t ssrc, char key, uint32_t duration, bool end)
{
	uint8_t packet[RTP_HEADER_BYTES + 4];

	rtp_write(packet, false, 101, h->sequence++, h->timestamp, ssrc);
	packet[RTP_HEADER_BYTES] = (uint8_t)telephone_event_code(key);
	packet[RTP_HEADER_BYTES + 1] = (uint8_t)(end << 7 | 10);
	rtp_put16(packet + RTP_HEADER_BYTES + 2, (uint16_t)duration);
	rig_datagram(r, h->slot, false, packet, sizeof(packet));
	rig_run(r, 20);
}

/*
 * The peer holds a key for half a second, in which its stream becomes another one, where the session
 * says so by another clock; then comes the same key again.
 */
static void a_key_held_through_another_stream_is_told_once(void **state)
{
	char keys[RIG_EVENTS_MAX + 1];

	rig_open_room(r, 0, 0);
	open_with_clock(0, 8000);
	open_with_clock(1, 8000);
	join(2, NULL);
	for (uint32_t slot = 0; slot < 2; slot++) {
		struct hand h = {.slot = slot, .sequence = 100, .timestamp = 10000};
		struct cord_message set = {.port_set = {.terms = rig_terms(slot, CORD_CODEC_OPUS)}};
		uint32_t khz = 8;

		rig_forget(r);
		send_event(&h, '5', 160, false, true);
		for (uint32_t i = 2; i <= 25; i++) {
			if (i == 8) {
				h.timestamp = 9000;
				h.sequence = 40000;
			}
			if (i == 8 && slot == 1) {
				set.port_set.port = rig_port(r, slot);
				set.port_set.terms.event_clock_hz = 48000;
				assert_int_equal(rig_ask(r, 0, &set, CORD_COMMAND_PORT_SET), 0);
				rig_code(r, slot, CORD_CODEC_OPUS);
				r->heard[slot].renewed = true;
				khz = 48;
			}
			send_event_as(
				&h, i < 8 ? 0x5000 + slot : 0x6000, '5', 20 * i * khz, i == 25);
		}
		told(keys);
		assert_string_equal(keys, "5");
		h.timestamp += 600 * khz;
		for (uint32_t i = 1; i <= 5; i++)
			send_event_as(&h, 0x6000, '5', 20 * i * khz, i == 5);
		told(keys);
		assert_string_equal(keys, "55");
	}
}

static void another_clock_ends_what_is_being_sent(void **state)
{
	struct cord_message m = {.port_digits = {.duration_ms = 100,
					 .gap_ms = 60,
					 .pause_ms = 500,
					 .digits = 4,
					 .digit = "1234"}};
	struct cord_message set = {.port_set = {.terms = rig_terms(0, CORD_CODEC_PCMU)}};

	rig_open_room(r, 0, 0);
	open_with_clock(0, 8000);
	join(1, NULL);
	m.port_digits.port = rig_port(r, 0);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), 0);
	rig_run(r, 200);
	set.port_set.port = rig_port(r, 0);
	set.port_set.terms.event_clock_hz = 12345;
	assert_int_equal(rig_ask(r, 0, &set, CORD_COMMAND_PORT_SET), CORD_REFUSAL_BAD_VALUE);
	set.port_set.terms.event_clock_hz = 16000;
	assert_int_equal(rig_ask(r, 0, &set, CORD_COMMAND_PORT_SET), 0);
	rig_run(r, 20);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 1);
	uint32_t events = r->heard[0].events;

	rig_run(r, 1000);
	assert_int_equal(r->heard[0].events, events);
}

/* ---- in the sound --------------------------------------------------------------------------- */

static void open_inband(uint32_t slot)
{
	struct cord_terms t = rig_terms(slot, CORD_CODEC_PCMU);

	t.flags = CORD_TERMS_INBAND_KEYS;
	t.event_payload_type = t.receive_event_payload_type = CORD_NO_PAYLOAD_TYPE;
	assert_int_equal(rig_open_terms(r, 0, slot, &t), 0);
}

/* The peer of a port sends ms of a key's tones ('\0': of silence); bit n of lost: not frame n. */
static void sound(struct hand *h, char key, uint32_t ms, uint32_t lost)
{
	for (uint32_t n = 0; n < ms / 20; n++) {
		int16_t pcm[160];
		uint8_t codes[160];

		inband_keys_tone(key, 8000, n * 160, pcm, 160);
		g711_encode_mu(codes, pcm, 160);
		if (!(lost >> n & 1))
			rig_rtp(r, h->slot, 0, false, h->sequence, h->timestamp, codes, 160);
		h->sequence++;
		h->timestamp += 160;
		rig_run(r, 20);
	}
}

/* The keys in what a port's peer was sent. */
static void heard_keys(uint32_t slot, char *keys)
{
	const struct rig_heard *heard = &r->heard[slot];
	struct inband_keys ear = {0};

	for (uint32_t at = 0; at + 160 <= heard->samples; at += 160) {
		char digit;

		inband_keys_hear(&ear, heard->pcm + at, 160, &digit);
		if (digit)
			*keys++ = digit;
	}
	*keys = '\0';
}

static void keys_in_the_sound_are_told_and_not_heard(void **state)
{
	static const char all[] = "1234567890*#ABCD";
	struct hand h = {.slot = 0};
	char keys[RIG_EVENTS_MAX + 1];

	rig_open_room(r, 0, 0);
	open_inband(0);
	open_with_clock(1, 8000);
	open_inband(2);
	join(3, NULL);
	sound(&h, '\0', 200, 0);
	rig_forget(r);
	for (const char *key = all; *key; key++) {
		sound(&h, *key, 100, 0);
		sound(&h, '\0', 60, 0);
	}
	told(keys);
	assert_string_equal(keys, all);
	for (uint32_t slot = 1; slot < 3; slot++) {
		heard_keys(slot, keys);
		assert_string_equal(keys, "");
		assert_int_equal(r->heard[slot].events, 0);
	}
	/* Speech is heard, as far as a tone of its own is speech, and is no key. */
	rig_forget(r);
	rig_talk(r, 0, 440);
	rig_run(r, 1000);
	assert_true(rig_level(r, 1, 440, 500) > 7000);
	told(keys);
	assert_string_equal(keys, "");
}

static void keys_in_the_sound_go_where_the_mask_says(void **state)
{
	const uint16_t to[] = {1 << 1 | 1 << 2, 0, 0, 0};
	struct hand h = {.slot = 0};
	char keys[RIG_EVENTS_MAX + 1];

	rig_open_room(r, 0, 0);
	open_inband(0);
	open_with_clock(1, 48000);
	open_inband(2);
	open_inband(3);
	join(4, to);
	sound(&h, '\0', 200, 0);
	sound(&h, '7', 100, 0);
	sound(&h, '\0', 300, 0);
	sound(&h, '7', 100, 0);
	sound(&h, '\0', 400, 0);
	assert_string_equal(r->heard[1].keys, "77");
	heard_keys(2, keys);
	assert_string_equal(keys, "77");
	heard_keys(1, keys);
	assert_string_equal(keys, "");
	heard_keys(3, keys);
	assert_string_equal(keys, "");
}

static void a_key_in_the_sound_survives_a_loss(void **state)
{
	char keys[RIG_EVENTS_MAX + 1];

	/* What is made up for the first loss of a port is silence. */
	rig_open_room(r, 0, 0);
	for (uint32_t n = 0; n < 12; n++) {
		struct cord_message close = {0};
		struct hand h = {.slot = 0};
		uint32_t lost = n % 6;

		open_inband(0);
		join(1, NULL);
		sound(&h, '\0', 200, 0);
		rig_run(r, n);
		rig_forget(r);
		sound(&h, '0', 120, 1u << lost);
		sound(&h, '\0', 200, 0);
		told(keys);
		assert_string_equal(keys, "0");
		close.port_close.port = rig_port(r, 0);
		assert_int_equal(rig_ask(r, 0, &close, CORD_COMMAND_PORT_CLOSE), 0);
	}
}

/* R74, to a peer without telephone-events. */
static void R74_fifty_digits_are_sent_in_the_sound(void **state)
{
	static const char digits[] = "1,234567890*#,ABCD1122334455667788990,0#,123456,78";
	static const char sent[] = "1234567890*#ABCD11223344556677889900#12345678";
	struct cord_message m = {.port_digits = {.duration_ms = 80,
					 .gap_ms = 60,
					 .pause_ms = 300,
					 .digits = CORD_DIGITS_MAX}};
	char keys[RIG_EVENTS_MAX + 1];
	const uint16_t hears[] = {2, 1};
	const uint32_t slots[] = {0, 1};

	rig_open_room(r, 0, 0);
	open_inband(0);
	open_with_clock(1, 8000);
	rig_set(r, 0, 0, 2, slots, hears);
	rig_talk(r, 1, 700);
	rig_run(r, 200);
	rig_forget(r);
	m.port_digits.port = rig_port(r, 0);
	memcpy(m.port_digits.digit, digits, CORD_DIGITS_MAX);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), 0);
	rig_run(r, 45 * 140 + 5 * 300 + 40);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 1);
	heard_keys(0, keys);
	assert_string_equal(keys, sent);
	assert_int_equal(r->heard[0].events, 0);
	assert_int_equal(r->heard[0].sequence_gaps + r->heard[0].timestamp_gaps, 0);
	/* Then the sound of the room is heard again. */
	rig_run(r, 300);
	assert_true(rig_level(r, 0, 700, 200) > 7000);
}

/* A peer that is sent nothing in silence is told how silent it is as soon as a key is over. */
static void a_key_in_the_sound_ends_a_pause(void **state)
{
	struct cord_message m = {.port_digits = {.duration_ms = 100,
					 .gap_ms = 60,
					 .pause_ms = 100,
					 .digits = 1,
					 .digit = "1"}};
	struct cord_terms t = rig_terms(0, CORD_CODEC_PCMU);
	const uint32_t slots[] = {0};
	const uint16_t nobody[] = {0};

	t.flags = CORD_TERMS_INBAND_KEYS | CORD_TERMS_MAY_PAUSE;
	t.event_payload_type = t.receive_event_payload_type = CORD_NO_PAYLOAD_TYPE;
	t.noise_payload_type = RIG_NOISE;
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open_terms(r, 0, 0, &t), 0);
	assert_int_equal(rig_set(r, 0, 0, 1, slots, nobody), 0);
	/* Three periods after the noise that is sent each 200 ms. */
	rig_run(r, 1060);
	uint32_t noises = r->heard[0].noises;

	m.port_digits.port = rig_port(r, 0);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), 0);
	rig_run(r, 160);
	assert_int_equal(r->heard[0].packets, 5);
	assert_int_equal(r->heard[0].noises, noises + 1);
}

static void keys_are_events_or_in_the_sound(void **state)
{
	struct cord_message m = {.port_open = rig_port_open(r, 0, CORD_CODEC_PCMU)};

	m.port_open.terms.remote = rig_remote(r, 0);
	m.port_open.terms.flags = CORD_TERMS_INBAND_KEYS;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_OPEN), CORD_REFUSAL_BAD_VALUE);
	m.port_open.terms.event_payload_type = CORD_NO_PAYLOAD_TYPE;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_OPEN), CORD_REFUSAL_BAD_VALUE);
	m.port_open.terms.receive_event_payload_type = CORD_NO_PAYLOAD_TYPE;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_OPEN), 0);
	r->generation[0]++;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(keys_of_every_clock_are_told_once),
		TEST(a_long_key_is_told_once),
		TEST(keys_leave_a_port_only_where_the_mask_says),
		TEST(R74_fifty_digits_are_sent_at_48_khz),
		TEST(a_key_held_through_another_stream_is_told_once),
		TEST(another_clock_ends_what_is_being_sent),
		TEST(keys_in_the_sound_are_told_and_not_heard),
		TEST(keys_in_the_sound_go_where_the_mask_says),
		TEST(a_key_in_the_sound_survives_a_loss),
		TEST(R74_fifty_digits_are_sent_in_the_sound),
		TEST(a_key_in_the_sound_ends_a_pause),
		TEST(keys_are_events_or_in_the_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
