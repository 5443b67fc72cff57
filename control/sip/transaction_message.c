/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sip/build.h"
#include "sip/transaction_private.h"

/* Wiped: descriptions have keys. */
void transaction_drop(struct sip_transactions *layer, struct stored **at)
{
	if (!*at)
		return;
	layer->stats.bytes -= sizeof(**at) + (*at)->n;
	explicit_bzero((*at)->bytes, (*at)->n);
	free(*at);
	*at = NULL;
}

int transaction_store(struct sip_transactions *layer, struct stored **at, struct str bytes,
	const struct sip_hop *hop)
{
	struct stored *stored;

	if (layer->stats.bytes + sizeof(*stored) + bytes.n > layer->config.bytes_max)
		return -ENOBUFS;
	stored = malloc(sizeof(*stored) + bytes.n);
	if (!stored)
		return -ENOMEM;
	stored->hop = *hop;
	stored->n = (uint32_t)bytes.n;
	memcpy(stored->bytes, bytes.p, bytes.n);
	transaction_drop(layer, at);
	layer->stats.bytes += sizeof(*stored) + bytes.n;
	*at = stored;
	return 0;
}

int transaction_send_bytes(
	struct sip_transactions *layer, struct sip_hop *hop, const void *p, size_t n)
{
	int rc = layer->config.wire->send(layer->config.wire->ctx, hop, p, n);

	if (rc < 0)
		layer->stats.transport_errors++;
	return rc < 0 ? rc : 0;
}

int transaction_send(struct sip_transactions *layer, struct stored *stored)
{
	return stored ? transaction_send_bytes(layer, &stored->hop, stored->bytes, stored->n) : 0;
}

static bool parse_stored(const struct stored *stored, struct sip_message *message)
{
	struct sip_outcome outcome;

	return stored && sip_message_parse(message, stored->bytes, stored->n, SIP_DATAGRAM,
				 &outcome) == SIP_ACCEPT;
}

/* ACK and CANCEL that belong to the INVITE's transaction (sections 17.1.1.3 and 9.1). */
static int build_like_invite(struct sip_transactions *layer, const struct sip_message *invite,
	enum sip_method method, const struct sip_message *response)
{
	struct sip_builder b = sip_build(layer->scratch, TRANSACTION_SCRATCH);
	const struct sip_message *to = response ? response : invite;
	struct sip_values vias = sip_values(invite, SIP_HEADER_VIA);
	struct str via;

	sip_build_request(&b, str_from(sip_method_name(method)), invite->uri.text);
	if (sip_values_next(&vias, &via) > 0)
		sip_build_value(&b, SIP_HEADER_VIA, via);
	sip_build_value(&b, SIP_HEADER_MAX_FORWARDS, STR("70"));
	sip_build_copy(&b, invite, SIP_HEADER_ROUTE);
	sip_build_copy(&b, invite, SIP_HEADER_FROM);
	sip_build_copy(&b, to, SIP_HEADER_TO);
	sip_build_copy(&b, invite, SIP_HEADER_CALL_ID);
	sip_build_format(
		&b, SIP_HEADER_CSEQ, "%u %s", invite->cseq.number, sip_method_name(method));
	return sip_build_finish(&b, STR_NULL, STR_NULL);
}

void transaction_send_ack(struct transaction *t, const struct sip_message *response)
{
	struct sip_transactions *layer = t->layer;
	struct sip_message invite;
	struct sip_hop hop;
	int n;

	if (!parse_stored(t->message, &invite))
		return;
	n = build_like_invite(layer, &invite, SIP_METHOD_ACK, response);
	if (n < 0)
		return;
	hop = t->message->hop;
	if (transaction_store(layer, &t->message, str_make(layer->scratch, (size_t)n), &hop) < 0)
		transaction_send_bytes(layer, &hop, layer->scratch, (size_t)n);
	else
		transaction_send(layer, t->message);
}

void transaction_send_cancel(struct transaction *t)
{
	struct sip_transactions *layer = t->layer;
	struct sip_message invite;
	int n;

	t->cancel_sent = true;
	timers_set_in(layer->config.timers, &t->end, 64 * layer->config.timing.t1_ns);
	if (!parse_stored(t->message, &invite))
		return;
	n = build_like_invite(layer, &invite, SIP_METHOD_CANCEL, NULL);
	if (n < 0)
		return;
	sip_client_start(layer,
		&(struct sip_client_request){
			.method = SIP_METHOD_CANCEL,
			.branch = invite.via.branch,
			.bytes = str_make(layer->scratch, (size_t)n),
			.hop = t->message->hop,
		},
		&(uint64_t){0});
}
