/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/signalling.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "contact/contact.h"
#include "contact/policy.h"
#include "sip/transport.h"

#define PASSWORD_FILE_MAX 256

struct signalling {
	struct signalling_config config;
	const struct instance *instance;
	struct peer_media media; /* of peers that say nothing else */
	struct sip_transports *transports;
	struct sip_ua *ua;
	struct policy policy;
	struct sip_ua_policy ua_policy;
	struct timer ping_timer;
};

/* ---- trunks' health ---- */

static void plan_ping(struct signalling *s)
{
	uint64_t next = trunk_ping_next(s->instance->trunks);

	if (next != UINT64_MAX)
		timers_set(loop_timers(s->config.loop), &s->ping_timer, next);
}

static void on_pong(void *ctx, uint64_t tag, unsigned status, uint64_t rtt_ns, uint64_t now_ns)
{
	struct signalling *s = ctx;
	unsigned trunk = (unsigned)(tag >> 32), gateway = (unsigned)tag;
	struct trunk *row;

	if (trunk >= s->instance->trunks->count)
		return;
	row = &s->instance->trunks->trunks[trunk];
	if (gateway < row->gateway_count &&
		trunk_gateway_result(&row->gateways[gateway],
			status != 0 && status != 408 && status != 503, now_ns))
		log_info(NULL, "sip", "gateway %u of trunk %s is %s", gateway, row->name,
			trunk_health_name((enum trunk_health)row->gateways[gateway].health));
}

static void ping(struct signalling *s, unsigned trunk, unsigned gateway)
{
	const struct trunk_gateway *row = &s->instance->trunks->trunks[trunk].gateways[gateway];
	struct sip_hop hop = trunk_gateway_hop(row);
	char target[SIP_URI_TEXT_MAX], address[ADDRESS_TEXT_SIZE];

	address_format(&row->address, address);
	snprintf(target, sizeof(target), "sip:%s", address);
	sip_ua_ping(s->ua, &hop, str_from(target), STR("sip:cordboard@localhost"), on_pong, s,
		(uint64_t)trunk << 32 | gateway);
}

static void on_ping_timer(void *ctx, uint64_t now_ns)
{
	struct signalling *s = ctx;
	unsigned trunk, gateway;

	while (trunk_ping_due(s->instance->trunks, now_ns, &trunk, &gateway))
		ping(s, trunk, gateway);
	plan_ping(s);
}

/* ---- phones ---- */

static void on_binding(void *context, enum registrar_change change, const char *user,
	const char *uri, unsigned left, uint64_t now_ns)
{
	struct signalling *s = context;
	const struct resource_agent *agent = resources_agent_by_phone(s->instance->resources, user);

	log_info(NULL, "sip", "phone %s: %s, %u left", user,
		change == REGISTRAR_GAINED ? "registered" : "registration gone", left);
	if (agent && ((change == REGISTRAR_GAINED && left == 1) || left == 0))
		s->config.phone(s->config.ctx, agent, left > 0);
}

/* Where a static phone is: the host of its URI must be an IP address. */
static int hop_of_uri(const char *text, struct sip_hop *hop)
{
	struct sip_uri uri;
	struct str transport;
	int rc = sip_uri_parse(&uri, str_from(text));

	if (rc < 0)
		return rc;
	*hop = (struct sip_hop){.transport = SIP_TRANSPORT_UDP, .tcp_when_large = true};
	if (sip_uri_param(&uri, "transport", &transport))
		hop->transport = sip_transport_kind(transport);
	return address_make(uri.host, sip_uri_port(&uri), &hop->remote);
}

static void read_password(const struct signalling *s, const struct resource_agent *agent,
	char password[POLICY_PASSWORD_SIZE])
{
	char *text;
	size_t n;
	int rc;

	contact_text(password, POLICY_PASSWORD_SIZE, agent->phone_password);
	if (!agent->phone_password_file[0])
		return;
	rc = file_read(agent->phone_password_file, PASSWORD_FILE_MAX, &text, &n);
	if (rc < 0) {
		log_error(NULL, "sip", "password of %s: %s: %s", agent->row.name,
			agent->phone_password_file, strerror(-rc));
		return;
	}
	str_copy(str_trim(str_make(text, n)), password, POLICY_PASSWORD_SIZE);
	explicit_bzero(text, n);
	free(text);
}

