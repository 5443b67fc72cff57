/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bottleneck: which limit binds first, in words. Pure. A part that fails comes before every limit,
 * in the order in which they were added; else the limit with the highest use counts.
 */
#ifndef ADMIN_BOTTLENECK_H
#define ADMIN_BOTTLENECK_H

#include <stdint.h>

#define BOTTLENECK_SIZE 200

struct bottleneck {
	char failing[BOTTLENECK_SIZE]; /* "": nothing */
	const char *name;              /* of the limit with the highest use so far */
	uint64_t used, max;
};

__attribute__((format(printf, 2, 3))) void bottleneck_fails(
	struct bottleneck *bottleneck, const char *fmt, ...);
/* A max of 0 is no limit. */
void bottleneck_limit(struct bottleneck *bottleneck, const char *name, uint64_t used, uint64_t max);
/* "media ports: 812 of 1024 in use (79 %)". */
void bottleneck_text(const struct bottleneck *bottleneck, char text[BOTTLENECK_SIZE]);

#endif
