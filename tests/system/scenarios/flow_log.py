# SPDX-License-Identifier: Apache-2.0
"""The flow log, and what flows write on a contact."""
import json
import re

from demo import SPOKEN, TRUNK_PORT, Shop
from operating import cordctl
from stage import (BEEP, FULL, GREETING, MUSIC, WHISPER, Stage, action, eventually, flow, play)

SECRET = "4711"
LINK = "https://example.net/" + 40 * "parcels/" + "1043"


def logging_flow(*more, then="Ask"):
    """Switches logging on, then goes to `then`."""
    return flow("Main", "contactFlow", "Log",
                action("Log", "UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": "Enabled"}, then),
                *more, action("End", "DisconnectParticipant"))


def lines_of(stage, contact):
    return stage.call("flow.log", contact=contact)["lines"]


def brief(lines):
    return [(line["ContactFlowModuleType"], line["Identifier"], line.get("Results")) for line in lines]


async def test_a_flow_that_logs_writes_a_line_for_each_action():
    stage = Stage()
    stage.flows["main"] = logging_flow(
        action("Ask", "GetParticipantInput", {"PromptId": "greeting", "StoreInput": "False",
                                              "InputTimeLimitSeconds": "5"}, "End",
               {"InputTimeLimitExceeded": "End", "NoMatchingCondition": "End",
                "NoMatchingError": "End"}, {"1": "Type"}),
        action("Type", "GetParticipantInput",
               {"PromptId": "beep", "StoreInput": "True", "InputTimeLimitSeconds": "5",
                "InputValidation": {"CustomValidation": {"MaximumLength": "4"}}},
               "Is it?", {"NoMatchingError": "End"}),
        action("Is it?", "Compare", {"ComparisonValue": "$.StoredCustomerInput"}, "End",
               {"NoMatchingCondition": "End"}, {SECRET: "Note"}),
        action("Note", "UpdateContactAttributes",
               {"Attributes": {"who": "caller $.CustomerEndpoint.Address"}}, "Queue",
               {"NoMatchingError": "End"}),
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"QueueAtCapacity": "End", "NoMatchingError": "End"}))
    async with stage:
        phone = await stage.agent("arossi", status=None)
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        contact = stage.contacts()[0]["id"]
        await call.digits("1")
        await call.hears(BEEP)
        await call.digits(SECRET)
        await call.hears(MUSIC)
        stage.call("agent.login", agent="arossi", status="Available")
        leg = await phone.incoming()
        await leg.answer()
        await leg.hears(WHISPER)
        await stage.until_states("talking")
        await call.hang_up()
        lines = lines_of(stage, contact)
        assert brief(lines) == [
            ("SetLoggingBehavior", "Log", None), ("GetUserInput", "Ask", "1"),
            ("StoreUserInput", "Type", None), ("CheckAttribute", "Is it?", "****"),
            ("SetAttributes", "Note", None), ("SetQueue", "Queue", None),
            ("Transfer", "Transfer", None), ("LoopPrompts", "Music", None),
            ("PlayPrompt", "Tone", None), ("Resume", "End", None),
            ("PlayPrompt", "Beep", None), ("Resume", "End", None)], brief(lines)
        for line in lines:
            assert line["ContactId"] == contact
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["Timestamp"]), line
            assert re.search(r":instance/[^/]+/contact-flow/.", line["ContactFlowId"]), line
        assert lines[0]["ContactFlowName"] == "Main"
        assert lines[1]["Parameters"]["PromptId"] == "greeting"
        assert lines[4]["Parameters"] == {"Attributes.who": "caller +12025550199"}, lines[4]
        assert {line["ContactFlowName"] for line in lines[7:]} == {
            "Tone customer queue", "Tone agent whisper", "Tone customer whisper"}
        text = (stage.directory / "store" / "flow-log.jsonl").read_text()
        assert SECRET not in text and all(json.loads(line) for line in text.splitlines())
        shown = cordctl(stage, "flow", "log", contact).stdout
        assert "StoreUserInput" in shown and "Attributes.who: caller +12025550199" in shown


async def test_without_the_switch_nothing_is_logged():
    stage = Stage()
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        contact = stage.contacts()[0]["id"]
        assert lines_of(stage, contact) == []
        await call.hang_up()
        assert (stage.directory / "store" / "flow-log.jsonl").read_text() == ""


async def test_logging_goes_on_in_later_segments_and_can_be_switched_off():
    stage = Stage()
    stage.flows["main"] = logging_flow(
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"QueueAtCapacity": "End", "NoMatchingError": "End"}), then="Queue")
    stage.flows["waiting"] = flow(
        "Tone customer queue", "customerQueue", "Music",
        action("Music", "MessageParticipantIteratively",
               {"Messages": [{"PromptId": "music"}], "InterruptFrequencySeconds": "1"}, "Move",
               {"NoMatchingError": "Move"}, {"MessagesInterrupted": "Move"}),
        action("Move", "DequeueContactAndTransferToQueue", {"QueueId": "Returns"}, "Moved",
               {"QueueAtCapacity": "Moved", "NoMatchingError": "Moved"}),
        action("Moved", "UpdateContactAttributes", {"Attributes": {"moved": "yes"}}, "Quiet",
               {"NoMatchingError": "Quiet"}),
        action("Quiet", "UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": "Disabled"}, "Note"),
        action("Note", "UpdateContactAttributes", {"Attributes": {"quiet": "yes"}}, "Hang up",
               {"NoMatchingError": "Hang up"}),
        action("Hang up", "DisconnectParticipant"))
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.ended()
        first, second = sorted(await stage.records(2), key=lambda r: r["InitiationMethod"])
        assert (first["InitiationMethod"], second["InitiationMethod"]) == ("INBOUND", "QUEUE_TRANSFER")
        assert second["Attributes"] == {"moved": "yes", "quiet": "yes"}
        assert ("LoopPrompts", "Music", "MessagesInterrupted") in brief(
            lines_of(stage, first["ContactId"]))
        assert brief(lines_of(stage, second["ContactId"])) == [
            ("SetAttributes", "Moved", None), ("SetLoggingBehavior", "Quiet", None)]


