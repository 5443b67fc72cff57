/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clip_list: clips to be played one after the other. It does not change; those who play it share it by
 * holding it.
 */
#pragma once

#include "media/clips.h"

struct clip_list {
	unsigned refs;
	unsigned n;
	struct clip *clips[]; /* held */
};

/* Held for the caller, and takes over the holds of the clips; without memory lets go of them: NULL. */
struct clip_list *clip_list_new(struct clip *const *clips, unsigned n);
struct clip_list *clip_list_hold(struct clip_list *list);
/* NULL is fine. */
void clip_list_release(struct clip_list *list);
