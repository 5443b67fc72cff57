/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/dialog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct str sip_dialog_text(const struct sip_dialog *dialog, enum sip_dialog_field field)
{
	if (!dialog->text)
		return STR_NULL;
	return str_make(dialog->text + dialog->field[field].at, dialog->field[field].n);
}

/* A header value may be folded; in a dialog it stands on one line. */
static void copy_unfolded(char *to, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		to[i] = text.p[i] == '\r' || text.p[i] == '\n' ? ' ' : text.p[i];
}

static int set_all(struct sip_dialog *dialog, const struct str fields[SIP_DIALOG_FIELDS])
{
	size_t total = 0, at = 0;
	char *text;

	for (int i = 0; i < SIP_DIALOG_FIELDS; i++)
		total += fields[i].n;
	if (total > SIP_DIALOG_TEXT_MAX)
		return -E2BIG;
	text = malloc(total + 1);
	if (!text)
		return -ENOMEM;
	for (int i = 0; i < SIP_DIALOG_FIELDS; i++) {
		copy_unfolded(text + at, fields[i]);
		dialog->field[i].at = (uint16_t)at;
		dialog->field[i].n = (uint16_t)fields[i].n;
		at += fields[i].n;
	}
	free(dialog->text);
	dialog->text = text;
	dialog->text_size = (uint32_t)total;
	return 0;
}

int sip_dialog_set_text(struct sip_dialog *dialog, enum sip_dialog_field field, struct str text)
{
	struct str fields[SIP_DIALOG_FIELDS];

	for (int i = 0; i < SIP_DIALOG_FIELDS; i++)
		fields[i] = sip_dialog_text(dialog, (enum sip_dialog_field)i);
	fields[field] = text;
	return set_all(dialog, fields);
}

void sip_dialog_clear(struct sip_dialog *dialog)
{
	free(dialog->text);
	memset(dialog, 0, sizeof(*dialog));
}

/* ---- making ------------------------------------------------------------------------------ */

/* "Name" <uri> */
static void add_name_address(struct strbuf *out, const struct sip_address *address)
{
	if (!str_empty(address->display)) {
		strbuf_add(out, address->display);
		strbuf_char(out, ' ');
	}
	strbuf_char(out, '<');
	strbuf_add(out, address->uri.text);
	strbuf_char(out, '>');
}

static int contact_of(const struct sip_message *message, struct str *target)
{
	struct sip_address contact;

	if (sip_message_address(message, SIP_HEADER_CONTACT, 0, &contact) < 0 || contact.star)
		return -EBADMSG;
	if (contact.uri.scheme != SIP_SCHEME_SIP && contact.uri.scheme != SIP_SCHEME_SIPS)
		return -EBADMSG;
	*target = contact.uri.text;
	return 0;
}

static int add_routes(struct strbuf *out, const struct sip_message *message, bool reversed)
{
	struct sip_values values = sip_values(message, SIP_HEADER_RECORD_ROUTE);
	struct str routes[SIP_DIALOG_ROUTES], value;
	int rc, n = 0;

	while ((rc = sip_values_next(&values, &value)) > 0) {
		if (n == SIP_DIALOG_ROUTES)
			return -E2BIG;
		routes[n++] = value;
	}
	if (rc < 0)
		return -EBADMSG;
	for (int i = 0; i < n; i++) {
		if (i > 0)
			strbuf_text(out, ", ");
		strbuf_add(out, routes[reversed ? n - 1 - i : i]);
	}
	return 0;
}

static int make(struct sip_dialog *dialog, const struct sip_message *message,
	const struct sip_address *local, struct str local_tag, const struct sip_address *remote,
	struct str remote_tag, struct str target, bool caller)
{
	char text[SIP_DIALOG_TEXT_MAX];
	struct str fields[SIP_DIALOG_FIELDS];
	struct sip_dialog made = {.caller = caller};
	struct strbuf buffer;
	size_t at[3];
	int rc;

