/* SPDX-License-Identifier: Apache-2.0 */
#include "learn.h"

#include "event.h"
#include "packet.h"
#include "port.h"
#include "worker.h"

static struct learn *learn_of(const struct worker *w, const struct port *p)
{
	return &w->dp->port_cold[p->slot].learn;
}

static bool is_ours(const struct dataplane *dp, const struct cord_address *a)
{
	for (uint32_t i = 0; i < dp->config.addresses; i++) {
		if (dp->config.address[i].family == a->family &&
			memcmp(dp->config.address[i].ip, a->ip, sizeof(a->ip)) == 0)
			return true;
	}
	return false;
}

/* The last address of the port's own network: what is sent there reaches everybody on it. */
static bool is_broadcast(const struct dataplane *dp, const struct port *p, uint32_t ip)
{
	uint32_t local = p->slot / dp->ports_per_address, prefix = dp->config.prefix[local];
	uint32_t host = prefix < 32 ? 0xffffffffu >> prefix : 0;

	return prefix < 31 && ((packet_be32(dp->ipv4[local]) ^ ip) & ~host) == 0 &&
	       (ip & host) == host;
}

static bool may_be_learned(
	const struct dataplane *dp, const struct port *p, const struct cord_address *a)
{
	static const uint8_t zero[16];
	uint32_t ip;

	if (a->udp_port == 0 || memcmp(a->ip, zero, sizeof(zero)) == 0 || is_ours(dp, a))
		return false;
	if (a->family == CORD_FAMILY_IPV6)
		return a->ip[0] != 0xff;
	memcpy(&ip, a->ip, sizeof(ip));
	return a->ip[0] != 0 && a->ip[0] != 127 && a->ip[0] < 224 &&
	       !is_broadcast(dp, p, packet_be32(ip));
}

static void lock(struct worker *w, struct port *p, struct learn *l)
{
	struct report *report = &w->dp->port_cold[p->slot].report;

	p->learns = LEARN_LOCKED;
	l->any_ssrc = false;
	l->rtcp = 0;
	port_move(w, p, &l->from);
	report->remote_udp = learn_rtcp_port(p, l, report->remote_udp);
	port_status_write(w, p);
	event_media_learned(w, p->id, &l->from);
}

/* True: the packet is one more of the source and stream at hand. */
static bool follows(
	const struct learn *l, const struct cord_address *from, const struct rtp_header *h)
{
	return l->count > 0 && h->ssrc == l->ssrc && h->sequence == l->next &&
	       cord_address_equal(from, &l->from);
}

static enum learn_verdict try_source(struct worker *w, struct port *p, struct learn *l,
	const struct cord_address *from, const struct rtp_header *h)
{
	if (!may_be_learned(w->dp, p, from))
		return LEARN_FOREIGN;
	if (!follows(l, from, h))
		l->count = 0;
	l->from = *from;
	l->ssrc = h->ssrc;
	l->next = (uint16_t)(h->sequence + 1);
	if (++l->count < LEARN_PACKETS)
		return LEARN_WAIT;
	lock(w, p, l);
	return LEARN_TAKE;
}

enum learn_verdict learn_rtp(struct worker *w, struct port *p, const struct cord_address *from,
	const struct rtp_header *h, bool media)
{
	struct learn *l = learn_of(w, p);

	if (p->learns == LEARN_WANTED) {
		if (cord_address_equal(from, &l->told)) {
			p->learns = LEARN_NOT;
			return LEARN_TAKE;
		}
		return media ? try_source(w, p, l, from, h) : LEARN_FOREIGN;
	}
	/* The address was right when it came; another packet of its burst may have been learned. */
	if (!cord_address_equal(from, &l->from))
		return LEARN_FOREIGN;
	if (l->any_ssrc) {
		l->ssrc = h->ssrc;
		l->any_ssrc = false;
	}
	return h->ssrc == l->ssrc ? LEARN_TAKE : LEARN_SSRC;
}

enum learn_verdict learn_rtcp(struct worker *w, struct port *p, const struct cord_address *from)
{
	struct report *report = &w->dp->port_cold[p->slot].report;
	struct learn *l = learn_of(w, p);
	const struct cord_address *at = p->learns == LEARN_LOCKED ? &l->from : &l->told;

	if (memcmp(from->ip, at->ip, sizeof(at->ip)) != 0)
		return LEARN_FOREIGN;
	if (p->learns == LEARN_LOCKED && l->rtcp == 0) {
		l->rtcp = packet_be16(from->udp_port);
		report->remote_udp = learn_rtcp_port(p, l, report->remote_udp);
	}
	return LEARN_TAKE;
}

uint16_t learn_rtcp_port(const struct port *p, const struct learn *l, uint16_t told)
{
	if (p->learns != LEARN_LOCKED || told == 0)
		return told;
	return l->rtcp ? l->rtcp : packet_be16((uint16_t)(l->from.udp_port + 1));
}

bool learn_terms(
	struct port *p, struct learn *l, const struct cord_address *told, bool wanted, bool heard)
{
	bool moved = !cord_address_equal(told, &l->told);

	if (wanted && !moved && p->learns == LEARN_LOCKED) {
		l->any_ssrc = true;
		return false;
	}
	p->learns = wanted && (moved || !heard) ? LEARN_WANTED : LEARN_NOT;
	l->told = *told;
	l->count = 0;
	return true;
}
