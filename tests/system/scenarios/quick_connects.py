# SPDX-License-Identifier: Apache-2.0
"""Quick connects while control runs: made, attached, seen by agents, changed, detached, removed; and
what is refused leaves nothing behind."""
import json

from operating import cordctl
from stage import Refused, Stage, run, user

ANN = {"name": "A. Rossi", "description": "Knows the Milan orders", "type": "agent",
       "destination": "arossi", "flow": "Default agent transfer"}
DESK = {"Name": "Returns desk", "Description": "Second level for parcels sent back",
        "QuickConnectConfig": {"QuickConnectType": "QUEUE",
                               "QueueConfig": {"QueueId": "Returns",
                                               "ContactFlowId": "Default queue transfer"}}}
COURIER = {"name": "Courier hotline", "description": "Track a parcel by telephone",
           "type": "external", "destination": "+12025550177"}
TAXI = {"name": "Taxi", "id": "c-taxi", "description": "The way home", "type": "external",
        "number": "+12025550188"}


def staged():
    """Two queues in the profile, a third that a flow uses and no profile has."""
    stage = Stage()
    stage.instance["queues"].append({"name": "Elsewhere", "hours": "Always",
                                     "quick_connects": ["Taxi"]})
    stage.instance["quick_connects"] = [TAXI]
    stage.flows["elsewhere"] = dict(stage.flows["main"], Metadata={
        "name": "Elsewhere line", "type": "contactFlow", "status": "published"})
    text = json.dumps(stage.flows["elsewhere"]).replace('"Orders"', '"Elsewhere"')
    stage.flows["elsewhere"] = json.loads(text)
    return stage


def seen(stage, agent="bkhan"):
    return [e["name"] for e in stage.call("agent.endpoints", agent=agent)["endpoints"]]


def kept(stage):
    file = stage.directory / "instance" / "instance.d" / "quick-connects.json"
    return file.read_text(encoding="utf-8") if file.exists() else None


def refusal(stage, verb, **params):
    """The text of a refusal, which leaves nothing behind."""
    before = kept(stage), stage.call("quick_connect.list")
    try:
        stage.call(verb, **params)
    except Refused as refused:
        assert (kept(stage), stage.call("quick_connect.list")) == before, refused
        left = [f.name for f in (stage.directory / "instance" / "instance.d").glob("*.*")]
        assert left == (["quick-connects.json"] if before[0] else []), left
        return str(refused)
    raise AssertionError(f"{verb} {params} was not refused")


def make_all(stage):
    """Ann, the desk and the courier, of queue Orders."""
    made = [stage.call("quick_connect.create", **row) for row in (ANN, DESK, COURIER)]
    stage.call("queue.attach_quick_connects", queue="Orders",
               quick_connects=[row["Name"] for row in made])
    return made


async def R6_R7_R14_the_documented_shape_goes_in_and_comes_out():
    stage = staged()
    async with stage:
        users = {u["Username"]: u["Id"] for u in stage.call("user.list")["UserSummaryList"]}
        flows = {f["name"]: f["id"] for f in stage.call("flow.list")["flows"]}
        queues = {q["name"]: q["id"] for q in stage.call("queue.list")["queues"]}
        ann, desk, courier = make_all(stage)
        assert ann["QuickConnectConfig"] == {
            "QuickConnectType": "USER",
            "UserConfig": {"UserId": users["arossi"],
                           "ContactFlowId": flows["Default agent transfer"]}}, ann
        assert (desk["Name"], desk["Description"]) == (DESK["Name"], DESK["Description"])
        assert desk["QuickConnectConfig"]["QueueConfig"] == {
            "QueueId": queues["Returns"], "ContactFlowId": flows["Default queue transfer"]}
        assert courier["QuickConnectConfig"] == {
            "QuickConnectType": "PHONE_NUMBER", "PhoneConfig": {"PhoneNumber": "+12025550177"}}
        for one in ann, desk, courier:
            assert one["QuickConnectARN"].endswith("/transfer-destination/" + one["QuickConnectId"])
            got = stage.call("quick_connect.get", quick_connect=one["Name"])
            assert got == dict(one, queues=["Orders"]), got
        listed = stage.call("quick_connect.list", queue="Orders")["quick_connects"]
        assert [r["Name"] for r in listed] == [ANN["name"], DESK["Name"], COURIER["name"]], listed
        assert stage.call("quick_connect.list")["total"] == 4


