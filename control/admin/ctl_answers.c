/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/ctl.h"

#define TABLE(member, ...)                                                  \
	do {                                                                \
		static const struct ctl_column columns[] = {__VA_ARGS__};   \
		ctl_table(stdout, json_object_get(result, member), columns, \
			sizeof(columns) / sizeof(columns[0]));              \
	} while (0)

int ctl_show_tree(const json_t *result, bool more)
{
	ctl_tree(stdout, result, 0);
	return CTL_OK;
}

int ctl_show_agents(const json_t *result, bool more)
{
	TABLE("agents", {"AGENT", "name"}, {"STATUS", "status"},
		{"SINCE", "status_since", CTL_TIME}, {"NEXT", "next_status"}, {"STATE", "state"},
		{"PHONE", "phone"}, {"READY", "phone_ready"}, {"CUSTOMER", "contact.customer"},
		{"QUEUE", "contact.queue"}, {"NOT ROUTABLE BECAUSE", "not_routable_because"});
	return CTL_OK;
}

static void put_agent(const json_t *agent)
{
	char name[128], state[64], status[128];

	ctl_text(ctl_member(agent, "name"), CTL_PLAIN, name, sizeof(name));
	ctl_text(ctl_member(agent, "state"), CTL_PLAIN, state, sizeof(state));
	ctl_text(ctl_member(agent, "status"), CTL_PLAIN, status, sizeof(status));
	printf("%s: %s, status %s\n", name, state, status);
}

int ctl_show_agent(const json_t *result, bool more)
{
	put_agent(result);
	return CTL_OK;
}

int ctl_show_desk(const json_t *result, bool more)
{
	char id[64], state[64];

	if (json_is_object(json_object_get(result, "agent")))
		put_agent(json_object_get(result, "agent"));
	if (!json_is_object(json_object_get(result, "contact")))
		return CTL_OK;
	ctl_text(ctl_member(result, "contact.id"), CTL_PLAIN, id, sizeof(id));
	ctl_text(ctl_member(result, "contact.state"), CTL_PLAIN, state, sizeof(state));
	printf("contact %s: %s\n", id, state);
	return CTL_OK;
}

int ctl_show_contacts(const json_t *result, bool more)
{
	TABLE("contacts", {"CONTACT", "id"}, {"STATE", "state"}, {"METHOD", "method"},
		{"CUSTOMER", "customer"}, {"TO", "system"}, {"QUEUE", "queue"}, {"AGENT", "agent"},
		{"AGE", "age_s", CTL_SPAN});
	return CTL_OK;
}

int ctl_show_quality(const json_t *result, bool more)
{
	TABLE("legs", {"CONTACT", "contact"}, {"PARTY", "role"}, {"SIDE", "side"},
		{"AGENT", "agent"}, {"LOST", "media_lost"}, {"MOS FROM", "from.mos"},
		{"LOSS %", "from.loss_percent"}, {"JITTER", "from.jitter_ms"}, {"MOS TO", "to.mos"},
		{"LOSS %", "to.loss_percent"}, {"JITTER", "to.jitter_ms"},
		{"ROUND TRIP", "round_trip_ms"});
	return CTL_OK;
}

int ctl_show_queues(const json_t *result, bool more)
{
	TABLE("queues", {"QUEUE", "name"}, {"WAITING", "contacts"}, {"LIMIT", "limit"},
		{"OLDEST", "oldest_s", CTL_SPAN}, {"AVAILABLE", "available"},
		{"STAFFED", "staffed"}, {"ENTERED", "figures.entered"},
		{"ANSWERED", "figures.answered"}, {"ABANDONED", "figures.abandoned"},
		{"FULL", "figures.refused_full"},
		{"MEAN ANSWER", "figures.mean_answer_s", CTL_SPAN},
		{"SL %", "service_level.percent"});
	return CTL_OK;
}

