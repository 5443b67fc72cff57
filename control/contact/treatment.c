/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/treatment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "contact/asking.h"
#include "contact/facts.h"
#include "contact/media_files.h"
#include "contact/sealing.h"
#include "contact/switchboard.h"

/* The answer to an effect, given to the run when all effects of a step have been carried out. */
struct reply {
	bool due;
	struct flow_event event;
	struct attribute values[METRIC_VALUES_MAX];
	char texts[METRIC_VALUES_MAX][METRIC_TEXT_SIZE];
};

static void drive(struct treatment *t, const struct flow_event *event, uint64_t now_ns);

static struct contact *contact_of(const struct treatment *t)
{
	return t->contact;
}

static struct switchboard *board_of(const struct treatment *t)
{
	return t->contact->board;
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	drive(ctx, &(struct flow_event){.type = FLOW_EVENT_TIMER}, now_ns);
}

static const char *fact(void *owner, const char *name)
{
	struct treatment *t = owner;
	struct switchboard *board = board_of(t);

	return facts_of_contact(contact_of(t), t->run.role, name, board->fact, sizeof(board->fact));
}

static struct flow *find_flow(void *owner, const char *reference)
{
	return instance_flow(board_of(owner)->instance, reference);
}

static uint64_t random_number(void *owner)
{
	return random_u64(&board_of(owner)->random);
}

struct treatment *treatment_new(struct leg *leg)
{
	uint64_t id;
	struct treatment *t = pool_alloc(&leg->contact->board->treatments, &id);

	if (!t)
		return NULL;
	t->id = id;
	t->leg = leg;
	t->contact = leg->contact;
	timer_init(&t->timer, on_timer, t);
	return t;
}

static void release_clips(struct treatment *t)
{
	clip_list_release(t->clips);
	t->clips = NULL;
}

void treatment_free(struct treatment *t)
{
	if (!t)
		return;
	treatment_stop(t);
	release_clips(t);
	pool_free(&board_of(t)->treatments, t);
}

bool treatment_running(const struct treatment *t)
{
	return t->run.state == FLOW_RUN_RUNNING || t->run.state == FLOW_RUN_WAITING;
}

uint64_t treatment_token(const struct treatment *t)
{
	return (uint64_t)t->play_count << 32 | t->play_id;
}

/* ---- playing ---- */

static void stop_playing(struct treatment *t)
{
	release_clips(t);
	t->player = MEDIA_PLAYER_STOP;
	t->play_id = 0;
}

int treatment_play(struct treatment *t, struct clip *const *clips, unsigned n, bool loop)
{
	struct clip_list *list = clip_list_new(clips, n);

	if (!list) {
		log_error_limited(NULL, "media", 10, "no memory for what is to be played");
		return -ENOMEM;
	}
	release_clips(t);
	t->clips = list;
	t->loop = loop;
	t->first_clip = 0;
	t->first_frame = 0;
	t->player = MEDIA_PLAYER_START;
	t->play_id = 0;
	t->play_count++;
	return 0;
}

static int clip_of_prompt(struct treatment *t, const struct flow_message *message,
	struct clip **clip, char wrong[CLIPS_REASON_SIZE])
{
	struct switchboard *board = board_of(t);
	const struct resource_prompt *prompt =
		instance_prompt(board->instance, message->text, message->resource_name);

	if (!prompt) {
		snprintf(wrong, CLIPS_REASON_SIZE, "no prompt '%s'", message->text);
		return -ENOENT;
	}
	return instance_prompt_clip(board->instance, media_clips(board->media), prompt,
		contact_data_voice(contact_of(t)), wrong, clip);
}

