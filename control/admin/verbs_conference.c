/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of an agent on a call: transfer, join, hold and the rest. Each answers with the panel. */
#include <string.h>

#include "admin/admin_internal.h"

/* The state that the verb has led to. */
static void answer(struct rpc_call *call, int rc, const char *why)
{
	const struct switchboard *board = board_of(call);
	uint32_t agent = router_find_agent(board->router, rpc_text(call, "agent"), RESOURCE_BY_ANY);

	rpc_finish(call, rc, why,
		rc < 0 ? NULL : json_pack("{s:o}", "panel", panel_json(board, agent)));
}

/* False: the call is refused, not exactly one of the two is given. */
static bool target_of(struct rpc_call *call, struct desk_target *target)
{
	*target = (struct desk_target){rpc_text(call, "quick_connect"), rpc_text(call, "number")};
	if (!target->quick_connect != !target->number)
		return true;
	rpc_refuse_param(call, "quick_connect", "expected either this or number, and not both");
	return false;
}

static void handle_dial(struct rpc_call *call)
{
	struct desk_target target;
	char why[DESK_WHY_SIZE] = "";

	if (target_of(call, &target))
		answer(call, desk_dial(board_of(call), rpc_text(call, "agent"), &target, why), why);
}

static void handle_transfer(struct rpc_call *call)
{
	struct desk_target target;
	char why[DESK_WHY_SIZE] = "";
	int rc;

	if (!contact_version_holds(call, contact_of_agent(call)) || !target_of(call, &target))
		return;
	rc = desk_transfer(
		board_of(call), rpc_text(call, "agent"), rpc_text(call, "contact"), &target, why);
	answer(call, rc, why);
}

static void on_blind_over(void *ctx, int error, const char *why)
{
	answer(ctx, error, why);
}

static void handle_transfer_blind(struct rpc_call *call)
{
	struct desk_target target;
	char why[DESK_WHY_SIZE] = "";
	int rc;

	if (!contact_version_holds(call, contact_of_agent(call)) || !target_of(call, &target))
		return;
	rc = desk_transfer_blind(
		board_of(call), rpc_text(call, "agent"), &target, on_blind_over, call, why);
	if (rc < 0)
		answer(call, rc, why);
}

/* The verb is what follows "contact." in the name. */
static enum conference_verb verb_of(const struct rpc_call *call)
{
	const char *name = strchr(call->verb->name, '.') + 1;
	enum conference_verb verb = 0;

	while (verb < CONFERENCE_VERB_COUNT && strcmp(conference_verb_name(verb), name) != 0)
		verb++;
	return verb;
}

static void handle_verb(struct rpc_call *call)
{
	const char *party = verb_param(call->verb, "party") ? rpc_text(call, "party") : NULL;
	char why[DESK_WHY_SIZE] = "";
	int rc;

	if (!contact_version_holds(call, contact_of_agent(call)))
		return;
	rc = desk_conference(board_of(call), rpc_text(call, "agent"), rpc_text(call, "contact"),
		verb_of(call), party, why);
	answer(call, rc, why);
}

static void handle_watch(struct rpc_call *call)
{
	static const char *const names[] = {[PARTY_MONITORS] = "contact.monitor",
		[PARTY_COACHES] = "contact.coach",
		[PARTY_BARGES] = "contact.barge"};
	const struct switchboard *board = board_of(call);
	const char *supervisor = rpc_text(call, "supervisor");
	enum party_watch watch = PARTY_MONITORS;
	char why[DESK_WHY_SIZE] = "";
	int rc;

	while (watch < PARTY_BARGES && strcmp(call->verb->name, names[watch]) != 0)
		watch++;
	rc = desk_watch(board_of(call), supervisor, rpc_text(call, "agent"), watch, why);
	rpc_finish(call, rc, why,
		rc < 0 ? NULL
		       : json_pack("{s:o}", "panel",
				 panel_json(board, router_find_agent(board->router, supervisor,
							   RESOURCE_BY_ANY))));
}

