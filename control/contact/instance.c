/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/instance.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/yaml.h"
#include "contact/service_check.h"
#include "queue/resource_files.h"

#define PATH_SIZE     4096
#define DOCUMENTS_MAX 512
#define ZONES         "/usr/share/zoneinfo"

/* What is open while an instance is being read. */
struct reading {
	const char *directory;
	const char *changes; /* NULL: the file */
	struct report *report;
	struct resource_files *files;
	struct yml_doc *docs[DOCUMENTS_MAX];
	size_t n_docs;
};

static int read_zone(void *context, const char *name, void **bytes, size_t *size)
{
	char path[PATH_SIZE], *data;
	size_t n;
	int rc;

	snprintf(path, sizeof(path), ZONES "/%s", name);
	rc = file_read(path, ZONE_BYTES_MAX, &data, &n);
	if (rc < 0)
		return rc;
	*bytes = data;
	*size = n;
	return 0;
}

/* Loads a document that may be missing: *doc stays NULL then. */
static int load_optional(struct reading *r, const char *file, struct yml_doc **doc)
{
	char path[PATH_SIZE];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", r->directory, file);
	if (access(path, F_OK) < 0)
		return 0;
	if (r->n_docs == DOCUMENTS_MAX) {
		report_add(
			r->report, REPORT_ERROR, file, "expected at most %d files", DOCUMENTS_MAX);
		return -E2BIG;
	}
	rc = yml_load_file(path, file, r->report, doc);
	if (rc == 0)
		r->docs[r->n_docs++] = *doc;
	return rc;
}

static int add_resources(struct reading *r)
{
	int worst = 0;

	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
		struct yml_doc *doc = NULL;
		int rc = load_optional(r, resource_kind_file(kind), &doc);

		if (rc == 0 && doc)
			rc = resource_files_add(r->files, kind, doc);
		if (rc < 0)
			worst = rc;
	}
	return worst;
}

/* What was changed over the admin socket; YAML by its syntax. */
static int add_changes(struct reading *r)
{
	struct yml_doc *doc = NULL;
	int rc;

	if (!r->changes) {
		rc = load_optional(r, INSTANCE_CHANGES, &doc);
	} else {
		rc = yml_load_text(
			r->changes, strlen(r->changes), INSTANCE_CHANGES, r->report, &doc);
		if (rc == 0)
			r->docs[r->n_docs++] = doc;
	}
	if (rc == 0)
		resource_files_change(r->files, doc);
	return rc;
}

static int load_resources(
	struct reading *r, const struct config *config, struct resources **resources)
{
	struct peer_media media;
	struct resource_files_config files = {.region = config->region,
		.account = config->account,
		.instance = config->instance_id,
		.media = &media,
		.read_zone = read_zone};
	int rc;

	config_peer_media(config, &media);
	rc = resource_files_create(&files, &r->files);
	if (rc < 0)
		return rc;
	rc = add_resources(r);
	if (rc == 0)
		rc = add_changes(r);
	if (rc == 0)
		rc = resource_files_finish(r->files, r->report, resources);
	resource_files_destroy(r->files);
	return rc;
}

/* ---- what refers to what ---- */

static bool find_resource(const struct instance *instance, enum resource_kind kind,
	const char *reference, const char *name)
{
	return resources_find(instance->resources, kind, reference, RESOURCE_BY_ANY) ||
	       (name && resources_find(instance->resources, kind, name, RESOURCE_BY_NAME));
}

static bool find_flow(
	const struct instance *instance, const char *reference, struct flow_resource_info *info)
{
	const struct flow_entry *entry = flow_catalog_entry(&instance->flows, reference);

	if (!entry)
		return false;
	info->type = flow_entry_flow(entry)->type;
	info->never_published = !entry->published;
	return true;
}

static bool find_agent(const struct resource_agent *agent, struct flow_resource_info *info)
{
	info->may_not_take_calls = agent && !resource_agent_may_take_calls(agent);
	return agent;
}