static int clip_of(struct treatment *t, const struct flow_message *message, struct clip **clip,
	char wrong[CLIPS_REASON_SIZE])
{
	struct speech_text text = {.text = str_from(message->text),
		.voice = str_from(contact_data_voice(contact_of(t))),
		.ssml = message->kind == FLOW_MESSAGE_SSML};

	switch (message->kind) {
	case FLOW_MESSAGE_TEXT:
	case FLOW_MESSAGE_SSML:
		return clips_text(media_clips(board_of(t)->media), &text, wrong, clip);
	case FLOW_MESSAGE_PROMPT:
		return clip_of_prompt(t, message, clip, wrong);
	case FLOW_MESSAGE_MEDIA:
		return media_files_clip(media_clips(board_of(t)->media),
			board_of(t)->config->media_files, str_from(message->text), wrong, clip);
	}
	return -ENOTSUP;
}

int treatment_say(struct treatment *t, const struct flow_action *action,
	const struct flow_message *messages, unsigned count, bool loop)
{
	struct clip *clips[MEDIA_LIST_MAX];
	char wrong[CLIPS_REASON_SIZE] = "more messages than one list holds";
	unsigned n = 0;
	int rc = count > MEDIA_LIST_MAX ? -E2BIG : 0;

	for (unsigned i = 0; rc == 0 && i < count; i++) {
		rc = clip_of(t, &messages[i], &clips[n], wrong);
		if (rc == 0)
			n++;
	}
	if (rc < 0) {
		log_warning(LOG_CALL(contact_of(t)->segment.id, t->leg->id), "flow",
			"action '%s' cannot play: %s", action->identifier, wrong);
		for (unsigned i = 0; i < n; i++)
			clip_release(clips[i]);
		return rc;
	}
	return treatment_play(t, clips, n, loop);
}

static void play(struct treatment *t, const struct flow_effect *effect, struct reply *reply)
{
	if (treatment_say(t, effect->action, effect->play.messages, effect->play.count,
		    effect->play.loop) < 0) {
		reply->due = true;
		reply->event =
			(struct flow_event){.type = FLOW_EVENT_PLAY_FAILED, .id = effect->id};
		return;
	}
	t->play_id = effect->id;
}

void treatment_hush(struct treatment *t)
{
	stop_playing(t);
}

/* ---- questions that are answered from memory ---- */

static void answer(struct reply *reply, const struct flow_effect *effect, enum flow_result result)
{
	reply->due = true;
	reply->event =
		(struct flow_event){.type = FLOW_EVENT_ANSWER, .id = effect->id, .result = result};
}

static void set_target_queue(
	struct treatment *t, const struct flow_effect *effect, struct reply *reply)
{
	uint32_t queue = facts_target_queue(contact_of(t), &effect->target);

	if (queue == ROUTER_NONE) {
		answer(reply, effect, FLOW_RESULT_ERROR);
		return;
	}
	contact_of(t)->target_queue = queue;
	answer(reply, effect, FLOW_RESULT_OK);
}

static void check_hours(struct treatment *t, const struct flow_effect *effect, struct reply *reply)
{
	int open =
		facts_hours_open(contact_of(t), effect->hours.hours, effect->hours.resource_name);

	answer(reply, effect,
		open < 0 ? FLOW_RESULT_ERROR
		: open   ? FLOW_RESULT_YES
			 : FLOW_RESULT_NO);
}

static void check_metric(
	struct treatment *t, const struct flow_effect *effect, struct reply *reply, uint64_t now_ns)
{
	uint32_t queue = facts_target_queue(contact_of(t), &effect->metric.target);
	int64_t number;

	if (facts_metric(contact_of(t), queue, effect->metric.metric, now_ns, &number) < 0) {
		answer(reply, effect, FLOW_RESULT_ERROR);
		return;
	}
	answer(reply, effect, FLOW_RESULT_OK);
	reply->event.number = number;
}

static void get_metrics(
	struct treatment *t, const struct flow_effect *effect, struct reply *reply, uint64_t now_ns)
{
	uint32_t queue = facts_target_queue(contact_of(t), &effect->target);
	int n = facts_metrics(contact_of(t), queue, now_ns, reply->values, reply->texts);