async def R8_R9_R10_what_is_wrong_is_refused_and_leaves_nothing():
    stage = staged()
    async with stage:
        for wrong in None, "":
            for row, member in (ANN, "description"), (DESK, "Description"), (COURIER, "description"):
                text = refusal(stage, "quick_connect.create", **{**row, member: wrong})
                assert "description" in text, text
        assert kept(stage) is None
        create = "quick_connect.create"
        assert "flow" in refusal(stage, create, **{**ANN, "flow": None})
        assert "transfer to agent" in refusal(
            stage, create, **{**ANN, "flow": "Default queue transfer"})
        assert "no flow" in refusal(stage, create, **{**ANN, "flow": "No such flow"})
        assert "nobody" in refusal(stage, create, **{**ANN, "destination": "nobody"})
        assert "flow" in refusal(stage, create, **{**COURIER, "flow": "Default queue transfer"})
        assert "E.164" in refusal(stage, create, **{**COURIER, "destination": "0203"})
        assert "QueueConfig" in refusal(
            stage, create, Name="N", Description="d", QuickConnectConfig={
                "QuickConnectType": "PHONE_NUMBER", "QueueConfig": {"QueueId": "Returns"},
                "PhoneConfig": {"PhoneNumber": "+12025550177"}})
        assert "of its own" in refusal(stage, create, **{**COURIER, "name": "Taxi"})
        assert "no quick connect" in refusal(
            stage, "queue.attach_quick_connects", queue="Orders", quick_connects=["Taxi", "Nobody"])
        stage.flows["draft"] = dict(stage.flows["elsewhere"], Metadata={
            "name": "Draft", "type": "queueTransfer", "status": "saved"})
        stage.write_instance()
        assert stage.call("reload")["loaded"]
        assert "never published" in refusal(
            stage, create, name="N", description="d", type="queue", destination="Returns",
            flow="Draft")
        # what is wrong elsewhere in the directory is named, and waits for its repair
        stage.instance["queues"][0]["hours"] = "Never"
        stage.write_instance()
        assert "queues.yaml" in refusal(stage, create, **COURIER)
        stage.instance["queues"][0]["hours"] = "Always"
        stage.write_instance()
        assert stage.call(create, **COURIER)["Name"] == COURIER["name"]


async def R8_a_directory_that_cannot_be_written_keeps_what_runs():
    stage = staged()
    async with stage:
        where = stage.directory / "instance"
        run("mount", "--bind", where, where)
        run("mount", "-o", "remount,bind,ro", where)
        try:
            assert "cannot be written" in refusal(stage, "quick_connect.create", **COURIER)
        finally:
            run("umount", where)
        assert stage.call("quick_connect.create", **COURIER)["Name"] == COURIER["name"]


async def R11_R12_R13_an_agent_sees_what_the_own_queues_have():
    stage = staged()
    async with stage:
        phone = await stage.agent("arossi")
        assert seen(stage, "arossi") == []
        made = [stage.call("quick_connect.create", **row) for row in (ANN, DESK, COURIER)]
        assert seen(stage, "arossi") == [], "attached to no queue"
        for row in made:
            stage.call("queue.attach_quick_connects", queue="Orders",
                       quick_connects=[row["QuickConnectARN"]])
        assert seen(stage, "arossi") == ["Courier hotline"], "the agent is idle"
        caller = await stage.caller()
        call = await stage.dial(caller)
        await call.answered()
        leg = await phone.incoming()
        await leg.ring()
        assert seen(stage, "arossi") == ["Courier hotline"], "the contact is offered only"
        await leg.answer()
        await stage.until_states("talking")
        assert seen(stage, "arossi") == ["A. Rossi", "Returns desk", "Courier hotline"]
        endpoints = stage.call("agent.endpoints", agent="arossi")["endpoints"]
        arns = [row["QuickConnectARN"] for row in made]
        assert endpoints == [
            {"endpointARN": arns[0], "endpointId": arns[0], "type": "agent", "name": "A. Rossi",
             "phoneNumber": None, "agentLogin": "arossi", "queue": None},
            {"endpointARN": arns[1], "endpointId": arns[1], "type": "queue",
             "name": "Returns desk", "phoneNumber": None, "agentLogin": None, "queue": "Returns"},
            {"endpointARN": arns[2], "endpointId": arns[2], "type": "phone_number",
             "name": "Courier hotline", "phoneNumber": "+12025550177", "agentLogin": None,
             "queue": None}], endpoints
        # the call goes on over changes, and Elsewhere adds nothing though a flow uses it
        stage.call("queue.detach_quick_connects", queue="Orders", quick_connects=["A. Rossi"])
        assert seen(stage, "arossi") == ["Returns desk", "Courier hotline"]
        assert stage.states() == ["talking"]
        await call.hang_up()
        await stage.until_agent("arossi", "AfterCallWork")
        assert seen(stage, "arossi") == ["Courier hotline"], "nothing is there to transfer"


