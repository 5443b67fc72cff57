/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dataplane on a bench: workers without threads, a clock that the test drives, peers that are
 * tones. Packets go straight into rx_packet(); what would leave through the NIC is taken apart and
 * kept for each port.
 */
#ifndef RIG_H
#define RIG_H

#include "codec.h"
#include "dataplane.h"
#include "worker.h"

#define RIG_SAMPLES_MAX 80000u
#define RIG_PORTS       64u
#define RIG_CODERS      16u /* of each worker */
#define RIG_EVENTS_MAX  256u
#define RIG_KEYS_MAX    120u
#define RIG_NOISE       13u /* payload type of comfort noise */

struct rig_heard {
	uint32_t packets, events, noises, rtcp;
	uint8_t last_rtcp[RTCP_WRITE_MAX];
	uint32_t last_rtcp_bytes;
	uint16_t rtcp_from, rtcp_to; /* UDP ports of the last RTCP packet */
	uint32_t sequence_gaps, timestamp_gaps, markers;
	uint16_t sequence;
	uint32_t timestamp, next_timestamp, ssrc;
	uint32_t payload_bytes, payload_us;
	uint8_t payload[1500]; /* of the last packet of media */
	uint32_t unauthentic;  /* of a secure peer: RTP or RTCP that its key did not open */
	bool renewed;          /* another stream may begin */
	uint8_t last_event[4];
	char keys[RIG_KEYS_MAX + 1]; /* told by events */
	struct telephone_event_receiver event;
	struct codec_decoder *decoder; /* of G.722 and Opus, with which samples are at 16 kHz */
	uint32_t samples;
	int16_t pcm[RIG_SAMPLES_MAX];
};

struct rig_peer {
	double hz; /* of its tone; 0: silent */
	uint16_t sequence;
	uint32_t timestamp, ssrc, sample;
	uint32_t ptime_ms;
	uint32_t lose; /* so many of the next packets do not arrive */
	struct codec_encoder *encoder;
	bool sends;
	uint64_t next_ns;
	bool secure; /* it has keys: what it sends is SRTP, and nothing else is heard */
};

struct rig {
	struct dataplane dp;
	/* the peers' own SRTP, by libsrtp */
	struct srtp_keys *peer_keys;
	struct srtp_engine *peer_srtp;
	struct cord_srtp_key send_key[RIG_PORTS], receive_key[RIG_PORTS]; /* as the port has them */
	cord_time now_ns;
	uint32_t workers;
	uint32_t home;        /* the worker that the NIC gives every packet */
	uint64_t nic_verdict; /* on checksums: ol_flags of every packet that comes */
	struct cord_ring_writer commands[CORD_WORKERS_MAX];
	struct cord_ring_reader events[CORD_WORKERS_MAX];
	uint64_t correlation;
	bool attended; /* a control of its own reads the events */
	uint32_t generation[RIG_PORTS];
	struct rig_peer peer[RIG_PORTS];
	struct rig_heard heard[RIG_PORTS];
	uint8_t codec[RIG_PORTS];
	uint8_t event_khz[RIG_PORTS];              /* clock of events; 0: 8 */
	struct cord_message event[RIG_EVENTS_MAX]; /* all but DONE */
	uint32_t event_count;
	int last_refusal;
	uint64_t last_correlation;
	uint32_t other_bytes; /* of the last frame sent that is not UDP */
	uint8_t other[1600];
};

/* Starts the EAL once for the process. */
void rig_start_eal(void);

struct rig *rig_create(uint32_t workers);
struct rig *rig_create_with(uint32_t workers, enum cord_srtp_backend backend);
/* The first half of the slots at an IPv4 address, the second at an IPv6 one. */
#define RIG_IPV6 (RIG_PORTS / 2)
struct rig *rig_create_dual(uint32_t workers);
/* Ports 0 to 2 of worker 0, whose peers talk in these tones, beside an empty room 0. */
struct rig *rig_create_three(uint32_t workers, const double tone[3], enum cord_codec a,
	enum cord_codec b, enum cord_codec c);
void rig_destroy(struct rig *r);

/* Writes a command and passes until it is answered: enum cord_refusal, or -1. */
int rig_ask(struct rig *r, uint32_t worker, struct cord_message *m, enum cord_message_type type);

