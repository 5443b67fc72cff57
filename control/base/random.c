/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/siphash.h"

static const char hex_digits[] = "0123456789abcdef";

static uint32_t rotate(uint32_t v, int by)
{
	return v << by | v >> (32 - by);
}

static void quarter(uint32_t x[16], int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

/* ChaCha20 block function (RFC 8439, section 2.3) with a 64-bit counter. */
static void refill(struct random *r)
{
	uint32_t x[16];

	memcpy(x, r->state, sizeof(x));
	for (int i = 0; i < 10; i++) {
		for (int column = 0; column < 4; column++)
			quarter(x, column, column + 4, column + 8, column + 12);
		quarter(x, 0, 5, 10, 15);
		quarter(x, 1, 6, 11, 12);
		quarter(x, 2, 7, 8, 13);
		quarter(x, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++) {
		uint32_t v = x[i] + r->state[i];

		for (int b = 0; b < 4; b++)
			r->block[i * 4 + b] = (uint8_t)(v >> (8 * b));
	}
	if (++r->state[12] == 0)
		r->state[13]++;
	r->used = 0;
}

static void init_key(struct random *r, const uint32_t key[8])
{
	static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

	memset(r, 0, sizeof(*r));
	memcpy(r->state, constants, sizeof(constants));
	memcpy(r->state + 4, key, 8 * sizeof(*key));
	r->used = sizeof(r->block);
}

void random_init(struct random *r)
{
	uint32_t key[8];

	CHECK(getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key));
	init_key(r, key);
}

void random_init_seed(struct random *r, uint64_t seed)
{
	uint32_t key[8] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

	init_key(r, key);
}

void random_bytes(struct random *r, void *out, size_t n)
{
	uint8_t *p = out;

	while (n) {
		size_t part;

		if (r->used == sizeof(r->block))
			refill(r);
		part = sizeof(r->block) - r->used;
		if (part > n)
			part = n;
		memcpy(p, r->block + r->used, part);
		memset(r->block + r->used, 0, part);
		r->used += (unsigned)part;
		p += part;
		n -= part;
	}
}

uint64_t random_u64(struct random *r)
{
	uint8_t b[8];
	uint64_t v = 0;

	random_bytes(r, b, sizeof(b));
	for (int i = 7; i >= 0; i--)
		v = v << 8 | b[i];
	return v;
}

uint32_t random_u32(struct random *r)
{
	return (uint32_t)(random_u64(r) >> 32);
}

uint64_t random_below(struct random *r, uint64_t limit)
{
	uint64_t skip, v;

	CHECK(limit > 0);
	skip = (0 - limit) % limit; /* 2^64 mod limit: below it the low values would come up more */
	do
		v = random_u64(r);
	while (v < skip);
	return v % limit;
}

double random_unit(struct random *r)
{
	return (double)(random_u64(r) >> 11) * 0x1p-53;
}

void random_hex(struct random *r, char *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t b;

		random_bytes(r, &b, 1);
		out[i] = hex_digits[b & 15];
	}
	out[n] = 0;
}

static bool dash_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

static void format_uuid(uint8_t b[16], int version, char out[RANDOM_UUID_SIZE])
{
	size_t at = 0;

	b[6] = (uint8_t)((b[6] & 0x0f) | version << 4);
	b[8] = (b[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++) {
		if (dash_at(at))
			out[at++] = '-';
		out[at++] = hex_digits[b[i] >> 4];
		out[at++] = hex_digits[b[i] & 15];
	}
	out[at] = 0;
}

void random_uuid(struct random *r, char out[RANDOM_UUID_SIZE])
{
	uint8_t b[16];

	random_bytes(r, b, sizeof(b));
	format_uuid(b, 4, out);
}

static void put64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void uuid_from_name(struct str space, struct str name, char out[RANDOM_UUID_SIZE])
{
	static const uint8_t keys[2][SIPHASH_KEY_SIZE] = {"cordboard uuid 1", "cordboard uuid 2"};
	uint8_t both[16], b[16];

	for (int half = 0; half < 2; half++) {
		put64(both, siphash(space.p, space.n, keys[half]));
		put64(both + 8, siphash(name.p, name.n, keys[half]));
		put64(b + 8 * half, siphash(both, sizeof(both), keys[half]));
	}
	format_uuid(b, 8, out);
}

bool uuid_valid(struct str text)
{
	uint64_t digit;

	if (text.n != RANDOM_UUID_SIZE - 1)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (dash_at(i) ? text.p[i] != '-'
			       : str_to_hex64(str_make(text.p + i, 1), &digit) != 0)
			return false;
	}
	return true;
}
