/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/trunk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S    1000000000ull
#define PING_MIN_NS NS_PER_S
#define PING_MAX_NS (3600 * NS_PER_S)
#define SIP_PORT    5060

/* ---- loading ---- */

struct load {
	struct report *report;
	const struct peer_media *media;
	struct trunk_set *set;
	bool failed;
};

__attribute__((format(printf, 3, 4))) static void wrong(
	struct load *load, const struct yml_node *node, const char *format, ...)
{
	char text[REPORT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	yml_report(load->report, node, REPORT_ERROR, "%s", text);
	load->failed = true;
}

/* Takes note of a reader that reported; an absent key is fine where it is optional. */
static bool read_ok(struct load *load, int rc, enum yml_need need)
{
	if (rc < 0 && (rc != -ENOENT || need == YML_REQUIRED))
		load->failed = true;
	return rc == 0;
}

static void read_text(struct load *load, const struct yml_node *node, const char *key,
	enum yml_need need, char *out, size_t size)
{
	const char *text;
	int rc = yml_read_string(load->report, node, key, need, size - 1, &text);

	if (read_ok(load, rc, need))
		str_copy(str_from(text), out, size);
}

static void read_number(struct load *load, const struct yml_node *node, const char *key,
	int64_t min, int64_t max, uint32_t *out)
{
	int64_t value;

	if (read_ok(load, yml_read_int(load->report, node, key, YML_OPTIONAL, min, max, &value),
		    YML_OPTIONAL))
		*out = (uint32_t)value;
}

static void read_flag(struct load *load, const struct yml_node *node, const char *key, bool *out)
{
	read_ok(load, yml_read_bool(load->report, node, key, YML_OPTIONAL, out), YML_OPTIONAL);
}

static void load_gateway(struct load *load, const struct yml_node *node, struct trunk *trunk)
{
	static const char *const keys[] = {"address", "transport", NULL};
	static const char *const transports[] = {"udp", "tcp", NULL};
	struct trunk_gateway gateway = {0};
	const char *text;
	int transport = 0;

	if (yml_expect(load->report, node, YML_MAPPING) < 0 ||
		yml_only_keys(load->report, node, keys) < 0) {
		load->failed = true;
		return;
	}
	if (!read_ok(load,
		    yml_read_string(
			    load->report, node, "address", YML_REQUIRED, ADDRESS_TEXT_SIZE, &text),
		    YML_REQUIRED))
		return;
	if (address_parse(str_from(text), SIP_PORT, &gateway.address) < 0 ||
		address_family(&gateway.address) == AF_UNIX || address_is_any(&gateway.address) ||
		address_port(&gateway.address) == 0) {
		wrong(load, yml_get(node, "address"),
			"expected an IP address and port, like 192.0.2.10:5060, found '%s'", text);
		return;
	}
	read_ok(load,
		yml_read_choice(
			load->report, node, "transport", YML_OPTIONAL, transports, &transport),
		YML_OPTIONAL);
	/* One offer goes to each of them in turn, and has media of one family. */
	if (trunk->gateway_count &&
		address_family(&gateway.address) != address_family(&trunk->gateways[0].address)) {
		wrong(load, yml_get(node, "address"),
			"expected the family of the gateway before, IPv4 or IPv6, found '%s': a "
			"trunk for each",
			text);
		return;
	}
	gateway.transport = transport == 1 ? SIP_TRANSPORT_TCP : SIP_TRANSPORT_UDP;
	trunk->gateways[trunk->gateway_count++] = gateway;
}

static void load_source(struct load *load, const struct yml_node *node, struct trunk *trunk)
{
	struct address_prefix *prefix = &trunk->sources[trunk->source_count];

	if (yml_kind(node) != YML_SCALAR || address_prefix_parse(yml_str(node), prefix) < 0)
		wrong(load, node, "expected a network like 192.0.2.0/28 or an address, found '%s'",
			yml_text(node));
	else if (prefix->bits == 0)
		wrong(load, node, "expected a network smaller than everything, found '%s'",
			yml_text(node));
	else
		trunk->source_count++;
}

/* Each entry of a sequence, at most max of them. */
static void load_each(struct load *load, const struct yml_node *node, const char *key,
	enum yml_need need, size_t max, struct trunk *trunk,
	void (*one)(struct load *, const struct yml_node *, struct trunk *))
{
	const struct yml_node *list;

	if (!read_ok(load, yml_read_sequence(load->report, node, key, need, &list), need))
		return;
	if (yml_size(list) > max) {
		wrong(load, list, "expected at most %zu entries, found %zu", max, yml_size(list));
		return;
	}
	if (need == YML_REQUIRED && yml_size(list) == 0)
		wrong(load, list, "expected at least one entry");
	for (size_t i = 0; i < yml_size(list); i++)
		one(load, yml_at(list, i), trunk);
}

static void load_ping(struct load *load, const struct yml_node *node, struct trunk *trunk)
{
	uint64_t ping;

	if (!read_ok(load,
		    yml_read_duration(
			    load->report, node, "ping", YML_OPTIONAL, 0, PING_MAX_NS, &ping),
		    YML_OPTIONAL))
		return;
	if (ping > 0 && ping < PING_MIN_NS)
		wrong(load, yml_get(node, "ping"), "expected 0s (none) or at least 1s");
	trunk->ping_ns = ping;
}

static void load_credentials(struct load *load, const struct yml_node *node, struct trunk *trunk)
{
	read_text(load, node, "username", YML_OPTIONAL, trunk->username, sizeof(trunk->username));
	read_text(load, node, "password", YML_OPTIONAL, trunk->password, sizeof(trunk->password));
	read_text(load, node, "realm", YML_OPTIONAL, trunk->realm, sizeof(trunk->realm));
	read_text(
		load, node, "from_host", YML_OPTIONAL, trunk->from_host, sizeof(trunk->from_host));
	read_text(load, node, "inbound_username", YML_OPTIONAL, trunk->inbound_username,
		sizeof(trunk->inbound_username));
	read_text(load, node, "inbound_password", YML_OPTIONAL, trunk->inbound_password,
		sizeof(trunk->inbound_password));
	if ((trunk->username[0] == '\0') != (trunk->password[0] == '\0'))
		wrong(load, node, "expected username and password together");
	if ((trunk->inbound_username[0] == '\0') != (trunk->inbound_password[0] == '\0'))
		wrong(load, node, "expected inbound_username and inbound_password together");
}

static void check_from_host(struct load *load, const struct yml_node *node, struct trunk *trunk)
{
	struct sip_scan scan = sip_scan(str_from(trunk->from_host));
	struct str host;
	uint16_t port;

	if (trunk->from_host[0] &&
		(!sip_scan_host_port(&scan, &host, &port) || !sip_scan_done(&scan)))
		wrong(load, yml_get(node, "from_host"),
			"expected a host name or address, found '%s'", trunk->from_host);
}

static void check_unique(struct load *load, const struct yml_node *node, const struct trunk *trunk)
{
	if (trunk_find(load->set, str_from(trunk->name)) >= 0)
		wrong(load, yml_get(node, "name"), "expected a name of its own, '%s' is taken",
			trunk->name);
	if (trunk->inbound_username[0] &&
		trunk_of_username(load->set, str_from(trunk->inbound_username)) >= 0)
		wrong(load, yml_get(node, "inbound_username"),
			"expected a user name of its own, '%s' is taken", trunk->inbound_username);
	for (unsigned i = 0; i < trunk->gateway_count; i++) {
		int other = trunk_of_source(load->set, &trunk->gateways[i].address);

		if (other >= 0)
			yml_report(load->report, node, REPORT_WARNING,
				"the address of gateway %u also belongs to trunk '%s'; calls from "
				"it "
				"go to the more exact one, else to the first",
				i + 1, load->set->trunks[other].name);
	}
}

static void load_trunk(struct load *load, const struct yml_node *node)
{
	static const char *const keys[] = {"name", "gateways", "sources", "username", "password",
		"realm", "from_host", "inbound_username", "inbound_password", "channels",
		"calls_per_second_in", "calls_per_second_out", "ping", "codecs", "trust_identity",
		"assert_identity", NULL};
	struct trunk *trunk = &load->set->trunks[load->set->count];
	uint32_t rate_in = TRUNK_RATE, rate_out = TRUNK_RATE;

	if (yml_expect(load->report, node, YML_MAPPING) < 0) {
		load->failed = true;
		return;
	}
	*trunk = (struct trunk){.channels = TRUNK_CHANNELS,
		.ping_ns = TRUNK_PING_NS,
		.media = *load->media,
		.assert_identity = true};
	if (peer_media_read(&trunk->media, node, keys, load->report) < 0) {
		load->failed = true;
		return;
	}
	read_text(load, node, "name", YML_REQUIRED, trunk->name, sizeof(trunk->name));
	load_each(load, node, "gateways", YML_REQUIRED, TRUNK_GATEWAYS_MAX, trunk, load_gateway);
	load_each(load, node, "sources", YML_OPTIONAL, TRUNK_SOURCES_MAX, trunk, load_source);
	load_credentials(load, node, trunk);
	read_number(load, node, "channels", 1, TRUNK_CHANNELS_MAX, &trunk->channels);
	read_number(load, node, "calls_per_second_in", 1, TRUNK_RATE_MAX, &rate_in);
	read_number(load, node, "calls_per_second_out", 1, TRUNK_RATE_MAX, &rate_out);
	load_ping(load, node, trunk);
	read_flag(load, node, "trust_identity", &trunk->trust_identity);
	read_flag(load, node, "assert_identity", &trunk->assert_identity);
	trunk->bucket[TRUNK_IN] = (struct trunk_bucket){rate_in, rate_in * NS_PER_S, 0};
	trunk->bucket[TRUNK_OUT] = (struct trunk_bucket){rate_out, rate_out * NS_PER_S, 0};
	check_from_host(load, node, trunk);
	check_unique(load, node, trunk);
	load->set->count++;
}

int trunk_set_load(const struct yml_node *trunks, const struct peer_media *media,
	struct report *report, struct trunk_set **out)
{
	struct load load = {.report = report, .media = media};

