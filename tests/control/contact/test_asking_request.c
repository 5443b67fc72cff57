/* SPDX-License-Identifier: Apache-2.0 */
/* What functions and services are asked, member by member. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contact/asking.h"
#include "contact/switchboard.h"
#include "support.h"

#define CALL "11111111-2222-3333-4444-555555555555"

static struct {
	struct fixture *f;
	struct timers timers;
	struct switchboard board;
	struct contact contact;
	struct leg leg;
	struct treatment treatment;
} t;

static int set_up(void **state)
{
	struct router_config config = {.contacts_max = 10, .instance_limit = 10};

	memset(&t, 0, sizeof(t));
	if (fixture_set_up(state) != 0 || fixture_load(*state) != 0)
		return -1;
	t.f = *state;
	timers_init(&t.timers, 0);
	t.board.config = &t.f->config;
	t.board.instance = t.f->instance;
	t.contact.board = &t.board;
	t.contact.target_queue = t.contact.customer_queue = ROUTER_NONE;
	t.contact.segment.agent = t.contact.offer_agent = ROUTER_NONE;
	t.contact.segment.method = CONTACT_METHOD_INBOUND;
	snprintf(t.contact.segment.id, sizeof(t.contact.segment.id), CALL);
	snprintf(t.contact.segment.initial, sizeof(t.contact.segment.initial), CALL);
	t.leg.contact = &t.contact;
	t.leg.treatment = &t.treatment;
	t.treatment.contact = &t.contact;
	t.treatment.leg = &t.leg;
	t.treatment.context.memory = &t.contact.memory;
	t.treatment.run.role = FLOW_TYPE_INBOUND;
	return router_create(&config, &t.timers, t.f->instance->resources, 0, &t.board.router);
}

static int tear_down(void **state)
{
	flow_memory_clear(&t.contact.memory);
	contact_data_clear(&t.contact.data);
	router_destroy(t.board.router);
	timers_clear(&t.timers);
	return fixture_tear_down(state);
}

/* A text of the request, by its path; "(null)" where it says null, "(none)" without the member. */
static const char *text_at(const json_t *root, const char *path)
{
	char copy[128], *rest = copy, *name;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((name = strsep(&rest, "/")))
		root = json_object_get(root, name);
	if (!root)
		return "(none)";
	return json_is_null(root) ? "(null)" : json_string_value(root);
}

static json_t *ask_function(const struct attribute *inputs, size_t n)
{
	struct flow_effect effect = {.type = FLOW_EFFECT_INVOKE_LAMBDA};
	json_t *root;

	effect.lambda.inputs = inputs;
	effect.lambda.count = n;
	root = asking_function_request(&t.treatment, &effect);
	assert_non_null(root);
	return root;
}

#define DATA "Details/ContactData/"

/* The whole event of a contact that has just come in and knows nothing yet. */
static void what_a_contact_does_not_have_is_null(void **state)
{
	static const char *const nulls[] = {"CustomerEndpoint", "CustomerId", "Description", "Name",
		"PreviousContactId", "Queue", "SystemEndpoint", "MediaStreams/Customer/Audio"};
	static const char *const empty[] = {"Attributes", "References", "Tags"};
	json_t *root = ask_function(NULL, 0), *data;

	data = json_object_get(json_object_get(root, "Details"), "ContactData");
	assert_int_equal(
		json_object_size(json_object_get(json_object_get(root, "Details"), "Parameters")),
		0);
	assert_string_equal(text_at(root, "Name"), "ContactFlowEvent");
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		assert_string_equal(text_at(data, nulls[i]), "(null)");
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		assert_true(json_is_object(json_object_get(data, empty[i])));
		assert_int_equal(json_object_size(json_object_get(data, empty[i])), 0);
	}
	assert_string_equal(text_at(root, DATA "Channel"), "VOICE");
	assert_string_equal(text_at(root, DATA "ContactId"), CALL);
	assert_string_equal(text_at(root, DATA "InitialContactId"), CALL);
	assert_string_equal(text_at(root, DATA "InitiationMethod"), "INBOUND");
	assert_string_equal(text_at(root, DATA "LanguageCode"), "en-US");
	assert_string_equal(text_at(root, DATA "InstanceARN"), instance_arn(t.f->instance));
	json_decref(root);
}

