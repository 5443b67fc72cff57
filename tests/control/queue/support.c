/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"

int support_read_zone(void *context, const char *name, void **bytes, size_t *size)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	file = fopen(path, "rb");
	if (!file)
		return -ENOENT;
	*bytes = malloc(ZONE_BYTES_MAX);
	if (!*bytes) {
		fclose(file);
		return -ENOMEM;
	}
	*size = fread(*bytes, 1, ZONE_BYTES_MAX, file);
	fclose(file);
	return 0;
}

int support_load(
	const struct support_texts *texts, struct report *report, struct resources **resources)
{
	const struct resource_files_config config = {"eu-central-1", "111122223333",
		"3f0c2a6e-7b1d-4e58-9a27-5c61d0b8e914", support_read_zone, NULL};
	struct yml_doc *docs[RESOURCE_KIND_COUNT] = {0}, *changes = NULL;
	struct resource_files *files;
	int rc = 0;

	assert_int_equal(resource_files_create(&config, &files), 0);
	for (int kind = 0; kind < RESOURCE_KIND_COUNT && !rc; kind++) {
		const char *text = texts->text[kind];
		if (!text)
			continue;
		rc = yml_load_text(text, strlen(text), resource_kind_file((enum resource_kind)kind),
			report, &docs[kind]);
		if (!rc)
			assert_int_equal(
				resource_files_add(files, (enum resource_kind)kind, docs[kind]), 0);
	}
	if (!rc && texts->changes)
		rc = yml_load_text(
			texts->changes, strlen(texts->changes), "changes", report, &changes);
	resource_files_change(files, changes);
	if (!rc)
		rc = resource_files_finish(files, report, resources);
	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++)
		yml_destroy(docs[kind]);
	yml_destroy(changes);
	resource_files_destroy(files);
	return rc;
}

struct resources *support_resources(const struct support_texts *texts)
{
	struct resources *resources = NULL;
	struct report report;

	report_init(&report);
	if (support_load(texts, &report, &resources)) {
		report_print(&report, stderr);
		fail();
	}
	report_clear(&report);
	return resources;
}

static const struct support_texts bench_texts = {{
	[RESOURCE_QUEUE] = "queues:\n"
			   "  - {name: Returns, id: q-returns, max_contacts: 3}\n"
			   "  - {name: Orders, id: q-orders}\n",
	[RESOURCE_STATUS] = "statuses: [{name: Lunch}, {name: Training}]\n",
	[RESOURCE_ROUTING_PROFILE] =
		"routing_profiles:\n"
		"  - name: Both\n"
		"    default_outbound_queue: Returns\n"
		"    queues:\n"
		"      - {queue: Returns, priority: 1}\n"
		"      - {queue: Orders, priority: 2, delay_seconds: 1}\n"
		"  - name: Late\n"
		"    queues: [{queue: Returns, priority: 1, delay_seconds: 10}]\n",
	[RESOURCE_AGENT] =
		"agents:\n"
		"  - {user: ann, id: u-ann, first_name: Ann, last_name: A, routing_profile: Both,\n"
		"     security_profile: Agent, after_contact_seconds: 30,\n"
		"     phone: {kind: ring, register: ann, password: x}}\n"
		"  - {user: bob, id: u-bob, first_name: Bob, last_name: B, routing_profile: Both,\n"
		"     security_profile: Admin, phone: {kind: panel, address: 'sip:b@192.0.2.1'}}\n"
		"  - {user: cem, id: u-cem, first_name: Cem, last_name: C, routing_profile: Late,\n"
		"     security_profile: Agent, phone: {kind: ring, register: cem, password: x}}\n"
		"  - {user: dan, id: u-dan, first_name: Dan, last_name: D, routing_profile: Both,\n"
		"     security_profile: QualityAnalyst,\n"
		"     phone: {kind: ring, register: dan, password: x}}\n",
}};

void bench_start_with(
	struct bench *bench, const struct support_texts *texts, const struct router_config *config)
{
	memset(bench, 0, sizeof(*bench));
	bench->now = 1000 * SECOND;
	timers_init(&bench->timers, bench->now);
	bench->resources = support_resources(texts);
	assert_int_equal(
		router_create(config, &bench->timers, bench->resources, bench->now, &bench->router),
		0);
}

