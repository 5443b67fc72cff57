/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h: runs a flow on one party of a contact. Pure: an event and the time go in, effects come
 * out. It never blocks, never looks anything up outside, and keeps no pointer to anything but the
 * flow that it is in and the context it was started with.
 *
 *                    flow_run_start
 *     IDLE ───────────────────────────► RUNNING ◄──────────────╮
 *                                       │     │                │ event that it waits for
 *                        must wait      │     │ terminal block │ (or TIMER, when it only paused)
 *                          ╭────────────╯     │ or ran out     │
 *                          ▼                  ▼                │
 *                        WAITING ───────────────────────────────╯
 *                          │   party gone,   OVER   run.outcome says what follows
 *                          ╰─ flow_run_stop ──►
 *
 * How to drive it (the contact room does):
 *
 *     flow_run_start(&run, flow, FLOW_TYPE_INBOUND, &context, now, fx);
 *
 *     carry out each effect in fx; what it points to is good until fx is used again;
 *
 *     arm one timer for run.wake_at_ns, or none when that is 0; look after every call;
 *
 *     later, with what has come, and again as above:
 *
 *     event = (struct flow_event){.type = FLOW_EVENT_KEY, .key = '1'};
 *
 *     event = (struct flow_event){.type = FLOW_EVENT_TIMER};
 *
 *     event = (struct flow_event){.type = FLOW_EVENT_ANSWER, .id = id, .result = ...};
 *
 *     flow_run_step(&run, &event, now, fx);
 *
 *     until run.state is FLOW_RUN_OVER: act on run.outcome, then flow_run_clear(&run).
 *
 * An effect marked "answered" below has an id; exactly one ANSWER (or PLAY_DONE, PLAY_FAILED) event
 * with that id is owed, now or in an hour, but never from inside the flow_run_ call that made the
 * effect. An answer with any other id is stale: flow_run_step returns -ESTALE and nothing changes.
 * Answering twice is therefore harmless. A run that is stopped forgets what it asked.
 *
 * Guards. FLOW_STEPS_MAX actions within one second of flow time, where each FLOW_STEP_BYTES of text
 * that they fill in count as one more: the run is over as if it had run out, with a LOG effect. Full
 * effects, and those that change facts (data, tags, voice of the contact): the run pauses in RUNNING
 * with wake_at_ns = now and goes on at TIMER, when they are carried out. Whispers may last two
 * minutes; that clock, and who is hung up then, belong to the contact room.
 */
#pragma once

#include "flow/attributes.h"
#include "flow/model.h"

#define FLOW_EFFECTS_MAX      32u
#define FLOW_EFFECT_TEXT_MAX  (256u * 1024)
#define FLOW_EFFECT_PAIRS_MAX 256u
#define FLOW_TRACED_MAX       256u         /* parameters in the trace of one step */
#define FLOW_TRACED_TEXT_MAX  (64u * 1024) /* their text */
#define FLOW_SECRET           "****"
#define FLOW_STEPS_MAX        1000u /* actions within one second */
#define FLOW_STEP_BYTES       4096u /* of text that take as long as an action */
#define FLOW_MODULE_DEPTH_MAX 5u
#define FLOW_INPUT_MAX        128u  /* digits of one stored input */
#define FLOW_STORED_INPUT_MAX 2048u /* the same encrypted */
#define FLOW_COUNTERS_MAX     64u   /* Loop blocks that one contact can be in */
#define FLOW_LAMBDAS_MAX_S    20u /* of Lambda calls in a row, with nothing for the caller between */

/* ---- What the contact keeps for all its flows, one after the other ---- */

struct flow_counter {
	uint64_t key; /* flow id and action identifier, hashed */
	uint32_t count;
	uint32_t stamp; /* age: the oldest gives way when all are taken */
};

/*
 * Belongs to the contact, lives from arrival to end, is shared by its runs (inbound flow, queue
 * flow, whispers). Zero bytes are a valid start; flow_memory_clear at the end. A new segment gets a
 * copy of `attributes`.
 */
struct flow_memory {
	struct attributes attributes; /* $.Attributes */
	char *stored_input; /* $.StoredCustomerInput: never log, never record; NULL: none */
	struct flow_counter *counters; /* FLOW_COUNTERS_MAX; NULL: no Loop yet */
	uint32_t counter_stamp;
	bool logged; /* UpdateFlowLoggingBehavior: runs trace, as with context.trace */
};

