/* SPDX-License-Identifier: Apache-2.0 */
/* Values filled in: every namespace, both spellings, mixtures, and paths that lead nowhere. */
#include <stdio.h>
#include <string.h>

#include "support.h"

static const struct attribute facts[] = {
	{"Channel", "VOICE"},
	{"ContactId", "c-1"},
	{"CustomerEndpoint.Address", "+12025550143"},
	{"Queue.Name", "Sales"},
	{"Agent.UserName", "arossi"},
	{"References.Mail", "https://x/y"},
	{"Tags.team", "blue"},
	{"SegmentAttributes.connect:Subtype", "connect:Telephony"},
	{"Case.status", "open"},
	{"Customer.FirstName", "Ada"},
	{"Views.Action", "Next"},
	{"Media.Sip.Headers.P-Asserted-Identity", "<sip:a@b>"},
	{"MediaStreams.Customer.Audio.StreamARN", "arn:s"},
	{"AwsRegion", "eu-central-1"},
	{"Anything.At.All", "yes"},
};

static const struct {
	const char *text, *said;
} rows[] = {
	/* Attributes: dotted, bracketed, after a dot and directly, either quote. */
	{"$.Attributes.town", "Ulm"},
	{"$['Attributes']['town']", "Ulm"},
	{"$.Attributes.['full name']", "Ada L"},
	{"$.Attributes['full name']", "Ada L"},
	{"$.Attributes[\\\"full name\\\"]", "Ada L"},
	{"$.Attributes.a.b", "dotted"},
	{"$.Attributes['a.b']", "dotted"},
	{"$.Attributes.stra\xc3\x9f"
	 "e",
		"Hauptweg"},
	/* Answers of a function, deep and in lists. */
	{"$.External.name", "Ada"},
	{"$.External.list[0].name", "first"},
	{"$.External['list'][1]['name']", "second"},
	{"$.External.list[1].tags[0]", "t"},
	{"$.External.count", "3"},
	{"$.External.real", "1.5"},
	{"$.External.flag", "true"},
	/* Facts of the owner, whatever their name. */
	{"$.Channel", "VOICE"},
	{"$['Channel']", "VOICE"},
	{"$.CustomerEndpoint.Address", "+12025550143"},
	{"$.References.Mail", "https://x/y"},
	{"$.Tags.team", "blue"},
	{"$.SegmentAttributes['connect:Subtype']", "connect:Telephony"},
	{"$.Case.status", "open"},
	{"$.Customer.FirstName", "Ada"},
	{"$.Views.Action", "Next"},
	{"$.Media.Sip.Headers.P-Asserted-Identity", "<sip:a@b>"},
	{"$.MediaStreams.Customer.Audio.StreamARN", "arn:s"},
	{"$.Anything.At.All", "yes"},
	/* Mixtures. */
	{"Hi $.External.name, welcome to $.Attributes.town.", "Hi Ada, welcome to Ulm."},
	{"arn:x:$.AwsRegion:1:function", "arn:x:eu-central-1:1:function"},
	{"$.Attributes.town$.Attributes.town", "UlmUlm"},
	{"s3://b/$.Attributes.town.wav", "s3://b/Ulm.wav"},
	{"s3://b/$.ContactId.wav", "s3://b/c-1.wav"},
	{"5 $ for $5, $.", "5 $ for $5, $."},
	{"${template.thing}", "${template.thing}"},
	/* Nowhere. */
	{"<$.Attributes.nobody>", "<>"},
	{"<$.Attributes.town2>", "<>"},
	{"<$.External.list[7].name>", "<>"},
	{"<$.External.list>", "<>"},
	{"<$.FlowAttributes.none>", "<>"},
	{"<$.Metrics.Queue.Size>", "<>"},
	{"<$.Lex.Slots.size>", "<>"},
	{"<$.Modules.Input.x>", "<>"},
	{"<$.No.Such.Namespace>", "<>"},
	{"<$.Attributes>", "<>"},
	{"<$.External.null>", "<>"},
};

static const char *const answer =
	"{\"name\": \"Ada\", \"list\": [{\"name\": \"first\"}, {\"name\": \"second\", \"tags\": "
	"[\"t\"]}], \"count\": 3, \"real\": 1.5, \"flag\": true, \"null\": null}";

