/* SPDX-License-Identifier: Apache-2.0 */
/*
 * switchboard: the one place that carries effects out. What happens (SIP, media, router, flows,
 * verbs of the admin socket) comes in here, moves a contact on, and goes out as calls of SIP, media
 * and router, as records and as events. All on the loop's thread; it owns every contact and leg.
 *
 *     SIP session events --+                          +--> sip_session_*
 *     media callbacks    --+                          +--> media_*
 *     router effects     --+--> contact state machine +--> router_*
 *     treatments over    --+     (contact.h)          +--> records, events
 *     admin verbs        --+
 *
 * Files: switchboard.c (contacts from first to last, router effects, reload), callbacks.c (what SIP
 * and media tell), arriving.c (calls that come in), api_call.c (calls that programs start),
 * offering.c (offers, whispers, joining), dialling.c (numbers called for agents), callback.c
 * (queued callbacks), third_party.c (numbers that flows connect the customer to), call.c (what the
 * contacts of one customer share), transfer.c, outside.c and supervising.c (whom agents and
 * supervisors bring to a call), phone.c (what agents do at their phones), panel.c, leg.c,
 * treatment.c (flows on legs), sealing.c (input that they encrypt), asking.c (what they ask of the
 * outside world), hearing.c (who hears whom), recording.c (what is recorded), contact_record.c, contact_event.c and agent_stream.c
 * (what is told), desk*.c (verbs of agents and operators).
 */
#ifndef CONTACT_SWITCHBOARD_H
#define CONTACT_SWITCHBOARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/jot.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/offload.h"
#include "base/pool.h"
#include "base/random.h"
#include "contact/agent_stream.h"
#include "contact/api_call.h"
#include "contact/call.h"
#include "contact/config.h"
#include "contact/contact.h"
#include "contact/instance.h"
#include "contact/leg_quality.h"
#include "contact/signalling.h"
#include "media/media.h"
#include "queue/router.h"
#include "service/service.h"
#include "sip/session.h"
#include "store/events.h"
#include "store/flow_log.h"
#include "store/records.h"

/* Customer, agent and an outside number, on the average of all contacts. */
#define LEGS_OF_CONTACT 3

/* Retry-After of what is refused because we are full, draining or without a dataplane. */
#define BOARD_RETRY_AFTER_S 5

struct switchboard_stats {
	uint64_t calls_in;       /* new calls that came in */
	uint64_t calls_answered; /* of them, answered by us */
	uint64_t calls_refused;  /* of them, refused */
	uint64_t offers, offers_accepted, offers_missed, offers_rejected, offers_withdrawn;
	uint64_t contacts_closed;
};

struct switchboard {
	struct loop *loop;
	struct timers *timers;
	struct offload *offload;
	struct config *config;
	struct instance *instance;
	struct random random;
	struct signalling *signalling;
	struct media *media;
	struct router *router;
	struct records *records;
	struct recordings *recordings; /* NULL: nothing is recorded */
	struct events *events;
	struct jot event; /* the one that is being written */
	struct services *services;
	struct asking *askings;    /* what the outside world is asked now (asking.h) */
	struct flow_log *flow_log; /* may be NULL */
	struct pool contacts;      /* struct contact */
	struct pool legs;          /* struct leg */
	struct pool treatments;    /* struct treatment: one for each leg */
	struct flow_effects *effects;
	char fact[256]; /* the text that the last fact of a flow was put into */
	struct loop_task router_task;
	struct loop_task panel_task;
	struct agent_stream agent_stream;
	struct leg_quality_board leg_quality;
	struct leg *supervisors; /* legs of all that are on calls */
	struct contact *panels;  /* whose agents' panels may have changed */
	struct api_tokens api_tokens;
	bool draining;
	uint32_t live; /* contacts that have not ended: the instance's concurrent calls */
	uint32_t in_state[CONTACT_STATE_COUNT]; /* contacts; contact_set_state() moves them */
	struct map by_id;                       /* contacts by the id of their segment */
	uint64_t started_ns;
	struct clock_pair clock;
	struct switchboard_stats stats;
	/* Told of each session that a leg has got; for traces. May be NULL. */
	void (*leg_called)(void *ctx, const struct leg *leg, uint64_t session);
	void *leg_called_ctx;
};

/* ---- life ---- */

/* Pools, timers and effects; the other parts are main's and are put in before the loop runs. */
int board_init(struct switchboard *board);
void board_clear(struct switchboard *board);
/* Refuses new calls from now on; board_idle() tells when the last contact is gone. */
void board_drain(struct switchboard *board);
bool board_idle(const struct switchboard *board);
/* Ends every contact now. */
void board_end_all(struct switchboard *board);