void bench_start(struct bench *bench, uint32_t overflow_percent)
{
	struct router_config config = {
		.contacts_max = 1000, .instance_limit = 50, .overflow_percent = overflow_percent};

	bench_start_with(bench, &bench_texts, &config);
}

void bench_stop(struct bench *bench)
{
	bench_audit(bench);
	router_destroy(bench->router);
	resources_destroy(bench->resources);
	assert_int_equal(timers_count(&bench->timers), 0);
	timers_clear(&bench->timers);
}

void bench_audit(struct bench *bench)
{
	const char *problem = NULL;

	if (router_audit(bench->router, bench->now, &problem))
		fail_msg("%s", problem);
}

void bench_run(struct bench *bench, uint64_t until)
{
	while (timers_next(&bench->timers) <= until) {
		if (timers_next(&bench->timers) > bench->now)
			bench->now = timers_next(&bench->timers);
		timers_run(&bench->timers, bench->now);
		bench_audit(bench);
	}
	bench->now = until;
	timers_run(&bench->timers, bench->now);
	bench_audit(bench);
}

uint32_t bench_queue(const struct bench *bench, const char *name)
{
	uint32_t number = router_find_queue(bench->router, name, RESOURCE_BY_ANY);

	assert_int_not_equal(number, ROUTER_NONE);
	return number;
}

uint32_t bench_agent(const struct bench *bench, const char *name)
{
	uint32_t number = router_find_agent(bench->router, name, RESOURCE_BY_ANY);

	assert_int_not_equal(number, ROUTER_NONE);
	return number;
}

void bench_available(struct bench *bench, const char *name)
{
	uint32_t agent = bench_agent(bench, name);

	assert_int_equal(router_agent_phone(bench->router, agent, true, bench->now), 0);
	assert_int_equal(router_agent_login(bench->router, agent,
				 resources_available(bench->resources), bench->now),
		0);
	bench_audit(bench);
}

enum router_result bench_enqueue(struct bench *bench, uint32_t queue, router_contact contact)
{
	struct router_enqueue request = {.tag = contact, .contact = contact, .queue = queue};
	struct router_effect effect;

	bench_drop_effects(bench);
	assert_int_equal(router_enqueue(bench->router, &request, bench->now), 0);
	assert_true(router_take_effect(bench->router, &effect));
	assert_int_equal(effect.kind, ROUTER_ANSWER);
	assert_int_equal(effect.request, ROUTER_ENQUEUE);
	assert_int_equal(effect.tag, contact);
	bench_audit(bench);
	return effect.result;
}

bool bench_take(struct bench *bench, enum router_effect_kind kind, struct router_effect *effect)
{
	while (router_take_effect(bench->router, effect))
		if (effect->kind == kind)
			return true;
	return false;
}

void bench_drop_effects(struct bench *bench)
{
	struct router_effect effect;

	while (router_take_effect(bench->router, &effect))
		;
}

uint64_t bench_expect_offer(struct bench *bench, router_contact contact, const char *agent)
{
	struct router_effect effect;

	assert_true(bench_take(bench, ROUTER_OFFER, &effect));
	assert_int_equal(effect.contact, contact);
	assert_int_equal(effect.agent, bench_agent(bench, agent));
	return effect.offer;
}

void bench_expect_no_offer(struct bench *bench)
{
	struct router_effect effect;

	assert_false(bench_take(bench, ROUTER_OFFER, &effect));
}

enum router_result bench_result(struct bench *bench)
{
	struct router_effect effect;

	assert_true(bench_take(bench, ROUTER_ANSWER, &effect));
	return effect.result;
}

struct agent_snapshot bench_snapshot(const struct bench *bench, const char *agent)
{
	struct agent_snapshot snapshot;

	assert_int_equal(
		router_agent_snapshot(bench->router, bench_agent(bench, agent), &snapshot), 0);
	return snapshot;
}

enum agent_state bench_state(const struct bench *bench, const char *agent)
{
	return bench_snapshot(bench, agent).state;
}

uint32_t bench_position(struct bench *bench, router_contact contact)
{
	struct router_place place;

	assert_int_equal(router_place(bench->router, contact, bench->now, &place), 0);
	return place.position;
}