void flow_memory_clear(struct flow_memory *memory);
/* Cut at FLOW_STORED_INPUT_MAX; "": none. What was there is wiped. False without memory. */
bool flow_memory_store(struct flow_memory *memory, const char *input);

/* What the engine may ask its owner at once; all of it answers from memory. Outlives the run. */
struct flow_context {
	void *owner;
	struct flow_memory *memory;
	/* Attributes of the contact that this one was transferred from, or NULL ("TargetContact":
	 * "Related"). */
	struct attributes *related;
	/*
	 * The value of a fact, or NULL when it has none. Names: CustomerEndpoint.Address, .Type;
	 * SystemEndpoint.Address, .Type; CustomerCallbackNumber; CustomerId; Queue.Name, Queue.ARN,
	 * Queue.OutboundCallerId.Address, .Type (of the target queue); Agent.UserName, .FirstName,
	 * .LastName, .ARN; ContactId; InitialContactId; PreviousContactId; Channel;
	 * InitiationMethod; InstanceARN; LanguageCode; TextToSpeechVoiceId; Name; Description;
	 * AwsRegion; References.x; Tags.x; Media.Sip.Headers.x; MediaStreams.Customer.Audio.x;
	 * anything else a file may ask for. The text is copied before the next call. R67: in an
	 * agent whisper of an agent's own queue, Queue.Name is that of the queue the customer came
	 * through.
	 */
	const char *(*fact)(void *owner, const char *name);
	/*
	 * The published flow or module behind a reference (id, ARN, name), or NULL. Borrowed: the
	 * engine holds it itself when it goes there.
	 */
	struct flow *(*find_flow)(void *owner, const char *reference);
	/* A random number, for DistributeByPercentage. */
	uint64_t (*random)(void *owner);
	bool wait_pauses; /* Wait pauses a voice contact; otherwise it takes its error branch */
	bool trace;       /* ENTER and LEAVE effects for every action */
};

/* ---- Effects ---- */

/*
 * Who answers what. "id": answered with FLOW_EVENT_ANSWER unless said otherwise; results in
 * brackets are enum flow_result; ERROR is always possible.
 */
enum flow_effect_type {
	/*
	 * play: say these messages, in order, to the flow's party and to nobody else (R68);
	 * replaces what plays. id, answered: PLAY_DONE at the end of the last message (never when
	 * `loop`), or PLAY_FAILED as soon as one message cannot be played (unreadable, bad SSML,
	 * unknown prompt).
	 */
	FLOW_EFFECT_PLAY,
	/* Stop what plays, at once. */
	FLOW_EFFECT_STOP_PLAYING,

	/*
	 * target: make this queue or this agent's queue the contact's target queue. [OK, ERROR: no
	 * such]
	 */
	FLOW_EFFECT_SET_TARGET_QUEUE,
	/* hours: open now? Empty reference: hours of the target queue. [YES, NO, ERROR] */
	FLOW_EFFECT_CHECK_HOURS,
	/*
	 * metric: one figure of the queue, or of the target queue when no reference. [OK with
	 * .number; the age of the oldest contact in MILLISECONDS]
	 */
	FLOW_EFFECT_CHECK_METRIC,
	/*
	 * target: all figures. [OK with .values: Queue.Name, Queue.ARN, Queue.Size,
	 * Queue.OldestContactAge (seconds), Agents.Online.Count, .Available., .Staffed.,
	 * .AfterContactWork., .Busy., .Missed., .NonProductive.; no activity: none of them]
	 */
	FLOW_EFFECT_GET_METRICS,

