/* SPDX-License-Identifier: Apache-2.0 */
/* The agent event stream (R104 to R110) of the example instance, on a clock by hand. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "contact/switchboard.h"

#define WALL      (UINT64_C(1772611110) * CLOCK_S + 125 * CLOCK_MS) /* 2026-03-04T07:58:30.125Z */
#define TOLD_MAX  4096
#define HEARTBEAT (120 * CLOCK_S)
#define ARN(rest) "arn:aws:connect:eu-central-1:111122223333:instance/" INSTANCE "/" rest
#define INSTANCE  "3f0c2a6e-7b1d-4e58-9a27-5c61d0b8e914"
#define ROSSI     "b7e1c2d4-11aa-4f0e-8a3c-9d2e5f607182"

struct desk {
	struct fixture fixture;
	struct switchboard board;
	struct timers timers;
	struct events_listener listener;
	uint64_t now;
	json_t *told[TOLD_MAX];
	unsigned n;
};

static void on_event(void *ctx, const struct event *event)
{
	struct desk *d = ctx;

	assert_true(d->n < TOLD_MAX);
	assert_string_equal(event->topic, "agent");
	d->told[d->n] = json_loadb(event->json.p, event->json.n, 0, NULL);
	assert_non_null(d->told[d->n++]);
}

static void open_events(struct desk *d)
{
	char path[128], error[EVENTS_ERROR_SIZE];

	snprintf(path, sizeof(path), "%s/events", d->fixture.directory);
	assert_int_equal(loop_create(NULL, &d->board.loop), 0);
	assert_int_equal(offload_create(d->board.loop, 0, &d->board.offload), 0);
	assert_int_equal(events_open(&(struct events_config){.loop = d->board.loop,
					     .offload = d->board.offload,
					     .path = path,
					     .wall_ns = WALL},
				 error, &d->board.events),
		0);
	d->listener = (struct events_listener){.fn = on_event, .ctx = d};
	events_listen(d->board.events, &d->listener);
}

static int set_up(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	struct switchboard *b = &d->board;
	struct router_config router = {.contacts_max = 100, .instance_limit = 100};
	void *fixture;

	log_set_level(LOG_LEVEL_ERROR + 1);
	fixture_set_up(&fixture);
	d->fixture = *(struct fixture *)fixture;
	free(fixture);
	assert_int_equal(fixture_load(&d->fixture), 0);
	d->now = 1000 * CLOCK_S;
	timers_init(&d->timers, d->now);
	b->timers = &d->timers;
	b->config = &d->fixture.config;
	b->instance = d->fixture.instance;
	b->clock = (struct clock_pair){d->now, WALL};
	random_init(&b->random);
	open_events(d);
	assert_int_equal(
		router_create(&router, b->timers, b->instance->resources, d->now, &b->router), 0);
	assert_int_equal(pool_init(&b->contacts, sizeof(struct contact), 100), 0);
	agent_stream_init(b);
	*state = d;
	return 0;
}

static void leave(struct contact *contact)
{
	contact_leave_chain(contact);
	pool_free(&contact->board->contacts, contact);
}

static int tear_down(void **state)
{
	struct desk *d = *state;
	struct switchboard *b = &d->board;
	struct contact *contact = NULL;
	void *fixture = malloc(sizeof(d->fixture));

	while ((contact = pool_next(&b->contacts, contact)))
		leave(contact);
	agent_stream_clear(b);
	jot_clear(&b->event);
	router_destroy(b->router);
	map_clear(&b->by_id);
	pool_clear(&b->contacts);
	timers_clear(&d->timers);
	offload_destroy(b->offload);
	events_close(b->events);
	loop_destroy(b->loop);
	for (unsigned i = 0; i < d->n; i++)
		json_decref(d->told[i]);
	memcpy(fixture, &d->fixture, sizeof(d->fixture));
	free(d);
	return fixture_tear_down(&fixture);
}

/* ---- what happens ---- */

static void carry_out(struct desk *d)
{
	struct router_effect effect;

	while (router_take_effect(d->board.router, &effect))
		if (effect.kind == ROUTER_AGENT_CHANGED)
			agent_event(&d->board, &effect);
}

