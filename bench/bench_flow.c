/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_flow [--smoke]: the flow engine alone, an owner that answers from memory:
 *
 *     flow_actions  actions executed in a second on one core, and what one costs: a menu flow that
 *                   sets attributes, compares, loops, looks at a queue, plays and takes a key
 *     flow_waiting  heap and fixed bytes that one contact takes while its flow waits for a key
 *     flow_read     bytes of flow files read and checked in a second
 */
#include "bench.h"

#include <malloc.h>
#include <time.h>

#include "base/report.h"
#include "flow/checker.h"
#include "flow/engine.h"
#include "flow/reader.h"

static const char text[] =
	"{\"Version\": \"2019-10-30\", \"StartAction\": \"Set\", \"Actions\": ["
	"{\"Identifier\": \"Set\", \"Type\": \"UpdateContactAttributes\", \"Parameters\": "
	"{\"Attributes\": {\"number\": \"$.CustomerEndpoint.Address\", \"line\": \"parcels\"}}, "
	"\"Transitions\": {\"NextAction\": \"Kind\", \"Errors\": [{\"ErrorType\": "
	"\"NoMatchingError\", \"NextAction\": \"End\"}]}},"
	"{\"Identifier\": \"Kind\", \"Type\": \"Compare\", \"Parameters\": {\"ComparisonValue\": "
	"\"$.Attributes.line\"}, \"Transitions\": {\"NextAction\": \"End\", \"Conditions\": ["
	"{\"NextAction\": \"End\", \"Condition\": {\"Operator\": \"Equals\", \"Operands\": "
	"[\"orders\"]}}, {\"NextAction\": \"End\", \"Condition\": {\"Operator\": "
	"\"TextStartsWith\", \"Operands\": [\"return\"]}}, {\"NextAction\": \"Loop\", "
	"\"Condition\": {\"Operator\": \"Equals\", \"Operands\": [\"parcels\"]}}], \"Errors\": "
	"[{\"ErrorType\": \"NoMatchingCondition\", \"NextAction\": \"End\"}]}},"
	"{\"Identifier\": \"Loop\", \"Type\": \"Loop\", \"Parameters\": {\"LoopCount\": \"3\"}, "
	"\"Transitions\": {\"NextAction\": \"End\", \"Conditions\": [{\"NextAction\": "
	"\"Waiting\", \"Condition\": {\"Operator\": \"Equals\", \"Operands\": "
	"[\"ContinueLooping\"]}}, {\"NextAction\": \"End\", \"Condition\": {\"Operator\": "
	"\"Equals\", \"Operands\": [\"DoneLooping\"]}}]}},"
	"{\"Identifier\": \"Waiting\", \"Type\": \"CheckMetricData\", \"Parameters\": "
	"{\"MetricType\": \"NumberOfContactsInQueue\", \"QueueId\": \"orders\"}, \"Transitions\": "
	"{\"NextAction\": \"End\", \"Conditions\": [{\"NextAction\": \"End\", \"Condition\": "
	"{\"Operator\": \"NumberGreaterThan\", \"Operands\": [\"20\"]}}], \"Errors\": "
	"[{\"ErrorType\": \"NoMatchingCondition\", \"NextAction\": \"Say\"}, {\"ErrorType\": "
	"\"NoMatchingError\", \"NextAction\": \"End\"}]}},"
	"{\"Identifier\": \"Say\", \"Type\": \"MessageParticipant\", \"Parameters\": {\"Text\": "
	"\"You call from $.Attributes.number.\"}, \"Transitions\": {\"NextAction\": \"Menu\", "
	"\"Errors\": [{\"ErrorType\": \"NoMatchingError\", \"NextAction\": \"Menu\"}]}},"
	"{\"Identifier\": \"Menu\", \"Type\": \"GetParticipantInput\", \"Parameters\": {\"Text\": "
	"\"Press one.\", \"InputTimeLimitSeconds\": \"5\", \"StoreInput\": \"False\"}, "
	"\"Transitions\": {\"NextAction\": \"End\", \"Conditions\": [{\"NextAction\": \"Loop\", "
	"\"Condition\": {\"Operator\": \"Equals\", \"Operands\": [\"1\"]}}], \"Errors\": "
	"[{\"ErrorType\": \"InputTimeLimitExceeded\", \"NextAction\": \"End\"}, {\"ErrorType\": "
	"\"NoMatchingCondition\", \"NextAction\": \"End\"}, {\"ErrorType\": \"NoMatchingError\", "
	"\"NextAction\": \"End\"}]}},"
	"{\"Identifier\": \"End\", \"Type\": \"DisconnectParticipant\", \"Parameters\": {}, "
	"\"Transitions\": {}}]}";

/* Set, Kind, three rounds of (Loop, Waiting, Say, Menu), Loop, End. */
#define ACTIONS_OF_RUN 16

struct caller {
	struct flow_memory memory;
	struct flow_context context;
	struct flow_run run;
};

static const char *fact(void *owner, const char *name)
{
	return strcmp(name, "CustomerEndpoint.Address") == 0 ? "+12025550143" : NULL;
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_flow: %s\n", what);
	exit(1);
}

static struct flow *read_flow(void)
{
	struct flow *flow = NULL;
	struct flow_reader_options options = {.file = "bench", .type = FLOW_TYPE_INBOUND};
	struct report report;

