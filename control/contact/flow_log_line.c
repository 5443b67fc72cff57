/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/flow_log_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "contact/switchboard.h"

/* ---- names of modules ---- */

static const char *const modules[FLOW_ACTION_COUNT] = {
	[FLOW_ACTION_MESSAGE] = "PlayPrompt",
	[FLOW_ACTION_MESSAGE_LOOP] = "LoopPrompts",
	[FLOW_ACTION_GET_INPUT] = "GetUserInput",
	[FLOW_ACTION_LEX] = "GetUserInput",
	[FLOW_ACTION_DISCONNECT] = "Disconnect",
	[FLOW_ACTION_TO_QUEUE] = "Transfer",
	[FLOW_ACTION_DEQUEUE_TO_QUEUE] = "Transfer",
	[FLOW_ACTION_CREATE_CALLBACK] = "CreateCallback",
	[FLOW_ACTION_TO_AGENT] = "Transfer",
	[FLOW_ACTION_TO_THIRD_PARTY] = "Transfer",
	[FLOW_ACTION_TO_FLOW] = "Transfer",
	[FLOW_ACTION_END] = "Resume",
	[FLOW_ACTION_SET_TARGET_QUEUE] = "SetQueue",
	[FLOW_ACTION_SET_ATTRIBUTES] = "SetAttributes",
	[FLOW_ACTION_SET_FLOW_ATTRIBUTES] = "SetAttributes",
	[FLOW_ACTION_SET_CONTACT_DATA] = "SetContactData",
	[FLOW_ACTION_COMPARE] = "CheckAttribute",
	[FLOW_ACTION_CHECK_HOURS] = "CheckHoursOfOperation",
	[FLOW_ACTION_CHECK_METRIC] = "CheckStaffing",
	[FLOW_ACTION_GET_METRICS] = "GetMetricData",
	[FLOW_ACTION_LOOP] = "Loop",
	[FLOW_ACTION_DISTRIBUTE] = "PercentileBranching",
	[FLOW_ACTION_WAIT] = "Wait",
	[FLOW_ACTION_LAMBDA] = "InvokeExternalResource",
	[FLOW_ACTION_SET_HOOKS] = "SetEventHook",
	[FLOW_ACTION_SET_RECORDING] = "SetRecordingBehavior",
	[FLOW_ACTION_SET_RECORDING_ANALYTICS] = "SetRecordingBehavior",
	[FLOW_ACTION_SET_STREAMING] = "StopMediaStreaming",
	[FLOW_ACTION_SET_LOGGING] = "SetLoggingBehavior",
	[FLOW_ACTION_SET_VOICE] = "SetVoice",
	[FLOW_ACTION_SET_CALLBACK_NUMBER] = "SetCallBackNumber",
	[FLOW_ACTION_SET_ROUTING] = "UpdateRoutingPriority",
	[FLOW_ACTION_START_VOICE_ID] = "SetVoiceId",
	[FLOW_ACTION_CHECK_VOICE_ID] = "CheckVoiceId",
};

static const char *fixed(const struct flow_action *action, enum flow_param_id id)
{
	const struct flow_param *param = flow_action_param(action, id);

	return param && param->value.source ? param->value.source : "";
}

/* One type of action, two blocks of the console. */
static const char *by_parameters(const struct flow_action *action)
{
	static const char agents[] = "NumberOfAgents";

	switch (action->type) {
	case FLOW_ACTION_GET_INPUT:
		return strcasecmp(fixed(action, FLOW_PARAM_STORE_INPUT), "True") == 0
			       ? "StoreUserInput"
			       : NULL;
	case FLOW_ACTION_CHECK_METRIC:
		return strncmp(fixed(action, FLOW_PARAM_METRIC), agents, sizeof(agents) - 1) == 0
			       ? NULL
			       : "CheckQueueStatus";
	case FLOW_ACTION_SET_STREAMING:
		return strcasecmp(fixed(action, FLOW_PARAM_STATE), "Enabled") == 0
			       ? "StartMediaStreaming"
			       : NULL;
	default:
		return NULL;
	}
}

