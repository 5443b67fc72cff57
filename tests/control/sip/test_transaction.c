/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four machines under simulated time. A row of a table is a script for one transaction: what
 * happens when, and at which milliseconds something is sent. T1 is 500 ms, T2 4 s, T4 5 s.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sip/transaction.h"

#define MS 1000000ull

static struct timers timers;
static struct random random_state;
static struct sip_transactions *layer;
static uint64_t now_ns;

/* What was sent: first word of the start line and the moment. */
static struct {
	char what[16];
	unsigned at_ms;
} sent[64];
static unsigned sent_count;
static int send_result;

static unsigned responses, last_status, failures, failure_kind, unacknowledged, requests, acks,
	cancels;
static uint64_t server_id, cancel_id, cancel_invite;

static int wire_send(void *ctx, struct sip_hop *hop, const void *bytes, size_t n)
{
	struct str rest = str_make(bytes, n), word;

	str_split(&rest, ' ', &word);
	if (str_starts(word, STR("SIP/")))
		str_split(&rest, ' ', &word);
	assert_in_range(sent_count, 0, 63);
	str_copy(word, sent[sent_count].what, sizeof(sent[0].what));
	sent[sent_count++].at_ms = (unsigned)(now_ns / MS);
	return send_result;
}

static const struct sip_wire wire = {.send = wire_send};

static void on_response(void *ctx, uint64_t tag, uint64_t id, const struct sip_message *response,
	const struct sip_hop *source, uint64_t now)
{
	assert_int_equal(tag, 42);
	responses++;
	last_status = response->status;
}

static void on_failed(void *ctx, uint64_t tag, uint64_t id, enum sip_failure failure, uint64_t now)
{
	failures++;
	failure_kind = failure;
}

static const struct sip_client_handler client_handler = {on_response, on_failed};

static void on_request(void *ctx, uint64_t id, const struct sip_message *request,
	const struct sip_hop *source, uint64_t now)
{
	requests++;
	server_id = id;
}

static void on_ack(
	void *ctx, const struct sip_message *ack, const struct sip_hop *source, uint64_t now)
{
	acks++;
}

static void on_cancel(void *ctx, uint64_t id, uint64_t invite, uint64_t tag,
	const struct sip_message *cancel, const struct sip_hop *source, uint64_t now)
{
	cancels++;
	cancel_id = id;
	cancel_invite = invite;
}

static void on_unacknowledged(void *ctx, uint64_t tag, uint64_t id, uint64_t now)
{
	unacknowledged++;
}

static const struct sip_server_handler server_handler = {
	.request = on_request,
	.ack = on_ack,
	.cancel = on_cancel,
	.unacknowledged = on_unacknowledged,
};

static void open_layer(uint32_t max, size_t bytes_max)
{
	now_ns = 0;
	sent_count = 0;
	send_result = 0;
	responses = failures = unacknowledged = requests = acks = cancels = 0;
	timers_init(&timers, 0);
	random_init_seed(&random_state, 1);
	assert_int_equal(sip_transactions_new(
				 &(struct sip_transactions_config){
					 .timers = &timers,
					 .random = &random_state,
					 .wire = &wire,
					 .max = max,
					 .bytes_max = bytes_max,
					 .server = &server_handler,
				 },
				 &layer),
		0);
}

static void close_layer(void)
{
	sip_transactions_free(layer);
	timers_clear(&timers);
}

static void run_to(uint64_t ms)
{
	while (timers_next(&timers) <= ms * MS) {
		uint64_t next = timers_next(&timers);

		now_ns = next > now_ns ? next : now_ns;
		timers_run(&timers, now_ns);
	}
	now_ns = ms * MS;
	timers_run(&timers, now_ns);
}

static struct sip_hop hop_of(bool reliable)
{
	return (struct sip_hop){.transport = reliable ? SIP_TRANSPORT_TCP : SIP_TRANSPORT_UDP,
		.connection = reliable ? 9 : 0,
		.remote = address_ipv4(0x0a000001, 5060)};
}

static void receive(const char *text, bool reliable)
{
	struct sip_message message;
	struct sip_outcome outcome;
	struct sip_hop hop = hop_of(reliable);

	assert_int_equal(sip_message_parse(&message, text, strlen(text), SIP_DATAGRAM, &outcome),
		SIP_ACCEPT);
	sip_transactions_receive(layer, &message, &hop, now_ns);
}

static const char *message(const char *start, const char *branch, const char *cseq)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		"%s\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"
		"From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: 1 %s\r\n"
		"Contact: <sip:a@10.0.0.1>\r\nContent-Length: 0\r\n\r\n",
		start, branch, cseq);
	return text;
}

