/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard against scanners and guessers: counts what strangers do wrong, by source, and slows or
 * silences who does too much.
 *
 *     score of a source, one point leaks away each leak_ns
 *
 *       0 ........ slow_at ................. block_at
 *       PASS       SLOW: answer late         DROP for block_ns, then from slow_at again
 *
 * Sources that are known (a trunk by its address, a phone with a living binding) are not asked
 * about. The table is bounded; its key is secret, so nobody can choose whom to push out; the lowest
 * score of a set makes room. IPv6 sources count by their /64.
 *
 * What strangers are told is the same whatever they guess: see guard_refusal().
 */
#pragma once

#include "base/address.h"
#include "sip/value.h"

#define GUARD_SLOTS 16384

struct guard_options {
	uint32_t slow_at;  /* 0: 10 points */
	uint32_t block_at; /* 0: 30 points */
	uint64_t leak_ns;  /* 0: one point each 10 s */
	uint64_t delay_ns; /* 0: 2 s, of a SLOW answer */
	uint64_t block_ns; /* 0: 10 min */
};

/* What is held against a source, in points. */
enum guard_offence {
	GUARD_MALFORMED, /* 1: a message that was refused as malformed, or was none */
	GUARD_STRANGER,  /* 2: a request of nobody we know */
	GUARD_WRONG,     /* 4: wrong credentials */
	GUARD_FORBIDDEN, /* 2: a number or address of record that is not theirs */
	GUARD_OFFENCES,
};

enum guard_verdict {
	GUARD_PASS,
	GUARD_SLOW, /* answer after *delay_ns */
	GUARD_DROP, /* say nothing */
};

struct guard_stats {
	uint64_t offences[GUARD_OFFENCES];
	uint64_t slowed, dropped, blocked; /* answers, messages, sources */
	uint64_t evicted;                  /* sources that made room for others */
};

struct guard;

/* seed is 16 random bytes. NULL without memory. */
struct guard *guard_new(const struct guard_options *options, const uint8_t seed[16]);
void guard_free(struct guard *guard);

/* For each message of a stranger, before it is parsed. delay_ns may be NULL. */
enum guard_verdict guard_check(
	struct guard *guard, const struct address *source, uint64_t now_ns, uint64_t *delay_ns);

/* Holds an offence against a source and says what it has come to. */
enum guard_verdict guard_offence(struct guard *guard, const struct address *source,
	enum guard_offence offence, uint64_t now_ns, uint64_t *delay_ns);

/* The source proved who it is: its score is forgotten. */
void guard_forgive(struct guard *guard, const struct address *source);

const struct guard_stats *guard_stats(const struct guard *guard);

/*
 * The status for a stranger's request outside a dialog: 0 (silence) for ACK and CANCEL, 401 for
 * REGISTER (a challenge, whether the user exists or not), 403 for all others, whatever they ask
 * for.
 */
uint16_t guard_refusal(enum sip_method method);
