/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGENT_START                                                  \
	"agents:\n"                                                  \
	"  - {user: ann, id: u-ann, first_name: Ann, last_name: A, " \
	"routing_profile: P, security_profile: Agent, "
#define PHONE "phone: {kind: ring, register: ann, password: x}}\n"

/* A small instance that loads; each case below replaces one of its files. */
static const struct support_texts sound = {{
	[RESOURCE_QUEUE] = ("queues:\n"
			    "  - name: Returns\n"
			    "    id: q-returns\n"
			    "    description: Parcels\n"
			    "    max_contacts: 20\n"
			    "    priority: 3\n"
			    "    hours: Desk\n"
			    "    outbound_caller_id: {name: Parcels, number: '+12025550100'}\n"
			    "    outbound_whisper_flow: Whisper\n"
			    "    quick_connects: [Returns desk, Courier, Ann, Courier two]\n"
			    "  - {name: Orders, quick_connects: [Courier, Orders desk]}\n"
			    "  - {name: Unattended, quick_connects: [Nobody]}\n"),
	[RESOURCE_HOURS] = ("hours:\n"
			    "  - {name: Desk, time_zone: Europe/Rome, week: {monday: "
			    "['09:00-17:00']}}\n"),
	[RESOURCE_STATUS] = ("statuses:\n"
			     "  - {name: Lunch, id: s-lunch}\n"
			     "  - {name: Available, id: s-available, description: Ready}\n"),
	[RESOURCE_SECURITY_PROFILE] = ("security_profiles:\n"
				       "  - {name: Lead, permissions: [take_calls, barge]}\n"
				       "  - {name: QualityAnalyst, permissions: []}\n"),
	[RESOURCE_ROUTING_PROFILE] = ("routing_profiles:\n"
				      "  - name: P\n"
				      "    default_outbound_queue: q-returns\n"
				      "    queues:\n"
				      "      - {queue: Orders, priority: 2}\n"
				      "      - {queue: Returns, priority: 1, delay_seconds: 5}\n"),
	[RESOURCE_AGENT] =
		(AGENT_START "proficiencies: [{attribute: Language, value: Italian, "
			     "level: 4}, {attribute: Language, value: German, level: 1}], " PHONE),
	[RESOURCE_QUICK_CONNECT] =
		("quick_connects:\n"
		 "  - {name: Returns desk, description: d, type: queue, queue: Returns, flow: TQ}\n"
		 "  - {name: Orders desk, description: d, type: queue, queue: Orders, flow: TQ}\n"
		 "  - {name: Ann, description: d, type: agent, agent: ann, flow: TA}\n"
		 "  - {name: Courier, description: d, type: external, number: '+12025550177'}\n"
		 "  - {name: Courier two, description: d, type: external, number: '+1202555'}\n"
		 "  - {name: Nobody, description: d, type: external, number: '+12'}\n"
		 "  - {name: Attached nowhere, description: d, type: external, number: '+12'}\n"),
	[RESOURCE_PROMPT] = ("prompts:\n"
			     "  - {name: Welcome, id: p-welcome, text: Hello}\n"
			     "  - {name: Beep, file: tones/beep.wav}\n"),
}};

static struct resources *resources;

static int load(void **state)
{
	resources = support_resources(&sound);
	return 0;
}

static int unload(void **state)
{
	resources_destroy(resources);
	return 0;
}

/* ---- rows ---- */

static void every_field_arrives(void **state)
{
	const struct resource_queue *queue =
		resources_queue(resources, "Returns", RESOURCE_BY_NAME);
	const struct resource_agent *ann = resources_agent(resources, "ann", RESOURCE_BY_NAME);
	const struct resource_prompt *beep = resources_prompt(resources, "Beep", RESOURCE_BY_NAME);

	assert_string_equal(queue->row.description, "Parcels");
	assert_int_equal(queue->contacts_max, 20);
	assert_int_equal(queue->priority, 3);
	assert_string_equal(queue->hours->row.name, "Desk");
	assert_string_equal(queue->caller_id_name, "Parcels");
	assert_string_equal(queue->caller_id_number, "+12025550100");
	assert_string_equal(queue->outbound_whisper_flow, "Whisper");
	assert_int_equal(queue->quick_connect_count, 4);
	assert_non_null(strstr(queue->row.place, "queues.yaml:2"));
	assert_string_equal(ann->first_name, "Ann");
	assert_string_equal(ann->routing_profile->row.name, "P");
	assert_string_equal(ann->security_profile->row.name, "Agent");
	assert_string_equal(ann->phone_register, "ann");
	assert_int_equal(ann->media.codecs[0], CORD_CODEC_PCMU);
	assert_int_equal(ann->media.srtp, PEER_SRTP_OFF);
	assert_int_equal(ann->proficiency_count, 2);
	assert_string_equal(ann->proficiencies[1].attribute, "Language");
	assert_string_equal(ann->proficiencies[1].value, "German");
	assert_int_equal(ann->proficiencies[1].level, 1);
	assert_string_equal(ann->phone_uri, "");
	assert_ptr_equal(resources_agent_by_phone(resources, "ann"), ann);
	assert_null(resources_agent_by_phone(resources, "bob"));
	assert_string_equal(beep->file, "tones/beep.wav");
	assert_null(beep->text);
}