static void add_phone(struct signalling *s, const struct resource_agent *agent)
{
	char user[REGISTRAR_USER_SIZE];
	struct sip_hop hop;
	int rc;

	policy_phone_user(agent, user);
	read_password(s, agent, s->policy.passwords[agent->row.index]);
	rc = agent->phone_uri[0] ? hop_of_uri(agent->phone_uri, &hop) : 0;
	if (rc == 0)
		rc = agent->phone_uri[0]
			     ? registrar_add(s->policy.registrar, user, agent->phone_uri, &hop)
			     : registrar_add(s->policy.registrar, user, NULL, NULL);
	if (rc < 0)
		log_error(NULL, "sip", "phone of %s at '%s': %s", agent->row.name, agent->phone_uri,
			strerror(-rc));
}

static int take_instance(struct signalling *s, const struct instance *instance)
{
	uint32_t n = resources_count(instance->resources, RESOURCE_AGENT);
	char(*passwords)[POLICY_PASSWORD_SIZE] = calloc(n + 1, sizeof(*passwords));

	if (!passwords)
		return -ENOMEM;
	if (s->policy.passwords)
		free(s->policy.passwords);
	s->policy.passwords = passwords;
	s->policy.instance = instance;
	s->policy.trunks_by_credentials = false;
	for (unsigned i = 0; i < instance->trunks->count; i++)
		if (instance->trunks->trunks[i].inbound_username[0])
			s->policy.trunks_by_credentials = true;
	for (uint32_t i = 0; i < n; i++)
		add_phone(s, (const struct resource_agent *)resources_row(
				     instance->resources, RESOURCE_AGENT, i));
	s->instance = instance;
	return 0;
}

/* Phones that the new instance does not know any more. */
static void drop_phones(struct signalling *s, const struct instance *fresh)
{
	uint32_t n = resources_count(s->instance->resources, RESOURCE_AGENT);
	char user[REGISTRAR_USER_SIZE], now[REGISTRAR_USER_SIZE];

	for (uint32_t i = 0; i < n; i++) {
		const struct resource_agent *agent = (const struct resource_agent *)resources_row(
			s->instance->resources, RESOURCE_AGENT, i);
		const struct resource_agent *same =
			resources_agent(fresh->resources, agent->row.id, RESOURCE_BY_ID);

		policy_phone_user(agent, user);
		now[0] = '\0';
		if (same)
			policy_phone_user(same, now);
		if (strcmp(user, now) == 0)
			continue;
		registrar_remove(s->policy.registrar, user);
		if (same)
			s->config.phone(s->config.ctx, same, same->phone_uri[0]);
	}
}

void signalling_reload(struct signalling *s, const struct instance *instance)
{
	trunk_set_inherit(instance->trunks, s->instance->trunks);
	drop_phones(s, instance);
	CHECK(take_instance(s, instance) == 0);
	plan_ping(s);
}

/* ---- life ---- */

static void on_received(
	void *ctx, const struct sip_hop *source, const void *bytes, size_t n, uint64_t now_ns)
{
	struct signalling *s = ctx;

	sip_ua_receive(s->ua, source, bytes, n, now_ns);
}

static void on_lost(void *ctx, uint64_t connection, uint64_t now_ns)
{
	struct signalling *s = ctx;

	if (s->ua)
		sip_ua_connection_lost(s->ua, connection, now_ns);
}

static unsigned add_listeners(const struct option_list *list, enum sip_transport_kind kind,
	struct sip_listener *listeners, unsigned n)
{
	for (size_t i = 0; i < list->n && n < SIP_LISTENERS_MAX; i++) {
		listeners[n] = (struct sip_listener){.transport = (uint8_t)kind};
		if (address_parse(str_from(list->items[i]), 5060, &listeners[n].local) == 0)
			n++;
	}
	return n;
}

