/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A media port: one leg's stream in and stream out.
 *
 * Ports lie in one array, indexed by slot, which the local address and UDP port of a packet give
 * directly. Each slot has an owner: the worker whose ring opened the port, later the worker of the
 * room it moved to. The owner alone touches the port's memory; another worker that receives one of
 * its packets passes the packet on. An owner gives a port away by storing the new owner and then
 * saying so in an exchange (worker.h).
 *
 * What a packet and a tick touch of a plain port lies in the cache lines of struct port, what else
 * every port has in struct port_cold, and what few ports need (other packet times and rates,
 * concealment, keys in the sound) in struct port_rich.
 *
 * Streams: one SSRC, sequence + 1 for each packet, timestamps by media time: 20 ms of the RTP clock
 * for each period since the segment began, so that they go on across gaps, rooms and workers. A
 * change of the RTP clock begins another stream.
 */
#ifndef DATAPLANE_PORT_H
#define DATAPLANE_PORT_H

#include "coder.h"
#include "conceal.h"
#include "inband_keys.h"
#include "jitter.h"
#include "learn.h"
#include "player.h"
#include "report.h"
#include "rtp_source.h"
#include "telephone_event.h"

#include <cordboard/segment.h>

struct dataplane;
struct worker;

#define PORT_NONE         0xffffffffu
#define PORT_PERIOD_UNITS 160u /* samples at 8 kHz, and codes of G.711 and G.722, of 20 ms */
#define PORT_CODES_MAX    (PORT_PERIOD_UNITS * CORD_PTIME_MAX_MS / 20)
/* In the jitter buffer: a frame that nobody could hear when it came, so its packet was not kept. */
#define PORT_UNHEARD 0xffffffffu
/* Comfort noise (RFC 3389) has this payload type where nothing else was said: RFC 3551. */
#define PORT_COMFORT_NOISE 13u
/* Good frames (a minute) after which a port without loss needs no record for concealment. */
#define PORT_CONCEAL_CALM 3000u

enum port_flags {
	PORT_PLAYING = 1 << 0,    /* its player runs */
	PORT_KEYS = 1 << 1,       /* keys are being sent */
	PORT_KEYS_ASKED = 1 << 2, /* ... by a command: the end is announced */
	PORT_HEARD = 1 << 3,      /* MEDIA_FIRST has been told */
	PORT_CONCEALS = 1 << 4,   /* the record for concealment is in use */
	PORT_RICH_IN = 1 << 5,    /* received samples wait in rich->in[] */
	PORT_RICH_OUT = 1 << 6,   /* what is sent is not a packet of fixed size each period */
	PORT_QUIET = 1 << 7,      /* the last frame received had no talk in it */
	PORT_STARTED = 1 << 8,    /* a packet has been sent */
	PORT_CHANGED = 1 << 9,    /* its status in the segment is to be written */
	PORT_RTCP_MUX = 1 << 10,  /* RTCP shares the RTP ports */
	PORT_MAY_PAUSE = 1 << 11, /* nothing need be sent while there is nothing to hear */
	PORT_SECURE = 1 << 12,    /* it has keys, and what is plain is neither taken nor sent */
	PORT_NOISE = 1 << 13,     /* the talker is silent, and asked for comfort noise */
	PORT_INBAND = 1 << 14,    /* keys are in the sound, both ways */
	PORT_OTHER_KEY = 1 << 15, /* the key that it receives with lies in its other SRTP slot */
};

struct port {
	/* line 1: address, stream out */
	alignas(64) cord_id id; /* 0: closed */
	uint32_t remote_ip;     /* network order, as all addresses and UDP ports here; of IPv4 */
	uint16_t remote_udp;
	uint16_t local_udp;
	uint32_t local_ip; /* of IPv4 */
	uint32_t neighbor;
	uint8_t codec, payload_type, event_payload_type, ptime_ms;
	uint8_t direction;
	uint8_t member : 4; /* place in its room */
	bool marker : 1;    /* the next packet begins a stretch */
	uint8_t family;     /* enum cord_family of both addresses; those of IPv6 are cold */
	uint16_t flags;     /* enum port_flags */
	uint16_t sequence;  /* of the next packet */
	uint32_t ssrc;
	uint32_t timestamp_base;
	uint32_t period; /* last one in which it was worked */
	uint32_t slot;
	uint32_t tx_packets, tx_bytes;
	uint32_t silent; /* periods without a frame to hear */

	/* lines 2 and 3: play-out */
	struct jitter jitter;

	/* line 4: stream in, which a tick does not touch */
	alignas(64) struct rtp_source source;
	cord_time last_rx;
	uint32_t rx_packets;
	uint32_t room; /* slot, PORT_NONE: in none */
	uint8_t receive_payload_type, receive_event_payload_type;
	uint8_t learns;             /* enum learn_state */
	bool alone;                 /* in its room, which nobody records: nobody can hear it */
	cord_time key_before_until; /* the key received with before counts: port_secure.h */
};
_Static_assert(sizeof(struct port) == 256, "four cache lines");