static uint64_t start_client(const char *method, bool reliable)
{
	char start[64];
	uint64_t id;

	snprintf(start, sizeof(start), "%s sip:b@x SIP/2.0", method);
	assert_int_equal(sip_client_start(layer,
				 &(struct sip_client_request){
					 .method = sip_method(str_from(method)),
					 .branch = STR("z9hG4bKc"),
					 .bytes = str_from(message(start, "c", method)),
					 .hop = hop_of(reliable),
					 .tag = 42,
					 .handler = &client_handler,
				 },
				 &id),
		0);
	return id;
}

struct client_row {
	const char *name, *method;
	bool reliable;
	struct {
		unsigned at_ms;
		const char *status; /* NULL: end of the list */
	} in[4];
	const char *sent; /* "INVITE@0 INVITE@500" */
	unsigned responses, failures;
	unsigned live_until_ms; /* the moment at which it is gone */
};

static const struct client_row client_rows[] = {
	{"A and B", "INVITE", false, {{0, NULL}},
		"INVITE@0 INVITE@500 INVITE@1500 INVITE@3500 INVITE@7500 INVITE@15500 INVITE@31500",
		0, 1, 32000},
	{"B over TCP", "INVITE", true, {{0, NULL}}, "INVITE@0", 0, 1, 32000},
	{"1xx stops A and B; 300 to 699: ACK, D", "INVITE", false,
		{{100, "180 Ringing"}, {40000, "486 Busy"}, {41000, "486 Busy"}},
		"INVITE@0 ACK@40000 ACK@41000", 2, 0, 72000},
	{"refusal over TCP: D is zero", "INVITE", true, {{100, "486 Busy"}}, "INVITE@0 ACK@100", 1,
		0, 100},
	{"refusal in CALLING", "INVITE", false, {{700, "404 No"}}, "INVITE@0 INVITE@500 ACK@700", 1,
		0, 32700},
	{"2xx: M, each one up while it has no ACK", "INVITE", false,
		{{100, "200 OK"}, {600, "200 OK"}, {1600, "200 OK"}}, "INVITE@0", 3, 0, 32100},
	{"E and F", "BYE", false, {{0, NULL}},
		"BYE@0 BYE@500 BYE@1500 BYE@3500 BYE@7500 BYE@11500 BYE@15500 BYE@19500 BYE@23500 "
		"BYE@27500 BYE@31500",
		0, 1, 32000},
	{"F over TCP", "BYE", true, {{0, NULL}}, "BYE@0", 0, 1, 32000},
	{"1xx: E is T2, F goes on", "BYE", false, {{100, "100 Trying"}},
		"BYE@0 BYE@4100 BYE@8100 BYE@12100 BYE@16100 BYE@20100 BYE@24100 BYE@28100", 1, 1,
		32000},
	{"final: K", "BYE", false, {{100, "200 OK"}, {200, "200 OK"}}, "BYE@0", 1, 0, 5100},
	{"final over TCP: K is zero", "BYE", true, {{100, "200 OK"}}, "BYE@0", 1, 0, 100},
};

static void describe_sent(char *text, size_t size)
{
	struct strbuf out;

	strbuf_init(&out, text, size);
	for (unsigned i = 0; i < sent_count; i++)
		strbuf_printf(&out, "%s%s@%u", i ? " " : "", sent[i].what, sent[i].at_ms);
}

static void check_life(unsigned until_ms)
{
	if (until_ms > now_ns / MS) {
		run_to(until_ms - 1);
		assert_int_equal(sip_transactions_stats(layer)->live, 1);
	}
	run_to(until_ms);
	assert_int_equal(sip_transactions_stats(layer)->live, 0);
	assert_int_equal(sip_transactions_stats(layer)->bytes, 0);
	assert_int_equal(timers_count(&timers), 0);
}

static void client_machines(void **state)
{
	for (size_t i = 0; i < sizeof(client_rows) / sizeof(client_rows[0]); i++) {
		const struct client_row *row = &client_rows[i];
		char text[512], start[64];

		print_message("%s: %s\n", row->method, row->name);
		open_layer(0, 0);
		start_client(row->method, row->reliable);
		for (int k = 0; k < 4 && row->in[k].status; k++) {
			run_to(row->in[k].at_ms);
			snprintf(start, sizeof(start), "SIP/2.0 %s", row->in[k].status);
			receive(message(start, "c", row->method), row->reliable);
		}
		check_life(row->live_until_ms);
		describe_sent(text, sizeof(text));
		assert_string_equal(text, row->sent);
		assert_int_equal(responses, row->responses);
		assert_int_equal(failures, row->failures);
		close_layer();
	}
}