int ctl_show_waiting(const json_t *result, bool more)
{
	TABLE("contacts", {"POSITION", "position"}, {"CONTACT", "contact"},
		{"CUSTOMER", "customer"}, {"STATE", "state"}, {"WAITED", "waited_s", CTL_SPAN});
	return CTL_OK;
}

int ctl_show_records(const json_t *result, bool more)
{
	json_int_t behind = json_integer_value(json_object_get(result, "behind"));

	TABLE("records", {"CONTACT", "ContactId"}, {"METHOD", "InitiationMethod"},
		{"INITIATED", "InitiationTimestamp"}, {"CUSTOMER", "CustomerEndpoint.Address"},
		{"QUEUE", "Queue.Name"}, {"AGENT", "Agent.Username"},
		{"TALK", "Agent.AgentInteractionDuration", CTL_SPAN},
		{"REASON", "DisconnectReason"});
	printf("last: %" JSON_INTEGER_FORMAT "%s\n",
		json_integer_value(json_object_get(result, "last")),
		json_is_true(json_object_get(result, "more")) ? " (more follow)" : "");
	if (behind)
		printf("behind: %" JSON_INTEGER_FORMAT " wait to be written\n", behind);
	return CTL_OK;
}

int ctl_show_statuses(const json_t *result, bool more)
{
	TABLE("statuses", {"STATUS", "name"}, {"TYPE", "type"}, {"DESCRIPTION", "description"});
	return CTL_OK;
}

int ctl_show_users(const json_t *result, bool more)
{
	TABLE("UserSummaryList", {"USER", "Username"}, {"ID", "Id"}, {"ARN", "Arn"});
	return CTL_OK;
}

int ctl_show_quick_connects(const json_t *result, bool more)
{
	TABLE("quick_connects", {"QUICK CONNECT", "Name"},
		{"TYPE", "QuickConnectConfig.QuickConnectType"},
		{"USER", "QuickConnectConfig.UserConfig.UserId"},
		{"QUEUE", "QuickConnectConfig.QueueConfig.QueueId"},
		{"NUMBER", "QuickConnectConfig.PhoneConfig.PhoneNumber"},
		{"DESCRIPTION", "Description"}, {"ID", "QuickConnectId"});
	return CTL_OK;
}

int ctl_show_endpoints(const json_t *result, bool more)
{
	TABLE("endpoints", {"QUICK CONNECT", "name"}, {"TYPE", "type"}, {"AGENT", "agentLogin"},
		{"QUEUE", "queue"}, {"NUMBER", "phoneNumber"});
	return CTL_OK;
}

int ctl_show_phones(const json_t *result, bool more)
{
	TABLE("phones", {"AGENT", "agent"}, {"KIND", "kind"}, {"ADDRESS", "address"},
		{"USER", "user"}, {"READY", "ready"});
	return CTL_OK;
}

int ctl_show_trunks(const json_t *result, bool more)
{
	static const struct ctl_column gateways[] = {{"  GATEWAY", "address"},
		{"TRANSPORT", "transport"}, {"HEALTH", "health"}, {"SINCE", "since", CTL_TIME}};
	json_t *trunk;
	size_t i;

	TABLE("trunks", {"TRUNK", "name"}, {"USABLE", "usable"}, {"CALLS", "calls"},
		{"CHANNELS", "channels"}, {"IN", "taken_in"}, {"OUT", "taken_out"},
		{"REFUSED: CHANNELS", "refused_channels"}, {"RATE", "refused_rate"});
	json_array_foreach(json_object_get(result, "trunks"), i, trunk)
	{
		printf("\n%s\n", json_string_value(json_object_get(trunk, "name")));
		ctl_table(stdout, json_object_get(trunk, "gateways"), gateways, 4);
	}
	return CTL_OK;
}

int ctl_show_orphans(const json_t *result, bool more)
{
	TABLE("orphans", {"ROOM", "room"}, {"WORKER", "worker"}, {"PORTS", "ports"},
		{"LAST RTP", "last_rtp", CTL_TIME});
	return CTL_OK;
}