	/*
	 * target: put the contact into this queue or, when it names none, into its target queue
	 * (inbound and transfer flows; only legacy files name one here, R39). [OK: the run is then
	 * OVER with FLOW_OUTCOME_QUEUED, start the customer queue flow; AT_CAPACITY; ERROR]
	 */
	FLOW_EFFECT_TRANSFER_TO_QUEUE,
	/*
	 * target: move a waiting contact to another queue; this flow goes on (R86). No reference:
	 * the target queue. [OK; AT_CAPACITY; ERROR: no such queue (R85), not queued, just being
	 * offered (R84)]
	 */
	FLOW_EFFECT_MOVE_TO_QUEUE,
	/*
	 * third_party: dial. [resume: ENDED, CALL_FAILED, TIMEOUT, ERROR; else OK: bridged, ERROR]
	 */
	FLOW_EFFECT_TRANSFER_TO_NUMBER,
	/* callback: make a callback contact. [OK, ERROR] */
	FLOW_EFFECT_CREATE_CALLBACK,
	/*
	 * text: the number, E.164 checked. Remember it for callbacks. [OK, INVALID, NOT_DIALABLE]
	 */
	FLOW_EFFECT_SET_CALLBACK_NUMBER,
	/*
	 * call: place the outbound call of an outbound whisper, if not placed yet. No answer: next
	 * at once.
	 */
	FLOW_EFFECT_CALL_OUTBOUND,
	/*
	 * encrypt: stored input under a public key; .text is stored in its place. [OK with .text,
	 * ERROR]
	 */
	FLOW_EFFECT_ENCRYPT_INPUT,
	/*
	 * text: AgentOnHold, CustomerOnHold, OffHold, for the contact transferred from. [OK, ERROR]
	 */
	FLOW_EFFECT_HOLD_PARTICIPANT,

	/*
	 * hook: from now on this flow (or none) for the contact in place of the default. No answer.
	 */
	FLOW_EFFECT_SET_HOOK,
	/* attributes: have been set in the store (memory->attributes, or related). No answer. */
	FLOW_EFFECT_ATTRIBUTES_SET,
	/* pairs: Name, Description, LanguageCode, CustomerId, References.x ... No answer. */
	FLOW_EFFECT_SET_CONTACT_DATA,
	/* pairs: tags to set; a NULL value removes. No answer. */
	FLOW_EFFECT_SET_TAGS,
	/* number: 1 is best. No answer. */
	FLOW_EFFECT_SET_PRIORITY,
	/* number: seconds to add to the time in queue, may be negative. No answer. */
	FLOW_EFFECT_ADJUST_AGE,
	/* pairs: place in RoutingCriteria and value; from the answer of a function Steps.0 stands for
	 * Steps[0]. [OK, ERROR] */
	FLOW_EFFECT_SET_CRITERIA,
	/* recording: what is recorded from now on. No answer. */
	FLOW_EFFECT_SET_RECORDING,
	/* streaming: start or stop. [OK, ERROR] */
	FLOW_EFFECT_SET_STREAMING,
	/* flag: flow log on or off for the contact and its later segments; memory.logged is set. No
	 * answer. */
	FLOW_EFFECT_SET_LOGGING,
	/* voice: for text from now on. No answer. */
	FLOW_EFFECT_SET_VOICE,

	/*
	 * lambda: call it. [OK with .text: a JSON object, ERROR, TIMEOUT] The flow does not wait
	 * for an asynchronous one; its answer is stale.
	 */
	FLOW_EFFECT_INVOKE_LAMBDA,
	/*
	 * service: anything that an outside service does (Lex, Voice ID, tasks, cases, profiles,
	 * views). [OK with .text as the result to branch on and .values (Lex: IntentName, Slots.x);
	 * FAILED with .error; ERROR: no such service here]
	 */
	FLOW_EFFECT_SERVICE,

	/*
	 * Hang up the flow's party (in a transfer flow: only the transfer connection, R22). Last
	 * effect.
	 */
	FLOW_EFFECT_DISCONNECT,
	/* The run is over, run.outcome says how. Last effect, also after DISCONNECT. */
	FLOW_EFFECT_OVER,

	/* log: a line for the operator. No answer. */
	FLOW_EFFECT_LOG,
	/*
	 * pairs: an action was entered, with its parameters as they were then: place in the file
	 * and resolved text. enter.cut: some did not fit. leave: it was left along a branch; a
	 * terminal action is entered and never left. Only with context.trace or memory.logged (and
	 * always of UpdateFlowLoggingBehavior); no answer. What comes from stored input, and keys
	 * to encrypt it with, are FLOW_SECRET in both.
	 */
	FLOW_EFFECT_ENTER,
	FLOW_EFFECT_LEAVE,
	FLOW_EFFECT_COUNT
};

const char *flow_effect_name(enum flow_effect_type type);
/* Whether the action is carried out with FLOW_EFFECT_SERVICE. */
bool flow_action_is_service(enum flow_action_type type);

