/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "queue/router_state.h"

#define SECOND_NS 1000000000ULL

/* At most, in a reload: taken away from an offer, changed, offered something else. */
enum { EFFECTS_PER_AGENT = 8 };

/* Maps of ids that stand in instance files: nobody floods them. */
static const uint8_t map_seed[SIPHASH_KEY_SIZE] = {1};

struct router_queue *router_queue_at(const struct router *router, uint32_t number)
{
	return number < router->queue_count ? router->queues[number] : NULL;
}

struct router_agent *router_agent_at(const struct router *router, uint32_t number)
{
	return number < router->agent_count ? router->agents[number] : NULL;
}

uint32_t router_entry_priority(const struct router_entry *entry, const struct router_queue *queue)
{
	return entry->priority ? entry->priority : queue->priority;
}

uint32_t router_entry_position(const struct router_entry *entry)
{
	if (entry->queue == ROUTER_NONE)
		return 0;
	return queue_position(&entry->router->queues[entry->queue]->queue, &entry->member);
}

/* ---- numbers ---- */

static uint32_t number_of_queue(const struct router *router, const char *id)
{
	const struct router_queue *queue = map_get_str(&router->queue_ids, str_from(id));

	return queue ? queue->number : ROUTER_NONE;
}

static uint32_t number_of_agent(const struct router *router, const char *id)
{
	const struct router_agent *agent = map_get_str(&router->agent_ids, str_from(id));

	return agent ? agent->agent.number : ROUTER_NONE;
}

uint32_t router_queue_of(const struct router *router, const struct resource_queue *row)
{
	return row ? number_of_queue(router, row->row.id) : ROUTER_NONE;
}

uint32_t router_agent_of(const struct router *router, const struct resource_agent *row)
{
	return row ? number_of_agent(router, row->row.id) : ROUTER_NONE;
}

uint32_t router_find_queue(const struct router *router, const char *text, enum resource_refs refs)
{
	const struct resource_queue *row = resources_queue(router->resources, text, refs);
	const struct resource_agent *agent = NULL;

	if (row)
		return router_queue_of(router, row);
	if (refs & RESOURCE_BY_ARN)
		agent = resources_agent_by_queue_arn(router->resources, text);
	return agent ? router_agent_queue(router, router_agent_of(router, agent)) : ROUTER_NONE;
}

uint32_t router_find_agent(const struct router *router, const char *text, enum resource_refs refs)
{
	return router_agent_of(router, resources_agent(router->resources, text, refs));
}

uint32_t router_agent_queue(const struct router *router, uint32_t number)
{
	const struct router_agent *agent = router_agent_at(router, number);

	return agent ? agent->queue : ROUTER_NONE;
}

const struct resource_queue *router_queue_row(const struct router *router, uint32_t number)
{
	const struct router_queue *queue = router_queue_at(router, number);

	return queue ? queue->row : NULL;
}

const struct resource_agent *router_agent_row(const struct router *router, uint32_t number)
{
	const struct router_agent *agent = router_agent_at(router, number);

	return agent ? agent->agent.row : NULL;
}

uint32_t router_queue_agent(const struct router *router, uint32_t number)
{
	const struct router_queue *queue = router_queue_at(router, number);

	return queue ? queue->agent : ROUTER_NONE;
}

uint32_t router_queue_count(const struct router *router)
{
	return router->queue_count;
}

uint32_t router_agent_count(const struct router *router)
{
	return router->agent_count;
}

/* ---- objects that run ---- */

/* Room for one more pointer in a growing array. */
static int reserve(void ***array, uint32_t count, uint32_t *room)
{
	uint32_t wanted = *room ? *room * 2 : 64;
	void **grown;

	if (count < *room)
		return 0;
	grown = realloc(*array, wanted * sizeof(void *));
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = wanted;
	return 0;
}

static int add_queue(struct router *router, const char *id, uint32_t agent, uint32_t *number)
{
	struct router_queue *queue;

	if (reserve((void ***)&router->queues, router->queue_count, &router->queue_room))
		return -ENOMEM;
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	CHECK(str_copy(str_from(id), queue->id, sizeof(queue->id)) == 0);
	if (agent == ROUTER_NONE && map_put_str(&router->queue_ids, str_from(queue->id), queue)) {
		free(queue);
		return -ENOMEM;
	}
	queue->number = router->queue_count;
	queue->agent = agent;
	queue->priority = RESOURCE_PRIORITY_DEFAULT;
	queue->closed = true;
	queue_init(&queue->queue, RESOURCE_AGENT_QUEUE_LIMIT);
	router->queues[router->queue_count++] = queue;
	*number = queue->number;
	return 0;
}

