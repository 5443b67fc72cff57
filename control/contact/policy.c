/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define CHALLENGE_SIZE 512

void policy_phone_user(const struct resource_agent *agent, char user[REGISTRAR_USER_SIZE])
{
	/* a static phone has no user part: '@' keeps its name apart from all that can register */
	if (agent->phone_register[0])
		snprintf(user, REGISTRAR_USER_SIZE, "%s", agent->phone_register);
	else
		snprintf(user, REGISTRAR_USER_SIZE, "@%s", agent->row.name);
}

static const struct resource_agent *agent_of_user(const struct policy *policy, struct str user)
{
	char text[REGISTRAR_USER_SIZE];

	return str_copy(user, text, sizeof(text)) < 0
		       ? NULL
		       : resources_agent_by_phone(policy->instance->resources, text);
}

/* ---- secrets ---- */

static int find_phone_secret(void *context, struct str user, struct str realm,
	enum digest_algorithm algorithm, char *out)
{
	const struct policy *policy = context;
	const struct resource_agent *agent = agent_of_user(policy, user);
	const char *password = agent ? policy->passwords[agent->row.index] : "";

	if (!password[0])
		return -ENOENT;
	return digest_ha1(algorithm, user, realm, str_from(password), out);
}

static int find_secret(void *context, struct str user, struct str realm,
	enum digest_algorithm algorithm, char *out)
{
	const struct policy *policy = context;
	int trunk = trunk_of_username(policy->instance->trunks, user);

	if (trunk >= 0)
		return digest_ha1(algorithm, user, realm,
			str_from(policy->instance->trunks->trunks[trunk].inbound_password), out);
	return find_phone_secret(context, user, realm, algorithm, out);
}

static void challenge(const struct policy *policy, const struct sip_hop *source, bool stale,
	uint64_t now_ns, struct sip_reply *reply)
{
	char address[ADDRESS_TEXT_SIZE], text[CHALLENGE_SIZE];

	address_format_host(&source->remote, address);
	reply->status = 401;
	for (size_t i = 0; i < policy->algorithms->n; i++) {
		enum digest_algorithm algorithm = strcmp(policy->algorithms->items[i], "MD5") == 0
							  ? DIGEST_MD5
							  : DIGEST_SHA256;
		int n = digest_challenge(policy->digest, algorithm, str_from(policy->realm),
			str_from(address), stale, now_ns, text, sizeof(text));

		if (n > 0)
			strbuf_printf(&reply->lines, "WWW-Authenticate: %.*s\r\n", n, text);
	}
}

static enum digest_verdict verify(const struct policy *policy, const struct sip_message *request,
	const struct sip_hop *source, uint64_t now_ns, digest_lookup lookup, struct str *user)
{
	char address[ADDRESS_TEXT_SIZE];

	address_format_host(&source->remote, address);
	return digest_verify(policy->digest, request, SIP_HEADER_AUTHORIZATION,
		str_from(policy->realm), str_from(address), now_ns, lookup, (void *)policy, user);
}

/* Holds an offence against the source; the answer comes later, or not at all. */
static void punish(const struct policy *policy, const struct sip_hop *source,
	enum guard_offence offence, uint64_t now_ns, struct sip_reply *reply)
{
	uint64_t delay_ns = 0;

	switch (guard_offence(policy->guard, &source->remote, offence, now_ns, &delay_ns)) {
	case GUARD_DROP:
		reply->status = 0;
		break;
	case GUARD_SLOW:
		reply->delay_ns = delay_ns;
		break;
	case GUARD_PASS:
		break;
	}
}

/* ---- who sent it ---- */

static bool is_trunk(const struct policy *policy, int trunk, struct sip_peer *peer)
{
	if (trunk < 0)
		return false;
	*peer = (struct sip_peer){.kind = SIP_PEER_TRUNK, .index = (uint32_t)trunk};
	snprintf(
		peer->name, sizeof(peer->name), "%s", policy->instance->trunks->trunks[trunk].name);
	return true;
}

static bool is_phone(const struct resource_agent *agent, struct sip_peer *peer)
{
	if (!agent)
		return false;
	*peer = (struct sip_peer){.kind = SIP_PEER_PHONE,
		.symmetric = true,
		.may_refer = true,
		.index = agent->row.index};
	snprintf(peer->name, sizeof(peer->name), "%s", agent->row.name);
	return true;
}

/* A phone without a password is known by its address: a static one, or a living binding. */
static const struct resource_agent *phone_by_address(const struct policy *policy,
	const struct sip_message *request, const struct sip_hop *source, uint64_t now_ns)
{
	const struct resources *resources = policy->instance->resources;
	const struct resource_agent *agent;
	char user[REGISTRAR_USER_SIZE];

	if (sip_uri_user(&request->from.uri, user, sizeof(user)) < 0)
		return NULL;
	agent = resources_agent_by_phone(resources, user);
	if (!agent)
		agent = resources_agent(resources, user, RESOURCE_BY_NAME);
	if (!agent || policy->passwords[agent->row.index][0])
		return NULL;
	policy_phone_user(agent, user);
	return registrar_is_from(policy->registrar, str_from(user), source, now_ns) ? agent : NULL;
}

/*
 * Whom a challenge may be shown to. A phone with a living binding may come from another port or
 * connection than it registered from: behind NAT, or over TCP after a connection was lost.
 */
static bool may_challenge(const struct policy *policy, const struct sip_hop *source)
{
	return policy->trunks_by_credentials ||
	       registrar_has_source(policy->registrar, &source->remote);
}

