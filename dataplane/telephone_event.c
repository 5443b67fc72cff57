/* SPDX-License-Identifier: Apache-2.0 */
#include "telephone_event.h"

#include "rtp.h"

#include <string.h>

enum {
	PERIOD_MS = 20,
	KEYS = 16,
	VOLUME_DBM0 = 10, /* of our keys: -10 dBm0 */
	ENDS = 3,
	END_BIT = 0x80,
	BACK_MS = 10 * 1000,
	SEGMENT_MAX = 65535,
	SEGMENT_LOST_MS = 200, /* at its end, of which nothing need have come */
	MORE_KEY_MS = 100,
	MORE_GAP_MS = 60,
	MORE_PAUSE_MS = 1000,
};

static const char keys[KEYS + 1] = "0123456789*#ABCD";

char telephone_event_digit(uint8_t event)
{
	return event < KEYS ? keys[event] : '\0';
}

int telephone_event_code(char digit)
{
	if (digit >= 'a' && digit <= 'd')
		digit = (char)(digit - 'a' + 'A');
	const char *found = digit == '\0' ? NULL : strchr(keys, digit);

	return found ? (int)(found - keys) : -1;
}

/* ---- receiving ------------------------------------------------------------------------------ */

static enum telephone_event_verdict update(
	struct telephone_event_receiver *r, uint16_t duration, bool end)
{
	if (r->ended)
		return TELEPHONE_EVENT_REPEATED;
	if (duration > r->duration)
		r->duration = duration;
	r->ended = end;
	return end ? TELEPHONE_EVENT_ENDED : TELEPHONE_EVENT_CONTINUES;
}

/* Whether an event that begins so much later is the next segment of a long one. */
static bool is_segment(const struct telephone_event_receiver *r, int32_t later, unsigned clock_khz)
{
	int32_t least = SEGMENT_MAX - (int32_t)(SEGMENT_LOST_MS * clock_khz);

	return later == r->duration ||
	       (later > r->duration && later >= least && later <= SEGMENT_MAX);
}

void telephone_event_receiver_renew(
	struct telephone_event_receiver *r, unsigned from_khz, unsigned to_khz)
{
	uint32_t duration = from_khz ? r->duration * to_khz / from_khz : 0;

	r->duration = (uint16_t)(duration < SEGMENT_MAX ? duration : SEGMENT_MAX);
	r->renewed = r->known;
}

/* Whether the first event of a renewed stream is the one before. */
static bool goes_on(const struct telephone_event_receiver *r, uint8_t event, uint16_t duration,
	bool end, bool marker)
{
	if (event != r->event || marker)
		return false;
	return r->ended ? end && duration == r->duration : duration >= r->duration;
}

enum telephone_event_verdict telephone_event_receive(struct telephone_event_receiver *r,
	unsigned clock_khz, const uint8_t *payload, size_t bytes, uint32_t timestamp, bool marker,
	char *digit)
{
	if (bytes < TELEPHONE_EVENT_BYTES)
		return TELEPHONE_EVENT_BAD;
	uint8_t event = payload[0];
	bool end = payload[1] & END_BIT;
	uint16_t duration = rtp_get16(payload + 2);
	int32_t later = (int32_t)(timestamp - r->timestamp);

	if (event >= KEYS)
		return TELEPHONE_EVENT_IGNORED;
	if (r->renewed) {
		r->known = goes_on(r, event, duration, end, marker);
		r->timestamp = timestamp;
		later = 0;
		r->renewed = 0;
	}
	/* Further back than any network keeps a packet is a sender that began its timestamps anew. */
	if (r->known && later < 0 && later > -(int32_t)(BACK_MS * clock_khz))
		return TELEPHONE_EVENT_REPEATED;
	if (r->known && later == 0)
		return event == r->event ? update(r, duration, end) : TELEPHONE_EVENT_BAD;
	if (r->known && !r->ended && !marker && event == r->event &&
		is_segment(r, later, clock_khz)) {
		r->timestamp = timestamp;
		r->duration = 0;
		return update(r, duration, end);
	}
	*r = (struct telephone_event_receiver){
		.timestamp = timestamp,
		.duration = duration,
		.event = event,
		.known = 1,
		.ended = end,
	};
	*digit = keys[event];
	return TELEPHONE_EVENT_BEGUN;
}

/* ---- sending -------------------------------------------------------------------------------- */

static bool within(unsigned value, unsigned low, unsigned high)
{
	return value >= low && value <= high;
}

int telephone_event_send(struct telephone_event_sender *s, const char *digits, size_t count,
	unsigned key_ms, unsigned gap_ms, unsigned pause_ms)
{
	if (s->state != TELEPHONE_EVENT_IDLE || s->next < s->count)
		return -EBUSY;
	if (!within((unsigned)count, 1, CORD_DIGITS_MAX) || !within(key_ms, 40, 1000) ||
		!within(gap_ms, 40, 1000) || !within(pause_ms, 100, 5000))
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		if (digits[i] != ',' && telephone_event_code(digits[i]) < 0)
			return -EINVAL;
	*s = (struct telephone_event_sender){
		.key_ms = (uint16_t)key_ms,
		.gap_ms = (uint16_t)gap_ms,
		.pause_ms = (uint16_t)pause_ms,
		.count = (uint8_t)count,
	};
	memcpy(s->digit, digits, count);
	return 0;
}

