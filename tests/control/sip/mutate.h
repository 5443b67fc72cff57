/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded damage to SIP messages: bytes and tokens replaced, inserted, removed, repeated, cut off.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MUTATED_MAX 8192

void mutate_seed(uint64_t seed);

/* Changes a message of *n bytes in a buffer of MUTATED_MAX. */
void mutate(char *text, size_t *n);
