/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quick_connect_change: one change of quick connects over the admin socket, as an edit of the
 * document that keeps them all (INSTANCE_CHANGES; queue/resource_files.h has its shape). Pure:
 * text in, text out; what the text means is judged where it is loaded.
 */
#ifndef CONTACT_QUICK_CONNECT_CHANGE_H
#define CONTACT_QUICK_CONNECT_CHANGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define QUICK_CONNECT_CHANGE_WHY_SIZE 300

enum quick_connect_change_kind {
	QUICK_CONNECT_PUT,    /* `row`, whose id is new or that of the one it stands for */
	QUICK_CONNECT_REMOVE, /* `id`, also from all queues */
	QUICK_CONNECT_ATTACH, /* `ids` to `queue` */
	QUICK_CONNECT_DETACH, /* `ids` from `queue` */
};

/* Owned JSON; all ids in full, none of them a name. */
struct quick_connect_change {
	enum quick_connect_change_kind kind;
	json_t *row;  /* PUT */
	json_t *id;   /* REMOVE */
	bool in_file; /* REMOVE: the instance's files have it */
	json_t *queue, *ids;
};

void quick_connect_change_clear(struct quick_connect_change *change);

/*
 * The document after a change. `text` is the one before, or NULL; *out is to be freed. -EINVAL: the
 * document is none, and `why` says where; -ENOMEM.
 */
int quick_connect_change_apply(const struct quick_connect_change *change, const char *text,
	char **out, char why[QUICK_CONNECT_CHANGE_WHY_SIZE]);

#endif
