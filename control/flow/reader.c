/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/reader.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "flow/draft.h"

/* The file's name without folder and suffix. */
static const char *stem(struct flow_draft *draft)
{
	const char *slash = strrchr(draft->file, '/');
	const char *name = slash != NULL ? slash + 1 : draft->file;
	const char *dot = strrchr(name, '.');

	return flow_arena_text(draft->arena, name,
		dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name));
}

static const char *metadata_text(const json_t *metadata, const char *name)
{
	const json_t *value = json_object_get(metadata, name);
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) <= FLOW_NAME_MAX ? text : NULL;
}

/* Name, description, status and type; whatever else the editor keeps there is none of our business.
 */
static void read_metadata(
	struct flow_draft *draft, const json_t *root, const struct flow_reader_options *options)
{
	const json_t *metadata = json_object_get(
		root, json_object_get(root, "Metadata") != NULL ? "Metadata" : "metadata");
	const char *name = metadata_text(metadata, "name");
	const char *description = metadata_text(metadata, "description");
	const char *status = metadata_text(metadata, "status");
	const char *type = json_string_value(json_object_get(root, "type"));
	struct flow *flow = draft->flow;

	if (type == NULL)
		type = metadata_text(metadata, "type");
	if (options->name != NULL)
		name = options->name;
	flow->name =
		name != NULL && *name != '\0' ? flow_arena_copy(draft->arena, name) : stem(draft);
	flow->description = flow_arena_copy(draft->arena, description != NULL ? description : "");
	flow->saved = status != NULL && strcasecmp(status, "saved") == 0;
	flow->type = options->type;
	if (flow->type == FLOW_TYPE_UNKNOWN && type != NULL) {
		enum flow_type parsed;

		if (flow_type_parse(type, &parsed) == 0)
			flow->type = (uint8_t)parsed;
		else
			flow_draft_problem(draft, REPORT_WARNING, NULL, "type",
				"expected a flow type, found '%.60s'; rules of types are not "
				"applied",
				type);
	}
}

static int begin(struct flow_draft *draft, const struct flow_reader_options *options)
{
	draft->arena = flow_arena_new();
	if (draft->arena == NULL)
		return -ENOMEM;
	draft->flow = flow_arena_take(draft->arena, 1, sizeof(*draft->flow));
	if (draft->flow == NULL)
		return -ENOMEM;
	draft->flow->references = 1;
	draft->flow->arena = draft->arena;
	draft->flow->start = FLOW_NO_ACTION;
	draft->flow->file = flow_arena_copy(draft->arena, draft->file);
	draft->flow->id = flow_arena_copy(draft->arena, options->id != NULL ? options->id : "");
	draft->flow->arn = flow_arena_copy(draft->arena, options->arn != NULL ? options->arn : "");
	return flow_arena_failed(draft->arena) ? -ENOMEM : 0;
}

static void read_root(
	struct flow_draft *draft, const json_t *root, const struct flow_reader_options *options)
{
	if (!json_is_object(root)) {
		flow_draft_problem(draft, REPORT_ERROR, NULL, NULL,
			"expected a flow: one JSON object, found %s", flow_json_kind(root));
		return;
	}
	read_metadata(draft, root, options);
	if (json_is_array(json_object_get(root, "modules"))) {
		draft->flow->format = FLOW_FORMAT_LEGACY;
		flow_read_legacy(draft, root);
	} else {
		draft->flow->format = FLOW_FORMAT_LANGUAGE;
		flow_read_language(draft, root);
	}
}

static json_t *parse(struct flow_draft *draft, const char *text, size_t length)
{
	json_error_t error;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	if (root == NULL)
		flow_draft_problem(draft, REPORT_ERROR, NULL, NULL,
			"expected JSON: line %d column %d: %s", error.line, error.column,
			error.text);
	return root;
}

int flow_read(const char *text, size_t length, const struct flow_reader_options *options,
	struct report *report, struct flow **out)
{
	static const struct flow_reader_options none = {0};
	struct flow_draft draft = {.report = report};
	json_t *root = NULL;
	int rc;

	if (options == NULL)
		options = &none;
	draft.file = options->file != NULL ? options->file : "flow";
	rc = begin(&draft, options);
	if (rc < 0)
		goto done;
	if (length > FLOW_TEXT_MAX) {
		flow_draft_problem(&draft, REPORT_ERROR, NULL, NULL,
			"expected at most %u bytes, found %zu", FLOW_TEXT_MAX, length);
		rc = -E2BIG;
		goto done;
	}
	root = parse(&draft, text, length);
	if (root != NULL)
		read_root(&draft, root, options);
	rc = draft.errors > 0 ? -EINVAL : flow_arena_failed(draft.arena) ? -ENOMEM : 0;
done:
	json_decref(root);
	if (rc == -ENOMEM)
		flow_draft_problem(&draft, REPORT_ERROR, NULL, NULL, "out of memory");
	if (rc < 0) {
		flow_arena_free(draft.arena);
		return rc;
	}
	*out = draft.flow;
	return 0;
}