struct server_row {
	const char *name, *method;
	bool reliable;
	struct {
		unsigned at_ms;
		const char *what; /* "180" responds, "again" repeats the request, "ACK", "ok": ACK
				     of the 2xx was seen */
	} in[5];
	const char *sent;
	unsigned unacknowledged;
	unsigned live_until_ms;
};

static const struct server_row server_rows[] = {
	{"provisional is repeated on request", "INVITE", false,
		{{100, "180"}, {600, "again"}, {700, "486"}, {800, "ACK"}},
		"180@100 180@600 486@700", 0, 5800},
	{"G and H", "INVITE", false, {{0, "486"}, {100, "again"}},
		"486@0 486@100 486@500 486@1500 486@3500 486@7500 486@11500 486@15500 486@19500 "
		"486@23500 486@27500 486@31500",
		0, 32000},
	{"H over TCP", "INVITE", true, {{0, "486"}}, "486@0", 0, 32000},
	{"I over TCP is zero", "INVITE", true, {{0, "486"}, {10, "ACK"}}, "486@0", 0, 10},
	{"I absorbs ACK", "INVITE", false, {{0, "486"}, {10, "ACK"}, {20, "ACK"}, {30, "again"}},
		"486@0", 0, 5010},
	{"2xx until its ACK, also over TCP; L", "INVITE", true, {{0, "200"}, {2000, "ok"}},
		"200@0 200@500 200@1500", 0, 32000},
	{"2xx without ACK", "INVITE", false, {{0, "200"}, {100, "again"}},
		"200@0 200@500 200@1500 200@3500 200@7500 200@11500 200@15500 200@19500 200@23500 "
		"200@27500 200@31500",
		1, 32000},
	{"trying absorbs, completed repeats, J", "BYE", false,
		{{100, "again"}, {200, "200"}, {700, "again"}}, "200@200 200@700", 0, 32200},
	{"proceeding repeats", "BYE", false, {{100, "182"}, {200, "again"}, {300, "200"}},
		"182@100 182@200 200@300", 0, 32300},
	{"J over TCP is zero", "BYE", true, {{100, "200"}}, "200@100", 0, 100},
};

static void play_server(const struct server_row *row, const char *what)
{
	char start[64];

	snprintf(start, sizeof(start), "%s sip:b@x SIP/2.0", row->method);
	if (strcmp(what, "again") == 0) {
		receive(message(start, "s", row->method), row->reliable);
	} else if (strcmp(what, "ACK") == 0) {
		receive(message("ACK sip:b@x SIP/2.0", "s", "ACK"), row->reliable);
	} else if (strcmp(what, "ok") == 0) {
		sip_server_acknowledged(layer, server_id);
	} else {
		snprintf(start, sizeof(start), "SIP/2.0 %d X", atoi(what));
		assert_int_equal(sip_server_respond(layer, server_id, (unsigned)atoi(what),
					 str_from(message(start, "s", row->method))),
			0);
	}
}

static void server_machines(void **state)
{
	for (size_t i = 0; i < sizeof(server_rows) / sizeof(server_rows[0]); i++) {
		const struct server_row *row = &server_rows[i];
		char text[512];

		print_message("%s: %s\n", row->method, row->name);
		open_layer(0, 0);
		play_server(row, "again");
		for (int k = 0; k < 5 && row->in[k].what; k++) {
			run_to(row->in[k].at_ms);
			play_server(row, row->in[k].what);
		}
		check_life(row->live_until_ms);
		describe_sent(text, sizeof(text));
		assert_string_equal(text, row->sent);
		assert_int_equal(requests, 1);
		assert_int_equal(unacknowledged, row->unacknowledged);
		close_layer();
	}
}

static void ack_of_the_2xx_is_repeated_by_the_transaction(void **state)
{
	struct sip_hop hop = hop_of(false);
	uint64_t id;

	open_layer(0, 0);
	id = start_client("INVITE", false);
	receive(message("SIP/2.0 200 OK", "c", "INVITE"), false);
	assert_int_equal(sip_client_set_ack(layer, id, STR("2"), STR("ACK sip:b@x"), &hop), 0);
	receive(message("SIP/2.0 200 OK", "c", "INVITE"), false);
	assert_int_equal(responses, 1);
	assert_int_equal(sent_count, 3);
	assert_string_equal(sent[2].what, "ACK");
	close_layer();
}

static void transport_errors_and_lost_connections(void **state)
{
	open_layer(0, 0);
	send_result = -ECONNREFUSED;
	start_client("INVITE", true);
	assert_int_equal(failures, 0);
	run_to(0);
	assert_int_equal(failures, 1);
	assert_int_equal(failure_kind, SIP_FAILURE_TRANSPORT);
	send_result = 0;
	start_client("BYE", true);
	sip_transactions_connection_lost(layer, 8, now_ns);
	run_to(1);
	assert_int_equal(failures, 1);
	sip_transactions_connection_lost(layer, 9, now_ns);
	run_to(2);
	assert_int_equal(failures, 2);
	assert_int_equal(sip_transactions_stats(layer)->live, 0);
	close_layer();
}

