/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one list of commands (control to dataplane) and events (dataplane to control).
 *
 * A message is copied whole through a ring slot. The receiver copies it out, then judges the copy:
 * type, size, every index, every id. A refused command is answered by CORD_EVENT_DONE with a reason
 * and changes nothing; an unknown event is counted and dropped.
 *
 * Every command is answered by exactly one CORD_EVENT_DONE that carries its correlation, after it
 * has been applied. State that events announce (port alive, player position, digits received) can
 * be read again from the segment (segment.h, struct cord_port_status), so a lost event delays
 * knowledge and loses none.
 *
 * A command about a port or a room goes into the command ring of the worker that owns the room. A
 * port is opened on the worker of the room that it will sit in; which worker's NIC queue its
 * packets arrive at does not matter to control.
 */
#ifndef CORDBOARD_MESSAGES_H
#define CORDBOARD_MESSAGES_H

#include <cordboard/types.h>

/* In place of a payload type: there is none. */
#define CORD_NO_PAYLOAD_TYPE 255u

/* ---- control to dataplane ---- */

/* What a port may or must do beside sending and taking its codec. Bits of cord_terms.flags. */
enum cord_terms_flag {
	/* RTCP in both directions on the RTP ports (RFC 5761); remote_rtcp_udp_port is of no meaning */
	CORD_TERMS_RTCP_MUX = 1 << 0,
	/*
	 * The peer is behind NAT: its first valid packets say where it is, once (RFC 4961). Media
	 * goes to `remote` until then.
	 */
	CORD_TERMS_LEARN = 1 << 1,
	/* nothing need be sent while there is nothing to hear: comfort noise, or DTX of Opus */
	CORD_TERMS_MAY_PAUSE = 1 << 2,
	/* keys are looked for in the sound, and sent in it, since the peer has no telephone-event */
	CORD_TERMS_INBAND_KEYS = 1 << 3,
	/* Opus: in-band forward error correction in what we send */
	CORD_TERMS_OPUS_FEC = 1 << 4,
	/* Opus: its packets may go to others as they are, and it may be sent those of others */
	CORD_TERMS_OPUS_PASS = 1 << 5,
};
#define CORD_TERMS_FLAGS 0x3fu

/*
 * What both sides agreed on for a port: the whole of it, in the command that opens a port and in
 * each that changes it. "Send" is what we send; the peer names the payload types that it wants to
 * receive, and we ours.
 */
struct cord_terms {
	struct cord_address remote;    /* where media goes, and the only source it is taken from */
	uint16_t remote_rtcp_udp_port; /* where RTCP goes, at the same address; 0: none is sent */
	uint16_t media_timeout_s;      /* without media for so long is announced; 0: never */
	uint8_t codec;                 /* enum cord_codec */
	uint8_t ptime_ms;              /* of what we send: 10, 20, 30, 40 or 60 */
	uint8_t direction;             /* bits of enum cord_direction */
	uint8_t flags;                 /* bits of enum cord_terms_flag */
	/* 0..127; telephone-event (RFC 4733) and comfort noise (RFC 3389) or CORD_NO_PAYLOAD_TYPE */
	uint8_t payload_type, event_payload_type, noise_payload_type;
	uint8_t receive_payload_type, receive_event_payload_type, receive_noise_payload_type;
	/* Bounds of the play-out delay, CORD_JITTER_LEAST_MS or more; 0: the dataplane's own. */
	uint8_t jitter_min_ms, jitter_max_ms;
	uint32_t event_clock_hz; /* of telephone-event durations: 8000, 16000 or 48000 */
	/* Opus, of what we send: bit/s, 0: our default; 0..10; loss to be prepared for, percent */
	uint32_t opus_bitrate;
	uint8_t opus_complexity, opus_loss_percent;
	uint8_t opus_rate_khz; /* 8 or 16: most that the peer wants to hear */
	uint8_t reserved[1];
	/* suite CORD_SRTP_NONE: plain RTP. Both or none have a suite. */
	struct cord_srtp_key send_key, receive_key;
};

/*
 * Opens a media port. The slot of the id says the local address and UDP port (cord_segment_local()
 * in segment.h). The port sends nothing until it sits in a room.
 */
struct cord_port_open {
	cord_id port;
	/* of the stream we send; with keys the dataplane takes one of its own: see port_secure.h */
	uint32_t ssrc;
	uint32_t reserved;
	struct cord_terms terms;
};

