/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 16384u

struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	alignas(max_align_t) char bytes[];
};

struct flow_arena {
	struct chunk *chunks;
	bool failed;
};

struct flow_arena *flow_arena_new(void)
{
	return calloc(1, sizeof(struct flow_arena));
}

void flow_arena_free(struct flow_arena *arena)
{
	if (arena == NULL)
		return;
	while (arena->chunks != NULL) {
		struct chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
	free(arena);
}

static void *fail(struct flow_arena *arena)
{
	arena->failed = true;
	return NULL;
}

static struct chunk *add_chunk(struct flow_arena *arena, size_t need)
{
	size_t size = need > CHUNK_SIZE ? need : CHUNK_SIZE;
	struct chunk *chunk = malloc(sizeof(*chunk) + size);

	if (chunk == NULL)
		return NULL;
	chunk->next = arena->chunks;
	chunk->used = 0;
	chunk->size = size;
	arena->chunks = chunk;
	return chunk;
}

void *flow_arena_take(struct flow_arena *arena, size_t count, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct chunk *chunk = arena->chunks;
	size_t need;
	void *piece;

	if (__builtin_mul_overflow(count, size, &need) || need > SIZE_MAX / 2)
		return fail(arena);
	need = need == 0 ? align : (need + align - 1) & ~(align - 1);
	if (chunk == NULL || chunk->size - chunk->used < need) {
		chunk = add_chunk(arena, need);
		if (chunk == NULL)
			return fail(arena);
	}
	piece = chunk->bytes + chunk->used;
	chunk->used += need;
	memset(piece, 0, need);
	return piece;
}

char *flow_arena_text(struct flow_arena *arena, const char *text, size_t length)
{
	char *copy = flow_arena_take(arena, length + 1, 1);

	if (copy != NULL)
		memcpy(copy, text, length);
	return copy;
}

char *flow_arena_copy(struct flow_arena *arena, const char *text)
{
	return flow_arena_text(arena, text, strlen(text));
}

char *flow_arena_printf(struct flow_arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		return fail(arena);
	char *copy = flow_arena_text(arena, text, (size_t)length);
	free(text);
	return copy;
}

bool flow_arena_failed(const struct flow_arena *arena)
{
	return arena->failed;
}
