/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/asking.h"
#include "contact/facts.h"
#include "contact/switchboard.h"

/* The fact as a text, or null. */
static json_t *fact(struct treatment *t, const char *name)
{
	char buffer[CONTACT_TEXT_SIZE];
	const char *text =
		facts_of_contact(t->leg->contact, t->run.role, name, buffer, sizeof(buffer));
	json_t *value = text ? json_string(text) : NULL;

	return value ? value : json_null();
}

/* Address and Type, or null where there is no address. */
static json_t *endpoint(struct treatment *t, const char *address, const char *type)
{
	json_t *value = fact(t, address);

	if (json_is_null(value))
		return value;
	return json_pack("{s:o, s:o}", "Address", value, "Type", fact(t, type));
}

static json_t *queue(struct treatment *t)
{
	json_t *arn = fact(t, "Queue.ARN");

	if (json_is_null(arn))
		return arn;
	return json_pack("{s:o, s:o, s:o}", "ARN", arn, "Name", fact(t, "Queue.Name"),
		"OutboundCallerId",
		endpoint(t, "Queue.OutboundCallerId.Address", "Queue.OutboundCallerId.Type"));
}

static json_t *attributes(const struct attributes *store)
{
	struct attributes_cursor cursor = {0};
	struct attribute pair;
	json_t *object = json_object();

	while (attributes_next(store, &cursor, &pair))
		json_object_set_new(object, pair.name, json_string(pair.value));
	return object;
}

/* Their types are not kept: what a flow sets is text. */
static json_t *references(const struct attributes *store)
{
	struct attributes_cursor cursor = {0};
	struct attribute pair;
	json_t *object = json_object();

	while (attributes_next(store, &cursor, &pair))
		json_object_set_new(object, pair.name,
			json_pack("{s:s, s:s}", "Type", "STRING", "Value", pair.value));
	return object;
}

static json_t *pairs(const struct attribute *list, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(object, list[i].name, json_string(list[i].value));
	return object;
}

/* The members that functions of Amazon Connect find there (flows/language.md 4.4). */
static json_t *contact_data(struct treatment *t)
{
	static const char *const facts[] = {"Channel", "ContactId", "CustomerId", "Description",
		"InitialContactId", "InitiationMethod", "InstanceARN", "LanguageCode", "Name",
		"PreviousContactId"};
	json_t *data = json_object();

	json_object_set_new(data, "Attributes", attributes(&t->context.memory->attributes));
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		json_object_set_new(data, facts[i], fact(t, facts[i]));
	json_object_set_new(data, "CustomerEndpoint",
		endpoint(t, "CustomerEndpoint.Address", "CustomerEndpoint.Type"));
	json_object_set_new(data, "SystemEndpoint",
		endpoint(t, "SystemEndpoint.Address", "SystemEndpoint.Type"));
	json_object_set_new(data, "MediaStreams", json_pack("{s:{s:n}}", "Customer", "Audio"));
	json_object_set_new(data, "Queue", queue(t));
	json_object_set_new(data, "References", references(&t->leg->contact->data.references));
	json_object_set_new(data, "Tags", attributes(&t->leg->contact->data.tags));
	json_object_set_new(data, "SegmentAttributes",
		json_pack("{s:{s:o}}", "connect:Subtype", "ValueString",
			fact(t, "SegmentAttributes.connect:Subtype")));
	return data;
}

static json_t *request(const char *name, json_t *details)
{
	return json_pack("{s:s, s:o}", "Name", name, "Details", details);
}

json_t *asking_function_request(struct treatment *t, const struct flow_effect *effect)
{
	return request("ContactFlowEvent",
		json_pack("{s:o, s:o}", "ContactData", contact_data(t), "Parameters",
			pairs(effect->lambda.inputs, effect->lambda.count)));
}

json_t *asking_service_request(struct treatment *t, const struct flow_effect *effect)
{
	return request("ContactFlowService",
		json_pack("{s:s, s:o, s:o}", "Action", flow_action_name(effect->action->type),
			"Parameters", pairs(effect->service.inputs, effect->service.count),
			"ContactData", contact_data(t)));
}
