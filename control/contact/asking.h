/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asking: what flows ask of the outside world: functions (InvokeLambdaFunction) and services (Lex
 * and other actions that something else carries out). services.yaml says who answers; service.h
 * what goes over the wire.
 *
 * A treatment waits for one answer at most; it is cancelled when the flow is stopped or over. A
 * function that is called asynchronously has nobody who waits: it lives on when the call ends.
 */
#ifndef CONTACT_ASKING_H
#define CONTACT_ASKING_H

#include <stdbool.h>
#include <stdint.h>

struct asking;
struct flow_effect;
struct switchboard;
struct treatment;

/*
 * Carries out FLOW_EFFECT_INVOKE_LAMBDA or FLOW_EFFECT_SERVICE. False: it cannot be done (the log
 * says why), and no answer will come; else treatment_answer() brings one, later.
 */
bool asking_start(struct treatment *t, const struct flow_effect *effect);
/* No answer comes any more. */
void asking_cancel(struct treatment *t);
/* Everything that is asked, also by nobody. */
void asking_clear(struct switchboard *board);

/*
 * The request's JSON text, malloc'ed; NULL without memory. `transcript`: keys that a bot is told,
 * or NULL.
 */
char *asking_function_request(struct treatment *t, const struct flow_effect *effect);
char *asking_service_request(struct treatment *t, const struct flow_effect *effect);

#endif
