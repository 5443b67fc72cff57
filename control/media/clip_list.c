/* SPDX-License-Identifier: Apache-2.0 */
#include "media/clip_list.h"

#include <stdlib.h>

#include "base/check.h"

struct clip_list *clip_list_new(struct clip *const *clips, unsigned n)
{
	struct clip_list *list = malloc(sizeof(*list) + n * sizeof(list->clips[0]));

	if (!list) {
		for (unsigned i = 0; i < n; i++)
			clip_release(clips[i]);
		return NULL;
	}
	list->refs = 1;
	list->n = n;
	for (unsigned i = 0; i < n; i++)
		list->clips[i] = clips[i];
	return list;
}

struct clip_list *clip_list_hold(struct clip_list *list)
{
	list->refs++;
	return list;
}

void clip_list_release(struct clip_list *list)
{
	if (!list)
		return;
	CHECK(list->refs > 0);
	if (--list->refs)
		return;
	for (unsigned i = 0; i < list->n; i++)
		clip_release(list->clips[i]);
	free(list);
}
