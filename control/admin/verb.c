/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct param request_param = {"request", PARAM_TEXT, .min = 1, .max = 128,
	.help = "the same id within five minutes gets the same answer"};
static const struct param version_param = {
	"if_version", PARAM_NUMBER, .help = "refused when the contact's version is another one"};

static const char *const type_names[PARAM_TYPES] = {
	"text", "number", "flag", "texts", "object", "map"};

const struct param *verb_param(const struct verb *verb, const char *name)
{
	for (size_t i = 0; i < verb->n_params; i++)
		if (strcmp(verb->params[i].name, name) == 0)
			return &verb->params[i];
	if (verb->changes && strcmp(name, request_param.name) == 0)
		return &request_param;
	if (verb->versioned && strcmp(name, version_param.name) == 0)
		return &version_param;
	return NULL;
}

static int64_t param_max(const struct param *param)
{
	if (param->max)
		return param->max;
	switch (param->type) {
	case PARAM_TEXT:
		return PARAM_TEXT_MAX;
	case PARAM_NUMBER:
		return PARAM_NUMBER_MAX;
	case PARAM_MAP:
		return PARAM_MAP_MAX;
	default:
		return PARAM_TEXTS_MAX;
	}
}

static bool text_good(const json_t *value, int64_t min, int64_t max)
{
	const char *text = json_string_value(value);
	size_t n = json_string_length(value);

	if (!text || (int64_t)n < min || (int64_t)n > max)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static bool texts_good(const json_t *value, int64_t max)
{
	size_t n = json_array_size(value);

	if (!json_is_array(value) || n == 0 || n > (size_t)max)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!text_good(json_array_get(value, i), 1, PARAM_TEXT_MAX))
			return false;
	return true;
}

/* The texts may hold anything that a C string can. */
static bool map_good(const json_t *value, int64_t max)
{
	int64_t bytes = 0;
	const char *name;
	json_t *text;

	if (!json_is_object(value))
		return false;
	json_object_foreach((json_t *)value, name, text)
	{
		size_t n = json_string_length(text), name_n = strlen(name);

		if (!json_is_string(text) || strlen(json_string_value(text)) != n || name_n == 0 ||
			name_n > PARAM_TEXT_MAX)
			return false;
		bytes += (int64_t)(name_n + n) + 2;
	}
	return bytes <= max;
}

static bool value_good(const struct param *param, const json_t *value)
{
	int64_t max = param_max(param);

	switch (param->type) {
	case PARAM_TEXT:
		return text_good(value, param->min, max);
	case PARAM_NUMBER:
		return json_is_integer(value) && json_integer_value(value) >= param->min &&
		       json_integer_value(value) <= max;
	case PARAM_FLAG:
		return json_is_boolean(value);
	case PARAM_OBJECT:
		return json_is_object(value);
	case PARAM_MAP:
		return map_good(value, max);
	default:
		return texts_good(value, max);
	}
}

static void expectation(const struct param *param, char why[VERB_WHY_SIZE])
{
	long long min = param->min, max = param_max(param);

	switch (param->type) {
	case PARAM_TEXT:
		snprintf(why, VERB_WHY_SIZE,
			"expected text of %lld to %lld bytes without control characters", min, max);
		break;
	case PARAM_NUMBER:
		snprintf(why, VERB_WHY_SIZE, "expected a whole number from %lld to %lld", min, max);
		break;
	case PARAM_FLAG:
		snprintf(why, VERB_WHY_SIZE, "expected true or false");
		break;
	case PARAM_OBJECT:
		snprintf(why, VERB_WHY_SIZE, "expected an object");
		break;
	case PARAM_MAP:
		snprintf(why, VERB_WHY_SIZE,
			"expected an object of texts, with names of 1 to %d bytes, of at most %lld "
			"bytes in all",
			PARAM_TEXT_MAX, max);
		break;
	default:
		snprintf(why, VERB_WHY_SIZE,
			"expected an array of 1 to %lld texts of 1 to %d bytes", max,
			PARAM_TEXT_MAX);
	}
}

/* The names that are known, for those who misspelt one. */
static void known_names(const struct verb *verb, char why[VERB_WHY_SIZE])
{
	size_t n = (size_t)snprintf(why, VERB_WHY_SIZE, "no such parameter; known are:");

	for (size_t i = 0; i < verb->n_params && n < VERB_WHY_SIZE; i++)
		n += (size_t)snprintf(why + n, VERB_WHY_SIZE - n, " %s", verb->params[i].name);
	if (verb->changes && n < VERB_WHY_SIZE)
		n += (size_t)snprintf(why + n, VERB_WHY_SIZE - n, " request");
	if (verb->versioned && n < VERB_WHY_SIZE)
		snprintf(why + n, VERB_WHY_SIZE - n, " if_version");
	if (verb->n_params == 0 && !verb->changes && !verb->versioned)
		snprintf(why, VERB_WHY_SIZE, "this verb takes no parameters");
}

static int check_present(
	const struct verb *verb, const json_t *params, const char **name, char why[VERB_WHY_SIZE])
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)params, key, value)
	{
		const struct param *param = verb_param(verb, key);

		*name = key;
		if (!param) {
			known_names(verb, why);
			return -EINVAL;
		}
		if (json_is_null(value) && !param->required)
			continue;
		if (!value_good(param, value)) {
			expectation(param, why);
			return -EINVAL;
		}
	}
	return 0;
}

int verb_check(
	const struct verb *verb, const json_t *params, const char **name, char why[VERB_WHY_SIZE])
{
	int rc;

	*name = "params";
	if (params && !json_is_object(params)) {
		snprintf(why, VERB_WHY_SIZE, "expected an object of named parameters");
		return -EINVAL;
	}
	rc = check_present(verb, params, name, why);
	for (size_t i = 0; i < verb->n_params && rc == 0; i++) {
		const struct param *param = &verb->params[i];

		if (!param->required || json_object_get(params, param->name))
			continue;
		*name = param->name;
		expectation(param, why);
		strncat(why, "; it is missing", VERB_WHY_SIZE - 1 - strlen(why));
		rc = -EINVAL;
	}
	return rc;
}

static void add_param(json_t *to, const struct param *param)
{
	json_t *row = json_pack("{s:s, s:s, s:b, s:s}", "name", param->name, "type",
		type_names[param->type], "required", param->required, "help", param->help);

	if (param->type != PARAM_FLAG && param->type != PARAM_OBJECT) {
		json_object_set_new(row, "min", json_integer(param->min));
		json_object_set_new(row, "max", json_integer(param_max(param)));
	}
	json_array_append_new(to, row);
}

json_t *verb_json(const struct verb *verb)
{
	json_t *params = json_array();

	for (size_t i = 0; i < verb->n_params; i++)
		add_param(params, &verb->params[i]);
	if (verb->changes)
		add_param(params, &request_param);
	if (verb->versioned)
		add_param(params, &version_param);
	return json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", verb->name, "role",
		role_name(verb->least), "changes", verb->changes, "help", verb->help, "params",
		params);
}
