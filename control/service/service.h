/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service: asks something outside: a function that a flow invokes, or what stands in for a service
 * (a bot, say). The question is a JSON text; it goes out as the body of an HTTP POST, or to the
 * standard input of a local program, and the answer is the response's body or what the program
 * writes. Where a question goes is a row of services.yaml (service_set.h).
 *
 *   ASKING --answer, or it fails for good--> done
 *     |  ^
 *     |  | short pause, while there is time and a try left
 *     +--+ the far end is busy (429), has failed (5xx), or cannot be reached
 *
 * One time limit holds for all tries together. A program has one try. Nothing here blocks: names
 * are resolved on threads of their own, and what is received is cut off at SERVICE_ANSWER_MAX.
 * Redirects are not followed, and no proxy of the environment is used.
 *
 * What an action that a service answers gets and gives (flows/language.md 4.4 has the function's):
 *
 *   {"Name": "ContactFlowService", "Details": {"Action": "ConnectParticipantWithLexBot",
 *     "Parameters": {"LexV2Bot.AliasArn": "…", …}, "InputTranscript": "4711",
 *     "ContactData": {… as a function gets it …}}}
 *
 *   {"Result": "the text that conditions are tried against", "Values": {"IntentName": "…", …}}
 *   {"Error": "NoMatchingError"}       the branch of that name
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "service/service_set.h"

#define SERVICE_ANSWER_MAX   32768u /* bytes */
#define SERVICE_REQUEST_MAX  (512u * 1024)
#define SERVICE_CALLS_MAX    512u /* in flight */
#define SERVICE_TRIES_MAX    3u
#define SERVICE_WRONG_SIZE   256u
#define SERVICE_LIMIT_MAX_NS UINT64_C(60000000000)

struct loop;
struct services;
struct service_call;

enum service_result {
	SERVICE_OK,
	SERVICE_BUSY,        /* throttled to the last try */
	SERVICE_UNREACHABLE, /* refused, reset, no such name, bad certificate; no such program */
	SERVICE_STATUS,      /* another status than 2xx; a program that failed */
	SERVICE_TIMEOUT,
	SERVICE_TOO_LARGE, /* more than SERVICE_ANSWER_MAX */
	SERVICE_NOT_JSON,
	SERVICE_CLOSED /* services_destroy() */
};

const char *service_result_name(enum service_result result);

struct service_answer {
	enum service_result result;
	const char *text;  /* OK: the JSON, terminated; else "" */
	const char *wrong; /* what has failed, for the log; "" when OK */
	unsigned tries;
};

struct service_request {
	const struct service_target *target; /* its set is held until the end */
	const char *body;                    /* copied */
	size_t body_n;
	uint64_t limit_ns; /* the target's own limit may be shorter */
	void *ctx;
	/* Once, from the loop, never from inside service_ask(); valid during the callback. */
	void (*done)(void *ctx, const struct service_answer *answer);
};

/* -ENOMEM; -EIO: the HTTP library cannot be used as needed. */
int services_create(struct loop *loop, struct services **out);
/* Calls that are left are answered with SERVICE_CLOSED. Not from inside `done`. NULL is fine. */
void services_destroy(struct services *services);

/*
 * -EBUSY: SERVICE_CALLS_MAX, or the target's own, are in flight; -E2BIG: the request; -ENOENT: no
 * such program; -ENOMEM. `wrong` says which.
 */
int service_ask(struct services *services, const struct service_request *request,
	char wrong[SERVICE_WRONG_SIZE], struct service_call **out);
/* Forgets the call: `done` is not called. The far end may still do what it was asked. */
void service_cancel(struct service_call *call);

struct service_stats {
	unsigned in_flight;
	uint64_t asked, answered, failed, refused, tries;
};

void services_stats(const struct services *services, struct service_stats *out);

#endif