static int open_transports(struct signalling *s, char failed[SIGNALLING_FAILED_SIZE])
{
	struct sip_listener listeners[SIP_LISTENERS_MAX];
	unsigned n = 0, bad = 0;
	int rc;

	n = add_listeners(&s->config.config->sip_udp, SIP_TRANSPORT_UDP, listeners, n);
	n = add_listeners(&s->config.config->sip_tcp, SIP_TRANSPORT_TCP, listeners, n);
	rc = sip_transports_open(s->config.loop,
		&(struct sip_transport_config){.listeners = listeners,
			.listener_count = n,
			.overload = s->policy.overload,
			.ctx = s,
			.received = on_received,
			.lost = on_lost},
		&bad, &s->transports);
	if (rc < 0 && failed && bad < n) {
		char address[ADDRESS_TEXT_SIZE];

		address_format(&listeners[bad].local, address);
		snprintf(failed, SIGNALLING_FAILED_SIZE, "%s %s",
			sip_transport_name(listeners[bad].transport), address);
	}
	return rc;
}

static int open_policy(struct signalling *s)
{
	const struct config *k = s->config.config;
	struct registrar_options options = {
		.default_s = (uint32_t)(k->sip_registration_max_ns / CLOCK_S),
		.min_s = (uint32_t)(k->sip_registration_min_ns / CLOCK_S),
		.max_s = (uint32_t)(k->sip_registration_max_ns / CLOCK_S)};
	uint8_t key[32], seed[16];

	s->policy.realm = k->sip_realm;
	s->policy.algorithms = &k->sip_digest;
	random_bytes(s->config.random, key, sizeof(key));
	s->policy.digest = digest_server_new(key);
	random_bytes(s->config.random, seed, sizeof(seed));
	s->policy.guard = guard_new(&(struct guard_options){0}, seed);
	random_bytes(s->config.random, seed, sizeof(seed));
	s->policy.registrar =
		registrar_new(loop_timers(s->config.loop), seed, &options, on_binding, s);
	s->policy.overload = overload_new(k->sip_wait_ns);
	if (!s->policy.digest || !s->policy.guard || !s->policy.registrar || !s->policy.overload)
		return -ENOMEM;
	s->ua_policy = policy_for_ua(&s->policy);
	return take_instance(s, s->config.instance);
}

static int open_ua(struct signalling *s)
{
	const struct config *k = s->config.config;
	struct sip_ua_config ua = {.timers = loop_timers(s->config.loop),
		.random = s->config.random,
		.wire = sip_transports_wire(s->transports),
		.transactions_max = (uint32_t)k->sip_transactions_max,
		.sessions_max = (uint32_t)(3 * k->contacts_max),
		.policy = &s->ua_policy,
		.trace = s->config.trace,
		.trace_ctx = s->config.trace_ctx,
		.sessions = {.expires_s = (uint32_t)(k->sip_session_expires_ns / CLOCK_S),
			.no_session_timers = !k->sip_session_timers,
			.product = "cordboard",
			.ctx = s->config.ctx,
			.events = s->config.events}};

	return sip_ua_new(&ua, &s->ua);
}

int signalling_open(const struct signalling_config *config, char failed[SIGNALLING_FAILED_SIZE],
	struct signalling **out)
{
	struct signalling *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->config = *config;
	config_peer_media(config->config, &s->media);
	timer_init(&s->ping_timer, on_ping_timer, s);
	rc = open_policy(s);
	if (rc == 0)
		rc = open_transports(s, failed);
	if (rc == 0)
		rc = open_ua(s);
	if (rc < 0) {
		signalling_close(s);
		return rc;
	}
	plan_ping(s);
	*out = s;
	return 0;
}

void signalling_close(struct signalling *s)
{
	if (!s)
		return;
	timers_cancel(loop_timers(s->config.loop), &s->ping_timer);
	sip_ua_free(s->ua);
	sip_transports_close(s->transports);
	registrar_free(s->policy.registrar);
	guard_free(s->policy.guard);
	overload_free(s->policy.overload);
	digest_server_free(s->policy.digest);
	free(s->policy.passwords);
	free(s);
}

void signalling_drain(struct signalling *s, uint32_t retry_after_s)
{
	sip_ua_drain(s->ua, true, retry_after_s);
}

struct sip_ua *signalling_ua(struct signalling *s)
{
	return s->ua;
}

struct sip_sessions *signalling_sessions(struct signalling *s)
{
	return sip_ua_sessions(s->ua);
}

