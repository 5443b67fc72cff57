/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scanner that all header grammars are written with (RFC 3261 section 25.1).
 *
 * Slices (struct str) point into the buffer that was parsed; nothing is copied, so a slice lives as
 * long as the buffer. A header value may contain folds (CRLF followed by a space or tab): every
 * function here takes them as white space, and build.h writes them as spaces. No function reads
 * outside its slice.
 */
#pragma once

#include "base/str.h"

/*
 * A decimal number of digits only. -EBADMSG when it is empty or contains anything else, -ERANGE
 * when it exceeds max. Leading zeroes are allowed, as the grammar allows them.
 */
int sip_number(struct str text, uint64_t max, uint64_t *number);

/*
 * The content of a quoted string without quotes and backslashes, or of a token as it is. The result
 * may contain any byte, NUL too. -ENOSPC, -EBADMSG.
 */
int sip_unquote(struct str text, char *out, size_t size, size_t *length);

/* Replaces %HH. The result may contain any byte, NUL too. -ENOSPC, -EBADMSG for a bad escape. */
int sip_unescape(struct str text, char *out, size_t size, size_t *length);

/* Character classes of RFC 3261 section 25.1, as bits. */
enum sip_class {
	SIP_CLASS_TOKEN = 1 << 0,      /* token */
	SIP_CLASS_WORD = 1 << 1,       /* word, of Call-ID */
	SIP_CLASS_UNRESERVED = 1 << 2, /* alphanum and mark */
	SIP_CLASS_USER = 1 << 3,       /* user-unreserved beside unreserved */
	SIP_CLASS_PASSWORD = 1 << 4,   /* what a password has beside unreserved */
	SIP_CLASS_PARAM = 1 << 5,      /* param-unreserved */
	SIP_CLASS_HEADER = 1 << 6,     /* hnv-unreserved */
	SIP_CLASS_HOST = 1 << 7,       /* letter, digit, '-', '.', '_' */
	SIP_CLASS_DIGIT = 1 << 8,
	SIP_CLASS_ALPHA = 1 << 9,
	SIP_CLASS_HEX = 1 << 10,
	SIP_CLASS_URI = 1 << 11,   /* reserved and unreserved: any character of an absolute URI */
	SIP_CLASS_PHONE = 1 << 12, /* phone digits and visual separators of RFC 3966 */
};
extern uint16_t sip_class_table[256];

static inline bool sip_is(unsigned char c, unsigned classes)
{
	return sip_class_table[c] & classes;
}

/* A scanner: the rest of a slice. Each function advances only on success. */
struct sip_scan {
	const char *at;
	const char *end;
};

static inline struct sip_scan sip_scan(struct str text)
{
	const char *at = text.p ? text.p : "";

	return (struct sip_scan){at, at + text.n};
}

static inline bool sip_scan_done(const struct sip_scan *scan)
{
	return scan->at == scan->end;
}

void sip_scan_space(struct sip_scan *scan);        /* any LWS, none too */
bool sip_scan_char(struct sip_scan *scan, char c); /* exactly this character */
bool sip_scan_mark(struct sip_scan *scan, char c); /* LWS c LWS: SEMI, EQUAL, SLASH, … */
/* The longest run of one or more characters of the classes. */
bool sip_scan_run(struct sip_scan *scan, unsigned classes, struct str *run);
bool sip_scan_token(struct sip_scan *scan, struct str *token);
/* A quoted string, quotes included in the slice. */
bool sip_scan_quoted(struct sip_scan *scan, struct str *quoted);
/* Host name, IPv4 address or IPv6 reference with its brackets, strictly. */
bool sip_scan_host(struct sip_scan *scan, struct str *host);
/* host [ ":" port ]; port is 0 when absent; a port that is written must be 1 to 65535. */
bool sip_scan_host_port(struct sip_scan *scan, struct str *host, uint16_t *port);

/*
 * *( SEMI generic-param ): name [ EQUAL ( token / host / quoted-string ) ]. A bound is set by the
 * size of the message only; parameters are looked up in the slice when needed.
 */
bool sip_scan_params(struct sip_scan *scan, struct str *params);

/*
 * Looks a generic parameter up in what sip_scan_params() gave. True when it is there; value, which
 * may be NULL, is as written (a quoted string with its quotes) and empty when there is none.
 */
bool sip_param(struct str params, const char *name, struct str *value);

/* Walks generic parameters: true while there is one more. rest starts as the whole of the params.
 */
bool sip_param_next(struct str *rest, struct str *name, struct str *value);
