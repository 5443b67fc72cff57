/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "sip/transaction_private.h"

void transaction_hash(struct sip_transactions *layer, char space, const struct str *parts,
	unsigned count, uint8_t key[TRANSACTION_KEY_SIZE])
{
	struct strbuf text;
	uint64_t half[2];

	strbuf_init(&text, layer->scratch, TRANSACTION_SCRATCH);
	strbuf_char(&text, space);
	for (unsigned i = 0; i < count; i++) {
		strbuf_u64(&text, parts[i].n);
		strbuf_char(&text, ':');
		strbuf_add(&text, parts[i]);
	}
	half[0] = siphash(text.p, text.n, layer->seed[0]);
	half[1] = siphash(text.p, text.n, layer->seed[1]);
	memcpy(key, half, TRANSACTION_KEY_SIZE);
}

void transaction_client_key(struct sip_transactions *layer, struct str branch, struct str method,
	uint8_t key[TRANSACTION_KEY_SIZE])
{
	transaction_hash(layer, 'c', (struct str[]){branch, method}, 2, key);
}

/* RFC 3261 section 17.2.3; without the cookie the rules of RFC 2543. */
void transaction_server_key(struct sip_transactions *layer, const struct sip_message *request,
	struct str method, uint8_t key[TRANSACTION_KEY_SIZE])
{
	const struct sip_via *via = &request->via;
	char host[256] = "", port[8], number[12];
	struct str sent_by = via->host, parts[7];
	unsigned n = 0;

	if (via->host.n < sizeof(host)) {
		memcpy(host, via->host.p, via->host.n);
		str_lower(host, via->host.n);
		sent_by = str_make(host, via->host.n);
	}
	snprintf(port, sizeof(port), "%u", via->port ? (unsigned)via->port : 5060u);
	parts[n++] = method;
	parts[n++] = via->branch;
	parts[n++] = sent_by;
	parts[n++] = str_from(port);
	if (!sip_via_has_cookie(via)) {
		snprintf(number, sizeof(number), "%u", request->cseq.number);
		parts[n++] = request->from_tag;
		parts[n++] = request->call_id;
		parts[n++] = str_from(number);
	}
	transaction_hash(layer, 's', parts, n, key);
}

void transaction_merge_key(struct sip_transactions *layer, const struct sip_message *request,
	uint8_t key[TRANSACTION_KEY_SIZE])
{
	char number[12];

	snprintf(number, sizeof(number), "%u", request->cseq.number);
	transaction_hash(layer, 'm',
		(struct str[]){request->from_tag, request->call_id, request->method_name,
			str_from(number)},
		4, key);
}
