/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One leg of the ear: a UDP socket that sends an RTP stream of a tone and listens to another.
 *
 * It is a plain test phone: what comes is decoded as it comes, with no jitter buffer, so that the
 * report shows what the other side sent. Time is CLOCK_MONOTONIC; reports count milliseconds from
 * the start of the ear.
 */
#ifndef EAR_LEG_H
#define EAR_LEG_H

#include "ear_codec.h"
#include "ear_srtp.h"
#include "tones.h"

#include <netinet/in.h>

#define EAR_NAME_MAX    32u
#define EAR_DIGITS_MAX  64u
#define EAR_DELAYED_MAX 64u
#define EAR_PACKET_MAX  1500u
#define EAR_PAUSES      128u
#define EAR_PAUSE_MS    60u /* without a packet for longer than this is a pause */

struct ear_options {
	enum ear_codec_kind codec;
	unsigned ptime_ms; /* of what is sent */
	int payload_type;  /* of the codec, both ways; -1: its static one, or 96 */
	int event_payload_type;
	unsigned event_clock_khz;
	double level_db;
	unsigned loss, reorder; /* of 1000 packets sent */
	unsigned jitter_ms;
	int drift_ppm; /* sends faster (+) or slower than real time */
	unsigned seed;
	bool learn; /* send to wherever packets come from */
};

union ear_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct ear_delayed {
	uint64_t at_ns;
	size_t bytes;
	uint8_t packet[EAR_PACKET_MAX];
};

struct ear_leg {
	char name[EAR_NAME_MAX];
	int fd;
	struct ear_options options;
	union ear_address local, remote; /* of one family */
	bool has_remote;
	uint64_t epoch_ns; /* start of the ear */
	const struct tone_bank *bank;
	void (*told)(void *context, const struct tone_heard *entry);
	void (*key)(struct ear_leg *leg, char digit, uint64_t at_ms);

	/* sending */
	uint64_t next_ns; /* when the next packet is due */
	struct tone_maker maker, digit_low, digit_high;
	struct ear_codec codec;
	struct ear_srtp *srtp; /* NULL: plain */
	unsigned tone_hz;
	bool muted; /* sends silence */
	bool held;  /* sends nothing */
	bool marker;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	unsigned sent;
	char digits[EAR_DIGITS_MAX];
	unsigned digit_count, digit_next, digit_ms, digit_elapsed_ms;
	uint32_t digit_timestamp;
	struct ear_delayed delayed[EAR_DELAYED_MAX];

	/* receiving */
	unsigned received, missing, duplicates, reordered, timestamp_jumps, ssrc_changes, malformed,
		other_payload, unprotected; /* the last: packets that did not authenticate */
	bool heard_any;
	uint16_t in_sequence;
	uint32_t in_timestamp, in_ssrc, in_samples, event_timestamp;
	bool event_seen;
	union ear_address from;
	uint64_t first_ms, last_ms, last_ns, sound_until_ms;
	unsigned longest_pause_ms;
	struct tone_span pause[EAR_PAUSES];
	unsigned pauses;
	char keys[EAR_DIGITS_MAX + 1];
	unsigned key_count;
	int16_t window[TONES_WINDOW];
	unsigned window_filled;
	struct tone_line line;
};

/* An address and port as text: 0, or -EINVAL. */
int ear_address_make(union ear_address *address, const char *ip, unsigned port);
unsigned ear_address_port(const union ear_address *address);

/* Opens the socket (port 0: any). Returns 0 or a negative errno. */
int ear_leg_open(struct ear_leg *leg, const char *name, const char *ip, unsigned port,
	const struct ear_options *options);
void ear_leg_close(struct ear_leg *leg);
/* Forgets what was heard and counted. */
void ear_leg_clear(struct ear_leg *leg);
/* Sends everything that is due; returns when the leg wants to run again. */
uint64_t ear_leg_send(struct ear_leg *leg, uint64_t now_ns);
/* Reads everything that has come. */
void ear_leg_receive(struct ear_leg *leg);
/* Queues digits to be sent: telephone-events, or tones where the leg has none. 0, or -EINVAL. */
int ear_leg_digits(struct ear_leg *leg, const char *digits, unsigned ms);
/*
 * Plays somebody who knows all of us but our keys: sends `count` packets at once that go on as ours
 * would (20 ms of a tone in the clear, SRTP of noise), or those that were sent last once more.
 */
enum ear_attack { EAR_PLAIN, EAR_FORGED, EAR_REPLAYED, EAR_ATTACKS };
void ear_leg_attack(struct ear_leg *leg, enum ear_attack how, unsigned count, unsigned hz);
/* Encrypts from now on; equal keys go on as they were. See ear_srtp.h. Returns 0, or -EINVAL. */
int ear_leg_key(
	struct ear_leg *leg, const char *suite, const char *send_key, const char *receive_key);
/* Prints the report as one line of JSON. */
void ear_leg_report(const struct ear_leg *leg, uint64_t now_ns);

#endif
