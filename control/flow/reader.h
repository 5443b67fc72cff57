/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h: flow text to model.
 *
 * Reads the flow language ("Version": "2019-10-30") and the legacy console export ("modules"),
 * chosen by what the text holds. Lenient where real exports are: Parameters, Transitions, Errors
 * and Conditions may be missing; numbers and truth values may be strings or not, True or true; both
 * spellings of renamed keys; unknown parameters are kept; Metadata is read for name, type and
 * status only. Strict where the service is. Every problem is an entry in the report with the place
 *
 *     FILE: action 'Identifier': Parameters.X: expected ...
 *
 * Errors (the flow is refused): text is not one JSON object or not UTF-8, a key twice in one
 * object, another Version, StartAction missing or naming no action, unknown action type, identifier
 * missing, double, too long or with a forbidden character, a transition to an action that does not
 * exist, wrong type of a member, more than the limits of model.h, an operator that does not exist,
 * a static parameter that can never be valid (not a number, 51 digits for a third party). Warnings
 * (loaded): what the live service would refuse today but real files have.
 *
 * What the flow refers to and what its type allows is not judged here: checker.h.
 */
#pragma once

#include "flow/model.h"

struct report;

struct flow_reader_options {
	const char *file; /* name for messages; NULL: "flow" */
	const char *id;   /* id of the flow resource; NULL: none */
	const char *arn;  /* NULL: none */
	const char
		*name; /* NULL: from the metadata, else the file's name without folder and suffix */
	enum flow_type type; /* FLOW_TYPE_UNKNOWN: from the metadata or the legacy key */
};

/*
 * Reads `length` bytes of text. On success 0 and a flow held once by the caller (warnings may stand
 * in the report); otherwise a negative errno, at least one error in the report, and *out untouched:
 * -EINVAL bad text, -E2BIG over FLOW_TEXT_MAX, -ENOMEM.
 */
int flow_read(const char *text, size_t length, const struct flow_reader_options *options,
	struct report *report, struct flow **out);