const char *flow_log_line_module(const struct flow_action *action)
{
	const char *name = action->legacy_type;

	if (!name)
		name = by_parameters(action);
	if (!name)
		name = modules[action->type];
	return name ? name : flow_action_name((enum flow_action_type)action->type);
}

/* ---- lines ---- */

static struct contact *contact_of(const struct treatment *t)
{
	return t->leg->contact;
}

static void put_text(json_t *object, const char *name, const char *text)
{
	char *copy;
	json_t *value = json_string(text);

	if (!value && (copy = strdup(text))) { /* not UTF-8 */
		for (char *p = copy; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		value = json_string(copy);
		free(copy);
	}
	json_object_set_new(object, name, value);
}

static void write_line(struct treatment *t)
{
	struct flow_log *log = contact_of(t)->board->flow_log;
	char *text;

	if (log && t->log.kept && t->log.object &&
		(text = json_dumps(t->log.object, JSON_COMPACT | JSON_PRESERVE_ORDER))) {
		if (flow_log_write(log, str_from(text)) == -E2BIG) {
			json_object_del(t->log.object, "ExternalResults");
			json_object_set_new(t->log.object, "Parameters", json_string("too long"));
			free(text);
			text = json_dumps(t->log.object, JSON_COMPACT | JSON_PRESERVE_ORDER);
			if (text)
				flow_log_write(log, str_from(text));
		}
		free(text);
	}
	json_decref(t->log.object);
	t->log = (struct flow_log_line){0};
}

static json_t *parameters_of(const struct flow_effect *enter)
{
	json_t *parameters = json_object();

	for (size_t i = 0; i < enter->enter.count; i++)
		put_text(parameters, enter->enter.list[i].name, enter->enter.list[i].value);
	return parameters;
}

static void begin(struct treatment *t, const struct flow_effect *enter, uint64_t now_ns)
{
	struct contact *contact = contact_of(t);
	char now[CLOCK_ISO_SIZE];

	write_line(t); /* of an action that was never left */
	if (!contact->board->flow_log)
		return;
	clock_format(contact_wall(contact, now_ns), now);
	t->log.action = enter->action;
	t->log.kept = contact->flow_logged;
	t->log.object = json_object();
	put_text(t->log.object, "ContactId", contact->segment.id);
	put_text(t->log.object, "ContactFlowId", enter->enter.flow->arn);
	put_text(t->log.object, "ContactFlowName", enter->enter.flow->name);
	put_text(t->log.object, "ContactFlowModuleType", flow_log_line_module(enter->action));
	put_text(t->log.object, "Identifier", enter->action->identifier);
	put_text(t->log.object, "Timestamp", now);
	json_object_set_new(t->log.object, "Parameters", parameters_of(enter));
}

static void leave(struct treatment *t, const struct flow_effect *effect)
{
	if (!t->log.object || t->log.action != effect->action)
		return;
	if (effect->leave.result[0])
		put_text(t->log.object, "Results", effect->leave.result);
	write_line(t);
}

void flow_log_line_effect(struct treatment *t, const struct flow_effect *effect, uint64_t now_ns)
{
	struct contact *contact = contact_of(t);

	switch (effect->type) {
	case FLOW_EFFECT_ENTER:
		begin(t, effect, now_ns);
		break;
	case FLOW_EFFECT_LEAVE:
		leave(t, effect);
		break;
	case FLOW_EFFECT_SET_LOGGING:
		t->log.kept = contact->flow_logged || effect->flag;
		contact->flow_logged = effect->flag;
		if (!effect->flag) /* what follows is not told of */
			write_line(t);
		break;
	default:
		break;
	}
}

void flow_log_line_answer(struct treatment *t, const struct flow_event *event)
{
	json_t *answer;

	if (!t->log.object || event->type != FLOW_EVENT_ANSWER || event->id != t->run.pending_id ||
		!event->text || t->log.action->type != FLOW_ACTION_LAMBDA)
		return;
	answer = json_loads(event->text, JSON_REJECT_DUPLICATES, NULL);
	if (answer)
		json_object_set_new(t->log.object, "ExternalResults", answer);
}

void flow_log_line_end(struct treatment *t)
{
	write_line(t);
}
