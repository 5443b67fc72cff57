/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "queue/agent.h"

static const struct support_texts texts = {{
	[RESOURCE_STATUS] = "statuses: [{name: Lunch}]\n",
	[RESOURCE_ROUTING_PROFILE] = "routing_profiles: [{name: P, queues: []}]\n",
	[RESOURCE_AGENT] = "agents:\n"
			   "  - {user: ann, first_name: Ann, last_name: A, routing_profile: P,\n"
			   "     security_profile: Agent,\n"
			   "     phone: {kind: ring, register: ann, password: x}}\n"
			   "  - {user: qa, first_name: Q, last_name: A, routing_profile: P,\n"
			   "     security_profile: QualityAnalyst,\n"
			   "     phone: {kind: ring, address: 'sip:qa@192.0.2.7'}}\n",
}};

static struct resources *resources;
static const struct resource_status *available, *offline, *lunch;
static const struct agent_contact call = {.contact = 42, .queue = 3, .queued_at_ns = 7};

static int load(void **state)
{
	resources = support_resources(&texts);
	available = resources_available(resources);
	offline = resources_offline(resources);
	lunch = resources_status(resources, "Lunch", RESOURCE_BY_NAME);
	assert_non_null(lunch);
	return 0;
}

static int unload(void **state)
{
	resources_destroy(resources);
	return 0;
}

static struct agent fresh(const char *user)
{
	struct agent agent;

	agent_init(
		&agent, 0, resources_agent(resources, user, RESOURCE_BY_NAME), available, offline);
	return agent;
}

/* Available, with the phone there, since 100. */
static struct agent ready(void)
{
	struct agent agent = fresh("ann");

	agent_set_phone(&agent, true, 50);
	assert_int_equal(agent_login(&agent, available, 100), 0);
	return agent;
}

static struct agent in_slot(enum agent_slot slot)
{
	static const enum agent_event ways[AGENT_SLOT_COUNT][4] = {
		[AGENT_SLOT_OFFERED] = {AGENT_OFFER},
		[AGENT_SLOT_ACCEPTED] = {AGENT_OFFER, AGENT_ACCEPT},
		[AGENT_SLOT_CALLING] = {AGENT_DIAL},
		[AGENT_SLOT_CONNECTED] = {AGENT_OFFER, AGENT_ACCEPT, AGENT_CONNECT},
		[AGENT_SLOT_ONHOLD] = {AGENT_OFFER, AGENT_ACCEPT, AGENT_CONNECT, AGENT_HOLD},
		[AGENT_SLOT_ENDED] = {AGENT_OFFER, AGENT_ACCEPT, AGENT_END},
		[AGENT_SLOT_MISSED] = {AGENT_OFFER, AGENT_MISS},
		[AGENT_SLOT_ERROR] = {AGENT_OFFER, AGENT_FAIL},
	};
	struct agent agent = ready();

	for (int i = 0; i < 4 && agent.contact.state != slot; i++)
		assert_int_equal(agent_apply(&agent, ways[slot][i], &call, 200 + (uint64_t)i), 0);
	assert_int_equal(agent.contact.state, slot);
	return agent;
}

/* Each cell of (slot, event): what the table says happens, and nothing else does. */
static void every_cell_of_the_table(void **state)
{
	uint32_t legal = 0;

	for (int slot = 0; slot < AGENT_SLOT_COUNT; slot++)
		for (int event = 0; event < AGENT_EVENT_COUNT; event++) {
			struct agent agent = in_slot((enum agent_slot)slot), before = agent;
			enum agent_slot to = agent_slot_after(slot, event);
			int rc = agent_apply(&agent, event, &call, 300);
			if (to == AGENT_SLOT_COUNT) {
				assert_int_equal(rc, -EINVAL);
				assert_memory_equal(&agent, &before, sizeof(agent));
				continue;
			}
			legal++;
			assert_int_equal(rc, 0);
			assert_int_equal(agent.contact.state, to);
			assert_int_equal(agent.contact.contact, to == AGENT_SLOT_EMPTY ? 0 : 42);
			assert_true(agent.contact.state_since_ns == 300);
		}
	assert_int_equal(legal, 23);
}

/* From every state a way leads back to an empty slot. */
static void no_state_is_stuck(void **state)
{
	bool back[AGENT_SLOT_COUNT] = {[AGENT_SLOT_EMPTY] = true};

	for (int round = 0; round < AGENT_SLOT_COUNT; round++)
		for (int slot = 0; slot < AGENT_SLOT_COUNT; slot++)
			for (int event = 0; event < AGENT_EVENT_COUNT; event++) {
				enum agent_slot to = agent_slot_after(slot, event);
				back[slot] |= to != AGENT_SLOT_COUNT && back[to];
			}
	for (int slot = 0; slot < AGENT_SLOT_COUNT; slot++)
		assert_true(back[slot]);
}