/*
 * Changes what a re-INVITE changed. The jitter buffer is kept and stream numbers go on, unless the
 * RTP clock or the key to send with is another one: that is a new stream, with a new SSRC. Equal
 * keys keep their packet indices and replay windows. What comes under the key received with before
 * is taken until the peer has changed over, for 32 s at most.
 */
struct cord_port_set {
	cord_id port;
	struct cord_terms terms;
};

/* Closes a port; it leaves its room in the same step. */
struct cord_port_close {
	cord_id port;
};

/*
 * Stages a playlist at a port. It starts with the cord_room_set that names its generation. Clips
 * must have been announced ready. A staged list replaces one that was staged and not started.
 */
struct cord_port_playlist {
	cord_id port;
	uint32_t generation; /* not 0, chosen by control */
	uint8_t clips;       /* 1..CORD_PLAYLIST_MAX */
	uint8_t loop;        /* 1: from the last clip back to the first, for ever */
	uint8_t reserved[2];
	cord_clip_id clip[CORD_PLAYLIST_MAX];
};

/*
 * Sends digits as telephone-events to the port's peer. ',' is a pause. While they go out the peer
 * hears nothing else. CORD_EVENT_DIGITS_SENT follows the last.
 */
struct cord_port_digits {
	cord_id port;
	uint16_t duration_ms; /* of each key: 40..1000 */
	uint16_t gap_ms;      /* between keys: 40..1000 */
	uint16_t pause_ms;    /* of each ',': 100..5000 */
	uint8_t digits;       /* 1..CORD_DIGITS_MAX */
	uint8_t reserved;
	char digit[CORD_DIGITS_MAX]; /* 0-9 * # A-D , */
	uint8_t reserved2[6];
};

/* Opens an empty room on the worker that reads this ring. */
struct cord_room_open {
	cord_id room;
	uint32_t rate_hz; /* 8000 */
	uint32_t reserved;
};

enum cord_player_action {
	CORD_PLAYER_KEEP = 0,  /* goes on as it is */
	CORD_PLAYER_STOP = 1,  /* stops; nothing is announced */
	CORD_PLAYER_START = 2, /* starts the staged playlist of player_generation */
};

/* What a member is. */
enum cord_member_kind {
	CORD_MEMBER_PORT = 0,
	/*
	 * A tap (tap.h): its id stands in `port`, its left channel hears those of `hears`, its right
	 * one those of `digits_to` and the players of those of `players`. Nobody hears a tap, and it
	 * has no player and no gains. All taps stand behind all ports, CORD_ROOM_TAPS_MAX at most. One
	 * that is not there, not yet or not any more, is passed over: it holds up nobody's talk.
	 */
	CORD_MEMBER_TAP = 1,
};

struct cord_room_member {
	cord_id port;
	uint16_t hears;     /* bit n: hears member n of this message; its own bit: its own player */
	uint16_t digits_to; /* bit n: member n gets this member's keys as telephone-events */
	uint8_t player;     /* enum cord_player_action */
	uint8_t first_clip; /* START: where it begins; a list that loops goes back to its first clip */
	uint8_t kind;       /* enum cord_member_kind */
	uint8_t reserved[1];
	union {
		uint32_t player_generation;
		uint32_t players; /* of a tap */
	};
	uint32_t
		first_frame; /* of 20 ms, in that clip; out of range: the list begins at its first */
};

/* A gain other than 0 dB: how loud listener hears talker (talker == listener: its own player). */
struct cord_room_gain {
	uint8_t listener; /* index of the member in this message */
	uint8_t talker;
	int8_t gain_db; /* CORD_GAIN_MIN_DB..CORD_GAIN_MAX_DB, or CORD_GAIN_MUTE */
	uint8_t reserved;
};

/*
 * Says the whole state of a room: its members, who hears whom, who starts to play what. It is
 * heard by everybody in one and the same tick. Ports that were members and are not named leave (and
 * fall silent); a port that sits in another room leaves that one in the same step.
 */
struct cord_room_set {
	cord_id room;
	uint8_t members; /* 0..CORD_ROOM_MEMBERS_MAX */
	uint8_t gains;   /* 0..CORD_ROOM_GAINS_MAX */
	uint8_t reserved[6];
	struct cord_room_member member[CORD_ROOM_MEMBERS_MAX];
	struct cord_room_gain gain[CORD_ROOM_GAINS_MAX];
};

/* Closes a room. Its ports stay open and sit in none. */
struct cord_room_close {
	cord_id room;
};

/* ---- dataplane to control ---- */

