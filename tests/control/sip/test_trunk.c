/* SPDX-License-Identifier: Apache-2.0 */
/* Trunks and number plan, from their YAML. */
#include "sip/number_plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECOND 1000000000ull

static struct report report;
static struct yml_doc *doc;
static struct trunk_set *set;
static struct number_plan *plan;

static const char good[] = "trunks:\n"
			   "  - name: carrier\n"
			   "    gateways:\n"
			   "      - address: 192.0.2.10:5070\n"
			   "      - address: 192.0.2.11\n"
			   "        transport: tcp\n"
			   "    sources: [198.51.100.0/28]\n"
			   "    username: us\n"
			   "    password: secret\n"
			   "    inbound_username: them\n"
			   "    inbound_password: secret2\n"
			   "    channels: 3\n"
			   "    calls_per_second_in: 2\n"
			   "    ping: 10s\n"
			   "    codecs: [pcma, pcmu]\n"
			   "    trust_identity: true\n"
			   "    srtp: required\n"
			   "    ptime: 30\n"
			   "    jitter_max: 120ms\n"
			   "  - name: backup\n"
			   "    gateways: [{address: \"198.51.100.4\"}]\n"
			   "    ping: 0s\n"
			   "number_plan:\n"
			   "  country_code: \"1\"\n"
			   "  national_prefix: \"1\"\n"
			   "  international_prefix: \"011\"\n"
			   "  bare_numbers: national\n"
			   "  allow: [\"+1202\", \"+44\", \"+1900555\"]\n"
			   "  deny: [\"+1900\", \"+4490\", \"+44\"]\n"
			   "  routes:\n"
			   "    - prefix: \"+\"\n"
			   "      trunks: [backup]\n"
			   "    - prefix: \"+1202\"\n"
			   "      trunks: [carrier, backup]\n"
			   "numbers:\n"
			   "  - number: \"+12025550101\"\n"
			   "    flow: Second line\n"
			   "    trunk: carrier\n"
			   "  - number: \"+12025550100\"\n"
			   "    flow: Main line\n";

static int load(const char *text)
{
	struct peer_media media;
	const struct yml_node *root;
	int rc;

	report_init(&report);
	assert_int_equal(yml_load_text(text, strlen(text), "cordboard.yaml", &report, &doc), 0);
	root = yml_root(doc);
	peer_media_preset(&media);
	rc = trunk_set_load(yml_get(root, "trunks"), &media, &report, &set);
	if (rc == 0)
		rc = number_plan_load(yml_get(root, "number_plan"), yml_get(root, "numbers"), set,
			&report, &plan);
	return rc;
}

static void unload(void)
{
	number_plan_free(plan);
	trunk_set_free(set);
	yml_destroy(doc);
	report_clear(&report);
	plan = NULL;
	set = NULL;
	doc = NULL;
}

static int set_up(void **state)
{
	int rc = load(good);

	if (rc < 0)
		report_print(&report, stderr);
	return rc;
}

static int tear_down(void **state)
{
	unload();
	return 0;
}

static struct address address(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(str_from(text), 5060, &a), 0);
	return a;
}

static void rows_are_loaded(void **state)
{
	const struct trunk *t = &set->trunks[0];
	struct sip_hop hop = trunk_gateway_hop(&t->gateways[1]);

	assert_int_equal(set->count, 2);
	assert_string_equal(t->name, "carrier");
	assert_int_equal(t->gateway_count, 2);
	assert_int_equal(address_port(&t->gateways[0].address), 5070);
	assert_int_equal(hop.transport, SIP_TRANSPORT_TCP);
	assert_int_equal(address_port(&hop.remote), 5060);
	assert_string_equal(t->inbound_password, "secret2");
	assert_int_equal(t->media.codec_count, 2);
	assert_int_equal(t->media.codecs[0], CORD_CODEC_PCMA);
	assert_int_equal(t->media.srtp, PEER_SRTP_REQUIRED);
	assert_int_equal(peer_media_ptime_ms(&t->media), 30);
	assert_int_equal(t->media.jitter_max_ns, SECOND * 120 / 1000);
	assert_int_equal(set->trunks[1].media.srtp, PEER_SRTP_OFF);
	assert_int_equal(set->trunks[1].media.codecs[0], CORD_CODEC_PCMU);
	assert_true(t->trust_identity && t->assert_identity);
	assert_int_equal(t->ping_ns, 10 * SECOND);
	assert_int_equal(set->trunks[1].channels, TRUNK_CHANNELS);
}