	if (n < 0) {
		answer(reply, effect, FLOW_RESULT_ERROR);
		return;
	}
	answer(reply, effect, FLOW_RESULT_OK);
	reply->event.values = reply->values;
	reply->event.value_count = (size_t)n;
}

/* ---- requests to the router ---- */

static void to_queue(
	struct treatment *t, const struct flow_effect *effect, struct reply *reply, uint64_t now_ns)
{
	struct contact *contact = contact_of(t);
	/* the target queue, but for a legacy file that names one in the block (R39) */
	uint32_t queue = facts_target_queue(contact, &effect->target);
	struct router_enqueue request = {.tag = t->id,
		.contact = contact->id,
		.queue = queue,
		.via = QUEUE_VIA_FLOW,
		.priority = contact->priority,
		.age_ns = contact->age_ns,
		.criteria = contact->criteria};

	/* a whisper flow, say, has no contact to queue */
	bool may = contact->state == CONTACT_FLOW && t->leg == contact->caller;

	if (!may || queue == ROUTER_NONE ||
		router_enqueue(board_of(t)->router, &request, now_ns) < 0)
		answer(reply, effect, FLOW_RESULT_ERROR);
	else
		t->router_id = effect->id;
}

static void move_to_queue(
	struct treatment *t, const struct flow_effect *effect, struct reply *reply, uint64_t now_ns)
{
	uint32_t queue = facts_target_queue(contact_of(t), &effect->target);

	if (queue == ROUTER_NONE ||
		router_move(board_of(t)->router, t->id, contact_of(t)->id, queue, now_ns) < 0)
		answer(reply, effect, FLOW_RESULT_ERROR);
	else
		t->router_id = effect->id;
}

static void set_priority(struct treatment *t, const struct flow_effect *effect, uint64_t now_ns)
{
	struct contact *contact = contact_of(t);

	if (effect->type == FLOW_EFFECT_SET_PRIORITY)
		contact->priority = (uint32_t)effect->number;
	else
		contact->age_ns = effect->number * (int64_t)CLOCK_S;
	if (contact->state == CONTACT_QUEUED || contact->state == CONTACT_OFFERED)
		router_set_priority(board_of(t)->router, 0, contact->id, contact->priority,
			contact->age_ns, now_ns);
}

/* The criteria that an effect spells; NULL when they are wrong, which the log tells. */
static struct criteria *criteria_of(const struct treatment *t, const struct flow_effect *effect)
{
	char wrong[CRITERIA_WRONG_SIZE] = "no memory";
	struct criteria *criteria = criteria_new();
	int rc = criteria ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < effect->pairs.count; i++)
		rc = criteria_set(
			criteria, effect->pairs.list[i].name, effect->pairs.list[i].value, wrong);
	if (rc == 0)
		rc = criteria_finish(criteria, wrong);
	if (rc == 0)
		return criteria;
	log_warning(LOG_CALL(contact_of(t)->segment.id, t->leg->id), "flow",
		"action '%s' sets no criteria: %s", effect->action->identifier, wrong);
	criteria_release(criteria);
	return NULL;
}

static void set_criteria(
	struct treatment *t, const struct flow_effect *effect, struct reply *reply, uint64_t now_ns)
{
	struct contact *contact = contact_of(t);
	struct criteria *criteria = criteria_of(t, effect);

	if (!criteria) {
		answer(reply, effect, FLOW_RESULT_ERROR);
		return;
	}
	criteria_release(contact->criteria);
	contact->criteria = criteria;
	if (contact->state == CONTACT_QUEUED || contact->state == CONTACT_OFFERED)
		router_set_criteria(board_of(t)->router, 0, contact->id, criteria, now_ns);
	answer(reply, effect, FLOW_RESULT_OK);
}

