/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asking: what flows ask of the outside world: functions (InvokeLambdaFunction) and services (Lex
 * and other actions that something else carries out). services.yaml says who answers; service.h
 * what goes over the wire.
 *
 * A bot (ConnectParticipantWithLexBot) is asked when the caller has typed something after its prompt
 * (listening.h). Not configured, it takes its error branch at once and the prompt is not played.
 *
 * A treatment waits for one answer at most; it is cancelled when the flow is stopped or over. A
 * function that is called asynchronously has nobody who waits: it lives on when the call ends.
 */
#ifndef CONTACT_ASKING_H
#define CONTACT_ASKING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/engine.h"

struct asking;
struct switchboard;
struct treatment;

/*
 * Carries out FLOW_EFFECT_INVOKE_LAMBDA or FLOW_EFFECT_SERVICE. False: it cannot be done (the log
 * says why), and no answer will come; else treatment_answer() brings one, later.
 */
bool asking_start(struct treatment *t, const struct flow_effect *effect, uint64_t now_ns);
/* No answer comes any more. */
void asking_cancel(struct treatment *t);
/* Everything that is asked, also by nobody. */
void asking_clear(struct switchboard *board);

/* A key, and the end of a play. False: they are the flow's. */
bool asking_key(struct treatment *t, char key, uint64_t now_ns);
bool asking_played(struct treatment *t, enum flow_event_type type, uint64_t token, uint64_t now_ns);

/* What is asked; NULL without memory. */
json_t *asking_function_request(struct treatment *t, const struct flow_effect *effect);
json_t *asking_service_request(struct treatment *t, const struct flow_effect *effect);

#endif
