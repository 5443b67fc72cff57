/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	long size;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0) {
		rewind(file);
		text = malloc((size_t)size + 1);
		assert_non_null(text);
		*length = fread(text, 1, (size_t)size, file);
		text[*length] = '\0';
	}
	fclose(file);
	return text;
}

static struct flow *read_text(
	const char *text, size_t length, const struct flow_reader_options *options)
{
	struct report report;
	struct flow *flow = NULL;
	int rc;

	report_init(&report);
	rc = flow_read(text, length, options, &report, &flow);
	if (rc < 0)
		report_print(&report, stderr);
	assert_int_equal(rc, 0);
	report_clear(&report);
	return flow;
}

struct flow *flow_of(const char *text, const char *id, enum flow_type type)
{
	return read_text(text, strlen(text), &(struct flow_reader_options){.id = id, .type = type});
}

struct flow *flow_of_file(const char *path, enum flow_type type)
{
	size_t length;
	char *text = read_file(path, &length);
	struct flow *flow;

	if (text == NULL)
		fail_msg("cannot read %s", path);
	flow = read_text(text, length, &(struct flow_reader_options){.file = path, .type = type});
	free(text);
	return flow;
}

struct flow *default_flow(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.json", FLOW_DEFAULTS, name);
	return flow_of_file(path, FLOW_TYPE_UNKNOWN);
}

const char *flow_text_of(const char *start, const char *actions)
{
	static char text[262144];
	int length = snprintf(text, sizeof(text),
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"%s\", \"Actions\": %s}", start,
		actions);

	assert_true(length > 0 && (size_t)length < sizeof(text));
	return text;
}

static const char *fact(void *owner, const char *name)
{
	const struct call *call = owner;

	return attributes_get(&call->facts, name);
}

static struct flow *find_flow(void *owner, const char *reference)
{
	struct call *call = owner;

	for (size_t i = 0; i < call->other_count; i++) {
		if (strcmp(call->others[i]->id, reference) == 0)
			return call->others[i];
	}
	return NULL;
}

static uint64_t random_number(void *owner)
{
	return ((struct call *)owner)->random;
}

void call_prepare(struct call *call, struct flow *flow)
{
	memset(call, 0, sizeof(*call));
	call->fx = calloc(1, sizeof(*call->fx));
	assert_non_null(call->fx);
	call->flow = flow;
	call->now = 1000 * SECOND;
	call->context = (struct flow_context){
		.owner = call,
		.memory = &call->memory,
		.related = &call->related,
		.fact = fact,
		.find_flow = find_flow,
		.random = random_number,
	};
}

void call_start(struct call *call, enum flow_type role)
{
	assert_int_equal(
		flow_run_start(&call->run, call->flow, role, &call->context, call->now, call->fx),
		0);
}

void call_begin(struct call *call, struct flow *flow, enum flow_type role)
{
	call_prepare(call, flow);
	call_start(call, role);
}

void call_begin_text(struct call *call, const char *start, const char *actions, enum flow_type role)
{
	call_begin(call, flow_of(flow_text_of(start, actions), "main", FLOW_TYPE_UNKNOWN), role);
}

void call_end(struct call *call)
{
	flow_run_clear(&call->run);
	flow_effects_reset(call->fx);
	flow_memory_clear(&call->memory);
	attributes_clear(&call->facts);
	attributes_clear(&call->related);
	for (size_t i = 0; i < call->other_count; i++) {
		assert_int_equal(call->others[i]->references, 1);
		flow_release(call->others[i]);
	}
	assert_true(call->flow->references >= 1);
	flow_release(call->flow);
	free(call->fx);
}

void call_add_flow(struct call *call, struct flow *flow)
{
	assert_true(call->other_count < sizeof(call->others) / sizeof(call->others[0]));
	call->others[call->other_count++] = flow;
}

static void step(struct call *call, struct flow_event event)
{
	assert_int_equal(flow_run_step(&call->run, &event, call->now, call->fx), 0);
}

void call_key(struct call *call, char key)
{
	step(call, (struct flow_event){.type = FLOW_EVENT_KEY, .key = key});
}

void call_keys(struct call *call, const char *keys)
{
	for (; *keys != '\0'; keys++)
		call_key(call, *keys);
}

void call_play_done(struct call *call)
{
	assert_int_not_equal(call->run.play_id, 0);
	step(call, (struct flow_event){.type = FLOW_EVENT_PLAY_DONE, .id = call->run.play_id});
}

void call_play_failed(struct call *call)
{
	assert_int_not_equal(call->run.play_id, 0);
	step(call, (struct flow_event){.type = FLOW_EVENT_PLAY_FAILED, .id = call->run.play_id});
}

void call_timer(struct call *call)
{
	assert_int_not_equal(call->run.wake_at_ns, 0);
	if (call->now < call->run.wake_at_ns)
		call->now = call->run.wake_at_ns;
	step(call, (struct flow_event){.type = FLOW_EVENT_TIMER});
}

void call_answer_event(struct call *call, struct flow_event event)
{
	assert_int_not_equal(call->run.pending_id, 0);
	event.type = FLOW_EVENT_ANSWER;
	event.id = call->run.pending_id;
	step(call, event);
}

void call_answer(struct call *call, enum flow_result result)
{
	call_answer_event(call, (struct flow_event){.result = result});
}

void call_party_gone(struct call *call)
{
	step(call, (struct flow_event){.type = FLOW_EVENT_PARTY_GONE});
}

int count_of(const struct call *call, enum flow_effect_type type)
{
	int count = 0;

	for (uint32_t i = 0; i < call->fx->count; i++)
		count += call->fx->items[i].type == type;
	return count;
}

const struct flow_effect *effect_of(const struct call *call, enum flow_effect_type type)
{
	const struct flow_effect *found = NULL;

	for (uint32_t i = 0; i < call->fx->count; i++) {
		if (call->fx->items[i].type != type)
			continue;
		if (found != NULL)
			fail_msg("more than one effect %s", flow_effect_name(type));
		found = &call->fx->items[i];
	}
	if (found == NULL)
		fail_msg("no effect %s", flow_effect_name(type));
	return found;
}

const char *at(const struct call *call)
{
	return call->run.flow->actions[call->run.action].identifier;
}

const char *attribute_of(const struct call *call, const char *name)
{
	const char *value = attributes_get(&call->memory.attributes, name);

	return value != NULL ? value : "(unset)";
}
