/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/api_call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/call.h"
#include "contact/switchboard.h"

#define LOOKED_AT_MAX 16 /* old tokens, for each new one */

/* ---- tokens ---- */

void api_tokens_init(struct api_tokens *tokens)
{
	*tokens = (struct api_tokens){0};
	map_init(&tokens->map, NULL, API_TOKENS_MAX);
}

static const struct api_token *find_token(const struct api_tokens *tokens, const char *text)
{
	return text ? map_get(&tokens->map, text, strlen(text)) : NULL;
}

static struct api_token *take_oldest(struct api_tokens *tokens)
{
	struct api_token *token = tokens->oldest;

	tokens->oldest = token->newer;
	if (!tokens->oldest)
		tokens->newest = NULL;
	token->newer = NULL;
	return token;
}

static void append(struct api_tokens *tokens, struct api_token *token)
{
	if (tokens->newest)
		tokens->newest->newer = token;
	else
		tokens->oldest = token;
	tokens->newest = token;
}

static void forget(struct api_tokens *tokens, struct api_token *token)
{
	map_remove(&tokens->map, token->text, strlen(token->text));
	free(token);
}

static bool is_live(const struct switchboard *board, const struct api_token *token)
{
	const struct contact *contact = pool_get(&board->contacts, token->id);

	return contact && contact_is_live(contact);
}

/* Forgets what is old enough, and at the ceiling what is not. A live one goes to the end. */
static void make_room(struct switchboard *board, uint64_t now_ns)
{
	struct api_tokens *tokens = &board->api_tokens;

	for (int i = 0; i < LOOKED_AT_MAX && tokens->oldest; i++) {
		struct api_token *token = tokens->oldest;

		if (now_ns < token->until_ns && map_count(&tokens->map) < API_TOKENS_MAX)
			return;
		take_oldest(tokens);
		if (is_live(board, token))
			append(tokens, token);
		else
			forget(tokens, token);
	}
}

/* The token is in the table, for a contact that will be named. 0, -ENOSPC, -ENOMEM. */
static int add_token(
	struct switchboard *board, const char *text, uint64_t now_ns, struct api_token **out)
{
	struct api_tokens *tokens = &board->api_tokens;
	size_t n = strlen(text);
	struct api_token *token;
	int rc;

	make_room(board, now_ns);
	token = calloc(1, sizeof(*token) + n + 1);
	if (!token)
		return -ENOMEM;
	memcpy(token->text, text, n);
	token->until_ns = now_ns + API_TOKEN_KEEP_NS;
	rc = map_put(&tokens->map, token->text, n, token);
	if (rc < 0)
		free(token);
	else
		*out = token;
	return rc;
}

void api_tokens_clear(struct api_tokens *tokens)
{
	while (tokens->oldest)
		forget(tokens, take_oldest(tokens));
	map_clear(&tokens->map);
}

/* ---- what is asked for ---- */

__attribute__((format(printf, 4, 5))) static int refuse(struct api_call_refusal *refusal,
	enum api_call_field field, int error, const char *format, ...)
{
	va_list arguments;

	refusal->field = field;
	va_start(arguments, format);
	vsnprintf(refusal->why, sizeof(refusal->why), format, arguments);
	va_end(arguments);
	return error;
}

/* What the request names, found. */
struct found {
	struct flow *flow;
	uint32_t queue; /* ROUTER_NONE: none */
	struct board_caller_id caller_id;
};

static int find_destination(const struct switchboard *board, const struct api_call *call,
	struct api_call_refusal *refusal)
{
	if (!resource_number_valid(call->destination))
		return refuse(refusal, API_CALL_DESTINATION, -EINVAL,
			"'%.40s' is no phone number: expected + and 2 to 15 digits",
			call->destination);
	if (!signalling_may_call(board->signalling, call->destination))
		return refuse(refusal, API_CALL_DESTINATION, -EACCES,
			"the number plan does not let %.40s be called", call->destination);
	return 0;
}

static int find_flow(const struct switchboard *board, const struct api_call *call,
	struct found *found, struct api_call_refusal *refusal)
{
	found->flow = instance_flow(board->instance, call->flow);
	if (!found->flow)
		return refuse(
			refusal, API_CALL_FLOW, -ENOENT, "no published flow '%.80s'", call->flow);
	if (found->flow->type != FLOW_TYPE_INBOUND)
		return refuse(refusal, API_CALL_FLOW, -EINVAL,
			"expected a flow of type inbound, '%.80s' is of type %s", call->flow,
			flow_type_name(found->flow->type));
	return 0;
}

/* The queue, and from where the call comes: the source, or the queue's caller id. */
static int find_queue(const struct switchboard *board, const struct api_call *call,
	struct found *found, struct api_call_refusal *refusal)
{
	const struct resource_queue *row;

	if (!call->queue)
		return 0;
	found->queue = router_find_queue(board->router, call->queue, RESOURCE_BY_ANY);
	row = router_queue_row(board->router, found->queue);
	if (!row)
		return refuse(refusal, API_CALL_QUEUE, -ENOENT, "no standard queue '%.100s'",
			call->queue);
	found->caller_id = (struct board_caller_id){row->caller_id_number, row->caller_id_name};
	return 0;
}