static void cancel_finds_its_invite(void **state)
{
	uint64_t invite;

	open_layer(0, 0);
	receive(message("INVITE sip:b@x SIP/2.0", "s", "INVITE"), false);
	invite = server_id;
	receive(message("CANCEL sip:b@x SIP/2.0", "other", "CANCEL"), false);
	assert_int_equal(cancel_invite, 0);
	receive(message("CANCEL sip:b@x SIP/2.0", "s", "CANCEL"), false);
	assert_int_equal(cancel_invite, invite);
	receive(message("CANCEL sip:b@x SIP/2.0", "s", "CANCEL"), false);
	assert_int_equal(cancels, 2);
	close_layer();
}

static void ceilings(void **state)
{
	struct str bytes = STR("SIP/2.0 200 OK\r\n\r\n");
	uint64_t id;

	open_layer(2, 1200);
	receive(message("BYE sip:b@x SIP/2.0", "1", "BYE"), false);
	receive(message("BYE sip:b@x SIP/2.0", "2", "BYE"), false);
	receive(message("BYE sip:b@x SIP/2.0", "3", "BYE"), false);
	assert_int_equal(requests, 2);
	assert_string_equal(sent[0].what, "503");
	assert_int_equal(sip_transactions_stats(layer)->refused, 1);
	assert_int_equal(sip_client_start(layer,
				 &(struct sip_client_request){.method = SIP_METHOD_BYE,
					 .branch = STR("z9hG4bKq"),
					 .bytes = bytes,
					 .hop = hop_of(false)},
				 &id),
		-ENOBUFS);
	close_layer();
	/* No room for bytes: sent once all the same. */
	open_layer(2, 10);
	receive(message("BYE sip:b@x SIP/2.0", "1", "BYE"), false);
	assert_int_equal(sip_server_respond(layer, server_id, 200, bytes), -ENOBUFS);
	assert_int_equal(sent_count, 1);
	run_to(40000);
	assert_int_equal(sip_transactions_stats(layer)->live, 0);
	close_layer();
}

static void delayed_and_abandoned_answers(void **state)
{
	open_layer(0, 0);
	receive(message("BYE sip:b@x SIP/2.0", "1", "BYE"), false);
	assert_int_equal(sip_server_respond_at(
				 layer, server_id, 403, STR("SIP/2.0 403 No\r\n\r\n"), 2000 * MS),
		0);
	assert_int_equal(sip_server_respond(layer, server_id, 200, STR("x")), -ESRCH);
	receive(message("BYE sip:b@x SIP/2.0", "1", "BYE"), false);
	run_to(1999);
	assert_int_equal(sent_count, 0);
	run_to(2000);
	assert_int_equal(sent_count, 1);
	receive(message("BYE sip:b@x SIP/2.0", "1", "BYE"), false);
	assert_int_equal(sent_count, 2);
	assert_int_equal(requests, 1);
	receive(message("BYE sip:b@x SIP/2.0", "2", "BYE"), false);
	sip_server_abandon(layer, server_id);
	sip_server_abandon(layer, server_id);
	receive(message("BYE sip:b@x SIP/2.0", "2", "BYE"), false);
	assert_int_equal(requests, 3);
	close_layer();
}

static void branches_without_cookie_and_strays(void **state)
{
	char text[1024];
	char *cookie;

	open_layer(0, 0);
	for (int i = 0; i < 2; i++) {
		strcpy(text, message("BYE sip:b@x SIP/2.0", "old", "BYE"));
		cookie = strstr(text, "z9hG4bK");
		memcpy(cookie, "xxxxxxx", 7);
		receive(text, false);
	}
	assert_int_equal(requests, 1);
	receive(message("SIP/2.0 200 OK", "unknown", "BYE"), false);
	assert_int_equal(sip_transactions_stats(layer)->strays, 1);
	receive(message("ACK sip:b@x SIP/2.0", "none", "ACK"), false);
	assert_int_equal(acks, 1);
	close_layer();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_machines),
		cmocka_unit_test(server_machines),
		cmocka_unit_test(ack_of_the_2xx_is_repeated_by_the_transaction),
		cmocka_unit_test(transport_errors_and_lost_connections),
		cmocka_unit_test(cancel_finds_its_invite),
		cmocka_unit_test(ceilings),
		cmocka_unit_test(delayed_and_abandoned_answers),
		cmocka_unit_test(branches_without_cookie_and_strays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
