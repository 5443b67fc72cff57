/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resources: what an instance owns besides flows and numbers, as plain rows: queues, hours of
 * operation, agent statuses, security profiles, routing profiles, agents, quick connects,
 * prompts. A struct resources is read-only once it is built (resource_files.h builds it from the
 * instance's YAML); a reload builds a new one and swaps it in whole, so rows are never seen half
 * changed. Rows point at each other inside the same struct resources.
 *
 * Each row has an id (from the file, else derived from kind and name, so that it is the same
 * after every reload), a name, and the ARN
 *     arn:aws:connect:REGION:ACCOUNT:instance/INSTANCE/KIND/ID
 * An agent's own queue has no row: it bears the agent's id and the ARN .../queue/agent/ID.
 *
 * Look-ups are exact and by hash: O(1). An ARN of another instance, account or region names the
 * row with its id, so that flows can be brought along unchanged. A value that comes from an attribute at run time may be
 * less than one that an author wrote in a file, which is what the `refs` argument says.
 */
#ifndef RESOURCES_H
#define RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/peer_media.h"
#include "queue/hours.h"

enum {
	RESOURCES_QUEUES_MAX = 1000,
	RESOURCES_HOURS_MAX = 1000,
	RESOURCES_STATUSES_MAX = 100,
	RESOURCES_SECURITY_PROFILES_MAX = 500,
	RESOURCES_ROUTING_PROFILES_MAX = 500,
	RESOURCES_AGENTS_MAX = 20000,
	RESOURCES_QUICK_CONNECTS_MAX = 10000,
	RESOURCES_PROMPTS_MAX = 5000,
	RESOURCE_PROFILE_QUEUES_MAX = 50,
	RESOURCE_QUEUE_QUICK_CONNECTS_MAX = 700,
	RESOURCE_NAME_MAX = 127,               /* bytes of a name */
	RESOURCE_ID_MAX = 64,                  /* bytes of an id */
	RESOURCE_ARN_MAX = 255,                /* bytes of an ARN */
	RESOURCE_TEXT_MAX = 250,               /* bytes of a description */
	RESOURCE_PROMPT_TEXT_MAX = 6000,       /* bytes of a spoken prompt */
	RESOURCE_DELAY_MAX_S = 9999,           /* delay of a queue in a routing profile */
	RESOURCE_PRIORITY_MAX = 99,            /* 1 is best */
	RESOURCE_ACW_MAX_S = 7200,             /* after-contact work timeout; 0 is none */
	RESOURCE_QUEUE_CONTACTS_MAX = 1000000, /* largest limit that a queue may be given */
	RESOURCE_PRIORITY_DEFAULT = 5,
	RESOURCE_AGENT_QUEUE_LIMIT = 10,    /* contacts in an agent's own queue (R91) */
	RESOURCE_PROFICIENCIES_MAX = 50,    /* of one agent */
	RESOURCE_PROFICIENCY_LEVEL_MAX = 5, /* 1 is the least */
	RESOURCE_PROFICIENCY_TEXT_MAX = 64, /* bytes of an attribute's name, and of its value */
};

/* One list: enum, word in the ARN, word in messages, file in the instance directory. */
#define RESOURCE_KINDS(X)                                                                     \
	X(QUEUE, "queue", "queue", "queues.yaml")                                             \
	X(HOURS, "operating-hours", "hours of operation", "hours.yaml")                       \
	X(STATUS, "agent-state", "agent status", "statuses.yaml")                             \
	X(SECURITY_PROFILE, "security-profile", "security profile", "security-profiles.yaml") \
	X(ROUTING_PROFILE, "routing-profile", "routing profile", "routing-profiles.yaml")     \
	X(AGENT, "agent", "agent", "agents.yaml")                                             \
	X(QUICK_CONNECT, "transfer-destination", "quick connect", "quick-connects.yaml")      \
	X(PROMPT, "prompt", "prompt", "prompts.yaml")

enum resource_kind {
#define X(name, arn, word, file) RESOURCE_##name,
	RESOURCE_KINDS(X)
#undef X
		RESOURCE_KIND_COUNT
};

/* What a reference may be. A dynamic queue is RESOURCE_BY_ID | RESOURCE_BY_ARN (R85); a dynamic
 * agent RESOURCE_BY_ID | RESOURCE_BY_NAME, the name being the user name (R93); a fixed one in a
 * file or on the admin socket RESOURCE_BY_ANY. */
enum resource_refs {
	RESOURCE_BY_ID = 1,
	RESOURCE_BY_ARN = 2,
	RESOURCE_BY_NAME = 4,
	RESOURCE_BY_ANY = 7,
};

/* What every row starts with. `description` is "" when the file gives none. */
struct resource {
	enum resource_kind kind;
	uint32_t index; /* of the row among those of its kind, in file order */
	const char *id;
	const char *name;
	const char *arn;
	const char *description;
	const char *place; /* "file:line" where it stands; "built-in" */
};

struct resource_hours {
	struct resource row;
	const char *zone_name;
	struct hours hours;
};

enum resource_status_type {
	RESOURCE_STATUS_ROUTABLE,
	RESOURCE_STATUS_CUSTOM,
	RESOURCE_STATUS_OFFLINE
};

struct resource_status {
	struct resource row;
	enum resource_status_type type; /* Available is the one ROUTABLE, Offline the one OFFLINE */
};

enum resource_permission {
	RESOURCE_MAY_TAKE_CALLS = 1, /* use the agent panel (R94) */
	RESOURCE_MAY_MONITOR = 2,
	RESOURCE_MAY_BARGE = 4,
	RESOURCE_MAY_MANAGE = 8,
};

struct resource_security_profile {
	struct resource row;
	uint32_t permissions; /* enum resource_permission, or-ed */
};

enum resource_quick_connect_type {
	RESOURCE_QUICK_CONNECT_AGENT,
	RESOURCE_QUICK_CONNECT_QUEUE,
	RESOURCE_QUICK_CONNECT_EXTERNAL,
};

struct resource_quick_connect {
	struct resource row; /* the description is never empty (R8) */
	enum resource_quick_connect_type type;
	const struct resource_agent *agent; /* AGENT only */
	const struct resource_queue *queue; /* QUEUE only */
	const char *number;                 /* EXTERNAL only: E.164 */
	const char *flow; /* AGENT and QUEUE: name, id or ARN of the transfer flow */
	/* "file:line" of the row of quick-connects.yaml that was changed over the admin socket, or
	 * that is this one; NULL: no file has it. */
	const char *file_place;
};

struct resource_queue {
	struct resource row;
	uint32_t contacts_max;              /* 0: the instance's limit of concurrent calls (R78) */
	uint32_t priority;                  /* of a contact for which no flow set one; 1 is best */
	const struct resource_hours *hours; /* NULL: none given */
	const char *caller_id_name;         /* "" when none */
	const char *caller_id_number;       /* E.164, "" when none */
	const char *outbound_whisper_flow;  /* reference, "" for the default flow */
	const struct resource_quick_connect *const *quick_connects;
	uint32_t quick_connect_count;
};

struct resource_profile_queue {
	const struct resource_queue *queue;
	uint32_t priority; /* 1 is best */
	uint32_t delay_s;  /* a contact must have waited that long */
};

struct resource_routing_profile {
	struct resource row;
	const struct resource_profile_queue
		*queues; /* ascending by (priority, delay), then file order */
	uint32_t queue_count;
	const struct resource_queue *default_outbound_queue; /* NULL: outbound calls not possible */
};

enum resource_phone_kind {
	RESOURCE_PHONE_RING,  /* INVITE at once; answering is accepting */
	RESOURCE_PHONE_PANEL, /* the offer is an event; accepting it sends the INVITE */
};

/* What an agent is good at: a value of a predefined attribute, and how well. */
struct resource_proficiency {
	const char *attribute;
	const char *value;
	uint32_t level; /* 1 to RESOURCE_PROFICIENCY_LEVEL_MAX */
};

struct resource_agent {
	struct resource row; /* name is the user name */
	const char *first_name;
	const char *last_name;
	const struct resource_routing_profile *routing_profile;
	const struct resource_security_profile *security_profile;
	const char *queue_arn; /* of the agent's own queue */
	enum resource_phone_kind phone_kind;
	const char *phone_register; /* user part of the registered address; "" when the phone is
				       static */
	const char *phone_uri;      /* SIP URI of a static phone; "" when it registers */
	const char
		*phone_password; /* of the registration; "" when there is none or it is in a file */
	const char *phone_password_file; /* path of a file that holds it; "" when none */
	struct peer_media media;         /* of the phone */
	uint32_t acw_timeout_s;          /* 0: until cleared by hand */
	const struct resource_proficiency *proficiencies; /* each attribute and value once */
	uint32_t proficiency_count;
};

struct resource_prompt {
	struct resource row;
	const char
		*file; /* recorded: path below the instance's prompts directory; NULL when spoken */
	const char *text; /* spoken; NULL when recorded */
};

struct resources;

void resources_destroy(struct resources *resources);

const char *resource_kind_word(enum resource_kind kind);
const char *resource_kind_arn(enum resource_kind kind);
const char *resource_kind_file(enum resource_kind kind);

uint32_t resources_count(const struct resources *resources, enum resource_kind kind);

/* The row at an index below the count. Each typed row starts with struct resource. */
const struct resource *resources_row(
	const struct resources *resources, enum resource_kind kind, uint32_t index);

/* The row of a kind that `text` names, by the means allowed; NULL when there is none. */
const struct resource *resources_find(const struct resources *resources, enum resource_kind kind,
	const char *text, enum resource_refs refs);

const struct resource_queue *resources_queue(
	const struct resources *resources, const char *text, enum resource_refs refs);
const struct resource_hours *resources_hours(
	const struct resources *resources, const char *text, enum resource_refs refs);
const struct resource_status *resources_status(
	const struct resources *resources, const char *text, enum resource_refs refs);
const struct resource_routing_profile *resources_routing_profile(
	const struct resources *resources, const char *text, enum resource_refs refs);
const struct resource_agent *resources_agent(
	const struct resources *resources, const char *text, enum resource_refs refs);
const struct resource_quick_connect *resources_quick_connect(
	const struct resources *resources, const char *text, enum resource_refs refs);
const struct resource_prompt *resources_prompt(
	const struct resources *resources, const char *text, enum resource_refs refs);

/* The agent whose own queue has this ARN (.../queue/agent/ID); NULL when none. */
const struct resource_agent *resources_agent_by_queue_arn(
	const struct resources *resources, const char *arn);

/* The agent whose phone registers under this user part; NULL when none. */
const struct resource_agent *resources_agent_by_phone(
	const struct resources *resources, const char *user);

/* The built-in statuses; always there. */
const struct resource_status *resources_available(const struct resources *resources);
const struct resource_status *resources_offline(const struct resources *resources);

/* "arn:aws:connect:REGION:ACCOUNT:instance/INSTANCE" of these resources. */
const char *resources_instance_arn(const struct resources *resources);

/* R94: the security profile lets this user take calls. */
bool resource_agent_may_take_calls(const struct resource_agent *agent);

/*
 * The quick connects that an agent sees (R11 to R13): those of the queues in the routing profile,
 * each once, in the profile's order; without a contact only external ones. `visit` is called for
 * each; a non-zero answer stops and is returned.
 */
int resources_each_quick_connect(const struct resources *resources,
	const struct resource_agent *agent, bool on_contact,
	int (*visit)(void *context, const struct resource_quick_connect *quick_connect),
	void *context);

/* Writes a UUID-shaped id that depends on kind and name alone. `id` holds 37 bytes. */
void resource_id_from_name(enum resource_kind kind, const char *name, char *id);

/* E.164: "+" and 2 to 15 digits, the first not 0. */
bool resource_number_valid(const char *number);

#endif
