/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records and events as a reader of them sees them: each segment one record, complete once at least,
 * at most one agent, chains that can be walked both ways, moments in order (invariant 7).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "world.h"

struct kept {
	char id[RANDOM_UUID_SIZE], initial[RANDOM_UUID_SIZE], previous[RANDOM_UUID_SIZE],
		next[RANDOM_UUID_SIZE];
	char agent[64];
	char method[24];
	bool complete;
	uint64_t updated;
	struct kept *list;
};

static struct map map;
static struct kept *all;
static uint64_t records, events;
static uint64_t last_event_wall;

void store_open(void)
{
	map_init(&map, NULL, 0);
	all = NULL;
	last_event_wall = 0;
}

uint64_t store_records(void)
{
	return records;
}

static struct kept *find(const char *id)
{
	return map_get(&map, id, strlen(id));
}

static void copy(char *to, size_t size, struct str text)
{
	CHECK(text.n < size);
	if (text.n)
		memcpy(to, text.p, text.n);
	to[text.n] = '\0';
}

static struct kept *keep(struct str id)
{
	struct kept *k = map_get(&map, id.p, id.n);

	if (k)
		return k;
	k = calloc(1, sizeof(*k));
	CHECK(k);
	copy(k->id, sizeof(k->id), id);
	CHECK(map_put(&map, k->id, strlen(k->id), k) == 0);
	k->list = all;
	all = k;
	records++;
	return k;
}

/* ---- one record ---- */

static void in_order(const struct record *r, uint64_t earlier, uint64_t later, const char *what)
{
	if (earlier && later && later < earlier)
		sim_wrong("record %.36s: %s", r->contact_id.p, what);
}

static void check_moments(const struct record *r)
{
	uint64_t talked_ns;

	in_order(r, r->initiation_wall, r->connected_to_system_wall, "connected before initiated");
	in_order(r, r->initiation_wall, r->disconnect_wall, "disconnected before initiated");
	if (r->has_queue)
		in_order(r, r->queue.enqueue_wall, r->queue.dequeue_wall, "dequeued before queued");
	if (!r->has_agent)
		return;
	in_order(r, r->initiation_wall, r->agent.connected_wall, "agent before initiation");
	in_order(r, r->agent.connected_wall, r->agent.ended_wall, "agent ends before it begins");
	in_order(r, r->agent.ended_wall, r->agent.acw_start_wall,
		"after-contact work before the end");
	in_order(r, r->agent.acw_start_wall, r->agent.acw_end_wall, "after-contact work backwards");
	if (r->agent.longest_hold_ns > r->agent.hold_ns)
		sim_wrong("the longest hold is longer than all");
	if (!r->agent.holds != !r->agent.hold_ns && r->complete && r->agent.holds)
		return; /* a hold of no time at all */
	if (r->complete && r->agent.ended_wall) {
		talked_ns = r->agent.ended_wall - r->agent.connected_wall;
		if (r->agent.hold_ns > talked_ns + MS)
			sim_wrong("record %.36s: on hold for longer than the agent was there",
				r->contact_id.p);
	}
}

int __wrap_records_put(struct records *store, const struct record *record);
int __wrap_records_set_next(
	struct records *store, struct str contact_id, struct str next_id, uint64_t wall_ns);
bool __wrap_records_pressure(const struct records *store);

int __wrap_records_put(struct records *store, const struct record *r)
{
	struct kept *k = keep(r->contact_id);

	check_moments(r);
	copy(k->initial, sizeof(k->initial), r->initial_contact_id);
	copy(k->previous, sizeof(k->previous), r->previous_contact_id);
	copy(k->next, sizeof(k->next), r->next_contact_id);
	copy(k->method, sizeof(k->method), r->initiation_method);
	if (r->has_agent) {
		char agent[64];

		copy(agent, sizeof(agent), r->agent.username);
		if (k->agent[0] && strcmp(k->agent, agent) != 0)
			sim_wrong("record %s has two agents, %s and %s", k->id, k->agent, agent);
		memcpy(k->agent, agent, sizeof(agent));
	} else if (k->agent[0]) {
		sim_wrong("record %s has lost its agent", k->id);
	}
	if (k->complete && !r->complete)
		sim_wrong("record %s was complete and is not any more", k->id);
	if (r->last_update_wall < k->updated)
		sim_wrong("record %s was updated in the past", k->id);
	k->updated = r->last_update_wall;
	k->complete = r->complete;
	return 0;
}

int __wrap_records_set_next(
	struct records *store, struct str contact_id, struct str next_id, uint64_t wall_ns)
{
	struct kept *k = map_get(&map, contact_id.p, contact_id.n);

	if (k)
		copy(k->next, sizeof(k->next), next_id);
	return 0;
}

bool __wrap_records_pressure(const struct records *store)
{
	return false;
}

/* ---- all of them, when everything is over ---- */

static void check_chain(const struct kept *k)
{
	const struct kept *previous = k->previous[0] ? find(k->previous) : NULL;
	const struct kept *next = k->next[0] ? find(k->next) : NULL;

	if (!k->complete)
		sim_wrong("record %s (%s) was never complete", k->id, k->method);
	if (!k->previous[0] != (strcmp(k->id, k->initial) == 0))
		sim_wrong("record %s: the first of a chain is its own initial one", k->id);
	/* a call that was given up before it was answered has no record */
	if (previous && strcmp(previous->next, k->id) != 0)
		sim_wrong("record %s (%s): the one before (%s) names %s as the next", k->id,
			k->method, previous->method, previous->next);
	if (next && strcmp(next->previous, k->id) != 0)
		sim_wrong("record %s: the next one does not name it", k->id);
	if (next && strcmp(next->initial, k->initial) != 0)
		sim_wrong("record %s: the next one has another initial one", k->id);
	if (k->next[0] && !next)
		sim_wrong("record %s (%s): the next one, %s, does not exist", k->id, k->method,
			k->next);
	if (k->previous[0] && !previous)
		sim_wrong("record %s (%s): the one before, %s, does not exist", k->id, k->method,
			k->previous);
}

void store_check(void)
{
	for (const struct kept *k = all; k; k = k->list)
		check_chain(k);
	map_clear(&map);
	while (all) {
		struct kept *k = all;

		all = k->list;
		free(k);
	}
}

/* ---- events ---- */

int __wrap_events_append(struct events *store, const char *topic, uint64_t wall_ns, struct str json,
	uint64_t *number);

int __wrap_events_append(struct events *store, const char *topic, uint64_t wall_ns, struct str json,
	uint64_t *number)
{
	if (wall_ns < last_event_wall)
		sim_wrong("an event of topic %s is older than the one before it", topic);
	last_event_wall = wall_ns;
	*number = ++events;
	return 0;
}