/* ---- an incoming call, judged ---- */

/*
 * The number of a URI: in E.164 where the plan can make it so (true), else the user part as it was
 * written, which fits into a URI of ours again.
 */
static bool number_of(const struct signalling *s, const struct sip_uri *uri, char *to, size_t size)
{
	char written[64], number[NUMBER_SIZE];

	if (sip_uri_number(uri, written, sizeof(written)) == 0 &&
		number_plan_normalise(s->instance->plan, str_from(written), number) == 0) {
		contact_text(to, size, number);
		return true;
	}
	if (str_copy(uri->user, to, size) < 0)
		to[0] = '\0';
	return false;
}

static void take_caller(struct signalling *s, const struct sip_incoming *incoming,
	const struct trunk *trunk, struct signalling_call *call)
{
	const struct sip_message *m = incoming->message;
	const struct sip_address *who = &m->from;

	if (trunk && trunk->trust_identity && !str_empty(incoming->asserted.uri.text))
		who = &incoming->asserted;
	number_of(s, &who->uri, call->from, sizeof(call->from));
	if (sip_address_display(who, call->from_name, sizeof(call->from_name)) < 0 ||
		!call->from_name[0])
		sip_address_display(&m->from, call->from_name, sizeof(call->from_name));
}

static unsigned judge_trunk(
	struct signalling *s, struct trunk *trunk, uint64_t now_ns, struct signalling_call *call)
{
	int index = (int)(trunk - s->instance->trunks->trunks);
	const struct number_entry *number =
		number_plan_inbound(s->instance->plan, call->to, (unsigned)index);

	if (!number)
		return 404;
	if (trunk_take(trunk, TRUNK_IN, now_ns) < 0)
		return 503;
	contact_text(call->trunk, sizeof(call->trunk), trunk->name);
	call->flow = number->flow;
	return 0;
}

/* What an agent dials at the phone: nothing that the plan does not list (toll fraud). */
static unsigned judge_phone(struct signalling *s, struct signalling_call *call)
{
	unsigned routes[NUMBER_PLAN_TRUNKS_MAX];
	int n = number_plan_route(s->instance->plan, call->to, routes);

	if (n == -EACCES)
		return 403;
	return n <= 0 || !call->agent ? 404 : 0;
}

unsigned signalling_judge(struct signalling *s, const struct sip_incoming *incoming,
	uint64_t now_ns, struct signalling_call *call)
{
	const struct sip_peer *peer = &incoming->peer;
	struct trunk *trunk = NULL;
	bool known;

	*call = (struct signalling_call){
		.by_phone = peer->kind == SIP_PEER_PHONE, .incoming = incoming};
	contact_text(call->peer, sizeof(call->peer), peer->name);
	if (peer->kind == SIP_PEER_TRUNK && peer->index < s->instance->trunks->count)
		trunk = &s->instance->trunks->trunks[peer->index];
	take_caller(s, incoming, trunk, call);
	known = number_of(s, &incoming->message->uri, call->to, sizeof(call->to));
	if (trunk)
		return judge_trunk(s, trunk, now_ns, call);
	if (!call->by_phone)
		return 403;
	call->agent = resources_agent(s->instance->resources, peer->name, RESOURCE_BY_NAME);
	return known ? judge_phone(s, call) : 404;
}

void signalling_release(struct signalling *s, const char *trunk)
{
	/* by name: a reload may have moved it, or taken it away */
	int index = trunk[0] ? trunk_find(s->instance->trunks, str_from(trunk)) : -1;

	if (index >= 0)
		trunk_release(&s->instance->trunks->trunks[index]);
}

char *signalling_headers(const struct signalling_call *call)
{
	static const char *const names[] = {"From", "To", "P-Asserted-Identity", "P-Charge-Info",
		"Diversion", "ISUP-OLI", "JIP", "Hop-Counter", "Originating-Switch",
		"Originating-Trunk", "Call-Forwarding-Indicator", "Calling-Party-Address",
		"Called-Party-Address"};
	const size_t size = 8192;
	char *pairs = malloc(size), *shrunk;
	size_t n = 0;

	if (!pairs)
		return NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct sip_header *header =
			sip_message_header_named(call->incoming->message, names[i]);
		size_t name_n = strlen(names[i]) + 1;

		if (!header || n + name_n + header->value.n + 2 > size)
			continue;
		memcpy(pairs + n, names[i], name_n);
		n += name_n;
		memcpy(pairs + n, header->value.p, header->value.n);
		n += header->value.n;
		pairs[n++] = '\0';
	}
	pairs[n] = '\0';
	shrunk = realloc(pairs, n + 1);
	return shrunk ? shrunk : pairs;
}

