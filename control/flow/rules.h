/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h: what the flow language says about each action type, as two tables: its parameters, and
 * what may follow it. Readers use them to type parameters, the checker to judge.
 */
#pragma once

#include "flow/checker.h"
#include "flow/model.h"

enum flow_param_kind {
	FLOW_KIND_TEXT,
	FLOW_KIND_NUMBER,   /* whole number, min to max */
	FLOW_KIND_FLAG,     /* True or False */
	FLOW_KIND_CHOICE,   /* one of `choices` */
	FLOW_KIND_RESOURCE, /* reference to a resource */
	FLOW_KIND_DIGITS    /* 0-9 , * # and at most FLOW_DTMF_DIGITS_MAX of them */
};

/* A fixed value outside of its range: loaded with a warning, unless FLOW_PARAM_STRICT. */
#define FLOW_PARAM_STRICT 1u
/* One of the parameters with this mark must be there. */
#define FLOW_PARAM_ONE_OF 2u
/* Longer texts fail when played. */
#define FLOW_PARAM_SPOKEN 4u

struct flow_param_rule {
	/*
	 * Place inside Parameters: "Messages[].Text"; "*" stands for one member name, which becomes
	 * the key;
	 * "**" for all that follows, joined by dots.
	 */
	const char *pattern;
	enum flow_param_id id;
	enum flow_param_kind kind;
	unsigned flags;
	int64_t min;
	int64_t max;
	const char *choices; /* separated by blanks */
	enum flow_resource resource;
};

#define FLOW_TYPE_BIT(type) (1u << (type))

enum flow_follow {
	FLOW_FOLLOW_NEXT,     /* NextAction is wanted */
	FLOW_FOLLOW_TERMINAL, /* nothing may follow */
	FLOW_FOLLOW_DECOY,    /* NextAction is wanted and never followed (TransferToFlow) */
	FLOW_FOLLOW_FREE      /* may be missing (MessageParticipantIteratively) */
};

struct flow_action_rule {
	const struct flow_param_rule *params;
	uint16_t param_count;
	uint32_t types; /* FLOW_TYPE_BIT of those that allow it */
	enum flow_follow follow;
	uint32_t errors; /* bits of enum flow_error: wanted branches */
};

const struct flow_action_rule *flow_action_rule(enum flow_action_type type);

/*
 * The rule that governs a place ("Messages[2].Text"), or NULL. On a "*" or "**" match *key and
 * *key_length say what stood for it.
 */
const struct flow_param_rule *flow_param_rule(
	enum flow_action_type type, const char *place, const char **key, size_t *key_length);

/* True when some rule of the action lies below this place, so that an object or list is expected
 * there. */
bool flow_place_is_inner(enum flow_action_type type, const char *place);

/* Readers of fixed or resolved values. False: the text is none. */
bool flow_text_to_number(const char *text, int64_t *number);
/* A decimal number and nothing else. No locale, no hexadecimal, no infinity. */
bool flow_text_to_decimal(const char *text, double *number);
bool flow_text_to_flag(const char *text, bool *flag);
/* +, then 7 to 15 digits, the first not zero. */
bool flow_text_is_e164(const char *text);
bool flow_text_is_digits(const char *text);
/* Index of `text` among choices separated by blanks, without case; -1: not there. */
int flow_text_choice(const char *text, const char *choices);

#define FLOW_METRIC_CHOICES                                                   \
	"NumberOfAgentsAvailable NumberOfAgentsStaffed NumberOfAgentsOnline " \
	"OldestContactInQueueAgeSeconds NumberOfContactsInQueue"
#define FLOW_PARTICIPANT_STATES "AgentOnHold CustomerOnHold OffHold"
