/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP and TCP for SIP over base/loop.h: bytes of whole messages in and out.
 *
 *     datagram ---------------------------------> received(hop, bytes)
 *     stream --> framing --> one message -------> received(hop, bytes)
 *                  | CRLF CRLF: answered CRLF       (ping)
 *                  | broken: connection closed
 *
 * A request over TCP uses the living connection to the same remote address and port, whoever opened
 * it, else connects; a response uses the connection of its request, else connects to where the hop
 * says. A connection that was idle is closed. At the ceiling of all connections one that never
 * brought a message makes room, else the one that was idle longest; a source at its own ceiling is
 * refused.
 *
 * TLS and WebSocket come in as further rows of struct sip_listener with their kind: what lies
 * between the loop's stream and the framing is the only thing that differs.
 */
#pragma once

#include "base/loop.h"
#include "sip/hop.h"
#include "sip/overload.h"

#define SIP_LISTENERS_MAX          16
#define SIP_CONNECTIONS_MAX        1024
#define SIP_CONNECTIONS_SOURCE_MAX 64 /* of one address */
#define SIP_CONNECTION_IDLE_NS     600000000000ull
#define SIP_CONNECT_TIMEOUT_NS     4000000000ull
#define SIP_MESSAGE_SLOW_NS        10000000000ull /* for a message, and for the first one of a peer */

struct sip_listener {
	uint8_t transport;            /* enum sip_transport_kind: UDP, TCP */
	struct address local;         /* port 0: the kernel's choice */
	char advertise[SIP_HOST_MAX]; /* host for Via and Contact; empty: the bound address */
	uint16_t advertise_port;      /* 0: the bound port */
};

struct sip_transport_config {
	const struct sip_listener *listeners;
	unsigned listener_count;
	unsigned connections_max, connections_source_max; /* 0: defaults */
	uint64_t idle_ns;                                 /* 0: default */
	uint64_t slow_ns;                                 /* 0: SIP_MESSAGE_SLOW_NS */
	struct overload *overload; /* told how long each message waited; may be NULL */
	void *ctx;
	void (*received)(void *ctx, const struct sip_hop *source, const void *bytes, size_t n,
		uint64_t now_ns);
	/* A connection is gone, or could not be made. */
	void (*lost)(void *ctx, uint64_t connection, uint64_t now_ns);
};

struct sip_transport_stats {
	uint64_t datagrams, messages; /* received by UDP, by TCP */
	uint64_t pings;               /* CRLF keep-alives */
	uint64_t broken;              /* connections closed for bad framing */
	uint64_t slow;                /* connections closed in the middle of a message */
	uint64_t accepted, connected, refused, idle_closed, failed;
	uint32_t connections;
};

struct sip_transports;

/* All listeners or none: *failed (may be NULL) is the index of the one that could not be opened. */
int sip_transports_open(struct loop *loop, const struct sip_transport_config *config,
	unsigned *failed, struct sip_transports **out);
void sip_transports_close(struct sip_transports *transports);
/* For sip_ua_config.wire; lives as long as the transports. */
const struct sip_wire *sip_transports_wire(const struct sip_transports *transports);
/* The bound address of a listener. */
struct address sip_transports_local(const struct sip_transports *transports, unsigned listener);
const struct sip_transport_stats *sip_transports_stats(const struct sip_transports *transports);
