/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/simulator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "flow/simulator_private.h"

/* ---- one step ------------------------------------------------------------------------ */

static void carry_out_all(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->effects->count; i++)
		sim_carry_out(sim, &sim->effects->items[i]);
}

static void deliver(struct sim *sim, const struct flow_event *event)
{
	flow_run_step(&sim->run, event, sim->now_ns, sim->effects);
	carry_out_all(sim);
}

/* ---- what comes next ----------------------------------------------------------------- */

enum next { NEXT_NOTHING, NEXT_ANSWER, NEXT_PLAY, NEXT_KEY, NEXT_EVENT, NEXT_TIMER };

/* Of one moment the first of the list comes first. */
static enum next what_next(const struct sim *sim, uint64_t *at_ns)
{
	bool keys = sim->run.wait == FLOW_WAIT_INPUT && sim->key_next < sim->key_count;
	const struct {
		bool there;
		uint64_t at_ns;
		enum next next;
	} rows[] = {
		{sim->owed.due, sim->owed.at_ns, NEXT_ANSWER},
		{sim->play_id != 0, sim->play_end_ns, NEXT_PLAY},
		{keys, sim->key_ns, NEXT_KEY},
		{sim->event_next < sim->event_count,
			sim->event_next < sim->event_count ? sim->events[sim->event_next].at_ns : 0,
			NEXT_EVENT},
		{sim->run.wake_at_ns != 0, sim->run.wake_at_ns, NEXT_TIMER},
	};
	enum next next = NEXT_NOTHING;

	*at_ns = UINT64_MAX;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].there && rows[i].at_ns < *at_ns) {
			*at_ns = rows[i].at_ns;
			next = rows[i].next;
		}
	}
	return next;
}

static void give_answer(struct sim *sim)
{
	struct sim_owed owed = sim->owed;

	sim->owed = (struct sim_owed){0};
	deliver(sim, &owed.event);
	free(owed.text);
	free(owed.values);
	json_decref(owed.keep);
}

static void end_play(struct sim *sim)
{
	uint32_t id = sim->play_id;

	sim->play_id = 0;
	deliver(sim, &(struct flow_event){.type = sim->play_fails ? FLOW_EVENT_PLAY_FAILED
								  : FLOW_EVENT_PLAY_DONE,
			     .id = id});
}

static void press(struct sim *sim, char key)
{
	deliver(sim, &(struct flow_event){.type = FLOW_EVENT_KEY, .key = key});
}

/* ---- one flow ------------------------------------------------------------------------ */

/* Why a flow is not run any further. */
enum stop { STOP_OVER, STOP_TAKEN, STOP_LEFT, STOP_GONE, STOP_CUT, STOP_STILL };

static enum stop take_event(struct sim *sim)
{
	const struct sim_event *event = &sim->events[sim->event_next++];

	switch (event->kind) {
	case SIM_KEY:
		press(sim, event->key);
		break;
	case SIM_HANG_UP:
		if (sim->run.state != FLOW_RUN_OVER)
			deliver(sim, &(struct flow_event){.type = FLOW_EVENT_PARTY_GONE});
		return STOP_GONE;
	case SIM_TAKE:
		return STOP_TAKEN;
	case SIM_LEAVE:
		return STOP_LEFT;
	}
	return STOP_OVER;
}

static enum stop happen(struct sim *sim, enum next next)
{
	switch (next) {
	case NEXT_ANSWER:
		give_answer(sim);
		break;
	case NEXT_PLAY:
		end_play(sim);
		break;
	case NEXT_KEY:
		sim->key_ns = sim->now_ns + sim->key_gap_ns;
		press(sim, sim->keys[sim->key_next++]);
		break;
	case NEXT_EVENT:
		return take_event(sim);
	case NEXT_TIMER:
		deliver(sim, &(struct flow_event){.type = FLOW_EVENT_TIMER});
		break;
	case NEXT_NOTHING:
		break;
	}
	return STOP_OVER;
}

static uint64_t limit_ns(const struct sim *sim)
{
	return (uint64_t)sim_number(sim->script, "limit_ms", SIMULATOR_LIMIT_MS) * SIM_MS;
}