/* New resources, flows and numbers; the old instance goes when it has returned. */
int board_reload(struct switchboard *board, struct instance *instance);

/* ---- what comes in ---- */

/* With the board as context. */
extern const struct sip_session_events board_session_events;
/* An agent's phone came or went. */
void board_phone(struct switchboard *board, uint32_t agent, bool ready);
struct media_callbacks board_media_callbacks(struct switchboard *board);

/* ---- for the files of this room ---- */

uint64_t board_now(const struct switchboard *board);

/* The flow that a hook leads to: the contact's, else the instance's default; NULL: none is run. */
struct flow *board_hook_flow(const struct contact *contact, enum flow_hook hook);
/* ARN of a queue or of an agent's own queue; NULL: a reload took it away. */
const char *board_queue_arn(const struct switchboard *board, uint32_t queue);
/* A queue's name; of an agent's own queue the user name; "". */
const char *board_queue_name(const struct switchboard *board, uint32_t queue);
/* A user's name; of one whom a reload took away: "the agent". */
const char *board_agent_name(const struct switchboard *board, uint32_t agent);
/* A treatment has ended. */
void board_treatment_over(
	struct treatment *t, enum flow_type role, enum flow_outcome outcome, uint64_t now_ns);

/* The customer's part is over: everything that depends on it ends. */
void board_end_contact(struct contact *contact, enum contact_reason reason, uint64_t now_ns);
/* The customer's agent has left: the disconnect flow, or the end. */
void board_customer_remains(struct contact *contact, enum contact_reason reason, uint64_t now_ns);
/* Gone for good, when it has ended and no agent is in after-contact work for it. */
void board_close_contact(struct contact *contact, uint64_t now_ns);

/* A new leg with a port in the contact's room. NULL when pool or ports are used up. */
struct leg *board_leg_open(struct contact *contact, enum leg_role role, uint32_t agent);
/* The leg has got its session: the session's events are the leg's from now on. */
void board_leg_called(struct leg *leg);
/* The same of a second one. */
void board_leg_takes(struct leg *leg, uint64_t session);
/*
 * Calls an outside number (E.164) as this leg. The session's events say what becomes of it. Errors
 * as signalling_call_number().
 */
struct board_caller_id {
	const char *number; /* "": withheld */
	const char *name;
};
int board_leg_dial(
	struct leg *leg, const char *number, const struct board_caller_id *id, uint64_t now_ns);
/* Calls the agent's phone as this leg; a panel's answers by itself. -EHOSTUNREACH: no phone. */
int board_leg_ring(struct leg *leg, uint64_t now_ns);
/* How long an agent's phone may take to answer a call that was asked for, in ns. */
uint64_t board_phone_limit(const struct switchboard *board, const struct resource_agent *row);
/* Hangs up (`status` and text: what a call that was not answered yet is refused with). */
void board_leg_close(struct leg *leg, unsigned status, const char *reason);

/*
 * What our SDP says for the leg's port, which goes to the family that the peer's SDP has; the log
 * says when the dataplane has no address of it, and an answer is then refused with -ENOTSUP.
 */
struct sdp_local board_leg_local(struct leg *leg);
/* The leg's media, as the SDP says. */
void board_leg_media(struct leg *leg, const struct sdp_stream *stream);
/* Answers an incoming leg: its media is known at once, or with the ACK. A negative errno. */
int board_leg_answer(struct leg *leg);

/* arriving.c */
void arriving_call(struct switchboard *board, uint64_t session, const struct sip_incoming *incoming,
	uint64_t now_ns);
void arriving_customer_up(struct leg *leg, uint64_t now_ns);
/* The customer is connected: the first flow begins. */
void arriving_begin(struct leg *leg, uint64_t now_ns);
/* Why no call can begin now, for who asks for one; NULL: one can. */
const char *board_why_not_now(const struct switchboard *board);
/* The same for a call that no agent asks for: the workers' time is kept for those that are there. */
const char *board_why_not_new(const struct switchboard *board);

/* dialling.c: an agent dials at the phone. The first gives 0, or the status that refuses it. */
unsigned dialling_start(struct switchboard *board, uint64_t session,
	const struct signalling_call *call, uint64_t now_ns);
/*
 * For an outbound contact: the agent's slot, with the default outbound queue, and both legs. -EPERM
 * without such a queue, -ENOSPC, or the errno of router_agent_dial().
 */
int dialling_prepare(struct contact *contact, const struct resource_agent *agent,
	const char *number, uint64_t now_ns);