async def R11_changes_outlast_reload_and_restart():
    stage = staged()
    async with stage:
        make_all(stage)
        stage.call("queue.attach_quick_connects", queue="Returns", quick_connects=["Taxi"])
        stage.call("queue.detach_quick_connects", queue="Elsewhere", quick_connects=["Taxi"])
        stage.call("quick_connect.update", quick_connect="Taxi", name="Bikes",
                   destination="+12025550199")
        stage.call("quick_connect.delete", quick_connect="Returns desk")

        def expect():
            assert seen(stage) == ["Courier hotline", "Bikes"], seen(stage)
            bikes = stage.call("quick_connect.get", quick_connect="Bikes")
            assert bikes["QuickConnectId"] == "c-taxi" and bikes["queues"] == ["Returns"], bikes
            assert bikes["QuickConnectConfig"]["PhoneConfig"] == {"PhoneNumber": "+12025550199"}
            assert bikes["Description"] == "The way home", bikes

        expect()
        report = stage.call("reload")
        assert report["loaded"], report
        assert any("Taxi" in row["text"] and row["severity"] == "note"
                   for row in report["report"]), report
        expect()
        stage.kill("control")
        await stage.start_control()
        expect()
        # one of the files stays removed, too
        stage.call("quick_connect.delete", quick_connect="Bikes")
        stage.kill("control")
        await stage.start_control()
        assert seen(stage) == ["Courier hotline"], seen(stage)
        assert stage.call("quick_connect.list")["total"] == 2


async def R11_the_same_change_twice_is_one():
    stage = staged()
    async with stage:
        first = stage.call("quick_connect.create", request="r1", **COURIER)
        assert stage.call("quick_connect.create", request="r1", **COURIER) == first
        stage.call("queue.attach_quick_connects", queue="Orders", quick_connects=["Taxi"])
        before = kept(stage)
        again = stage.call("queue.attach_quick_connects", queue="Orders", quick_connects=["Taxi"])
        assert again == {"queue": "Orders", "quick_connects": ["Taxi"]}, again
        assert kept(stage) == before


async def R95_check_warns_of_quick_connects_that_nobody_can_answer():
    stage = staged()
    stage.instance["agents"].append(user("eweber", "panel", security_profile="QualityAnalyst"))
    async with stage:
        stage.call("quick_connect.create", **{**ANN, "name": "Eva", "destination": "eweber"})
        report = stage.call("reload")
        warnings = [r["text"] for r in report["report"] if r["severity"] == "warning"]
        assert any("eweber" in text and "offered to nobody" in text for text in warnings), report


async def test_the_command_line_has_them():
    stage = staged()
    async with stage:
        cordctl(stage, "quick-connect", "add", "Courier", "external", "+12025550177", "Parcels")
        assert "+12025550177" in cordctl(stage, "quick-connect", "list").stdout
        cordctl(stage, "quick-connect", "attach", "Orders", "Courier")
        assert "Courier" in cordctl(stage, "quick-connect", "list", "Orders").stdout
        assert "Courier" in cordctl(stage, "agent", "endpoints", "bkhan").stdout
        rows = json.loads(cordctl(stage, "--json", "agent", "endpoints", "bkhan").stdout)
        assert rows["endpoints"][0]["type"] == "phone_number", rows
        cordctl(stage, "quick-connect", "detach", "Orders", "Courier")
        assert "Courier" not in cordctl(stage, "agent", "endpoints", "bkhan").stdout
        cordctl(stage, "quick-connect", "remove", "Courier")
        refused = cordctl(stage, "quick-connect", "remove", "Courier", check=False)
        assert refused.returncode == 1 and "no quick connect" in refused.stderr, refused