static void run_to(struct desk *d, uint64_t when)
{
	while (timers_next(&d->timers) <= when) {
		if (timers_next(&d->timers) > d->now)
			d->now = timers_next(&d->timers);
		timers_run(&d->timers, d->now);
		carry_out(d);
	}
	d->now = when;
	timers_run(&d->timers, when);
	carry_out(d);
}

static void wait_for(struct desk *d, uint64_t ns)
{
	run_to(d, d->now + ns);
}

static uint32_t agent_of(const struct desk *d, const char *name)
{
	uint32_t agent = router_find_agent(d->board.router, name, RESOURCE_BY_NAME);

	assert_int_not_equal(agent, ROUTER_NONE);
	return agent;
}

static void choose(struct desk *d, const char *name, const char *status)
{
	const struct resource_status *row =
		resources_status(d->board.instance->resources, status, RESOURCE_BY_NAME);

	assert_non_null(row);
	router_agent_status(d->board.router, agent_of(d, name), row, d->now);
	carry_out(d);
}

static void log_in(struct desk *d, const char *name)
{
	uint32_t agent = agent_of(d, name);

	router_agent_phone(d->board.router, agent, true, d->now);
	router_agent_login(
		d->board.router, agent, resources_available(d->board.instance->resources), d->now);
	carry_out(d);
}

static void log_out(struct desk *d, const char *name)
{
	assert_int_equal(router_agent_logout(d->board.router, agent_of(d, name), d->now), 0);
	carry_out(d);
}

static struct contact *call(struct desk *d)
{
	uint64_t id;
	struct contact *contact = pool_alloc(&d->board.contacts, &id);

	contact->id = id;
	contact->board = &d->board;
	contact->clock = d->board.clock;
	contact_first_segment(contact, CONTACT_METHOD_INBOUND, d->now);
	return contact;
}

static void queue(struct desk *d, const struct contact *contact, const char *name)
{
	struct router_enqueue request = {.contact = contact->id,
		.queue = router_find_queue(d->board.router, name, RESOURCE_BY_ANY)};

	assert_int_equal(router_enqueue(d->board.router, &request, d->now), 0);
	carry_out(d);
}

static void take(struct desk *d, struct contact *contact)
{
	struct router_place place;

	assert_int_equal(router_place(d->board.router, contact->id, d->now, &place), 0);
	assert_true(place.offered);
	contact->segment.agent = place.agent;
	router_accept(d->board.router, 0, place.offer, d->now);
	router_dequeue(d->board.router, 0, contact->id, d->now);
	carry_out(d);
}

static void happens(struct desk *d, struct contact *contact, enum agent_event event)
{
	assert_int_equal(router_agent_contact(d->board.router, contact->segment.agent, contact->id,
				 event, d->now),
		0);
	if (event == AGENT_END)
		contact->segment.acw_started = d->now;
	carry_out(d);
}

static void reload(struct desk *d)
{
	struct instance *old = d->fixture.instance, *fresh = NULL;

	carry_out(d);
	if (instance_load(d->fixture.directory, &d->fixture.config, old, NULL, &d->fixture.report,
		    &fresh) < 0) {
		report_print(&d->fixture.report, stderr);
		fail_msg("the instance cannot be loaded");
	}
	assert_int_equal(router_reload(d->board.router, fresh->resources, d->now), 0);
	d->board.instance = d->fixture.instance = fresh;
	carry_out(d);
	instance_destroy(old);
}

/* ---- what was told ---- */

static json_t *last(const struct desk *d)
{
	assert_true(d->n > 0);
	return d->told[d->n - 1];
}

/* "a.b.0.c" in an object; fails when there is no such member. */
static json_t *at(json_t *value, const char *path)
{
	char part[64];

	for (const char *p = path; *p; p += strcspn(p, ".") + (p[strcspn(p, ".")] == '.')) {
		snprintf(part, sizeof(part), "%.*s", (int)strcspn(p, "."), p);
		value = json_is_array(value) ? json_array_get(value, strtoul(part, NULL, 10))
					     : json_object_get(value, part);
		if (!value)
			fail_msg("no member '%s' of %s", part, path);
	}
	return value;
}

