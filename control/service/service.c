/* SPDX-License-Identifier: Apache-2.0 */
#include "service/service.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "service/http.h"

struct services {
	struct loop *loop;
	struct http *http;
	struct service_call *calls;
	struct service_stats stats;
};

struct service_call {
	struct services *services;
	struct service_call *next, **back;
	struct service_request request;
	struct service_set *set; /* held */
	char *body;
	unsigned tries;
	uint64_t limit_ns, until_ns;
	struct timer again, limit;
	struct http_post *post;   /* what the present try */
	struct loop_child *child; /* goes through */
	char wrong[SERVICE_WRONG_SIZE];
};

const char *service_result_name(enum service_result result)
{
	static const char *const names[] = {[SERVICE_OK] = "ok",
		[SERVICE_BUSY] = "busy",
		[SERVICE_UNREACHABLE] = "unreachable",
		[SERVICE_STATUS] = "failed",
		[SERVICE_TIMEOUT] = "too late",
		[SERVICE_TOO_LARGE] = "too large",
		[SERVICE_NOT_JSON] = "not JSON",
		[SERVICE_CLOSED] = "closed"};

	return names[result];
}

/* ---- the end of a call ---- */

static struct timers *timers_of(const struct service_call *call)
{
	return loop_timers(call->services->loop);
}

static void stop_try(struct service_call *call)
{
	if (call->post)
		http_cancel(call->post);
	if (call->child)
		loop_child_kill(call->child);
	call->post = NULL;
	call->child = NULL;
}

static void call_unlink(struct service_call *call)
{
	if (!call->back)
		return;
	*call->back = call->next;
	if (call->next)
		call->next->back = call->back;
	call->back = NULL;
	call->services->stats.in_flight--;
}

static void call_free(struct service_call *call)
{
	stop_try(call);
	timers_cancel(timers_of(call), &call->again);
	timers_cancel(timers_of(call), &call->limit);
	call_unlink(call);
	service_set_release(call->set);
	free(call->body);
	free(call);
}

static void end(struct service_call *call, enum service_result result, const char *text)
{
	const struct service_answer answer = {.result = result,
		.text = text,
		.wrong = result == SERVICE_OK ? "" : call->wrong,
		.tries = call->tries};

	if (result == SERVICE_OK)
		call->services->stats.answered++;
	else
		call->services->stats.failed++;
	/* what `done` asks next may take its place */
	call_unlink(call);
	call->request.done(call->request.ctx, &answer);
	call_free(call);
}

/* Once more after a short pause, unless tries or time are used up. */
static void again_or_end(struct service_call *call, enum service_result result)
{
	uint64_t when = loop_now(call->services->loop) + call->tries * 100 * CLOCK_MS;

	if (call->tries < SERVICE_TRIES_MAX && when < call->until_ns)
		timers_set(timers_of(call), &call->again, when);
	else
		end(call, result, "");
}

static void take_text(struct service_call *call, const char *text, size_t n)
{
	json_error_t error;
	json_t *json = json_loadb(text, n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);

	if (!json) {
		snprintf(call->wrong, sizeof(call->wrong), "expected JSON, line %d: %s", error.line,
			error.text);
		end(call, SERVICE_NOT_JSON, "");
		return;
	}
	json_decref(json);
	end(call, SERVICE_OK, text);
}

static void end_too_large(struct service_call *call)
{
	snprintf(call->wrong, sizeof(call->wrong), "expected an answer of at most %u bytes",
		SERVICE_ANSWER_MAX);
	end(call, SERVICE_TOO_LARGE, "");
}

static void on_limit(void *ctx, uint64_t now_ns)
{
	struct service_call *call = ctx;

	stop_try(call);
	snprintf(call->wrong, sizeof(call->wrong), "no answer within %u ms",
		(unsigned)(call->limit_ns / CLOCK_MS));
	end(call, SERVICE_TIMEOUT, "");
}

/* ---- tries ---- */

static void on_post(void *ctx, const struct http_answer *answer)
{
	struct service_call *call = ctx;

	call->post = NULL;
	if (answer->too_large) {
		end_too_large(call);
		return;
	}
	if (answer->failed) {
		snprintf(call->wrong, sizeof(call->wrong), "%s", answer->failed);
		again_or_end(call, SERVICE_UNREACHABLE);
		return;
	}
	if (answer->status >= 200 && answer->status < 300 && !answer->function_failed) {
		take_text(call, answer->body, answer->n);
		return;
	}
	snprintf(call->wrong, sizeof(call->wrong), "status %ld%s: %.100s", answer->status,
		answer->function_failed ? ", the function failed" : "", answer->body);
	if (answer->status == 429)
		again_or_end(call, SERVICE_BUSY);
	else if (answer->status >= 500)
		again_or_end(call, SERVICE_STATUS);
	else
		end(call, SERVICE_STATUS, "");
}

static int post(struct service_call *call)
{
	return http_start(call->services->http,
		&(struct http_request){.target = call->request.target,
			.body = call->body,
			.body_n = call->request.body_n,
			.answer_max = SERVICE_ANSWER_MAX,
			.ctx = call,
			.done = on_post},
		&call->post);
}

static void on_program(void *ctx, const struct loop_child_result *result)
{
	struct service_call *call = ctx;
	char text[SERVICE_ANSWER_MAX + 1];

	call->child = NULL;
	if (result->cut || result->output_n > SERVICE_ANSWER_MAX) {
		end_too_large(call);
		return;
	}
	if (result->exit_code != 0) {
		if (result->signal)
			snprintf(call->wrong, sizeof(call->wrong), "ended by signal %d: %.150s",
				result->signal, result->errors);
		else
			snprintf(call->wrong, sizeof(call->wrong), "exit code %d: %.150s",
				result->exit_code, result->errors);
		end(call, SERVICE_STATUS, "");
		return;
	}
	memcpy(text, result->output, result->output_n);
	text[result->output_n] = '\0';
	take_text(call, text, result->output_n);
}