	fields[SIP_DIALOG_CALL_ID] = message->call_id;
	fields[SIP_DIALOG_LOCAL_TAG] = local_tag;
	fields[SIP_DIALOG_REMOTE_TAG] = remote_tag;
	fields[SIP_DIALOG_TARGET] = target;
	strbuf_init(&buffer, text, sizeof(text));
	add_name_address(&buffer, local);
	at[0] = buffer.n;
	add_name_address(&buffer, remote);
	at[1] = buffer.n;
	rc = add_routes(&buffer, message, caller);
	if (rc < 0)
		return rc;
	at[2] = buffer.n;
	if (buffer.overflow)
		return -E2BIG;
	fields[SIP_DIALOG_LOCAL] = str_make(text, at[0]);
	fields[SIP_DIALOG_REMOTE] = str_make(text + at[0], at[1] - at[0]);
	fields[SIP_DIALOG_ROUTE] = str_make(text + at[1], at[2] - at[1]);
	rc = set_all(&made, fields);
	if (rc < 0)
		return rc;
	sip_dialog_clear(dialog);
	*dialog = made;
	return 0;
}

int sip_dialog_of_request(struct sip_dialog *dialog, const struct sip_message *request,
	struct str local_tag, enum sip_dialog_state state)
{
	struct str target;
	int rc = contact_of(request, &target);

	if (rc == 0)
		rc = make(dialog, request, &request->to, local_tag, &request->from,
			request->from_tag, target, false);
	if (rc < 0)
		return rc;
	dialog->state = (uint8_t)state;
	dialog->has_remote_cseq = true;
	dialog->remote_cseq = request->cseq.number;
	return 0;
}

int sip_dialog_of_response(struct sip_dialog *dialog, const struct sip_message *response)
{
	struct str target;
	int rc;

	if (str_empty(response->to_tag))
		return -EBADMSG;
	/* Better an ACK to whom we called than a call that is up on one side only. */
	if (contact_of(response, &target) < 0)
		target = response->to.uri.text;
	rc = make(dialog, response, &response->from, response->from_tag, &response->to,
		response->to_tag, target, true);
	if (rc < 0)
		return rc;
	dialog->state = response->status < 200 ? SIP_DIALOG_EARLY : SIP_DIALOG_CONFIRMED;
	dialog->local_cseq = response->cseq.number;
	return 0;
}

/* ---- judging ----------------------------------------------------------------------------- */

bool sip_dialog_is(const struct sip_dialog *dialog, struct str call_id, struct str local_tag,
	struct str remote_tag)
{
	return dialog->text && str_equal(sip_dialog_text(dialog, SIP_DIALOG_CALL_ID), call_id) &&
	       str_equal(sip_dialog_text(dialog, SIP_DIALOG_LOCAL_TAG), local_tag) &&
	       str_equal(sip_dialog_text(dialog, SIP_DIALOG_REMOTE_TAG), remote_tag);
}

bool sip_dialog_has_request(const struct sip_dialog *dialog, const struct sip_message *request)
{
	return sip_dialog_is(dialog, request->call_id, request->to_tag, request->from_tag);
}

enum sip_dialog_verdict sip_dialog_take_cseq(
	struct sip_dialog *dialog, const struct sip_message *request)
{
	if (request->method == SIP_METHOD_ACK || request->method == SIP_METHOD_CANCEL)
		return SIP_DIALOG_IN_ORDER;
	/* Equal is old too: a repetition never gets here, the transaction absorbs it. */
	if (dialog->has_remote_cseq && request->cseq.number <= dialog->remote_cseq)
		return SIP_DIALOG_OLD_CSEQ;
	dialog->has_remote_cseq = true;
	dialog->remote_cseq = request->cseq.number;
	return SIP_DIALOG_IN_ORDER;
}

int sip_dialog_refresh_target(struct sip_dialog *dialog, const struct sip_message *message)
{
	struct str target;

	if (!sip_message_header(message, SIP_HEADER_CONTACT))
		return 0;
	if (contact_of(message, &target) < 0)
		return -EBADMSG;
	if (str_equal(target, sip_dialog_text(dialog, SIP_DIALOG_TARGET)))
		return 0;
	return sip_dialog_set_text(dialog, SIP_DIALOG_TARGET, target);
}

/* ---- requests ---------------------------------------------------------------------------- */

/* The first value of the route set; rest is what follows it. */
static bool first_route(
	const struct sip_dialog *dialog, struct sip_address *route, struct str *rest)
{
	struct str all = sip_dialog_text(dialog, SIP_DIALOG_ROUTE);
	bool quoted = false, bracketed = false;
	size_t i;

	for (i = 0; i < all.n; i++) {
		char c = all.p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"' && !bracketed)
			quoted = !quoted;
		else if (!quoted && c == '<')
			bracketed = true;
		else if (!quoted && c == '>')
			bracketed = false;
		else if (!quoted && !bracketed && c == ',')
			break;
	}
	if (all.n == 0 || i > all.n || sip_address_parse(route, str_trim(str_head(all, i))) < 0)
		return false;
	*rest = str_trim(str_skip(all, i + 1));
	return true;
}

