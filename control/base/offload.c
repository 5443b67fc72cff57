/* SPDX-License-Identifier: Apache-2.0 */
#include "base/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/loop.h"

struct job {
	struct job *next;
	void (*work)(void *job);
	void (*done)(void *job); /* NULL: it does not come back */
	void *value;
};

struct jobs {
	struct job *first, **end;
};

struct offload {
	/* the loop's thread */
	struct loop_watch *watch;
	unsigned max, pending;
	bool cancelled;
	int wake;
	pthread_t thread;

	/* both, under the lock */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct jobs waiting, finished;
	unsigned releases; /* of those that wait or run */
	bool stop;
};

static void jobs_init(struct jobs *j)
{
	j->first = NULL;
	j->end = &j->first;
}

static void jobs_add(struct jobs *j, struct job *job)
{
	job->next = NULL;
	*j->end = job;
	j->end = &job->next;
}

static struct job *jobs_take(struct jobs *j)
{
	struct job *job = j->first;

	if (job) {
		j->first = job->next;
		if (!j->first)
			j->end = &j->first;
	}
	return job;
}

static void wake_loop(struct offload *o)
{
	uint64_t one = 1;

	/* Full means that the loop has plenty to read already. */
	while (write(o->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *help(void *ctx)
{
	struct offload *o = ctx;
	struct job *job;

	pthread_mutex_lock(&o->lock);
	while (!o->stop) {
		job = jobs_take(&o->waiting);
		if (!job) {
			pthread_cond_wait(&o->more, &o->lock);
			continue;
		}
		pthread_mutex_unlock(&o->lock);
		job->work(job->value);
		pthread_mutex_lock(&o->lock);
		if (job->done) {
			jobs_add(&o->finished, job);
			wake_loop(o);
		} else {
			o->releases--;
			free(job);
		}
	}
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

static void return_job(struct offload *o, struct job *job)
{
	o->pending--;
	job->done(job->value);
	free(job);
}

static void return_finished(void *ctx, uint64_t count)
{
	struct offload *o = ctx;
	struct jobs finished;

	pthread_mutex_lock(&o->lock);
	finished = o->finished;
	jobs_init(&o->finished);
	pthread_mutex_unlock(&o->lock);
	while (finished.first) {
		struct job *job = finished.first;

		finished.first = job->next;
		return_job(o, job);
	}
}

/* The helper must not be the thread that a signal meant for the loop lands on. */
static int start_thread(struct offload *o)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&o->thread, NULL, help, o);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int offload_create(struct loop *loop, unsigned max, struct offload **out)
{
	struct offload *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return -ENOMEM;
	o->max = max ? max : OFFLOAD_JOBS_DEFAULT;
	jobs_init(&o->waiting);
	jobs_init(&o->finished);
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->more, NULL);
	o->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rc = o->wake < 0 ? -errno : loop_watch_event(loop, o->wake, return_finished, o, &o->watch);
	if (rc == 0)
		rc = start_thread(o);
	if (rc < 0)
		goto fail;
	*out = o;
	return 0;
fail:
	loop_watch_close(o->watch);
	if (o->wake >= 0)
		close(o->wake);
	free(o);
	return rc;
}

int offload_submit(struct offload *o, void (*work)(void *job), void (*done)(void *job), void *value)
{
	struct job *job;

	if (o->pending >= o->max || o->cancelled)
		return -ENOBUFS;
	job = malloc(sizeof(*job));
	if (!job)
		return -ENOMEM;
	*job = (struct job){NULL, work, done, value};
	o->pending++;
	pthread_mutex_lock(&o->lock);
	jobs_add(&o->waiting, job);
	pthread_cond_signal(&o->more);
	pthread_mutex_unlock(&o->lock);
	return 0;
}

void offload_release(struct offload *o, void (*release)(void *thing), void *thing)
{
	struct job *job = o->cancelled ? NULL : malloc(sizeof(*job));
	bool taken;

	if (job)
		*job = (struct job){NULL, release, NULL, thing};
	pthread_mutex_lock(&o->lock);
	taken = job && o->releases < o->max;
	if (taken) {
		o->releases++;
		jobs_add(&o->waiting, job);
		pthread_cond_signal(&o->more);
	}
	pthread_mutex_unlock(&o->lock);
	if (taken)
		return;
	free(job);
	release(thing);
}

void offload_destroy(struct offload *o)
{
	struct job *job;

	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->stop = true;
	pthread_cond_signal(&o->more);
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->thread, NULL);
	o->cancelled = true;
	while ((job = jobs_take(&o->finished)) || (job = jobs_take(&o->waiting))) {
		if (job->done) {
			return_job(o, job);
		} else {
			job->work(job->value);
			free(job);
		}
	}
	CHECK(o->pending == 0);
	loop_watch_close(o->watch);
	close(o->wake);
	pthread_cond_destroy(&o->more);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

int offload_cancelled(const struct offload *o)
{
	return o->cancelled;
}

unsigned offload_pending(const struct offload *o)
{
	return o->pending;
}