enum flow_message_kind {
	FLOW_MESSAGE_TEXT,   /* text, at most FLOW_PROMPT_TEXT_MAX bytes */
	FLOW_MESSAGE_SSML,   /* speech markup */
	FLOW_MESSAGE_PROMPT, /* reference to a prompt: id, ARN or name */
	FLOW_MESSAGE_MEDIA   /* URI of an audio file */
};

struct flow_message {
	enum flow_message_kind kind;
	const char *text;          /* never empty */
	const char *resource_name; /* legacy: human name of the prompt, or NULL */
};

/* A queue by reference, or the queue of an agent; both empty: the target queue. */
struct flow_target {
	const char *queue; /* id, ARN; "" when none. R85: a name is an ERROR where it came from an
			      attribute */
	const char *agent; /* user name, id, ARN; "" when none */
	bool dynamic;      /* came from an attribute */
	const char *resource_name; /* legacy: human name, or NULL */
};

enum flow_metric {
	FLOW_METRIC_AGENTS_AVAILABLE,
	FLOW_METRIC_AGENTS_STAFFED,
	FLOW_METRIC_AGENTS_ONLINE,
	FLOW_METRIC_OLDEST_AGE, /* milliseconds */
	FLOW_METRIC_CONTACTS_IN_QUEUE
};

#define FLOW_HOOK_LIST(X)                                                    \
	X(AGENT_WHISPER, "AgentWhisper")                                     \
	X(CUSTOMER_WHISPER, "CustomerWhisper")                               \
	X(CUSTOMER_QUEUE, "CustomerQueue")                                   \
	X(CUSTOMER_HOLD, "CustomerHold")                                     \
	X(AGENT_HOLD, "AgentHold")                                           \
	X(CUSTOMER_REMAINING, "CustomerRemaining") /* the disconnect flow */ \
	X(DEFAULT_AGENT_UI, "DefaultAgentUI")                                \
	X(DISCONNECT_AGENT_UI, "DisconnectAgentUI")                          \
	X(PAUSE_CONTACT, "PauseContact")                                     \
	X(RESUME_CONTACT, "ResumeContact")

enum flow_hook {
#define X(id, name) FLOW_HOOK_##id,
	FLOW_HOOK_LIST(X)
#undef X
		FLOW_HOOK_COUNT
};

const char *flow_hook_name(enum flow_hook hook);

enum flow_log_level { FLOW_LOG_INFO, FLOW_LOG_WARNING, FLOW_LOG_ERROR };

struct flow_effect {
	enum flow_effect_type type;
	uint32_t id;                      /* not 0 where an answer is owed */
	const struct flow_action *action; /* that made it */
	union {
		struct {
			const struct flow_message *messages;
			uint16_t count;
			bool loop;          /* over and over, until stopped or replaced */
			bool ends_with_key; /* a menu or input: the engine stops it at the first key
					     */
		} play;
		struct flow_target target;
		struct {
			const char *hours; /* "" : of the target queue */
			const char *resource_name;
		} hours;
		struct {
			enum flow_metric metric;
			struct flow_target target;
		} metric;
		struct {
			const char *number; /* E.164 */
			uint32_t timeout_s;
			bool resume;
			const char *digits; /* 0-9 , * #; sent after the answer, before the customer
					       is joined (R75) */
			const char *caller_number; /* "": the caller's own */
			const char *caller_name;
		} third_party;
		struct {
			struct flow_target target;
			uint32_t delay_s;
			uint32_t attempts;
			uint32_t retry_s;
			const char *flow; /* reference, or "" */
			const char *caller_number;
		} callback;
		struct {
			const char *caller_number; /* "": of the queue */
			uint32_t timeout_s;
		} call;
		struct {
			enum flow_hook hook;
			bool disabled;         /* run no flow at all there */
			const char *reference; /* as resolved from the file */
			struct flow *flow;     /* that find_flow gave; NULL when disabled */
		} hook;
		struct {
			bool related;
			const struct attribute *list;
			size_t count;
		} attributes;
		struct {
			const struct attribute *list;
			size_t count;
		} pairs;
		struct {
			bool agent;
			bool customer;
			bool screen;
			bool ivr;
		} recording;
		struct {
			bool on;
			bool from_customer;
			bool to_customer;
		} streaming;
		struct {
			const char *voice;
			const char *engine;
			const char *style;
		} voice;
		struct {
			const char *function; /* ARN or name */
			uint32_t timeout_ms;
			const struct attribute *inputs;
			size_t count;
			bool json; /* any JSON object is a good answer, not only a flat map of texts
				    */
		} lambda;
		struct {
			const struct flow_message *messages; /* Lex: prompt to play first */
			uint16_t message_count;
			const struct attribute *inputs; /* place in Parameters, resolved value */
			size_t count;
		} service;
		struct {
			enum flow_log_level level;
			const char *text;
		} log;
		struct {
			const struct flow *flow; /* that the action is in */
			const struct attribute *list;
			size_t count;
			bool cut; /* more parameters, or longer ones, than a trace holds */
		} enter;
		struct {
			const char *result; /* what the conditions were tried against, or the
					       error's name; of stored input: FLOW_SECRET */
			const char *branch; /* NextAction, an error's name, or the operand of the
					       condition; of stored input: FLOW_SECRET */
			uint16_t target;    /* or FLOW_NO_ACTION */
		} leave;
		struct {
			const char *digits; /* secret: never log */
			const char *key_id;
			const char *key; /* PEM */
		} encrypt;
		const char *text;
		int64_t number;
		bool flag;
	};
};