	if (yml_kind(trunks) != YML_NULL && yml_expect(report, trunks, YML_SEQUENCE) < 0)
		return -EINVAL;
	load.set = calloc(1, sizeof(*load.set));
	if (!load.set)
		return -ENOMEM;
	if (yml_size(trunks) > TRUNKS_MAX)
		wrong(&load, trunks, "expected at most %d trunks, found %zu", TRUNKS_MAX,
			yml_size(trunks));
	else if (yml_size(trunks) > 0)
		load.set->trunks = calloc(yml_size(trunks), sizeof(*load.set->trunks));
	for (size_t i = 0; load.set->trunks && i < yml_size(trunks); i++)
		load_trunk(&load, yml_at(trunks, i));
	if (load.failed || (yml_size(trunks) > 0 && !load.set->trunks)) {
		trunk_set_free(load.set);
		return load.failed ? -EINVAL : -ENOMEM;
	}
	*out = load.set;
	return 0;
}

void trunk_set_free(struct trunk_set *set)
{
	if (!set)
		return;
	free(set->trunks);
	free(set);
}

static void inherit_gateways(struct trunk *trunk, const struct trunk *old)
{
	for (unsigned i = 0; i < trunk->gateway_count; i++)
		for (unsigned j = 0; j < old->gateway_count; j++) {
			struct trunk_gateway *g = &trunk->gateways[i];

			if (g->transport != old->gateways[j].transport ||
				!address_equal(&g->address, &old->gateways[j].address))
				continue;
			*g = old->gateways[j];
			if (trunk->ping_ns == 0)
				g->health = TRUNK_HEALTH_UNKNOWN;
		}
}

void trunk_set_inherit(struct trunk_set *set, const struct trunk_set *old)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct trunk *trunk = &set->trunks[i];
		int index = trunk_find(old, str_from(trunk->name));
		const struct trunk *from = index < 0 ? NULL : &old->trunks[index];