static void a_trunk_is_known_by_address_or_credentials(void **state)
{
	struct address a = address("192.0.2.11:9999");

	assert_int_equal(trunk_of_source(set, &a), 0);
	a = address("198.51.100.3");
	assert_int_equal(trunk_of_source(set, &a), 0);
	/* A gateway is more exact than a network that it lies in. */
	a = address("198.51.100.4");
	assert_int_equal(trunk_of_source(set, &a), 1);
	a = address("198.51.100.16");
	assert_int_equal(trunk_of_source(set, &a), -1);
	assert_int_equal(trunk_of_username(set, STR("them")), 0);
	assert_int_equal(trunk_of_username(set, STR("us")), -1);
	assert_int_equal(trunk_of_username(set, STR("")), -1);
	assert_int_equal(trunk_find(set, STR("backup")), 1);
}

static void calls_are_limited(void **state)
{
	struct trunk *t = &set->trunks[0];
	uint64_t now = 1000 * SECOND;

	assert_int_equal(trunk_take(t, TRUNK_IN, now), 0);
	assert_int_equal(trunk_take(t, TRUNK_IN, now), 0);
	assert_int_equal(trunk_take(t, TRUNK_IN, now), -EAGAIN);
	assert_int_equal(trunk_take(t, TRUNK_IN, now + SECOND / 2 - 1), -EAGAIN);
	assert_int_equal(trunk_take(t, TRUNK_IN, now + SECOND / 2), 0);
	assert_int_equal(trunk_take(t, TRUNK_OUT, now + SECOND), -EBUSY);
	assert_false(trunk_is_usable(t));
	trunk_release(t);
	assert_true(trunk_is_usable(t));
	assert_int_equal(trunk_take(t, TRUNK_OUT, now + SECOND), 0);
	assert_int_equal(t->refused_rate, 2);
	assert_int_equal(t->refused_channels, 1);
	for (int i = 0; i < 5; i++)
		trunk_release(t);
	assert_int_equal(t->calls, 0);
	/* Over ten seconds, never more than the rate and the burst of one second. */
	int taken = 0;

	for (uint64_t at = now + 100 * SECOND; at < now + 110 * SECOND; at += SECOND / 100)
		if (trunk_take(t, TRUNK_IN, at) == 0) {
			taken++;
			trunk_release(t);
		}
	assert_in_range(taken, 20, 22);
}

static void a_lost_gateway_is_passed_over(void **state)
{
	struct trunk *t = &set->trunks[0];
	struct trunk_gateway *first = &t->gateways[0];

	assert_int_equal(trunk_gateway_choose(t, 0), 0);
	assert_false(trunk_gateway_result(first, false, SECOND));
	assert_int_equal(trunk_gateway_choose(t, 0), 0);
	assert_true(trunk_gateway_result(first, false, 2 * SECOND));
	assert_string_equal(trunk_health_name((enum trunk_health)first->health), "down");
	assert_int_equal(trunk_gateway_choose(t, 0), 1);
	assert_int_equal(trunk_gateway_choose(t, 1u << 1), 0);
	assert_int_equal(trunk_gateway_choose(t, 3), -1);
	assert_true(trunk_is_usable(t));
	trunk_gateway_result(&t->gateways[1], false, SECOND);
	trunk_gateway_result(&t->gateways[1], false, SECOND);
	assert_false(trunk_is_usable(t));
	assert_int_equal(trunk_gateway_choose(t, 0), 0);
	assert_true(trunk_gateway_result(first, true, 3 * SECOND));
	assert_int_equal(first->changed_ns, 3 * SECOND);
	assert_true(trunk_is_usable(t));
}

static void pings_come_in_turn(void **state)
{
	unsigned trunk, gateway, count = 0;

	while (trunk_ping_due(set, SECOND, &trunk, &gateway)) {
		assert_int_equal(trunk, 0);
		assert_int_equal(gateway, count++);
	}
	assert_int_equal(count, 2);
	assert_int_equal(trunk_ping_next(set), 11 * SECOND);
	assert_false(trunk_ping_due(set, 11 * SECOND - 1, &trunk, &gateway));
	assert_true(trunk_ping_due(set, 11 * SECOND, &trunk, &gateway));
}

static void a_reload_keeps_the_state(void **state)
{
	struct trunk_set *newer;
	struct peer_media media;

	peer_media_preset(&media);
	trunk_take(&set->trunks[0], TRUNK_OUT, SECOND);
	trunk_gateway_result(&set->trunks[0].gateways[1], true, SECOND);
	assert_int_equal(
		trunk_set_load(yml_get(yml_root(doc), "trunks"), &media, &report, &newer), 0);
	trunk_set_inherit(newer, set);
	assert_int_equal(newer->trunks[0].calls, 1);
	assert_int_equal(newer->trunks[0].gateways[1].health, TRUNK_HEALTH_UP);
	trunk_set_free(newer);
}

