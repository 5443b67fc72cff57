/* SPDX-License-Identifier: Apache-2.0 */
/* Which handler carries out which action type. */
#include "base/check.h"
#include "flow/machine.h"

static const struct flow_handler *const handlers[FLOW_ACTION_COUNT] = {
	[FLOW_ACTION_MESSAGE] = &flow_message_handler,
	[FLOW_ACTION_MESSAGE_LOOP] = &flow_message_loop_handler,
	[FLOW_ACTION_GET_INPUT] = &flow_get_input_handler,
	[FLOW_ACTION_LEX] = &flow_service_handler,
	[FLOW_ACTION_DISCONNECT] = &flow_disconnect_handler,
	[FLOW_ACTION_TO_QUEUE] = &flow_to_queue_handler,
	[FLOW_ACTION_DEQUEUE_TO_QUEUE] = &flow_dequeue_handler,
	[FLOW_ACTION_CREATE_CALLBACK] = &flow_callback_handler,
	[FLOW_ACTION_TO_AGENT] = &flow_to_agent_handler,
	[FLOW_ACTION_TO_THIRD_PARTY] = &flow_to_third_party_handler,
	[FLOW_ACTION_TO_FLOW] = &flow_to_flow_handler,
	[FLOW_ACTION_END] = &flow_end_handler,
	[FLOW_ACTION_END_MODULE] = &flow_end_module_handler,
	[FLOW_ACTION_INVOKE_MODULE] = &flow_module_handler,
	[FLOW_ACTION_SET_TARGET_QUEUE] = &flow_target_queue_handler,
	[FLOW_ACTION_SET_ATTRIBUTES] = &flow_set_attributes_handler,
	[FLOW_ACTION_SET_FLOW_ATTRIBUTES] = &flow_set_flow_attributes_handler,
	[FLOW_ACTION_SET_CONTACT_DATA] = &flow_set_contact_data_handler,
	[FLOW_ACTION_COMPARE] = &flow_compare_handler,
	[FLOW_ACTION_CHECK_HOURS] = &flow_hours_handler,
	[FLOW_ACTION_CHECK_METRIC] = &flow_metric_handler,
	[FLOW_ACTION_GET_METRICS] = &flow_metrics_handler,
	[FLOW_ACTION_LOOP] = &flow_loop_handler,
	[FLOW_ACTION_DISTRIBUTE] = &flow_distribute_handler,
	[FLOW_ACTION_WAIT] = &flow_wait_handler,
	[FLOW_ACTION_LAMBDA] = &flow_lambda_handler,
	[FLOW_ACTION_SET_HOOKS] = &flow_hooks_handler,
	[FLOW_ACTION_SET_RECORDING] = &flow_recording_handler,
	[FLOW_ACTION_SET_RECORDING_ANALYTICS] = &flow_recording_handler,
	[FLOW_ACTION_SET_STREAMING] = &flow_streaming_handler,
	[FLOW_ACTION_SET_MEDIA_PROCESSING] = &flow_voice_error_handler,
	[FLOW_ACTION_SET_LOGGING] = &flow_logging_handler,
	[FLOW_ACTION_SET_VOICE] = &flow_voice_handler,
	[FLOW_ACTION_SET_CALLBACK_NUMBER] = &flow_callback_number_handler,
	[FLOW_ACTION_SET_ROUTING] = &flow_routing_handler,
	[FLOW_ACTION_SET_CRITERIA] = &flow_criteria_handler,
	[FLOW_ACTION_HOLD_PARTICIPANT] = &flow_hold_handler,
	[FLOW_ACTION_CALL_OUTBOUND] = &flow_call_outbound_handler,
	[FLOW_ACTION_CHECK_OUTBOUND] = &flow_service_handler,
	[FLOW_ACTION_START_VOICE_ID] = &flow_service_handler,
	[FLOW_ACTION_CHECK_VOICE_ID] = &flow_service_handler,
	[FLOW_ACTION_CREATE_TASK] = &flow_service_handler,
	[FLOW_ACTION_TAG_CONTACT] = &flow_tag_handler,
	[FLOW_ACTION_UNTAG_CONTACT] = &flow_tag_handler,
	[FLOW_ACTION_CREATE_WISDOM] = &flow_service_handler,
	[FLOW_ACTION_SHOW_VIEW] = &flow_voice_error_handler,
	[FLOW_ACTION_RESUME_CONTACT] = &flow_voice_error_handler,
	[FLOW_ACTION_START_OUTBOUND_CHAT] = &flow_voice_error_handler,
	[FLOW_ACTION_CREATE_CASE] = &flow_service_handler,
	[FLOW_ACTION_GET_CASE] = &flow_service_handler,
	[FLOW_ACTION_UPDATE_CASE] = &flow_service_handler,
	[FLOW_ACTION_CREATE_PROFILE] = &flow_service_handler,
	[FLOW_ACTION_GET_PROFILE] = &flow_service_handler,
	[FLOW_ACTION_GET_PROFILE_OBJECT] = &flow_service_handler,
	[FLOW_ACTION_UPDATE_PROFILE] = &flow_service_handler,
	[FLOW_ACTION_ASSOCIATE_PROFILE] = &flow_service_handler,
	[FLOW_ACTION_GET_PROFILE_ATTRIBUTES] = &flow_service_handler,
	[FLOW_ACTION_CHECK_SEGMENT] = &flow_service_handler,
	[FLOW_ACTION_EVALUATE_TABLE] = &flow_service_handler,
	[FLOW_ACTION_LIST_TABLE] = &flow_service_handler,
	[FLOW_ACTION_UPSERT_TABLE] = &flow_service_handler,
	[FLOW_ACTION_ROUTE_TO_AGENT] = &flow_service_handler,
	[FLOW_ACTION_AUTHENTICATE] = &flow_voice_error_handler,
	[FLOW_ACTION_LOAD_CONTENT] = &flow_voice_error_handler,
	[FLOW_ACTION_ASSOCIATE_CONTACT] = &flow_voice_error_handler,
};

const struct flow_handler *flow_handler(enum flow_action_type type)
{
	CHECK((unsigned)type < FLOW_ACTION_COUNT && handlers[type] != NULL);
	return handlers[type];
}

bool flow_action_is_service(enum flow_action_type type)
{
	return flow_handler(type) == &flow_service_handler;
}
