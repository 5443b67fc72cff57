/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "contact/switchboard.h"

static const struct router *router_of(const struct contact *contact)
{
	return contact->board->router;
}

/* ---- texts ---- */

static const char *queue_name(const struct contact *contact, enum flow_type role, uint32_t queue)
{
	const struct resource_queue *row = router_queue_row(router_of(contact), queue);

	/* R67: an agent's own queue has no name; the whisper says what the customer came through */
	if (!row && role == FLOW_TYPE_AGENT_WHISPER)
		row = router_queue_row(router_of(contact), contact->customer_queue);
	return row ? row->row.name : NULL;
}

static const char *queue_fact(const struct contact *contact, enum flow_type role, const char *name)
{
	const struct resource_queue *row =
		router_queue_row(router_of(contact), contact->target_queue);

	if (strcmp(name, "Name") == 0)
		return queue_name(contact, role, contact->target_queue);
	if (strcmp(name, "ARN") == 0)
		return board_queue_arn(contact->board, contact->target_queue);
	if (!row || row->caller_id_number[0] == '\0')
		return NULL;
	if (strcmp(name, "OutboundCallerId.Address") == 0)
		return row->caller_id_number;
	return strcmp(name, "OutboundCallerId.Type") == 0 ? "TELEPHONE_NUMBER" : NULL;
}

/* Only where an agent has to do with what runs: not while the caller waits or chooses. */
static uint32_t agent_of(const struct contact *contact, enum flow_type role)
{
	if (role == FLOW_TYPE_CUSTOMER_QUEUE)
		return ROUTER_NONE;
	if (role == FLOW_TYPE_INBOUND) /* a disconnect flow */
		return contact->left_agent;
	return contact->segment.agent != ROUTER_NONE ? contact->segment.agent
						     : contact->offer_agent;
}

static const char *agent_fact(const struct contact *contact, enum flow_type role, const char *name)
{
	uint32_t agent = agent_of(contact, role);
	const struct resource_agent *row =
		agent == ROUTER_NONE ? NULL : router_agent_row(router_of(contact), agent);

	if (!row)
		return NULL;
	if (strcmp(name, "UserName") == 0)
		return row->row.name;
	if (strcmp(name, "FirstName") == 0)
		return row->first_name;
	if (strcmp(name, "LastName") == 0)
		return row->last_name;
	return strcmp(name, "ARN") == 0 ? row->row.arn : NULL;
}

