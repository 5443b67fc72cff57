/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One helper thread for work that would hold up the loop: decode, resample, encode, SQLite batches,
 * parsing for reload.
 *
 * A job is a value: `work(job)` runs on the helper and may touch nothing but the job; `done(job)`
 * runs later on the loop, in the order of submission. Nothing of call state is shared.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define OFFLOAD_JOBS_DEFAULT 4096

struct loop;
struct offload;

/* At most `max` jobs between submission and done (0: the default). */
int offload_create(struct loop *loop, unsigned max, struct offload **out);
/*
 * Lets the job that runs finish; those that wait are not worked on. `done` is called for every job
 * left over, here, so that it can release what the job holds; offload_cancelled() is true then.
 * NULL is fine. Not from inside a `done`.
 */
void offload_destroy(struct offload *o);
/* -ENOBUFS when full; the job stays the caller's then. From the loop's thread only. */
int offload_submit(struct offload *o, void (*work)(void *job), void (*done)(void *job), void *job);
/*
 * For what takes long to free, as many megabytes do: `release(thing)` runs on the helper, behind what it
 * has to do already, and nothing comes back. With as many as `max` of these waiting it runs here.
 */
void offload_release(struct offload *o, void (*release)(void *thing), void *thing);
/* True inside offload_destroy(): the work of this job may not have been done. */
int offload_cancelled(const struct offload *o);
/* Jobs between submission and done. */
unsigned offload_pending(const struct offload *o);
