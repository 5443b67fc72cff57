/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/contact.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "contact/switchboard.h"

#define BIT(state) (1u << CONTACT_##state)

/* What may follow what. A live contact may always end. */
static const uint32_t transitions[CONTACT_STATE_COUNT] = {
	[CONTACT_ARRIVING] = BIT(FLOW) | BIT(DIALLING) | BIT(SCHEDULED) | BIT(ENDED) | BIT(CLOSED),
	[CONTACT_SCHEDULED] = BIT(QUEUED) | BIT(ENDED),
	[CONTACT_DIALLING] = BIT(FLOW) | BIT(CUSTOMER_WHISPER) | BIT(SCHEDULED) | BIT(ENDED),
	[CONTACT_FLOW] = BIT(QUEUED) | BIT(OFFERED) | BIT(BRIDGED) | BIT(ENDED),
	[CONTACT_QUEUED] = BIT(OFFERED) | BIT(BRIDGED) | BIT(ENDED),
	[CONTACT_BRIDGED] = BIT(FLOW) | BIT(QUEUED) | BIT(ENDED),
	[CONTACT_OFFERED] =
		BIT(QUEUED) | BIT(SCHEDULED) | BIT(AGENT_WHISPER) | BIT(FLOW) | BIT(ENDED),
	[CONTACT_AGENT_WHISPER] = BIT(QUEUED) | BIT(SCHEDULED) | BIT(CUSTOMER_WHISPER) |
				  BIT(DIALLING) | BIT(FLOW) | BIT(ENDED),
	[CONTACT_CUSTOMER_WHISPER] = BIT(TALKING) | BIT(FLOW) | BIT(ENDED),
	[CONTACT_TALKING] = BIT(HOLD) | BIT(BRIDGED) | BIT(FLOW) | BIT(ENDED),
	[CONTACT_HOLD] = BIT(TALKING) | BIT(BRIDGED) | BIT(FLOW) | BIT(ENDED),
	[CONTACT_ENDED] = BIT(CLOSED),
	[CONTACT_CLOSED] = 0,
};

const char *contact_state_name(enum contact_state state)
{
	static const char *const names[] = {
#define X(name, word) word,
		CONTACT_STATES(X)
#undef X
	};
	return state < CONTACT_STATE_COUNT ? names[state] : "?";
}

const char *contact_method_name(enum contact_method method)
{
	static const char *const names[] = {
#define X(name) #name,
		CONTACT_METHODS(X)
#undef X
	};
	return names[method];
}

const char *contact_reason_name(enum contact_reason reason)
{
	static const char *const names[] = {
#define X(name) #name,
		CONTACT_REASONS(X)
#undef X
	};
	return reason == CONTACT_REASON_NONE ? "" : names[reason];
}

bool contact_transition(enum contact_state from, enum contact_state to)
{
	return transitions[from] & 1u << to;
}

void contact_set_state(struct contact *contact, enum contact_state state, uint64_t now_ns)
{
	if (contact->state == state)
		return;
	CHECK(contact_transition(contact->state, state));
	log_info(LOG_CALL(contact->segment.id, 0), "contact", "%s -> %s after %u ms",
		contact_state_name(contact->state), contact_state_name(state),
		(unsigned)((now_ns - contact->segment.initiated) / CLOCK_MS));
	contact->board->in_state[contact->state]--;
	contact->board->in_state[state]++;
	contact->state = state;
	contact->version++;
	panel_changed(contact);
}

bool contact_is_callback(const struct contact *contact)
{
	return contact->segment.method == CONTACT_METHOD_CALLBACK && !contact->caller;
}

bool contact_is_live(const struct contact *contact)
{
	return contact->state < CONTACT_ENDED;
}

uint64_t contact_wall(const struct contact *contact, uint64_t moment_ns)
{
	return moment_ns ? clock_wall_at(&contact->clock, moment_ns) : 0;
}

void contact_text(char *to, size_t size, const char *from)
{
	size_t n = from ? strnlen(from, size) : 0;

	if (n > 0 && n == size) { /* cut, but not inside a character */
		n = size - 1;
		while (n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80)
			n--;
	}
	if (n)
		memcpy(to, from, n);
	to[n] = '\0';
	if (!str_is_utf8(str_make(to, n)))
		for (size_t i = 0; i < n; i++)
			if ((unsigned char)to[i] >= 0x80 || (unsigned char)to[i] < 0x20)
				to[i] = '?';
}

void contact_set_customer_name(struct contact *contact, const char *name)
{
	char text[CONTACT_NAME_SIZE];

	contact_text(text, sizeof(text), name);
	free(contact->customer_name);
	contact->customer_name = *text ? str_dup(str_from(text)) : NULL;
}

const char *contact_customer_name(const struct contact *contact)
{
	return contact->customer_name ? contact->customer_name : "";
}

static struct contact_segment fresh_segment(
	struct contact *contact, enum contact_method method, uint64_t now_ns)
{
	struct contact_segment s = {
		.method = method, .initiated = now_ns, .queue = ROUTER_NONE, .agent = ROUTER_NONE};

	random_uuid(&contact->board->random, s.id);
	return s;
}

/* ---- the chain ---- */

static void join_chain(struct contact *contact)
{
	memcpy(contact->chain->tail, contact->segment.id, sizeof(contact->chain->tail));
	contact->chain->holder = contact->id;
}

static void know_by_id(struct contact *contact)
{
	const char *id = contact->segment.id;

	if (map_put(&contact->board->by_id, id, strlen(id), contact) < 0)
		log_warning(LOG_CALL(id, 0), "contact", "no memory to find the contact by its id");
}

