/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: keys as telephone-events. The first byte says the clock, and whether the rest is packets
 * of somebody or keys of ours on a network that loses, repeats and swaps packets. Each packet tells
 * at most one key and once; of our keys each is told, in order, of which a packet came in time.
 */
#include "telephone_event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* What the rest of the input says next; 0 behind its end. */
struct input {
	const uint8_t *at;
	size_t left;
};

static uint32_t take(struct input *in, unsigned bytes)
{
	uint32_t value = 0;

	while (bytes-- > 0) {
		value = value << 8 | (in->left ? *in->at : 0);
		in->at += in->left > 0;
		in->left -= in->left > 0;
	}
	return value;
}

/* ---- anybody's packets ---------------------------------------------------------------------- */

static bool same(const struct telephone_event_receiver *a, const struct telephone_event_receiver *b)
{
	return a->timestamp == b->timestamp && a->duration == b->duration && a->event == b->event &&
	       a->known == b->known && a->ended == b->ended;
}

static void judge(const struct telephone_event_receiver *before,
	const struct telephone_event_receiver *after, enum telephone_event_verdict verdict,
	uint32_t timestamp, char digit)
{
	require((verdict == TELEPHONE_EVENT_BEGUN) == (digit != '\0'));
	switch (verdict) {
	case TELEPHONE_EVENT_BEGUN:
		require(telephone_event_code(digit) == after->event);
		require(after->timestamp == timestamp);
		break;
	case TELEPHONE_EVENT_CONTINUES:
		require(before->known && !before->ended && !after->ended);
		require(after->event == before->event);
		break;
	case TELEPHONE_EVENT_ENDED:
		require(before->known && !before->ended && after->ended);
		break;
	default:
		/* The end sent again in another stream has that one's timestamp. */
		require(same(before, after) ||
			(verdict == TELEPHONE_EVENT_REPEATED && before->renewed));
	}
	require(after->timestamp != before->timestamp || after->duration >= before->duration ||
		verdict == TELEPHONE_EVENT_BEGUN);
}

static void receive_anything(struct input *in, unsigned clock_khz)
{
	struct telephone_event_receiver r = {0};
	uint32_t timestamp = take(in, 4);

	while (in->left > 0) {
		uint32_t how = take(in, 1);
		size_t bytes = how & 7;
		bool marker = how & 8;

		if ((how >> 4 & 3) == 1)
			timestamp += take(in, 2);
		else if ((how >> 4 & 3) == 2)
			timestamp -= take(in, 2);
		else if ((how >> 4 & 3) == 3)
			timestamp = take(in, 4);
		if (how & 0x80)
			telephone_event_receiver_renew(&r, clock_khz, clock_khz);
		/* Of its exact size, so that a read beyond it is seen. */
		uint8_t *payload = malloc(bytes ? bytes : 1);
		for (size_t i = 0; i < bytes; i++)
			payload[i] = (uint8_t)take(in, 1);
		for (unsigned again = 0; again < 2; again++) {
			struct telephone_event_receiver before = r;
			char digit = '\0';
			enum telephone_event_verdict verdict = telephone_event_receive(
				&r, clock_khz, payload, bytes, timestamp, marker, &digit);

			judge(&before, &r, verdict, timestamp, digit);
			require(again == 0 || verdict != TELEPHONE_EVENT_BEGUN);
			require(bytes >= TELEPHONE_EVENT_BYTES || verdict == TELEPHONE_EVENT_BAD);
		}
		free(payload);
	}
}

/* ---- ours, and a bad network ---------------------------------------------------------------- */

struct line {
	struct telephone_event_receiver receiver;
	unsigned clock_khz;
	bool any;        /* a packet came through */
	uint32_t newest; /* timestamp of the last key of which one did */
	uint8_t event;   /* its code */
	bool ended;      /* its end came through */
	char told[CORD_DIGITS_MAX], due[CORD_DIGITS_MAX];
	unsigned n_told, n_due;
};

