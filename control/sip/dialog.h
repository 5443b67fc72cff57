/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dialogs (RFC 3261 section 12): what both sides must remember to send requests within a call.
 *
 *      made by 2xx ----------------------------> CONFIRMED --- BYE, 481, 408 ---> (freed)
 *      made by 101-199 with tag --> EARLY -- 2xx -^
 *
 * A dialog is plain values: numbers, and one block of text that the fields index. A journal can
 * write the struct and the block, and read them back, without knowing what is in them.
 *
 * Forks: each 2xx with a To tag of its own makes a dialog of its own from that response alone
 * (sip_dialog_of_response()), so a surplus one can be acknowledged and ended without any session.
 */
#pragma once

#include "base/random.h"
#include "sip/build.h"
#include "sip/hop.h"
#include "sip/message.h"

#define SIP_DIALOG_TEXT_MAX 16384
#define SIP_DIALOG_ROUTES   16
#define SIP_TAG_SIZE        20 /* of our tags, with the terminator */

enum sip_dialog_field {
	SIP_DIALOG_CALL_ID,
	SIP_DIALOG_LOCAL_TAG,
	SIP_DIALOG_REMOTE_TAG,
	SIP_DIALOG_LOCAL,  /* From of our requests without tag, as written: "Name" <sip:…> */
	SIP_DIALOG_REMOTE, /* To of our requests without tag */
	SIP_DIALOG_TARGET, /* URI of the peer's Contact */
	SIP_DIALOG_ROUTE,  /* route set in the order of use, comma-separated; empty: none */
	SIP_DIALOG_FIELDS,
};

enum sip_dialog_state {
	SIP_DIALOG_NONE,
	SIP_DIALOG_EARLY,
	SIP_DIALOG_CONFIRMED,
	SIP_DIALOG_STATES,
};

struct sip_dialog {
	uint8_t state; /* enum sip_dialog_state */
	bool caller;   /* we sent the INVITE */
	bool has_remote_cseq;
	uint32_t local_cseq; /* of our last request */
	uint32_t remote_cseq;
	uint32_t text_size;
	struct {
		uint16_t at, n;
	} field[SIP_DIALOG_FIELDS];
	char *text;
};

struct str sip_dialog_text(const struct sip_dialog *dialog, enum sip_dialog_field field);
/* -E2BIG above SIP_DIALOG_TEXT_MAX for all fields together, -ENOMEM. */
int sip_dialog_set_text(struct sip_dialog *dialog, enum sip_dialog_field field, struct str text);
void sip_dialog_clear(struct sip_dialog *dialog);

/*
 * The dialog that our response to an INVITE makes, from the request. -EBADMSG without a usable
 * Contact.
 */
int sip_dialog_of_request(struct sip_dialog *dialog, const struct sip_message *request,
	struct str local_tag, enum sip_dialog_state state);
/*
 * The dialog that a response to our INVITE makes. -EBADMSG without To tag. Without a usable Contact
 * the target is the URI of To.
 */
int sip_dialog_of_response(struct sip_dialog *dialog, const struct sip_message *response);

/* True when this dialog has that Call-ID and tags. */
bool sip_dialog_is(const struct sip_dialog *dialog, struct str call_id, struct str local_tag,
	struct str remote_tag);
/* True when a message is of this dialog, by Call-ID and tags. */
bool sip_dialog_has_request(const struct sip_dialog *dialog, const struct sip_message *request);

enum sip_dialog_verdict {
	SIP_DIALOG_IN_ORDER,
	SIP_DIALOG_OLD_CSEQ, /* answer 500 (section 12.2.2) */
};
/* Checks and takes the CSeq of a request; ACK and CANCEL are always in order and change nothing. */
enum sip_dialog_verdict sip_dialog_take_cseq(
	struct sip_dialog *dialog, const struct sip_message *request);
/* Takes the Contact of a target refresh (INVITE, UPDATE and their 2xx). Without one: nothing. */
int sip_dialog_refresh_target(struct sip_dialog *dialog, const struct sip_message *message);

/*
 * Start line, Via, Max-Forwards, Route, From, To, Call-ID, CSeq of a request within the dialog,
 * loose or strict as the first route asks (section 12.2.1.1). cseq 0: the next one, which is taken;
 * ACK and CANCEL name that of their INVITE.
 */
void sip_dialog_build(struct sip_dialog *dialog, struct sip_builder *builder,
	enum sip_method method, uint32_t cseq, const struct sip_hop *hop,
	const struct sip_local *local, struct str branch);
/* The URI whose host is the next hop: first route, or target. */
struct str sip_dialog_next_uri(const struct sip_dialog *dialog);

/*
 * The hop for a URI with an IP literal and optional transport= and port. -ENOTSUP for a host name
 * (the seam of RFC 3263), another scheme or transport. What is not said is taken from `like`.
 */
int sip_hop_of_uri(struct str uri, const struct sip_hop *like, struct sip_hop *hop);

/* Our tags, and Call-IDs. */
void sip_tag_make(struct random *random, char tag[SIP_TAG_SIZE]);
