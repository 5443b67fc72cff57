/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define EXAMPLE CORDBOARD_SOURCE "/scripts/instance"

void shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

int fixture_set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->directory, sizeof(f->directory), "/tmp/cordboard-instance-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	shell("cp -rL " EXAMPLE "/. %s && rm -rf %s/instance.d", f->directory, f->directory);
	report_init(&f->report);
	*state = f;
	return 0;
}

int fixture_tear_down(void **state)
{
	struct fixture *f = *state;

	instance_destroy(f->instance);
	config_clear(&f->config);
	report_clear(&f->report);
	shell("rm -rf %s", f->directory);
	free(f);
	return 0;
}

static int load(struct fixture *f, const struct instance *previous)
{
	struct instance *fresh = NULL;
	int rc;

	report_clear(&f->report);
	report_init(&f->report);
	config_clear(&f->config);
	rc = instance_read_config(f->directory, &f->config, &f->report);
	if (rc == 0)
		rc = instance_load(f->directory, &f->config, previous, NULL, &f->report, &fresh);
	if (rc == 0) {
		instance_destroy(f->instance);
		f->instance = fresh;
	}
	return rc;
}

int fixture_load(struct fixture *f)
{
	return load(f, NULL);
}

int fixture_reload(struct fixture *f)
{
	return load(f, f->instance);
}

void change(struct fixture *f, const char *file, const char *from, const char *to)
{
	shell("grep -q '%s' %s/%s", from, f->directory, file);
	shell("sed -i 's|%s|%s|' %s/%s", from, to, f->directory, file);
}

void expect_mention(struct fixture *f, const char *first, const char *second)
{
	if (report_mentions(&f->report, REPORT_ERROR, first) &&
		report_mentions(&f->report, REPORT_ERROR, second))
		return;
	report_print(&f->report, stderr);
	fail_msg("no error names '%s' and '%s'", first, second);
}
