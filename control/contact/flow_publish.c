/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/flow_publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define PATH_SIZE  4096
#define PARENT     "instance.d"
#define WRONG_SIZE 300

/* A version in force; `text` NULL: kept already. */
struct kept_file {
	char name[FLOW_KEPT_NAME_MAX];
	char *text;
	size_t n;
};

/* The job: a value, so that the offload thread sees nothing of the instance. */
struct keeping {
	char parent[PATH_SIZE], folder[PATH_SIZE];
	struct kept_file *files; /* by name */
	size_t n;
	bool whole; /* what is not in `files` goes */
	int error;
	char wrong[WRONG_SIZE];

	/* of flow_publish() only */
	struct instance *instance;
	struct offload *offload;
	char *id;
	void (*done)(void *ctx, int rc, const char *why);
	void *ctx;
};

static void keeping_free(struct keeping *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++)
		free(k->files[i].text);
	free(k->files);
	free(k->id);
	free(k);
}

static struct keeping *keeping_new(const struct instance *instance, size_t room)
{
	struct keeping *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->files = calloc(room + 1, sizeof(*k->files));
	if (!k->files) {
		keeping_free(k);
		return NULL;
	}
	snprintf(k->parent, sizeof(k->parent), "%s/" PARENT, instance->directory);
	snprintf(k->folder, sizeof(k->folder), "%s/" FLOW_KEPT_FOLDER, instance->directory);
	return k;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kept_file *)a)->name, ((const struct kept_file *)b)->name);
}

/* ---- on the offload thread ---- */

static void went_wrong(struct keeping *k, int error, const char *name)
{
	if (k->error)
		return;
	k->error = error;
	snprintf(k->wrong, sizeof(k->wrong), FLOW_KEPT_FOLDER "%s%s: %s", name[0] ? "/" : "", name,
		strerror(-error));
}

