/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CHECK(cond): our own invariants, in release builds too.
 *
 * A failed check prints `file:line: check failed: cond` to stderr and aborts. Never use it on bytes
 * from the network, on files, on admin requests or on ring contents: count and refuse those.
 */
#pragma once

#define CHECK(cond)                                              \
	do {                                                     \
		if (__builtin_expect(!(cond), 0))                \
			check_failed(__FILE__, __LINE__, #cond); \
	} while (0)

__attribute__((noreturn, cold)) void check_failed(const char *file, int line, const char *what);