static void only_an_empty_slot_is_routable(void **state)
{
	for (int slot = 0; slot < AGENT_SLOT_COUNT; slot++) {
		struct agent agent = in_slot((enum agent_slot)slot);
		assert_int_equal(agent_bar(&agent) == AGENT_ROUTABLE, slot == AGENT_SLOT_EMPTY);
		assert_non_null(agent_state_name(agent_state(&agent)));
		assert_int_equal(
			agent_contact_state_name(&agent.contact) == NULL, slot == AGENT_SLOT_EMPTY);
	}
}

static void every_bar_has_its_cause(void **state)
{
	struct agent agent = fresh("ann");

	assert_int_equal(agent_bar(&agent), AGENT_BAR_LOGGED_OUT);
	assert_int_equal(agent_state(&agent), AGENT_LOGGED_OUT);
	agent_login(&agent, NULL, 1);
	assert_int_equal(agent_bar(&agent), AGENT_BAR_STATUS);
	assert_int_equal(agent_state(&agent), AGENT_OFFLINE);
	agent_choose_status(&agent, available, 2);
	assert_int_equal(agent_bar(&agent), AGENT_BAR_PHONE);
	assert_int_equal(agent_state(&agent), AGENT_AVAILABLE);
	agent_set_phone(&agent, true, 3);
	assert_int_equal(agent_bar(&agent), AGENT_ROUTABLE);
	agent_choose_status(&agent, lunch, 4);
	assert_int_equal(agent_state(&agent), AGENT_CUSTOM);
}

static void R94_a_user_without_the_permission_is_never_routable(void **state)
{
	struct agent agent = fresh("qa");

	agent_login(&agent, available, 1);
	assert_true(agent.phone_ready);
	assert_int_equal(agent_bar(&agent), AGENT_BAR_PERMISSION);
}

static void a_static_phone_is_always_there(void **state)
{
	struct agent agent = fresh("qa");

	agent_set_phone(&agent, false, 1);
	assert_true(agent.phone_ready);
}

static void login_and_logout(void **state)
{
	struct agent agent = ready();

	assert_int_equal(agent_login(&agent, NULL, 5), -EALREADY);
	assert_int_equal(agent_logout(&agent, 200), 0);
	assert_int_equal(agent_logout(&agent, 201), -EALREADY);
	assert_int_equal(agent_choose_status(&agent, lunch, 202), -ENOTCONN);
	agent = in_slot(AGENT_SLOT_CONNECTED);
	assert_int_equal(agent_logout(&agent, 300), -EBUSY);
	agent = in_slot(AGENT_SLOT_ENDED);
	assert_int_equal(agent_logout(&agent, 300), 0);
	assert_int_equal(agent.contact.state, AGENT_SLOT_EMPTY);
}

static void a_status_chosen_on_a_contact_waits(void **state)
{
	struct agent agent = in_slot(AGENT_SLOT_CONNECTED);

	assert_int_equal(agent_choose_status(&agent, lunch, 400), 0);
	assert_ptr_equal(agent.status, available);
	assert_ptr_equal(agent.next, lunch);
	assert_true(agent.next_since_ns == 400);
	assert_false(agent_settle(&agent, 401));
	agent_apply(&agent, AGENT_END, NULL, 500);
	assert_int_equal(agent_state(&agent), AGENT_AFTER_CONTACT_WORK);
	assert_true(agent_settle(&agent, 500));
	assert_int_equal(agent_state(&agent), AGENT_CUSTOM);
	assert_true(agent.status_since_ns == 500);
	assert_null(agent.next);
}

static void choosing_available_cancels_the_next_status(void **state)
{
	struct agent agent = in_slot(AGENT_SLOT_CONNECTED);

	agent_choose_status(&agent, lunch, 400);
	agent_choose_status(&agent, available, 410);
	assert_null(agent.next);
	assert_true(agent.status_since_ns == 100);
	agent_apply(&agent, AGENT_END, NULL, 500);
	assert_false(agent_settle(&agent, 500));
	assert_int_equal(agent_state(&agent), AGENT_AFTER_CONTACT_WORK);
}

static void R51_available_does_not_end_after_contact_work(void **state)
{
	struct agent agent = in_slot(AGENT_SLOT_ENDED);

	agent_choose_status(&agent, available, 400);
	assert_int_equal(agent_bar(&agent), AGENT_BAR_AFTER_CONTACT);
	agent_apply(&agent, AGENT_CLEAR, NULL, 500);
	assert_int_equal(agent_bar(&agent), AGENT_ROUTABLE);
	agent = in_slot(AGENT_SLOT_ENDED);
	agent_choose_status(&agent, lunch, 400);
	assert_int_equal(agent_state(&agent), AGENT_CUSTOM);
}

static void a_miss_keeps_out_until_a_status_or_clear(void **state)
{
	const enum agent_slot bad[] = {AGENT_SLOT_MISSED, AGENT_SLOT_ERROR};

	for (int i = 0; i < 2; i++) {
		struct agent agent = in_slot(bad[i]);
		assert_int_not_equal(agent_bar(&agent), AGENT_ROUTABLE);
		agent_choose_status(&agent, available, 400);
		assert_int_equal(agent_bar(&agent), AGENT_ROUTABLE);
		assert_true(agent.available_since_ns == 400);
		assert_true(agent.status_since_ns == 100);
		agent = in_slot(bad[i]);
		agent_apply(&agent, AGENT_CLEAR, NULL, 400);
		assert_int_equal(agent_bar(&agent), AGENT_ROUTABLE);
	}
}

