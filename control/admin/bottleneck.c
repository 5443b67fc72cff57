/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/bottleneck.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void bottleneck_fails(struct bottleneck *b, const char *fmt, ...)
{
	va_list args;

	if (b->failing[0])
		return;
	va_start(args, fmt);
	vsnprintf(b->failing, sizeof(b->failing), fmt, args);
	va_end(args);
}

void bottleneck_limit(struct bottleneck *b, const char *name, uint64_t used, uint64_t max)
{
	if (!max)
		return;
	/* used / max > b->used / b->max, without division */
	if (b->name && (unsigned __int128)used * b->max <= (unsigned __int128)b->used * max)
		return;
	b->name = name;
	b->used = used;
	b->max = max;
}

void bottleneck_text(const struct bottleneck *b, char text[BOTTLENECK_SIZE])
{
	if (b->failing[0])
		snprintf(text, BOTTLENECK_SIZE, "%s", b->failing);
	else if (!b->name || !b->used)
		snprintf(text, BOTTLENECK_SIZE, "nothing is in use");
	else
		snprintf(text, BOTTLENECK_SIZE, "%s: %" PRIu64 " of %" PRIu64 " in use (%.3g %%)",
			b->name, b->used, b->max, 100.0 * (double)b->used / (double)b->max);
}