static enum flow_result result_of(enum router_result result)
{
	switch (result) {
	case ROUTER_OK:
		return FLOW_RESULT_OK;
	case ROUTER_FULL:
		return FLOW_RESULT_AT_CAPACITY;
	default:
		return FLOW_RESULT_ERROR;
	}
}

void treatment_router_answer(
	struct treatment *t, const struct router_effect *effect, uint64_t now_ns)
{
	struct flow_event event = {
		.type = FLOW_EVENT_ANSWER, .id = t->router_id, .result = result_of(effect->result)};

	if (!t->router_id)
		return;
	t->router_id = 0;
	drive(t, &event, now_ns);
}

/* ---- what flows set ---- */

static void set_hook(struct contact *contact, const struct flow_effect *effect)
{
	struct flow **hook = &contact->hook[effect->hook.hook];

	flow_release(*hook);
	*hook = effect->hook.disabled ? NULL : flow_hold(effect->hook.flow);
	contact->hook_disabled[effect->hook.hook] = effect->hook.disabled;
}

static void set_callback_number(
	struct contact *contact, const struct flow_effect *effect, struct reply *reply)
{
	bool may = callback_may_call(contact, effect->text);

	if (may)
		contact_text(
			contact->callback_number, sizeof(contact->callback_number), effect->text);
	answer(reply, effect, may ? FLOW_RESULT_OK : FLOW_RESULT_NOT_DIALABLE);
}

static void log_effect(const struct treatment *t, const struct flow_effect *effect)
{
	static const enum log_level levels[] = {
		[FLOW_LOG_INFO] = LOG_LEVEL_INFO,
		[FLOW_LOG_WARNING] = LOG_LEVEL_WARNING,
		[FLOW_LOG_ERROR] = LOG_LEVEL_ERROR,
	};

	log_at(levels[effect->log.level], LOG_CALL(contact_of(t)->segment.id, t->leg->id), "flow",
		"%s", effect->log.text);
}

/* ---- the step ---- */

static void carry_out(
	struct treatment *t, const struct flow_effect *effect, struct reply *reply, uint64_t now_ns)
{
	struct contact *contact = contact_of(t);