/* The agent's phone, called first (desk_dial.c), has answered. */
void dialling_phone_up(struct contact *contact, uint64_t now_ns);
/* Both legs are there: the outbound whisper's flow begins, and calls the destination. */
void dialling_begin(struct contact *contact, uint64_t now_ns);
void dialling_progress(
	struct leg *leg, unsigned status, const struct sdp_stream *media, uint64_t now_ns);
void dialling_answered(struct leg *leg, uint64_t now_ns);
void dialling_failed(struct contact *contact, const struct sip_end *end, uint64_t now_ns);
/* The agent has hung up, or not taken the call, before the destination's answer. */
void dialling_given_up(struct contact *contact, uint64_t now_ns);
void dialling_whisper_over(struct contact *contact, enum flow_outcome outcome, uint64_t now_ns);
/* The time to answer is over, or the call could not be placed. */
void dialling_late(struct contact *contact, uint64_t now_ns);
/*
 * The outbound whisper's flow wants the destination called now: CompleteOutboundCall, or its first
 * word to it. Nothing when the leg is no destination that is being dialled, or it is called already.
 */
struct dialling_call {
	const char *number; /* caller id; "": the queue's */
	uint64_t limit_ns;  /* time to answer; 0: the option routing.dial */
};
void dialling_place(struct leg *leg, const struct dialling_call *call, uint64_t now_ns);

/* callback.c: a queued callback (R59). False: it cannot be made. */
bool callback_create(struct contact *cause, const struct flow_effect *effect, uint64_t now_ns);
/* What the number plan says of a number that a flow wants called back. */
bool callback_may_call(const struct contact *contact, const char *number);
void callback_enqueued(
	struct contact *contact, const struct router_effect *answer, uint64_t now_ns);
/* Due, or long enough undone. */
void callback_due(struct contact *contact, uint64_t now_ns);
/*
 * It is in its queue, again, or the queue or the wish for calls has changed: it is given up with the
 * queue or when its time is over, and while control drains it is offered to nobody.
 */
void callback_waits(struct contact *contact, uint64_t now_ns);
/* The agent who had accepted is lost before the customer was called: it waits again. */
void callback_agent_lost(struct contact *contact, uint64_t now_ns);
/* The agent whisper is over: the customer is called. */
void callback_dial(struct contact *contact, uint64_t now_ns);
/* The customer was not reached: again later, or the end. */
void callback_failed(struct contact *contact, enum contact_reason reason, uint64_t now_ns);

/* third_party.c: a flow connects the customer to an outside number (R69 to R76). */
/* False: it cannot be done here; the flow's effect is answered later otherwise. */
bool third_party_start(struct leg *customer, const struct flow_effect *effect, uint64_t now_ns);
void third_party_parked(struct contact *contact, enum router_result result, uint64_t now_ns);
void third_party_progress(struct leg *leg, const struct sdp_stream *media);
void third_party_answered(struct leg *leg, uint64_t now_ns);
void third_party_digits_sent(struct leg *leg, int error, uint64_t now_ns);
void third_party_down(struct leg *leg, const struct sip_end *end, uint64_t now_ns);
/* The contact ends. */
void third_party_close(struct contact *contact);
/* Nothing of it is used any more. */
void third_party_forget(struct contact *contact);
/* The customer hears the far end before it is joined: early media. */
bool third_party_is_heard(const struct contact *contact);

/* outside.c: numbers that an agent calls for a conference (R41 to R44) */
/* The party was added; the number is called. 0, or a negative errno: nothing is left of it. */
int outside_call(struct contact *contact, unsigned party, const char *number, uint64_t now_ns);
/* It rings, or plays something. */
void outside_progress(struct leg *leg, const struct sdp_stream *media, uint64_t now_ns);
void outside_answered(struct leg *leg, uint64_t now_ns);
void outside_down(struct leg *leg, const struct sip_end *end, uint64_t now_ns);
/* Of a supervisor as well. */
void outside_close(struct leg *leg);
/* The agent has left the customer with outside numbers. */
void outside_remains(struct contact *contact, uint64_t now_ns);

/*
 * phone.c: what an agent does at the phone. `session`: which of its calls. The leg may be gone after
 * phone_refers() and phone_hung_up().
 */
/* Of an agent's leg: 0, or -ENOMEM. */
int phone_new(struct leg_phone **out);
/* NULL is fine. */
void phone_free(struct leg_phone *phone);
/* An agent's call is up, or its second one is. */
void phone_answered(struct leg *leg, uint64_t session, const struct sdp_stream *media);
/* Its media has changed: hold, resume. */
void phone_media(
	struct leg *leg, uint64_t session, const struct sdp_stream *media, uint64_t now_ns);
