/* SPDX-License-Identifier: Apache-2.0 */
/* action_prompt.h: what playing actions have in common. */
#pragma once

#include "flow/machine.h"

/* False, with a log line, when a text is longer than may be spoken. */
bool flow_messages_fit(struct flow_machine *m, const struct flow_message *messages, uint16_t count);

/* Emits PLAY and makes it the run's; NULL without room. */
struct flow_effect *flow_play(
	struct flow_machine *m, const struct flow_message *messages, uint16_t count);