/* Where a port at an IPv6 address is, and its peer. */
struct port_ipv6 {
	uint8_t local[16], remote[16];
	uint32_t label; /* of the flow, 20 bits (RFC 6437) */
};

/* Samples of a source on their way to the other rate. */
struct port_rate {
	uint32_t period; /* the last one that went through; after a gap it begins anew */
	struct resample_up up;
	struct resample_down down;
};

/* What a tick looks at now and then, and commands at all times, of every port. */
struct port_cold {
	/* line 1: what is told of the port, with the report behind it */
	alignas(64) cord_time opened;
	cord_time first_rx;
	uint32_t late, duplicate, concealed, recovered, rx_dropped, source_dropped;
	uint32_t keys;
	char key[CORD_DIGIT_LOG];
	uint32_t last_generation; /* of the slot's last port; survives close */
	struct report report;
	struct learn learn;
	alignas(64) struct player player;   /* what plays is looked at in every period */
	_Atomic uint32_t staged_generation; /* of player.staged, for a worker that asks for it */
	struct telephone_event_receiver event_in;
	struct telephone_event_sender event_out;
	uint8_t event_khz; /* clock of telephone-events, both ways; 0: none */
	bool rich;         /* its struct port_rich has been begun */
	struct port_ipv6 ipv6;
	/* other packet times: samples of rich->in[], codes of rich->out[] */
	uint32_t in_count, out_count;
	uint32_t out_timestamp;
	/* G.722 and Opus */
	struct coder *coder;            /* NULL: the port has G.711 */
	struct codec_encoding encoding; /* as agreed */
	uint8_t opus_rate_khz;          /* most that the peer wants to hear */
	bool opus_pass;                 /* CORD_TERMS_OPUS_PASS */
	/* comfort noise, and how long nothing has been sent */
	uint8_t noise_payload_type, receive_noise_payload_type;
	uint8_t noise_level;     /* -dBov */
	uint16_t noise_sequence; /* of the packet that asked for it */
	uint16_t paused;         /* periods */
};
_Static_assert(offsetof(struct port_cold, report) == 64, "what is told of a port fills a line");

/* What few ports need. It takes memory from when a port of its slot first does: worker_rich(). */
struct port_rich {
	struct inband_keys inband;
	/* from one rate to the other: what it says, what its player plays */
	struct port_rate talk_rate, player_rate;
	/* Up to here it begins as zeros; from here on, what is in use is said elsewhere. */
	int16_t in[2 * CODEC_SAMPLES_MAX]; /* samples that wait to be heard, as they are decoded */
	uint8_t out[2 * PORT_CODES_MAX];   /* codes that wait to be sent */
	uint32_t conceal_good;             /* with the record: PORT_CONCEALS */
	struct conceal conceal;
};

/*
 * Judges a command's copy and applies it. Every one returns why it refused, or
 * CORD_REFUSAL_NONE. The caller is the worker whose ring the command came in.
 */
enum cord_refusal port_open(struct worker *w, const struct cord_port_open *m, cord_time now_ns);
enum cord_refusal port_set(struct worker *w, const struct cord_port_set *m, cord_time now_ns);
enum cord_refusal port_close(struct worker *w, const struct cord_port_close *m, cord_time now_ns);
enum cord_refusal port_playlist(struct worker *w, const struct cord_port_playlist *m);
enum cord_refusal port_digits(struct worker *w, const struct cord_port_digits *m);

/* An open port of this worker by id; why not, in *refusal. */
struct port *port_find(struct worker *w, cord_id id, enum cord_refusal *refusal);

/* Closes without judging: the port is open and ours. */
void port_remove(struct worker *w, struct port *p, cord_time now_ns);

/* From now on the port's peer is at `to`, of its family. */
void port_move(struct worker *w, struct port *p, const struct cord_address *to);

/* Gives the packets in the jitter buffer back and forgets the stream's play-out. */
void port_flush(struct worker *w, struct port *p);

/* Forgets what waits to fill a packet to the peer. */
void port_forget_unsent(struct port_cold *cold);

/* RTP clock units of 20 ms. */
static inline uint32_t port_period_units(const struct port *p)
{
	return 20 * cord_codec_clock_khz(p->codec);
}

/* Length of the frames of Opus that a packet to the peer is made of. */
static inline uint32_t port_frame_ms(const struct port *p)
{
	return p->ptime_ms % 20 ? 10 : 20;
}

/* A key of the port's peer has begun: tells it, and passes it on to whom the room's mask says. */
void port_told_key(struct worker *w, struct port *p, char digit);

/*
 * One period of the keys that are being sent, as telephone_event_step(); what ends with it has
 * ended for the port.
 */
enum telephone_event_step port_key_step(struct worker *w, struct port *p, uint32_t timestamp,
	unsigned clock_khz, struct telephone_event_packet *packet);

/* Sends no more keys; says so, in the status first, when a command had asked for them. */
void port_keys_end(struct worker *w, struct port *p);

/* Writes the port's status in the segment. */
void port_status_write(struct worker *w, struct port *p);
/* Of it only where the player is: as a clip begins, for who wants to go on there. */
void port_status_write_player(struct worker *w, struct port *p);

#endif
