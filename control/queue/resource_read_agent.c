/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "queue/resource_read.h"

enum { PHONE_TEXT_MAX = 255 };

static const char *const proficiency_keys[] = {"attribute", "value", "level", NULL};
static const char *const phone_keys[] = {
	"kind", "register", "address", "password", "password_file", "codecs", NULL};
static const char *const phone_kinds[] = {"ring", "panel", NULL};

static bool phone_user_valid(const char *user)
{
	for (const char *c = user; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.+", *c))
			return false;
	return true;
}

static void read_register(
	struct resource_reader *reader, const struct yml_node *phone, struct resource_agent *agent)
{
	const struct yml_node *node = yml_get(phone, "register");

	if (resource_read_string(reader, phone, "register", YML_REQUIRED, RESOURCE_ID_MAX,
		    &agent->phone_register))
		return;
	resource_read_refuse_key(reader, phone, "address", "\"register\"");
	resource_read_string(
		reader, phone, "password", YML_OPTIONAL, PHONE_TEXT_MAX, &agent->phone_password);
	resource_read_string(reader, phone, "password_file", YML_OPTIONAL, RESOURCE_PATH_MAX,
		&agent->phone_password_file);
	if (!yml_get(phone, "password") == !yml_get(phone, "password_file"))
		yml_report(reader->report, phone, REPORT_ERROR,
			"expected either \"password\" or \"password_file\" with \"register\"");
	if (!phone_user_valid(agent->phone_register))
		yml_report(reader->report, node, REPORT_ERROR,
			"expected letters, digits and -_.+ only, found \"%s\"",
			agent->phone_register);
	else if (map_put_str(&reader->resources->phones, str_from(agent->phone_register), agent))
		yml_report(reader->report, node, REPORT_ERROR,
			"expected a name that no other phone registers, found \"%s\" again",
			agent->phone_register);
}

static void read_address(
	struct resource_reader *reader, const struct yml_node *phone, struct resource_agent *agent)
{
	resource_read_refuse_key(reader, phone, "password", "\"address\"");
	resource_read_refuse_key(reader, phone, "password_file", "\"address\"");
	if (resource_read_string(
		    reader, phone, "address", YML_REQUIRED, PHONE_TEXT_MAX, &agent->phone_uri))
		return;
	if ((strncmp(agent->phone_uri, "sip:", 4) != 0 &&
		    strncmp(agent->phone_uri, "sips:", 5) != 0) ||
		strpbrk(agent->phone_uri, " \t\r\n<>\"") != NULL)
		yml_report(reader->report, yml_get(phone, "address"), REPORT_ERROR,
			"expected a SIP address like sip:arossi@192.0.2.10, found \"%s\"",
			agent->phone_uri);
}

static void read_phone(
	struct resource_reader *reader, const struct yml_node *node, struct resource_agent *agent)
{
	const struct yml_node *phone;
	int kind = RESOURCE_PHONE_RING;

	agent->phone_register = agent->phone_uri = "";
	agent->phone_password = agent->phone_password_file = "";
	if (reader->config->media)
		agent->media = *reader->config->media;
	else
		peer_media_preset(&agent->media);
	if (yml_read_mapping(reader->report, node, "phone", YML_REQUIRED, &phone))
		return;
	peer_media_read(&agent->media, phone, phone_keys, reader->report);
	yml_read_choice(reader->report, phone, "kind", YML_REQUIRED, phone_kinds, &kind);
	agent->phone_kind = (enum resource_phone_kind)kind;
	if (yml_get(phone, "register"))
		read_register(reader, phone, agent);
	else if (yml_get(phone, "address"))
		read_address(reader, phone, agent);
	else
		yml_report(reader->report, phone, REPORT_ERROR,
			"expected either \"register\" or \"address\"");
}

static bool has_proficiency(const struct resource_proficiency *list, uint32_t count,
	const struct resource_proficiency *one)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(list[i].attribute, one->attribute) == 0 &&
			strcmp(list[i].value, one->value) == 0)
			return true;
	return false;
}

static void read_proficiency(struct resource_reader *reader, const struct yml_node *node,
	struct resource_proficiency *list, uint32_t *count)
{
	struct resource_proficiency one = {.attribute = "", .value = ""};

	if (yml_expect(reader->report, node, YML_MAPPING))
		return;
	yml_only_keys(reader->report, node, proficiency_keys);
	resource_read_string(reader, node, "attribute", YML_REQUIRED, RESOURCE_PROFICIENCY_TEXT_MAX,
		&one.attribute);
	resource_read_string(
		reader, node, "value", YML_REQUIRED, RESOURCE_PROFICIENCY_TEXT_MAX, &one.value);
	resource_read_u32(
		reader, node, "level", YML_REQUIRED, 1, RESOURCE_PROFICIENCY_LEVEL_MAX, &one.level);
	if (has_proficiency(list, *count, &one))
		yml_report(reader->report, node, REPORT_ERROR,
			"expected each value of an attribute once, found \"%s\" of \"%s\" again",
			one.value, one.attribute);
	else
		list[(*count)++] = one;
}

static void read_proficiencies(
	struct resource_reader *reader, const struct yml_node *node, struct resource_agent *agent)
{
	struct resource_proficiency *rows;
	const struct yml_node *list;

	if (yml_read_sequence(reader->report, node, "proficiencies", YML_OPTIONAL, &list) ||
		!resource_read_size_fits(reader, list, RESOURCE_PROFICIENCIES_MAX))
		return;
	rows = resource_read_alloc(reader, (yml_size(list) + 1) * sizeof(*rows));
	if (!rows)
		return;
	for (size_t i = 0; i < yml_size(list); i++)
		read_proficiency(reader, yml_at(list, i), rows, &agent->proficiency_count);
	agent->proficiencies = rows;
}

void resource_read_agent(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	struct resource_agent *agent = (struct resource_agent *)row;

	agent->first_name = agent->last_name = "";
	resource_read_string(
		reader, node, "first_name", YML_REQUIRED, RESOURCE_NAME_MAX, &agent->first_name);
	resource_read_string(
		reader, node, "last_name", YML_REQUIRED, RESOURCE_NAME_MAX, &agent->last_name);
	agent->routing_profile = resource_read_reference(
		reader, node, "routing_profile", YML_REQUIRED, RESOURCE_ROUTING_PROFILE);
	agent->security_profile = resource_read_reference(
		reader, node, "security_profile", YML_REQUIRED, RESOURCE_SECURITY_PROFILE);
	resource_read_u32(reader, node, "after_contact_seconds", YML_OPTIONAL, 0,
		RESOURCE_ACW_MAX_S, &agent->acw_timeout_s);
	read_proficiencies(reader, node, agent);
	read_phone(reader, node, agent);
	agent->queue_arn = resources_make_arn(reader->resources, "queue/agent", row->id);
	if (!agent->queue_arn || map_put_str(&reader->resources->queue_arns,
					 str_from(agent->queue_arn), agent) == -ENOMEM)
		reader->no_memory = true;
}
