/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers: what calls with a `request` id were answered, so that the same id gets the same answer
 * and nothing is done twice. Pure: time comes in.
 *
 *   (unknown) --answers_begin--> UNDER WAY --answers_end--> ANSWERED --five minutes--> (unknown)
 *
 * Bounded in number and bytes: beyond that the oldest goes.
 */
#ifndef ADMIN_ANSWERS_H
#define ADMIN_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

#define ANSWERS_KEEP_NS   (UINT64_C(300) * 1000000000)
#define ANSWERS_MAX       10000u
#define ANSWERS_BYTES_MAX (16u << 20)

struct answer {
	char *key;
	size_t key_n;
	uint64_t call; /* hash of verb and parameters */
	char *text;    /* NULL: under way */
	size_t bytes;
	uint64_t until_ns;
	struct answer *next, **back; /* by age */
};

struct answers {
	struct map map;
	struct answer *first, **last;
	size_t bytes;
	size_t max, bytes_max; /* ceilings, for tests */
};

void answers_init(struct answers *answers);
void answers_clear(struct answers *answers);

/*
 * 0: new, and under way from now on. 1: answered before, *text is its answer (valid until the next
 * call here). -EINPROGRESS: under way; -EEXIST: the id was used for another call; -ENOMEM.
 */
int answers_begin(struct answers *answers, const void *key, size_t key_n, uint64_t call,
	uint64_t now_ns, const char **text);
/* The answer of one that is under way; copied. NULL: it never happened (it is forgotten). */
void answers_end(struct answers *answers, const void *key, size_t key_n, const char *text);

#endif
