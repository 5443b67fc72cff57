/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: one flow in either format, read, checked against an instance that has some of what it
 * refers to, and run in every role, as its own module too. What the outside answers is drawn from
 * the bytes themselves, so that one input is one scenario.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "flow/checker.h"
#include "flow/engine.h"
#include "flow/reader.h"

#define STEPS_MAX 60

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct scenario {
	const uint8_t *bytes;
	size_t length;
	size_t at;
	uint64_t state;
	struct flow *flow;
	char *text; /* the bytes, terminated: the largest of the answers */
};

static uint64_t draw(struct scenario *scenario)
{
	uint8_t byte =
		scenario->length > 0 ? scenario->bytes[scenario->at++ % scenario->length] : 0;

	scenario->state = (scenario->state ^ byte) * UINT64_C(1099511628211) + 1;
	return scenario->state >> 24;
}

static const char *fact(void *owner, const char *name)
{
	return draw(owner) % 2 == 0 ? name : NULL;
}

static struct flow *find_flow(void *owner, const char *reference)
{
	struct scenario *scenario = owner;

	(void)reference;
	return draw(scenario) % 4 != 0 ? scenario->flow : NULL;
}

static uint64_t random_number(void *owner)
{
	return draw(owner);
}

static bool find_resource(void *owner, enum flow_resource kind, const char *reference,
	const char *name, struct flow_resource_info *info)
{
	size_t length;

	(void)kind;
	(void)name;
	flow_reference_id(reference, &length);
	info->type = (enum flow_type)(draw(owner) % FLOW_TYPE_COUNT);
	info->never_published = draw(owner) % 4 == 0;
	info->may_not_take_calls = draw(owner) % 4 == 0;
	return draw(owner) % 3 != 0;
}

/* Reads all that the effects point to; the sanitizer judges. */
static size_t look_at(const struct flow_effects *effects)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < effects->message_count; i++)
		sum += strlen(effects->messages[i].text);
	for (uint32_t i = 0; i < effects->pair_count; i++)
		sum += strlen(effects->pairs[i].name) +
		       (effects->pairs[i].value != NULL ? strlen(effects->pairs[i].value) : 0);
	for (uint32_t i = 0; i < effects->count; i++) {
		const struct flow_effect *effect = &effects->items[i];

		sum += strlen(effect->action->identifier);
		if (effect->type == FLOW_EFFECT_LOG)
			sum += strlen(effect->log.text);
		if (effect->type == FLOW_EFFECT_PLAY && effect->play.count == 0)
			abort(); /* silence that is never over */
	}
	return sum;
}

static struct flow_event next_event(struct scenario *scenario, const struct flow_run *run)
{
	static const struct attribute values[] = {{"Queue.Size", "3"}, {"IntentName", "x"}};
	const char *const texts[] = {NULL, "", "{\"a\": \"b\"}", "{\"a\": {\"b\": [1]}}", "True",
		"{\"a\": \"\x80\"}", "[", scenario->text};
	struct flow_event event = {
		.type = (enum flow_event_type)(draw(scenario) % FLOW_EVENT_PARTY_GONE),
		.key = "0123456789*#A"[draw(scenario) % 13],
		.result = (enum flow_result)(draw(scenario) % (FLOW_RESULT_FAILED + 1)),
		.error = (enum flow_error)(draw(scenario) % FLOW_ERROR_COUNT),
		.number = (int64_t)draw(scenario),
		.text = texts[draw(scenario) % (sizeof(texts) / sizeof(texts[0]))],
		.values = values,
		.value_count = draw(scenario) % 3,
	};

	event.id = event.type == FLOW_EVENT_ANSWER ? run->pending_id : run->play_id;
	return event;
}

static void run_as(struct scenario *scenario, enum flow_type role, struct flow_effects *effects)
{
	struct flow_memory memory = {0};
	struct attributes related = {0};
	struct flow_context context = {
		.owner = scenario,
		.memory = &memory,
		.related = &related,
		.fact = fact,
		.find_flow = find_flow,
		.random = random_number,
		.wait_pauses = draw(scenario) % 2,
		.trace = draw(scenario) % 2,
	};
	struct flow_run run = {0};
	uint64_t now = 1;

	flow_run_start(&run, scenario->flow, role, &context, now, effects);
	for (int i = 0; i < STEPS_MAX && run.state != FLOW_RUN_OVER; i++) {
		struct flow_event event = next_event(scenario, &run);

		look_at(effects);
		if (run.pending_id == 0 && run.play_id == 0 && run.wake_at_ns == 0)
			abort(); /* waits for nothing */

		if (event.type == FLOW_EVENT_TIMER && run.wake_at_ns > now)
			now = run.wake_at_ns;
		flow_run_step(&run, &event, now, effects);
	}
	flow_run_stop(&run, effects);
	flow_run_clear(&run);
	flow_memory_clear(&memory);
	attributes_clear(&related);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct flow_effects effects;
	struct scenario scenario = {
		.bytes = bytes, .length = length, .text = strndup((const char *)bytes, length)};
	struct flow_resolver resolver = {.find = find_resource, .owner = &scenario};
	struct report report;

	if (scenario.text == NULL)
		return 0;
	report_init(&report);
	if (flow_read((const char *)bytes, length, NULL, &report, &scenario.flow) == 0) {
		resolver.missing_is_note = draw(&scenario) % 2 == 0;
		flow_check(scenario.flow, &resolver, &report);
		for (int role = 0; role < FLOW_TYPE_COUNT; role++)
			run_as(&scenario, (enum flow_type)role, &effects);
		flow_effects_reset(&effects);
		if (scenario.flow->references != 1)
			abort();
		flow_release(scenario.flow);
	} else if (!report_has_errors(&report)) {
		abort(); /* a refusal without a word */
	}
	report_clear(&report);
	free(scenario.text);
	return 0;
}
