/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h: compiles the text of a parameter into parts (model.h): literal text and JSONPaths.
 *
 * A JSONPath is a dollar sign followed by one or more steps: ".name" (letters, digits, underscore,
 * dash, bytes above 127), ".['any name']", "['any name']" (either quote), "[3]". Whatever does not
 * fit ends the path and is text: the full stop in "Hello $.Attributes.Name." stays in the sentence.
 * A dollar sign with no step after it is text.
 */
#pragma once

#include "flow/arena.h"
#include "flow/model.h"

#define FLOW_PARTS_MAX 256u

/* 0; -E2BIG: more than FLOW_PARTS_MAX parts; -ENOMEM. */
int flow_value_compile(struct flow_arena *arena, const char *text, struct flow_value *value);
