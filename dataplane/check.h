/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CHECK(condition): an invariant of our own, checked in every build. A failure prints its place and
 * aborts. Never used on what a packet, a file or the shared segment says.
 */
#ifndef DATAPLANE_CHECK_H
#define DATAPLANE_CHECK_H

_Noreturn void check_failed(const char *condition, const char *file, int line);

#define CHECK(condition)                                              \
	do {                                                          \
		if (__builtin_expect(!(condition), 0))                \
			check_failed(#condition, __FILE__, __LINE__); \
	} while (0)

#endif
