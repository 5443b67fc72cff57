/* SPDX-License-Identifier: Apache-2.0 */
/* Resources from YAML texts, zones from the system's directory, and a router on a clock by hand. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/report.h"
#include "base/timers.h"
#include "queue/resource_files.h"
#include "queue/router.h"

#define SECOND 1000000000ULL

/* One text for each kind, NULL for no file. */
struct support_texts {
	const char *text[RESOURCE_KIND_COUNT];
	const char *changes; /* over the admin socket */
};

/* The file of a time zone in the system's directory; for resource_files_config. */
int support_read_zone(void *context, const char *name, void **bytes, size_t *size);

/* 0 and the resources, or the error with the report filled. */
int support_load(
	const struct support_texts *texts, struct report *report, struct resources **resources);

/* Fails the test when there is a problem. */
struct resources *support_resources(const struct support_texts *texts);

struct bench {
	struct timers timers;
	struct resources *resources;
	struct router *router;
	uint64_t now;
};

/* Queues Returns (3 places) and Orders; profile Both (Returns first, Orders 1 s later of priority
 * 2), Late (Returns with 10 s delay); agents ann and bob (Both), cem (Late), dan (Both, may not
 * take calls). */
void bench_start(struct bench *bench, uint32_t overflow_percent);
void bench_start_with(
	struct bench *bench, const struct support_texts *texts, const struct router_config *config);
void bench_stop(struct bench *bench);

/* Runs timers up to a moment. Every step is audited. */
void bench_run(struct bench *bench, uint64_t until);
void bench_audit(struct bench *bench);

uint32_t bench_queue(const struct bench *bench, const char *name);
uint32_t bench_agent(const struct bench *bench, const char *name);

/* Login as Available with the phone there. */
void bench_available(struct bench *bench, const char *agent);

enum router_result bench_enqueue(struct bench *bench, uint32_t queue, router_contact contact);

/* The first effect of a kind among those waiting, all before it dropped; false when none. */
bool bench_take(struct bench *bench, enum router_effect_kind kind, struct router_effect *effect);
void bench_drop_effects(struct bench *bench);

/* The next offer: contact and agent must be these. Returns the offer's id. */
uint64_t bench_expect_offer(struct bench *bench, router_contact contact, const char *agent);
void bench_expect_no_offer(struct bench *bench);

/* The answer to the last request. */
enum router_result bench_result(struct bench *bench);

struct agent_snapshot bench_snapshot(const struct bench *bench, const char *agent);
enum agent_state bench_state(const struct bench *bench, const char *agent);
uint32_t bench_position(struct bench *bench, router_contact contact);
