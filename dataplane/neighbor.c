/* SPDX-License-Identifier: Apache-2.0 */
#include "neighbor.h"

#include <errno.h>
#include <stdlib.h>

/* Keys of generation 0: an entry that was freed keeps probing chains whole; one that is claimed
 * has no address yet. */
#define KEY_REMOVED 0xffffffffull
#define KEY_CLAIMED 0xfffffffeull

/* An address as the table keeps it. */
struct name {
	uint64_t ip[2];
};

static struct name name_of(const struct cord_address *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t ip[16];
	struct name name;

	if (a->family == CORD_FAMILY_IPV6) {
		memcpy(ip, a->ip, sizeof(ip));
	} else {
		memcpy(ip, mapped, sizeof(mapped));
		memcpy(ip + sizeof(mapped), a->ip, 4);
	}
	memcpy(&name, ip, sizeof(name));
	return name;
}

static struct cord_address address_of(const struct name *name)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct cord_address a = {.family = CORD_FAMILY_IPV6};

	memcpy(a.ip, name, sizeof(a.ip));
	if (memcmp(a.ip, mapped, sizeof(mapped)) == 0) {
		a = (struct cord_address){.family = CORD_FAMILY_IPV4};
		memcpy(a.ip, (const uint8_t *)name + sizeof(mapped), 4);
	}
	return a;
}

static struct name entry_name(const struct neighbor *e)
{
	return (struct name){{atomic_load(&e->ip[0]), atomic_load(&e->ip[1])}};
}

static bool entry_is(const struct neighbor *e, const struct name *name)
{
	struct name is = entry_name(e);

	return is.ip[0] == name->ip[0] && is.ip[1] == name->ip[1];
}

static uint32_t key_users(uint64_t key)
{
	return (uint32_t)key;
}

static bool key_used(uint64_t key)
{
	return key >> 32;
}

static bool key_free(uint64_t key)
{
	return key == 0 || key == KEY_REMOVED;
}