		if (!from)
			continue;
		trunk->calls = from->calls;
		trunk->refused_channels = from->refused_channels;
		trunk->refused_rate = from->refused_rate;
		memcpy(trunk->taken, from->taken, sizeof(trunk->taken));
		inherit_gateways(trunk, from);
	}
}

/* ---- who is it ---- */

int trunk_find(const struct trunk_set *set, struct str name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (str_equal_text(name, set->trunks[i].name))
			return (int)i;
	return -1;
}

/* Bits by which the source matches: a gateway counts as a whole address, -1 for no match. */
static int match_bits(const struct trunk *trunk, const struct address *source)
{
	int best = -1;

	for (unsigned i = 0; i < trunk->gateway_count; i++)
		if (address_equal_host(&trunk->gateways[i].address, source))
			return 128;
	for (unsigned i = 0; i < trunk->source_count; i++)
		if (address_prefix_has(&trunk->sources[i], source) &&
			(int)trunk->sources[i].bits > best)
			best = (int)trunk->sources[i].bits;
	return best;
}

int trunk_of_source(const struct trunk_set *set, const struct address *source)
{
	int best = -1, bits = -1;

	for (unsigned i = 0; i < set->count; i++) {
		int n = match_bits(&set->trunks[i], source);

		if (n > bits) {
			bits = n;
			best = (int)i;
		}
	}
	return best;
}

