/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: the files of an instance directory. The input is a series of files with a line `---`
 * between them; each goes to the readers whose section it has: options, trunks, numbers, resources.
 * One that begins with TZif is the zone file of all hours. What is refused is refused with a word,
 * and what is accepted can be used and, printed, is read back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contact/config.h"
#include "queue/resource_files.h"
#include "queue/zone.h"
#include "sip/number_plan.h"
#include "sip/trunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { DOCS_MAX = 16 };

static const char separator[] = "\n---\n";
static const char *const sections[RESOURCE_KIND_COUNT] = {
	[RESOURCE_QUEUE] = "queues",
	[RESOURCE_HOURS] = "hours",
	[RESOURCE_STATUS] = "statuses",
	[RESOURCE_SECURITY_PROFILE] = "security_profiles",
	[RESOURCE_ROUTING_PROFILE] = "routing_profiles",
	[RESOURCE_AGENT] = "agents",
	[RESOURCE_QUICK_CONNECT] = "quick_connects",
	[RESOURCE_PROMPT] = "prompts",
};

struct files {
	struct yml_doc *docs[DOCS_MAX];
	unsigned n;
	const uint8_t *zone;
	size_t zone_size;
};

static void require(int condition)
{
	if (!condition)
		abort();
}

static int read_zone(void *context, const char *name, void **bytes, size_t *size)
{
	const struct files *files = context;

	require(zone_name_valid(name));
	if (!files->zone)
		return -ENOENT;
	*bytes = malloc(files->zone_size);
	memcpy(*bytes, files->zone, files->zone_size);
	*size = files->zone_size;
	return 0;
}

static void load(struct files *files, const uint8_t *bytes, size_t length)
{
	struct report report;

	if (length >= 4 && memcmp(bytes, "TZif", 4) == 0) {
		struct zone *zone;

		if (zone_parse(bytes, length, &zone) == 0) {
			zone_offset(zone, 1700000000);
			zone_destroy(zone);
		}
		files->zone = bytes;
		files->zone_size = length;
		return;
	}
	report_init(&report);
	if (yml_load_text((const char *)bytes, length, "fuzz", &report, &files->docs[files->n]) ==
		0)
		files->n++;
	else
		require(report_has_errors(&report));
	report_clear(&report);
}

static void split(struct files *files, const uint8_t *bytes, size_t length)
{
	while (files->n < DOCS_MAX) {
		const uint8_t *end = memmem(bytes, length, separator, sizeof(separator) - 1);
		size_t n = end ? (size_t)(end - bytes) + 1 : length;

		load(files, bytes, n);
		if (!end)
			break;
		bytes = end + sizeof(separator) - 1;
		length -= n + sizeof(separator) - 2;
	}
}

/* Running values as they are printed are a file that says the same. */
static void print_and_read_back(const struct config *config)
{
	char *text[2] = {NULL, NULL};
	size_t n[2];
	const struct config *from = config;
	struct config again = {0};
	struct report report;
	struct yml_doc *doc;

	report_init(&report);
	for (int i = 0; i < 2; i++) {
		FILE *to = open_memstream(&text[i], &n[i]);

		config_print(from, to);
		fclose(to);
		if (i == 1)
			break;
		require(yml_load_text(text[0], n[0], "printed", &report, &doc) == 0);
		config_preset(&again);
		require(config_read(&again, yml_root(doc), &report) == 0);
		yml_destroy(doc);
		from = &again;
	}
	require(n[0] == n[1] && memcmp(text[0], text[1], n[0]) == 0);
	config_clear(&again);
	report_clear(&report);
	free(text[0]);
	free(text[1]);
}

static void read_options(const struct yml_node *root)
{
	struct config config = {0};
	struct report report;

	report_init(&report);
	config_preset(&config);
	if (config_read(&config, root, &report) == 0) {
		config_judge(&config, &report);
		print_and_read_back(&config);
	} else {
		require(report_has_errors(&report));
	}
	config_clear(&config);
	report_clear(&report);
}

