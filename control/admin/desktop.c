/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/desktop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "admin/text.h"

#define CHANNEL  "Amazon"
#define TOPIC    "InboundCall"
#define SUBTOPIC "BlindTransfer"

/* ---- read ---- */

static int refuse(int error, const char *member, const char *expected, const json_t *found,
	char why[ENDPOINT_WHY_SIZE])
{
	const char *text = json_string_value(found);

	if (text)
		snprintf(why, ENDPOINT_WHY_SIZE, "%s: expected %s, found '%.64s'", member, expected,
			text);
	else
		snprintf(why, ENDPOINT_WHY_SIZE, "%s: expected %s%s", member, expected,
			found ? "" : "; it is missing");
	return error;
}

/* The page spells it in two ways (R113). */
static bool is_blind_transfer(const json_t *object)
{
	const char *subtopic = json_string_value(json_object_get(object, "subtopic"));

	return subtopic && strcasecmp(subtopic, SUBTOPIC) == 0;
}

static bool is_text(const json_t *value, const char *text)
{
	return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

static int read_data(
	const json_t *data, struct desktop_message *message, char why[ENDPOINT_WHY_SIZE])
{
	char member[ENDPOINT_WHY_SIZE];

	message->number = json_string_value(data);
	if (message->number)
		return 0;
	if (!json_is_object(data))
		return refuse(-EINVAL, "data",
			"a phone number as text, or the object of a quick connect", data, why);
	if (endpoint_read(data, &message->endpoint, member) == 0)
		return 0;
	snprintf(why, ENDPOINT_WHY_SIZE, "data: %.*s", ENDPOINT_WHY_SIZE - 8, member);
	return -EINVAL;
}

int desktop_read(const json_t *object, struct desktop_message *out, char why[ENDPOINT_WHY_SIZE])
{
	const json_t *channel = json_object_get(object, "channel");
	const json_t *topic = json_object_get(object, "topic");
	const json_t *source = json_object_get(object, "source");
	struct desktop_message message = {.source = json_string_value(source)};
	int error = is_blind_transfer(object) ? -EINVAL : -ENOMSG;
	int rc;

	if (!is_text(channel, CHANNEL))
		return refuse(error, "channel", CHANNEL, channel, why);
	if (!is_text(topic, TOPIC))
		return refuse(error, "topic", TOPIC, topic, why);
	if (error == -ENOMSG)
		return refuse(
			error, "subtopic", SUBTOPIC, json_object_get(object, "subtopic"), why);
	if (!message.source || !message.source[0])
		return refuse(error, "source", "the application's name, a text that is not empty",
			source, why);
	rc = read_data(json_object_get(object, "data"), &message, why);
	if (rc == 0)
		*out = message;
	return rc;
}

/* ---- written ---- */

static json_t *echo(const json_t *object, const char *member)
{
	json_t *value = json_object_get(object, member);

	return json_is_string(value) ? json_incref(value) : json_null();
}

static json_t *head(const json_t *object)
{
	return json_pack("{s:o, s:o, s:o}", "channel", echo(object, "channel"), "topic",
		echo(object, "topic"), "subtopic",
		is_blind_transfer(object) ? json_string(SUBTOPIC) : echo(object, "subtopic"));
}

json_t *desktop_success(const json_t *object, const char *contact, const char *agent_state)
{
	json_t *answer = head(object);

	json_object_set_new(answer, "message",
		json_pack("{s:s, s:s}", "contactId", contact, "agentState", agent_state));
	return answer;
}

json_t *desktop_failure(const json_t *object, int error, const char *why)
{
	bool known = error != -ENOMSG;
	json_t *answer = head(object);

	json_object_set_new(answer, "errorType",
		json_string(known ? "BLIND_TRANSFER_FAILED" : "UNKNOWN_MESSAGE"));
	json_object_set_new(answer, "msg", json_text(why));
	json_object_set_new(answer, "errorMessage",
		json_string(known ? "Blind transfer failed." : "Unknown message."));
	return answer;
}
