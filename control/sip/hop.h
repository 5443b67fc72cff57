/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a message goes to or came from, and the seam below all SIP logic.
 *
 * Everything above transport.h is pure: it sends through a `struct sip_wire`, which is the real
 * transport (transport.h) or a simulated network of a test. A new transport (TLS, WebSocket) is a
 * new enum sip_transport_kind that some wire knows how to send.
 */
#pragma once

#include <cordboard/types.h>

#include "base/address.h"
#include "sip/via.h"

#define SIP_HOST_MAX        64   /* of our own addresses as text, with the terminator */
#define SIP_DATAGRAM_COMMON 1300 /* requests above this go over TCP where the hop allows it */

struct sip_hop {
	uint8_t transport;     /* enum sip_transport_kind */
	uint8_t listener;      /* our socket: index + 1; 0: the first that fits */
	bool tcp_when_large;   /* a UDP hop whose peer also takes TCP (RFC 3261 section 18.1.1) */
	uint64_t connection;   /* of a stream: its id; 0 or stale: by remote, else a new one */
	struct address remote; /* source of what was received, destination of what is sent */
};

/* What we call ourselves on a hop: sent-by of Via, host of Contact. */
struct sip_local {
	char host[SIP_HOST_MAX]; /* IPv6 in brackets */
	uint16_t port;
};

struct sip_wire {
	void *ctx;
	/*
	 * Sends one message; bytes are copied. Fills in hop->listener and hop->connection. Negative
	 * errno when nothing could be sent. Must not call back into its caller.
	 */
	int (*send)(void *ctx, struct sip_hop *hop, const void *bytes, size_t n);
	/* -EADDRNOTAVAIL when no socket of ours fits. */
	int (*local)(void *ctx, const struct sip_hop *hop, struct sip_local *local);
};

/* Of its remote. */
enum cord_family sip_hop_family(const struct sip_hop *hop);

/* True for all but UDP: no retransmission needed. */
bool sip_hop_reliable(const struct sip_hop *hop);

/* "udp:192.0.2.1:5060" */
#define SIP_HOP_TEXT_SIZE (ADDRESS_TEXT_SIZE + 8)
void sip_hop_format(const struct sip_hop *hop, char out[SIP_HOP_TEXT_SIZE]);

/*
 * Where the response to a request goes (RFC 3261 section 18.2.2, RFC 3581): over the connection it
 * came by, or to its source address and, without rport, the port of its top Via.
 */
struct sip_hop sip_hop_of_response(const struct sip_hop *source, const struct sip_via *via);