static const char *text_at(json_t *value, const char *path)
{
	const char *text = json_string_value(at(value, path));

	if (!text)
		fail_msg("%s is no string", path);
	return text;
}

static const char *type_of(json_t *event)
{
	return text_at(event, "EventType");
}

static json_t *contact_of(json_t *event)
{
	return at(event, "CurrentAgentSnapshot.Contacts.0");
}

static void expect_same(json_t *found, json_t *expected)
{
	char *a = json_dumps(found, JSON_INDENT(1) | JSON_SORT_KEYS);
	char *b = json_dumps(expected, JSON_INDENT(1) | JSON_SORT_KEYS);

	assert_string_equal(a, b);
	free(a);
	free(b);
}

/* ---- R104 to R110 ---- */

#define QUEUE_OF(id, name) \
	"{\"ARN\": \"" ARN("queue/" id) "\", \"Name\": " name ", \"Channels\": [\"VOICE\"]}"

static const char snapshot_of_rossi[] =
	"{\"AgentStatus\": {\"ARN\": \"%s\", \"Name\": \"Available\","
	"   \"StartTimestamp\": \"2026-03-04T07:58:30.125Z\", \"Type\": \"ROUTABLE\"},"
	" \"NextAgentStatus\": null,"
	" \"Configuration\": {\"AgentHierarchyGroups\": null,"
	"   \"FirstName\": \"Anna\", \"LastName\": \"Rossi\","
	"   \"RoutingProfile\": {\"ARN\": \"" ARN(
		"routing-profile/parcels") "\", \"Name\": \"Parcels\","
					   "     \"DefaultOutboundQueue\": " QUEUE_OF("returns",
						   "\"Returns\"") ","
								  "     \"InboundQueues\": "
								  "[" QUEUE_OF("returns",
									  "\"Returns\"") ","
											 "      "
											 " " QUEUE_OF("orders", "\"Orders\"") ", " QUEUE_OF(
												 "a"
												 "g"
												 "e"
												 "n"
												 "t"
												 "/" ROSSI,
												 "n"
												 "u"
												 "l"
												 "l") "],"
												      "     \"Concurrency\": [{\"Channel\": \"VOICE\", \"AvailableSlots\": 1,"
												      "       \"MaximumSlots\": 1}]},"
												      "   \"Username\": \"arossi\"},"
												      " \"Contacts\": []}";

static void R104_an_event_has_these_names_in_this_nesting(void **state)
{
	struct desk *d = *state;
	char text[4000];
	json_t *event, *expected;

	log_in(d, "arossi");
	assert_int_equal(d->n, 1);
	event = last(d);
	snprintf(text, sizeof(text), snapshot_of_rossi,
		resources_available(d->board.instance->resources)->row.arn);
	expected = json_loads(text, 0, NULL);
	assert_non_null(expected);
	expect_same(at(event, "CurrentAgentSnapshot"), expected);
	json_decref(expected);
	assert_string_equal(text_at(event, "AWSAccountId"), "111122223333");
	assert_string_equal(text_at(event, "AgentARN"), ARN("agent/" ROSSI));
	assert_int_equal(json_object_size(event), 9);
}

static void R105_R97_the_user_id_is_the_end_of_the_arn(void **state)
{
	struct desk *d = *state;
	const char *id;

	log_in(d, "bkhan");
	id = strstr(text_at(last(d), "AgentARN"), "/agent/") + strlen("/agent/");
	assert_string_equal(id, router_agent_row(d->board.router, agent_of(d, "bkhan"))->row.id);
	assert_int_equal(router_find_agent(d->board.router, id, RESOURCE_BY_ID | RESOURCE_BY_NAME),
		agent_of(d, "bkhan"));
}

