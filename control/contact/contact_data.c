/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/contact_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "contact/contact.h"
#include "media/speech.h"

void contact_data_clear(struct contact_data *data)
{
	attributes_clear(&data->texts);
	attributes_clear(&data->tags);
	attributes_clear(&data->references);
	*data = (struct contact_data){0};
}

void contact_data_copy(struct contact_data *to, const struct contact_data *from)
{
	*to = *from;
	to->texts = (struct attributes){0};
	to->tags = (struct attributes){0};
	to->references = (struct attributes){0};
	attributes_copy(&to->texts, &from->texts);
	attributes_copy(&to->tags, &from->tags);
	attributes_copy(&to->references, &from->references);
}

const char *contact_data_voice(const struct contact *contact)
{
	bool by_language = contact->language[0] && !speech_knows(str_from(contact->voice));

	return by_language ? contact->language : contact->voice;
}

/* ---- UpdateContactData ---- */

/* References.x is a value, or an object: References.x.Type, References.x.Value. */
static void set_reference(struct contact *contact, const char *name, const char *value)
{
	static const char suffix[] = ".Value", type[] = ".Type";
	struct attributes *references = &contact->data.references;
	char key[ATTRIBUTE_NAME_MAX + 1];
	size_t n = strlen(name);

	if (n >= sizeof(type) && strcmp(name + n - (sizeof(type) - 1), type) == 0)
		return;
	if (n >= sizeof(suffix) && strcmp(name + n - (sizeof(suffix) - 1), suffix) == 0)
		n -= sizeof(suffix) - 1;
	if (n == 0 || n >= sizeof(key))
		return;
	snprintf(key, sizeof(key), "%.*s", (int)n, name);
	if ((!attributes_get(references, key) &&
		    attributes_count(references) >= CONTACT_REFERENCES_MAX) ||
		attributes_set(references, key, value) < 0)
		log_warning(LOG_CALL(contact->segment.id, 0), "flow",
			"reference '%s' is not set: there are too many", key);
}

static void set_text(struct contact *contact, const char *name, size_t size, const char *value)
{
	char text[CONTACT_TEXT_SIZE];

	contact_text(text, size, value);
	if (attributes_set(&contact->data.texts, name, text) < 0)
		log_warning(LOG_CALL(contact->segment.id, 0), "flow",
			"%s is not set: there is no memory", name);
}

void contact_data_set(struct contact *contact, const char *name, const char *value)
{
	static const char references[] = "References.";
	static const struct {
		const char *name;
		size_t size;
	} texts[] = {{"Name", 256}, {"Description", CONTACT_TEXT_SIZE}, {"CustomerId", 256}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].name, name) == 0)
			set_text(contact, name, texts[i].size, value);
	if (strcmp(name, "LanguageCode") == 0)
		contact_text(contact->language, sizeof(contact->language), value);
	if (strncmp(name, references, sizeof(references) - 1) == 0)
		set_reference(contact, name + sizeof(references) - 1, value);
}

/* ---- tags ---- */

static bool good_tag(const struct attribute *tag)
{
	size_t name = strlen(tag->name);

	if (name == 0 || name > CONTACT_TAG_NAME_MAX || strncmp(tag->name, "aws:", 4) == 0)
		return false;
	return !tag->value || strlen(tag->value) <= CONTACT_TAG_VALUE_MAX;
}

static bool is_removed(const char *name, const struct attribute *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!list[i].value && strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

int contact_data_tag(struct contact_data *data, const struct attribute *list, size_t count)
{
	struct attributes_cursor cursor = {0};
	struct attributes tags = {0};
	struct attribute tag;
	int rc = 0;

	while (rc == 0 && attributes_next(&data->tags, &cursor, &tag))
		if (!is_removed(tag.name, list, count))
			rc = attributes_set(&tags, tag.name, tag.value);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!good_tag(&list[i]))
			rc = -EINVAL;
		else if (list[i].value)
			rc = attributes_set(&tags, list[i].name, list[i].value);
	}
	if (rc == 0 && attributes_count(&tags) > CONTACT_TAGS_MAX)
		rc = -E2BIG;
	if (rc < 0) {
		attributes_clear(&tags);
		return rc;
	}
	attributes_clear(&data->tags);
	data->tags = tags;
	return 0;
}

/* ---- effects ---- */

static void set_recording(struct contact *contact, const struct flow_effect *effect)
{
	contact->data.recording.agent = effect->recording.agent;
	contact->data.recording.customer = effect->recording.customer;
	contact->data.recording.screen = effect->recording.screen;
	contact->data.recording.ivr = effect->recording.ivr;
	log_info(LOG_CALL(contact->segment.id, 0), "flow",
		"action '%s': record agent %s, customer %s, what flows say %s",
		effect->action->identifier, effect->recording.agent ? "yes" : "no",
		effect->recording.customer ? "yes" : "no", effect->recording.ivr ? "yes" : "no");
}

static void set_streaming(struct contact *contact, const struct flow_effect *effect)
{
	contact->data.streaming.on = effect->streaming.on;
	contact->data.streaming.from_customer = effect->streaming.from_customer;
	contact->data.streaming.to_customer = effect->streaming.to_customer;
	log_info(LOG_CALL(contact->segment.id, 0), "flow",
		"action '%s': media streaming %s; noted, nothing streams here",
		effect->action->identifier, effect->streaming.on ? "on" : "off");
}

static void set_tags(struct contact *contact, const struct flow_effect *effect)
{
	int rc = contact_data_tag(&contact->data, effect->pairs.list, effect->pairs.count);

	if (rc < 0)
		log_warning(LOG_CALL(contact->segment.id, 0), "flow",
			"action '%s': tags are not changed: %s", effect->action->identifier,
			rc == -E2BIG ? "a contact has at most 50"
				     : "a name or value is not allowed");
}

bool contact_data_carry_out(struct contact *contact, const struct flow_effect *effect)
{
	switch (effect->type) {
	case FLOW_EFFECT_SET_CONTACT_DATA:
		for (size_t i = 0; i < effect->pairs.count; i++)
			contact_data_set(
				contact, effect->pairs.list[i].name, effect->pairs.list[i].value);
		return true;
	case FLOW_EFFECT_SET_TAGS:
		set_tags(contact, effect);
		return true;
	case FLOW_EFFECT_SET_RECORDING:
		set_recording(contact, effect);
		return true;
	case FLOW_EFFECT_SET_STREAMING:
		set_streaming(contact, effect);
		return true;
	default:
		return false;
	}
}
