/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys in the sound of a peer that has no telephone-events: pairs of tones (ITU-T Q.23) at 8 kHz.
 *
 * Each 5 ms the last 12.75 ms are looked at: a pair is seen where one low and one high tone, as
 * strong as one another within the twist that is allowed, hold most of the power. Six looks in a row
 * that see the same pair make a key, five without it end it. So, with the operating values of Q.24:
 * a tone of 40 ms is a key and one of 23 ms is none, two keys are 40 ms apart, an interruption of
 * 10 ms is within one; each tone from 0 to -27 dBm0, the high one up to 4 dB stronger or 8 dB
 * weaker, frequencies 1.5 % off and not 3.5 %.
 *
 * (spandsp's receiver looks at blocks of 12.75 ms beside one another. It takes 23 ms for a key,
 * two for one that is interrupted, and hears none at 1.5 %.)
 *
 * Where keys must not be heard by others, mute what inband_keys_hear() calls a tone: it does so
 * from the first look on, before a key is told. What goes out until then is too short for a key.
 *
 * Pure; all zero has heard nothing.
 */
#ifndef INBAND_KEYS_H
#define INBAND_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INBAND_KEYS_WINDOW 102u /* samples */
#define INBAND_KEYS_STEP   40u

struct inband_keys {
	int16_t window[INBAND_KEYS_WINDOW]; /* the last samples */
	uint8_t fresh;                      /* of them since the last look */
	char seen;                          /* in the last look; '\0': no pair */
	uint8_t looks;                      /* in a row that saw it, to 255 */
	char key;                           /* told and not over yet */
	uint8_t missed;                     /* looks in a row that did not see it */
};

/*
 * Listens on. Returns whether a tone pair is in these samples; *digit is the key that has begun in
 * them, '\0' for none. At most 30 ms at once, so that it cannot be two.
 *
 * What was made up for a lost frame is better not listened to, as 0 samples: a key that it
 * interrupts is one.
 */
bool inband_keys_hear(struct inband_keys *k, const int16_t *pcm, size_t samples, char *digit);

/*
 * The tone pair of a key to send, low -9 dBm0 and high -7 dBm0 (Q.23: high up to 2 dB stronger).
 * from: samples of it that were made before. rate_hz: of the samples. A digit that is no key gives
 * silence.
 */
void inband_keys_tone(char digit, uint32_t rate_hz, uint32_t from, int16_t *pcm, size_t samples);

#endif
