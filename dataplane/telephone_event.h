/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys as telephone-events (RFC 4733): received once each, sent with pauses. Pure.
 *
 * clock_khz is the event's clock, 8 to 48: timestamps and durations of events count it.
 */
#ifndef TELEPHONE_EVENT_H
#define TELEPHONE_EVENT_H

#include <cordboard/limits.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TELEPHONE_EVENT_BYTES 4u

/* "0123456789*#ABCD" by event code; '\0' for a code that is no key. */
char telephone_event_digit(uint8_t event);
/* The event code of a key (lower case letters too), or -1. */
int telephone_event_code(char digit);

/* ---- receiving ------------------------------------------------------------------------------ */

/*
 *             new timestamp: BEGUN                     end bit: ENDED
 *   (ended) ------------------------> (in event) -----------------------> (ended)
 *                                      |      ^ update, next segment: CONTINUES
 *                                      +------+ new timestamp (the end was lost): BEGUN
 *
 * A key is told by its timestamp. Of an event longer than a duration can say (RFC 4733 section
 * 2.5.1.3) each segment has a timestamp of its own that begins where the last one stopped; it
 * continues the same key, also when what said where that was has been lost.
 */
struct telephone_event_receiver {
	uint32_t timestamp; /* of the event, or its last segment */
	uint16_t duration;  /* longest seen */
	uint8_t event;
	uint8_t known : 1; /* an event has been seen */
	uint8_t ended : 1;
	uint8_t renewed : 1; /* the stream has begun anew since */
};
_Static_assert(sizeof(struct telephone_event_receiver) == 8, "lies in a port's record");

enum telephone_event_verdict {
	TELEPHONE_EVENT_BEGUN,     /* a key: tell it */
	TELEPHONE_EVENT_CONTINUES, /* update or next segment of the same key */
	TELEPHONE_EVENT_ENDED,     /* first end of the key */
	TELEPHONE_EVENT_REPEATED,  /* end sent again, or packet of an event that is over */
	TELEPHONE_EVENT_IGNORED,   /* an event that is no key */
	TELEPHONE_EVENT_BAD,       /* malformed: count it, drop it */
};

/*
 * Takes the payload of one packet. *digit is written with BEGUN only. A key of which all but the
 * end was lost is begun by its end. Call telephone_event_receiver_renew() when the stream changes.
 */
enum telephone_event_verdict telephone_event_receive(struct telephone_event_receiver *r,
	unsigned clock_khz, const uint8_t *payload, size_t bytes, uint32_t timestamp, bool marker,
	char *digit);

/*
 * From now on the stream has other timestamps, and perhaps another clock. An event that is held
 * through that goes on with a timestamp of its own, and none of its packets may begin it again: the
 * first one without a marker that is at least as long as what was seen of it belongs to it, and of
 * one that has ended its end sent again. Any other begins a key.
 */
void telephone_event_receiver_renew(
	struct telephone_event_receiver *r, unsigned from_khz, unsigned to_khz);

/* ---- sending -------------------------------------------------------------------------------- */

/*
 *            start              duration over          gap over, digits left
 *   IDLE ------------> EVENT --------------------> GAP ---------------------> EVENT or PAUSE
 *    ^                   ^                          |                            |
 *    |  done             +--------------------------|------ pause over ----------+
 *    +----------------------------------------------+ gap over, no digits left
 *
 * One packet a period while a key is held, the end three times, each in a period of its own, all
 * with the timestamp of the key's beginning. The gap counts from the key's end.
 */
enum telephone_event_sender_state {
	TELEPHONE_EVENT_IDLE,
	TELEPHONE_EVENT_KEY,
	TELEPHONE_EVENT_GAP,
	TELEPHONE_EVENT_PAUSE,
};

struct telephone_event_sender {
	uint32_t timestamp;  /* of the key that is being sent */
	uint16_t elapsed_ms; /* in the present state */
	uint16_t key_ms, gap_ms, pause_ms;
	uint16_t sent_ms;    /* of the key that has ended, for its repeated ends */
	uint8_t state;       /* enum telephone_event_sender_state */
	uint8_t ends;        /* ends still to be sent */
	uint8_t count, next; /* digits in all, the next one to begin */
	uint8_t event;       /* code of the present key */
	char digit[CORD_DIGITS_MAX];
};

struct telephone_event_packet {
	uint8_t payload[TELEPHONE_EVENT_BYTES];
	uint32_t timestamp;
	bool marker;
};

enum telephone_event_step {
	TELEPHONE_EVENT_STEP_NOTHING, /* idle: media goes out as usual */
	TELEPHONE_EVENT_STEP_SILENCE, /* in a gap or pause: send silence instead of media */
	TELEPHONE_EVENT_STEP_PACKET,  /* send the packet instead of media */
	TELEPHONE_EVENT_STEP_DONE,    /* all has been sent: tell it; media goes out as usual */
};

static inline void telephone_event_sender_init(struct telephone_event_sender *s)
{
	*s = (struct telephone_event_sender){0};
}

/*
 * Begins to send `count` digits (0-9 * # A-D, ',' is a pause). Returns 0, -EBUSY while others are
 * being sent, -EINVAL for another character, a count that is not 1..CORD_DIGITS_MAX, or a time
 * outside what struct cord_port_digits allows.
 */
int telephone_event_send(struct telephone_event_sender *s, const char *digits, size_t count,
	unsigned key_ms, unsigned gap_ms, unsigned pause_ms);

/*
 * Adds one digit to what is being sent, or begins with it (100 ms, gap 60 ms): for keys passed on
 * from another port. Returns 0, -EINVAL for no key, -ENOSPC when too many wait.
 */
int telephone_event_send_more(struct telephone_event_sender *s, char digit);

/*
 * One period of 20 ms of the stream: timestamp is when it begins, in the event's clock. *packet is
 * written with STEP_PACKET only.
 */
enum telephone_event_step telephone_event_step(struct telephone_event_sender *s, uint32_t timestamp,
	unsigned clock_khz, struct telephone_event_packet *packet);

/*
 * The stream ends here. How often *packet, which is the end of the key that is held or has just been,
 * has still to be sent in it; what was to be sent after that key is sent in the next stream.
 */
uint32_t telephone_event_cut(struct telephone_event_sender *s, unsigned clock_khz,
	struct telephone_event_packet *packet);

/* Of the key, up to the end of the period, in its clock. */
uint32_t telephone_event_duration(const struct telephone_event_packet *packet);

/* Whether the key was held in the period of the last step: its end is sent again after that. */
bool telephone_event_held(const struct telephone_event_sender *s);

#endif
