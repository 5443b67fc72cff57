/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload: takes the instance directory over while calls run, all or nothing, with a change of quick
 * connects or as it is.
 *
 *     reload_begin()   on the loop
 *       |
 *       v              on the offload thread: changed text, options, instance_load(); when all is
 *     read, judged     good the changed text goes to instance.d/ in one step
 *       |
 *       v              on the loop: router, trunks, phones; calls go on
 *     in force         -> done()
 *
 * What is refused leaves the directory and what runs as they were. One at a time, and none while a
 * draft is being published: instance->changing.
 */
#ifndef CONTACT_RELOAD_H
#define CONTACT_RELOAD_H

#include "contact/quick_connect_change.h"
#include "contact/switchboard.h"

/* 0: the instance is in force; else a negative errno and what is wrong in the report. */
typedef void reload_done(void *ctx, int rc, const struct report *report);

/*
 * Takes the change (NULL: none), also on failure. `done` is called once, later. At once: -EBUSY
 * another change is under way, -ENOBUFS, -ENOMEM.
 */
int reload_begin(struct switchboard *board, struct quick_connect_change *change, reload_done *done,
	void *ctx);

#endif