static void numbers_become_e164(void **state)
{
	static const struct {
		const char *dialled, *number;
	} rows[] = {
		{"+12025550177", "+12025550177"},
		{"12025550177", "+12025550177"},
		{"2025550177", "+12025550177"},
		{"(202) 555-0177", "+12025550177"},
		{"011442079460000", "+442079460000"},
		{"+44 20 7946 0000", "+442079460000"},
		{"", NULL},
		{"+", NULL},
		{"++1", NULL},
		{"alice", NULL},
		{"+1202555017712345", NULL},
		{"+0123456", NULL},
		{"12", NULL},
		{"1+2025550177", NULL},
		{"*72", NULL},
		{"111111111111111111111111111111111111111111", NULL},
	};
	char number[NUMBER_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc = number_plan_normalise(plan, str_from(rows[i].dialled), number);

		if ((rc == 0) != (rows[i].number != NULL) ||
			(rc == 0 && strcmp(number, rows[i].number) != 0))
			fail_msg("'%s': %d %s", rows[i].dialled, rc, rc == 0 ? number : "");
	}
}

static void only_what_is_listed_may_be_dialled(void **state)
{
	unsigned trunks[NUMBER_PLAN_TRUNKS_MAX];

	assert_int_equal(number_plan_route(plan, "+12025550177", trunks), 2);
	assert_int_equal(trunks[0], 0);
	assert_int_equal(trunks[1], 1);
	assert_int_equal(number_plan_route(plan, "+13015550177", trunks), -EACCES);
	assert_int_equal(number_plan_route(plan, "+19005000000", trunks), -EACCES);
	assert_int_equal(number_plan_route(plan, "+19005550000", trunks), 1);
	assert_int_equal(trunks[0], 1);
	/* Listed on both sides with one length: denied. */
	assert_int_equal(number_plan_route(plan, "+442079460000", trunks), -EACCES);
	assert_false(number_plan_allows(plan, "+390612345"));
	unload();
	assert_int_equal(load("trunks: []\n"), 0);
	assert_false(number_plan_allows(plan, "+12025550177"));
	assert_int_equal(number_plan_route(plan, "+12025550177", trunks), -EACCES);
}