static void dial(const struct number_plan *plan, const struct trunk_set *trunks)
{
	static const char *const dialled[] = {
		"+12025550100", "0012025550100", "(202) 555-0100", "011 44 20 7946 0000", "*", ""};
	unsigned index[NUMBER_PLAN_TRUNKS_MAX];
	char number[NUMBER_SIZE];

	for (size_t i = 0; i < sizeof(dialled) / sizeof(dialled[0]); i++) {
		if (number_plan_normalise(plan, str_from(dialled[i]), number) < 0)
			continue;
		int n = number_plan_route(plan, number, index);

		require(n <= NUMBER_PLAN_TRUNKS_MAX);
		require(number_plan_allows(plan, number) || n == -EACCES);
		for (int k = 0; k < n; k++)
			require(index[k] < trunks->count);
	}
	for (size_t i = 0; i < number_plan_count(plan); i++) {
		const struct number_entry *e = number_plan_at(plan, i);

		require(e->trunk >= -1 && e->trunk < (int)trunks->count);
		require(number_plan_is_ours(plan, e->number));
	}
}

static void read_trunks(const struct yml_node *root)
{
	struct trunk_set *trunks = NULL;
	struct number_plan *plan = NULL;
	struct peer_media media;
	struct report report;

	peer_media_preset(&media);
	report_init(&report);
	if (trunk_set_load(yml_get(root, "trunks"), &media, &report, &trunks) == 0) {
		for (unsigned i = 0; i < trunks->count; i++) {
			require(trunk_find(trunks, str_from(trunks->trunks[i].name)) >= 0);
			trunk_gateway_choose(&trunks->trunks[i], 0);
			require(trunks->trunks[i].media.codec_count > 0);
		}
		if (number_plan_load(yml_get(root, "number_plan"), yml_get(root, "numbers"), trunks,
			    &report, &plan) == 0)
			dial(plan, trunks);
		else
			require(report_has_errors(&report));
	} else {
		require(report_has_errors(&report));
	}
	number_plan_free(plan);
	trunk_set_free(trunks);
	report_clear(&report);
}

static void use(const struct resources *resources)
{
	static const int64_t instants[] = {0, -1, 1700000000, INT32_MAX, INT64_C(253402300799)};

	for (uint32_t i = 0; i < resources_count(resources, RESOURCE_HOURS); i++) {
		const struct resource_hours *row =
			(const struct resource_hours *)resources_row(resources, RESOURCE_HOURS, i);

		for (size_t k = 0; k < sizeof(instants) / sizeof(instants[0]); k++)
			hours_is_open(&row->hours, instants[k]);
	}
	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++)
		for (uint32_t i = 0; i < resources_count(resources, (enum resource_kind)kind);
			i++) {
			const struct resource *row =
				resources_row(resources, (enum resource_kind)kind, i);

			require(resources_find(resources, (enum resource_kind)kind, row->name,
					RESOURCE_BY_NAME) == row);
		}
}

static void read_resources(struct files *files)
{
	const struct resource_files_config config = {"eu-central-1", "111122223333",
		"aaaaaaaa-1111-2222-3333-444444444444", read_zone, files};
	struct resource_files *reader;
	struct resources *resources;
	struct report report;

	report_init(&report);
	require(resource_files_create(&config, &reader) == 0);
	for (unsigned i = 0; i < files->n; i++)
		for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++)
			if (yml_get(yml_root(files->docs[i]), sections[kind]))
				require(resource_files_add(reader, (enum resource_kind)kind,
						files->docs[i]) == 0);
	if (resource_files_finish(reader, &report, &resources) == 0) {
		use(resources);
		resources_destroy(resources);
	} else {
		require(report_has_errors(&report));
	}
	resource_files_destroy(reader);
	report_clear(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct files files = {0};

	split(&files, bytes, length);
	for (unsigned i = 0; i < files.n; i++) {
		read_options(yml_root(files.docs[i]));
		read_trunks(yml_root(files.docs[i]));
	}
	read_resources(&files);
	for (unsigned i = 0; i < files.n; i++)
		yml_destroy(files.docs[i]);
	return 0;
}
