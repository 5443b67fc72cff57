/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resource_files: builds a struct resources from the YAML documents of an instance directory.
 *
 * The documents come in as trees (base/yaml.h), one or more for each kind (resource_kind_file()
 * names the file; instance.d/ may hold further ones); nothing is read here. A kind without a
 * document is empty but for the built-ins: statuses Available and Offline; security profiles
 * Admin, Agent, CallCenterManager, QualityAnalyst. A file may describe a built-in (its id, its
 * description; a profile's permissions), not change what a status is.
 *
 * Every problem goes to the report with file, line, field and what was expected, and reading goes
 * on, so that one run shows them all. Unknown keys are errors, doubled names and ids too, and
 * every reference is checked. With an error in the report there is no result.
 *
 * The files, with every key (*: must be there):
 *
 *   queues:               - name* id description max_contacts priority hours
 *                           outbound_caller_id: {name, number} outbound_whisper_flow
 *                           quick_connects: [NAME]
 *   hours:                - name* id description time_zone*
 *                           week*: {monday: ["09:00-12:30", "13:30-24:00"], ...}
 *                           overrides: [{date*, name, open*: ["09:00-13:00"]}]
 *   statuses:             - name* id description
 *   security_profiles:    - name* id description permissions*: [take_calls, monitor, barge, manage]
 *   routing_profiles:     - name* id description default_outbound_queue
 *                           queues*: [{queue*, priority*, delay_seconds}]
 *   agents:               - user* id description first_name* last_name* routing_profile*
 *                           security_profile* after_contact_seconds
 *                           proficiencies: [{attribute*, value*, level*}]
 *                           phone*: {kind*: ring|panel, register | address,
 *                                    password | password_file, codecs, srtp, …: all of
 *                                    base/peer_media.h}
 *   quick_connects:       - name* id description* type*: agent|queue|external
 *                           agent | queue | number, flow
 *   prompts:              - name* id description, file | text
 *
 * What was changed over the admin socket is one further document, laid over the others; ids are
 * written in full there:
 *
 *   quick_connects:       - as above, id*: in the place of the file's row with that id, or new
 *   removed:              [ID]                    of rows of the files, which then do not count
 *   attached, detached:   [{queue*: ID, quick_connects*: [ID]}]      over a queue's own list
 *
 * An attachment to or of what has gone from the files meanwhile is a warning.
 */
#ifndef RESOURCE_FILES_H
#define RESOURCE_FILES_H

#include <stddef.h>

#include "queue/resources.h"

struct peer_media;
struct report;
struct yml_doc;

struct resource_files_config {
	const char *region;   /* "eu-central-1" */
	const char *account;  /* 12 digits */
	const char *instance; /* id of the instance */
	/* The bytes of a zone's TZif file, for a name that zone_name_valid() accepts: 0 with *bytes
	 * to be freed by free(), or a negative errno. "UTC" is never asked for. */
	int (*read_zone)(void *context, const char *name, void **bytes, size_t *size);
	void *context;
	/* What a phone has that says nothing else; NULL: the presets. Not used any more after
	 * resource_files_finish(). */
	const struct peer_media *media;
};

struct resource_files;

int resource_files_create(
	const struct resource_files_config *config, struct resource_files **files);
void resource_files_destroy(struct resource_files *files);

/* Adds a document of a kind; it must live until resource_files_finish(). */
int resource_files_add(
	struct resource_files *files, enum resource_kind kind, const struct yml_doc *doc);

/* The document of changes; it must live as long as the others. */
void resource_files_change(struct resource_files *files, const struct yml_doc *changes);

/* Reads all documents. 0 and the resources; -EINVAL when the report got errors; -ENOMEM. */
int resource_files_finish(
	struct resource_files *files, struct report *report, struct resources **resources);

/* What a flow reference of a quick connect turns out to be; the flow room's catalogue says. */
enum resource_flow_kind {
	RESOURCE_FLOW_MISSING,
	RESOURCE_FLOW_DRAFT, /* there, but never published (R5) */
	RESOURCE_FLOW_TRANSFER_TO_AGENT,
	RESOURCE_FLOW_TRANSFER_TO_QUEUE,
	RESOURCE_FLOW_OUTBOUND_WHISPER,
	RESOURCE_FLOW_OTHER,
};

/* Checks the flows that quick connects (R9) and queues name; errors go to the report, and a warning
 * about each quick connect to a user who may not take calls (R95). */
void resource_files_check_flows(const struct resources *resources,
	enum resource_flow_kind (*flow_kind)(void *context, const char *reference), void *context,
	struct report *report);

#endif