/* ---- our side of the media ---- */

static struct cord_address cord_of(const struct address *address)
{
	struct cord_address cord = {.udp_port = address_port(address)};

	if (address_family(address) == AF_INET6) {
		cord.family = CORD_FAMILY_IPV6;
		memcpy(cord.ip, &address->in6.sin6_addr, 16);
	} else {
		cord.family = CORD_FAMILY_IPV4;
		memcpy(cord.ip, &address->in.sin_addr, 4);
	}
	return cord;
}

const struct peer_media *signalling_media(const struct signalling *s, const char *trunk)
{
	int index = trunk[0] ? trunk_find(s->instance->trunks, str_from(trunk)) : -1;

	return index < 0 ? &s->media : &s->instance->trunks->trunks[index].media;
}

struct sdp_local signalling_local(const struct address *port, const struct peer_media *media)
{
	static const uint8_t srtp[] = {[PEER_SRTP_OFF] = SDP_SRTP_OFF,
		[PEER_SRTP_OPTIONAL] = SDP_SRTP_OPTIONAL,
		[PEER_SRTP_REQUIRED] = SDP_SRTP_REQUIRED};
	struct sdp_local local = {.address = cord_of(port),
		.codec_count = media->codec_count,
		.prefer_ours = media->prefer == PEER_PREFER_OURS,
		.events = true,
		.comfort_noise = media->comfort_noise,
		.rtcp_mux = media->rtcp_mux,
		.srtp = srtp[media->srtp],
		.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE,
		.ptime_ms = peer_media_ptime_ms(media),
		.opus_bitrate = (uint32_t)media->opus_bitrate,
		.opus_fec = media->opus_fec,
		.opus_dtx = media->opus_dtx};

	_Static_assert(PEER_CODECS_MAX == SDP_CODECS_MAX, "all codecs of a peer fit");
	memcpy(local.codecs, media->codecs, sizeof(local.codecs));
	return local;
}

/*
 * Our side of a call to a hop: media over the family of its signalling. Where the dataplane lacks
 * that, what it has is offered: the peer's media may well have both.
 */
static struct sdp_local local_for(
	struct media_leg *leg, const struct sip_hop *hop, const struct peer_media *media)
{
	int rc = media_leg_face(leg, sip_hop_family(hop));
	struct address port = media_leg_local(leg);

	if (rc < 0) {
		char text[SIP_HOP_TEXT_SIZE];

		sip_hop_format(hop, text);
		log_info_limited(NULL, "sip", 5, "media of a call to %s over the other family: %s",
			text, strerror(-rc));
	}
	return signalling_local(&port, media);
}

/* ---- calling an agent's phone ---- */

int signalling_call_phone(struct signalling *s, const struct resource_agent *agent,
	const struct signalling_dial *dial, uint64_t now_ns, uint64_t *session)
{
	struct registrar_target target;
	struct sip_invite invite = {0};
	char user[REGISTRAR_USER_SIZE], from[SIP_URI_TEXT_MAX];

	policy_phone_user(agent, user);
	if (registrar_targets(s->policy.registrar, str_from(user), now_ns, &target, 1) == 0)
		return -EHOSTUNREACH;
	snprintf(from, sizeof(from), "sip:%s@%s", dial->number[0] ? dial->number : "anonymous",
		s->config.config->sip_realm);
	invite.target = str_from(target.uri);
	invite.from = str_from(from);
	invite.display = str_from(dial->name);
	if (dial->auto_answer)
		invite.lines = STR("Call-Info: <sip:cordboard>;answer-after=0\r\n"
				   "Alert-Info: <http://cordboard>;info=alert-autoanswer\r\n");
	invite.hops = &target.hop;
	invite.hop_count = 1;
	invite.symmetric = true;
	invite.referrer = str_from(agent->row.name);
	invite.local = local_for(dial->media, &target.hop, &agent->media);
	return sip_session_invite(sip_ua_sessions(s->ua), &invite, now_ns, session);
}