/* The clock of the longest-available order: a withdrawn offer is not a turn, all else is. */
static void the_clock_survives_a_withdrawn_offer_only(void **state)
{
	struct agent agent = in_slot(AGENT_SLOT_OFFERED);

	agent_apply(&agent, AGENT_WITHDRAW, NULL, 300);
	assert_true(agent.available_since_ns == 100);
	agent = in_slot(AGENT_SLOT_ACCEPTED);
	assert_true(agent.available_since_ns == 0);
	agent_apply(&agent, AGENT_WITHDRAW, NULL, 300);
	assert_true(agent.available_since_ns == 300);
	agent_set_phone(&agent, false, 310);
	agent_set_phone(&agent, true, 320);
	assert_true(agent.available_since_ns == 320);
	agent = in_slot(AGENT_SLOT_OFFERED);
	agent_choose_status(&agent, lunch, 300);
	agent_apply(&agent, AGENT_WITHDRAW, NULL, 310);
	assert_true(agent_settle(&agent, 310));
	assert_true(agent.available_since_ns == 0);
}

static void R108_being_on_a_call_does_not_change_the_status(void **state)
{
	struct agent agent = in_slot(AGENT_SLOT_ONHOLD);
	struct agent_snapshot snapshot;

	agent_take_snapshot(&agent, &snapshot);
	assert_string_equal(snapshot.status->row.name, "Available");
	assert_true(snapshot.status_since_ns == 100);
	assert_int_equal(snapshot.state, AGENT_BUSY);
	assert_string_equal(agent_contact_state_name(&snapshot.contact), "CONNECTED_ONHOLD");
	assert_true(snapshot.contact.connected_at_ns == 202);
	assert_true(snapshot.contact.queued_at_ns == 7);
	assert_int_equal(snapshot.contact.queue, 3);
}

static void R110_a_callback_comes_in_as_incoming_then_pending(void **state)
{
	struct agent agent = ready();
	struct agent_contact callback = {.contact = 9, .callback = true};
	const struct {
		enum agent_event event;
		const char *name;
	} steps[] = {{AGENT_OFFER, "INCOMING"}, {AGENT_ACCEPT, "PENDING"},
		{AGENT_DIAL, "CONNECTING"}, {AGENT_CONNECT, "CONNECTED"},
		{AGENT_HOLD, "CONNECTED_ONHOLD"}, {AGENT_RESUME, "CONNECTED"},
		{AGENT_END, "ENDED"}};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(agent_apply(&agent, steps[i].event, &callback, 200 + i), 0);
		assert_string_equal(agent_contact_state_name(&agent.contact), steps[i].name);
	}
}

static void R110_each_slot_has_its_word(void **state)
{
	static const char *const words[AGENT_SLOT_COUNT] = {[AGENT_SLOT_OFFERED] = "CONNECTING",
		[AGENT_SLOT_ACCEPTED] = "CONNECTING",
		[AGENT_SLOT_CALLING] = "CONNECTING",
		[AGENT_SLOT_CONNECTED] = "CONNECTED",
		[AGENT_SLOT_ONHOLD] = "CONNECTED_ONHOLD",
		[AGENT_SLOT_ENDED] = "ENDED",
		[AGENT_SLOT_MISSED] = "MISSED",
		[AGENT_SLOT_ERROR] = "ERROR"};

	for (int slot = AGENT_SLOT_EMPTY + 1; slot < AGENT_SLOT_COUNT; slot++) {
		struct agent agent = in_slot((enum agent_slot)slot);

		assert_string_equal(agent_contact_state_name(&agent.contact), words[slot]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_of_the_table),
		cmocka_unit_test(no_state_is_stuck),
		cmocka_unit_test(only_an_empty_slot_is_routable),
		cmocka_unit_test(every_bar_has_its_cause),
		cmocka_unit_test(R94_a_user_without_the_permission_is_never_routable),
		cmocka_unit_test(a_static_phone_is_always_there),
		cmocka_unit_test(login_and_logout),
		cmocka_unit_test(a_status_chosen_on_a_contact_waits),
		cmocka_unit_test(choosing_available_cancels_the_next_status),
		cmocka_unit_test(R51_available_does_not_end_after_contact_work),
		cmocka_unit_test(a_miss_keeps_out_until_a_status_or_clear),
		cmocka_unit_test(the_clock_survives_a_withdrawn_offer_only),
		cmocka_unit_test(R108_being_on_a_call_does_not_change_the_status),
		cmocka_unit_test(R110_a_callback_comes_in_as_incoming_then_pending),
		cmocka_unit_test(R110_each_slot_has_its_word),
	};

	return cmocka_run_group_tests_name("agent", tests, load, unload);
}
