/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_call: outbound calls that a program starts (R60), after StartOutboundVoiceContact.
 *
 *   start --> DIALLING --answered--> FLOW (the inbound flow named) --> as an inbound call
 *                |
 *                +-- busy, not answered in routing.dial --> ENDED, with a record
 *
 * The called customer hears nothing before the answer. The call is admitted as others are: while
 * control does not end, below instance.calls_max, to numbers that the number plan lists, over a
 * trunk that has a channel.
 *
 * A token stands for one call: given again it gets the same contact and starts nothing, whatever
 * the other parameters are. Tokens are known for API_TOKEN_KEEP_NS, and as long as the contact
 * lives, in this process; of more than API_TOKENS_MAX the oldest whose contact is gone go first.
 */
#ifndef CONTACT_API_CALL_H
#define CONTACT_API_CALL_H

#include <stdint.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/random.h"
#include "flow/attributes.h"

#define API_TOKEN_KEEP_NS (7 * 24 * 3600 * CLOCK_S) /* as the public operation documents it */
#define API_TOKENS_MAX    100000u

struct switchboard;
struct leg;

/* A token and the contact that it stands for; by age. */
struct api_token {
	char contact[RANDOM_UUID_SIZE]; /* of the first segment */
	uint64_t id;                    /* in the switchboard's pool */
	uint64_t until_ns;
	struct api_token *newer;
	char text[];
};

struct api_tokens {
	struct map map;
	struct api_token *oldest, *newest;
};

void api_tokens_init(struct api_tokens *tokens);
void api_tokens_clear(struct api_tokens *tokens);

/* Texts may be NULL where it says so. */
struct api_call {
	const char *destination; /* E.164 */
	const char *flow;        /* id, ARN or name; of type inbound */
	const char *queue;       /* NULL: the flow's; its caller id is used without a source */
	const char *source;      /* NULL; one of the instance's numbers */
	const char *token;       /* NULL: each call is a new one */
	struct attributes *attributes; /* the contact takes them: empty afterwards when it began */
};

enum api_call_field {
	API_CALL_NONE, /* none of them is to blame */
	API_CALL_DESTINATION,
	API_CALL_FLOW,
	API_CALL_QUEUE,
	API_CALL_SOURCE,
};

/* 0 and the contact's id, or a negative errno, with why and which field is wrong. */
enum { API_CALL_WHY_SIZE = 160 };
struct api_call_refusal {
	enum api_call_field field;
	char why[API_CALL_WHY_SIZE];
};
int api_call_start(struct switchboard *board, const struct api_call *call,
	char id[RANDOM_UUID_SIZE], struct api_call_refusal *refusal);

/* The customer has answered. */
void api_call_answered(struct leg *leg, uint64_t now_ns);

#endif