int telephone_event_send_more(struct telephone_event_sender *s, char digit)
{
	if (telephone_event_code(digit) < 0)
		return -EINVAL;
	if (s->state == TELEPHONE_EVENT_IDLE && s->next == s->count)
		return telephone_event_send(s, &digit, 1, MORE_KEY_MS, MORE_GAP_MS, MORE_PAUSE_MS);
	if (s->next > 0) {
		memmove(s->digit, s->digit + s->next, (size_t)(s->count - s->next));
		s->count = (uint8_t)(s->count - s->next);
		s->next = 0;
	}
	if (s->count == CORD_DIGITS_MAX)
		return -ENOSPC;
	s->digit[s->count++] = digit;
	return 0;
}

/* A key's packet; its end is sent in three periods, of which the last two lie in the gap. */
static enum telephone_event_step send_packet(struct telephone_event_sender *s, unsigned clock_khz,
	bool end, bool first, struct telephone_event_packet *packet)
{
	packet->timestamp = s->timestamp;
	packet->marker = first;
	packet->payload[0] = s->event;
	packet->payload[1] = (uint8_t)((end ? END_BIT : 0) | VOLUME_DBM0);
	rtp_put16(packet->payload + 2, (uint16_t)(s->sent_ms * clock_khz));
	return TELEPHONE_EVENT_STEP_PACKET;
}

static void enter(struct telephone_event_sender *s, enum telephone_event_sender_state state)
{
	s->state = (uint8_t)state;
	s->elapsed_ms = 0;
}

static enum telephone_event_step key_step(
	struct telephone_event_sender *s, unsigned clock_khz, struct telephone_event_packet *packet)
{
	bool first = s->elapsed_ms == 0;

	s->elapsed_ms += PERIOD_MS;
	s->sent_ms = s->elapsed_ms;
	bool end = s->elapsed_ms >= s->key_ms;
	if (end) {
		s->ends = ENDS - 1;
		enter(s, TELEPHONE_EVENT_GAP);
	}
	return send_packet(s, clock_khz, end, first, packet);
}

static enum telephone_event_step gap_step(
	struct telephone_event_sender *s, unsigned clock_khz, struct telephone_event_packet *packet)
{
	s->elapsed_ms += PERIOD_MS;
	if (s->ends > 0) {
		s->ends--;
		return send_packet(s, clock_khz, true, false, packet);
	}
	return TELEPHONE_EVENT_STEP_SILENCE;
}

static void begin_next(struct telephone_event_sender *s, uint32_t timestamp)
{
	char digit = s->digit[s->next++];

	if (digit == ',') {
		enter(s, TELEPHONE_EVENT_PAUSE);
		return;
	}
	s->event = (uint8_t)telephone_event_code(digit);
	s->timestamp = timestamp;
	enter(s, TELEPHONE_EVENT_KEY);
}

static bool over(const struct telephone_event_sender *s)
{
	switch (s->state) {
	case TELEPHONE_EVENT_GAP:
		return s->elapsed_ms >= s->gap_ms && s->ends == 0;
	case TELEPHONE_EVENT_PAUSE:
		return s->elapsed_ms >= s->pause_ms;
	default:
		return s->state == TELEPHONE_EVENT_IDLE;
	}
}

enum telephone_event_step telephone_event_step(struct telephone_event_sender *s, uint32_t timestamp,
	unsigned clock_khz, struct telephone_event_packet *packet)
{
	if (over(s)) {
		bool idle = s->state == TELEPHONE_EVENT_IDLE;
		if (s->next == s->count) {
			enter(s, TELEPHONE_EVENT_IDLE);
			return idle ? TELEPHONE_EVENT_STEP_NOTHING : TELEPHONE_EVENT_STEP_DONE;
		}
		begin_next(s, timestamp);
	}
	switch (s->state) {
	case TELEPHONE_EVENT_KEY:
		return key_step(s, clock_khz, packet);
	case TELEPHONE_EVENT_GAP:
		return gap_step(s, clock_khz, packet);
	default:
		s->elapsed_ms += PERIOD_MS;
		return TELEPHONE_EVENT_STEP_SILENCE;
	}
}

uint32_t telephone_event_cut(
	struct telephone_event_sender *s, unsigned clock_khz, struct telephone_event_packet *packet)
{
	uint32_t ends = s->ends;

	if (s->state == TELEPHONE_EVENT_KEY) {
		ends = ENDS;
		enter(s, TELEPHONE_EVENT_GAP);
	}
	s->ends = 0;
	if (ends)
		send_packet(s, clock_khz, true, false, packet);
	return ends;
}

uint32_t telephone_event_duration(const struct telephone_event_packet *packet)
{
	return rtp_get16(packet->payload + 2);
}

bool telephone_event_held(const struct telephone_event_sender *s)
{
	return s->state == TELEPHONE_EVENT_KEY ||
	       (s->state == TELEPHONE_EVENT_GAP && s->elapsed_ms == 0);
}
