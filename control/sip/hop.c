/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/hop.h"

#include <stdio.h>

enum cord_family sip_hop_family(const struct sip_hop *hop)
{
	switch (address_family(&hop->remote)) {
	case AF_INET:
		return CORD_FAMILY_IPV4;
	case AF_INET6:
		return CORD_FAMILY_IPV6;
	default:
		return CORD_FAMILY_NONE;
	}
}

bool sip_hop_reliable(const struct sip_hop *hop)
{
	return hop->transport != SIP_TRANSPORT_UDP;
}

void sip_hop_format(const struct sip_hop *hop, char out[SIP_HOP_TEXT_SIZE])
{
	char address[ADDRESS_TEXT_SIZE];

	address_format(&hop->remote, address);
	snprintf(out, SIP_HOP_TEXT_SIZE, "%s:%s",
		sip_transport_name((enum sip_transport_kind)hop->transport), address);
}

struct sip_hop sip_hop_of_response(const struct sip_hop *source, const struct sip_via *via)
{
	struct sip_hop hop = *source;

	/* A stream that is gone by then is made anew, to the port that sent-by names. */
	if (sip_hop_reliable(source) || !via->has_rport)
		address_set_port(&hop.remote, via->port ? via->port : 5060);
	return hop;
}
