/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_set: where questions go, as `services.yaml` of the instance directory says. No such file
 * is an empty set.
 *
 *   functions:                     # what InvokeLambdaFunction calls
 *     - name: customer-lookup      # the function's name, its ARN, or "*" for all others
 *       url: https://crm.example/lookup    # one of url and program
 *       timeout: 3s                # 100ms to 60s; the flow's own limit holds as well
 *       concurrency: 20            # calls at a time; the rest is refused
 *       headers: {X-Tenant: "7"}
 *       token_file: crm.token      # sent as bearer token; read at start and reload
 *       ca_file: our-ca.pem        # certificates to trust in place of the system's
 *     - name: price
 *       program: [/usr/local/bin/price, --json]
 *   services:                      # actions that an outside service answers
 *     - type: ConnectParticipantWithLexBot
 *       url: http://127.0.0.1:8080/bot
 *
 * Relative files are looked for in the instance directory.
 */
#ifndef SERVICE_SERVICE_SET_H
#define SERVICE_SERVICE_SET_H

#include <stddef.h>
#include <stdint.h>

#include "base/report.h"

#define SERVICE_FILE            "services.yaml"
#define SERVICE_ROWS_MAX        1000u
#define SERVICE_ARGUMENTS_MAX   32u
#define SERVICE_HEADERS_MAX     32u
#define SERVICE_CONCURRENCY     64u /* of a URL, where the file says none */
#define SERVICE_CONCURRENCY_RUN 16u /* of a program */

enum service_kind { SERVICE_FUNCTION, SERVICE_ACTION, SERVICE_KINDS };

struct service_set;

/* Good as long as its set is held. */
struct service_target {
	struct service_set *set;
	enum service_kind kind;
	unsigned line;              /* in services.yaml */
	const char *name;           /* of a function, or an action's type */
	const char *url;            /* NULL: a program */
	const char *const *program; /* ends with NULL; NULL: a URL */
	const char *const *headers; /* "Name: value", ends with NULL */
	const char *ca_file;        /* NULL: the system's */
	uint64_t limit_ns;          /* 0: none of its own */
	unsigned concurrency;
};

/* 0, or a negative errno with everything reported. */
int service_set_load(const char *directory, struct report *report, struct service_set **out);
struct service_set *service_set_hold(struct service_set *set);
/* NULL is fine. */
void service_set_release(struct service_set *set);

/* Row `i`, NULL behind the last. */
const struct service_target *service_set_at(
	const struct service_set *set, enum service_kind kind, size_t i);
/*
 * The row of a function by an ARN or name as a flow has it, with or without an alias or version:
 * a row with the ARN, else one with the name, else "*". NULL: none. A NULL set is empty.
 */
const struct service_target *service_set_function(
	const struct service_set *set, const char *reference);
const struct service_target *service_set_action(const struct service_set *set, const char *type);

#endif