static void acw_is_over(void *ctx, uint64_t now_ns)
{
	struct router_agent *agent = ctx;

	if (agent->agent.contact.state == AGENT_SLOT_ENDED)
		router_agent_clear(agent->router, agent->agent.number, now_ns);
}

static int add_agent(struct router *router, const struct resource_agent *row)
{
	struct router_agent *agent;
	int rc;

	if (reserve((void ***)&router->agents, router->agent_count, &router->agent_room))
		return -ENOMEM;
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return -ENOMEM;
	CHECK(str_copy(str_from(row->row.id), agent->id, sizeof(agent->id)) == 0);
	rc = map_put_str(&router->agent_ids, str_from(agent->id), agent);
	if (!rc)
		rc = add_queue(router, agent->id, router->agent_count, &agent->queue);
	if (rc) {
		if (map_get_str(&router->agent_ids, str_from(agent->id)) == agent)
			map_remove_str(&router->agent_ids, str_from(agent->id));
		free(agent);
		return -ENOMEM;
	}
	agent->router = router;
	agent->profile = ROUTER_NONE;
	timer_init(&agent->acw, acw_is_over, agent);
	agent_init(&agent->agent, router->agent_count, NULL, resources_available(router->resources),
		resources_offline(router->resources));
	agent->agent.removed = true;
	router->agents[router->agent_count++] = agent;
	return 0;
}

/* Adds what runs for each row, closed and without a row yet: harmless when a later step fails. */
static int add_objects(struct router *router, const struct resources *resources)
{
	uint32_t number;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < resources_count(resources, RESOURCE_QUEUE); i++) {
		const struct resource *row = resources_row(resources, RESOURCE_QUEUE, i);
		if (number_of_queue(router, row->id) == ROUTER_NONE)
			rc = add_queue(router, row->id, ROUTER_NONE, &number);
	}
	for (uint32_t i = 0; !rc && i < resources_count(resources, RESOURCE_AGENT); i++) {
		const struct resource *row = resources_row(resources, RESOURCE_AGENT, i);
		if (number_of_agent(router, row->id) == ROUTER_NONE)
			rc = add_agent(router, (const struct resource_agent *)row);
	}
	return rc;
}

/* ---- routing profiles ---- */

struct tables {
	struct router_profile *profiles;
	uint32_t profile_count;
	uint32_t *numbers;
	struct router_lane *lanes;
	uint32_t *lane_first; /* by queue number, one more than there are queues */
};

static void tables_free(struct tables *tables)
{
	free(tables->profiles);
	free(tables->numbers);
	free(tables->lanes);
	free(tables->lane_first);
}

static const struct resource_routing_profile *profile_row(
	const struct resources *resources, uint32_t index)
{
	return (const struct resource_routing_profile *)resources_row(
		resources, RESOURCE_ROUTING_PROFILE, index);
}

/* Fills the profiles with the numbers of their queues and counts each queue's lanes. */
static void fill_profiles(
	const struct router *router, const struct resources *resources, struct tables *tables)
{
	uint32_t *number = tables->numbers;

	for (uint32_t p = 0; p < tables->profile_count; p++) {
		const struct resource_routing_profile *row = profile_row(resources, p);
		tables->profiles[p].row = row;
		tables->profiles[p].queues = number;
		for (uint32_t i = 0; i < row->queue_count; i++) {
			*number = router_queue_of(router, row->queues[i].queue);
			CHECK(*number != ROUTER_NONE);
			tables->lane_first[*number + 1]++;
			number++;
		}
	}
	for (uint32_t q = 0; q < router->queue_count; q++)
		tables->lane_first[q + 1] += tables->lane_first[q];
}

/* Puts a lane among those of its queue, ascending by delay. */
static void insert_lane(struct router_lane *lanes, uint32_t count, struct router_lane lane)
{
	while (count > 0 && lanes[count - 1].delay_ns > lane.delay_ns) {
		lanes[count] = lanes[count - 1];
		count--;
	}
	lanes[count] = lane;
}

static void fill_lanes(struct tables *tables, uint32_t *filled)
{
	for (uint32_t p = 0; p < tables->profile_count; p++) {
		const struct router_profile *profile = &tables->profiles[p];
		for (uint32_t i = 0; i < profile->row->queue_count; i++) {
			uint32_t queue = profile->queues[i];
			struct router_lane lane = {p, profile->row->queues[i].delay_s * SECOND_NS};
			insert_lane(
				tables->lanes + tables->lane_first[queue], filled[queue]++, lane);
		}
	}
}

