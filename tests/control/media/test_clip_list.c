/* SPDX-License-Identifier: Apache-2.0 */
/* The clips of a list are held as long as anybody holds the list. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "media/clip_list.h"

static char clip[3];
static unsigned released;

void __wrap_clip_release(struct clip *c);
void __wrap_clip_release(struct clip *c)
{
	assert_ptr_equal(c, &clip[released++]);
}

static void the_last_holder_lets_go_of_the_clips(void **state)
{
	struct clip *clips[] = {
		(struct clip *)&clip[0], (struct clip *)&clip[1], (struct clip *)&clip[2]};
	struct clip_list *list = clip_list_new(clips, 3);

	assert_non_null(list);
	assert_int_equal(list->n, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(list->clips[i], clips[i]);
	assert_ptr_equal(clip_list_hold(list), list);
	clip_list_release(list);
	assert_int_equal(released, 0);
	clip_list_release(list);
	assert_int_equal(released, 3);
	clip_list_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_holder_lets_go_of_the_clips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