static void inbound_numbers_lead_to_flows(void **state)
{
	const struct number_entry *entry = number_plan_inbound(plan, "+12025550100", 1);

	assert_non_null(entry);
	assert_string_equal(entry->flow, "Main line");
	assert_int_equal(entry->trunk, -1);
	assert_non_null(number_plan_inbound(plan, "+12025550101", 0));
	assert_null(number_plan_inbound(plan, "+12025550101", 1));
	assert_null(number_plan_inbound(plan, "+12025550109", 0));
	assert_null(number_plan_inbound(plan, "a very long text that is no number", 0));
	assert_true(number_plan_is_ours(plan, "+12025550101"));
	assert_int_equal(number_plan_count(plan), 2);
	assert_string_equal(number_plan_at(plan, 0)->number, "+12025550100");
	assert_null(number_plan_at(plan, 2));
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *yaml, *place, *text;
	} rows[] = {
		{"trunks: 5\n", "cordboard.yaml:1", "list"},
		{"trunks:\n  - name: a\n", "cordboard.yaml:2", "gateways"},
		{"trunks:\n  - name: a\n    gateways:\n"
		 "      - {address: \"192.0.2.1\"}\n      - {address: \"[2001:db8::1]:5060\"}\n",
			"cordboard.yaml:5", "the family of the gateway before"},
		{"trunks:\n  - name: a\n    gateways: [{address: \"[2001:db8::g]:5060\"}]\n",
			"cordboard.yaml:3", "expected an IP address and port"},
		{"trunks:\n  - name: a\n    gateways: [{address: \"[2001:db8::1]:0\"}]\n",
			"cordboard.yaml:3", "expected an IP address and port"},
		{"trunks:\n  - name: a\n    gateways: [{address: \"[::]\"}]\n", "cordboard.yaml:3",
			"expected an IP address and port"},
		{"trunks:\n  - name: a\n    gateways: [{address: \"[2001:db8::1]\"}]\n"
		 "    sources: [\"2001:db8::/129\"]\n",
			"cordboard.yaml:4", "expected a network"},
		{"trunks:\n  - gateways: [{address: 1.2.3.4}]\n", "cordboard.yaml:2", "name"},
		{"trunks:\n  - name: a\n    gateways: []\n", "cordboard.yaml:3", "at least one"},
		{"trunks:\n  - name: a\n    gateways: [{address: sip.example.com}]\n",
			"cordboard.yaml:3", "IP address"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4, port: 5}]\n",
			"cordboard.yaml:3", "port"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4, transport: tls}]\n",
			"cordboard.yaml:3", "udp"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    sources: "
		 "[0.0.0.0/0]\n",
			"cordboard.yaml:4", "smaller"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    sources: [x]\n",
			"cordboard.yaml:4", "network"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    codecs: [g729]\n",
			"cordboard.yaml:4", "pcmu, pcma, g722 or opus"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    codecs: [pcmu, "
		 "PCMU]\n",
			"cordboard.yaml:4", "once"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    codecs: []\n",
			"cordboard.yaml:4", "at least one codec"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    srtp: maybe\n",
			"cordboard.yaml:4", "off, optional, required"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    ptime: 50\n",
			"cordboard.yaml:4", "10, 20, 30, 40, 60"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    nat: [learn]\n",
			"cordboard.yaml:4", "off, learn"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n"
		 "    opus_bitrate: 100\n",
			"cordboard.yaml:4", "from 6000 to 64000"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n"
		 "    jitter_min: 80ms\n    jitter_max: 60ms\n",
			"cordboard.yaml:2", "jitter_min of no more than jitter_max"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n"
		 "    jitter_min: 3ms\n",
			"cordboard.yaml:2", "jitter_min and jitter_max of 4ms or more"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n"
		 "    jitter_max: 500us\n",
			"cordboard.yaml:2", "jitter_min and jitter_max of 4ms or more"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    rtcpmux: true\n",
			"cordboard.yaml:4", "rtcp_mux"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    username: x\n",
			"cordboard.yaml:2", "together"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    channels: 0\n",
			"cordboard.yaml:4", "1"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n    ping: 20ms\n",
			"cordboard.yaml:4", "1s"},
		{"trunks:\n  - name: a\n    gateways: [{address: 1.2.3.4}]\n"
		 "  - name: a\n    gateways: [{address: 1.2.3.5}]\n",
			"cordboard.yaml:4", "taken"},
		{"number_plan:\n  country_code: \"+1\"\n", "cordboard.yaml:2", "digits"},
		{"number_plan:\n  national_prefix: \"0\"\n", "cordboard.yaml:2", "country_code"},
		{"number_plan:\n  allow: [1202]\n", "cordboard.yaml:2", "prefix like"},
		{"number_plan:\n  routes:\n    - prefix: \"+1\"\n", "cordboard.yaml:3", "trunks"},
		{"number_plan:\n  routes:\n    - prefix: \"+1\"\n      trunks: [nobody]\n",
			"cordboard.yaml:4", "name of a trunk"},
		{"number_plan:\n  bare_numbers: maybe\n", "cordboard.yaml:2", "refuse"},
		{"number_plan:\n  surprise: 1\n", "cordboard.yaml:2", "surprise"},
		{"numbers:\n  - number: \"+12025550100\"\n", "cordboard.yaml:2", "flow"},
		{"numbers:\n  - number: \"2025550100\"\n    flow: a\n", "cordboard.yaml:2",
			"E.164"},
		{"numbers:\n  - number: \"+12025550100\"\n    flow: a\n    trunk: b\n",
			"cordboard.yaml:4", "name of a trunk"},
		{"numbers:\n  - number: \"+12025550100\"\n    flow: a\n"
		 "  - number: \"+12025550100\"\n    flow: b\n",
			"cordboard.yaml", "twice"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc = load(rows[i].yaml);

		if (rc != -EINVAL || !report_mentions(&report, REPORT_ERROR, rows[i].place) ||
			!report_mentions(&report, REPORT_ERROR, rows[i].text)) {
			report_print(&report, stderr);
			fail_msg("%s: %d", rows[i].yaml, rc);
		}
		unload();
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(rows_are_loaded),
		CASE(a_trunk_is_known_by_address_or_credentials),
		CASE(calls_are_limited),
		CASE(a_lost_gateway_is_passed_over),
		CASE(pings_come_in_turn),
		CASE(a_reload_keeps_the_state),
		CASE(numbers_become_e164),
		CASE(only_what_is_listed_may_be_dialled),
		CASE(inbound_numbers_lead_to_flows),
		cmocka_unit_test(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
