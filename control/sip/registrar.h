/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bindings of agents' phones: which address of record can be reached where (RFC 3261 section 10.3).
 *
 * Pure: a REGISTER that was authenticated comes in, a status and Contact headers come out; what
 * runs out does so by a timer. An address of record is the user part of its URI; only those that
 * were added exist. A request changes all of its bindings or none.
 *
 * Requests to a binding go to the hop that its REGISTER came from, so that a phone behind NAT is
 * reached, with the Contact as Request-URI. A phone with a fixed address needs no REGISTER: its hop
 * and URI are given when it is added, and it is always there.
 */
#pragma once

#include "base/timers.h"
#include "sip/build.h"
#include "sip/hop.h"

#define REGISTRAR_PHONES_MAX    65536
#define REGISTRAR_BINDINGS_MAX  8   /* of one address of record */
#define REGISTRAR_USER_SIZE     128 /* with the NUL */
#define REGISTRAR_URI_SIZE      512 /* of a Contact, with the NUL */
#define REGISTRAR_EXPIRES_S     3600
#define REGISTRAR_MIN_EXPIRES_S 30
#define REGISTRAR_MAX_EXPIRES_S 7200

struct registrar_options {
	uint32_t default_s, min_s, max_s; /* 0: the defaults above */
	uint32_t bindings_max;            /* of one address of record; 0: REGISTRAR_BINDINGS_MAX */
};

enum registrar_change {
	REGISTRAR_GAINED, /* a new binding */
	REGISTRAR_LOST,   /* one that ran out or was removed */
};

/*
 * Told after each change; left is the number of bindings that the address of record has now, so
 * GAINED with 1 means reachable and LOST with 0 means gone. Must not call back into the registrar
 * except registrar_targets().
 */
typedef void (*registrar_event)(void *context, enum registrar_change change, const char *user,
	const char *uri, unsigned left, uint64_t now_ns);

struct registrar;

/* seed is 16 random bytes. NULL without memory. */
struct registrar *registrar_new(struct timers *timers, const uint8_t seed[16],
	const struct registrar_options *options, registrar_event event, void *context);
/* Cancels its timers; no events. */
void registrar_free(struct registrar *registrar);

/*
 * Makes an address of record known. uri and hop are those of a phone with a fixed address, else
 * NULL. Adding one that is there replaces its fixed address. -EINVAL, -ENOSPC, -ENOMEM.
 */
int registrar_add(
	struct registrar *registrar, const char *user, const char *uri, const struct sip_hop *hop);
/* Forgets it with its bindings; no events. -ENOENT. */
int registrar_remove(struct registrar *registrar, const char *user);
bool registrar_knows(const struct registrar *registrar, struct str user);

struct registrar_reply {
	uint16_t status;    /* 200, 400, 403, 404, 423, 500 */
	const char *reason; /* for the log, and the reason phrase of 4xx */
	uint32_t min_s;     /* 423: for Min-Expires */
};

/*
 * One REGISTER. authenticated is the user whose digest was verified; it must be the address of
 * record. For 200, registrar_contacts() then lists what is bound.
 */
void registrar_register(struct registrar *registrar, const struct sip_message *request,
	struct str authenticated, const struct sip_hop *source, uint64_t now_ns,
	struct registrar_reply *reply);

/* The Contact headers of a 200, each with its remaining expires. */
void registrar_contacts(const struct registrar *registrar, struct str user, uint64_t now_ns,
	struct sip_builder *builder);
/* The same as complete header lines in text. */
void registrar_contact_lines(
	const struct registrar *registrar, struct str user, uint64_t now_ns, struct strbuf *lines);

struct registrar_target {
	char uri[REGISTRAR_URI_SIZE]; /* Request-URI */
	struct sip_hop hop;           /* where to send it */
	uint16_t q;                   /* thousandths */
	bool fixed;                   /* from the configuration */
};

/* Where to reach a user: by q, then latest first, the fixed address last. Returns how many. */
unsigned registrar_targets(const struct registrar *registrar, struct str user, uint64_t now_ns,
	struct registrar_target *targets, unsigned max);

/* True when a message from this hop comes from a living binding or fixed address of the user. */
bool registrar_is_from(const struct registrar *registrar, struct str user,
	const struct sip_hop *source, uint64_t now_ns);

/* True when a living binding or a fixed address is at this host. O(1). */
bool registrar_has_source(const struct registrar *registrar, const struct address *source);

/* A connection is gone: bindings over it stay, and requests open a new connection to them. */

/* Bindings that live. */
size_t registrar_count(const struct registrar *registrar);