/*
 * Whether this is the first that comes through of its key, and nothing can be mistaken: of a key whose
 * end was lost, the same key's next packet without marker may be a further segment.
 */
static void expect(struct line *l, const struct telephone_event_packet *p, bool *excused)
{
	bool new = !l->any || (int32_t)(p->timestamp - l->newest) > 0;

	*excused = new && l->any && !l->ended && !p->marker && p->payload[0] == l->event;
	if (new && !*excused) {
		require(l->n_due < CORD_DIGITS_MAX);
		l->due[l->n_due++] = telephone_event_digit(p->payload[0]);
	}
	if (new) {
		l->newest = p->timestamp;
		l->event = p->payload[0];
		l->ended = false;
	}
	if (p->timestamp == l->newest && p->payload[1] & 0x80)
		l->ended = true;
	l->any = true;
}

static void arrive(struct line *l, const struct telephone_event_packet *p)
{
	char digit = '\0';
	bool excused;

	expect(l, p, &excused);
	enum telephone_event_verdict verdict = telephone_event_receive(&l->receiver, l->clock_khz,
		p->payload, sizeof(p->payload), p->timestamp, p->marker, &digit);

	require(verdict != TELEPHONE_EVENT_BAD && verdict != TELEPHONE_EVENT_IGNORED);
	if (verdict != TELEPHONE_EVENT_BEGUN)
		return;
	if (excused) {
		require(l->n_due < CORD_DIGITS_MAX);
		l->due[l->n_due++] = digit;
	}
	require(l->n_told < CORD_DIGITS_MAX);
	l->told[l->n_told++] = digit;
}

/* Each packet is lost, goes through once or twice, or a period late, behind the next one. */
static void send_all(struct input *in, struct line *l, struct telephone_event_sender *s)
{
	struct telephone_event_packet held = {0};
	uint32_t timestamp = take(in, 4);
	bool holds = false;

	for (unsigned periods = 0; periods < 1u << 16; periods++) {
		struct telephone_event_packet p = {0};
		enum telephone_event_step step =
			telephone_event_step(s, timestamp, l->clock_khz, &p);

		timestamp += 20 * l->clock_khz;
		bool packet = step == TELEPHONE_EVENT_STEP_PACKET;
		uint32_t fate = !packet ? 0 : in->left ? take(in, 1) & 3 : 1;

		for (uint32_t i = 0; i < fate && fate < 3; i++)
			arrive(l, &p);
		if (holds)
			arrive(l, &held);
		holds = fate == 3;
		held = p;
		if (step == TELEPHONE_EVENT_STEP_DONE || step == TELEPHONE_EVENT_STEP_NOTHING)
			break;
	}
	require(s->state == TELEPHONE_EVENT_IDLE && s->next == s->count);
}

static void send_keys(struct input *in, unsigned clock_khz)
{
	struct telephone_event_sender s = {0};
	struct line l = {.clock_khz = clock_khz};
	unsigned key_ms = 40 + take(in, 1) * 4, gap_ms = 40 + take(in, 1) * 4;
	unsigned pause_ms = 100 + take(in, 1) * 19;
	size_t count = take(in, 1);
	char digits[256] = "";

	for (size_t i = 0; i < count; i++)
		digits[i] = "0123456789*#ABCDabcd,,!"[take(in, 1) % 23];
	if (telephone_event_send(&s, digits, count, key_ms, gap_ms, pause_ms) < 0)
		return;
	require(count >= 1 && count <= CORD_DIGITS_MAX && key_ms <= 1000 && gap_ms <= 1000 &&
		pause_ms <= 5000 && !memchr(digits, '!', count));
	send_all(in, &l, &s);
	require(l.n_told == l.n_due && memcmp(l.told, l.due, l.n_told) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const unsigned clocks[] = {8, 16, 32, 48};
	struct input in = {bytes, length};
	uint32_t how = take(&in, 1);

	if (how & 4)
		send_keys(&in, clocks[how & 3]);
	else
		receive_anything(&in, clocks[how & 3]);
	return 0;
}