	switch (effect->type) {
	case FLOW_EFFECT_PLAY:
		play(t, effect, reply);
		/* the first word to the destination places the call */
		dialling_place(t->leg, &(struct dialling_call){.number = ""}, now_ns);
		break;
	case FLOW_EFFECT_CALL_OUTBOUND:
		dialling_place(t->leg,
			&(struct dialling_call){.number = effect->call.caller_number,
				.limit_ns = effect->call.timeout_s * CLOCK_S},
			now_ns);
		break;
	case FLOW_EFFECT_TRANSFER_TO_NUMBER:
		if (!third_party_start(t->leg, effect, now_ns))
			answer(reply, effect, FLOW_RESULT_ERROR);
		break;
	case FLOW_EFFECT_STOP_PLAYING:
		stop_playing(t);
		break;
	case FLOW_EFFECT_SET_TARGET_QUEUE:
		set_target_queue(t, effect, reply);
		break;
	case FLOW_EFFECT_CHECK_HOURS:
		check_hours(t, effect, reply);
		break;
	case FLOW_EFFECT_CHECK_METRIC:
		check_metric(t, effect, reply, now_ns);
		break;
	case FLOW_EFFECT_GET_METRICS:
		get_metrics(t, effect, reply, now_ns);
		break;
	case FLOW_EFFECT_TRANSFER_TO_QUEUE:
		to_queue(t, effect, reply, now_ns);
		break;
	case FLOW_EFFECT_MOVE_TO_QUEUE:
		move_to_queue(t, effect, reply, now_ns);
		break;
	case FLOW_EFFECT_SET_PRIORITY:
	case FLOW_EFFECT_ADJUST_AGE:
		set_priority(t, effect, now_ns);
		break;
	case FLOW_EFFECT_SET_CRITERIA:
		set_criteria(t, effect, reply, now_ns);
		break;
	case FLOW_EFFECT_SET_HOOK:
		set_hook(contact, effect);
		break;
	case FLOW_EFFECT_SET_CONTACT_DATA:
	case FLOW_EFFECT_SET_TAGS:
	case FLOW_EFFECT_SET_RECORDING:
		contact_data_carry_out(contact, effect);
		break;
	case FLOW_EFFECT_SET_VOICE:
		contact_text(contact->voice, sizeof(contact->voice), effect->voice.voice);
		break;
	case FLOW_EFFECT_SET_STREAMING:
		contact_data_carry_out(contact, effect);
		answer(reply, effect, FLOW_RESULT_OK);
		break;
	case FLOW_EFFECT_SET_CALLBACK_NUMBER:
		set_callback_number(contact, effect, reply);
		break;
	case FLOW_EFFECT_CREATE_CALLBACK:
		answer(reply, effect,
			callback_create(contact, effect, now_ns) ? FLOW_RESULT_OK
								 : FLOW_RESULT_ERROR);
		break;
	case FLOW_EFFECT_ENCRYPT_INPUT:
		if (sealing_start(t, effect) < 0)
			answer(reply, effect, FLOW_RESULT_ERROR);
		break;
	case FLOW_EFFECT_INVOKE_LAMBDA:
	case FLOW_EFFECT_SERVICE:
		if (!asking_start(t, effect, now_ns))
			answer(reply, effect, FLOW_RESULT_ERROR);
		break;
	case FLOW_EFFECT_LOG:
		log_effect(t, effect);
		break;
	case FLOW_EFFECT_ENTER:
	case FLOW_EFFECT_LEAVE:
	case FLOW_EFFECT_SET_LOGGING:
		flow_log_line_effect(t, effect, now_ns);
		break;
	case FLOW_EFFECT_ATTRIBUTES_SET:
	case FLOW_EFFECT_DISCONNECT: /* run.outcome says it when the run is over */
	case FLOW_EFFECT_OVER:
	case FLOW_EFFECT_COUNT:
		break;
	default: /* what this switch does not reach */
		log_info(LOG_CALL(contact->segment.id, t->leg->id), "flow",
			"action '%s': %s is not available here", effect->action->identifier,
			flow_effect_name(effect->type));
		answer(reply, effect, FLOW_RESULT_ERROR);
		break;
	}
}

static void arm(struct treatment *t)
{
	struct timers *timers = board_of(t)->timers;

	if (t->run.wake_at_ns && t->run.state != FLOW_RUN_OVER)
		timers_set(timers, &t->timer, t->run.wake_at_ns);
	else
		timers_cancel(timers, &t->timer);
}

/* Tells the run about an event (NULL: its first effects are there already) until it waits. */
static void drive(struct treatment *t, const struct flow_event *event, uint64_t now_ns)
{
	struct flow_effects *effects = board_of(t)->effects;
	struct reply reply = {0};
	enum flow_outcome outcome;
	enum flow_type role;

	if (event) {
		if (!treatment_running(t))
			return;
		flow_log_line_answer(t, event);
		flow_effects_reset(effects);
		if (flow_run_step(&t->run, event, now_ns, effects) < 0)
			return;
	}
	for (;;) {
		reply.due = false;
		for (uint32_t i = 0; i < effects->count; i++)
			carry_out(t, &effects->items[i], &reply, now_ns);
		if (!reply.due || t->run.state == FLOW_RUN_OVER)
			break;
		flow_effects_reset(effects);
		flow_run_step(&t->run, &reply.event, now_ns, effects);
	}
	arm(t);
	hearing_apply(t->leg->call);
	if (t->run.state != FLOW_RUN_OVER)
		return;
	outcome = t->run.outcome;
	role = t->run.role;
	asking_cancel(t);
	flow_log_line_end(t);
	flow_run_clear(&t->run);
	board_treatment_over(t, role, outcome, now_ns);
}

