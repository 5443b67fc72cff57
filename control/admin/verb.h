/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verb: a verb of the admin socket is one row: name, least role, parameters, handler, help. The
 * rows say everything that rpc.list prints and that is checked before a handler runs.
 *
 * Every verb that changes something also takes `request`: the same id within five minutes gets the
 * same answer. One that acts on a contact also takes `if_version`: it is refused when the contact's
 * version is another one.
 */
#ifndef ADMIN_VERB_H
#define ADMIN_VERB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/role.h"

enum param_type {
	PARAM_TEXT,   /* min to max bytes; max 0: PARAM_TEXT_MAX */
	PARAM_NUMBER, /* min to max; max 0: PARAM_NUMBER_MAX */
	PARAM_FLAG,
	PARAM_TEXTS,  /* array of 1 to max texts; max 0: PARAM_TEXTS_MAX */
	PARAM_OBJECT, /* its members are the handler's to judge */
	PARAM_MAP, /* object of texts, of at most max bytes in all, a NUL after each name and text
			counted; max 0: PARAM_MAP_MAX */
	PARAM_TYPES
};

#define PARAM_TEXT_MAX   256
#define PARAM_NUMBER_MAX INT64_C(9007199254740991) /* what every reader of JSON can hold */
#define PARAM_TEXTS_MAX  16
#define PARAM_MAP_MAX    32768

struct param {
	const char *name;
	enum param_type type;
	bool required;
	int64_t min, max;
	const char *help;
};

struct rpc_call;

struct verb {
	const char *name;
	enum role least;
	bool changes;   /* takes `request` */
	bool versioned; /* takes `if_version` */
	const struct param *params;
	size_t n_params;
	/* Answers with one of the functions of rpc.h, now or later. */
	void (*handle)(struct rpc_call *call);
	const char *help;
};

#define VERB_PARAMS(rows) .params = rows, .n_params = sizeof(rows) / sizeof((rows)[0])

struct verb_group {
	const struct verb *verbs;
	size_t n;
};

#define VERB_WHY_SIZE 200

/* The parameter of this name, those of all changing or versioned verbs included; NULL. */
const struct param *verb_param(const struct verb *verb, const char *name);
/* Parameters as they came (NULL: none). 0, or -EINVAL; `name` is the one and `why` what was
 * expected. */
int verb_check(
	const struct verb *verb, const json_t *params, const char **name, char why[VERB_WHY_SIZE]);
/* The row for rpc.list. */
json_t *verb_json(const struct verb *verb);

#endif