static int run(struct service_call *call)
{
	return loop_child_start(call->services->loop,
		&(struct loop_child_config){.argv = call->request.target->program,
			.input = call->body,
			.input_n = call->request.body_n,
			.output_max = SERVICE_ANSWER_MAX + 1,
			/* our own limit comes first */
			.timeout_ns = call->limit_ns + CLOCK_S,
			.ctx = call,
			.done = on_program},
		&call->child);
}

static int try_once(struct service_call *call)
{
	call->tries++;
	call->services->stats.tries++;
	return call->request.target->url ? post(call) : run(call);
}

static void on_again(void *ctx, uint64_t now_ns)
{
	struct service_call *call = ctx;
	int rc = try_once(call);

	if (rc == 0)
		return;
	snprintf(call->wrong, sizeof(call->wrong), "%s", strerror(-rc));
	end(call, SERVICE_UNREACHABLE, "");
}

/* ---- calls ---- */

/* Rows are compared by what they say: a reload may have read the same row anew. */
static unsigned in_flight_at(const struct services *services, const struct service_target *target)
{
	unsigned n = 0;

	for (const struct service_call *c = services->calls; c; c = c->next) {
		const struct service_target *other = c->request.target;

		n += other == target ||
		     (other->kind == target->kind && strcmp(other->name, target->name) == 0);
	}
	return n;
}

static int refusal(const struct services *services, const struct service_request *request,
	char wrong[SERVICE_WRONG_SIZE])
{
	const struct service_target *target = request->target;

	if (request->body_n > SERVICE_REQUEST_MAX) {
		snprintf(wrong, SERVICE_WRONG_SIZE, "a request of %zu bytes is longer than %u",
			request->body_n, SERVICE_REQUEST_MAX);
		return -E2BIG;
	}
	if (services->stats.in_flight >= SERVICE_CALLS_MAX) {
		snprintf(wrong, SERVICE_WRONG_SIZE, "%u calls are in flight", SERVICE_CALLS_MAX);
		return -EBUSY;
	}
	if (in_flight_at(services, target) >= target->concurrency) {
		snprintf(wrong, SERVICE_WRONG_SIZE, "%u calls to '%s' are in flight",
			target->concurrency, target->name);
		return -EBUSY;
	}
	return 0;
}

static struct service_call *call_new(
	struct services *services, const struct service_request *request)
{
	struct service_call *call = calloc(1, sizeof(*call));
	uint64_t limit = request->limit_ns;

	if (!call)
		return NULL;
	if (request->target->limit_ns && request->target->limit_ns < limit)
		limit = request->target->limit_ns;
	if (limit > SERVICE_LIMIT_MAX_NS)
		limit = SERVICE_LIMIT_MAX_NS;
	call->services = services;
	call->request = *request;
	call->limit_ns = limit;
	call->until_ns = loop_now(services->loop) + limit;
	call->set = service_set_hold(request->target->set);
	timer_init(&call->again, on_again, call);
	timer_init(&call->limit, on_limit, call);
	call->body = malloc(request->body_n + 1);
	if (!call->body) {
		call_free(call);
		return NULL;
	}
	memcpy(call->body, request->body, request->body_n);
	call->body[request->body_n] = '\0';
	return call;
}

static void call_link(struct service_call *call)
{
	struct services *services = call->services;

	call->next = services->calls;
	call->back = &services->calls;
	if (call->next)
		call->next->back = &call->next;
	services->calls = call;
	services->stats.in_flight++;
	services->stats.asked++;
}

int service_ask(struct services *services, const struct service_request *request,
	char wrong[SERVICE_WRONG_SIZE], struct service_call **out)
{
	struct service_call *call = NULL;
	int rc = refusal(services, request, wrong);

	if (rc == 0) {
		call = call_new(services, request);
		rc = call ? try_once(call) : -ENOMEM;
		if (rc < 0)
			snprintf(wrong, SERVICE_WRONG_SIZE, "%s",
				rc == -EAGAIN ? "too many programs run" : strerror(-rc));
	}
	if (rc < 0) {
		services->stats.refused++;
		if (call)
			call_free(call);
		return rc == -EAGAIN ? -EBUSY : rc;
	}
	call_link(call);
	timers_set(timers_of(call), &call->limit, call->until_ns);
	*out = call;
	return 0;
}

void service_cancel(struct service_call *call)
{
	call_free(call);
}

/* ---- all of it ---- */

int services_create(struct loop *loop, struct services **out)
{
	struct services *services = calloc(1, sizeof(*services));
	int rc;

	if (!services)
		return -ENOMEM;
	services->loop = loop;
	rc = http_create(loop, &services->http);
	if (rc < 0) {
		free(services);
		return rc;
	}
	*out = services;
	return 0;
}

void services_destroy(struct services *services)
{
	if (!services)
		return;
	while (services->calls) {
		struct service_call *call = services->calls;

		stop_try(call);
		snprintf(call->wrong, sizeof(call->wrong), "shutting down");
		end(call, SERVICE_CLOSED, "");
	}
	http_destroy(services->http);
	free(services);
}

void services_stats(const struct services *services, struct service_stats *out)
{
	*out = services->stats;
}
