/* SPDX-License-Identifier: Apache-2.0 */
/* A loop, a helper and a directory for the tests of the store. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"

static char directory[64];
static char path[128];
static struct loop *loop;
static struct offload *offload;

static inline int bench_remove_one(
	const char *name, const struct stat *st, int type, struct FTW *where)
{
	if (where->level > 0)
		remove(name);
	return 0;
}

/* All that is in the directory. */
static inline void bench_remove(void)
{
	nftw(directory, bench_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int set_up(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/cordboard-store-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file.db", directory);
	log_set_level(LOG_LEVEL_ERROR + 1);
	assert_int_equal(loop_create(NULL, &loop), 0);
	return offload_create(loop, 0, &offload);
}

static inline int tear_down(void **state)
{
	offload_destroy(offload);
	offload = NULL;
	loop_destroy(loop);
	bench_remove();
	rmdir(directory);
	return 0;
}

/* The helper goes first at the end of a life of the store. */
static inline void helper_restart(void)
{
	offload_destroy(offload);
	assert_int_equal(offload_create(loop, 0, &offload), 0);
}

/* The limit on the size of a file stands for a disk that is full. */
static inline void disk_takes(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#define UNTIL(condition)                                    \
	do {                                                \
		uint64_t end_ = clock_now() + 10 * CLOCK_S; \
		while (!(condition) && clock_now() < end_)  \
			loop_step(loop, CLOCK_MS);          \
		assert_true(condition);                     \
	} while (0)
