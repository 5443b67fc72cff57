/* SPDX-License-Identifier: Apache-2.0 */
/* Which file a URI of a flow means, and that none of them leaves the directory. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "contact/media_files.h"
#include "support.h"

static void expect_name(const char *uri, const char *expected)
{
	char wrong[CLIPS_REASON_SIZE];
	struct str name;

	assert_int_equal(media_files_name(str_from(uri), wrong, &name), 0);
	assert_true(str_equal_text(name, expected));
}

static void expect_refused(struct str uri, const char *mention)
{
	char wrong[CLIPS_REASON_SIZE] = "";
	struct str name = STR("untouched");

	assert_int_equal(media_files_name(uri, wrong, &name), -EINVAL);
	assert_true(str_equal_text(name, "untouched"));
	assert_non_null(strstr(wrong, mention));
}

static void a_uri_is_bucket_and_key(void **state)
{
	expect_name("s3://bucket/key.wav", "bucket/key.wav");
	expect_name("s3://my.bucket-1/a/b c/Grüße.wav", "my.bucket-1/a/b c/Grüße.wav");
	expect_name("s3://bucket/%2e%2e/%2Fx.wav", "bucket/%2e%2e/%2Fx.wav");
	expect_name("s3://bucket/...", "bucket/...");
	expect_name("s3://bucket/a?versionId=1", "bucket/a?versionId=1");
}

static void hostile_uris_are_refused(void **state)
{
	static const char *const uris[] = {"", "s3:", "s3://", "s3:///", "s3:///x", "s3://b",
		"s3://b/", "s3://b//x", "s3://b/../x", "s3://../etc/passwd", "s3://b/x/..",
		"s3://b/./x", "s3://./x", "s3://b/x/", "S3://b/x", "https://b/x.wav",
		"file:///etc/passwd", "/etc/passwd", "../x", " s3://b/x"};
	char longest[CLIPS_SOURCE_MAX + 2] = "s3://b/";

	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
		expect_refused(str_from(uris[i]), "expected s3://BUCKET/KEY");
	expect_refused(STR("s3://b/x\0.wav"), "control");
	expect_refused(STR("s3://b/x\n2026 error"), "control");
	expect_refused(STR("s3://b/\x7fx"), "control");
	memset(longest + 7, 'x', sizeof(longest) - 8);
	expect_refused(str_from(longest), "at most");
	longest[CLIPS_SOURCE_MAX] = '\0';
	expect_name(longest, longest + 5);
}

static void without_a_directory_the_option_is_named(void **state)
{
	char wrong[CLIPS_REASON_SIZE];
	struct clip *clip = NULL;

	assert_int_equal(media_files_clip(NULL, "", STR("s3://b/x.wav"), wrong, &clip), -ENOENT);
	assert_non_null(strstr(wrong, "media.files"));
	assert_non_null(strstr(wrong, "b/x.wav"));
	assert_int_equal(media_files_clip(NULL, "", STR("s3://b"), wrong, &clip), -EINVAL);
	assert_null(clip);
}

static void expect_open(const char *directory, const char *name, int expected)
{
	int fd = file_open_below(directory, name);

	if (fd >= 0)
		close(fd);
	assert_int_equal(fd < 0 ? fd : 0, expected);
}

static void links_that_lead_out_are_not_followed(void **state)
{
	char top[] = "/tmp/cordboard-media-XXXXXX", directory[64], linked[64];

	assert_non_null(mkdtemp(top));
	snprintf(directory, sizeof(directory), "%s/files", top);
	snprintf(linked, sizeof(linked), "%s/linked", top);
	shell("mkdir -p %s/b %s/filesx && touch %s/b/x %s/secret %s/filesx/x", directory, top,
		directory, top, top);
	shell("ln -s %s %s && ln -s x %s/b/in && ln -s %s/b/x %s/b/absolute", directory, linked,
		directory, directory, directory);
	shell("ln -s ../../secret %s/b/out && ln -s %s %s/up && ln -s ../filesx %s/near", directory,
		top, directory, directory);
	shell("ln -s loop %s/b/loop", directory);
	expect_open(directory, "b/x", 0);
	expect_open(directory, "b/in", 0);
	expect_open(directory, "b/absolute", 0);
	expect_open(linked, "b/x", 0);
	expect_open("/", "dev/null", 0);
	expect_open(directory, "b/out", -EXDEV);
	expect_open(directory, "up/secret", -EXDEV);
	expect_open(directory, "near/x", -EXDEV);
	expect_open(directory, "../secret", -EXDEV);
	expect_open(directory, "b/loop", -ELOOP);
	expect_open(directory, "b/none", -ENOENT);
	expect_open("/nowhere", "b/x", -ENOENT);
	shell("rm -r %s", top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uri_is_bucket_and_key),
		cmocka_unit_test(hostile_uris_are_refused),
		cmocka_unit_test(without_a_directory_the_option_is_named),
		cmocka_unit_test(links_that_lead_out_are_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
