/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.h: event hooks by name, and the type of flow that each takes. */
#pragma once

#include "flow/engine.h"

/* The hook's index (enum flow_hook), or -1. */
int flow_hook_parse(const char *name);

/* The type that a flow in this hook must have; FLOW_TYPE_UNKNOWN: any. */
enum flow_type flow_hook_type(enum flow_hook hook);
