/* SPDX-License-Identifier: Apache-2.0 */
#include "neighbor.h"

#include <errno.h>
#include <stdlib.h>

/* An entry that was freed keeps probing chains whole. */
#define KEY_REMOVED 0xffffffffull

static uint32_t key_ip(uint64_t key)
{
	return (uint32_t)(key >> 32);
}

static uint32_t key_users(uint64_t key)
{
	return (uint32_t)key;
}

static bool key_free(uint64_t key)
{
	return key == 0 || key == KEY_REMOVED;
}

static uint32_t hash(const struct neighbors *n, uint32_t ip)
{
	return (uint32_t)((ip * 0x9e3779b97f4a7c15ull) >> 40) & (n->count - 1);
}

int neighbors_create(struct neighbors *n, uint32_t ports)
{
	uint32_t count = 128;

	while (count < 2 * ports)
		count *= 2;
	n->entry = calloc(count, sizeof(*n->entry));
	if (n->entry == NULL)
		return -ENOMEM;
	n->count = count;
	return 0;
}

void neighbors_destroy(struct neighbors *n)
{
	free(n->entry);
	n->entry = NULL;
	n->count = 0;
}

uint32_t neighbor_next_hop(const struct neighbors *n, uint32_t local, uint32_t remote)
{
	if (((n->ip[local] ^ remote) & n->mask[local]) == 0)
		return remote;
	return n->gateway;
}

uint32_t neighbor_acquire(struct neighbors *n, uint32_t ip)
{
	uint32_t vacant = NEIGHBOR_NONE;
	uint32_t start = hash(n, ip);

	for (uint32_t i = 0; i < NEIGHBOR_PROBES; i++) {
		uint32_t index = (start + i) & (n->count - 1);
		_Atomic uint64_t *word = &n->entry[index].key;
		uint64_t key = atomic_load(word);

		while (!key_free(key) && key_ip(key) == ip) {
			if (atomic_compare_exchange_weak(word, &key, key + 1))
				return index;
		}
		if (vacant == NEIGHBOR_NONE && key_free(key))
			vacant = index;
		if (key == 0)
			break;
	}
	if (vacant == NEIGHBOR_NONE)
		return NEIGHBOR_NONE;
	uint64_t key = atomic_load(&n->entry[vacant].key);

	/* Another worker was quicker: look again. */
	if (!key_free(key) || !atomic_compare_exchange_strong(
				      &n->entry[vacant].key, &key, (uint64_t)ip << 32 | 1))
		return neighbor_acquire(n, ip);
	return vacant;
}

void neighbor_release(struct neighbors *n, uint32_t index)
{
	if (index < n->count)
		atomic_fetch_sub(&n->entry[index].key, 1);
}

void neighbor_learn(struct neighbors *n, uint32_t ip, const uint8_t mac[6], cord_time now_ns)
{
	uint64_t word = 0;
	uint32_t start = hash(n, ip);

	memcpy(&word, mac, 6);
	word |= NEIGHBOR_RESOLVED;
	for (uint32_t i = 0; i < NEIGHBOR_PROBES; i++) {
		struct neighbor *e = &n->entry[(start + i) & (n->count - 1)];
		uint64_t key = atomic_load(&e->key);

		if (key == 0)
			return;
		if (key == KEY_REMOVED || key_ip(key) != ip)
			continue;
		atomic_store(&e->mac, word);
		atomic_store(&e->learned, now_ns);
	}
}

/* Only the main lcore turns an entry free, and only while nobody needs it. */
static void free_entry(struct neighbor *e, uint64_t key)
{
	uint64_t mac = atomic_load(&e->mac);

	atomic_store(&e->mac, 0);
	if (!atomic_compare_exchange_strong(&e->key, &key, KEY_REMOVED))
		atomic_store(&e->mac, mac);
	e->asked = 0;
}

static uint32_t source_for(const struct neighbors *n, uint32_t ip)
{
	for (uint32_t i = 0; i < n->addresses; i++) {
		if (((n->ip[i] ^ ip) & n->mask[i]) == 0)
			return n->ip[i];
	}
	return n->ip[0];
}

static void step_entry(struct neighbors *n, struct neighbor *e, cord_time now_ns,
	void (*ask)(void *context, uint32_t local_ip, uint32_t ip), void *context)
{
	uint64_t key = atomic_load(&e->key);

	if (key_free(key))
		return;
	if (key_users(key) == 0) {
		if (now_ns - e->needed > NEIGHBOR_IDLE_NS)
			free_entry(e, key);
		return;
	}
	e->needed = now_ns;
	uint64_t learned = atomic_load(&e->learned);
	bool fresh = atomic_load(&e->mac) != 0 && now_ns - learned < NEIGHBOR_AGE_NS;

	if (fresh || (e->asked != 0 && now_ns - e->asked < NEIGHBOR_ASK_NS))
		return;
	e->asked = now_ns;
	ask(context, source_for(n, key_ip(key)), key_ip(key));
}

void neighbors_step(struct neighbors *n, cord_time now_ns,
	void (*ask)(void *context, uint32_t local_ip, uint32_t ip), void *context)
{
	for (uint32_t i = 0; i < n->count; i++)
		step_entry(n, &n->entry[i], now_ns, ask, context);
}