void phone_refers(
	struct leg *leg, uint64_t session, const struct sip_refer *refer, uint64_t now_ns);
/*
 * A number is dialled: false when the agent is on no call; else 0 in `status`, or what refuses it.
 */
bool phone_dials(struct switchboard *board, uint64_t session, const struct signalling_call *call,
	unsigned *status, uint64_t now_ns);
/* A call of the phone has ended: true when another one is left, which goes on. */
bool phone_hung_up(struct leg *leg, uint64_t session, uint64_t now_ns);
/* Ends second calls whose party has left. */
void phone_follow(struct call *call);
/* The leg is being closed. */
void phone_close(struct leg *leg);

/* supervising.c */
struct leg *supervising_leg(const struct switchboard *board, uint32_t agent);
void supervising_answered(struct leg *leg, uint64_t now_ns);
void supervising_down(struct leg *leg, uint64_t now_ns);
/* The leg is being closed. */
void supervising_close(struct leg *leg);

/* transfer.c: an agent's transfer to an agent or a queue is a contact of its own */
int transfer_start(struct contact *contact, const struct resource_quick_connect *quick_connect,
	unsigned party, uint64_t now_ns);
/* Its flow is at Transfer to agent. */
void transfer_to_agent(struct contact *contact, uint64_t now_ns);
/* What the router says of the direct offer. */
void transfer_offered(struct contact *contact, const struct router_effect *answer, uint64_t now_ns);
/* Success for a blind transfer: the party on the way is in its queue, or rings (R123). */
void transfer_rings(struct call *call, unsigned party, uint64_t now_ns);
/*
 * The conference has changed. When the party on the way has failed, a blind transfer is answered and
 * the customer is as before; when only the source has left, it is answered by what becomes of the party.
 */