/* ---- calling a number ---- */

static unsigned hops_of(const struct trunk *trunk, struct sip_hop hops[SIP_SESSION_HOPS_MAX])
{
	uint32_t tried = 0;
	unsigned n = 0;
	int gateway;

	while (n < SIP_SESSION_HOPS_MAX && (gateway = trunk_gateway_choose(trunk, tried)) >= 0) {
		hops[n++] = trunk_gateway_hop(&trunk->gateways[gateway]);
		tried |= 1u << gateway;
	}
	return n;
}

static int call_over(struct signalling *s, int index, const char *number,
	const struct signalling_dial *dial, uint64_t now_ns, uint64_t *session)
{
	const struct trunk *trunk = &s->instance->trunks->trunks[index];
	struct sip_hop hops[SIP_SESSION_HOPS_MAX];
	char target[SIP_URI_TEXT_MAX], from[SIP_URI_TEXT_MAX], gateway[ADDRESS_TEXT_SIZE];
	struct sip_invite invite = {.hops = hops, .hop_count = hops_of(trunk, hops)};

	address_format(&hops[0].remote, gateway);
	snprintf(target, sizeof(target), "sip:%s@%s;user=phone", number, gateway);
	snprintf(from, sizeof(from), "sip:%s@%s", dial->number[0] ? dial->number : "anonymous",
		trunk->from_host[0] ? trunk->from_host : gateway);
	invite.target = str_from(target);
	invite.from = str_from(from);
	invite.display = str_from(dial->name);
	if (trunk->assert_identity && dial->number[0])
		invite.asserted = str_from(from);
	contact_text(invite.account.user, sizeof(invite.account.user), trunk->username);
	contact_text(invite.account.password, sizeof(invite.account.password), trunk->password);
	contact_text(invite.account.realm, sizeof(invite.account.realm), trunk->realm);
	invite.local = local_for(dial->media, &hops[0], &trunk->media);
	return sip_session_invite(sip_ua_sessions(s->ua), &invite, now_ns, session);
}

bool signalling_may_call(const struct signalling *s, const char *number)
{
	unsigned routes[NUMBER_PLAN_TRUNKS_MAX];

	return number_plan_route(s->instance->plan, number, routes) > 0;
}

int signalling_call_number(struct signalling *s, const char *number,
	const struct signalling_dial *dial, uint64_t now_ns, uint64_t *session,
	char trunk[TRUNK_NAME_SIZE])
{
	unsigned routes[NUMBER_PLAN_TRUNKS_MAX];
	int n = number_plan_route(s->instance->plan, number, routes);
	int rc = n < 0 ? n : -EBUSY;

	for (int i = 0; i < n; i++) {
		int index = (int)routes[i];

		if (!trunk_is_usable(&s->instance->trunks->trunks[index]) ||
			trunk_take(&s->instance->trunks->trunks[index], TRUNK_OUT, now_ns) < 0)
			continue;
		rc = call_over(s, index, number, dial, now_ns, session);
		if (rc == 0) {
			contact_text(
				trunk, TRUNK_NAME_SIZE, s->instance->trunks->trunks[index].name);
			return 0;
		}
		trunk_release(&s->instance->trunks->trunks[index]);
	}
	return rc;
}

void signalling_stats(const struct signalling *s, struct signalling_stats *out)
{
	const struct guard_stats *guard = guard_stats(s->policy.guard);

	*out = (struct signalling_stats){
		.phones_registered = (uint32_t)registrar_count(s->policy.registrar),
		.trunks = s->instance->trunks->count,
		.guard_blocked = guard->blocked,
		.overload = *overload_stats(s->policy.overload)};
	for (int i = 0; i < GUARD_OFFENCES; i++)
		out->guard_failures += guard->offences[i];
	for (unsigned i = 0; i < s->instance->trunks->count; i++)
		out->trunks_up += trunk_is_usable(&s->instance->trunks->trunks[i]);
}