static void every_namespace_is_read_in_both_spellings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char actions[1024];
		struct call call;

		snprintf(actions, sizeof(actions),
			"[{\"Identifier\": \"f\", \"Type\": \"InvokeLambdaFunction\", "
			"\"Parameters\": {\"LambdaFunctionARN\": \"f\", \"ResponseValidation\": "
			"{\"ResponseType\": \"JSON\"}}, \"Transitions\": {\"NextAction\": "
			"\"say\"}}, "
			"{\"Identifier\": \"say\", \"Type\": \"UpdateContactAttributes\", "
			"\"Parameters\": {\"Attributes\": {\"said\": \"%s\"}}}]",
			rows[i].text);
		call_prepare(&call, flow_of(flow_text_of("f", actions), "main", FLOW_TYPE_UNKNOWN));
		for (size_t f = 0; f < sizeof(facts) / sizeof(facts[0]); f++)
			attributes_set(&call.facts, facts[f].name, facts[f].value);
		attributes_set(&call.memory.attributes, "town", "Ulm");
		attributes_set(&call.memory.attributes, "full name", "Ada L");
		attributes_set(&call.memory.attributes, "a.b", "dotted");
		attributes_set(&call.memory.attributes,
			"stra\xc3\x9f"
			"e",
			"Hauptweg");
		call_start(&call, FLOW_TYPE_INBOUND);
		call_answer_event(&call, (struct flow_event){.text = answer});
		if (strcmp(attribute_of(&call, "said"), rows[i].said) != 0)
			fail_msg("%s: expected '%s', found '%s'", rows[i].text, rows[i].said,
				attribute_of(&call, "said"));
		call_end(&call);
	}
}

/* Keys of maps may hold paths, and every other parameter that the engine reads. */
static void paths_stand_wherever_a_parameter_is_read(void **state)
{
	static const struct {
		const char *type, *params;
		enum flow_effect_type effect;
	} anywhere[] = {
		{"UpdateContactTargetQueue", "\"QueueId\": \"$.Attributes.v\"",
			FLOW_EFFECT_SET_TARGET_QUEUE},
		{"CheckHoursOfOperation", "\"HoursOfOperationId\": \"$.Attributes.v\"",
			FLOW_EFFECT_CHECK_HOURS},
		{"MessageParticipant", "\"PromptId\": \"$.Attributes.v\"", FLOW_EFFECT_PLAY},
		{"MessageParticipant",
			"\"Media\": {\"Uri\": \"$.Attributes.v\", \"SourceType\": \"S3\", "
			"\"MediaType\": \"Audio\"}",
			FLOW_EFFECT_PLAY},
		{"UpdateContactTextToSpeechVoice", "\"TextToSpeechVoice\": \"$.Attributes.v\"",
			FLOW_EFFECT_SET_VOICE},
		{"InvokeLambdaFunction", "\"LambdaFunctionARN\": \"$.Attributes.v\"",
			FLOW_EFFECT_INVOKE_LAMBDA},
		{"InvokeLambdaFunction",
			"\"LambdaFunctionARN\": \"f\", \"LambdaInvocationAttributes\": {\"k\": "
			"\"$.Attributes.v\"}",
			FLOW_EFFECT_INVOKE_LAMBDA},
		{"TagContact", "\"Tags\": {\"k\": \"$.Attributes.v\"}", FLOW_EFFECT_SET_TAGS},
		{"UpdateContactData", "\"LanguageCode\": \"$.Attributes.v\"",
			FLOW_EFFECT_SET_CONTACT_DATA},
		{"CreateCallbackContact", "\"ContactFlowId\": \"$.Attributes.v\"",
			FLOW_EFFECT_CREATE_CALLBACK},
		{"CreateTask", "\"Attributes\": {\"k\": \"$.Attributes.v\"}", FLOW_EFFECT_SERVICE},
		{"UpdateContactRoutingCriteria",
			"\"RoutingCriteria\": {\"Steps\": [{\"Expression\": "
			"{\"AttributeCondition\": {\"Value\": \"$.Attributes.v\"}}}]}",
			FLOW_EFFECT_SET_CRITERIA},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]); i++) {
		char actions[512];
		struct call call;
		const struct flow_effect *e;
		const char *found = NULL;

		snprintf(actions, sizeof(actions),
			"[{\"Identifier\": \"a\", \"Type\": \"%s\", \"Parameters\": {%s}}]",
			anywhere[i].type, anywhere[i].params);
		call_prepare(&call, flow_of(flow_text_of("a", actions), "main", FLOW_TYPE_UNKNOWN));
		attributes_set(&call.memory.attributes, "v", "filled");
		call_start(&call, FLOW_TYPE_INBOUND);
		e = effect_of(&call, anywhere[i].effect);
		switch (e->type) {
		case FLOW_EFFECT_SET_TARGET_QUEUE:
			found = e->target.queue;
			assert_true(e->target.dynamic);
			break;
		case FLOW_EFFECT_CHECK_HOURS:
			found = e->hours.hours;
			break;
		case FLOW_EFFECT_PLAY:
			found = e->play.messages[0].text;
			break;
		case FLOW_EFFECT_SET_VOICE:
			found = e->voice.voice;
			break;
		case FLOW_EFFECT_INVOKE_LAMBDA:
			found = e->lambda.count > 0 ? e->lambda.inputs[0].value
						    : e->lambda.function;
			break;
		case FLOW_EFFECT_CREATE_CALLBACK:
			found = e->callback.flow;
			break;
		case FLOW_EFFECT_SERVICE:
			found = e->service.inputs[0].value;
			break;
		default:
			found = e->pairs.list[0].value;
			break;
		}
		assert_string_equal(found, "filled");
		flow_run_stop(&call.run, call.fx);
		call_end(&call);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_namespace_is_read_in_both_spellings),
		cmocka_unit_test(paths_stand_wherever_a_parameter_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