	report_init(&report);
	check(flow_read(text, sizeof(text) - 1, &options, &report, &flow) == 0 &&
			flow_check(flow, NULL, &report) == 0,
		"the flow is refused");
	report_clear(&report);
	return flow;
}

/* What the run waits for, given at once. */
static struct flow_event event_for(const struct flow_run *run)
{
	if (run->play_id && run->wait != FLOW_WAIT_INPUT)
		return (struct flow_event){.type = FLOW_EVENT_PLAY_DONE, .id = run->play_id};
	if (run->wait == FLOW_WAIT_INPUT)
		return (struct flow_event){.type = FLOW_EVENT_KEY, .key = '1'};
	return (struct flow_event){.type = FLOW_EVENT_ANSWER,
		.id = run->pending_id,
		.result = FLOW_RESULT_OK,
		.number = 3};
}

static void begin(struct caller *caller, struct flow *flow, struct flow_effects *effects)
{
	caller->context =
		(struct flow_context){.owner = caller, .memory = &caller->memory, .fact = fact};
	check(flow_run_start(&caller->run, flow, FLOW_TYPE_INBOUND, &caller->context, 1, effects) ==
			0,
		"the flow does not start");
}

static void end(struct caller *caller)
{
	flow_run_clear(&caller->run);
	flow_memory_clear(&caller->memory);
}

static uint64_t run_once(struct caller *caller, struct flow *flow, struct flow_effects *effects,
	uint64_t now_ns, uint64_t hash)
{
	begin(caller, flow, effects);
	while (caller->run.state != FLOW_RUN_OVER) {
		struct flow_event event = event_for(&caller->run);

		check(flow_run_step(&caller->run, &event, now_ns, effects) == 0,
			"a step is refused");
		hash = bench_hash(hash, &caller->run.action, sizeof(caller->run.action));
	}
	end(caller);
	return hash;
}

static void bench_actions(struct flow *flow, struct flow_effects *effects, uint64_t runs)
{
	struct caller *caller = calloc(1, sizeof(*caller));
	uint64_t hash = BENCH_HASH, begun;
	double cycles, seconds;

	check(caller, "no memory");
	begun = bench_tsc();
	for (uint64_t i = 0; i < runs; i++)
		hash = run_once(caller, flow, effects, i * 2000000000ull, hash);
	cycles = (double)(bench_tsc() - begun) / (double)(runs * ACTIONS_OF_RUN);
	seconds = cycles / bench_tsc_hz();
	printf("{\"bench\":\"flow_actions\",\"actions\":%llu,\"cycles\":%.0f,\"ns\":%.0f,"
	       "\"actions_per_second\":%.0f,\"hash\":\"%016llx\"}\n",
		(unsigned long long)(runs * ACTIONS_OF_RUN), cycles, seconds * 1e9, 1 / seconds,
		(unsigned long long)hash);
	free(caller);
}

static void bench_waiting(struct flow *flow, struct flow_effects *effects, size_t contacts)
{
	struct caller *callers = calloc(contacts, sizeof(*callers));
	struct flow_event event;
	size_t before, heap;
	uint64_t hash = BENCH_HASH;

	check(callers, "no memory");
	before = mallinfo2().uordblks;
	for (size_t i = 0; i < contacts; i++) {
		begin(&callers[i], flow, effects);
		while (callers[i].run.wait != FLOW_WAIT_INPUT) {
			event = event_for(&callers[i].run);
			flow_run_step(&callers[i].run, &event, 1, effects);
		}
		hash = bench_hash(hash, &callers[i].run.action, sizeof(callers[i].run.action));
	}
	heap = mallinfo2().uordblks - before;
	printf("{\"bench\":\"flow_waiting\",\"contacts\":%zu,\"bytes\":%zu,\"run_bytes\":%zu,"
	       "\"memory_bytes\":%zu,\"heap_bytes\":%zu,\"hash\":\"%016llx\"}\n",
		contacts, sizeof(callers->run) + sizeof(callers->memory) + heap / contacts,
		sizeof(callers->run), sizeof(callers->memory), heap / contacts,
		(unsigned long long)hash);
	for (size_t i = 0; i < contacts; i++)
		end(&callers[i]);
	free(callers);
}

static void bench_read(uint64_t times)
{
	uint64_t begun = bench_tsc(), hash = BENCH_HASH;
	double seconds;

	for (uint64_t i = 0; i < times; i++) {
		struct flow *flow = read_flow();

		hash = bench_hash(hash, &flow->action_count, sizeof(flow->action_count));
		flow_release(flow);
	}
	seconds = (double)(bench_tsc() - begun) / bench_tsc_hz();
	printf("{\"bench\":\"flow_read\",\"files\":%llu,\"bytes\":%zu,\"us_per_file\":%.1f,"
	       "\"mb_per_second\":%.1f,\"hash\":\"%016llx\"}\n",
		(unsigned long long)times, sizeof(text) - 1, seconds / (double)times * 1e6,
		(double)((sizeof(text) - 1) * times) / seconds / 1e6, (unsigned long long)hash);
}

int main(int argc, char **argv)
{
	bool smoke = bench_smoke(argc, argv);
	struct flow_effects *effects = calloc(1, sizeof(*effects));
	struct flow *flow = read_flow();

	check(effects, "no memory");
	bench_actions(flow, effects, smoke ? 100 : 200000);
	bench_waiting(flow, effects, smoke ? 100 : 10000);
	bench_read(smoke ? 10 : 5000);
	flow_effects_reset(effects);
	flow_release(flow);
	free(effects);
	return 0;
}
