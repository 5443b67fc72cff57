/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/registrar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECOND 1000000000ull

static struct timers timers;
static struct registrar *registrar;
static struct sip_message request;
static struct registrar_reply reply;
static uint64_t now;
static struct sip_hop source;
static char events[1024];
static int cseq;

static void on_event(void *context, enum registrar_change change, const char *user, const char *uri,
	unsigned left, uint64_t now_ns)
{
	sprintf(events + strlen(events), "%c%s %s %u;", change == REGISTRAR_GAINED ? '+' : '-',
		user, uri, left);
}

static int set_up(void **state)
{
	static const uint8_t seed[16] = {3};

	now = 100 * SECOND;
	timers_init(&timers, now);
	registrar = registrar_new(&timers, seed, NULL, on_event, NULL);
	source = (struct sip_hop){.transport = SIP_TRANSPORT_UDP};
	address_parse(STR("203.0.113.5:40000"), 5060, &source.remote);
	assert_int_equal(registrar_add(registrar, "alice", NULL, NULL), 0);
	events[0] = '\0';
	cseq = 1;
	return 0;
}

static int tear_down(void **state)
{
	registrar_free(registrar);
	assert_int_equal(timers_count(&timers), 0);
	timers_clear(&timers);
	return 0;
}

static uint16_t put_as(const char *user, const char *call_id, const char *lines)
{
	static char text[8192];
	struct sip_outcome outcome;
	int n = snprintf(text, sizeof(text),
		"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
		"From: <sip:alice@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\n"
		"Call-ID: %s\r\nCSeq: %d REGISTER\r\n%s\r\n",
		call_id, cseq++, lines);

	sip_message_parse(&request, text, (size_t)n, SIP_DATAGRAM, &outcome);
	assert_string_equal(outcome.reason, "accepted");
	registrar_register(registrar, &request, str_from(user), &source, now, &reply);
	return reply.status;
}

static uint16_t put(const char *lines)
{
	return put_as("alice", "c1", lines);
}

static unsigned targets(struct registrar_target *out)
{
	return registrar_targets(registrar, STR("alice"), now, out, REGISTRAR_BINDINGS_MAX + 1);
}

static void run_until(uint64_t when)
{
	now = when;
	timers_run(&timers, now);
}

static void a_binding_lives_and_ends(void **state)
{
	struct registrar_target t[REGISTRAR_BINDINGS_MAX + 1];
	char lines[512];
	struct strbuf out;

	assert_int_equal(put("Contact: <sip:alice@10.0.0.1:5062>;expires=60\r\n"), 200);
	assert_int_equal(targets(t), 1);
	assert_string_equal(t[0].uri, "sip:alice@10.0.0.1:5062");
	assert_true(address_equal(&t[0].hop.remote, &source.remote));
	assert_true(registrar_is_from(registrar, STR("alice"), &source, now));
	run_until(now + 10 * SECOND);
	strbuf_init(&out, lines, sizeof(lines));
	registrar_contact_lines(registrar, STR("alice"), now, &out);
	assert_string_equal(lines, "Contact: <sip:alice@10.0.0.1:5062>;expires=50\r\n");
	/* A refresh from another address moves it there, without an event. */
	address_set_port(&source.remote, 40001);
	assert_int_equal(put("Contact: <sip:alice@10.0.0.1:5062>\r\nExpires: 90\r\n"), 200);
	targets(t);
	assert_int_equal(address_port(&t[0].hop.remote), 40001);
	run_until(now + 89 * SECOND);
	assert_int_equal(registrar_count(registrar), 1);
	run_until(now + 1 * SECOND);
	assert_int_equal(registrar_count(registrar), 0);
	assert_int_equal(targets(t), 0);
	assert_false(registrar_is_from(registrar, STR("alice"), &source, now));
	assert_string_equal(
		events, "+alice sip:alice@10.0.0.1:5062 1;-alice sip:alice@10.0.0.1:5062 0;");
}

static void expiry_has_bounds(void **state)
{
	assert_int_equal(put("Contact: <sip:a@h>;expires=5\r\n"), 423);
	assert_int_equal(reply.min_s, REGISTRAR_MIN_EXPIRES_S);
	assert_int_equal(registrar_count(registrar), 0);
	assert_int_equal(put("Contact: <sip:a@h>;expires=4294967295\r\n"), 200);
	assert_int_equal(timers_next(&timers), now + REGISTRAR_MAX_EXPIRES_S * SECOND);
	assert_int_equal(put("Contact: <sip:a@h>;expires=nonsense\r\n"), 200);
	assert_int_equal(timers_next(&timers), now + REGISTRAR_EXPIRES_S * SECOND);
	assert_int_equal(put("Contact: <sip:a@h>\r\n"), 200);
	assert_int_equal(timers_next(&timers), now + REGISTRAR_EXPIRES_S * SECOND);
}

