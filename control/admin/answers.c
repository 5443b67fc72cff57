/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void answers_init(struct answers *a)
{
	*a = (struct answers){.max = ANSWERS_MAX, .bytes_max = ANSWERS_BYTES_MAX};
	a->last = &a->first;
	map_init(&a->map, NULL, 0);
}

static void drop(struct answers *a, struct answer *one)
{
	map_remove(&a->map, one->key, one->key_n);
	*one->back = one->next;
	if (one->next)
		one->next->back = one->back;
	else
		a->last = one->back;
	a->bytes -= one->bytes;
	free(one->key);
	free(one->text);
	free(one);
}

void answers_clear(struct answers *a)
{
	while (a->first)
		drop(a, a->first);
	map_clear(&a->map);
}

/* One life for all, so the oldest is always the first to go. */
static void forget_old(struct answers *a, uint64_t now_ns)
{
	while (a->first && (a->first->until_ns <= now_ns || map_count(&a->map) >= a->max ||
				   a->bytes > a->bytes_max))
		drop(a, a->first);
}

static int add(struct answers *a, const void *key, size_t key_n, uint64_t call, uint64_t now_ns)
{
	struct answer *one = calloc(1, sizeof(*one));

	if (one)
		one->key = malloc(key_n + 1);
	if (!one || !one->key || map_put(&a->map, memcpy(one->key, key, key_n), key_n, one) < 0) {
		free(one ? one->key : NULL);
		free(one);
		return -ENOMEM;
	}
	one->key_n = key_n;
	one->call = call;
	one->until_ns = now_ns + ANSWERS_KEEP_NS;
	one->bytes = sizeof(*one) + key_n;
	one->back = a->last;
	*a->last = one;
	a->last = &one->next;
	a->bytes += one->bytes;
	return 0;
}

int answers_begin(struct answers *a, const void *key, size_t key_n, uint64_t call, uint64_t now_ns,
	const char **text)
{
	const struct answer *one;

	forget_old(a, now_ns);
	one = map_get(&a->map, key, key_n);
	if (!one)
		return add(a, key, key_n, call, now_ns);
	if (one->call != call)
		return -EEXIST;
	if (!one->text)
		return -EINPROGRESS;
	*text = one->text;
	return 1;
}

void answers_end(struct answers *a, const void *key, size_t key_n, const char *text)
{
	struct answer *one = map_get(&a->map, key, key_n);

	if (!one || one->text)
		return;
	one->text = text ? strdup(text) : NULL;
	if (!one->text) {
		drop(a, one);
		return;
	}
	one->bytes += strlen(text);
	a->bytes += strlen(text);
}
