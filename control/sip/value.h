/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small header values: numbers, tokens with parameters, session timers. Each function takes the
 * value of one header and is strict: the whole value must match its grammar. -EBADMSG otherwise,
 * -ERANGE for a number beyond its ceiling.
 */
#pragma once

#include "sip/scan.h"

#define SIP_CSEQ_MAX    2147483647u /* RFC 3261 section 8.1.1.5: below 2^31 */
#define SIP_SECONDS_MAX 4294967295u

/* Methods that cordboard knows; all others are SIP_METHOD_OTHER and go by their name. */
#define SIP_METHODS(X) \
	X(INVITE)      \
	X(ACK)         \
	X(BYE)         \
	X(CANCEL)      \
	X(REGISTER)    \
	X(OPTIONS)     \
	X(PRACK)       \
	X(UPDATE)      \
	X(INFO)        \
	X(REFER)       \
	X(NOTIFY)      \
	X(SUBSCRIBE)   \
	X(MESSAGE)     \
	X(PUBLISH)

enum sip_method {
#define X(name) SIP_METHOD_##name,
	SIP_METHODS(X)
#undef X
		SIP_METHOD_OTHER,
};

/* Methods are compared with case (RFC 3261 section 7.1). */
enum sip_method sip_method(struct str name);
const char *sip_method_name(enum sip_method method); /* "?" for SIP_METHOD_OTHER */

struct sip_cseq {
	uint32_t number;
	uint8_t method; /* enum sip_method */
	struct str method_name;
};
int sip_cseq_parse(struct sip_cseq *cseq, struct str value);

/* callid = word [ "@" word ] */
int sip_call_id_parse(struct str value);

/* Max-Forwards: 0 to 255. */
int sip_max_forwards_parse(uint8_t *hops, struct str value);

/* Content-Length: digits; -ERANGE above 2^31-1. */
int sip_content_length_parse(uint32_t *length, struct str value);

/* Expires, Min-Expires: digits up to 2^32-1. */
int sip_seconds_parse(uint32_t *seconds, struct str value);

/* Retry-After: digits [ comment ] *( SEMI param ). */
int sip_retry_after_parse(uint32_t *seconds, struct str value);

struct sip_content_type {
	struct str type;
	struct str subtype;
	struct str params;
};
int sip_content_type_parse(struct sip_content_type *content, struct str value);
bool sip_content_type_is(
	const struct sip_content_type *content, const char *type, const char *subtype);

enum sip_refresher {
	SIP_REFRESHER_NONE, /* not said */
	SIP_REFRESHER_UAC,
	SIP_REFRESHER_UAS,
};

/* Session-Expires and Min-SE (RFC 4028); Min-SE has no refresher. */
struct sip_session_expires {
	uint32_t seconds;
	uint8_t refresher; /* enum sip_refresher */
};
int sip_session_expires_parse(struct sip_session_expires *expires, struct str value);

/* Reason (RFC 3326): protocol *( SEMI param ); cause -1 when absent; text as written. */
struct sip_reason {
	struct str protocol;
	int cause;
	struct str text;
};
int sip_reason_parse(struct sip_reason *reason, struct str value);

/* Alert-Info, Call-Info: "<" absoluteURI ">" *( SEMI param ). */
struct sip_info {
	struct str uri;
	struct str params;
};
int sip_info_parse(struct sip_info *info, struct str value);

/* Replaces (RFC 3891): a dialog, with the tags as the one who gets the header has them. */
struct sip_replaces {
	struct str call_id;
	struct str to_tag;   /* local */
	struct str from_tag; /* remote */
	bool early_only;
};
int sip_replaces_parse(struct sip_replaces *replaces, struct str value);

/* One option tag, method or other bare token. */
int sip_token_parse(struct str value);