static bool identify(void *ctx, const struct sip_message *request, const struct sip_hop *source,
	uint64_t now_ns, struct sip_peer *peer, struct sip_reply *reply)
{
	const struct policy *policy = ctx;
	struct str user;

	if (is_trunk(policy, trunk_of_source(policy->instance->trunks, &source->remote), peer) ||
		is_phone(phone_by_address(policy, request, source, now_ns), peer))
		return true;
	switch (verify(policy, request, source, now_ns, find_secret, &user)) {
	case DIGEST_OK:
		guard_forgive(policy->guard, &source->remote);
		return is_trunk(policy, trunk_of_username(policy->instance->trunks, user), peer) ||
		       is_phone(agent_of_user(policy, user), peer);
	case DIGEST_STALE:
		challenge(policy, source, true, now_ns, reply);
		return false;
	case DIGEST_WRONG:
		reply->status = guard_refusal(request->method);
		punish(policy, source, GUARD_WRONG, now_ns, reply);
		return false;
	case DIGEST_ABSENT:
		break;
	}
	if (may_challenge(policy, source)) {
		challenge(policy, source, false, now_ns, reply);
		return false;
	}
	log_warning_limited(
		NULL, "sip", 5, "%s of a stranger is refused", sip_method_name(request->method));
	reply->status = guard_refusal(request->method);
	punish(policy, source, GUARD_STRANGER, now_ns, reply);
	return false;
}

/* ---- REGISTER ---- */

static void register_phone(const struct policy *policy, const struct sip_message *request,
	struct str user, const struct sip_hop *source, uint64_t now_ns, struct sip_reply *reply)
{
	struct registrar_reply result;

	registrar_register(policy->registrar, request, user, source, now_ns, &result);
	reply->status = result.status;
	reply->reason = result.status == 200 ? NULL : result.reason;
	if (result.status == 200)
		registrar_contact_lines(policy->registrar, user, now_ns, &reply->lines);
	if (result.min_s)
		strbuf_printf(&reply->lines, "Min-Expires: %u\r\n", result.min_s);
	if (result.status == 403)
		punish(policy, source, GUARD_FORBIDDEN, now_ns, reply);
}

static void registration(void *ctx, const struct sip_message *request, const struct sip_hop *source,
	uint64_t now_ns, struct sip_reply *reply)
{
	const struct policy *policy = ctx;
	struct str user;

	switch (verify(policy, request, source, now_ns, find_phone_secret, &user)) {
	case DIGEST_OK:
		guard_forgive(policy->guard, &source->remote);
		register_phone(policy, request, user, source, now_ns, reply);
		break;
	case DIGEST_ABSENT:
		challenge(policy, source, false, now_ns, reply);
		break;
	case DIGEST_STALE:
		challenge(policy, source, true, now_ns, reply);
		break;
	case DIGEST_WRONG:
		challenge(policy, source, false, now_ns, reply);
		punish(policy, source, GUARD_WRONG, now_ns, reply);
		break;
	}
}

/* ---- before anything is parsed ---- */

static bool admit(void *ctx, const struct sip_hop *source, uint64_t now_ns)
{
	const struct policy *policy = ctx;

	/* a forged source must not cut off those we know */
	return trunk_of_source(policy->instance->trunks, &source->remote) >= 0 ||
	       registrar_has_source(policy->registrar, &source->remote) ||
	       guard_check(policy->guard, &source->remote, now_ns, NULL) != GUARD_DROP;
}

/*
 * Agents' phones are served before new calls from outside: they are few, and what they do ends calls
 * that wait. Trunks share what there is; who is none of them has one share together.
 */
static uint32_t overloaded(void *ctx, uint64_t key, const struct sip_hop *source, uint64_t now_ns)
{
	const struct policy *policy = ctx;
	int trunk = trunk_of_source(policy->instance->trunks, &source->remote);

	if (trunk < 0 && registrar_has_source(policy->registrar, &source->remote))
		return 0;
	if (overload_admits(policy->overload, (uint32_t)(trunk + 1), key, now_ns))
		return 0;
	log_warning_limited(NULL, "sip", 1,
		"overload: calls are refused with 503; messages waited %.1f ms for their turn, %u "
		"calls a second of each trunk are taken",
		(double)overload_stats(policy->overload)->least_ns / 1e6,
		overload_stats(policy->overload)->rate);
	return OVERLOAD_RETRY_S;
}

/* Who cancels a call that was refused like this is not asked who it is, and does nothing wrong. */
static bool refused(void *ctx, uint64_t key, uint64_t now_ns)
{
	const struct policy *policy = ctx;

	return overload_refused(policy->overload, key, now_ns);
}

static void malformed(void *ctx, const struct sip_hop *source, const char *what, uint64_t now_ns)
{
	const struct policy *policy = ctx;
	char text[SIP_HOP_TEXT_SIZE];

	sip_hop_format(source, text);
	log_warning_limited(NULL, "sip", 5, "malformed message from %s: %s", text, what);
	if (trunk_of_source(policy->instance->trunks, &source->remote) < 0)
		guard_offence(policy->guard, &source->remote, GUARD_MALFORMED, now_ns, NULL);
}

struct sip_ua_policy policy_for_ua(struct policy *policy)
{
	return (struct sip_ua_policy){.ctx = policy,
		.identify = identify,
		.registration = registration,
		.overloaded = overloaded,
		.refused = refused,
		.admit = admit,
		.malformed = malformed};
}
