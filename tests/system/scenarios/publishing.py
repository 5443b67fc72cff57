# SPDX-License-Identifier: Apache-2.0
"""Drafts, publishing, and transfers to flows: which version of a flow a caller hears."""
import json

from operating import cordctl
from stage import (BEEP, FULL, GREETING, MUSIC, WHISPER, Refused, Stage, action, eventually, flow, play)


def speaking(prompt, status="published", name="Main"):
    """An inbound flow that plays one prompt and hangs up."""
    content = flow(name, "contactFlow", "Say", play("Say", prompt, "End"),
                   action("End", "DisconnectParticipant"))
    content["Metadata"]["status"] = status
    return content


async def hears_only(stage, caller):
    """The tones of one call, from its first to its end."""
    call = await stage.dial(caller)
    await call.ended()
    return [h["hz"] for h in (await call.report())["heard"]]


def replace_main(stage, content):
    stage.flows["main"] = content
    stage.write_instance()
    report = stage.call("reload")
    assert report["loaded"], report


def main_row(stage):
    return next(r for r in stage.call("flow.list")["flows"] if r["name"] == "Main")


async def R5_calls_run_the_version_published_last():
    stage = Stage()
    stage.flows["main"] = speaking("greeting")
    async with stage:
        caller = await stage.caller()
        assert await hears_only(stage, caller) == [GREETING]
        replace_main(stage, speaking("full", "saved"))
        assert await hears_only(stage, caller) == [GREETING]
        row = main_row(stage)
        assert (row["status"], row["runs"]) == ("saved", "earlier"), row
        assert "earlier" in cordctl(stage, "flow", "list").stdout
        cordctl(stage, "flow", "publish", "Main")
        assert await hears_only(stage, caller) == [FULL]
        row = main_row(stage)
        assert (row["status"], row["runs"]) == ("published", "file"), row
        refused = cordctl(stage, "flow", "publish", "Main", check=False)
        assert refused.returncode == 1 and "no draft" in refused.stderr, refused
        replace_main(stage, speaking("beep", "saved"))
        stage.kill("control")
        await stage.start_control()
        assert await hears_only(stage, caller) == [FULL]
        assert main_row(stage)["runs"] == "earlier"
        replace_main(stage, speaking("beep"))
        assert await hears_only(stage, caller) == [BEEP]


def waiting(prompt, status="published"):
    content = flow("Tone customer queue", "customerQueue", "Play",
                   action("Play", "MessageParticipantIteratively", {"Messages": [{"PromptId": prompt}]}))
    content["Metadata"]["status"] = status
    return content


async def R5_a_hook_leads_to_the_version_published_now():
    stage = Stage()
    stage.flows["waiting"] = waiting("music")
    stage.flows["main"] = flow(
        "Main", "contactFlow", "Hook",
        action("Hook", "UpdateContactEventHooks", {"EventHooks": {"CustomerQueue": "Tone customer queue"}},
               "Ask", {"NoMatchingError": "End"}),
        action("Ask", "GetParticipantInput", {"PromptId": "greeting", "StoreInput": "False",
                                              "InputTimeLimitSeconds": "20"}, "End",
               {"InputTimeLimitExceeded": "End", "NoMatchingCondition": "End",
                "NoMatchingError": "End"}, {"1": "Queue"}),
        action("Queue", "UpdateContactTargetQueue", {"QueueId": "Orders"}, "Transfer",
               {"NoMatchingError": "End"}),
        action("Transfer", "TransferContactToQueue", None, "End",
               {"QueueAtCapacity": "End", "NoMatchingError": "End"}),
        action("End", "DisconnectParticipant"))
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        stage.flows["waiting"] = waiting("full", "saved")
        stage.write_instance()
        assert stage.call("reload")["loaded"]
        stage.call("flow.publish", flow="Tone customer queue")
        await call.digits("1")
        await call.hears(FULL)
        heard = [h["hz"] for h in (await call.report())["heard"]]
        assert MUSIC not in heard, heard
        await call.hang_up()


async def R5_a_flow_never_published_is_run_by_nothing():
    stage = Stage()
    stage.flows["main"] = speaking("greeting")
    async with stage:
        stage.flows["side"] = speaking("full", "saved", "Side")
        stage.instance["cordboard"]["numbers"].append({"number": "+12025550101", "flow": "Side"})
        stage.write_instance()
        report = stage.call("reload")
        assert not report["loaded"] and "draft" in json.dumps(report), report
        assert await hears_only(stage, await stage.caller()) == [GREETING]


def jumping():
    """Goes on in the flow that the number's attribute names; otherwise plays `whisper`."""
    return flow("Main", "contactFlow", "Where",
                action("Where", "UpdateContactAttributes", {"Attributes": {"to": "Side"}}, "Mark",
                       {"NoMatchingError": "End"}),
                play("Mark", "greeting", "Jump"),
                action("Jump", "TransferToFlow", {"ContactFlowId": "$.Attributes.to"}, "Sorry",
                       {"NoMatchingError": "Sorry"}),
                play("Sorry", "whisper", "End"),
                action("End", "DisconnectParticipant"))


async def R4_a_transfer_to_a_flow_finds_published_flows_only():
    stage = Stage()
    stage.flows["main"] = jumping()
    stage.flows["side"] = speaking("full", "saved", "Side")
    async with stage:
        caller = await stage.caller()
        assert await hears_only(stage, caller) == [GREETING, WHISPER]
        stage.call("flow.publish", flow="Side")
        assert await hears_only(stage, caller) == [GREETING, FULL]
        records = await stage.records(2)
        assert len({r["ContactId"] for r in records}) == 2, "the contact stays the same"
        assert all(r["Attributes"] == {"to": "Side"} for r in records), records
        try:
            stage.call("flow.publish", flow="No such flow")
            raise AssertionError("a flow that there is not was published")
        except Refused as refused:
            assert "No such flow" in str(refused)
        await eventually("all contacts to be gone", lambda: not stage.contacts())