static int make_folder(const struct keeping *k)
{
	if (mkdir(k->parent, 0750) < 0 && errno != EEXIST)
		return -errno;
	return mkdir(k->folder, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

static bool is_kept(const char *path, const struct kept_file *file)
{
	char *text;
	size_t n;
	bool same;

	if (file_read(path, FLOW_TEXT_MAX, &text, &n) < 0)
		return false;
	same = n == file->n && memcmp(text, file->text, n) == 0;
	free(text);
	return same;
}

/* How many files were written: 0 or 1. */
static unsigned keep_file(struct keeping *k, const struct kept_file *file)
{
	char path[PATH_SIZE + FLOW_KEPT_NAME_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", k->folder, file->name);
	if (is_kept(path, file))
		return 0;
	rc = make_folder(k);
	if (rc == 0)
		rc = file_write(path, file->text, file->n);
	if (rc < 0)
		went_wrong(k, rc, file->name);
	return rc == 0;
}

static void remove_strays(struct keeping *k)
{
	DIR *folder = opendir(k->folder);
	struct kept_file key = {0};
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || !str_ends(str_from(entry->d_name), STR(".json")))
			continue;
		snprintf(key.name, sizeof(key.name), "%.79s", entry->d_name);
		if (!bsearch(&key, k->files, k->n, sizeof(key), by_name) &&
			unlinkat(dirfd(folder), entry->d_name, 0) < 0)
			went_wrong(k, -errno, entry->d_name);
	}
	if (folder)
		closedir(folder);
}

/* What was renamed into the folder is there after a power cut too. */
static void sync_folder(struct keeping *k)
{
	int fd = open(k->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		went_wrong(k, -errno, "");
	if (fd >= 0)
		close(fd);
}

static void keep_work(void *job)
{
	struct keeping *k = job;
	unsigned written = 0;

	for (size_t i = 0; i < k->n; i++)
		if (k->files[i].text)
			written += keep_file(k, &k->files[i]);
	if (k->whole)
		remove_strays(k);
	if (written)
		sync_folder(k);
}

/* ---- all that is in force ---- */

static void keep_done(void *job)
{
	struct keeping *k = job;

	if (k->error)
		log_warning(NULL, "flow",
			"a published flow is not kept: %s; it would be lost when its file becomes "
			"a "
			"draft and control starts again",
			k->wrong);
	keeping_free(k);
}

static struct keeping *keeping_of_all(struct instance *instance)
{
	struct keeping *k = keeping_new(instance, instance->flows.n);

	if (!k)
		return NULL;
	k->whole = true;
	for (size_t i = 0; i < instance->flows.n; i++) {
		struct flow_entry *entry = &instance->flows.entries[i];
		struct kept_file *file = &k->files[k->n];

		if (!entry->published)
			continue;
		flow_kept_name(entry->published->id, file->name);
		if (!entry->draft) {
			file->text = entry->text;
			file->n = entry->text_n;
			entry->text = NULL;
		}
		k->n++;
	}
	qsort(k->files, k->n, sizeof(k->files[0]), by_name);
	return k;
}

void flow_publish_keep_now(struct instance *instance)
{
	struct keeping *k = keeping_of_all(instance);

	if (!k)
		return;
	keep_work(k);
	keep_done(k);
}

void flow_publish_keep_later(struct instance *instance, struct offload *offload)
{
	struct keeping *k = keeping_of_all(instance);
	int rc = k ? offload_submit(offload, keep_work, keep_done, k) : -ENOMEM;

	if (rc < 0) {
		log_warning(NULL, "flow", "published flows are not kept: %s", strerror(-rc));
		keeping_free(k);
	}
}

/* ---- one draft ---- */

static void publish_done(void *job)
{
	struct keeping *k = job;
	struct flow_catalog *flows = &k->instance->flows;
	int rc = k->error;

	k->instance->changing = false;
	if (offload_cancelled(k->offload)) {
		rc = -ECANCELED;
		snprintf(k->wrong, sizeof(k->wrong), "control is stopping");
	}
	if (rc == 0)
		rc = flow_catalog_publish(flows, flow_catalog_entry(flows, k->id));
	if (rc < 0 && !k->wrong[0])
		snprintf(k->wrong, sizeof(k->wrong), "%s", strerror(-rc));
	k->done(k->ctx, rc, k->wrong);
	keeping_free(k);
}

/* The instance as it would be. */
static int judge(struct instance *instance, const struct config *config, struct flow_entry *entry,
	char why[FLOW_PUBLISH_WHY_SIZE])
{
	const struct flow_entry before = *entry;
	struct report report;
	int rc;

	report_init(&report);
	entry->published = before.draft;
	entry->draft = NULL;
	rc = instance_judge_flows(instance, config, &report);
	*entry = before;
	for (size_t i = 0; rc < 0 && i < report_size(&report); i++) {
		const struct report_entry *e = report_at(&report, i);

		if (e->severity != REPORT_ERROR)
			continue;
		snprintf(why, FLOW_PUBLISH_WHY_SIZE, "%s: %s", e->place, e->text);
		break;
	}
	report_clear(&report);
	return rc;
}

static int look(struct instance *instance, const struct config *config, const char *reference,
	struct flow_entry **found, char why[FLOW_PUBLISH_WHY_SIZE])
{
	struct flow_entry *entry = flow_catalog_entry(&instance->flows, reference), *other;

	if (!entry) {
		snprintf(why, FLOW_PUBLISH_WHY_SIZE, "no flow '%.200s'", reference);
		return -ENOENT;
	}
	if (!entry->draft) {
		snprintf(why, FLOW_PUBLISH_WHY_SIZE,
			"flow '%.200s' has no draft: %.200s is in force", entry->published->name,
			entry->published->file);
		return -EALREADY;
	}
	if (instance->changing) {
		snprintf(why, FLOW_PUBLISH_WHY_SIZE,
			"another change is under way: try again when it is done");
		return -EBUSY;
	}
	other = flow_catalog_entry(&instance->flows, entry->draft->name);
	if (other && other != entry) {
		snprintf(why, FLOW_PUBLISH_WHY_SIZE,
			"expected a name of its own, but '%.200s' is also the name of another flow",
			entry->draft->name);
		return -EINVAL;
	}
	*found = entry;
	return judge(instance, config, entry, why);
}

static struct keeping *keeping_of_draft(struct instance *instance, const struct flow_entry *entry)
{
	struct keeping *k = keeping_new(instance, 1);

	if (!k)
		return NULL;
	k->n = 1;
	flow_kept_name(entry->draft->id, k->files[0].name);
	k->files[0].n = entry->text_n;
	k->files[0].text = malloc(entry->text_n + 1);
	k->id = strdup(entry->draft->id);
	k->instance = instance;
	if (k->files[0].text && k->id) {
		memcpy(k->files[0].text, entry->text, entry->text_n);
		return k;
	}
	keeping_free(k);
	return NULL;
}

int flow_publish(struct instance *instance, const struct config *config, struct offload *offload,
	const char *reference, void (*done)(void *ctx, int rc, const char *why), void *ctx,
	char why[FLOW_PUBLISH_WHY_SIZE])
{
	struct flow_entry *entry;
	struct keeping *k;
	int rc = look(instance, config, reference, &entry, why);

	if (rc < 0)
		return rc;
	k = keeping_of_draft(instance, entry);
	if (!k)
		return -ENOMEM;
	k->offload = offload;
	k->done = done;
	k->ctx = ctx;
	rc = offload_submit(offload, keep_work, publish_done, k);
	if (rc < 0) {
		keeping_free(k);
		return rc;
	}
	instance->changing = true;
	return 0;
}