static void R106_no_group_is_null_and_no_contact_an_empty_list(void **state)
{
	struct desk *d = *state;

	log_in(d, "arossi");
	assert_true(json_is_null(
		at(last(d), "CurrentAgentSnapshot.Configuration.AgentHierarchyGroups")));
	assert_true(json_is_array(at(last(d), "CurrentAgentSnapshot.Contacts")));
	assert_int_equal(json_array_size(at(last(d), "CurrentAgentSnapshot.Contacts")), 0);
}

/* Each time of each event of a whole contact: 2026-03-04T07:58:30.125Z. */
static void check_times(json_t *value, const char *name, unsigned *times)
{
	const char *key, *text = json_string_value(value);
	json_t *member;
	size_t i;
	uint64_t wall;

	if (json_is_array(value))
		json_array_foreach(value, i, member) check_times(member, name, times);
	json_object_foreach(value, key, member) check_times(member, key, times);
	if (!text || !strstr(name, "Timestamp"))
		return;
	++*times;
	assert_int_equal(strlen(text), 24);
	assert_int_equal(text[19], '.');
	assert_int_equal(text[23], 'Z');
	assert_int_equal(clock_parse(str_from(text), &wall), 0);
	assert_true(wall >= WALL);
}

static struct contact *talk(struct desk *d)
{
	struct contact *contact = call(d);

	log_in(d, "arossi");
	queue(d, contact, "Returns");
	wait_for(d, 3 * CLOCK_S);
	take(d, contact);
	wait_for(d, CLOCK_S);
	happens(d, contact, AGENT_CONNECT);
	return contact;
}

static void R107_times_are_utc_with_milliseconds(void **state)
{
	struct desk *d = *state;
	struct contact *contact = talk(d);
	unsigned times = 0;

	choose(d, "arossi", "Lunch");
	happens(d, contact, AGENT_END);
	for (unsigned i = 0; i < d->n; i++)
		check_times(d->told[i], "", &times);
	assert_true(times > 20);
}

static void R108_a_call_does_not_change_the_status(void **state)
{
	struct desk *d = *state;
	struct contact *contact;
	json_t *status;

	contact = talk(d);
	happens(d, contact, AGENT_HOLD);
	status = at(last(d), "CurrentAgentSnapshot.AgentStatus");
	assert_string_equal(text_at(status, "Name"), "Available");
	assert_string_equal(text_at(status, "StartTimestamp"), "2026-03-04T07:58:30.125Z");
	assert_non_null(strstr(text_at(status, "ARN"), "/agent-state/"));
	assert_string_equal(
		text_at(status, "ARN"), resources_available(d->board.instance->resources)->row.arn);
}

static void R110_login_change_and_logout(void **state)
{
	struct desk *d = *state;

	log_in(d, "arossi");
	assert_string_equal(type_of(last(d)), "LOGIN");
	assert_true(json_is_null(at(last(d), "PreviousAgentSnapshot")));
	assert_string_equal(text_at(last(d), "Version"), "2017-10-01");
	assert_string_equal(text_at(last(d), "InstanceARN"),
		"arn:aws:connect:eu-central-1:111122223333:instance/" INSTANCE);
	assert_string_equal(text_at(last(d), "EventTimestamp"), "2026-03-04T07:58:30.125Z");
	assert_int_equal(strlen(text_at(last(d), "EventId")), RANDOM_UUID_SIZE - 1);
	wait_for(d, CLOCK_S);
	choose(d, "arossi", "Lunch");
	assert_string_equal(type_of(last(d)), "STATE_CHANGE");
	assert_string_equal(text_at(last(d), "CurrentAgentSnapshot.AgentStatus.Type"), "CUSTOM");
	assert_string_equal(
		text_at(last(d), "PreviousAgentSnapshot.AgentStatus.Name"), "Available");
	log_out(d, "arossi");
	assert_string_equal(type_of(last(d)), "LOGOUT");
	assert_string_equal(text_at(last(d), "CurrentAgentSnapshot.AgentStatus.Name"), "Offline");
	assert_string_equal(text_at(last(d), "PreviousAgentSnapshot.AgentStatus.Name"), "Lunch");
	assert_string_not_equal(text_at(d->told[0], "EventId"), text_at(d->told[1], "EventId"));
}

