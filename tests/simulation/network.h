/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network: datagrams between the SIP core of the switchboard and the peers around it. They are lost,
 * doubled, late and overtaken as the seed says; a host falls silent for a while; a 200 comes from a
 * second fork; a re-INVITE, a CANCEL or a BYE meets one of the peer on its way. In some rounds there are
 * jams: messages wait for their turn at the board while many call at once, and some are refused.
 *
 *   control/contact/signalling.c --> sip_transports_*, replaced --> network --> peers.c (another SIP core)
 */
#pragma once

#include "sip/hop.h"
#include "world.h"

enum {
	HOST_BOARD,
	HOST_CARRIER, /* two gateways */
	HOST_CARRIER_2,
	HOST_PHONES, /* and one for each agent */
	HOSTS = HOST_PHONES + SIM_AGENTS_MAX,
};

struct network_stats {
	uint64_t sent, lost, doubled, delivered, silenced, forked, repeated;
	uint64_t byes, cancels, reinvites; /* that the board sent, without repetitions */
	uint64_t jams, refused;            /* calls refused in overload */
};

void network_open(void);
/* Nothing may be on its way. Checks what the whole of the messages shows (invariant 6). */
void network_close(void);
const struct network_stats *network_stats(void);
struct address network_address(unsigned host);
/* What the peers' SIP core sends through; the listener of a hop is the host, plus 1. */
const struct sip_wire *network_wire_of_peers(void);
/* Sent from nobody's SIP core. */
void network_put(unsigned from, const struct address *to, const void *bytes, size_t n);
/* Whether a call was refused before anything was known of it. */
bool network_refused(struct str call_id);
/* A host hears and says nothing for a while. */
void network_silence(unsigned host, uint64_t ns);

/* ---- peers.c ---- */

/* A datagram for a peer. */
void peers_receive(const struct sip_hop *hop, const void *bytes, size_t n);
/* The board's message of this call is on its way: the peer may do the same at the same moment. */
void peers_cross(struct str call_id, enum sip_method method);
/* Something is on its way. */
void peers_watch(void);
/* Transactions and sessions of the board. */
unsigned peers_board_live(void);
/* One more than arrive by and by. */
void caller_calls(void);

/* ---- watched.c ---- */

/* board_session_events, through checks. */
extern const struct sip_session_events watched_events;
