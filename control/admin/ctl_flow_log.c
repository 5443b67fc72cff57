/* SPDX-License-Identifier: Apache-2.0 */
/* The flow log of a contact for people: a line an action, and below it what it was told. */
#include <stdlib.h>

#include "admin/ctl.h"

/* What a function answered may be anything. */
static void put_member(FILE *to, const char *name, const json_t *value)
{
	char clean[128], text[400];
	json_t *name_json = json_string(name);

	if (json_is_object(value) || json_is_array(value)) {
		char *dump = json_dumps(value, JSON_COMPACT);
		json_t *dumped = json_string(dump ? dump : "");

		ctl_text(dumped, CTL_PLAIN, text, sizeof(text));
		json_decref(dumped);
		free(dump);
	} else {
		ctl_text(value, CTL_PLAIN, text, sizeof(text));
	}
	ctl_text(name_json, CTL_PLAIN, clean, sizeof(clean));
	json_decref(name_json);
	fprintf(to, "    %s: %s\n", clean, text);
}

static void put_line(FILE *to, const json_t *line)
{
	const json_t *result = json_object_get(line, "Results");
	const json_t *answer = json_object_get(line, "ExternalResults");
	char time[16], module[64], name[128], flow[256];
	const char *member;
	json_t *value;

	ctl_text(json_object_get(line, "Timestamp"), CTL_TIME, time, sizeof(time));
	ctl_text(json_object_get(line, "ContactFlowModuleType"), CTL_PLAIN, module, sizeof(module));
	ctl_text(json_object_get(line, "Identifier"), CTL_PLAIN, name, sizeof(name));
	ctl_text(json_object_get(line, "ContactFlowName"), CTL_PLAIN, flow, sizeof(flow));
	fprintf(to, "%s  %-24s %s  (%s)\n", time, module, name, flow);
	json_object_foreach(json_object_get(line, "Parameters"), member, value)
		put_member(to, member, value);
	if (answer)
		put_member(to, "answer", answer);
	if (result)
		put_member(to, "result", result);
}

void ctl_flow_log(FILE *to, const json_t *result)
{
	const json_t *lines = json_object_get(result, "lines");

	for (size_t i = 0; i < json_array_size(lines); i++)
		put_line(to, json_array_get(lines, i));
	if (json_array_size(lines) == 0)
		fputs("no lines: logging was not on, or the contact is too long ago\n", to);
	if (json_is_true(json_object_get(result, "more")))
		fputs("more follow: see the file\n", to);
}