static void routing_profiles_are_sorted_by_priority_then_delay(void **state)
{
	const struct resource_routing_profile *profile =
		resources_routing_profile(resources, "P", RESOURCE_BY_NAME);

	assert_int_equal(profile->queue_count, 2);
	assert_string_equal(profile->queues[0].queue->row.name, "Returns");
	assert_int_equal(profile->queues[0].delay_s, 5);
	assert_string_equal(profile->default_outbound_queue->row.name, "Returns");
}

static void R109_every_resource_has_its_arn(void **state)
{
	static const char *const kinds[RESOURCE_KIND_COUNT] = {
		[RESOURCE_QUEUE] = "queue",
		[RESOURCE_HOURS] = "operating-hours",
		[RESOURCE_STATUS] = "agent-state",
		[RESOURCE_SECURITY_PROFILE] = "security-profile",
		[RESOURCE_ROUTING_PROFILE] = "routing-profile",
		[RESOURCE_AGENT] = "agent",
		[RESOURCE_QUICK_CONNECT] = "transfer-destination",
		[RESOURCE_PROMPT] = "prompt",
	};

	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
		assert_true(resources_count(resources, (enum resource_kind)kind) > 0);
		for (uint32_t i = 0; i < resources_count(resources, (enum resource_kind)kind);
			i++) {
			const struct resource *row =
				resources_row(resources, (enum resource_kind)kind, i);
			char arn[512];
			snprintf(arn, sizeof(arn),
				"arn:aws:connect:eu-central-1:111122223333:instance/"
				"3f0c2a6e-7b1d-4e58-9a27-5c61d0b8e914/%s/%s",
				kinds[kind], row->id);
			assert_string_equal(row->arn, arn);
			assert_ptr_equal(
				resources_find(resources, row->kind, arn, RESOURCE_BY_ARN), row);
			assert_ptr_equal(
				resources_find(resources, row->kind, row->id, RESOURCE_BY_ID), row);
			assert_ptr_equal(
				resources_find(resources, row->kind, row->name, RESOURCE_BY_NAME),
				row);
			assert_null(
				resources_find(resources, row->kind, row->arn, RESOURCE_BY_NAME));
		}
	}
}

static void R109_ids_without_a_line_are_the_same_after_a_reload(void **state)
{
	struct resources *again = support_resources(&sound);
	const struct resource_queue *one = resources_queue(resources, "Orders", RESOURCE_BY_NAME);
	const struct resource_queue *two = resources_queue(again, "Orders", RESOURCE_BY_NAME);
	const struct resource_prompt *other = resources_prompt(resources, "Beep", RESOURCE_BY_NAME);

	assert_string_equal(one->row.id, two->row.id);
	assert_int_equal(strlen(one->row.id), 36);
	assert_string_not_equal(one->row.id, other->row.id);
	resources_destroy(again);
}