static bool find_for_flow(void *owner, enum flow_resource kind, const char *reference,
	const char *name, struct flow_resource_info *info)
{
	const struct instance *instance = owner;

	switch (kind) {
	case FLOW_RESOURCE_QUEUE:
		return find_resource(instance, RESOURCE_QUEUE, reference, name) ||
		       find_agent(
			       resources_agent_by_queue_arn(instance->resources, reference), info);
	case FLOW_RESOURCE_PROMPT:
		return find_resource(instance, RESOURCE_PROMPT, reference, name);
	case FLOW_RESOURCE_HOURS:
		return find_resource(instance, RESOURCE_HOURS, reference, name);
	case FLOW_RESOURCE_AGENT:
		return find_agent(
			resources_agent(instance->resources, reference, RESOURCE_BY_ANY), info);
	case FLOW_RESOURCE_FLOW:
	case FLOW_RESOURCE_MODULE:
		return find_flow(instance, reference, info) ||
		       (name && find_flow(instance, name, info));
	case FLOW_RESOURCE_PHONE_NUMBER:
		return number_plan_is_ours(instance->plan, reference);
	case FLOW_RESOURCE_COUNT:
		break;
	}
	return false;
}

static bool is_served(void *owner, enum flow_action_type type)
{
	const struct instance *instance = owner;

	return service_set_action(instance->services, flow_action_name(type));
}

static enum resource_flow_kind flow_kind(void *context, const char *reference)
{
	const struct instance *instance = context;
	const struct flow_entry *entry = flow_catalog_entry(&instance->flows, reference);

	if (!entry)
		return RESOURCE_FLOW_MISSING;
	if (!entry->published)
		return RESOURCE_FLOW_DRAFT;
	switch (entry->published->type) {
	case FLOW_TYPE_AGENT_TRANSFER:
		return RESOURCE_FLOW_TRANSFER_TO_AGENT;
	case FLOW_TYPE_QUEUE_TRANSFER:
		return RESOURCE_FLOW_TRANSFER_TO_QUEUE;
	case FLOW_TYPE_OUTBOUND_WHISPER:
		return RESOURCE_FLOW_OUTBOUND_WHISPER;
	default:
		return RESOURCE_FLOW_OTHER;
	}
}

static void judge_flow_reference(const struct instance *instance, const char *place,
	const char *reference, enum flow_type type, struct report *report)
{
	const struct flow_entry *entry = flow_catalog_entry(&instance->flows, reference);
	const struct flow *flow = entry ? entry->published : NULL;

	if (!entry)
		report_add(
			report, REPORT_ERROR, place, "expected a flow, found no '%s'", reference);
	else if (!flow)
		report_add(report, REPORT_ERROR, place,
			"expected a published flow, '%s' is a draft", reference);
	else if (flow->type != type && flow->type != FLOW_TYPE_UNKNOWN)
		report_add(report, REPORT_ERROR, place, "expected a flow of type %s, '%s' is %s",
			flow_type_name(type), reference, flow_type_name(flow->type));
}

static void judge_defaults(
	const struct instance *instance, const struct config *config, struct report *report)
{
	static const struct {
		const char *place;
		enum flow_type type;
	} rows[CONFIG_DEFAULT_COUNT] = {
		[CONFIG_DEFAULT_CUSTOMER_QUEUE] = {"defaults.customer_queue",
			FLOW_TYPE_CUSTOMER_QUEUE},
		[CONFIG_DEFAULT_CUSTOMER_HOLD] = {"defaults.customer_hold",
			FLOW_TYPE_CUSTOMER_HOLD},
		[CONFIG_DEFAULT_CUSTOMER_WHISPER] = {"defaults.customer_whisper",
			FLOW_TYPE_CUSTOMER_WHISPER},
		[CONFIG_DEFAULT_AGENT_HOLD] = {"defaults.agent_hold", FLOW_TYPE_AGENT_HOLD},
		[CONFIG_DEFAULT_AGENT_WHISPER] = {"defaults.agent_whisper",
			FLOW_TYPE_AGENT_WHISPER},
		[CONFIG_DEFAULT_OUTBOUND_WHISPER] = {"defaults.outbound_whisper",
			FLOW_TYPE_OUTBOUND_WHISPER},
	};

	for (int i = 0; i < CONFIG_DEFAULT_COUNT; i++)
		judge_flow_reference(
			instance, rows[i].place, config->default_flow[i], rows[i].type, report);
}

