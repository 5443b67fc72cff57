/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys: which of the ways that a peer's keys come by counts, so that each counts once. Pure.
 *
 *   telephone-event agreed on   the dataplane tells them; INFO says the same again
 *   not agreed on               by INFO, or found in the sound, or both
 *
 * A peer that says keys by INFO may send their tones too, sooner or later than the INFO. From its
 * first INFO on the sound does not count, and that INFO does not when the sound has just told its key.
 */
#ifndef CONTACT_KEYS_H
#define CONTACT_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#define KEYS_SAME_NS 1000000000ull /* between a tone and the INFO of one key */

/* Of one leg; zero at its start. */
struct keys {
	bool events; /* telephone-event was agreed on */
	bool info;   /* a key came by INFO */
	char heard;  /* the last one found in the sound, 0: none */
	uint64_t heard_ns;
};

/* A key that the dataplane told, or one of an INFO: whether it counts. */
bool keys_heard(struct keys *keys, char key, uint64_t now_ns);
bool keys_informed(struct keys *keys, char key, uint64_t now_ns);

#endif