/* Until the flow is over, or something from outside ends it. */
static enum stop run_to_stop(struct sim *sim)
{
	for (uint32_t steps = 0; steps < SIMULATOR_STEPS_MAX; steps++) {
		uint64_t at_ns;
		enum next next = what_next(sim, &at_ns);
		enum stop stop;

		if (sim->run.state == FLOW_RUN_OVER)
			return STOP_OVER;
		if (next == NEXT_NOTHING)
			return STOP_STILL;
		if (at_ns > limit_ns(sim))
			return STOP_CUT;
		if (at_ns > sim->now_ns)
			sim->now_ns = at_ns;
		stop = happen(sim, next);
		if (stop != STOP_OVER)
			return stop;
	}
	return STOP_CUT;
}

static void end_run(struct sim *sim)
{
	flow_run_stop(&sim->run, sim->effects);
	carry_out_all(sim);
	sim_line_flush(sim);
	sim_owed_clear(sim);
	sim->play_id = 0;
	sim->key_count = 0;
	flow_run_clear(&sim->run);
}

static enum stop run_flow(
	struct sim *sim, struct flow *flow, enum flow_type role, enum flow_outcome *outcome)
{
	enum stop stop;

	sim_note_flow(sim, flow);
	if (flow != sim->config->flow || sim->now_ns > 0)
		sim_line_event(sim, "flow",
			json_pack("{s:s, s:s}", "flow", flow->name, "as", flow_type_name(role)));
	CHECK(flow_run_start(&sim->run, flow, role, &sim->context, sim->now_ns, sim->effects) == 0);
	carry_out_all(sim);
	stop = run_to_stop(sim);
	*outcome = sim->run.outcome;
	end_run(sim);
	return stop;
}

/* ---- the contact --------------------------------------------------------------------- */

static struct flow *hook_flow(struct sim *sim, enum flow_hook hook)
{
	const char *name = sim_text(sim->script, "queue_flow", "");

	if (sim->hook_disabled[hook])
		return NULL;
	if (sim->hooks[hook] == NULL && hook == FLOW_HOOK_CUSTOMER_QUEUE && *name != '\0')
		return sim_find_flow(sim, name);
	return sim->hooks[hook];
}

/* The flow of a hook, if one is set. False: the contact is over. */
static bool run_hook(struct sim *sim, enum flow_hook hook, enum flow_type role, const char **end)
{
	struct flow *flow = hook_flow(sim, hook);
	enum flow_outcome outcome;
	enum stop stop;

	if (flow == NULL)
		return true;
	stop = run_flow(sim, flow, role, &outcome);
	if (stop == STOP_OVER && outcome == FLOW_OUTCOME_PROCEED)
		return true;
	*end = stop == STOP_GONE  ? "party_gone"
	       : stop == STOP_CUT ? "cut"
				  : flow_outcome_name(outcome);
	return false;
}

/* Nothing runs: the moment of the next event that counts. */
static enum stop wait_for_event(struct sim *sim)
{
	while (sim->event_next < sim->event_count) {
		const struct sim_event *event = &sim->events[sim->event_next++];

		if (event->at_ns > sim->now_ns)
			sim->now_ns = event->at_ns;
		if (event->kind == SIM_HANG_UP)
			return STOP_GONE;
		if (event->kind == SIM_LEAVE)
			return STOP_LEFT;
		if (event->kind == SIM_TAKE)
			return STOP_TAKEN;
	}
	return STOP_STILL;
}

/* An agent has taken the contact: whispers, talk, and what follows the agent's hang-up. */
static const char *talk(struct sim *sim)
{
	const char *end = "talking";
	struct flow *flow;
	enum flow_outcome outcome;
	enum stop stop;

	sim_line_event(sim, "taken", NULL);
	if (!run_hook(sim, FLOW_HOOK_AGENT_WHISPER, FLOW_TYPE_AGENT_WHISPER, &end) ||
		!run_hook(sim, FLOW_HOOK_CUSTOMER_WHISPER, FLOW_TYPE_CUSTOMER_WHISPER, &end))
		return end;
	sim_line_event(sim, "talking", NULL);
	stop = wait_for_event(sim);
	if (stop == STOP_GONE)
		return "party_gone";
	flow = hook_flow(sim, FLOW_HOOK_CUSTOMER_REMAINING);
	if (stop != STOP_LEFT || flow == NULL)
		return stop == STOP_LEFT ? "agent_left" : end;
	stop = run_flow(sim, flow, FLOW_TYPE_INBOUND, &outcome);
	return stop == STOP_CUT ? "cut" : flow_outcome_name(outcome);
}

