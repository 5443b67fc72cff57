/* SPDX-License-Identifier: Apache-2.0 */
#include "sofia.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_util.h>

#include <string.h>

static bool copy(char out[SOFIA_TEXT_SIZE], const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n >= SOFIA_TEXT_SIZE)
		return false;
	memcpy(out, text ? text : "", n + 1);
	return true;
}

static bool accepts(const msg_t *msg, const sip_t *sip)
{
	return sip && !sip->sip_error && !msg_has_error(msg) && sip_sanity_check(sip) == 0 &&
	       sip->sip_via && sip->sip_from && sip->sip_to && sip->sip_cseq && sip->sip_call_id;
}

bool sofia_parse(const char *bytes, size_t length, struct sofia_opinion *opinion)
{
	msg_t *msg = msg_make(sip_default_mclass(), 0, bytes, (ssize_t)length);
	sip_t *sip = msg ? sip_object(msg) : NULL;
	bool ok = msg && accepts(msg, sip);

	if (ok) {
		opinion->status = sip->sip_status ? (unsigned)sip->sip_status->st_status : 0;
		opinion->cseq = sip->sip_cseq->cs_seq;
		ok = copy(opinion->method, sip->sip_cseq->cs_method_name) &&
		     copy(opinion->call_id, sip->sip_call_id->i_id) &&
		     copy(opinion->from_tag, sip->sip_from->a_tag) &&
		     copy(opinion->to_tag, sip->sip_to->a_tag) &&
		     copy(opinion->branch, sip->sip_via->v_branch);
	}
	msg_destroy(msg);
	return ok;
}
