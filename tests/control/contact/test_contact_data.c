/* SPDX-License-Identifier: Apache-2.0 */
/* Tags and references that flows write on a contact. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contact/contact.h"

static void tags_are_set_and_removed(void **state)
{
	const struct attribute first[] = {{"team", "blue"}, {"order", "1043"}};
	const struct attribute second[] = {{"team", NULL}, {"order", "1044"}, {"none", NULL}};
	struct contact_data data = {0}, copy;

	assert_int_equal(contact_data_tag(&data, first, 2), 0);
	contact_data_copy(&copy, &data);
	assert_int_equal(contact_data_tag(&data, second, 3), 0);
	assert_null(attributes_get(&data.tags, "team"));
	assert_string_equal(attributes_get(&data.tags, "order"), "1044");
	assert_int_equal(attributes_count(&data.tags), 1);
	assert_string_equal(attributes_get(&copy.tags, "team"), "blue");
	contact_data_clear(&data);
	contact_data_clear(&copy);
}

static void tags_beyond_the_rules_change_nothing(void **state)
{
	char name[CONTACT_TAG_NAME_MAX + 2], value[CONTACT_TAG_VALUE_MAX + 2];
	const struct attribute bad[][2] = {{{"new", "1"}, {"", "2"}},
		{{"new", "1"}, {"aws:x", "2"}}, {{"new", "1"}, {name, "2"}},
		{{"new", "1"}, {"x", value}}};
	struct contact_data data = {0};

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (unsigned i = 0; i < CONTACT_TAGS_MAX; i++) {
		char number[16];

		snprintf(number, sizeof(number), "tag%u", i);
		assert_int_equal(contact_data_tag(&data, &(struct attribute){number, "1"}, 1), 0);
	}
	assert_int_equal(contact_data_tag(&data, &(struct attribute){"one more", "1"}, 1), -E2BIG);
	assert_int_equal(contact_data_tag(&data, &(struct attribute){"tag1", "2"}, 1), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(contact_data_tag(&data, bad[i], 2), -EINVAL);
	assert_int_equal(attributes_count(&data.tags), CONTACT_TAGS_MAX);
	assert_null(attributes_get(&data.tags, "new"));
	contact_data_clear(&data);
}

static void contact_data_by_name(void **state)
{
	static struct contact contact;

	contact_data_set(&contact, "Name", "Parcel 1043");
	contact_data_set(&contact, "LanguageCode", "de-DE");
	contact_data_set(&contact, "CustomerId", "c-7");
	contact_data_set(&contact, "References.ticket", "T-1");
	contact_data_set(&contact, "References.mail.Type", "URL");
	contact_data_set(&contact, "References.mail.Value", "https://example.net/1");
	contact_data_set(&contact, "References.", "nothing");
	contact_data_set(&contact, "Unknown", "nothing");
	assert_string_equal(attributes_get(&contact.data.texts, "Name"), "Parcel 1043");
	assert_string_equal(contact.language, "de-DE");
	assert_string_equal(attributes_get(&contact.data.texts, "CustomerId"), "c-7");
	assert_string_equal(contact_data_voice(&contact), "de-DE");
	contact_text(contact.voice, sizeof(contact.voice), "Nobody");
	assert_string_equal(contact_data_voice(&contact), "de-DE");
	contact_text(contact.voice, sizeof(contact.voice), "Joanna");
	assert_string_equal(contact_data_voice(&contact), "Joanna");
	assert_string_equal(attributes_get(&contact.data.references, "ticket"), "T-1");
	assert_string_equal(
		attributes_get(&contact.data.references, "mail"), "https://example.net/1");
	assert_int_equal(attributes_count(&contact.data.references), 2);
	for (unsigned i = 0; i < 2 * CONTACT_REFERENCES_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "References.r%u", i);
		contact_data_set(&contact, name, "x");
	}
	assert_int_equal(attributes_count(&contact.data.references), CONTACT_REFERENCES_MAX);
	contact_data_clear(&contact.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_set_and_removed),
		cmocka_unit_test(tags_beyond_the_rules_change_nothing),
		cmocka_unit_test(contact_data_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
