/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/service_check.h"

#include <stdio.h>

#include "flow/engine.h"

void service_check_types(const struct service_set *set, struct report *report)
{
	const struct service_target *row;

	for (size_t i = 0; (row = service_set_at(set, SERVICE_ACTION, i)); i++) {
		enum flow_action_type type;
		char place[96];

		if (flow_action_parse(row->name, &type) == 0 && flow_action_is_service(type))
			continue;
		snprintf(place, sizeof(place), SERVICE_FILE ":%u: services", row->line);
		report_add(report, REPORT_ERROR, place,
			"expected as type an action that a service answers, such as "
			"ConnectParticipantWithLexBot, found '%s'",
			row->name);
	}
}

void service_check_flow(
	const struct service_set *set, const struct flow *flow, struct report *report)
{
	for (uint16_t i = 0; i < flow->action_count; i++) {
		const struct flow_action *action = &flow->actions[i];
		const struct flow_param *function = flow_action_param(action, FLOW_PARAM_FUNCTION);
		char place[REPORT_PLACE_MAX];

		if (action->type != FLOW_ACTION_LAMBDA || !function ||
			function->value.class != FLOW_VALUE_STATIC ||
			function->value.part_count == 0 ||
			service_set_function(set, function->value.parts[0].text))
			continue;
		snprintf(place, sizeof(place), "%s: action '%s'", flow->file, action->identifier);
		report_add(report, REPORT_WARNING, place,
			"takes its error branch: services.yaml has no function '%s'",
			function->value.parts[0].text);
	}
}
