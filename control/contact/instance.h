/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance: everything that the instance directory says beside the options: resources, flows,
 * trunks and numbers. Built whole or not at all, from a directory; a reload builds a new one and
 * swaps.
 *
 *     cordboard.yaml                options (config.h), trunks, numbers, number_plan
 *     queues.yaml … prompts.yaml    resources (queue/resource_files.h)
 *     flows.yaml, flows/            flows (flow_catalog.h)
 *     services.yaml                 outside functions and services (service/service_set.h)
 *     prompts/                      recorded prompts
 *     instance.d/                   what cordboard writes: published versions (flow_publish.h),
 *                                   changes over the admin socket (reload.h)
 */
#ifndef CONTACT_INSTANCE_H
#define CONTACT_INSTANCE_H

#include "base/report.h"
#include "contact/config.h"
#include "contact/flow_catalog.h"
#include "media/clips.h"
#include "queue/resources.h"
#include "service/service_set.h"
#include "sip/number_plan.h"
#include "sip/trunk.h"

#define INSTANCE_CHANGES "instance.d/quick-connects.json"

struct instance {
	char *directory;
	struct resources *resources;
	struct flow_catalog flows;
	struct trunk_set *trunks;
	struct number_plan *plan;
	struct service_set *services;
	bool changing; /* flow_publish.h, reload.h: one change at a time */
};

/*
 * Reads `directory` and judges everything in it together: flows against resources, numbers against
 * flows. `config` holds the options, already read; `previous` is the instance that runs now, whose
 * published flows go on where the directory has drafts (NULL at start); `changes` is the text that
 * counts instead of INSTANCE_CHANGES (NULL: the file). 0, or a negative errno with everything
 * reported. On any thread; `previous` stays as it is meanwhile.
 */
int instance_load(const char *directory, const struct config *config,
	const struct instance *previous, const char *changes, struct report *report,
	struct instance **out);
/* Flows against resources, and what names flows against them. 0, or -EINVAL when an error stands in
 * the report. */
int instance_judge_flows(
	const struct instance *instance, const struct config *config, struct report *report);
/* NULL is fine. */
void instance_destroy(struct instance *instance);

/* Reads the options of `directory`/cordboard.yaml into a fresh config. */
int instance_read_config(const char *directory, struct config *config, struct report *report);

const char *instance_arn(const struct instance *instance);

/* A published flow by id, ARN or name; NULL. Borrowed. */
struct flow *instance_flow(const struct instance *instance, const char *reference);

/* A prompt by id, ARN or name, else by the human name of a legacy file. NULL. */
const struct resource_prompt *instance_prompt(
	const struct instance *instance, const char *reference, const char *name);

/* The sound of a prompt, held for the caller. -EINVAL and friends with `wrong` filled. */
int instance_prompt_clip(const struct instance *instance, struct clips *clips,
	const struct resource_prompt *prompt, const char *voice, char wrong[CLIPS_REASON_SIZE],
	struct clip **clip);

#endif