/* The id of the port or room in a slot, as the rig opened it last. */
cord_id rig_port(struct rig *r, uint32_t slot);
cord_id rig_room(uint32_t slot);

/* Where the peer of a port is: 10.0.0.(slot+1):4000, or fd00::(slot+1). */
struct cord_address rig_remote(const struct rig *r, uint32_t slot);

/*
 * A port with the ordinary terms: remote 10.0.0.(slot+1):4000, RTCP at 4001, 20 ms, both directions,
 * events.
 * rig_open() puts the remote of the slot's family in its place.
 */
struct cord_terms rig_terms(uint32_t slot, enum cord_codec codec);
struct cord_port_open rig_port_open(struct rig *r, uint32_t slot, enum cord_codec codec);
int rig_open(struct rig *r, uint32_t worker, uint32_t slot, enum cord_codec codec);
/* The same with other terms; the remote is that of the slot. */
int rig_open_terms(struct rig *r, uint32_t worker, uint32_t slot, const struct cord_terms *terms);
/* The peer of a port speaks and expects this codec from now on. */
void rig_code(struct rig *r, uint32_t slot, enum cord_codec codec);
int rig_open_room(struct rig *r, uint32_t worker, uint32_t slot);

/* Sets room 0-style: n members in slots[], hears[i] masks; no gains, no players. */
int rig_set(struct rig *r, uint32_t worker, uint32_t room, uint32_t n, const uint32_t *slots,
	const uint16_t *hears);

/*
 * Gives the peer of a port keys of a suite, which follow from the seeds: of what the port sends, and
 * of what it receives. rig_open() has them from now on, the peer has them at once.
 */
void rig_secure(struct rig *r, uint32_t slot, enum cord_srtp_suite suite, uint32_t send_seed,
	uint32_t receive_seed);

/* Makes SRTP or SRTCP of what a secure peer sends; room for SRTP_TRAILER_MAX behind. New length. */
uint16_t rig_protect(struct rig *r, uint32_t slot, bool rtcp, uint8_t *data, uint16_t bytes);

/* A datagram from a port's peer to its first or second UDP port, at once. */
void rig_datagram(
	struct rig *r, uint32_t slot, bool second, const uint8_t *payload, uint16_t bytes);

/* Lets the peer of a port send a tone from now on. */
void rig_talk(struct rig *r, uint32_t slot, double hz);
void rig_hush(struct rig *r, uint32_t slot);

/* Moves time on in steps of 1 ms; peers send, workers pass, packets are taken apart. */
void rig_run(struct rig *r, uint32_t ms);

/* One RTP packet of a port's peer, at once. */
void rig_rtp(struct rig *r, uint32_t slot, uint8_t payload_type, bool marker, uint16_t sequence,
	uint32_t timestamp, const uint8_t *payload, uint16_t bytes);

/* Headers of a datagram of `payload` bytes to a port, as its peer sends it; where they end. */
uint8_t *rig_headers(const struct rig *r, uint32_t slot, uint8_t *frame, uint16_t payload);
/* Checksums of such a frame, payload in place or changed. */
void rig_seal(uint8_t *frame);

/* One RTCP packet of a port's peer, at once. */
void rig_rtcp(struct rig *r, uint32_t slot, const uint8_t *payload, uint16_t bytes);

/* A frame as it lies on the wire, at once, to the home worker. */
void rig_frame(struct rig *r, const void *frame, uint16_t bytes);

/* The same, and expects exactly one counter of the verdicts to move. */
void rig_expect(struct rig *r, const void *frame, uint16_t bytes, enum cord_counter verdict);

/* What a port's codec is sampled at, kHz. */
uint32_t rig_rate_khz(const struct rig *r, uint32_t slot);

/* Amplitude of a tone in the last `ms` that a port's peer was sent. */
double rig_level(const struct rig *r, uint32_t slot, double hz, uint32_t ms);

/* Forgets what was heard so far (not sequence and timestamp). */
void rig_forget(struct rig *r);

/* Events of a type since the last rig_forget(). */
uint32_t rig_events(const struct rig *r, enum cord_message_type type);

uint64_t rig_counter(const struct rig *r, enum cord_counter counter);

/* A clip that is a tone, ready in the dataplane. */
void rig_clip(struct rig *r, cord_clip_id id, uint32_t format, uint32_t frames, double hz);

#endif
