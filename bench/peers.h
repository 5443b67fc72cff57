/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peers of a bench: they make the packets that a worker receives and judge those that it sends,
 * so that no figure is of a worker that does its work badly.
 *
 * Peer n is that of port slot n, at the address that rooms.h gives it. It says one of PEERS_FRAMES frames in
 * each period, another one than the other members of its room, or nothing. What it is sent must be
 * one stream without a gap; of every PEERS_SAMPLE-th peer the sound is compared too, which must be
 * what the other members of its room said a few periods ago, or the frames of the clip in their
 * order.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "nic.h"

#define PEERS_UDP    4000u /* RTCP is the next */
#define PEERS_FRAMES 251u
#define PEERS_SAMPLE 61u

struct peers_config {
	uint32_t peers, room; /* room: members of each, 1 or 3; slots n * room and on */
	enum cord_codec codec;
	uint32_t suite; /* enum cord_srtp_suite */
	bool talk;      /* they send */
	bool verified;  /* the NIC has verified the checksums */
	const struct nic *nic;
	const uint32_t *local; /* our addresses, network order: slot / CALLS_ADDRESS */
};

struct peers;

/* Leaves the program when there is no memory. */
struct peers *peers_create(const struct peers_config *config);
void peers_destroy(struct peers *p);

/* The key of a direction, for the port's terms. CORD_SRTP_NONE where the suite is that. */
struct cord_srtp_key peers_key(uint32_t suite, uint32_t slot, bool to_port);

/* A sample of the clip that plays while a caller waits. */
int16_t peers_music(void *context, uint32_t index, uint32_t rate_hz);

/* The packets of `n` peers in a period, as a NIC would give them. */
void peers_talk(struct peers *p, const uint32_t *slot, uint32_t n, uint32_t period,
	struct rte_mbuf **packet);

/* Judges `n` packets that are sent in a period. Leaves the program at the first bad one. */
void peers_listen(struct peers *p, struct rte_mbuf **packet, uint32_t n, uint32_t period);

/* Since they were created: packets of media, of RTCP, and those whose sound was compared. */
struct peers_figures {
	uint64_t media, rtcp, compared;
	uint64_t hash; /* of the sound that was compared */
};
struct peers_figures peers_figures(const struct peers *p);

#endif
