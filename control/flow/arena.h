/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h: memory of one flow: many small pieces, given back all at once. Pieces are zeroed and
 * aligned for any type. Allocation fails only with the machine's memory; a failure sticks, so that
 * a reader may check once at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct flow_arena;

/* NULL without memory. */
struct flow_arena *flow_arena_new(void);
/* Takes NULL. */
void flow_arena_free(struct flow_arena *arena);

/* `count` pieces of `size` bytes, zeroed; NULL without memory. Never NULL for count 0. */
void *flow_arena_take(struct flow_arena *arena, size_t count, size_t size);
/* A terminated copy of `length` bytes. */
char *flow_arena_text(struct flow_arena *arena, const char *text, size_t length);
/* A terminated copy. */
char *flow_arena_copy(struct flow_arena *arena, const char *text);
/* printf into the arena. */
__attribute__((format(printf, 2, 3))) char *flow_arena_printf(
	struct flow_arena *arena, const char *format, ...);

/* True once any allocation has failed. */
bool flow_arena_failed(const struct flow_arena *arena);
