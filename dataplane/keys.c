/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include "listen.h"

void keys_listen(struct worker *w, const struct room *r, uint32_t i)
{
	static const int16_t silence[PORT_PERIOD_UNITS];
	struct port *p = worker_member(w, r, i);
	struct talk *t = &w->scratch.talk[i];
	bool says = talk_says(t);
	const int16_t *pcm = says ? listen_talk(w, r, i, TICK_NARROW) : silence;
	char digit;

	bool tone = inband_keys_hear(
		&worker_rich(w, p)->inband, pcm, t->made_up ? 0 : PORT_PERIOD_UNITS, &digit);

	if (digit)
		port_told_key(w, p, digit);
	if (tone && says)
		*t = (struct talk){.codec = t->codec, .packet = t->packet};
}