/* The header that a pair list "Name\0value\0...\0" holds under a name. */
static const char *header_fact(const struct contact *contact, const char *name)
{
	const char *p = contact->sip_headers;

	while (p && *p) {
		const char *value = p + strlen(p) + 1;

		if (strcasecmp(p, name) == 0)
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

static const char *endpoint_fact(const char *number, const char *name)
{
	if (strcmp(name, "Address") == 0)
		return number[0] ? number : NULL;
	return strcmp(name, "Type") == 0 ? "TELEPHONE_NUMBER" : NULL;
}

/* Names that lead straight to one text of the contact. */
static const char *plain_fact(const struct contact *contact, const char *name)
{
	const struct contact_segment *s = &contact->segment;
	const struct {
		const char *name, *text;
	} rows[] = {
		{"ContactId", s->id},
		{"InitialContactId", s->initial},
		{"PreviousContactId", s->previous},
		{"Channel", "VOICE"},
		{"InitiationMethod", contact_method_name(s->method)},
		{"InstanceARN", instance_arn(contact->board->instance)},
		{"AwsRegion", contact->board->config->region},
		{"LanguageCode", contact->language[0] ? contact->language : "en-US"},
		{"TextToSpeechVoiceId", contact->voice},
		{"Name", attributes_get(&contact->data.texts, "Name")},
		{"Description", attributes_get(&contact->data.texts, "Description")},
		{"CustomerId", attributes_get(&contact->data.texts, "CustomerId")},
		{"CustomerCallbackNumber", contact->callback_number},
		{"CustomerCallBackPhoneNumber",
			contact->callback_number}, /* as exported flows ask */
		{"SegmentAttributes.connect:Subtype", "connect:Telephony"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].text && rows[i].text[0] ? rows[i].text : NULL;
	return NULL;
}

/* The service gives no InitiationMethod there. */
static bool is_whisper(enum flow_type role)
{
	return role == FLOW_TYPE_AGENT_WHISPER || role == FLOW_TYPE_CUSTOMER_WHISPER;
}

const char *facts_of_contact(const struct contact *contact, enum flow_type role, const char *name,
	char *buffer, size_t size)
{
	static const char customer[] = "CustomerEndpoint.", system[] = "SystemEndpoint.",
			  queue[] = "Queue.", agent[] = "Agent.", header[] = "Media.Sip.Headers.",
			  tag[] = "Tags.", reference[] = "References.";
	const char *text;

	if (strncmp(name, customer, sizeof(customer) - 1) == 0)
		text = endpoint_fact(contact->customer_number, name + sizeof(customer) - 1);
	else if (strncmp(name, system, sizeof(system) - 1) == 0)
		text = endpoint_fact(contact->system_number, name + sizeof(system) - 1);
	else if (strncmp(name, queue, sizeof(queue) - 1) == 0)
		text = queue_fact(contact, role, name + sizeof(queue) - 1);
	else if (strncmp(name, agent, sizeof(agent) - 1) == 0)
		text = agent_fact(contact, role, name + sizeof(agent) - 1);
	else if (strncmp(name, tag, sizeof(tag) - 1) == 0)
		text = attributes_get(&contact->data.tags, name + sizeof(tag) - 1);
	else if (strncmp(name, reference, sizeof(reference) - 1) == 0)
		text = attributes_get(&contact->data.references, name + sizeof(reference) - 1);
	else if (strcmp(name, "InitiationMethod") == 0 && is_whisper(role))
		text = NULL;
	else if (strncmp(name, header, sizeof(header) - 1) == 0)
		text = header_fact(contact, name + sizeof(header) - 1);
	else
		text = plain_fact(contact, name);
	if (!text || str_is_utf8(str_from(text)))
		return text;
	contact_text(buffer, size, text); /* a header of a stranger */
	return buffer;
}

/* ---- queues ---- */

uint32_t facts_target_queue(const struct contact *contact, const struct flow_target *target)
{
	const struct router *router = router_of(contact);
	uint32_t found;

	if (target->agent[0]) {
		/* R93: from an attribute a user name or a user id */
		found = router_find_agent(router, target->agent,
			target->dynamic ? RESOURCE_BY_ID | RESOURCE_BY_NAME : RESOURCE_BY_ANY);
		return found == ROUTER_NONE ? ROUTER_NONE : router_agent_queue(router, found);
	}
	if (!target->queue[0] && !target->resource_name)
		return contact->target_queue;
	/* R85: from an attribute the ARN or the id */
	found = router_find_queue(router, target->queue,
		target->dynamic ? RESOURCE_BY_ID | RESOURCE_BY_ARN : RESOURCE_BY_ANY);
	if (found == ROUTER_NONE && target->resource_name)
		found = router_find_queue(router, target->resource_name, RESOURCE_BY_NAME);
	return found;
}

int facts_hours_open(const struct contact *contact, const char *reference, const char *name)
{
	const struct resources *resources = contact->board->instance->resources;
	const struct resource_queue *queue =
		router_queue_row(router_of(contact), contact->target_queue);
	const struct resource_hours *hours = NULL;

	if (reference && reference[0])
		hours = resources_hours(resources, reference, RESOURCE_BY_ANY);
	if (!hours && name)
		hours = resources_hours(resources, name, RESOURCE_BY_NAME);
	if (!hours && !(reference && reference[0]) && !name && queue)
		hours = queue->hours;
	if (!hours)
		return -ENOENT;
	return hours_is_open(&hours->hours,
		(int64_t)(clock_wall_at(&contact->board->clock, board_now(contact->board)) /
			  CLOCK_S));
}

int facts_metric(const struct contact *contact, uint32_t queue, enum flow_metric metric,
	uint64_t now_ns, int64_t *number)
{
	struct metrics_queue m;

	if (queue == ROUTER_NONE || router_queue_metrics(router_of(contact), queue, now_ns, &m) < 0)
		return -ENOENT;
	switch (metric) {
	case FLOW_METRIC_AGENTS_AVAILABLE:
		*number = m.agents.count[METRICS_AVAILABLE];
		break;
	case FLOW_METRIC_AGENTS_STAFFED:
		*number = m.agents.count[METRICS_STAFFED];
		break;
	case FLOW_METRIC_AGENTS_ONLINE:
		*number = m.agents.count[METRICS_ONLINE];
		break;
	case FLOW_METRIC_OLDEST_AGE:
		*number = (int64_t)(m.oldest_age_ns / CLOCK_MS);
		break;
	case FLOW_METRIC_CONTACTS_IN_QUEUE:
		*number = m.contacts;
		break;
	}
	return 0;
}

int facts_metrics(const struct contact *contact, uint32_t queue, uint64_t now_ns,
	struct attribute values[METRIC_VALUES_MAX], char texts[][METRIC_TEXT_SIZE])
{
	static const struct {
		const char *name;
		enum metrics_count count;
	} counts[] = {
		{"Agents.Online.Count", METRICS_ONLINE},
		{"Agents.Available.Count", METRICS_AVAILABLE},
		{"Agents.Staffed.Count", METRICS_STAFFED},
		{"Agents.AfterContactWork.Count", METRICS_AFTER_CONTACT},
		{"Agents.Busy.Count", METRICS_BUSY},
		{"Agents.Missed.Count", METRICS_MISSED},
		{"Agents.NonProductive.Count", METRICS_NON_PRODUCTIVE},
	};
	struct metrics_queue m;
	const char *name, *arn;
	int n = 0;

	if (queue == ROUTER_NONE || router_queue_metrics(router_of(contact), queue, now_ns, &m) < 0)
		return -ENOENT;
	name = queue_name(contact, FLOW_TYPE_UNKNOWN, queue);
	arn = board_queue_arn(contact->board, queue);
#define PUT(key, ...)                                              \
	do {                                                       \
		snprintf(texts[n], METRIC_TEXT_SIZE, __VA_ARGS__); \
		values[n] = (struct attribute){(key), texts[n]};   \
		n++;                                               \
	} while (0)
	PUT("Queue.Name", "%s", name ? name : "");
	PUT("Queue.ARN", "%s", arn ? arn : "");
	PUT("Queue.Size", "%" PRIu32, m.contacts);
	PUT("Queue.OldestContactAge", "%" PRIu64, m.oldest_age_ns / CLOCK_S);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		PUT(counts[i].name, "%" PRIu32, m.agents.count[counts[i].count]);
#undef PUT
	return n;
}