async def test_tags_references_and_switches_are_kept():
    stage = Stage()
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Tag",
        action("Tag", "TagContact", {"Tags": {"line": "$.SystemEndpoint.Address", "team": "blue"}},
               "Untag", {"NoMatchingError": "End"}),
        action("Untag", "UnTagContact", {"TagKeys": ["team"]}, "Data", {"NoMatchingError": "End"}),
        action("Data", "UpdateContactData",
               {"Name": "Order 1043", "LanguageCode": "de-DE",
                "References": {"order": {"Type": "URL", "Value": LINK}}},
               "Record", {"NoMatchingError": "End"}),
        action("Record", "UpdateContactRecordingBehavior",
               {"RecordingBehavior": {"RecordedParticipants": ["Agent", "Customer"]}}, "Stream"),
        action("Stream", "UpdateContactMediaStreamingBehavior",
               {"MediaStreamingState": "Enabled", "MediaStreamType": "Audio",
                "Participants": [{"ParticipantType": "Customer", "MediaDirections": ["From"]}]},
               "Copy", {"NoMatchingError": "End"}),
        action("Copy", "UpdateContactAttributes",
               {"Attributes": {"tag": "$.Tags.line", "reference": "$.References.order",
                               "streams": "$.MediaStreams.Customer.Audio.StreamARN",
                               "agent": "$.Agent.UserName", "how": "$.InitiationMethod",
                               "sort": "$.SegmentAttributes['connect:Subtype']",
                               "language": "$.LanguageCode", "region": "$.AwsRegion"}}, "Say",
               {"NoMatchingError": "End"}),
        action("Say", "MessageParticipantIteratively", {"Messages": [{"PromptId": "music"}]}),
        action("End", "DisconnectParticipant"))
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        full = stage.call("contact.get", contact=stage.contacts()[0]["id"])
        assert full["tags"] == {"line": "+12025550100"}, full
        assert full["references"] == {"order": LINK}
        assert full["recording"]["agent"] and full["recording"]["customer"]
        assert full["streaming"]["on"] and not full["streaming"]["to_customer"]
        assert (full["name"], full["language"]) == ("Order 1043", "de-DE")
        await call.hang_up()
        record = (await stage.records(1))[0]
        assert record["Tags"] == {"line": "+12025550100"}
        assert record["References"] == [{"Name": "order", "Value": LINK}]
        assert record["Attributes"] == {
            "tag": "+12025550100", "reference": LINK, "streams": "",
            "agent": "", "how": "INBOUND", "sort": "connect:Telephony", "language": "de-DE",
            "region": "eu-central-1"}, record["Attributes"]


async def test_bad_markup_takes_the_error_branch():
    stage = Stage()
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Good",
        action("Good", "MessageParticipant", {"SSML": "<speak>Hello <break time=\"0.3s\"/></speak>"},
               "Mark", {"NoMatchingError": "End"}),
        play("Mark", "greeting", "Bad"),
        action("Bad", "MessageParticipant", {"SSML": "<speak>this & that</speak>"}, "End",
               {"NoMatchingError": "Sorry"}),
        play("Sorry", "full", "End"),
        action("End", "DisconnectParticipant"))
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.ended()
        heard = [h["hz"] for h in (await call.report())["heard"]]
        assert heard[-2:] == [GREETING, FULL] and 0 in heard[:-2], heard
        await eventually("the contact to be gone", lambda: not stage.contacts())


async def test_the_example_instance_finds_a_parcel():
    async with Shop() as shop:
        call = await shop.dial(await shop.caller(port=TRUNK_PORT), SPOKEN)
        await call.answered()
        contact = (await eventually("the contact", shop.contacts))[0]["id"]

        async def until_left(action):
            return await eventually(f"{action} to be left", lambda: next(
                (x for x in lines_of(shop, contact) if x["Identifier"] == action), None), 20)
        await until_left("Welcome")
        await call.digits("3")
        assert (await until_left("Ask"))["Results"] == "3"
        await call.digits("1043#")
        asked = await until_left("Look it up")
        assert asked["ContactFlowModuleType"] == "InvokeExternalResource"
        assert asked["ContactFlowId"].split("/")[-2] == "flow-module", asked
        assert asked["Parameters"]["LambdaInvocationAttributes.order"] == "1043"
        assert asked["ExternalResults"] == {"found": "true", "status": "is on its way"}
        told = await until_left("Tell")
        assert told["Parameters"]["SSML"].endswith("is on its way.</speak>"), told
        assert "Results" not in told, told
        await call.hang_up()
        record = (await shop.records(1))[0]
        assert record["Attributes"] == {"order": "1043"}, record