void transfer_blind_follow(struct call *call, uint64_t now_ns);
/* The call is over. */
void transfer_blind_ends(struct call *call);
/* A contact whose customer is another one's: the caller is an agent who transfers. */
bool transfer_is_one(const struct contact *contact);
/* Why it does not come about, for the source (R22). */
void transfer_failed(struct contact *contact, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* offering.c */
void offering_init_timer(struct contact *contact);
void offering_router_effect(
	struct switchboard *board, const struct router_effect *effect, uint64_t now_ns);
/* Starts the clock that a whisper may not outlast. */
void offering_set_whisper_limit(struct contact *contact, uint64_t now_ns);
void offering_agent_rings(struct contact *contact, uint64_t now_ns);
void offering_agent_leg_up(struct leg *leg, uint64_t now_ns);
void offering_agent_leg_down(struct leg *leg, const struct sip_end *end, uint64_t now_ns);
/* The agent's part is over: after-contact work begins. */
void offering_agent_ends(struct contact *contact, uint64_t now_ns);
void offering_whisper_over(
	struct contact *contact, enum flow_type role, enum flow_outcome outcome, uint64_t now_ns);

/* hearing.c */
void hearing_apply(struct call *call);

/* contact_record.c */
void contact_record_put(struct contact *contact, const struct contact_segment *segment,
	bool complete, uint64_t now_ns);

/* panel.c: what an agent's desktop shows; false, and nothing written: no such agent */
bool panel_write(struct jot *j, const struct switchboard *board, uint32_t agent);
void panel_init(struct switchboard *board);
/* It is told at the end of this pass, when it has changed. */
void panel_changed(struct contact *contact);
void panel_forget(struct contact *contact);

/* contact_event.c */
void contact_event(struct contact *contact, const char *type, uint64_t now_ns);
/* Of one of its parties. */
void participant_event(
	struct contact *contact, enum leg_role role, const char *type, uint64_t now_ns);
/* Of a segment that may not be the contact's present one. */
void segment_event(struct contact *contact, const struct contact_segment *segment, const char *type,
	uint64_t now_ns);
/* What an event of one of the contact's recordings says, to be told now or when its file is closed. */
struct recording_note {
	char *segment; /* fields of the event; NULL: no memory */
	const char *participant;
	uint64_t started_wall, stopped_wall;
	char path[RECORDING_PATH_SIZE]; /* "": there is no file */
};
struct recording_note recording_note(
	struct contact *contact, const struct segment_recording *recording, const char *path);
void recording_note_drop(struct recording_note *note);
/* Tells and drops it. `reason`: why it is paused or has failed; NULL: none. */
void recording_event(struct switchboard *board, struct recording_note *note, const char *type,
	const char *reason, uint64_t now_ns);
void system_event(struct switchboard *board, const char *type, const char *text);
/* One object, begun here, filled by the caller, and appended to the event log. Times are UTC with
 * milliseconds and Z (R107). */
struct jot *event_begin(struct switchboard *board);
void event_end(struct switchboard *board, const char *topic, uint64_t now_ns);

/* agent_stream.c */
/* A snapshot in the shape of the agent event stream; for listings too. */
void agent_snapshot_write(struct jot *j, const char *key, const struct switchboard *board,
	const struct agent_snapshot *s);

/* ---- verbs of agents and operators (desk.c) ---- */

/* Each answers with 0 or a refusal: a negative errno, and a text that says why. */
#define DESK_WHY_SIZE 160

int desk_login(
	struct switchboard *board, const char *agent, const char *status, char why[DESK_WHY_SIZE]);
int desk_logout(struct switchboard *board, const char *agent, char why[DESK_WHY_SIZE]);
int desk_status(
	struct switchboard *board, const char *agent, const char *status, char why[DESK_WHY_SIZE]);
/* The offer that the agent has now; `contact` (id of the segment, may be NULL) must be its. */
int desk_accept(
	struct switchboard *board, const char *agent, const char *contact, char why[DESK_WHY_SIZE]);
int desk_reject(
	struct switchboard *board, const char *agent, const char *contact, char why[DESK_WHY_SIZE]);
/* Where an agent transfers to: a quick connect by name, id or ARN, or a number (R16). */
struct desk_target {
	const char *quick_connect; /* or */
	const char *number;        /* E.164 */
};
/*
 * R56: the agent calls; the agent's phone is called first. Of quick connects the external ones (R13).
 * To the number that is being dialled already: nothing.
 */
int desk_dial(struct switchboard *board, const char *agent, const struct desk_target *target,
	char why[DESK_WHY_SIZE]);
int desk_transfer(struct switchboard *board, const char *agent, const char *contact,
	const struct desk_target *target, char why[DESK_WHY_SIZE]);
/*
 * R111 to R124: the agent leaves as soon as the new destination is reached (R123); a failure changes
 * nothing. 0: on its way, and `done` is called once, also before it returns: with 0, or a negative
 * errno and why. A refusal at once is returned, and `done` is not called.
 */
int desk_transfer_blind(struct switchboard *board, const char *agent,
	const struct desk_target *target, void (*done)(void *ctx, int error, const char *why),
	void *ctx, char why[DESK_WHY_SIZE]);
/*
 * A verb of conference.h other than ADD. `party`: "customer", or the id that the panel shows; NULL for
 * verbs without one, and for mute: oneself.
 */
int desk_conference(struct switchboard *board, const char *agent, const char *contact,
	enum conference_verb verb, const char *party, char why[DESK_WHY_SIZE]);
/*
 * A supervisor listens to the agent, coaches or barges; one who is with the agent already changes to
 * that. Leaving is desk_leave().
 */
int desk_watch(struct switchboard *board, const char *supervisor, const char *agent,
	enum party_watch watch, char why[DESK_WHY_SIZE]);
/* All recordings of the agent's call are silent from now on, or are not. */
int desk_suspend_recording(struct switchboard *board, const char *agent, const char *contact,
	bool suspended, char why[DESK_WHY_SIZE]);
/* The agent leaves the contact: after-contact work begins. */
int desk_leave(
	struct switchboard *board, const char *agent, const char *contact, char why[DESK_WHY_SIZE]);
int desk_clear(struct switchboard *board, const char *agent, char why[DESK_WHY_SIZE]);
/* An operator ends a contact. */
int desk_end(struct switchboard *board, const char *contact, char why[DESK_WHY_SIZE]);

/* Gives back everything that a contact holds, without a record or an event. */
void board_forget_contact(struct contact *contact);

/* A contact without legs. NULL when pool or rooms are used up. */
struct contact *board_contact_open(
	struct switchboard *board, enum contact_method method, uint64_t now_ns);
/* The same without a room: it is no call before board_contact_go_live(). */
struct contact *board_contact_schedule(
	struct switchboard *board, enum contact_method method, uint64_t now_ns);
int board_contact_go_live(struct contact *contact);
/* Back, once its legs are gone. */
void board_contact_rest(struct contact *contact);
/* The contact is in the queue. */
void board_queued(struct contact *contact, uint32_t queue, uint64_t now_ns);

/* By the id of its present segment; NULL. */
struct contact *board_find_contact(const struct switchboard *board, const char *id);

#endif