/* What differs between addresses of a network is in the high bytes of the second word. */
static uint32_t hash(const struct neighbors *n, const struct name *name)
{
	uint64_t mixed = (name->ip[0] ^ name->ip[0] >> 32) * 0x9e3779b97f4a7c15ull;

	mixed ^= mixed >> 32 ^ name->ip[1];
	mixed = (mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15ull;
	return (uint32_t)(mixed >> 40) & (n->count - 1);
}

int neighbors_create(struct neighbors *n, uint32_t ports)
{
	uint32_t count = 128;

	while (count < 2 * ports)
		count *= 2;
	n->entry = aligned_alloc(alignof(struct neighbor), count * sizeof(*n->entry));
	if (n->entry == NULL)
		return -ENOMEM;
	memset(n->entry, 0, count * sizeof(*n->entry));
	n->count = count;
	return 0;
}

void neighbors_destroy(struct neighbors *n)
{
	free(n->entry);
	n->entry = NULL;
	n->count = 0;
}

static bool on_prefix(const struct cord_address *a, const struct cord_address *b, uint32_t bits)
{
	uint32_t whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return a->family == b->family && memcmp(a->ip, b->ip, whole) == 0 &&
	       (mask == 0 || ((a->ip[whole] ^ b->ip[whole]) & mask) == 0);
}

/* fe80::/10: never behind a router. */
static bool link_local(const struct cord_address *a)
{
	return a->family == CORD_FAMILY_IPV6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

static bool unspecified(const struct cord_address *a)
{
	static const uint8_t zero[16];

	return memcmp(a->ip, zero, sizeof(zero)) == 0;
}

bool neighbor_next_hop(const struct neighbors *n, uint32_t local, const struct cord_address *remote,
	struct cord_address *hop)
{
	const struct cord_address *gateway = &n->gateway[remote->family == CORD_FAMILY_IPV6];

	if (unspecified(remote))
		return false;
	if (link_local(remote) || on_prefix(&n->address[local], remote, n->prefix[local])) {
		*hop = *remote;
		return true;
	}
	*hop = *gateway;
	return gateway->family != CORD_FAMILY_NONE;
}

static bool claim(struct neighbors *n, struct neighbor *e, const struct name *name)
{
	uint64_t key = atomic_load(&e->key);
	uint32_t generation;

	if (!key_free(key) || !atomic_compare_exchange_strong(&e->key, &key, KEY_CLAIMED))
		return false;
	do
		generation = atomic_fetch_add(&n->claims, 1) + 1;
	while (generation == 0);
	atomic_store(&e->ip[0], name->ip[0]);
	atomic_store(&e->ip[1], name->ip[1]);
	atomic_store(&e->key, (uint64_t)generation << 32 | 1);
	return true;
}

uint32_t neighbor_acquire(struct neighbors *n, const struct cord_address *ip)
{
	struct name name = name_of(ip);
	uint32_t vacant = NEIGHBOR_NONE;
	uint32_t start = hash(n, &name);

	for (uint32_t i = 0; i < NEIGHBOR_PROBES; i++) {
		uint32_t index = (start + i) & (n->count - 1);
		struct neighbor *e = &n->entry[index];
		uint64_t key = atomic_load(&e->key);

		while (key_used(key) && entry_is(e, &name)) {
			if (atomic_compare_exchange_weak(&e->key, &key, key + 1))
				return index;
		}
		if (vacant == NEIGHBOR_NONE && key_free(key))
			vacant = index;
		if (key == 0)
			break;
	}
	if (vacant == NEIGHBOR_NONE)
		return NEIGHBOR_NONE;
	/* Another worker was quicker: look again. */
	return claim(n, &n->entry[vacant], &name) ? vacant : neighbor_acquire(n, ip);
}

void neighbor_release(struct neighbors *n, uint32_t index)
{
	if (index < n->count)
		atomic_fetch_sub(&n->entry[index].key, 1);
}

static void learn(struct neighbor *e, uint64_t word, bool override, cord_time now_ns)
{
	uint64_t known = 0;

	if (override)
		atomic_store(&e->mac, word);
	else if (!atomic_compare_exchange_strong(&e->mac, &known, word) && known != word)
		now_ns = 0;
	atomic_store(&e->learned, now_ns);
}

void neighbor_learn(struct neighbors *n, const struct cord_address *ip, const uint8_t mac[6],
	bool override, cord_time now_ns)
{
	struct name name = name_of(ip);
	uint64_t word = 0;
	uint32_t start = hash(n, &name);

	memcpy(&word, mac, 6);
	word |= NEIGHBOR_RESOLVED;
	for (uint32_t i = 0; i < NEIGHBOR_PROBES; i++) {
		struct neighbor *e = &n->entry[(start + i) & (n->count - 1)];
		uint64_t key = atomic_load(&e->key);

		if (key == 0)
			return;
		if (key_used(key) && entry_is(e, &name))
			learn(e, word, override, now_ns);
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

/* Our address on the link of `ip`; any of its family where it is on none; NULL: we have none. */
static const struct cord_address *source_for(
	const struct neighbors *n, const struct cord_address *ip)
{
	const struct cord_address *any = NULL;

	for (uint32_t i = 0; i < n->addresses; i++) {
		if (n->address[i].family != ip->family)
			continue;
		if (on_prefix(&n->address[i], ip, n->prefix[i]))
			return &n->address[i];
		if (any == NULL)
			any = &n->address[i];
	}
	return any;
}

static void step_entry(
	struct neighbors *n, struct neighbor *e, cord_time now_ns, neighbor_ask *ask, void *context)
{
	uint64_t key = atomic_load(&e->key);

	if (!key_used(key))
		return;
	if (key_users(key) == 0) {
		if (now_ns - e->needed > NEIGHBOR_IDLE_NS)
			free_entry(e, key);
		return;
	}
	e->needed = now_ns;
	uint64_t learned = atomic_load(&e->learned);
	bool fresh =
		atomic_load(&e->mac) != 0 && learned != 0 && now_ns - learned < NEIGHBOR_AGE_NS;

	if (fresh || (e->asked != 0 && now_ns - e->asked < NEIGHBOR_ASK_NS))
		return;
	e->asked = now_ns;
	struct name name = entry_name(e);
	struct cord_address ip = address_of(&name);
	const struct cord_address *local = source_for(n, &ip);

	if (local)
		ask(context, local, &ip);
}

void neighbors_step(struct neighbors *n, cord_time now_ns, neighbor_ask *ask, void *context)
{
	for (uint32_t i = 0; i < n->count; i++)
		step_entry(n, &n->entry[i], now_ns, ask, context);
}
