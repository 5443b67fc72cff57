/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header fields that cordboard knows by name: one list that gives the enum, the long and the
 * compact form, and how often a field may stand in a message. All other fields are SIP_HEADER_OTHER
 * and are kept by their name.
 */
#pragma once

#include "sip/scan.h"

enum sip_header_flags {
	SIP_ONCE = 1 << 0, /* more than one is an error */
	SIP_LIST = 1 << 1, /* several values, comma-separated or in fields of their own */
};

/* id, long form, compact form or 0, flags */
#define SIP_HEADERS(X)                                               \
	X(VIA, "Via", 'v', SIP_LIST)                                 \
	X(FROM, "From", 'f', SIP_ONCE)                               \
	X(TO, "To", 't', SIP_ONCE)                                   \
	X(CALL_ID, "Call-ID", 'i', SIP_ONCE)                         \
	X(CSEQ, "CSeq", 0, SIP_ONCE)                                 \
	X(MAX_FORWARDS, "Max-Forwards", 0, SIP_ONCE)                 \
	X(CONTACT, "Contact", 'm', SIP_LIST)                         \
	X(ROUTE, "Route", 0, SIP_LIST)                               \
	X(RECORD_ROUTE, "Record-Route", 0, SIP_LIST)                 \
	X(CONTENT_LENGTH, "Content-Length", 'l', SIP_ONCE)           \
	X(CONTENT_TYPE, "Content-Type", 'c', SIP_ONCE)               \
	X(CONTENT_ENCODING, "Content-Encoding", 'e', SIP_LIST)       \
	X(CONTENT_DISPOSITION, "Content-Disposition", 0, SIP_ONCE)   \
	X(EXPIRES, "Expires", 0, SIP_ONCE)                           \
	X(MIN_EXPIRES, "Min-Expires", 0, SIP_ONCE)                   \
	X(REQUIRE, "Require", 0, SIP_LIST)                           \
	X(PROXY_REQUIRE, "Proxy-Require", 0, SIP_LIST)               \
	X(SUPPORTED, "Supported", 'k', SIP_LIST)                     \
	X(UNSUPPORTED, "Unsupported", 0, SIP_LIST)                   \
	X(ALLOW, "Allow", 0, SIP_LIST)                               \
	X(ACCEPT, "Accept", 0, SIP_LIST)                             \
	X(AUTHORIZATION, "Authorization", 0, 0)                      \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0, 0)          \
	X(WWW_AUTHENTICATE, "WWW-Authenticate", 0, 0)                \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0, 0)            \
	X(AUTHENTICATION_INFO, "Authentication-Info", 0, SIP_ONCE)   \
	X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0, SIP_LIST)   \
	X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0, SIP_LIST) \
	X(PRIVACY, "Privacy", 0, SIP_ONCE)                           \
	X(DIVERSION, "Diversion", 0, SIP_LIST)                       \
	X(SESSION_EXPIRES, "Session-Expires", 'x', SIP_ONCE)         \
	X(MIN_SE, "Min-SE", 0, SIP_ONCE)                             \
	X(RETRY_AFTER, "Retry-After", 0, SIP_ONCE)                   \
	X(REASON, "Reason", 0, SIP_LIST)                             \
	X(ALERT_INFO, "Alert-Info", 0, SIP_LIST)                     \
	X(CALL_INFO, "Call-Info", 0, SIP_LIST)                       \
	X(ANSWER_MODE, "Answer-Mode", 0, SIP_ONCE)                   \
	X(REFER_TO, "Refer-To", 'r', SIP_ONCE)                       \
	X(REFERRED_BY, "Referred-By", 'b', SIP_ONCE)                 \
	X(REFER_SUB, "Refer-Sub", 0, SIP_ONCE)                       \
	X(REPLACES, "Replaces", 0, SIP_ONCE)                         \
	X(EVENT, "Event", 'o', SIP_ONCE)                             \
	X(SUBSCRIPTION_STATE, "Subscription-State", 0, SIP_ONCE)     \
	X(RSEQ, "RSeq", 0, SIP_ONCE)                                 \
	X(RACK, "RAck", 0, SIP_ONCE)                                 \
	X(WARNING, "Warning", 0, SIP_LIST)                           \
	X(SUBJECT, "Subject", 's', 0)                                \
	X(DATE, "Date", 0, 0)                                        \
	X(USER_AGENT, "User-Agent", 0, 0)                            \
	X(SERVER, "Server", 0, 0)

enum sip_header_kind {
#define X(id, name, compact, flags) SIP_HEADER_##id,
	SIP_HEADERS(X)
#undef X
		SIP_HEADER_OTHER,
};

/* One field of a received message. The value is trimmed at both ends and may contain folds. */
struct sip_header {
	struct str name; /* as written */
	struct str value;
	uint8_t kind; /* enum sip_header_kind */
};

/* The kind of a field by its long or compact name, without regard to case. */
enum sip_header_kind sip_header_kind(struct str name);

/* The long form; "?" for SIP_HEADER_OTHER. */
const char *sip_header_name(enum sip_header_kind kind);

unsigned sip_header_flags(enum sip_header_kind kind);
