/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sip/transaction_private.h"

void transaction_hash(struct sip_transactions *layer, char space, const struct str *parts,
	unsigned count, uint8_t key[TRANSACTION_KEY_SIZE])
{
	struct strbuf text;
	uint64_t half[2];
	uint32_t n;

	strbuf_init(&text, layer->scratch, TRANSACTION_SCRATCH);
	strbuf_char(&text, space);
	for (unsigned i = 0; i < count; i++) {
		n = (uint32_t)parts[i].n;
		strbuf_add(&text, str_make((const char *)&n, sizeof(n)));
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

static struct str cseq_number(const struct sip_message *request)
{
	return str_make((const char *)&request->cseq.number, sizeof(request->cseq.number));
}

/* RFC 3261 section 17.2.3; without the cookie the rules of RFC 2543. */
void transaction_server_key(struct sip_transactions *layer, const struct sip_message *request,
	struct str method, uint8_t key[TRANSACTION_KEY_SIZE])
{
	const struct sip_via *via = &request->via;
	uint16_t port = via->port ? via->port : 5060;
	char host[256];
	struct str sent_by = via->host, parts[7];
	unsigned n = 0;

	if (via->host.n < sizeof(host)) {
		memcpy(host, via->host.p, via->host.n);
		str_lower(host, via->host.n);
		sent_by = str_make(host, via->host.n);
	}
	parts[n++] = method;
	parts[n++] = via->branch;
	parts[n++] = sent_by;
	parts[n++] = str_make((const char *)&port, sizeof(port));
	if (!sip_via_has_cookie(via)) {
		parts[n++] = request->from_tag;
		parts[n++] = request->call_id;
		parts[n++] = cseq_number(request);
	}
	transaction_hash(layer, 's', parts, n, key);
}

void transaction_merge_key(struct sip_transactions *layer, const struct sip_message *request,
	uint8_t key[TRANSACTION_KEY_SIZE])
{
	transaction_hash(layer, 'm',
		(struct str[]){request->from_tag, request->call_id, request->method_name,
			cseq_number(request)},
		4, key);
}
