/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance: everything that the instance directory says beside the options: resources, flows,
 * trunks and numbers. Built whole or not at all, from a directory; a reload builds a new one and
 * swaps.
 *
 *     cordboard.yaml                options (config.h), trunks, numbers, number_plan
 *     queues.yaml … prompts.yaml    resources (queue/resource_files.h)
 *     flows.yaml, flows/            flows (flow_catalog.h)
 *     prompts/                      recorded prompts
 *      */
#ifndef CONTACT_INSTANCE_H
#define CONTACT_INSTANCE_H

#include "base/report.h"
#include "contact/config.h"
#include "contact/flow_catalog.h"
#include "media/clips.h"
#include "queue/resources.h"
#include "sip/number_plan.h"
#include "sip/trunk.h"

struct instance {
	char *directory;
	struct resources *resources;
	struct flow_catalog flows;
	struct trunk_set *trunks;
	struct number_plan *plan;
};

/*
 * Reads `directory` and judges everything in it together: flows against resources, numbers against
 * flows. `config` holds the options, already read. 0, or a negative errno with everything reported.
 */
int instance_load(const char *directory, const struct config *config, struct report *report,
	struct instance **out);
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
