/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/yaml.h"
#include "contact/flow_publish.h"

#define PATH_SIZE 4096
#define FOLDER    "instance.d"

/* The job: the thread sees of the board only what stays as it is, options and flows. */
struct reloading {
	struct switchboard *board;
	struct instance *previous, *fresh;
	struct quick_connect_change change;
	bool changes;
	struct report report;
	int rc;
	reload_done *done;
	void *ctx;
};

static void reloading_free(struct reloading *r)
{
	quick_connect_change_clear(&r->change);
	report_clear(&r->report);
	free(r);
}

/* ---- on the offload thread ---- */

static int failed(struct reloading *r, const char *place, int rc, const char *what)
{
	report_add(&r->report, REPORT_ERROR, place, "%s: %s", what, strerror(-rc));
	return rc;
}

static int changed_text(struct reloading *r, char **text)
{
	char path[PATH_SIZE], why[QUICK_CONNECT_CHANGE_WHY_SIZE] = "no memory";
	char *before = NULL;
	size_t n;
	int rc;

	snprintf(path, sizeof(path), "%s/" INSTANCE_CHANGES, r->previous->directory);
	rc = file_read(path, YML_FILE_MAX, &before, &n);
	if (rc < 0 && rc != -ENOENT)
		return failed(r, INSTANCE_CHANGES, rc, "cannot be read");
	rc = quick_connect_change_apply(&r->change, before, text, why);
	if (rc < 0)
		report_add(&r->report, REPORT_ERROR, INSTANCE_CHANGES, "%s", why);
	free(before);
	return rc;
}

/* The options themselves are read at start; a file that a start would refuse is refused here. */
static int judge_options(struct reloading *r)
{
	struct config config = {0};
	int rc = instance_read_config(r->previous->directory, &config, &r->report);

	config_clear(&config);
	return rc;
}

/* What was renamed into the folder is there after a power cut too. */
static int sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

static int keep(struct reloading *r, const char *text)
{
	char folder[PATH_SIZE], path[PATH_SIZE + sizeof(INSTANCE_CHANGES)];
	int rc;

	snprintf(folder, sizeof(folder), "%s/" FOLDER, r->previous->directory);
	snprintf(path, sizeof(path), "%s/" INSTANCE_CHANGES, r->previous->directory);
	rc = mkdir(folder, 0750) < 0 && errno != EEXIST ? -errno : 0;
	if (rc == 0)
		rc = file_write(path, text, strlen(text));
	if (rc == 0)
		rc = sync_folder(folder);
	return rc < 0 ? failed(r, INSTANCE_CHANGES, rc, "cannot be written") : 0;
}

static void work(void *job)
{
	struct reloading *r = job;
	char *text = NULL;

	r->rc = judge_options(r);
	if (r->rc == 0 && r->changes)
		r->rc = changed_text(r, &text);
	if (r->rc == 0)
		r->rc = instance_load(r->previous->directory, r->board->config, r->previous, text,
			&r->report, &r->fresh);
	if (r->rc == 0 && text)
		r->rc = keep(r, text);
	free(text);
}

/* ---- on the loop ---- */

static int put_in_force(struct reloading *r)
{
	int rc = board_reload(r->board, r->fresh);

	if (rc < 0)
		return failed(r, "instance", rc,
			r->changes ? "kept, but not in force before the next reload"
				   : "not in force");
	instance_destroy(r->previous);
	flow_publish_keep_later(r->fresh, r->board->offload);
	clips_reload(media_clips(r->board->media));
	log_info(NULL, "main", "the instance was reloaded");
	r->fresh = NULL;
	return 0;
}

static void finish(void *job)
{
	struct reloading *r = job;

	r->previous->changing = false;
	if (offload_cancelled(r->board->offload))
		r->rc = failed(r, "instance", -ECANCELED, "control is stopping");
	if (r->rc == 0)
		r->rc = put_in_force(r);
	instance_destroy(r->fresh);
	r->done(r->ctx, r->rc, &r->report);
	reloading_free(r);
}

static int submit(struct reloading *r)
{
	if (r->previous->changing)
		return -EBUSY;
	return offload_submit(r->board->offload, work, finish, r);
}

int reload_begin(struct switchboard *board, struct quick_connect_change *change, reload_done *done,
	void *ctx)
{
	struct reloading *r = calloc(1, sizeof(*r));
	int rc;

	if (!r) {
		if (change)
			quick_connect_change_clear(change);
		return -ENOMEM;
	}
	*r = (struct reloading){.board = board,
		.previous = board->instance,
		.changes = change,
		.done = done,
		.ctx = ctx};
	if (change) {
		r->change = *change;
		*change = (struct quick_connect_change){.kind = change->kind};
	}
	report_init(&r->report);
	rc = submit(r);
	if (rc < 0)
		reloading_free(r);
	else
		board->instance->changing = true;
	return rc;
}
