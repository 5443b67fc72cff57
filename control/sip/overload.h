/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overload control: refuses as many new calls as it takes for everything else to be served at once.
 * Pure: waits and time come in.
 *
 * A message's *wait* is the time from its arrival to its turn. Of each interval the least wait counts
 * (as in CoDel, RFC 8289): what stays above the target for an interval is a standing queue, no burst.
 *
 *	         least wait > target
 *	NORMAL ----------------------> LIMITING   rate falls while the queue stands and grows,
 *	   ^                               |       rises while it does not and calls are refused
 *	   +--- nothing was refused for ---+
 *	         OVERLOAD_CALM_NS
 *
 * While LIMITING each source of calls, a trunk, has a token bucket of the same rate. So who offers
 * less than that is not refused at all, and the others get the same (max-min fair). Peers are told
 * with 503 and Retry-After; they need not know of RFC 7339.
 *
 * A refusal leaves no transaction, so it is remembered here for a while: a repetition of that INVITE
 * is refused again, and never becomes a call that nobody waits for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OVERLOAD_SOURCES     256u
#define OVERLOAD_INTERVAL_NS UINT64_C(100000000)
#define OVERLOAD_MESSAGES    10u /* in an interval: fewer are no queue, we were held up */
#define OVERLOAD_CALM_NS     UINT64_C(5000000000)
#define OVERLOAD_REFUSED     65536u                /* remembered, the last ones of them, */
#define OVERLOAD_REFUSED_NS  UINT64_C(32000000000) /* for as long as an INVITE is repeated */

/* Short: there are peers that send nothing at all for so long. */
#define OVERLOAD_RETRY_S 1u

struct overload_stats {
	uint64_t refused;  /* repetitions included */
	uint64_t episodes; /* times that limiting began */
	uint64_t least_ns; /* least wait of the last interval that is over */
	uint32_t rate;     /* calls a second of each source; 0: not limited */
};

struct overload;

/* `target_ns` 0: nothing is refused. NULL without memory. */
struct overload *overload_new(uint64_t target_ns);
void overload_free(struct overload *overload);

/* A message of any kind has its turn, so long after it came. */
void overload_waited(struct overload *overload, uint64_t wait_ns, uint64_t now_ns);
/*
 * Whether a new call of a source (any number) is taken. `key` is a hash of its transaction that the
 * peer cannot choose.
 */
bool overload_admits(struct overload *overload, uint32_t source, uint64_t key, uint64_t now_ns);

/* Whether overload_admits() has lately said no to it. */
bool overload_refused(const struct overload *overload, uint64_t key, uint64_t now_ns);

const struct overload_stats *overload_stats(const struct overload *overload);
