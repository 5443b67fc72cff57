/* SPDX-License-Identifier: Apache-2.0 */
#include "conceal.h"

#include <spandsp/telephony.h>
#include <spandsp/plc.h>

#include <string.h>

_Static_assert(sizeof(plc_state_t) <= CONCEAL_BYTES, "spandsp's record fits");

static plc_state_t *plc(struct conceal *c)
{
	return (plc_state_t *)(void *)c->state;
}

void conceal_init(struct conceal *c)
{
	memset(c, 0, sizeof(*c));
	plc_init(plc(c));
}

void conceal_good(struct conceal *c, int16_t *pcm, size_t samples)
{
	plc_rx(plc(c), pcm, (int)samples);
}

void conceal_lost(struct conceal *c, int16_t *pcm, size_t samples)
{
	plc_fillin(plc(c), pcm, (int)samples);
}

void conceal_join(int16_t *restrict next, const int16_t *restrict dropped, size_t samples)
{
	int32_t n = (int32_t)samples;

	for (int32_t i = 0; i < n; i++)
		next[i] = (int16_t)((next[i] * i + dropped[i] * (n - i)) / n);
}
