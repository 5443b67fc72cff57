/* SPDX-License-Identifier: Apache-2.0 */
/* Another receiver of keys in the sound: spandsp's. (Its names do not go with those of g711.h.) */
#ifndef DTMF_REFERENCE_H
#define DTMF_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/* Writes the keys in a sound at 8 kHz to told[], ended by '\0'. */
void dtmf_reference_hear(const int16_t *pcm, size_t samples, char *told, size_t size);

#endif
