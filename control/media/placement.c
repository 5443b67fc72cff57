/* SPDX-License-Identifier: Apache-2.0 */
#include "media/placement.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define NONE UINT32_MAX

struct slot {
	uint64_t freed_ns;
	uint32_t next, before; /* in its list of free slots */
	uint32_t generation;
	uint16_t worker; /* of a room, while used */
	bool used;
};

/* Free slots, the one freed longest ago first. */
struct list {
	uint32_t head, tail, n;
};

struct space {
	struct slot *slots;
	uint32_t n, used;
};

#define FAMILIES 2u

struct placement {
	struct placement_shape shape;
	struct space ports, rooms;
	struct list home[FAMILIES][CORD_WORKERS_MAX]; /* free ports by family and home worker */
	struct list free_rooms;
	uint32_t rooms_at[CORD_WORKERS_MAX];
};

static void list_add(struct list *l, struct slot *slots, uint32_t slot)
{
	slots[slot].next = NONE;
	slots[slot].before = l->n ? l->tail : NONE;
	if (l->n++ == 0)
		l->head = slot;
	else
		slots[l->tail].next = slot;
	l->tail = slot;
}

static void list_add_first(struct list *l, struct slot *slots, uint32_t slot)
{
	slots[slot].before = NONE;
	slots[slot].next = l->n ? l->head : NONE;
	if (l->n++ == 0)
		l->tail = slot;
	else
		slots[l->head].before = slot;
	l->head = slot;
}

static void list_take(struct list *l, struct slot *slots, uint32_t slot)
{
	uint32_t before = slots[slot].before, next = slots[slot].next;

	CHECK(l->n > 0);
	if (before == NONE)
		l->head = next;
	else
		slots[before].next = next;
	if (next == NONE)
		l->tail = before;
	else
		slots[next].before = before;
	l->n--;
}

static bool list_rested(
	const struct list *l, const struct slot *slots, uint64_t rest_ns, uint64_t now_ns)
{
	if (l->n == 0)
		return false;
	uint64_t freed_ns = slots[l->head].freed_ns;
	return freed_ns == 0 || now_ns >= freed_ns + rest_ns;
}

unsigned placement_home(const struct placement *p, uint32_t slot)
{
	return slot / PLACEMENT_BLOCK % p->shape.workers;
}

static struct list *lists_of(struct placement *p, uint8_t family)
{
	return p->home[family == CORD_FAMILY_IPV6];
}

static struct list *home_list(struct placement *p, uint32_t slot)
{
	uint32_t per_address = p->shape.ports / p->shape.addresses;

	return &lists_of(p, p->shape.family[slot / per_address])[placement_home(p, slot)];
}

int placement_create(const struct placement_shape *shape, struct placement **out)
{
	const uint32_t ports = shape->ports, rooms = shape->rooms;
	struct placement *p = calloc(1, sizeof(*p));

	CHECK(shape->workers > 0 && shape->workers <= CORD_WORKERS_MAX);
	CHECK(shape->addresses > 0 && shape->addresses <= CORD_ADDRESSES_MAX &&
		ports % shape->addresses == 0);
	if (!p)
		return -ENOMEM;
	p->shape = *shape;
	p->ports.slots = calloc(ports, sizeof(struct slot));
	p->rooms.slots = calloc(rooms, sizeof(struct slot));
	if (!p->ports.slots || !p->rooms.slots) {
		placement_destroy(p);
		return -ENOMEM;
	}
	p->ports.n = ports;
	p->rooms.n = rooms;
	for (uint32_t i = 0; i < ports; i++)
		list_add(home_list(p, i), p->ports.slots, i);
	for (uint32_t i = 0; i < rooms; i++)
		list_add(&p->free_rooms, p->rooms.slots, i);
	*out = p;
	return 0;
}

void placement_destroy(struct placement *p)
{
	if (!p)
		return;
	free(p->ports.slots);
	free(p->rooms.slots);
	free(p);
}

static cord_id slot_renew(struct slot *s, uint32_t slot, uint64_t now_ns)
{
	uint32_t second = (uint32_t)(now_ns / 1000000000u) + 1;

	s->generation = s->generation >= second ? s->generation + 1 : second;
	return cord_id_make(slot, s->generation);
}

static cord_id slot_use(struct space *space, uint32_t slot, uint64_t now_ns)
{
	struct slot *s = &space->slots[slot];

	CHECK(!s->used);
	s->used = true;
	space->used++;
	return slot_renew(s, slot, now_ns);
}

static struct slot *slot_of(const struct space *space, cord_id id)
{
	uint32_t slot = cord_id_slot(id);

	CHECK(slot < space->n);
	struct slot *s = &space->slots[slot];
	CHECK(s->used && s->generation == cord_id_generation(id));
	return s;
}

static void slot_free(struct space *space, struct list *l, cord_id id, uint64_t now_ns)
{
	struct slot *s = slot_of(space, id);

	s->used = false;
	s->freed_ns = now_ns;
	space->used--;
	list_add(l, space->slots, cord_id_slot(id));
}

static bool worker_takes_room(const struct placement *p, unsigned worker)
{
	return p->rooms_at[worker] < p->shape.rooms_per_worker;
}

