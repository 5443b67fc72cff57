/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer that is made of text: agent 1 of the simulation is real, agent 0 is played by the test,
 * which writes requests and responses by hand and looks at what comes.
 */
#pragma once

#include "sim.h"

#define RAW_KEPT 64

struct raw_peer {
	struct sim *sim;
	char text[RAW_KEPT][8192]; /* what agent 1 sent, in order, without what was repeated */
	struct sip_message message[RAW_KEPT];
	unsigned count;
	unsigned seen; /* by raw_expect */
	char to_tag[64];
	char call_id[64];
	uint32_t cseq;
	unsigned branch;
};

/* Agent 0 falls silent, and all that agent 1 sends is kept here. */
void raw_start(struct raw_peer *peer, struct sim *sim);
/* A request of the dialog (after the first: with the To tag). extra: header lines; body: SDP. */
void raw_request(struct raw_peer *peer, const char *method, const char *extra, const char *type,
	const char *body);
/* The same with everything open. cseq 0: the next. */
void raw_send(struct raw_peer *peer, const char *method, const char *uri, uint32_t cseq,
	const char *extra, const char *type, const char *body);
void raw_ack(struct raw_peer *peer, const char *body);
/* Runs 50 ms and gives the next message of agent 1, which must have this status. */
const struct sip_message *raw_expect(struct raw_peer *peer, unsigned status);
const struct sip_message *raw_expect_request(struct raw_peer *peer, enum sip_method method);
void raw_expect_nothing(struct raw_peer *peer);
/* A response to a request of agent 1. tag may be NULL. */
void raw_respond(struct raw_peer *peer, const struct sip_message *request, unsigned status,
	const char *tag, const char *extra, const char *body);
/* A description of audio at ADDRESS:PORT with formats and further lines. */
const char *raw_sdp(const char *address, unsigned port, const char *formats, const char *lines);
