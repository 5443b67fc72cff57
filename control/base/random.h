/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random numbers: ChaCha20 in counter mode.
 *
 * From one seed always the same numbers, on every machine, so that a simulation can be repeated;
 * from a random seed good enough for tags, branches, nonces and hash keys. Not thread-safe: one
 * generator for each owner.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define RANDOM_UUID_SIZE 37 /* with the terminator */

struct random {
	uint32_t state[16];
	uint8_t block[64];
	unsigned used; /* bytes of the block given out */
};

/* From the kernel; a kernel without getrandom() is a failed CHECK. */
void random_init(struct random *r);
void random_init_seed(struct random *r, uint64_t seed);
void random_bytes(struct random *r, void *out, size_t n);
uint32_t random_u32(struct random *r);
uint64_t random_u64(struct random *r);
/* Uniform in 0 .. limit - 1; limit must not be 0. */
uint64_t random_below(struct random *r, uint64_t limit);
/* Uniform in 0 .. 1, 1 excluded. */
double random_unit(struct random *r);
/* `n` lower-case hex digits and a terminator: out has n + 1 bytes. */
void random_hex(struct random *r, char *out, size_t n);
/* Version 4, lower case. */
void random_uuid(struct random *r, char out[RANDOM_UUID_SIZE]);

/* The same UUID (version 8) for the same space and name, for ever: for resources without an id. */
void uuid_from_name(struct str space, struct str name, char out[RANDOM_UUID_SIZE]);
/* 8-4-4-4-12 hex digits, either case. */
bool uuid_valid(struct str text);