unsigned placement_worker(const struct placement *p, const uint64_t *load)
{
	unsigned best = UINT_MAX;

	for (unsigned w = 0; w < p->shape.workers; w++)
		if (worker_takes_room(p, w) && (best == UINT_MAX || load[w] < load[best]))
			best = w;
	return best;
}

static void room_counts(struct placement *p, uint32_t slot, unsigned worker)
{
	p->rooms.slots[slot].worker = (uint16_t)worker;
	p->rooms_at[worker]++;
}

int placement_room(struct placement *p, unsigned worker, uint64_t now_ns, cord_id *room)
{
	if (worker >= p->shape.workers || !worker_takes_room(p, worker) ||
		!list_rested(&p->free_rooms, p->rooms.slots, PLACEMENT_ROOM_REST_NS, now_ns))
		return -ENOSPC;
	uint32_t slot = p->free_rooms.head;
	list_take(&p->free_rooms, p->rooms.slots, slot);
	*room = slot_use(&p->rooms, slot, now_ns);
	room_counts(p, slot, worker);
	return 0;
}

void placement_room_free(struct placement *p, cord_id room, uint64_t now_ns)
{
	unsigned w = slot_of(&p->rooms, room)->worker;

	slot_free(&p->rooms, &p->free_rooms, room, now_ns);
	p->rooms_at[w]--;
}

/* The worker's own slots first, then those of the worker with most to spare. */
static struct list *rested_ports(
	const struct placement *p, struct list *home, unsigned worker, uint64_t now_ns)
{
	struct list *best = NULL;

	if (list_rested(&home[worker], p->ports.slots, CORD_UDP_PORT_REST_NS, now_ns))
		return &home[worker];
	for (unsigned w = 0; w < p->shape.workers; w++) {
		struct list *l = &home[w];

		if (list_rested(l, p->ports.slots, CORD_UDP_PORT_REST_NS, now_ns) &&
			(!best || l->n > best->n))
			best = l;
	}
	return best;
}

static bool has_family(const struct placement *p, uint8_t family)
{
	return memchr(p->shape.family, family, p->shape.addresses) != NULL;
}

int placement_port(struct placement *p, unsigned worker, enum cord_family family, uint64_t now_ns,
	cord_id *port)
{
	uint8_t wanted = family == CORD_FAMILY_NONE ? p->shape.family[0] : (uint8_t)family;
	struct list *l;

	CHECK(worker < p->shape.workers);
	if (!has_family(p, wanted))
		return -EAFNOSUPPORT;
	l = rested_ports(p, lists_of(p, wanted), worker, now_ns);
	if (!l)
		return -ENOSPC;
	uint32_t slot = l->head;
	list_take(l, p->ports.slots, slot);
	*port = slot_use(&p->ports, slot, now_ns);
	return 0;
}

void placement_port_free(struct placement *p, cord_id port, uint64_t now_ns)
{
	slot_free(&p->ports, home_list(p, cord_id_slot(port)), port, now_ns);
}

void placement_port_give_back(struct placement *p, cord_id port)
{
	struct slot *s = slot_of(&p->ports, port);
	uint32_t slot = cord_id_slot(port);

	s->used = false;
	p->ports.used--;
	list_add_first(home_list(p, slot), p->ports.slots, slot);
}

cord_id placement_port_renew(struct placement *p, cord_id port, uint64_t now_ns)
{
	return slot_renew(slot_of(&p->ports, port), cord_id_slot(port), now_ns);
}

cord_id placement_room_renew(struct placement *p, cord_id room, uint64_t now_ns)
{
	return slot_renew(slot_of(&p->rooms, room), cord_id_slot(room), now_ns);
}

static bool slot_claim(struct space *space, struct list *l, cord_id id)
{
	uint32_t slot = cord_id_slot(id), generation = cord_id_generation(id);

	if (slot >= space->n || generation == 0 || space->slots[slot].used)
		return false;
	struct slot *s = &space->slots[slot];
	list_take(l, space->slots, slot);
	s->used = true;
	s->generation = generation;
	space->used++;
	return true;
}

bool placement_port_claim(struct placement *p, cord_id port)
{
	return cord_id_slot(port) < p->ports.n &&
	       slot_claim(&p->ports, home_list(p, cord_id_slot(port)), port);
}

bool placement_room_claim(struct placement *p, cord_id room, unsigned worker)
{
	if (worker >= p->shape.workers)
		worker = 0;
	if (!slot_claim(&p->rooms, &p->free_rooms, room))
		return false;
	room_counts(p, cord_id_slot(room), worker);
	return true;
}

void placement_counts(const struct placement *p, uint64_t now_ns, struct placement_counts *out)
{
	uint32_t resting = 0;

	for (uint32_t i = 0; i < p->ports.n; i++) {
		const struct slot *s = &p->ports.slots[i];

		resting += !s->used && s->freed_ns && now_ns < s->freed_ns + CORD_UDP_PORT_REST_NS;
	}
	*out = (struct placement_counts){
		.ports = p->ports.n,
		.ports_used = p->ports.used,
		.ports_resting = resting,
		.rooms = p->rooms.n,
		.rooms_used = p->rooms.used,
	};
}