static void R110_a_next_status_is_enqueued(void **state)
{
	struct desk *d = *state;
	struct contact *contact = talk(d);
	json_t *next;

	wait_for(d, CLOCK_S);
	choose(d, "arossi", "Lunch");
	next = at(last(d), "CurrentAgentSnapshot.NextAgentStatus");
	assert_string_equal(text_at(next, "Name"), "Lunch");
	assert_string_equal(text_at(next, "ARN"), ARN("agent-state/lunch"));
	assert_string_equal(text_at(next, "EnqueuedTimestamp"), "2026-03-04T07:58:35.125Z");
	happens(d, contact, AGENT_END);
	assert_true(json_is_null(at(last(d), "CurrentAgentSnapshot.NextAgentStatus")));
	assert_string_equal(text_at(last(d), "CurrentAgentSnapshot.AgentStatus.Name"), "Lunch");
}

static void R110_the_entry_of_a_contact(void **state)
{
	struct desk *d = *state;
	struct contact *contact = talk(d);
	char text[1500];
	json_t *expected;

	snprintf(text, sizeof(text),
		"{\"ContactId\": \"%s\", \"InitialContactId\": null, \"Channel\": \"VOICE\","
		" \"InitiationMethod\": \"INBOUND\", \"State\": \"CONNECTED\","
		" \"StateStartTimestamp\": \"2026-03-04T07:58:34.125Z\","
		" \"ConnectedToAgentTimestamp\": \"2026-03-04T07:58:34.125Z\","
		" \"QueueTimestamp\": \"2026-03-04T07:58:30.125Z\","
		" \"Queue\": {\"ARN\": \"" ARN("queue/returns") "\", \"Name\": \"Returns\"}}",
		contact->segment.id);
	expected = json_loads(text, 0, NULL);
	expect_same(contact_of(last(d)), expected);
	json_decref(expected);
	assert_int_equal(json_integer_value(at(last(d),
				 "CurrentAgentSnapshot.Configuration.RoutingProfile.Concurrency.0."
				 "AvailableSlots")),
		0);
}

static void R110_the_states_of_a_contact_in_order(void **state)
{
	static const char *const words[] = {
		"CONNECTING", "CONNECTING", "CONNECTED", "CONNECTED_ONHOLD", "CONNECTED", "ENDED"};
	struct desk *d = *state;
	struct contact *contact = talk(d);

	happens(d, contact, AGENT_HOLD);
	happens(d, contact, AGENT_RESUME);
	happens(d, contact, AGENT_END);
	router_agent_clear(d->board.router, agent_of(d, "arossi"), d->now);
	carry_out(d);
	assert_int_equal(d->n, 8);
	for (unsigned i = 0; i < 6; i++)
		assert_string_equal(text_at(contact_of(d->told[i + 1]), "State"), words[i]);
	assert_int_equal(json_array_size(at(last(d), "CurrentAgentSnapshot.Contacts")), 0);
}

static void R110_a_transfer_names_the_first_contact(void **state)
{
	struct desk *d = *state;
	struct contact *first = call(d), *second = call(d);

	contact_follow(second, first, d->now);
	log_in(d, "arossi");
	queue(d, second, "Returns");
	assert_string_equal(text_at(contact_of(last(d)), "ContactId"), second->segment.id);
	assert_string_equal(text_at(contact_of(last(d)), "InitialContactId"), first->segment.id);
}

static void R110_an_agents_own_queue_has_no_name(void **state)
{
	struct desk *d = *state;

	log_in(d, "arossi");
	queue(d, call(d), ARN("queue/agent/" ROSSI));
	assert_string_equal(text_at(contact_of(last(d)), "Queue.ARN"), ARN("queue/agent/" ROSSI));
	assert_true(json_is_null(at(contact_of(last(d)), "Queue.Name")));
}

/* ---- a contact that is over ---- */