void contact_first_segment(struct contact *contact, enum contact_method method, uint64_t now_ns)
{
	contact->chain = calloc(1, sizeof(*contact->chain));
	CHECK(contact->chain);
	contact->chain->references = 1;
	contact->segment = fresh_segment(contact, method, now_ns);
	know_by_id(contact);
	memcpy(contact->segment.initial, contact->segment.id, sizeof(contact->segment.id));
	join_chain(contact);
}

static struct contact_segment *find_segment(struct contact *contact, const char *id)
{
	if (strcmp(contact->segment.id, id) == 0)
		return &contact->segment;
	for (struct contact_segment *s = contact->past; s; s = s->older)
		if (strcmp(s->id, id) == 0)
			return s;
	return NULL;
}

/*
 * The last segment of the chain learns of its successor: in its contact while that is there, else
 * in the record that was delivered (R102).
 */
static void announce_next(
	const struct contact *contact, const struct contact_segment *next, uint64_t now_ns)
{
	struct switchboard *board = contact->board;
	const struct contact_chain *chain = contact->chain;
	struct contact *holder = pool_get(&board->contacts, chain->holder);
	struct contact_segment *tail = holder ? find_segment(holder, chain->tail) : NULL;

	if (tail)
		memcpy(tail->next, next->id, sizeof(tail->next));
	else if (records_set_next(board->records, str_from(chain->tail), str_from(next->id),
			 contact_wall(contact, now_ns)) < 0)
		log_error_limited(LOG_CALL(next->id, 0), "contact", 10,
			"the record before this one could not be told");
}

static void link_segment(struct contact *contact, struct contact_segment *next, uint64_t now_ns)
{
	announce_next(contact, next, now_ns);
	memcpy(next->previous, contact->chain->tail, sizeof(next->previous));
}

void contact_leave_chain(struct contact *contact)
{
	if (contact->chain && --contact->chain->references == 0)
		free(contact->chain);
	contact->chain = NULL;
}

void contact_follow(struct contact *contact, struct contact *cause, uint64_t now_ns)
{
	contact_leave_chain(contact);
	contact->chain = cause->chain;
	contact->chain->references++;
	memcpy(contact->segment.initial, cause->segment.initial, sizeof(contact->segment.initial));
	link_segment(contact, &contact->segment, now_ns);
	join_chain(contact);
}

void contact_inherit(struct contact *contact, const struct contact *cause)
{
	attributes_copy(&contact->memory.attributes, &cause->memory.attributes);
	contact->priority = cause->priority;
	contact->criteria = criteria_hold(cause->criteria);
	memcpy(contact->language, cause->language, sizeof(contact->language));
	memcpy(contact->voice, cause->voice, sizeof(contact->voice));
	contact_set_customer_name(contact, contact_customer_name(cause));
	contact->memory.logged = cause->memory.logged;
	contact->flow_logged = cause->flow_logged;
	contact_data_copy(&contact->data, &cause->data);
}

void contact_inherit_hook(struct contact *contact, const struct contact *cause, enum flow_hook hook)
{
	contact->hook[hook] = cause->hook[hook] ? flow_hold(cause->hook[hook]) : NULL;
	contact->hook_disabled[hook] = cause->hook_disabled[hook];
}

void contact_hold_begins(struct contact_segment *s, uint64_t now_ns)
{
	s->hold_started = now_ns;
	s->holds++;
}

void contact_hold_ends(struct contact_segment *s, uint64_t now_ns)
{
	uint64_t held_ns = now_ns - s->hold_started;

	s->hold_started = 0;
	s->hold_total += held_ns;
	if (held_ns > s->hold_longest)
		s->hold_longest = held_ns;
}

bool segment_is_wrapping(const struct contact_segment *segment)
{
	return segment->acw_started && !segment->acw_ended;
}

void contact_next_segment(struct contact *contact, enum contact_method method, uint64_t now_ns)
{
	struct contact_segment *old = &contact->segment, *kept;
	struct contact_segment next = fresh_segment(contact, method, now_ns);

	if (contact->caller)
		leg_quality_read(contact->caller);
	recording_stop(contact, now_ns);
	memcpy(next.initial, old->initial, sizeof(next.initial));
	link_segment(contact, &next, now_ns);
	next.connected = contact->caller ? now_ns : 0;
	old->disconnected = now_ns;
	contact_event(contact, "DISCONNECTED", now_ns);
	contact_record_put(contact, old, !segment_is_wrapping(old), now_ns);
	if (segment_is_wrapping(old)) {
		kept = malloc(sizeof(*kept));
		CHECK(kept);
		*kept = *old;
		kept->older = contact->past;
		contact->past = kept;
	}
	map_remove(&contact->board->by_id, old->id, strlen(old->id));
	contact->segment = next;
	know_by_id(contact);
	join_chain(contact);
	contact->version++;
	contact_event(contact, "INITIATED", now_ns);
	if (next.connected)
		contact_event(contact, "CONNECTED_TO_SYSTEM", now_ns);
}

struct contact_segment *contact_wrapped_by(struct contact *contact, uint32_t agent)
{
	if (contact->segment.agent == agent && segment_is_wrapping(&contact->segment))
		return &contact->segment;
	for (struct contact_segment *s = contact->past; s; s = s->older)
		if (s->agent == agent)
			return s;
	return NULL;
}

void contact_drop_past(struct contact *contact, struct contact_segment *segment)
{
	for (struct contact_segment **p = &contact->past; *p; p = &(*p)->older) {
		if (*p != segment)
			continue;
		*p = segment->older;
		free(segment);
		return;
	}
}