static void build_route(struct sip_dialog *dialog, struct sip_builder *builder,
	const struct sip_address *strict, struct str rest)
{
	struct str all = sip_dialog_text(dialog, SIP_DIALOG_ROUTE);
	struct str target = sip_dialog_text(dialog, SIP_DIALOG_TARGET);

	if (!strict) {
		if (!str_empty(all))
			sip_build_value(builder, SIP_HEADER_ROUTE, all);
		return;
	}
	if (!str_empty(rest))
		sip_build_value(builder, SIP_HEADER_ROUTE, rest);
	sip_build_address(builder, SIP_HEADER_ROUTE, STR_NULL, target, STR_NULL, STR_NULL);
}

static void build_party(
	struct sip_builder *builder, enum sip_header_kind kind, struct str party, struct str tag)
{
	sip_build_format(
		builder, kind, "%.*s%s%.*s", STR_ARG(party), tag.n ? ";tag=" : "", STR_ARG(tag));
}

void sip_dialog_build(struct sip_dialog *dialog, struct sip_builder *builder,
	enum sip_method method, uint32_t cseq, const struct sip_hop *hop,
	const struct sip_local *local, struct str branch)
{
	struct str uri = sip_dialog_text(dialog, SIP_DIALOG_TARGET), rest = STR_NULL;
	struct sip_address route;
	bool strict = first_route(dialog, &route, &rest) && !sip_uri_param(&route.uri, "lr", NULL);

	if (strict)
		uri = route.uri.text;
	if (cseq == 0)
		cseq = ++dialog->local_cseq;
	sip_build_request(builder, str_from(sip_method_name(method)), uri);
	sip_build_via(builder, (enum sip_transport_kind)hop->transport, str_from(local->host),
		local->port, branch, true);
	sip_build_value(builder, SIP_HEADER_MAX_FORWARDS, STR("70"));
	build_route(dialog, builder, strict ? &route : NULL, rest);
	build_party(builder, SIP_HEADER_FROM, sip_dialog_text(dialog, SIP_DIALOG_LOCAL),
		sip_dialog_text(dialog, SIP_DIALOG_LOCAL_TAG));
	build_party(builder, SIP_HEADER_TO, sip_dialog_text(dialog, SIP_DIALOG_REMOTE),
		sip_dialog_text(dialog, SIP_DIALOG_REMOTE_TAG));
	sip_build_value(builder, SIP_HEADER_CALL_ID, sip_dialog_text(dialog, SIP_DIALOG_CALL_ID));
	sip_build_format(builder, SIP_HEADER_CSEQ, "%u %s", cseq, sip_method_name(method));
}

struct str sip_dialog_next_uri(const struct sip_dialog *dialog)
{
	struct sip_address route;
	struct str rest;

	/* The slice of route points into the dialog's text. */
	if (first_route(dialog, &route, &rest))
		return route.uri.text;
	return sip_dialog_text(dialog, SIP_DIALOG_TARGET);
}

int sip_hop_of_uri(struct str uri, const struct sip_hop *like, struct sip_hop *hop)
{
	struct sip_hop made = *like;
	struct sip_uri parsed;
	struct str transport;

	if (sip_uri_parse(&parsed, uri) < 0 || parsed.scheme != SIP_SCHEME_SIP)
		return -ENOTSUP;
	if (sip_uri_param(&parsed, "transport", &transport)) {
		enum sip_transport_kind kind = sip_transport_kind(transport);

		if (kind != SIP_TRANSPORT_UDP && kind != SIP_TRANSPORT_TCP)
			return -ENOTSUP;
		made.transport = (uint8_t)kind;
	}
	if (address_make(parsed.host, sip_uri_port(&parsed), &made.remote) < 0)
		return -ENOTSUP;
	if (made.transport != like->transport || !address_equal(&made.remote, &like->remote))
		made.connection = 0;
	if (made.transport != like->transport)
		made.listener = 0;
	*hop = made;
	return 0;
}

void sip_tag_make(struct random *random, char tag[SIP_TAG_SIZE])
{
	random_hex(random, tag, SIP_TAG_SIZE - 4);
}