static void a_missed_contact_is_shown_though_the_caller_is_gone(void **state)
{
	struct desk *d = *state;
	struct contact *contact = call(d);
	char id[RANDOM_UUID_SIZE];

	memcpy(id, contact->segment.id, sizeof(id));
	log_in(d, "arossi");
	queue(d, contact, "Returns");
	wait_for(d, 20 * CLOCK_S);
	assert_string_equal(text_at(contact_of(last(d)), "State"), "MISSED");
	router_remove(d->board.router, 0, contact->id, QUEUE_ABANDONED, d->now);
	leave(contact);
	wait_for(d, HEARTBEAT);
	assert_string_equal(type_of(last(d)), "HEART_BEAT");
	assert_string_equal(text_at(contact_of(last(d)), "ContactId"), id);
	choose(d, "arossi", "Available");
	assert_string_equal(text_at(last(d), "PreviousAgentSnapshot.Contacts.0.ContactId"), id);
	assert_int_equal(json_array_size(at(last(d), "CurrentAgentSnapshot.Contacts")), 0);
}

static void after_contact_work_shows_the_segment_it_is_for(void **state)
{
	struct desk *d = *state;
	struct contact *contact = talk(d);
	char id[RANDOM_UUID_SIZE];

	memcpy(id, contact->segment.id, sizeof(id));
	happens(d, contact, AGENT_END);
	random_uuid(&d->board.random, contact->segment.id); /* as in its next segment */
	contact->segment.agent = ROUTER_NONE;
	wait_for(d, HEARTBEAT);
	assert_string_equal(text_at(contact_of(last(d)), "State"), "ENDED");
	assert_string_equal(text_at(contact_of(last(d)), "ContactId"), id);
}

/* ---- heart-beats ---- */

static unsigned beats(const struct desk *d)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->n; i++)
		n += strcmp(type_of(d->told[i]), "HEART_BEAT") == 0;
	return n;
}

static void R110_a_heart_beat_when_nothing_else_is_told(void **state)
{
	struct desk *d = *state;

	wait_for(d, HEARTBEAT);
	assert_int_equal(d->n, 0); /* nobody was there yet */
	log_in(d, "arossi");
	wait_for(d, HEARTBEAT - 1);
	assert_int_equal(beats(d), 0);
	wait_for(d, 1);
	assert_int_equal(beats(d), 1);
	expect_same(at(last(d), "CurrentAgentSnapshot"), at(last(d), "PreviousAgentSnapshot"));
	wait_for(d, HEARTBEAT - CLOCK_S);
	choose(d, "arossi", "Lunch");
	wait_for(d, HEARTBEAT - 1);
	assert_int_equal(beats(d), 1);
	wait_for(d, 1);
	assert_int_equal(beats(d), 2);
}

static void heart_beats_go_on_for_an_hour_after_the_logout(void **state)
{
	struct desk *d = *state;

	log_in(d, "arossi");
	log_out(d, "arossi");
	wait_for(d, AGENT_STREAM_AFTER_LOGOUT - 1);
	assert_int_equal(beats(d), 29);
	assert_string_equal(text_at(last(d), "CurrentAgentSnapshot.AgentStatus.Name"), "Offline");
	wait_for(d, 10 * HEARTBEAT);
	assert_int_equal(beats(d), 29);
	assert_int_equal(timers_count(&d->timers), 0);
	log_in(d, "arossi");
	assert_string_equal(type_of(last(d)), "LOGIN");
	wait_for(d, HEARTBEAT);
	assert_int_equal(beats(d), 30);
}