static int tables_build(
	const struct router *router, const struct resources *resources, struct tables *tables)
{
	uint32_t total = 0, *filled;

	tables->profile_count = resources_count(resources, RESOURCE_ROUTING_PROFILE);
	for (uint32_t p = 0; p < tables->profile_count; p++)
		total += profile_row(resources, p)->queue_count;
	tables->profiles = calloc(tables->profile_count + 1, sizeof(*tables->profiles));
	tables->numbers = calloc(total + 1, sizeof(*tables->numbers));
	tables->lanes = calloc(total + 1, sizeof(*tables->lanes));
	tables->lane_first = calloc(router->queue_count + 1, sizeof(*tables->lane_first));
	filled = calloc(router->queue_count + 1, sizeof(*filled));
	if (!tables->profiles || !tables->numbers || !tables->lanes || !tables->lane_first ||
		!filled) {
		tables_free(tables);
		free(filled);
		return -ENOMEM;
	}
	fill_profiles(router, resources, tables);
	fill_lanes(tables, filled);
	free(filled);
	return 0;
}

/* ---- swapping ---- */

/* Rows of the old resources and of the new ones, as the agent event stream shows them. */
static bool same_row(const struct resource *a, const struct resource *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a->id, b->id) == 0 && strcmp(a->name, b->name) == 0;
}

static bool same_profile(
	const struct resource_routing_profile *a, const struct resource_routing_profile *b)
{
	if (!same_row(&a->row, &b->row) || a->queue_count != b->queue_count ||
		!same_row((const struct resource *)a->default_outbound_queue,
			(const struct resource *)b->default_outbound_queue))
		return false;
	for (uint32_t i = 0; i < a->queue_count; i++)
		if (!same_row(&a->queues[i].queue->row, &b->queues[i].queue->row))
			return false;
	return true;
}

static bool same_user(const struct resource_agent *a, const struct resource_agent *b)
{
	return same_row(&a->row, &b->row) && strcmp(a->first_name, b->first_name) == 0 &&
	       strcmp(a->last_name, b->last_name) == 0 && a->phone_kind == b->phone_kind &&
	       strcmp(a->phone_register, b->phone_register) == 0 &&
	       strcmp(a->phone_uri, b->phone_uri) == 0 &&
	       same_profile(a->routing_profile, b->routing_profile);
}

static bool rebound_same(const struct agent_snapshot *a, const struct agent_snapshot *b)
{
	if (!a->row || !b->row)
		return a->row == b->row && a->logged_in == b->logged_in;
	return same_row(&a->status->row, &b->status->row) &&
	       same_row((const struct resource *)a->next, (const struct resource *)b->next) &&
	       a->state == b->state && a->bar == b->bar && same_user(a->row, b->row);
}

static void rebind_queue(struct router *router, struct router_queue *queue,
	const struct resources *resources, const struct tables *tables)
{
	const struct resource_queue *row = NULL;

	queue->lanes = tables->lanes + tables->lane_first[queue->number];
	queue->lane_count =
		tables->lane_first[queue->number + 1] - tables->lane_first[queue->number];
	if (queue->agent != ROUTER_NONE) {
		queue->closed = !resources_agent(resources, queue->id, RESOURCE_BY_ID);
		return;
	}
	row = resources_queue(resources, queue->id, RESOURCE_BY_ID);
	queue->row = row;
	queue->closed = row == NULL;
	if (!row)
		return;
	queue->priority = row->priority;
	queue->queue.limit = row->contacts_max ? row->contacts_max : router->config.instance_limit;
}

static void rebind_agent(
	struct router_agent *agent, const struct resources *resources, uint64_t now_ns)
{
	const struct resource_agent *row = resources_agent(resources, agent->id, RESOURCE_BY_ID);
	struct router_effect effect = {
		.kind = ROUTER_AGENT_CHANGED,
		.at_ns = now_ns,
		.agent = agent->agent.number,
		.queue = ROUTER_NONE,
	};

	agent_take_snapshot(&agent->agent, &effect.before);
	agent_rebind(&agent->agent, row, resources, now_ns);
	agent_settle(&agent->agent, now_ns);
	agent->profile = row ? row->routing_profile->row.index : ROUTER_NONE;
	router_agent_list(agent);
	agent_take_snapshot(&agent->agent, &effect.after);
	if (!rebound_same(&effect.before, &effect.after))
		router_emit(agent->router, &effect);
}

static void swap(struct router *router, const struct resources *resources, struct tables *tables,
	uint64_t now_ns)
{
	for (uint32_t i = 0; i < router->agent_count; i++)
		router_agent_unlist(router->agents[i]);
	free(router->profiles);
	free(router->numbers);
	free(router->lanes);
	router->profiles = tables->profiles;
	router->profile_count = tables->profile_count;
	router->numbers = tables->numbers;
	router->lanes = tables->lanes;
	router->resources = resources;
	for (uint32_t i = 0; i < router->queue_count; i++)
		rebind_queue(router, router->queues[i], resources, tables);
	for (uint32_t i = 0; i < router->agent_count; i++)
		rebind_agent(router->agents[i], resources, now_ns);
	free(tables->lane_first);
}