void treatment_start(struct treatment *t, struct contact *contact, struct flow *flow,
	enum flow_type role, uint64_t now_ns)
{
	struct switchboard *board = board_of(t);

	treatment_stop(t);
	t->contact = contact;
	if (!flow) {
		hearing_apply(t->leg->call);
		board_treatment_over(t, role, FLOW_OUTCOME_PROCEED, now_ns);
		return;
	}
	t->context = (struct flow_context){.owner = t,
		.memory = &contact_of(t)->memory,
		.fact = fact,
		.find_flow = find_flow,
		.random = random_number,
		.wait_pauses = board->config->wait_pauses};
	log_info(LOG_CALL(contact_of(t)->segment.id, t->leg->id), "flow", "flow '%s' starts as %s",
		flow->name, flow_type_name(role));
	flow_effects_reset(board->effects);
	CHECK(flow_run_start(&t->run, flow, role, &t->context, now_ns, board->effects) == 0);
	drive(t, NULL, now_ns);
}

void treatment_stop(struct treatment *t)
{
	timers_cancel(board_of(t)->timers, &t->timer);
	t->router_id = 0;
	asking_cancel(t);
	if (t->clips)
		stop_playing(t);
	flow_log_line_end(t);
	flow_run_clear(&t->run);
}

/* Where the player is in the list, for another player to go on there. */
static void note_position(struct treatment *t)
{
	struct media_leg_stats stats;

	if (t->player == MEDIA_PLAYER_START || !media_leg_stats(t->leg->media, &stats) ||
		!stats.playing || !t->clips || stats.play_clip >= t->clips->n ||
		stats.play_frame >= clip_frames(t->clips->clips[stats.play_clip]))
		return;
	t->first_clip = (uint8_t)stats.play_clip;
	t->first_frame = stats.play_frame;
}

static void take_over(struct leg *leg, struct treatment *t)
{
	leg->treatment = t;
	t->leg = leg;
	t->player = t->clips ? MEDIA_PLAYER_START : MEDIA_PLAYER_STOP;
}

void treatment_move(struct leg *from, struct leg *to)
{
	struct treatment *moved = from->treatment, *stopped = to->treatment;

	note_position(moved);
	treatment_stop(stopped);
	stop_playing(stopped);
	stopped->contact = from->contact;
	take_over(to, moved);
	take_over(from, stopped);
}

void treatment_pass(struct treatment *t, struct contact *contact)
{
	t->contact = contact;
	t->context.memory = &contact->memory;
}

void treatment_answer(struct treatment *t, const struct flow_event *event, uint64_t now_ns)
{
	drive(t, event, now_ns);
}

void treatment_key(struct treatment *t, char key, uint64_t now_ns)
{
	if (!asking_key(t, key, now_ns))
		drive(t, &(struct flow_event){.type = FLOW_EVENT_KEY, .key = key}, now_ns);
}

static void play_over(
	struct treatment *t, enum flow_event_type type, uint64_t token, uint64_t now_ns)
{
	uint32_t id = t->play_id;

	if (asking_played(t, type, token, now_ns))
		return;
	if (!id || token != treatment_token(t))
		return;
	t->play_id = 0;
	drive(t, &(struct flow_event){.type = type, .id = id}, now_ns);
}

void treatment_play_ended(struct treatment *t, uint64_t token, uint64_t now_ns)
{
	play_over(t, FLOW_EVENT_PLAY_DONE, token, now_ns);
}

void treatment_play_failed(struct treatment *t, uint64_t token, const char *why, uint64_t now_ns)
{
	log_warning(LOG_CALL(contact_of(t)->segment.id, t->leg->id), "flow",
		"a prompt could not be played: %s", why);
	play_over(t, FLOW_EVENT_PLAY_FAILED, token, now_ns);
}