/*
 * Where effects are put. One serves all runs of a loop: reset, call, carry out. Large; allocate
 * once.
 */
struct flow_effects {
	uint32_t count;
	struct flow_effect items[FLOW_EFFECTS_MAX];
	uint32_t message_count;
	struct flow_message messages[FLOW_MESSAGES_MAX];
	uint32_t pair_count;
	struct attribute pairs[FLOW_EFFECT_PAIRS_MAX];
	uint32_t text_length;
	char text[FLOW_EFFECT_TEXT_MAX];
	/* Of the trace, apart, so that it takes no room from what a flow does. */
	uint32_t traced_count;
	struct attribute traced[FLOW_TRACED_MAX];
	uint32_t traced_length;
	char traced_text[FLOW_TRACED_TEXT_MAX];
	/* Flows that a run has left while effects still point into them; released by the reset. */
	uint32_t left_count;
	struct flow *left[FLOW_EFFECTS_MAX];
};

void flow_effects_reset(struct flow_effects *effects);

/* ---- Events ---- */

enum flow_event_type {
	FLOW_EVENT_PLAY_DONE,   /* id: of the PLAY effect */
	FLOW_EVENT_PLAY_FAILED, /* id */
	FLOW_EVENT_KEY,         /* key: 0-9 * # (A-D are ignored), once per press */
	FLOW_EVENT_TIMER,       /* run.wake_at_ns has passed; too early is harmless */
	FLOW_EVENT_ANSWER,      /* id, result and what the effect's comment names */
	FLOW_EVENT_PARTY_GONE   /* the flow's party hung up: the run is over at once */
};

enum flow_result {
	FLOW_RESULT_OK,
	FLOW_RESULT_ERROR,
	FLOW_RESULT_AT_CAPACITY,
	FLOW_RESULT_YES,
	FLOW_RESULT_NO,
	FLOW_RESULT_ENDED,       /* the third party hung up, the caller is still there */
	FLOW_RESULT_CALL_FAILED, /* refused, busy, unreachable */
	FLOW_RESULT_TIMEOUT,
	FLOW_RESULT_INVALID,
	FLOW_RESULT_NOT_DIALABLE,
	FLOW_RESULT_FAILED /* .error says which branch */
};

/* Pointers need to be good only during the call. */
struct flow_event {
	enum flow_event_type type;
	uint32_t id;
	char key;
	enum flow_result result;
	enum flow_error error;
	int64_t number;
	const char *text;
	const struct attribute *values;
	size_t value_count;
};

/* ---- Runs ---- */

enum flow_run_state { FLOW_RUN_IDLE, FLOW_RUN_RUNNING, FLOW_RUN_WAITING, FLOW_RUN_OVER };

const char *flow_run_state_name(enum flow_run_state state);

