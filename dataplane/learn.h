/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the media of a peer behind NAT comes from (RFC 4961), for ports whose terms ask for it.
 *
 *                 a packet from the address of the terms
 *          +----------------------------------------------> NOT (there is nothing to learn)
 *          |
 *       WANTED ---- LEARN_PACKETS valid ones in a row ----> LOCKED
 *          ^          from one source, of one SSRC             |
 *          +------ other terms name another address -----------+
 *
 * Valid is what would be taken from the right address: RTP of the negotiated payload type and of a
 * length of its codec, authentic where the port has keys. Until then nothing of it is heard, and
 * media goes where the terms say. From then on the learnt address is the only one that anything is
 * taken from and sent to, and the SSRC stays what it was; who changes it says so by a re-INVITE.
 * Nothing makes a locked port learn again but terms with another address.
 *
 * RTCP goes to the port above the learnt one until some comes from the learnt address: then back
 * there. A source that no peer can have is not learned: a group, a broadcast, one of ours.
 */
#ifndef DATAPLANE_LEARN_H
#define DATAPLANE_LEARN_H

#include "rtp.h"

#include <cordboard/types.h>

#define LEARN_PACKETS 3u

struct port;
struct worker;

enum learn_state { LEARN_NOT, LEARN_WANTED, LEARN_LOCKED };

/* Cold part of a port; its state is in the hot line. */
struct learn {
	struct cord_address told; /* by the terms */
	struct cord_address from; /* the source at hand, then the learnt one */
	uint32_t ssrc;
	uint16_t next; /* sequence number that would follow */
	uint8_t count; /* packets in a row, before it is learnt */
	bool any_ssrc; /* LOCKED: the next packet says which */
	uint16_t rtcp; /* LOCKED: UDP port that RTCP comes from; 0: not known */
};

enum learn_verdict {
	LEARN_TAKE,    /* the packet is the peer's */
	LEARN_WAIT,    /* it may be; it is not heard */
	LEARN_FOREIGN, /* it is not */
	LEARN_SSRC,    /* of a stream that the peer did not begin with */
};

/* Judges a valid RTP packet of a port whose state is not LEARN_NOT. `media`: of the codec. */
enum learn_verdict learn_rtp(struct worker *w, struct port *p, const struct cord_address *from,
	const struct rtp_header *h, bool media);
/* The same for valid RTCP. */
enum learn_verdict learn_rtcp(struct worker *w, struct port *p, const struct cord_address *from);

/* The UDP port that RTCP goes to, in network order as all here, when the terms say `told`. */
uint16_t learn_rtcp_port(const struct port *p, const struct learn *l, uint16_t told);

/*
 * New terms: the port's peer is told to be at `told`, and may be somewhere else (`wanted`), unless
 * it was `heard` where the terms before had it. True: the port's remote is `told`; else it is where
 * it was learned.
 */
bool learn_terms(
	struct port *p, struct learn *l, const struct cord_address *told, bool wanted, bool heard);

#endif
