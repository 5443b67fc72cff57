/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: one flow, read, checked and run in every role. What the outside answers is drawn from
 * the bytes themselves, so that one input is one scenario.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

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

static struct flow_event next_event(struct scenario *scenario, const struct flow_run *run)
{
	static const char *const texts[] = {
		NULL, "", "{\"a\": \"b\"}", "{\"a\": {\"b\": [1]}}", "True"};
	static const struct attribute values[] = {{"Queue.Size", "3"}, {"IntentName", "x"}};
	struct flow_event event = {
		.type = (enum flow_event_type)(draw(scenario) % FLOW_EVENT_PARTY_GONE),
		.key = "0123456789*#A"[draw(scenario) % 13],
		.result = (enum flow_result)(draw(scenario) % (FLOW_RESULT_FAILED + 1)),
		.error = (enum flow_error)(draw(scenario) % FLOW_ERROR_COUNT),
		.number = (int64_t)draw(scenario),
		.text = texts[draw(scenario) % 5],
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
	struct scenario scenario = {.bytes = bytes, .length = length};
	struct report report;

	report_init(&report);
	if (flow_read((const char *)bytes, length, NULL, &report, &scenario.flow) == 0) {
		flow_check(scenario.flow, NULL, &report);
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
	return 0;
}