static void handle_panel(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	const char *name = rpc_text(call, "agent");
	uint32_t agent = router_find_agent(board->router, name, RESOURCE_BY_ANY);
	json_t *panel = agent == ROUTER_NONE ? NULL : panel_json(board, agent);

	if (panel)
		rpc_result(call, json_pack("{s:o}", "panel", panel));
	else
		rpc_refuse(call, RPC_NOT_FOUND, "no user '%.100s'", name);
}

#define PARAM_PARTY(is_required)                                                   \
	{                                                                          \
		"party", PARAM_TEXT, .required = is_required, .min = 1, .max = 32, \
				     .help = "customer, or as the panel names it"  \
	}

static const struct param panel_params[] = {PARAM_AGENT};

#define PARAMS_TARGET                                                                    \
	{"quick_connect", PARAM_TEXT, .min = 1, .help = "name, id or ARN; or"},          \
	{                                                                                \
		"number", PARAM_TEXT, .min = 1, .max = 32, .help = "phone number, E.164" \
	}

static const struct param agent_target_params[] = {PARAM_AGENT, PARAMS_TARGET};
static const struct param transfer_params[] = {PARAM_AGENT, PARAM_CONTACT_OF(false), PARAMS_TARGET};
static const struct param all_params[] = {PARAM_AGENT, PARAM_CONTACT_OF(false)};
static const struct param party_params[] = {
	PARAM_AGENT, PARAM_CONTACT_OF(false), PARAM_PARTY(true)};
static const struct param mute_params[] = {
	PARAM_AGENT, PARAM_CONTACT_OF(false), PARAM_PARTY(false)};

static const struct param watch_params[] = {PARAM_AGENT,
	{"supervisor", PARAM_TEXT, .required = true, .min = 1, .help = "user name, id or ARN"}};

#define WATCH_VERB(verb, text)                                                                \
	{                                                                                     \
		"contact." verb, ROLE_SUPERVISOR, .changes = true, VERB_PARAMS(watch_params), \
						  .handle = handle_watch, .help = text        \
	}

#define DESK_VERB(verb, rows, text)                                                      \
	{                                                                                \
		"contact." verb, ROLE_DESKTOP, .changes = true, .versioned = true,       \
					       VERB_PARAMS(rows), .handle = handle_verb, \
					       .help = text                              \
	}

static const struct verb verbs[] = {
	{"contact.panel", ROLE_READER, VERB_PARAMS(panel_params), .handle = handle_panel,
		.help = "what an agent's desktop shows of the call"},
	{"contact.dial", ROLE_DESKTOP, .changes = true, VERB_PARAMS(agent_target_params),
		.handle = handle_dial,
		.help = "an agent without a contact calls; the agent's phone is called first"},
	{"contact.transfer", ROLE_DESKTOP, .changes = true, .versioned = true,
		VERB_PARAMS(transfer_params), .handle = handle_transfer,
		.help = "the agent adds an agent, a queue or a number; the customer is put on "
			"hold"},
	{"contact.transfer_blind", ROLE_DESKTOP, .changes = true, .versioned = true,
		VERB_PARAMS(agent_target_params), .handle = handle_transfer_blind,
		.help = "the agent leaves the customer to an agent, a queue or a number; answered "
			"when it rings or waits there, or when it has failed"},
	DESK_VERB("join", all_params, "everybody is off hold and hears everybody"),
	DESK_VERB("hold_all", all_params, "everybody but the agent is on hold"),
	DESK_VERB("hold", party_params,
		"one party is on hold; of three, the agent talks to the other"),
	DESK_VERB("resume", party_params, "one party is off hold"),
	DESK_VERB("swap", party_params, "the agent talks to this party, the other is on hold"),
	DESK_VERB("disconnect", party_params, "one party is hung up on"),
	DESK_VERB("mute", mute_params, "nobody hears the party (default: the agent)"),
	DESK_VERB("unmute", mute_params, "the party is heard again"),
	WATCH_VERB("monitor", "a supervisor hears what the agent hears, and nobody hears it"),
	WATCH_VERB("coach", "a supervisor also speaks, and the agent alone hears it"),
	WATCH_VERB("barge", "a supervisor takes part in the call"),
};

const struct verb_group verbs_conference = {verbs, sizeof(verbs) / sizeof(verbs[0])};