static int find_source(const struct switchboard *board, const struct api_call *call,
	struct found *found, struct api_call_refusal *refusal)
{
	if (call->source && !number_plan_is_ours(board->instance->plan, call->source))
		return refuse(refusal, API_CALL_SOURCE, -EINVAL,
			"'%.40s' is none of the instance's numbers", call->source);
	if (call->source)
		found->caller_id.number = call->source;
	if (!found->caller_id.number[0])
		return refuse(refusal, API_CALL_SOURCE, -EINVAL,
			"expected one of the instance's numbers: %s",
			call->queue ? "the queue has no outbound caller id"
				    : "neither it nor a queue is given");
	return 0;
}

static int find_all(const struct switchboard *board, const struct api_call *call,
	struct found *found, struct api_call_refusal *refusal)
{
	int rc = find_destination(board, call, refusal);

	if (rc == 0)
		rc = find_flow(board, call, found, refusal);
	if (rc == 0)
		rc = find_queue(board, call, found, refusal);
	return rc < 0 ? rc : find_source(board, call, found, refusal);
}

/* ---- the call ---- */

static void take_parameters(
	struct contact *contact, const struct api_call *call, const struct found *found)
{
	contact_text(contact->customer_number, sizeof(contact->customer_number), call->destination);
	contact_text(
		contact->system_number, sizeof(contact->system_number), found->caller_id.number);
	contact->target_queue = found->queue;
	contact->first_flow = flow_hold(found->flow);
}

static int dial(struct contact *contact, const struct found *found, uint64_t now_ns)
{
	int rc;

	contact->caller = board_leg_open(contact, LEG_CUSTOMER, ROUTER_NONE);
	if (!contact->caller)
		return -ENOSPC;
	rc = board_leg_dial(contact->caller, contact->customer_number, &found->caller_id, now_ns);
	if (rc < 0)
		board_leg_close(contact->caller, 0, "");
	return rc;
}

static const char *text_of(int error)
{
	return error == -EBUSY ? "no trunk can take the call" : strerror(-error);
}

/* The call is under way: the contact has begun. */
static void begin(struct contact *contact, const struct api_call *call, uint64_t now_ns)
{
	struct switchboard *board = contact->board;

	contact->memory.attributes = *call->attributes;
	*call->attributes = (struct attributes){0};
	log_info(LOG_CALL(contact->segment.id, contact->caller->id), "contact",
		"a program calls %s from %s: flow '%s'", contact->customer_number,
		contact->system_number, contact->first_flow->name);
	contact_set_state(contact, CONTACT_DIALLING, now_ns);
	contact_event(contact, "INITIATED", now_ns);
	timers_set(board->timers, &contact->timer, now_ns + board->config->dial_ns);
}

/* The token, when there is one, stands for the contact from now on. */
static int place(struct switchboard *board, const struct api_call *call, const struct found *found,
	struct api_token *token, char id[RANDOM_UUID_SIZE], struct api_call_refusal *refusal)
{
	uint64_t now_ns = board_now(board);
	const char *why = board_why_not_new(board);
	struct contact *contact;
	int rc;

	if (why)
		return refuse(refusal, API_CALL_NONE, -EAGAIN, "%s", why);
	contact = board_contact_open(board, CONTACT_METHOD_API, now_ns);
	if (!contact)
		return refuse(refusal, API_CALL_NONE, -ENOSPC,
			"as many contacts as there may be are there");
	take_parameters(contact, call, found);
	rc = dial(contact, found, now_ns);
	if (rc < 0) {
		board_forget_contact(contact);
		return refuse(refusal, API_CALL_NONE, rc, "%s", text_of(rc));
	}
	begin(contact, call, now_ns);
	memcpy(id, contact->segment.id, sizeof(contact->segment.id));
	if (token) {
		memcpy(token->contact, id, sizeof(token->contact));
		token->id = contact->id;
		append(&board->api_tokens, token);
	}
	return 0;
}

int api_call_start(struct switchboard *board, const struct api_call *call,
	char id[RANDOM_UUID_SIZE], struct api_call_refusal *refusal)
{
	const struct api_token *known = find_token(&board->api_tokens, call->token);
	struct found found = {.queue = ROUTER_NONE, .caller_id = {"", ""}};
	struct api_token *token = NULL;
	int rc;

	if (known) {
		memcpy(id, known->contact, sizeof(known->contact));
		return 0;
	}
	rc = find_all(board, call, &found, refusal);
	if (rc == 0 && call->token && add_token(board, call->token, board_now(board), &token) < 0)
		rc = refuse(refusal, API_CALL_NONE, -ENOSPC, "too many tokens are in use");
	if (rc == 0)
		rc = place(board, call, &found, token, id, refusal);
	if (rc < 0 && token)
		forget(&board->api_tokens, token);
	return rc;
}

void api_call_answered(struct leg *leg, uint64_t now_ns)
{
	struct contact *contact = leg->contact;

	timers_cancel(contact->board->timers, &contact->timer);
	contact->segment.connected = now_ns;
	arriving_begin(leg, now_ns);
}
