/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contact_data: what flows write on a contact beside its attributes: texts, tags, references and what
 * is to be recorded and streamed. It goes on over segments and to callbacks; a transfer's own flows say
 * what of it is recorded (recording.h).
 *
 * Streaming is a wish: nothing here streams, so it is kept, shown and logged.
 */
#ifndef CONTACT_CONTACT_DATA_H
#define CONTACT_CONTACT_DATA_H

#include <stdbool.h>

#include "flow/engine.h"

#define CONTACT_TAGS_MAX       50u
#define CONTACT_TAG_NAME_MAX   128u
#define CONTACT_TAG_VALUE_MAX  256u
#define CONTACT_REFERENCES_MAX 50u
#define CONTACT_TEXT_SIZE      1024u

struct contact;

struct contact_data {
	struct attributes texts; /* Name, Description, CustomerId; few contacts have any */
	struct attributes tags;
	struct attributes references; /* name and value */
	struct {
		bool agent, customer, screen, ivr;
	} recording;
	struct {
		bool on, from_customer, to_customer;
	} streaming;
};

void contact_data_clear(struct contact_data *data);
/* `to` is empty. What there is no memory for is not there. */
void contact_data_copy(struct contact_data *to, const struct contact_data *from);

/* The voice that speaks to the contact: the one that a flow set, else that of its language; "": the
 * default. */
const char *contact_data_voice(const struct contact *contact);

/* Name, Description, LanguageCode, CustomerId, References.x; other names do nothing. */
void contact_data_set(struct contact *contact, const char *name, const char *value);
/*
 * Sets and removes tags, all or nothing: -E2BIG more than CONTACT_TAGS_MAX, -EINVAL a name or value
 * that is empty, too long or reserved (`aws:`), -ENOMEM.
 */
int contact_data_tag(struct contact_data *data, const struct attribute *list, size_t count);

/* The effects of a flow that only this file is about; false: another one. */
bool contact_data_carry_out(struct contact *contact, const struct flow_effect *effect);

#endif