/* Many that are due in one moment are told in parts: the loop has other things to do. */
static void heart_beats_of_many_do_not_hold_up_the_loop(void **state)
{
	struct desk *d = *state;
	unsigned passes = 0;
	char name[16];

	shell("sed -i '/^agents:/,$d' %s/agents.yaml; echo agents: >> %s/agents.yaml",
		d->fixture.directory, d->fixture.directory);
	shell("sed -i '/quick_connects/d' %s/queues.yaml; rm %s/quick-connects.yaml",
		d->fixture.directory, d->fixture.directory);
	shell("for i in $(seq 100); do echo \"  - {user: u$i, first_name: U, last_name: $i,"
	      " routing_profile: Shop, security_profile: Agent,"
	      " phone: {kind: ring, register: u$i, password: x}}\"; done >> %s/agents.yaml",
		d->fixture.directory);
	reload(d);
	for (int i = 1; i <= 100; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		log_in(d, name);
	}
	d->now += HEARTBEAT;
	while (beats(d) < 100) {
		unsigned before = beats(d);

		timers_run(&d->timers, d->now);
		assert_true(beats(d) > before && beats(d) - before <= 25);
		passes++;
	}
	assert_true(passes >= 4);
	assert_int_equal(beats(d), 100);
	assert_true(timers_next(&d->timers) == d->now + HEARTBEAT);
}

/* ---- who is logged out ---- */

static void nothing_is_told_of_who_is_logged_out(void **state)
{
	struct desk *d = *state;

	router_agent_phone(d->board.router, agent_of(d, "arossi"), true, d->now);
	router_agent_phone(d->board.router, agent_of(d, "arossi"), false, d->now);
	carry_out(d);
	wait_for(d, 2 * HEARTBEAT);
	assert_int_equal(d->n, 0);
}

/* ---- reloads ---- */

static void R110_a_reload_tells_what_it_changes(void **state)
{
	static const struct {
		const char *file, *from, *to, *where, *now;
	} changes[] = {
		{"agents.yaml", "last_name: Rossi", "last_name: Bianchi", "LastName", "Bianchi"},
		{"agents.yaml", "register: arossi", "register: anna", "Username", "arossi"},
		{"routing-profiles.yaml", "name: Parcels", "name: Parcels", "Username", NULL},
		{"routing-profiles.yaml", "priority: 1}$", "priority: 1}", "Username", NULL},
		{"routing-profiles.yaml", "default_outbound_queue: Returns",
			"default_outbound_queue: Orders",
			"RoutingProfile.DefaultOutboundQueue.Name", "Orders"},
		{"routing-profiles.yaml", "{queue: Orders, priority: 2, delay_seconds: 20}",
			"{queue: Orders, priority: 1}", "RoutingProfile.Name", NULL},
		{"routing-profiles.yaml", "    - {queue: Returns, priority: 1}", "",
			"RoutingProfile.InboundQueues.0.Name", "Orders"},
		{"agents.yaml", "routing_profile: Parcels", "routing_profile: Shop",
			"RoutingProfile.Name", "Shop"},
	};
	struct desk *d = *state;
	char path[200];

	log_in(d, "arossi");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		unsigned before = d->n;

		change(&d->fixture, changes[i].file, changes[i].from, changes[i].to);
		reload(d);
		if (!changes[i].now) { /* not in the snapshot */
			assert_int_equal(d->n, before);
			continue;
		}
		assert_int_equal(d->n, before + 1);
		assert_string_equal(type_of(last(d)), "STATE_CHANGE");
		snprintf(path, sizeof(path), "CurrentAgentSnapshot.Configuration.%s",
			changes[i].where);
		assert_string_equal(text_at(last(d), path), changes[i].now);
	}
}

static void a_user_who_is_taken_away_is_told_as_logged_out(void **state)
{
	struct desk *d = *state;

	log_in(d, "eweber");
	shell("sed -i '/user: eweber/,$d' %s/agents.yaml", d->fixture.directory);
	reload(d);
	assert_string_equal(type_of(last(d)), "LOGOUT");
	assert_true(json_is_null(at(last(d), "CurrentAgentSnapshot")));
	assert_string_equal(
		text_at(last(d), "PreviousAgentSnapshot.Configuration.Username"), "eweber");
	wait_for(d, 2 * HEARTBEAT);
	assert_int_equal(beats(d), 0);
}

/* ---- order ---- */

