/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 (Aumasson and Bernstein): a keyed hash that a peer who picks the keys cannot flood.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_SIZE 16

uint64_t siphash(const void *data, size_t n, const uint8_t key[SIPHASH_KEY_SIZE]);