/* Flows are brought along unchanged: what counts in an ARN is the kind and the id. */
static void an_arn_of_another_instance_names_the_row_with_its_id(void **state)
{
	static const struct {
		const char *arn;
		bool found;
	} cases[] = {
		{"arn:aws:connect:us-east-1:999900001111:instance/other/queue/q-returns", true},
		{"arn:aws:connect:us-east-1:999900001111:instance/other/queue/q-returns:3", true},
		{"arn:aws:connect:us-east-1:999900001111:instance/other/prompt/q-returns", false},
		{"arn:aws:connect:us-east-1:999900001111:instance/other/queue/agent/q-returns",
			false},
		{"arn:aws:connect:us-east-1:999900001111:instance/other/queue/", false},
		{"arn:aws:connect:us-east-1:999900001111:queue/q-returns", false},
		{"instance/other/queue/q-returns", false},
		{"arn:", false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(resources_queue(resources, cases[i].arn, RESOURCE_BY_ARN) != NULL,
			cases[i].found);
	assert_null(resources_queue(resources, cases[0].arn, RESOURCE_BY_ID | RESOURCE_BY_NAME));
}

static void built_ins_are_there_and_can_be_described(void **state)
{
	struct support_texts none = {{0}};
	struct resources *empty = support_resources(&none);

	assert_int_equal(resources_count(empty, RESOURCE_STATUS), 2);
	assert_int_equal(resources_count(empty, RESOURCE_SECURITY_PROFILE), 4);
	assert_int_equal(resources_available(empty)->type, RESOURCE_STATUS_ROUTABLE);
	assert_int_equal(resources_offline(empty)->type, RESOURCE_STATUS_OFFLINE);
	assert_string_equal(resources_available(resources)->row.id, "s-available");
	assert_int_equal(resources_available(resources)->type, RESOURCE_STATUS_ROUTABLE);
	assert_int_equal(resources_count(resources, RESOURCE_STATUS), 3);
	assert_int_equal(resources_status(resources, "Lunch", RESOURCE_BY_NAME)->type,
		RESOURCE_STATUS_CUSTOM);
	resources_destroy(empty);
}

static bool may_take_calls(const struct resources *all, const char *profile)
{
	struct resource_agent agent = {
		.security_profile = (const struct resource_security_profile *)resources_find(
			all, RESOURCE_SECURITY_PROFILE, profile, RESOURCE_BY_NAME)};

	assert_non_null(agent.security_profile);
	return resource_agent_may_take_calls(&agent);
}

static void R94_only_agent_and_admin_take_calls(void **state)
{
	struct support_texts none = {{0}};
	struct resources *empty = support_resources(&none);

	assert_true(may_take_calls(empty, "Admin"));
	assert_true(may_take_calls(empty, "Agent"));
	assert_false(may_take_calls(empty, "CallCenterManager"));
	assert_false(may_take_calls(empty, "QualityAnalyst"));
	assert_true(may_take_calls(resources, "Lead"));
	resources_destroy(empty);
}

static void R96_R97_a_users_id_is_the_end_of_the_arn(void **state)
{
	const struct resource_agent *ann = resources_agent(resources, "ann", RESOURCE_BY_NAME);

	assert_string_equal(strstr(ann->row.arn, "agent/") + strlen("agent/"), ann->row.id);
	assert_ptr_equal(resources_agent_by_queue_arn(resources, ann->queue_arn), ann);
	assert_non_null(strstr(ann->queue_arn, "/queue/agent/u-ann"));
}

/* ---- quick connects ---- */

struct seen {
	char names[256];
};

static int note(void *context, const struct resource_quick_connect *one)
{
	struct seen *seen = context;
	size_t length = strlen(seen->names);

	snprintf(seen->names + length, sizeof(seen->names) - length, "%s;", one->row.name);
	return 0;
}

static void R11_R12_R13_an_agent_sees_those_of_the_own_queues(void **state)
{
	const struct resource_agent *ann = resources_agent(resources, "ann", RESOURCE_BY_NAME);
	struct seen on_contact = {""}, idle = {""};

	resources_each_quick_connect(resources, ann, true, note, &on_contact);
	assert_string_equal(on_contact.names, "Returns desk;Courier;Ann;Courier two;Orders desk;");
	resources_each_quick_connect(resources, ann, false, note, &idle);
	assert_string_equal(idle.names, "Courier;Courier two;");
}

static enum resource_flow_kind flow_kind(void *context, const char *reference)
{
	if (strcmp(reference, "TA") == 0)
		return RESOURCE_FLOW_TRANSFER_TO_AGENT;
	if (strcmp(reference, "TQ") == 0)
		return RESOURCE_FLOW_TRANSFER_TO_QUEUE;
	return strcmp(reference, "Whisper") == 0 ? RESOURCE_FLOW_OUTBOUND_WHISPER
						 : RESOURCE_FLOW_MISSING;
}

static enum resource_flow_kind wrong_kind(void *context, const char *reference)
{
	return *(enum resource_flow_kind *)context;
}

static void R9_the_flow_must_be_of_the_transfer_type(void **state)
{
	const enum resource_flow_kind wrong[] = {
		RESOURCE_FLOW_MISSING, RESOURCE_FLOW_DRAFT, RESOURCE_FLOW_OTHER};
	static const char *const words[] = {"no flow", "draft", "another type"};
	struct report report;

	report_init(&report);
	resource_files_check_flows(resources, flow_kind, NULL, &report);
	assert_int_equal(report_size(&report), 0);
	for (int i = 0; i < 3; i++) {
		enum resource_flow_kind kind = wrong[i];
		resource_files_check_flows(resources, wrong_kind, &kind, &report);
		assert_int_equal(report_count(&report, REPORT_ERROR), 4); /* 3 and a whisper */
		assert_true(report_mentions(&report, REPORT_ERROR, words[i]));
		assert_true(report_mentions(&report, REPORT_ERROR, "quick-connects.yaml:2"));
		report_clear(&report);
		report_init(&report);
	}
	report_clear(&report);
}

static void R6_R7_each_kind_has_one_destination(void **state)
{
	const struct resource_quick_connect *queue =
		resources_quick_connect(resources, "Returns desk", RESOURCE_BY_NAME);
	const struct resource_quick_connect *agent =
		resources_quick_connect(resources, "Ann", RESOURCE_BY_NAME);
	const struct resource_quick_connect *external =
		resources_quick_connect(resources, "Courier", RESOURCE_BY_NAME);

	assert_int_equal(queue->type, RESOURCE_QUICK_CONNECT_QUEUE);
	assert_string_equal(queue->queue->row.name, "Returns");
	assert_string_equal(queue->flow, "TQ");
	assert_string_equal(queue->row.description, "d");
	assert_true(!queue->agent && !queue->number);
	assert_int_equal(agent->type, RESOURCE_QUICK_CONNECT_AGENT);
	assert_string_equal(agent->agent->row.name, "ann");
	assert_string_equal(agent->flow, "TA");
	assert_true(!agent->queue && !agent->number);
	assert_int_equal(external->type, RESOURCE_QUICK_CONNECT_EXTERNAL);
	assert_string_equal(external->number, "+12025550177");
	assert_true(!external->agent && !external->queue && !external->flow);
}

static void R95_a_quick_connect_to_who_may_not_take_calls_is_warned_about(void **state)
{
	struct support_texts texts = sound;
	struct resources *got;
	struct report report;

	texts.text[RESOURCE_SECURITY_PROFILE] =
		"security_profiles: [{name: Agent, permissions: [monitor]}]\n";
	got = support_resources(&texts);
	report_init(&report);
	resource_files_check_flows(got, flow_kind, NULL, &report);
	assert_int_equal(report_count(&report, REPORT_ERROR), 0);
	assert_int_equal(report_count(&report, REPORT_WARNING), 1);
	assert_true(report_mentions(&report, REPORT_WARNING, "quick-connects.yaml:4"));
	assert_true(report_mentions(&report, REPORT_WARNING, "\"ann\" are offered to nobody"));
	report_clear(&report);
	resources_destroy(got);
}

/* ---- what is refused ---- */

struct bad {
	enum resource_kind kind;
	const char *text;
	const char *mentions; /* part of the place or text of an error */
};

#define QUEUE(rest)   RESOURCE_QUEUE, "queues:\n  - {name: Q, " rest "}\n"
#define HOURS(rest)   RESOURCE_HOURS, "hours:\n  - {name: Desk, time_zone: UTC, " rest "}\n"
#define WEEK(rest)    HOURS("week: {monday: [" rest "]}")
#define PROFILE(rest) RESOURCE_ROUTING_PROFILE, "routing_profiles:\n  - {name: P, " rest "}\n"
#define CONNECT(rest) \
	RESOURCE_QUICK_CONNECT, "quick_connects:\n  - {name: C, description: d, " rest "}\n"
#define SKILLS(list)  RESOURCE_AGENT, AGENT_START "proficiencies: " list ", " PHONE
#define A_PHONE(rest) RESOURCE_AGENT, AGENT_START "phone: {" rest "}}\n"

static const struct bad bad_ones[] = {
	/* whole files */
	{RESOURCE_QUEUE, "queue: []\n", "queues"},
	{RESOURCE_QUEUE, "queues: 7\n", "queues"},
	{RESOURCE_QUEUE, "- name: x\n", "queues.yaml:1"},
	{RESOURCE_QUEUE, "queues: [7]\n", "queues.yaml:1"},
	{RESOURCE_STATUS, "statuses: [{name: A}]\nextra: 1\n", "extra"},
	/* identity */
	{RESOURCE_QUEUE, "queues: [{id: x}]\n", "name"},
	{RESOURCE_QUEUE, "queues: [{name: ''}]\n", "name"},
	{RESOURCE_QUEUE, "queues: [{name: Q}, {name: Q}]\n", "of its own"},
	{RESOURCE_QUEUE, "queues: [{name: Q, id: a}, {name: R, id: a}]\n", "of its own"},
	{QUEUE("id: 'a b'"), "expected an id"},
	{QUEUE("id: a/b"), "expected an id"},
	{QUEUE("colour: red"), "colour"},
	{RESOURCE_STATUS, "statuses: [{name: Offline}, {name: Offline}]\n", "of its own"},
	{RESOURCE_STATUS, "statuses: [{name: L, type: ROUTABLE}]\n", "type"},
	{RESOURCE_AGENT, "agents: [{user: 'an n'}]\n", "user name"},
	{RESOURCE_AGENT, "agents: [{name: ann}]\n", "user"},
	/* queues */
	{QUEUE("max_contacts: 0"), "max_contacts"},
	{QUEUE("max_contacts: many"), "max_contacts"},
	{QUEUE("max_contacts: 1000001"), "max_contacts"},
	{QUEUE("priority: 0"), "priority"},
	{QUEUE("priority: 100"), "priority"},
	{QUEUE("hours: Never"), "hours of operation"},
	{QUEUE("outbound_caller_id: '+12025550100'"), "outbound_caller_id"},
	{QUEUE("outbound_caller_id: {name: x}"), "number"},
	{QUEUE("outbound_caller_id: {number: '2025550100'}"), "E.164"},
	{QUEUE("outbound_caller_id: {number: '+12025550100', colour: red}"), "colour"},
	{QUEUE("quick_connects: Courier"), "quick_connects"},
	{QUEUE("quick_connects: [Taxi]"), "Taxi"},
	{QUEUE("quick_connects: [Courier, Courier]"), "once"},
	/* hours */
	{RESOURCE_HOURS, "hours: [{name: D, week: {}}]\n", "time_zone"},
	{RESOURCE_HOURS, "hours: [{name: D, time_zone: UTC}]\n", "week"},
	{RESOURCE_HOURS, "hours: [{name: D, time_zone: Europe/Atlantis, week: {}}]\n", "Atlantis"},
	{RESOURCE_HOURS, "hours: [{name: D, time_zone: ../../etc/passwd, week: {}}]\n", "passwd"},
	{RESOURCE_HOURS, "hours: [{name: D, time_zone: zone.tab, week: {}}]\n", "zone.tab"},
	{RESOURCE_HOURS, "hours: [{name: D, time_zone: leapseconds, week: {}}]\n",
		"cannot be read"},
	{HOURS("week: []"), "week"},
	{HOURS("week: {mon: []}"), "mon"},
	{HOURS("week: {monday: '09:00-10:00'}"), "monday"},
	{WEEK("9-10"), "expected a range"},
	{WEEK("'09:00-09:00'"), "expected a range"},
	{WEEK("'17:00-09:00'"), "expected a range"},
	{WEEK("'17:00-00:00'"), "24:00"},
	{WEEK("'09:00-24:30'"), "expected a range"},
	{WEEK("'09:00-12:00', '11:00-13:00'"), "overlap"},
	{WEEK("'00:00-00:01','00:02-00:03','00:04-00:05','00:06-00:07','00:08-00:09',"
	      "'00:10-00:11','00:12-00:13','00:14-00:15','00:16-00:17'"),
		"at most 8"},
	{HOURS("week: {}, overrides: [7]"), "overrides"},
	{HOURS("week: {}, overrides: [{open: []}]"), "date"},
	{HOURS("week: {}, overrides: [{date: '2026-02-30', open: []}]"), "2026-02-30"},
	{HOURS("week: {}, overrides: [{date: '2026-02-03'}]"), "open"},
	{HOURS("week: {}, overrides: [{date: '2026-02-03', open: [], x: 1}]"), "x"},
	{HOURS("week: {}, overrides: [{date: '2026-02-03', open: []},"
	       " {date: '2026-02-03', open: []}]"),
		"each date once"},
	/* profiles */
	{RESOURCE_SECURITY_PROFILE, "security_profiles: [{name: X}]\n", "permissions"},
	{RESOURCE_SECURITY_PROFILE, "security_profiles: [{name: X, permissions: all}]\n",
		"permissions"},
	{RESOURCE_SECURITY_PROFILE, "security_profiles: [{name: X, permissions: [fly]}]\n", "fly"},
	{RESOURCE_ROUTING_PROFILE, "routing_profiles: [{name: P}]\n", "queues"},
	{PROFILE("queues: [Returns]"), "mapping"},
	{PROFILE("queues: [{priority: 1}]"), "queue"},
	{PROFILE("queues: [{queue: Returns}]"), "priority"},
	{PROFILE("queues: [{queue: Nowhere, priority: 1}]"), "Nowhere"},
	{PROFILE("queues: [{queue: Returns, priority: 0}]"), "priority"},
	{PROFILE("queues: [{queue: Returns, priority: 1, delay_seconds: -1}]"), "delay_seconds"},
	{PROFILE("queues: [{queue: Returns, priority: 1, delay_seconds: 10000}]"), "delay_seconds"},
	{PROFILE("queues: [{queue: Returns, priority: 1, delay: 1}]"), "delay"},
	{PROFILE("queues: [{queue: Returns, priority: 1}, {queue: q-returns, priority: 2}]"),
		"each queue once"},
	{PROFILE("default_outbound_queue: Nowhere, queues: []"), "Nowhere"},
	/* agents */
	{RESOURCE_AGENT, "agents: [{user: ann}]\n", "first_name"},
	{RESOURCE_AGENT, "agents: [{user: ann}]\n", "last_name"},
	{RESOURCE_AGENT, "agents: [{user: ann}]\n", "routing_profile"},
	{RESOURCE_AGENT, "agents: [{user: ann}]\n", "security_profile"},
	{RESOURCE_AGENT, "agents: [{user: ann}]\n", "phone"},
	{A_PHONE("kind: ring, register: a, password: x, codecs: [opus, g729]"), "found 'g729'"},
	{A_PHONE("kind: ring, register: a, password: x, codecs: [opus, opus]"), "each once"},
	{A_PHONE("kind: ring, register: a, password: x, codecs: opus"), "agents.yaml:2"},
	{A_PHONE("kind: ring, register: a, password: x, srtp: yes"), "off, optional, required"},
	{A_PHONE("kind: ring, register: a, password: x, media_timeout: 2h"), "from 0s to 1h"},
	{A_PHONE("kind: ring, register: a, password: x, opus_fec: 1"), "true or false"},
	{RESOURCE_AGENT, "agents: [{user: ann, routing_profile: X}]\n", "\"X\""},
	{RESOURCE_AGENT, "agents: [{user: ann, security_profile: Y}]\n", "\"Y\""},
	{RESOURCE_AGENT, AGENT_START "after_contact_seconds: 7201, " PHONE, "after_contact"},
	{RESOURCE_AGENT, AGENT_START "shoe_size: 43, " PHONE, "shoe_size"},
	{RESOURCE_AGENT, AGENT_START "proficiencies: Italian, " PHONE, "proficiencies"},
	{SKILLS("[7]"), "mapping"},
	{SKILLS("[{value: Italian, level: 4}]"), "attribute"},
	{SKILLS("[{attribute: Language, level: 4}]"), "value"},
	{SKILLS("[{attribute: Language, value: Italian}]"), "level"},
	{SKILLS("[{attribute: Language, value: Italian, level: 0}]"), "level"},
	{SKILLS("[{attribute: Language, value: Italian, level: 6}]"), "level"},
	{SKILLS("[{attribute: Language, value: Italian, level: 4, since: 2020}]"), "since"},
	{SKILLS("[{attribute: L, value: It, level: 4}, {attribute: L, value: It, level: 5}]"),
		"found \"It\" of \"L\" again"},
	{A_PHONE("register: ann, password: x"), "kind"},
	{A_PHONE("kind: mobile, register: ann, password: x"), "kind"},
	{A_PHONE("kind: ring"), "either \"register\" or \"address\""},
	{A_PHONE("kind: ring, register: ann"), "either \"password\" or \"password_file\""},
	{A_PHONE("kind: ring, register: ann, password: x, password_file: y"), "either"},
	{A_PHONE("kind: ring, register: 'a n', password: x"), "letters"},
	{A_PHONE("kind: ring, register: ann, password: x, address: 'sip:a@b'"), "no \"address\""},
	{A_PHONE("kind: ring, address: 'tel:+12'"), "SIP address"},
	{A_PHONE("kind: ring, address: 'sip:a@b>c'"), "SIP address"},
	{A_PHONE("kind: ring, address: 'sip:a@b', password: x"), "no \"password\""},
	{A_PHONE("kind: ring, address: 'sip:a@b', colour: red"), "colour"},
	{RESOURCE_AGENT,
		AGENT_START PHONE
		"  - {user: bob, first_name: B, last_name: B, routing_profile: P,\n"
		"     security_profile: Agent, phone: {kind: ring, register: ann, password: x}}\n",
		"no other phone"},
	/* quick connects */
	{RESOURCE_QUICK_CONNECT, "quick_connects: [{name: C, type: external, number: '+12'}]\n",
		"description"},
	{RESOURCE_QUICK_CONNECT,
		"quick_connects: [{name: C, description: '', type: external, number: '+12'}]\n",
		"description"},
	{CONNECT("number: '+12'"), "type"},
	{CONNECT("type: fax, number: '+12'"), "type"},
	{CONNECT("type: external"), "number"},
	{CONNECT("type: external, number: '12'"), "E.164"},
	{CONNECT("type: external, number: '+12', queue: Returns"), "no \"queue\""},
	{CONNECT("type: external, number: '+12', flow: TA"), "no \"flow\""},
	{CONNECT("type: external, number: '+12', agent: ann"), "no \"agent\""},
	{CONNECT("type: agent, flow: TA"), "agent"},
	{CONNECT("type: agent, agent: ann"), "flow"},
	{CONNECT("type: agent, agent: zoe, flow: TA"), "zoe"},
	{CONNECT("type: agent, agent: ann, flow: TA, queue: Returns"), "no \"queue\""},
	{CONNECT("type: agent, agent: ann, flow: TA, number: '+12'"), "no \"number\""},
	{CONNECT("type: queue, flow: TQ"), "queue"},
	{CONNECT("type: queue, queue: Returns"), "flow"},
	{CONNECT("type: queue, queue: Nowhere, flow: TQ"), "Nowhere"},
	{CONNECT("type: queue, queue: Returns, flow: TQ, agent: ann"), "no \"agent\""},
	/* prompts */
	{RESOURCE_PROMPT, "prompts: [{name: P}]\n", "either \"file\""},
	{RESOURCE_PROMPT, "prompts: [{name: P, file: a.wav, text: b}]\n", "either \"file\""},
	{RESOURCE_PROMPT, "prompts: [{name: P, file: /etc/passwd}]\n", "path below"},
	{RESOURCE_PROMPT, "prompts: [{name: P, file: ../a.wav}]\n", "path below"},
	{RESOURCE_PROMPT, "prompts: [{name: P, file: a//b.wav}]\n", "path below"},
	{RESOURCE_PROMPT, "prompts: [{name: P, text: ''}]\n", "text"},
};

/* R8 and R10 are among these: a quick connect without a description, an external one with more
 * than a number. */
static void R8_R10_each_missing_or_wrong_field_is_named(void **state)
{
	for (size_t i = 0; i < sizeof(bad_ones) / sizeof(bad_ones[0]); i++) {
		const struct bad *bad = &bad_ones[i];
		struct support_texts texts = sound;
		struct resources *got = NULL;
		struct report report;
		texts.text[bad->kind] = bad->text;
		report_init(&report);
		if (support_load(&texts, &report, &got) == 0)
			fail_msg("accepted: %s", bad->text);
		assert_null(got);
		if (!report_mentions(&report, REPORT_ERROR, bad->mentions) ||
			!report_mentions(&report, REPORT_ERROR, resource_kind_file(bad->kind))) {
			report_print(&report, stderr);
			fail_msg("\"%s\" is not named for: %s", bad->mentions, bad->text);
		}
		report_clear(&report);
	}
}

static void all_problems_are_reported_in_one_run(void **state)
{
	struct support_texts texts = sound;
	struct resources *got = NULL;
	struct report report;

	texts.text[RESOURCE_QUEUE] = "queues: [{name: Q, priority: 0, max_contacts: 0}, {id: x}]\n";
	texts.text[RESOURCE_PROMPT] = "prompts: [{name: P}]\n";
	report_init(&report);
	assert_int_not_equal(support_load(&texts, &report, &got), 0);
	assert_true(report_mentions(&report, REPORT_ERROR, "priority"));
	assert_true(report_mentions(&report, REPORT_ERROR, "max_contacts"));
	assert_true(report_mentions(&report, REPORT_ERROR, "prompts.yaml"));
	assert_true(report_mentions(&report, REPORT_ERROR, "Returns"));
	report_clear(&report);
}

static void too_many_of_a_kind_is_an_error(void **state)
{
	char *text = malloc(20 * (RESOURCES_STATUSES_MAX + 1) + 100);
	struct support_texts texts = sound;
	struct resources *got = NULL;
	struct report report;
	size_t length = (size_t)snprintf(text, 100, "statuses:\n");

	for (int i = 0; i <= RESOURCES_STATUSES_MAX; i++)
		length += (size_t)snprintf(text + length, 20, "  - {name: s%d}\n", i);
	texts.text[RESOURCE_STATUS] = text;
	report_init(&report);
	assert_int_not_equal(support_load(&texts, &report, &got), 0);
	assert_true(report_mentions(&report, REPORT_ERROR, "at most 100"));
	report_clear(&report);
	free(text);
}

static void a_phone_says_what_its_media_are(void **state)
{
	struct support_texts texts = sound;
	struct resources *got;
	struct report report;
	const struct resource_agent *ann;

	texts.text[RESOURCE_AGENT] =
		AGENT_START "phone: {kind: ring, register: ann, password: x, "
			    "codecs: [Opus, g722, pcmu], srtp: required, nat: learn}}\n";
	report_init(&report);
	assert_int_equal(support_load(&texts, &report, &got), 0);
	ann = resources_agent(got, "ann", RESOURCE_BY_NAME);
	assert_int_equal(ann->media.codec_count, 3);
	assert_int_equal(ann->media.codecs[0], CORD_CODEC_OPUS);
	assert_int_equal(ann->media.codecs[2], CORD_CODEC_PCMU);
	assert_int_equal(ann->media.srtp, PEER_SRTP_REQUIRED);
	assert_int_equal(ann->media.nat, PEER_NAT_LEARN);
	assert_int_equal(ann->media.prefer, PEER_PREFER_OURS);
	resources_destroy(got);
	report_clear(&report);
}

static void the_configuration_is_judged(void **state)
{
	const struct resource_files_config bad[] = {
		{"eu", "1234", "i", support_read_zone, NULL},
		{"eu", "11112222333x", "i", support_read_zone, NULL},
		{"", "111122223333", "i", support_read_zone, NULL},
		{"eu", "111122223333", "a/b", support_read_zone, NULL},
		{"eu", "111122223333", "i", NULL, NULL},
	};
	struct resource_files *files;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(resource_files_create(&bad[i], &files), 0);
}

static void numbers_are_e164(void **state)
{
	assert_true(resource_number_valid("+12025550100"));
	assert_true(resource_number_valid("+12"));
	assert_false(resource_number_valid("+1"));
	assert_false(resource_number_valid("+0123"));
	assert_false(resource_number_valid("12025550100"));
	assert_false(resource_number_valid("+1202555010012345"));
	assert_false(resource_number_valid("+1 202"));
	assert_false(resource_number_valid(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_arrives),
		cmocka_unit_test(routing_profiles_are_sorted_by_priority_then_delay),
		cmocka_unit_test(R109_every_resource_has_its_arn),
		cmocka_unit_test(R109_ids_without_a_line_are_the_same_after_a_reload),
		cmocka_unit_test(an_arn_of_another_instance_names_the_row_with_its_id),
		cmocka_unit_test(built_ins_are_there_and_can_be_described),
		cmocka_unit_test(R94_only_agent_and_admin_take_calls),
		cmocka_unit_test(R96_R97_a_users_id_is_the_end_of_the_arn),
		cmocka_unit_test(R11_R12_R13_an_agent_sees_those_of_the_own_queues),
		cmocka_unit_test(R6_R7_each_kind_has_one_destination),
		cmocka_unit_test(R95_a_quick_connect_to_who_may_not_take_calls_is_warned_about),
		cmocka_unit_test(R9_the_flow_must_be_of_the_transfer_type),
		cmocka_unit_test(R8_R10_each_missing_or_wrong_field_is_named),
		cmocka_unit_test(all_problems_are_reported_in_one_run),
		cmocka_unit_test(too_many_of_a_kind_is_an_error),
		cmocka_unit_test(a_phone_says_what_its_media_are),
		cmocka_unit_test(the_configuration_is_judged),
		cmocka_unit_test(numbers_are_e164),
	};

	return cmocka_run_group_tests_name("resources", tests, load, unload);
}