/* What follows a run that is over. */
enum flow_outcome {
	FLOW_OUTCOME_NONE,     /* not over */
	FLOW_OUTCOME_PROCEED,  /* a whisper has ended: go on with the call */
	FLOW_OUTCOME_SILENCE,  /* a queue or hold flow has nothing more: the party waits in silence
				  (R90) */
	FLOW_OUTCOME_QUEUED,   /* the contact is in the queue: run the customer queue flow */
	FLOW_OUTCOME_TO_AGENT, /* connect to the agent of the quick connect */
	FLOW_OUTCOME_THIRD_PARTY,  /* bridged to an outside number for good */
	FLOW_OUTCOME_DISCONNECTED, /* the flow hung up */
	FLOW_OUTCOME_PARTY_GONE,
	FLOW_OUTCOME_STOPPED /* by flow_run_stop */
};

const char *flow_outcome_name(enum flow_outcome outcome);

/* What a waiting run waits for. */
enum flow_wait {
	FLOW_WAIT_NONE,
	FLOW_WAIT_PLAY,   /* PLAY_DONE of pending_id */
	FLOW_WAIT_LOOP,   /* the interrupt of a loop prompt */
	FLOW_WAIT_INPUT,  /* keys */
	FLOW_WAIT_ANSWER, /* ANSWER of pending_id */
	FLOW_WAIT_TIME    /* wake_at_ns */
};

/* What belongs to one flow or module only: a module has its own, and the invoker keeps its own. */
struct flow_locals {
	struct attributes flow_attributes;
	struct attributes external;
	struct attributes metrics;
	struct attributes lex;
	struct attributes
		modules; /* Input.x of a module; Result, ResultData.x of the last invoked */
};

/* Of who invoked a module, while that runs. */
struct flow_frame {
	struct flow_frame *outer; /* NULL: it is in no module itself */
	struct flow *flow;        /* held */
	uint16_t action;          /* the InvokeFlowModule to come back to */
	struct flow_locals locals;
	char *stored_input; /* secret; NULL: none */
};

/* Keys being collected. */
struct flow_input {
	char digits[FLOW_INPUT_MAX + 1]; /* secret */
	uint16_t length;
	uint16_t max;
	bool started;
	uint64_t first_key_ns; /* time allowed for the first key */
	uint64_t interdigit_ns;
	char terminator[8];
};

/*
 * One run. Plain data: all of it can be written and read back, `context` and `flow` by a journal as
 * ids, what `invoker` and `input` point to with it. Read it freely; only the engine writes.
 */
struct flow_run {
	enum flow_run_state state;
	enum flow_outcome outcome;
	enum flow_wait wait;
	enum flow_type role; /* what the flow is run as; its own type may be unknown */
	const struct flow_context *context;
	struct flow *flow;      /* held */
	uint16_t action;        /* present action, index */
	uint16_t resume_action; /* loop prompt that End flow goes back to, or FLOW_NO_ACTION */
	uint32_t next_id;
	uint32_t pending_id; /* answer that is awaited, or 0 */
	uint32_t play_id;    /* what plays now, or 0 */
	uint64_t wake_at_ns; /* TIMER is wanted then; 0: not */
	uint64_t window_ns;  /* start of the second that `steps` counts in */
	uint32_t steps;
	uint32_t depth;             /* of modules: how many frames there are */
	struct flow_frame *invoker; /* of the module that runs; NULL: none does */
	struct flow_locals locals;
	uint64_t lambda_ns; /* flow time that the Lambda calls in a row took so far */
	uint64_t lambda_began_ns;
	struct flow_input *input; /* NULL: none was asked for yet */
};

/*
 * Starts `flow` as `role` and executes until it must wait or is over. `run` must be zero bytes or
 * cleared. 0; -EINVAL: no flow or context. The run holds the flow.
 */
int flow_run_start(struct flow_run *run, struct flow *flow, enum flow_type role,
	const struct flow_context *context, uint64_t now_ns, struct flow_effects *effects);

/* 0; -ESTALE: an answer nobody waits for; -EINVAL: the run is not under way. */
int flow_run_step(struct flow_run *run, const struct flow_event *event, uint64_t now_ns,
	struct flow_effects *effects);

/* Ends a run from outside (an agent took the call): STOP_PLAYING if something plays, then OVER. */
void flow_run_stop(struct flow_run *run, struct flow_effects *effects);

/* Whether the run takes keys that it will encrypt: nobody may hear or keep them meanwhile. */
bool flow_run_takes_secret(const struct flow_run *run);

/*
 * Gives back what the run holds; zero bytes afterwards, but for the ids, which go on: an answer to
 * what was asked before is stale for the next run. Takes NULL.
 */
void flow_run_clear(struct flow_run *run);