/* The answer to a command, told apart by the correlation of the envelope. */
struct cord_event_done {
	uint32_t command; /* enum cord_message_type */
	uint32_t refusal; /* enum cord_refusal; CORD_REFUSAL_NONE: applied */
};

/* The first valid packet of a port since it was opened or its remote address changed. */
struct cord_event_media_first {
	cord_id port;
};

/*
 * No valid packet for media_timeout_s since the last one, or since the port was opened, moved or may
 * receive again. Told once, by a port that may receive and sits in a room.
 */
struct cord_event_media_lost {
	cord_id port;
};

/* A valid packet after MEDIA_LOST, of a peer that had been heard before; else it is MEDIA_FIRST. */
struct cord_event_media_back {
	cord_id port;
};

/* Where a peer behind NAT sends from, once for each address of its terms: CORD_TERMS_LEARN. */
struct cord_event_media_learned {
	cord_id port;
	struct cord_address address;
	uint32_t reserved;
};

/* A key of the peer has begun, told once for each key (RFC 4733 section 2.5.1.2: by timestamp). */
struct cord_event_digit {
	cord_id port;
	uint32_t sequence; /* counts the keys of the port, from 1 */
	char digit;        /* 0-9 * # A-D */
	uint8_t reserved[3];
};

/* The last clip of a playlist that does not loop has been played out. */
struct cord_event_player_end {
	cord_id port;
	uint32_t generation;
	uint32_t reserved;
};

/* The last digit of a cord_port_digits has been sent. */
struct cord_event_digits_sent {
	cord_id port;
};

/* ---- the list ---- */

#define CORD_COMMANDS(X)                \
	X(PORT_OPEN, port_open)         \
	X(PORT_SET, port_set)           \
	X(PORT_CLOSE, port_close)       \
	X(PORT_PLAYLIST, port_playlist) \
	X(PORT_DIGITS, port_digits)     \
	X(ROOM_OPEN, room_open)         \
	X(ROOM_SET, room_set)           \
	X(ROOM_CLOSE, room_close)

#define CORD_EVENTS(X)                    \
	X(DONE, event_done)               \
	X(MEDIA_FIRST, event_media_first) \
	X(DIGIT, event_digit)             \
	X(PLAYER_END, event_player_end)   \
	X(DIGITS_SENT, event_digits_sent) \
	X(MEDIA_LOST, event_media_lost)   \
	X(MEDIA_BACK, event_media_back)   \
	X(MEDIA_LEARNED, event_media_learned)

enum cord_message_type {
	CORD_MESSAGE_NONE = 0,
#define X(name, member) CORD_COMMAND_##name,
	CORD_COMMANDS(X)
#undef X
		CORD_COMMAND_END,
	CORD_EVENT_BEGIN = 64,
#define X(name, member) CORD_EVENT_##name,
	CORD_EVENTS(X)
#undef X
		CORD_EVENT_END,
};

struct cord_message {
	uint32_t type;        /* enum cord_message_type */
	uint32_t size;        /* of the member of the union that the type names */
	uint64_t correlation; /* of a command, and of its DONE; 0 in other events */
	cord_time time;       /* when it was written */
	union {
#define X(name, member) struct cord_##member member;
		CORD_COMMANDS(X) CORD_EVENTS(X)
#undef X
	};
};

_Static_assert(sizeof(struct cord_message) <= CORD_RING_SLOT_BYTES, "the largest message fits");

/* Whether messages of a type may hold keys, so that every copy is wiped after use. */
static inline bool cord_message_secret(uint32_t type)
{
	return type == CORD_COMMAND_PORT_OPEN || type == CORD_COMMAND_PORT_SET;
}

/* Size of the body that a type must have; 0 for a type that does not exist. */
static inline uint32_t cord_message_body_size(uint32_t type)
{
	switch (type) {
#define X(name, member)           \
	case CORD_COMMAND_##name: \
		return sizeof(struct cord_##member);
		CORD_COMMANDS(X)
#undef X
#define X(name, member)         \
	case CORD_EVENT_##name: \
		return sizeof(struct cord_##member);
		CORD_EVENTS(X)
#undef X
	default:
		return 0;
	}
}

static inline const char *cord_message_name(uint32_t type)
{
	switch (type) {
#define X(name, member)           \
	case CORD_COMMAND_##name: \
		return #name;
		CORD_COMMANDS(X)
#undef X
#define X(name, member)         \
	case CORD_EVENT_##name: \
		return #name;
		CORD_EVENTS(X)
#undef X
	default:
		return "?";
	}
}

#endif