static void judge_numbers(const struct instance *instance, struct report *report)
{
	for (size_t i = 0; i < number_plan_count(instance->plan); i++) {
		const struct number_entry *number = number_plan_at(instance->plan, i);
		char place[64];

		snprintf(place, sizeof(place), "cordboard.yaml:%u: numbers", number->line);
		judge_flow_reference(instance, place, number->flow, FLOW_TYPE_INBOUND, report);
	}
}

/* Recorded prompts must be there to be played. */
static void judge_prompts(const struct instance *instance, struct report *report)
{
	uint32_t n = resources_count(instance->resources, RESOURCE_PROMPT);

	for (uint32_t i = 0; i < n; i++) {
		const struct resource_prompt *prompt =
			(const struct resource_prompt *)resources_row(
				instance->resources, RESOURCE_PROMPT, i);
		char path[PATH_SIZE];

		if (!prompt->file || strncmp(prompt->file, "tone:", 5) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/prompts/%s", instance->directory, prompt->file);
		if (access(path, R_OK) < 0)
			report_add(report, REPORT_ERROR, prompt->row.place,
				"expected a sound file, cannot read prompts/%s: %s", prompt->file,
				strerror(errno));
	}
}

/* A draft runs when it is published, and is judged again before. */
static void judge_draft(
	const struct flow *draft, const struct flow_resolver *resolver, struct report *report)
{
	struct report own;

	report_init(&own);
	flow_check(draft, resolver, &own);
	for (size_t i = 0; i < report_size(&own); i++) {
		const struct report_entry *entry = report_at(&own, i);
		bool bad = entry->severity == REPORT_ERROR;

		report_add(report, bad ? REPORT_WARNING : entry->severity, entry->place, "%s%s",
			entry->text, bad ? " (a draft: cannot be published so)" : "");
	}
	report_clear(&own);
}

int instance_judge_flows(
	const struct instance *instance, const struct config *config, struct report *report)
{
	struct flow_resolver resolver = {
		.find = find_for_flow, .is_served = is_served, .owner = (void *)instance};

	for (size_t i = 0; i < instance->flows.n; i++) {
		const struct flow_entry *entry = &instance->flows.entries[i];

		if (entry->published)
			flow_check(entry->published, &resolver, report);
		if (entry->draft)
			judge_draft(entry->draft, &resolver, report);
		service_check_flow(instance->services, flow_entry_flow(entry), report);
	}
	resource_files_check_flows(instance->resources, flow_kind, (void *)instance, report);
	judge_defaults(instance, config, report);
	judge_numbers(instance, report);
	return report_has_errors(report) ? -EINVAL : 0;
}

static int judge(
	const struct instance *instance, const struct config *config, struct report *report)
{
	instance_judge_flows(instance, config, report);
	judge_prompts(instance, report);
	service_check_types(instance->services, report);
	return report_has_errors(report) ? -EINVAL : 0;
}

/* ---- life ---- */

static int load_main_file(struct reading *r, const struct config *config, struct instance *instance)
{
	struct peer_media media;
	struct yml_doc *doc = NULL;
	int rc = load_optional(r, "cordboard.yaml", &doc);

	if (rc == 0 && !doc) {
		report_add(r->report, REPORT_ERROR, "cordboard.yaml", "expected this file in %s",
			r->directory);
		rc = -ENOENT;
	}
	config_peer_media(config, &media);
	if (rc == 0)
		rc = trunk_set_load(
			yml_get(yml_root(doc), "trunks"), &media, r->report, &instance->trunks);
	if (rc == 0)
		rc = number_plan_load(yml_get(yml_root(doc), "number_plan"),
			yml_get(yml_root(doc), "numbers"), instance->trunks, r->report,
			&instance->plan);
	return rc;
}

int instance_load(const char *directory, const struct config *config,
	const struct instance *previous, const char *changes, struct report *report,
	struct instance **out)
{
	struct reading r = {.directory = directory, .changes = changes, .report = report};
	struct instance *instance = calloc(1, sizeof(*instance));
	int rc, main_rc, services_rc, flow_rc;

	if (!instance)
		return -ENOMEM;
	instance->directory = strdup(directory);
	rc = instance->directory ? load_resources(&r, config, &instance->resources) : -ENOMEM;
	main_rc = load_main_file(&r, config, instance);
	if (main_rc < 0)
		rc = main_rc;
	services_rc = service_set_load(directory, report, &instance->services);
	if (services_rc < 0)
		rc = services_rc;
	if (instance->resources) {
		flow_rc = flow_catalog_load(&instance->flows, directory,
			resources_instance_arn(instance->resources),
			previous ? &previous->flows : NULL, report);
		if (flow_rc < 0)
			rc = flow_rc;
	}
	if (rc == 0)
		rc = judge(instance, config, report);
	for (size_t i = 0; i < r.n_docs; i++)
		yml_destroy(r.docs[i]);
	if (rc < 0) {
		instance_destroy(instance);
		return rc;
	}
	*out = instance;
	return 0;
}

void instance_destroy(struct instance *instance)
{
	if (!instance)
		return;
	flow_catalog_clear(&instance->flows);
	service_set_release(instance->services);
	number_plan_free(instance->plan);
	trunk_set_free(instance->trunks);
	resources_destroy(instance->resources);
	free(instance->directory);
	free(instance);
}

int instance_read_config(const char *directory, struct config *config, struct report *report)
{
	char path[PATH_SIZE];
	struct yml_doc *doc;
	int rc;

	config_preset(config);
	snprintf(path, sizeof(path), "%s/cordboard.yaml", directory);
	rc = yml_load_file(path, "cordboard.yaml", report, &doc);
	if (rc < 0)
		return rc;
	rc = config_read(config, yml_root(doc), report);
	yml_destroy(doc);
	return rc;
}

/* ---- look-ups ---- */

const char *instance_arn(const struct instance *instance)
{
	return resources_instance_arn(instance->resources);
}

struct flow *instance_flow(const struct instance *instance, const char *reference)
{
	return flow_catalog_find(&instance->flows, reference);
}

const struct resource_prompt *instance_prompt(
	const struct instance *instance, const char *reference, const char *name)
{
	const struct resource_prompt *prompt =
		resources_prompt(instance->resources, reference, RESOURCE_BY_ANY);

	if (!prompt && name)
		prompt = resources_prompt(instance->resources, name, RESOURCE_BY_NAME);
	return prompt;
}

int instance_prompt_clip(const struct instance *instance, struct clips *clips,
	const struct resource_prompt *prompt, const char *voice, char wrong[CLIPS_REASON_SIZE],
	struct clip **clip)
{
	struct speech_text spoken = {
		.text = str_from(prompt->text), .voice = str_from(voice), .ssml = false};
	char path[PATH_SIZE];

	if (!prompt->file)
		return clips_text(clips, &spoken, wrong, clip);
	if (strncmp(prompt->file, "tone:", 5) == 0)
		return clips_source(clips, str_from(prompt->file), wrong, clip);
	snprintf(path, sizeof(path), "%s/prompts/%s", instance->directory, prompt->file);
	return clips_source(clips, str_from(path), wrong, clip);
}
