/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/guard.h"

#include "base/siphash.h"

#include <stdlib.h>
#include <string.h>

#define WAYS         4 /* slots in which one source may sit */
#define SECOND       1000000000ull
#define SCORE_MAX    1000000u
#define SOURCE_BYTES 17

_Static_assert((GUARD_SLOTS & (GUARD_SLOTS - 1)) == 0, "slots are masked");

struct slot {
	uint64_t hash; /* of the source; 0: free */
	uint64_t leaked_ns;
	uint64_t blocked_until_ns;
	uint32_t score;
};

struct guard {
	uint8_t seed[SIPHASH_KEY_SIZE];
	struct guard_options options;
	struct guard_stats stats;
	struct slot slots[GUARD_SLOTS];
};

static const uint32_t points[GUARD_OFFENCES] = {
	[GUARD_MALFORMED] = 1,
	[GUARD_STRANGER] = 2,
	[GUARD_WRONG] = 4,
	[GUARD_FORBIDDEN] = 2,
};

static uint32_t or_default32(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static uint64_t or_default64(uint64_t value, uint64_t otherwise)
{
	return value ? value : otherwise;
}

struct guard *guard_new(const struct guard_options *options, const uint8_t seed[16])
{
	struct guard *guard = calloc(1, sizeof(*guard));
	struct guard_options *o;

	if (!guard)
		return NULL;
	o = &guard->options;
	if (options)
		*o = *options;
	o->slow_at = or_default32(o->slow_at, 10);
	o->block_at = or_default32(o->block_at, 30);
	o->leak_ns = or_default64(o->leak_ns, 10 * SECOND);
	o->delay_ns = or_default64(o->delay_ns, 2 * SECOND);
	o->block_ns = or_default64(o->block_ns, 600 * SECOND);
	memcpy(guard->seed, seed, sizeof(guard->seed));
	return guard;
}

void guard_free(struct guard *guard)
{
	free(guard);
}

static uint64_t hash_of(const struct guard *guard, const struct address *source)
{
	uint8_t bytes[SOURCE_BYTES] = {(uint8_t)address_family(source)};
	uint64_t hash;

	if (address_family(source) == AF_INET6)
		memcpy(bytes + 1, &source->in6.sin6_addr, 8);
	else if (address_family(source) == AF_INET)
		memcpy(bytes + 1, &source->in.sin_addr, 4);
	hash = siphash(bytes, sizeof(bytes), guard->seed);
	return hash ? hash : 1;
}

static void leak(const struct guard *guard, struct slot *slot, uint64_t now_ns)
{
	uint64_t leaked;

	if (now_ns <= slot->leaked_ns)
		return;
	leaked = (now_ns - slot->leaked_ns) / guard->options.leak_ns;
	slot->score = leaked < slot->score ? slot->score - (uint32_t)leaked : 0;
	slot->leaked_ns += leaked * guard->options.leak_ns;
}

static struct slot *find(struct guard *guard, uint64_t hash)
{
	for (unsigned i = 0; i < WAYS; i++) {
		struct slot *slot = &guard->slots[(hash + i) & (GUARD_SLOTS - 1)];

		if (slot->hash == hash)
			return slot;
	}
	return NULL;
}

/* A place for a new source: a free one, else that of the lowest score. */
static struct slot *take(struct guard *guard, uint64_t hash, uint64_t now_ns)
{
	struct slot *lowest = NULL;

	for (unsigned i = 0; i < WAYS; i++) {
		struct slot *slot = &guard->slots[(hash + i) & (GUARD_SLOTS - 1)];

		if (slot->hash)
			leak(guard, slot, now_ns);
		else
			slot->score = 0;
		if (!lowest || slot->score < lowest->score)
			lowest = slot;
	}
	if (lowest->hash && lowest->score > 0)
		guard->stats.evicted++;
	*lowest = (struct slot){.hash = hash, .leaked_ns = now_ns};
	return lowest;
}

static enum guard_verdict verdict_of(
	struct guard *guard, struct slot *slot, uint64_t now_ns, uint64_t *delay_ns)
{
	const struct guard_options *o = &guard->options;

	if (slot->blocked_until_ns > now_ns) {
		guard->stats.dropped++;
		return GUARD_DROP;
	}
	if (slot->blocked_until_ns) {
		slot->blocked_until_ns = 0;
		slot->leaked_ns = now_ns;
		slot->score = o->slow_at;
	}
	if (slot->score < o->slow_at)
		return GUARD_PASS;
	guard->stats.slowed++;
	if (delay_ns)
		*delay_ns = o->delay_ns;
	return GUARD_SLOW;
}

enum guard_verdict guard_check(
	struct guard *guard, const struct address *source, uint64_t now_ns, uint64_t *delay_ns)
{
	struct slot *slot = find(guard, hash_of(guard, source));

	if (!slot)
		return GUARD_PASS;
	leak(guard, slot, now_ns);
	return verdict_of(guard, slot, now_ns, delay_ns);
}

enum guard_verdict guard_offence(struct guard *guard, const struct address *source,
	enum guard_offence offence, uint64_t now_ns, uint64_t *delay_ns)
{
	uint64_t hash = hash_of(guard, source);
	struct slot *slot = find(guard, hash);

	guard->stats.offences[offence]++;
	if (!slot)
		slot = take(guard, hash, now_ns);
	leak(guard, slot, now_ns);
	if (slot->score < SCORE_MAX)
		slot->score += points[offence];
	if (slot->score >= guard->options.block_at && slot->blocked_until_ns == 0) {
		slot->blocked_until_ns = now_ns + guard->options.block_ns;
		guard->stats.blocked++;
	}
	return verdict_of(guard, slot, now_ns, delay_ns);
}

void guard_forgive(struct guard *guard, const struct address *source)
{
	struct slot *slot = find(guard, hash_of(guard, source));

	if (slot)
		*slot = (struct slot){0};
}

const struct guard_stats *guard_stats(const struct guard *guard)
{
	return &guard->stats;
}

uint16_t guard_refusal(enum sip_method method)
{
	switch (method) {
	case SIP_METHOD_ACK:
	case SIP_METHOD_CANCEL:
		return 0;
	case SIP_METHOD_REGISTER:
		return 401;
	default:
		return 403;
	}
}