int ctl_show_stats(const json_t *result, bool more)
{
	const json_t *workers = json_object_get(result, "workers");
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(result, "sum"), name, value)
	{
		printf("%-22s %16" JSON_INTEGER_FORMAT, name, json_integer_value(value));
		for (size_t i = 0; i < json_array_size(workers) && json_array_size(workers) > 1;
			i++)
			printf(" %16" JSON_INTEGER_FORMAT,
				json_integer_value(
					json_object_get(json_array_get(workers, i), name)));
		putchar('\n');
	}
	return CTL_OK;
}

int ctl_show_reload(const json_t *result, bool more)
{
	bool loaded = json_is_true(json_object_get(result, "loaded"));
	char place[512], text[1024], severity[32];
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(result, "report"), i, entry)
	{
		ctl_text(json_object_get(entry, "severity"), CTL_PLAIN, severity, sizeof(severity));
		ctl_text(json_object_get(entry, "place"), CTL_PLAIN, place, sizeof(place));
		ctl_text(json_object_get(entry, "text"), CTL_PLAIN, text, sizeof(text));
		fprintf(stderr, "%s: %s: %s\n", severity, place, text);
	}
	puts(loaded ? "reloaded" : "not reloaded: what ran before goes on");
	return loaded ? CTL_OK : CTL_REFUSED;
}

int ctl_show_flows(const json_t *result, bool more)
{
	TABLE("flows", {"FLOW", "name"}, {"TYPE", "type"}, {"STATUS", "status"}, {"RUNS", "runs"},
		{"ACTIONS", "actions"}, {"FORMAT", "format"}, {"FILE", "file"}, {"ID", "id"});
	return CTL_OK;
}

int ctl_show_flow_log(const json_t *result, bool more)
{
	ctl_flow_log(stdout, result);
	return CTL_OK;
}

int ctl_show_published(const json_t *result, bool more)
{
	char name[256], file[256];

	ctl_text(ctl_member(result, "name"), CTL_PLAIN, name, sizeof(name));
	ctl_text(ctl_member(result, "file"), CTL_PLAIN, file, sizeof(file));
	printf("%s: %s is in force\n", name, file);
	return CTL_OK;
}

int ctl_show_config(const json_t *result, bool more)
{
	const char *yaml = json_string_value(json_object_get(result, "yaml"));

	fputs(yaml ? yaml : "", stdout);
	return CTL_OK;
}

static void put_messages(const json_t *messages)
{
	json_t *m;
	size_t i;

	json_array_foreach((json_t *)messages, i, m)
	{
		const char *text = json_string_value(json_object_get(m, "message"));

		printf("\n%s %s %s\n", json_string_value(json_object_get(m, "time")),
			json_string_value(json_object_get(m, "direction")),
			json_string_value(json_object_get(m, "peer")));
		for (; text && *text; text++)
			if (*text == '\n' || *text == '\t' ||
				((unsigned char)*text >= 0x20 && *text != 0x7f))
				putchar(*text);
	}
}

int ctl_show_trace(const json_t *result, bool more)
{
	ctl_ladder(stdout, json_object_get(result, "messages"));
	if (more)
		put_messages(json_object_get(result, "messages"));
	return CTL_OK;
}

int ctl_show_verbs(const json_t *result, bool more)
{
	json_t *verb, *param;
	size_t i, j;

	json_array_foreach(json_object_get(result, "verbs"), i, verb)
	{
		printf("%-24s %-11s %s\n", json_string_value(json_object_get(verb, "name")),
			json_string_value(json_object_get(verb, "role")),
			json_string_value(json_object_get(verb, "help")));
		json_array_foreach(json_object_get(verb, "params"), j, param) printf(
			"    %-20s %-8s %s%s\n", json_string_value(json_object_get(param, "name")),
			json_string_value(json_object_get(param, "type")),
			json_is_true(json_object_get(param, "required")) ? "(must) " : "",
			json_string_value(json_object_get(param, "help")));
	}
	return CTL_OK;
}