/* The contact is in a queue. */
static const char *wait_in_queue(struct sim *sim)
{
	struct flow *flow = hook_flow(sim, FLOW_HOOK_CUSTOMER_QUEUE);
	enum flow_outcome outcome = FLOW_OUTCOME_SILENCE;
	enum stop stop =
		flow != NULL ? run_flow(sim, flow, FLOW_TYPE_CUSTOMER_QUEUE, &outcome) : STOP_OVER;

	if (stop == STOP_OVER && outcome == FLOW_OUTCOME_SILENCE)
		stop = wait_for_event(sim);
	switch (stop) {
	case STOP_TAKEN:
		return talk(sim);
	case STOP_GONE:
		return "party_gone";
	case STOP_CUT:
		return "cut";
	case STOP_OVER:
		return flow_outcome_name(outcome);
	default:
		return "queued";
	}
}

static const char *run_contact(struct sim *sim, enum flow_type role)
{
	bool queue = role == FLOW_TYPE_CUSTOMER_QUEUE;
	enum flow_outcome outcome;
	enum stop stop = run_flow(sim, sim->config->flow, role, &outcome);

	if (stop == STOP_TAKEN && queue)
		return talk(sim);
	if (stop == STOP_CUT)
		return "cut";
	if (stop == STOP_STILL)
		return "waiting";
	if (stop == STOP_GONE)
		return flow_outcome_name(FLOW_OUTCOME_PARTY_GONE);
	return outcome == FLOW_OUTCOME_QUEUED ? wait_in_queue(sim) : flow_outcome_name(outcome);
}

/* ---- life ---------------------------------------------------------------------------- */

static int role_of(struct sim *sim, enum flow_type *role)
{
	const char *word = sim_text(sim->script, "type", NULL);

	*role = sim->config->type;
	if (*role == FLOW_TYPE_UNKNOWN && word != NULL && flow_type_parse(word, role) < 0) {
		report_add(sim->report, REPORT_ERROR, sim->config->script_file,
			"type: expected a flow type such as inbound, found '%.40s'", word);
		return -EINVAL;
	}
	if (*role == FLOW_TYPE_UNKNOWN)
		*role = (enum flow_type)sim->config->flow->type;
	if (*role == FLOW_TYPE_UNKNOWN)
		*role = FLOW_TYPE_INBOUND;
	return 0;
}

static json_t *attributes_json(const struct attributes *store)
{
	struct attributes_cursor cursor = {0};
	json_t *object = json_object();
	struct attribute a;

	while (attributes_next(store, &cursor, &a))
		json_object_set_new(object, a.name, json_string(a.value));
	return object;
}

static void sim_clear(struct sim *sim)
{
	sim_owed_clear(sim);
	for (int i = 0; i < FLOW_HOOK_COUNT; i++)
		flow_release(sim->hooks[i]);
	flow_memory_clear(&sim->memory);
	attributes_clear(&sim->related);
	attributes_clear(&sim->facts);
	attributes_clear(&sim->set);
	sim_script_clear(sim);
	if (sim->effects != NULL)
		flow_effects_reset(sim->effects);
	free(sim->effects);
	free(sim);
}

int simulator_run(const struct simulator *config, struct report *report)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	enum flow_type role = FLOW_TYPE_INBOUND;
	const char *end;
	int rc;

	if (sim == NULL)
		return -ENOMEM;
	sim->config = config;
	sim->report = report;
	sim->effects = calloc(1, sizeof(*sim->effects));
	rc = sim->effects != NULL ? sim_script_read(sim) : -ENOMEM;
	if (rc == 0)
		rc = role_of(sim, &role);
	if (rc == 0) {
		sim->context = (struct flow_context){.owner = sim,
			.memory = &sim->memory,
			.related = json_object_get(sim->script, "related") != NULL ? &sim->related
										   : NULL,
			.fact = sim_fact,
			.find_flow = sim_find_flow,
			.random = sim_random,
			.wait_pauses = sim_flag(sim->script, "wait_pauses"),
			.trace = true};
		end = run_contact(sim, role);
		sim_line_event(sim, "end",
			json_pack("{s:s, s:o}", "outcome", end, "attributes",
				attributes_json(&sim->memory.attributes)));
	}
	sim_clear(sim);
	return rc;
}