static int by_line(const void *a, const void *b)
{
	const struct order_node *x = &(*(struct router_agent *const *)a)->node;
	const struct order_node *y = &(*(struct router_agent *const *)b)->node;

	if (x->moment_ns != y->moment_ns)
		return x->moment_ns < y->moment_ns ? -1 : 1;
	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

/* Offers whatever the new profiles allow, to the longest available first. `room` has room for all
 * agents. */
static void pair_all(struct router *router, struct router_agent **room, uint64_t now_ns)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < router->agent_count; i++) {
		struct router_agent *agent = router->agents[i];
		if (agent->agent.removed && agent->entry && agent->entry->state == ENTRY_OFFERED)
			router_return(
				agent->entry, AGENT_WITHDRAW, ROUTER_WHY_AGENT_LOGOUT, now_ns);
	}
	for (uint32_t i = 0; i < router->agent_count; i++)
		if (router->agents[i]->in_line)
			room[count++] = router->agents[i];
	qsort(room, count, sizeof(struct router_agent *), by_line);
	for (uint32_t i = 0; i < count; i++)
		router_pair_agent(room[i], now_ns);
	for (struct router_entry *entry = pool_next(&router->entries, NULL); entry;
		entry = pool_next(&router->entries, entry))
		if (entry->state == ENTRY_WAITING)
			router_pair_entry(entry, now_ns);
}

int router_reload(struct router *router, const struct resources *resources, uint64_t now_ns)
{
	struct tables tables = {0};
	struct router_agent **room;
	int rc;

	rc = add_objects(router, resources);
	if (rc)
		return rc;
	room = calloc(router->agent_count + 1, sizeof(struct router_agent *));
	if (!room)
		return -ENOMEM;
	rc = router_effects_reserve(router, (size_t)EFFECTS_PER_AGENT * router->agent_count);
	if (!rc)
		rc = tables_build(router, resources, &tables);
	if (rc == 0) {
		swap(router, resources, &tables, now_ns);
		pair_all(router, room, now_ns);
	}
	free(room);
	return rc;
}

/* ---- life ---- */

static bool config_valid(const struct router_config *config)
{
	return config->contacts_max > 0 && config->contacts_max <= ROUTER_CONTACTS_MAX &&
	       config->instance_limit > 0 && config->overflow_percent <= 100;
}

int router_create(const struct router_config *config, struct timers *timers,
	const struct resources *resources, uint64_t now_ns, struct router **out)
{
	struct router *router;
	int rc;

	if (!config_valid(config))
		return -EINVAL;
	router = calloc(1, sizeof(*router));
	if (!router)
		return -ENOMEM;
	router->config = *config;
	if (router->config.offer_ns == 0)
		router->config.offer_ns = ROUTER_OFFER_NS;
	router->timers = timers;
	router->resources = resources;
	map_init(&router->queue_ids, map_seed, 0);
	map_init(&router->agent_ids, map_seed, 0);
	map_init(&router->contacts, map_seed, 0);
	rc = pool_init(&router->entries, sizeof(struct router_entry), config->contacts_max);
	if (rc == 0)
		rc = router_reload(router, resources, now_ns);
	if (rc) {
		router_destroy(router);
		return rc;
	}
	router->effect_count = 0; /* nobody has seen the agents before */
	*out = router;
	return 0;
}

void router_destroy(struct router *router)
{
	if (!router)
		return;
	if (router->entries.max)
		for (struct router_entry *entry = pool_next(&router->entries, NULL); entry;
			entry = pool_next(&router->entries, entry)) {
			timers_cancel(router->timers, &entry->timer);
			criteria_release(entry->criteria);
		}
	for (uint32_t i = 0; i < router->agent_count; i++) {
		timers_cancel(router->timers, &router->agents[i]->acw);
		free(router->agents[i]);
	}
	for (uint32_t i = 0; i < router->queue_count; i++)
		free(router->queues[i]);
	free(router->agents);
	free(router->queues);
	free(router->profiles);
	free(router->numbers);
	free(router->lanes);
	free(router->effects);
	map_clear(&router->queue_ids);
	map_clear(&router->agent_ids);
	map_clear(&router->contacts);
	pool_clear(&router->entries);
	free(router);
}

uint64_t router_steps(const struct router *router)
{
	uint64_t steps = 0;

	for (uint32_t i = 0; i < router->queue_count; i++)
		steps += router->queues[i]->queue.line.steps;
	for (uint32_t i = 0; i < router->profile_count; i++)
		steps += router->profiles[i].line.steps;
	return steps;
}