static void all_that_a_contact_has_goes_along(void **state)
{
	const struct attribute inputs[] = {{"order", "1043"}, {"empty", ""}};
	const struct attribute tag = {"team", "blue"};
	json_t *root;

	attributes_set(&t.contact.memory.attributes, "way", "n\"orth\n");
	contact_data_set(&t.contact, "References.ticket", "T-1");
	contact_data_set(&t.contact, "CustomerId", "c-7");
	contact_data_set(&t.contact, "Name", "Parcel");
	contact_data_tag(&t.contact.data, &tag, 1);
	snprintf(t.contact.customer_number, sizeof(t.contact.customer_number), "+12025550199");
	snprintf(t.contact.system_number, sizeof(t.contact.system_number), "+12025550100");
	t.contact.target_queue = router_find_queue(t.board.router, "Orders", RESOURCE_BY_NAME);
	root = ask_function(inputs, 2);
	assert_string_equal(text_at(root, "Details/Parameters/order"), "1043");
	assert_string_equal(text_at(root, "Details/Parameters/empty"), "");
	assert_string_equal(text_at(root, DATA "Attributes/way"), "n\"orth\n");
	assert_string_equal(text_at(root, DATA "References/ticket/Value"), "T-1");
	assert_string_equal(text_at(root, DATA "Tags/team"), "blue");
	assert_string_equal(text_at(root, DATA "CustomerId"), "c-7");
	assert_string_equal(text_at(root, DATA "Name"), "Parcel");
	assert_string_equal(text_at(root, DATA "CustomerEndpoint/Address"), "+12025550199");
	assert_string_equal(text_at(root, DATA "CustomerEndpoint/Type"), "TELEPHONE_NUMBER");
	assert_string_equal(text_at(root, DATA "SystemEndpoint/Address"), "+12025550100");
	assert_string_equal(text_at(root, DATA "Queue/Name"), "Orders");
	assert_string_equal(
		text_at(root, DATA "Queue/ARN"), board_queue_arn(&t.board, t.contact.target_queue));
	assert_string_equal(text_at(root, DATA "Queue/OutboundCallerId/Address"), "+12025550101");
	assert_string_equal(text_at(root, DATA "Queue/OutboundCallerId/Type"), "TELEPHONE_NUMBER");
	json_decref(root);
}

/* Bytes that are no UTF-8 came from outside; the rest is asked without them. */
static void what_is_no_text_is_left_out(void **state)
{
	json_t *root;
	char *text;

	attributes_set(&t.contact.memory.attributes, "bad", "\xff\xfe");
	attributes_set(&t.contact.memory.attributes, "good", "x");
	root = ask_function(NULL, 0);
	assert_string_equal(text_at(root, DATA "Attributes/bad"), "(none)");
	assert_string_equal(text_at(root, DATA "Attributes/good"), "x");
	text = json_dumps(root, JSON_COMPACT);
	assert_non_null(text);
	free(text);
	json_decref(root);
}

static void a_service_is_told_action_and_parameters(void **state)
{
	const struct flow_action action = {.type = FLOW_ACTION_CREATE_TASK};
	const struct attribute inputs[] = {{"Name", "call back"}};
	struct flow_effect effect = {.type = FLOW_EFFECT_SERVICE, .action = &action};
	json_t *root;

	effect.service.inputs = inputs;
	effect.service.count = 1;
	root = asking_service_request(&t.treatment, &effect);
	assert_string_equal(text_at(root, "Name"), "ContactFlowService");
	assert_string_equal(text_at(root, "Details/Action"), "CreateTask");
	assert_string_equal(text_at(root, "Details/Parameters/Name"), "call back");
	assert_string_equal(text_at(root, DATA "ContactId"), CALL);
	assert_string_equal(text_at(root, "Details/InputTranscript"), "(none)");
	json_decref(root);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_a_contact_does_not_have_is_null),
		TEST(all_that_a_contact_has_goes_along),
		TEST(what_is_no_text_is_left_out),
		TEST(a_service_is_told_action_and_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