/* Whatever happens: each event of an agent begins where the one before it ended. */
static void each_event_begins_where_the_last_one_ended(void **state)
{
	struct desk *d = *state;
	static const char *const names[] = {"arossi", "bkhan", "csilva"};
	json_t *before[3] = {NULL};
	struct contact *mine[3] = {NULL};
	struct random random;
	unsigned changes = 0;

	random_init_seed(&random, 4711);
	for (int step = 0; step < 600; step++) {
		int who = (int)random_below(&random, 3);
		uint32_t agent = agent_of(d, names[who]);
		struct agent_snapshot s;

		router_agent_snapshot(d->board.router, agent, &s);
		switch ((int)random_below(&random, 8)) {
		case 0:
			log_in(d, names[who]);
			break;
		case 1:
			queue(d, call(d), (int)random_below(&random, 2) ? "Returns" : "Orders");
			break;
		case 2:
			if (s.contact.state == AGENT_SLOT_OFFERED) {
				mine[who] = pool_get(&d->board.contacts, s.contact.contact);
				take(d, mine[who]);
			}
			break;
		case 3:
			router_agent_contact(d->board.router, agent, s.contact.contact,
				s.contact.state == AGENT_SLOT_CONNECTED ? AGENT_HOLD
									: AGENT_CONNECT,
				d->now);
			break;
		case 4: /* the customer is gone at once, before the effects are seen */
			router_agent_contact(
				d->board.router, agent, s.contact.contact, AGENT_END, d->now);
			if (mine[who] && mine[who]->id == s.contact.contact &&
				s.contact.state > AGENT_SLOT_ACCEPTED)
				leave(mine[who]);
			mine[who] = NULL;
			break;
		case 5:
			router_agent_clear(d->board.router, agent, d->now);
			break;
		case 6:
			if (s.logged_in)
				choose(d, names[who],
					(int)random_below(&random, 3) ? "Available" : "Lunch");
			break;
		case 7:
			router_agent_logout(d->board.router, agent, d->now);
			break;
		}
		carry_out(d);
		wait_for(d, (uint64_t)((int)random_below(&random, 5)) * CLOCK_S);
	}
	for (unsigned i = 0; i < d->n; i++) {
		const char *type = type_of(d->told[i]);

		for (int who = 0; who < 3; who++) {
			if (strcmp(text_at(d->told[i],
					   "CurrentAgentSnapshot.Configuration.Username"),
				    names[who]) != 0)
				continue;
			if (strcmp(type, "LOGIN") == 0)
				assert_true(json_is_null(at(d->told[i], "PreviousAgentSnapshot")));
			else {
				expect_same(at(d->told[i], "PreviousAgentSnapshot"), before[who]);
				changes++;
			}
			before[who] = at(d->told[i], "CurrentAgentSnapshot");
		}
		if (i)
			assert_true(strcmp(text_at(d->told[i - 1], "EventTimestamp"),
					    text_at(d->told[i], "EventTimestamp")) <= 0);
	}
	assert_true(changes > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(R104_an_event_has_these_names_in_this_nesting),
		T(R105_R97_the_user_id_is_the_end_of_the_arn),
		T(R106_no_group_is_null_and_no_contact_an_empty_list),
		T(R107_times_are_utc_with_milliseconds),
		T(R108_a_call_does_not_change_the_status),
		T(R110_login_change_and_logout),
		T(R110_a_next_status_is_enqueued),
		T(R110_the_entry_of_a_contact),
		T(R110_the_states_of_a_contact_in_order),
		T(R110_a_transfer_names_the_first_contact),
		T(R110_an_agents_own_queue_has_no_name),
		T(a_missed_contact_is_shown_though_the_caller_is_gone),
		T(after_contact_work_shows_the_segment_it_is_for),
		T(R110_a_heart_beat_when_nothing_else_is_told),
		T(heart_beats_go_on_for_an_hour_after_the_logout),
		T(heart_beats_of_many_do_not_hold_up_the_loop),
		T(nothing_is_told_of_who_is_logged_out),
		T(R110_a_reload_tells_what_it_changes),
		T(a_user_who_is_taken_away_is_told_as_logged_out),
		T(each_event_begins_where_the_last_one_ended),
#undef T
	};

	return cmocka_run_group_tests_name("agent_stream", tests, NULL, NULL);
}
