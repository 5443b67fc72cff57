/* SPDX-License-Identifier: Apache-2.0 */
/* One value of Via (RFC 3261 sections 20.42 and 25.1; rport of RFC 3581). */
#pragma once

#include "sip/scan.h"

enum sip_transport_kind {
	SIP_TRANSPORT_UDP,
	SIP_TRANSPORT_TCP,
	SIP_TRANSPORT_TLS,
	SIP_TRANSPORT_WS,
	SIP_TRANSPORT_WSS,
	SIP_TRANSPORT_OTHER,
};

struct sip_via {
	struct str version;     /* "2.0" */
	struct str transport;   /* as written */
	uint8_t transport_kind; /* enum sip_transport_kind */
	bool has_rport;         /* with or without a value */
	uint16_t port;          /* of sent-by; 0: none written */
	uint16_t rport;         /* 0: none or without a value */
	struct str host;        /* of sent-by */
	struct str branch;      /* empty: none (a peer of RFC 2543) */
	struct str received;    /* empty: none */
	struct str maddr;       /* empty: none */
	struct str params;      /* all of them; NULL when the value is malformed */
};

/*
 * The whole text must be one Via value. -EBADMSG otherwise; then via holds what could be read, and
 * its host is empty when not even sent-by could be.
 */
int sip_via_parse(struct sip_via *via, struct str value);

/* True when the branch starts with the magic cookie and has something after it. */
bool sip_via_has_cookie(const struct sip_via *via);

const char *sip_transport_name(enum sip_transport_kind kind);
enum sip_transport_kind sip_transport_kind(struct str name);