int trunk_of_username(const struct trunk_set *set, struct str username)
{
	for (unsigned i = 0; username.n > 0 && i < set->count; i++)
		if (str_equal_text(username, set->trunks[i].inbound_username))
			return (int)i;
	return -1;
}

/* ---- limits ---- */

static bool bucket_take(struct trunk_bucket *bucket, uint64_t now_ns)
{
	uint64_t full = bucket->rate * NS_PER_S;
	uint64_t passed = now_ns > bucket->filled_ns ? now_ns - bucket->filled_ns : 0;

	bucket->tokens = passed >= NS_PER_S ? full : bucket->tokens + passed * bucket->rate;
	if (bucket->tokens > full)
		bucket->tokens = full;
	if (now_ns > bucket->filled_ns)
		bucket->filled_ns = now_ns;
	if (bucket->tokens < NS_PER_S)
		return false;
	bucket->tokens -= NS_PER_S;
	return true;
}

int trunk_take(struct trunk *trunk, enum trunk_direction direction, uint64_t now_ns)
{
	if (trunk->calls >= trunk->channels) {
		trunk->refused_channels++;
		return -EBUSY;
	}
	if (!bucket_take(&trunk->bucket[direction], now_ns)) {
		trunk->refused_rate++;
		return -EAGAIN;
	}
	trunk->calls++;
	trunk->taken[direction]++;
	return 0;
}

void trunk_release(struct trunk *trunk)
{
	if (trunk->calls > 0)
		trunk->calls--;
}

/* ---- health ---- */

const char *trunk_health_name(enum trunk_health health)
{
	static const char *const names[] = {"unknown", "up", "down"};

	return names[health];
}

int trunk_gateway_choose(const struct trunk *trunk, uint32_t tried)
{
	for (int down = 0; down < 2; down++)
		for (unsigned i = 0; i < trunk->gateway_count; i++)
			if (!(tried & 1u << i) &&
				(trunk->gateways[i].health == TRUNK_HEALTH_DOWN) == down)
				return (int)i;
	return -1;
}

static bool set_health(struct trunk_gateway *gateway, enum trunk_health health, uint64_t now_ns)
{
	if (gateway->health == health)
		return false;
	gateway->health = (uint8_t)health;
	gateway->changed_ns = now_ns;
	return true;
}

bool trunk_gateway_result(struct trunk_gateway *gateway, bool answered, uint64_t now_ns)
{
	if (answered) {
		gateway->losses = 0;
		return set_health(gateway, TRUNK_HEALTH_UP, now_ns);
	}
	if (gateway->losses < TRUNK_LOSSES_TO_DOWN)
		gateway->losses++;
	if (gateway->losses < TRUNK_LOSSES_TO_DOWN)
		return false;
	return set_health(gateway, TRUNK_HEALTH_DOWN, now_ns);
}

struct sip_hop trunk_gateway_hop(const struct trunk_gateway *gateway)
{
	return (struct sip_hop){.transport = gateway->transport, .remote = gateway->address};
}

bool trunk_ping_due(struct trunk_set *set, uint64_t now_ns, unsigned *trunk, unsigned *gateway)
{
	for (unsigned i = 0; i < set->count; i++)
		for (unsigned j = 0; j < set->trunks[i].gateway_count; j++) {
			struct trunk_gateway *g = &set->trunks[i].gateways[j];

			if (set->trunks[i].ping_ns == 0 || g->ping_due_ns > now_ns)
				continue;
			g->ping_due_ns = now_ns + set->trunks[i].ping_ns;
			*trunk = i;
			*gateway = j;
			return true;
		}
	return false;
}

uint64_t trunk_ping_next(const struct trunk_set *set)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < set->count; i++)
		for (unsigned j = 0; set->trunks[i].ping_ns && j < set->trunks[i].gateway_count;
			j++)
			if (set->trunks[i].gateways[j].ping_due_ns < next)
				next = set->trunks[i].gateways[j].ping_due_ns;
	return next;
}

bool trunk_is_usable(const struct trunk *trunk)
{
	int gateway = trunk_gateway_choose(trunk, 0);

	return gateway >= 0 && trunk->gateways[gateway].health != TRUNK_HEALTH_DOWN &&
	       trunk->calls < trunk->channels;
}
