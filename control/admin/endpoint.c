/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/endpoint.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct member {
	const char *name;
	size_t offset; /* in struct endpoint */
	bool required;
};

static const struct member members[] = {
	{"endpointARN", offsetof(struct endpoint, arn), true},
	{"endpointId", offsetof(struct endpoint, id), true},
	{"type", offsetof(struct endpoint, type), true},
	{"name", offsetof(struct endpoint, name), true},
	{"phoneNumber", offsetof(struct endpoint, phone_number), false},
	{"agentLogin", offsetof(struct endpoint, agent_login), false},
	{"queue", offsetof(struct endpoint, queue), false},
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

static const char *const types[] = {
	[RESOURCE_QUICK_CONNECT_AGENT] = "agent",
	[RESOURCE_QUICK_CONNECT_QUEUE] = "queue",
	[RESOURCE_QUICK_CONNECT_EXTERNAL] = "phone_number",
};

/* ---- written ---- */

json_t *endpoint_json(const struct resource_quick_connect *one)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?}", "endpointARN", one->row.arn,
		"endpointId", one->row.arn, "type", types[one->type], "name", one->row.name,
		"phoneNumber", one->number, "agentLogin", one->agent ? one->agent->row.name : NULL,
		"queue", one->queue ? one->queue->row.name : NULL);
}

/* ---- read ---- */

static const struct member *member_of(const char *key)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (strcasecmp(key, members[i].name) == 0)
			return &members[i];
	return NULL;
}

static const char **text_of(struct endpoint *endpoint, const struct member *member)
{
	return (const char **)(void *)((char *)endpoint + member->offset);
}

static int take(const struct member *member, const json_t *value, struct endpoint *endpoint,
	char why[ENDPOINT_WHY_SIZE])
{
	const char **text = text_of(endpoint, member);

	if (*text) {
		snprintf(why, ENDPOINT_WHY_SIZE, "%s: expected once, found in two spellings",
			member->name);
		return -EINVAL;
	}
	if (json_is_null(value) && !member->required)
		return 0;
	if (!json_is_string(value) || (member->required && json_string_length(value) == 0)) {
		snprintf(why, ENDPOINT_WHY_SIZE, "%s: expected %s", member->name,
			member->required ? "a text that is not empty" : "a text or null");
		return -EINVAL;
	}
	*text = json_string_value(value);
	return 0;
}

int endpoint_read(const json_t *object, struct endpoint *out, char why[ENDPOINT_WHY_SIZE])
{
	struct endpoint endpoint = {0};
	const char *key;
	json_t *value;

	if (!json_is_object(object)) {
		snprintf(why, ENDPOINT_WHY_SIZE, "expected an endpoint object");
		return -EINVAL;
	}
	json_object_foreach((json_t *)object, key, value)
	{
		const struct member *member = member_of(key);

		if (member && take(member, value, &endpoint, why) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < MEMBERS; i++) {
		if (!members[i].required || *text_of(&endpoint, &members[i]))
			continue;
		snprintf(why, ENDPOINT_WHY_SIZE, "%s: expected a text; it is missing",
			members[i].name);
		return -EINVAL;
	}
	*out = endpoint;
	return 0;
}

/* ---- found ---- */

static bool contradicts(
	const char *member, const char *found, const char *wanted, char why[ENDPOINT_WHY_SIZE])
{
	if (!found || strcmp(found, wanted) == 0)
		return false;
	snprintf(why, ENDPOINT_WHY_SIZE,
		"%s: expected '%.120s', as endpointARN says, found '%.120s'", member, wanted,
		found);
	return true;
}

const struct resource_quick_connect *endpoint_find(const struct resources *resources,
	const struct endpoint *endpoint, char why[ENDPOINT_WHY_SIZE])
{
	const struct resource_quick_connect *one =
		resources_quick_connect(resources, endpoint->arn, RESOURCE_BY_ARN);

	if (!one) {
		snprintf(why, ENDPOINT_WHY_SIZE, "endpointARN: there is no quick connect '%.255s'",
			endpoint->arn);
		return NULL;
	}
	if (contradicts("endpointId", endpoint->id, endpoint->arn, why) ||
		contradicts("type", endpoint->type, types[one->type], why))
		return NULL;
	if (endpoint->phone_number && one->type != RESOURCE_QUICK_CONNECT_EXTERNAL) {
		snprintf(why, ENDPOINT_WHY_SIZE,
			"phoneNumber: expected null, the quick connect '%.127s' has no number",
			one->row.name);
		return NULL;
	}
	return contradicts(
		       "phoneNumber", endpoint->phone_number, one->number ? one->number : "", why)
		       ? NULL
		       : one;
}