static void several_contacts_by_preference(void **state)
{
	struct registrar_target t[REGISTRAR_BINDINGS_MAX + 1];
	struct sip_hop fixed = {.transport = SIP_TRANSPORT_TCP};

	assert_int_equal(put("Contact: <sip:a@h1>;q=0.5, <sip:a@h2>;q=0.9\r\n"), 200);
	now += SECOND;
	assert_int_equal(put("Contact: <sip:a@h3>;q=0.5\r\n"), 200);
	assert_int_equal(registrar_add(registrar, "alice", "sip:alice@192.0.2.9", &fixed), 0);
	assert_int_equal(targets(t), 4);
	assert_string_equal(t[0].uri, "sip:a@h2");
	assert_string_equal(t[1].uri, "sip:a@h3");
	assert_string_equal(t[2].uri, "sip:a@h1");
	assert_true(t[3].fixed);
	assert_int_equal(registrar_targets(registrar, STR("alice"), now, t, 2), 2);
	/* Equal by RFC 3261 19.1.4 is the same binding. */
	assert_int_equal(put("Contact: <sip:%61@H3>;q=0.1\r\n"), 200);
	assert_int_equal(registrar_count(registrar), 3);
	assert_int_equal(put("Contact: <sip:a@h1>;expires=0\r\n"), 200);
	assert_int_equal(registrar_count(registrar), 2);
	assert_int_equal(put(""), 200);
	assert_int_equal(registrar_count(registrar), 2);
	assert_int_equal(put("Contact: *\r\nExpires: 0\r\n"), 200);
	assert_int_equal(registrar_count(registrar), 0);
}

static void a_request_is_all_or_nothing(void **state)
{
	static const struct {
		const char *lines;
		uint16_t status;
	} rows[] = {
		{"Contact: <sip:a@h1>, <sip:a@h2>;expires=1\r\n", 423},
		{"Contact: <sip:a@h1>, <tel:+12025550100>\r\n", 400},
		{"Contact: <sip:a@h1>, <sip:a@h2>;q=7\r\n", 400},
		{"Contact: <sip:a@h1>, <sip:a@h2?Route=x>\r\n", 400},
		{"Contact: *\r\n", 400},
		{"Contact: *\r\nExpires: 60\r\n", 400},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(put(rows[i].lines), rows[i].status);
		assert_int_equal(registrar_count(registrar), 0);
	}
	assert_string_equal(events, "");
}

static void requests_must_be_in_order(void **state)
{
	assert_int_equal(put("Contact: <sip:a@h>\r\n"), 200);
	cseq = 1;
	assert_int_equal(put("Contact: <sip:a@h>;expires=0\r\n"), 500);
	cseq = 1;
	assert_int_equal(put("Contact: *\r\nExpires: 0\r\n"), 500);
	assert_int_equal(registrar_count(registrar), 1);
	cseq = 1;
	assert_int_equal(put_as("alice", "c2", "Contact: <sip:a@h>;expires=0\r\n"), 200);
	assert_int_equal(registrar_count(registrar), 0);
}

static void only_the_owner_binds(void **state)
{
	assert_int_equal(put_as("bob", "c1", "Contact: <sip:a@h>\r\n"), 403);
	assert_int_equal(registrar_remove(registrar, "alice"), 0);
	assert_int_equal(put("Contact: <sip:a@h>\r\n"), 404);
	assert_false(registrar_knows(registrar, STR("alice")));
}

static void bindings_are_capped(void **state)
{
	char line[1024] = "Contact: <sip:a@x0>";
	char one[64];

	for (int i = 0; i < 2 * REGISTRAR_BINDINGS_MAX; i++) {
		sprintf(one, "Contact: <sip:a@h%d>;expires=%d\r\n", i, 100 + i);
		assert_int_equal(put(one), 200);
	}
	assert_int_equal(registrar_count(registrar), REGISTRAR_BINDINGS_MAX);
	for (int i = 1; i <= REGISTRAR_BINDINGS_MAX; i++)
		sprintf(line + strlen(line), ", <sip:a@x%d>", i);
	strcat(line, "\r\n");
	assert_int_equal(put(line), 403);
	memset(line, 'a', 600);
	memcpy(line, "Contact: <sip:", 14);
	strcpy(line + 600, "@h>\r\n");
	assert_int_equal(put(line), 400);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_binding_lives_and_ends),
		CASE(expiry_has_bounds),
		CASE(several_contacts_by_preference),
		CASE(a_request_is_all_or_nothing),
		CASE(requests_must_be_in_order),
		CASE(only_the_owner_binds),
		CASE(bindings_are_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
