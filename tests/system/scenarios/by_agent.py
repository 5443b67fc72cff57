# SPDX-License-Identifier: Apache-2.0
"""Sending a caller to one particular agent (R91 to R97)."""
import asyncio
import subprocess

from moving import NUMBERS, add_number
from stage import BUILDS, MUSIC, Stage, action, flow, play, user
from told import Watcher


def by_agent(name, agent, value=None):
    """To the queue of an agent: fixed, or by an attribute that the flow sets to `value`."""
    return flow(name, "contactFlow", "Set" if value else "Agent",
                action("Set", "UpdateContactAttributes", {"Attributes": {"to": value or ""}}, "Agent",
                       {"NoMatchingError": "Wrong"}),
                action("Agent", "UpdateContactTargetQueue", {"AgentId": agent}, "Transfer",
                       {"NoMatchingError": "Wrong"}),
                action("Transfer", "TransferContactToQueue", None, "Wrong",
                       {"QueueAtCapacity": "Wrong", "NoMatchingError": "Wrong"}),
                play("Wrong", "full", "End"), action("End", "DisconnectParticipant"))


async def reaches(stage, phone, number, caller):
    """The call rings at this agent's phone alone, through the agent's own queue."""
    call = await stage.dial(await stage.caller(number=caller), number=number)
    leg = await phone.incoming()
    assert all(other.waiting.empty() for other in stage.phones if other is not phone)
    await leg.answer()
    await call.hears(phone.tone)
    await call.hang_up()
    await leg.ended()
    await stage.until_agent(phone.user, "AfterCallWork")
    stage.call("agent.clear", agent=phone.user)


async def R96_users_are_listed_in_the_documented_shape():
    stage = Stage()
    stage.instance["agents"][0]["id"] = "b7e1c2d4-11aa-4f0e-8a3c-9d2e5f607182"
    async with stage:
        listed = stage.call("user.list")["UserSummaryList"]
        assert [set(row) for row in listed] == [{"Id", "Arn", "Username"}] * 2
        assert listed[0] == {
            "Id": "b7e1c2d4-11aa-4f0e-8a3c-9d2e5f607182",
            "Arn": "arn:aws:connect:eu-central-1:111122223333:instance/"
                   "3f0c2a6e-7b1d-4e58-9a27-5c61d0b8e914/agent/b7e1c2d4-11aa-4f0e-8a3c-9d2e5f607182",
            "Username": "arossi"}
        assert listed[1]["Username"] == "bkhan"
        assert listed[1]["Arn"].endswith("/agent/" + listed[1]["Id"]), listed


async def R97_an_id_from_the_list_or_from_an_event_reaches_that_agent():
    """The ids are those that cordboard made up: nobody wrote them into a file."""
    stage = Stage()
    stage.instance["agents"] = [user("arossi", "ring"), user("bkhan", "ring")]
    async with stage:
        watcher = Watcher(stage, topics=["agent"])
        await stage.agent("arossi")
        phone = await stage.agent("bkhan")
        listed = {row["Username"]: row["Id"] for row in stage.call("user.list")["UserSummaryList"]}
        told = (await watcher.until("agent", "the login", lambda e: "bkhan" == e[
            "CurrentAgentSnapshot"]["Configuration"]["Username"]))["AgentARN"].split("agent/")[1]
        assert told == listed["bkhan"] != listed["arossi"]
        add_number(stage, 1, by_agent("From the list", "$.Attributes.to", listed["bkhan"]))
        add_number(stage, 2, by_agent("From the event", "$.Attributes.to", told))
        stage.write_instance()
        assert stage.call("reload")["loaded"]
        await reaches(stage, phone, NUMBERS[1], "+12025550191")
        await reaches(stage, phone, NUMBERS[2], "+12025550192")


async def R93_a_fixed_agent_is_a_name_an_id_or_an_arn():
    stage = Stage()
    stage.instance["agents"] = [user("arossi", "ring"), user("bkhan", "ring", id="u-khan")]
    arn = ("arn:aws:connect:eu-central-1:111122223333:instance/"
           "3f0c2a6e-7b1d-4e58-9a27-5c61d0b8e914/agent/u-khan")
    fixed = {1: "bkhan", 2: "u-khan", 3: arn}
    for n, agent in fixed.items():
        add_number(stage, n, by_agent(f"Fixed {n}", agent))
    async with stage:
        await stage.agent("arossi")
        phone = await stage.agent("bkhan")
        for n in fixed:
            await reaches(stage, phone, NUMBERS[n], f"+1202555019{n}")


async def R95_a_user_who_may_not_take_calls_is_never_offered_one():
    """The queue is there (R94), the caller waits in it, and `check` has warned."""
    stage = Stage()
    stage.instance["agents"].append(user("eweber", "ring", security_profile="QualityAnalyst"))
    add_number(stage, 1, by_agent("To the analyst", "eweber"))
    add_number(stage, 2, by_agent("By name", "$.Attributes.to", "eweber"))
    async with stage:
        phone = await stage.agent("eweber")
        other = await stage.agent("arossi")
        row = stage.call("agent.get", agent="eweber")
        assert row["state"] == "Available" and not row["routable"]
        assert "security profile" in row["not_routable_because"]
        calls = [await stage.dial(await stage.caller(number=f"+1202555019{n}"), number=NUMBERS[n])
                 for n in (1, 2)]
        for call in calls:
            await call.hears(MUSIC)
        await asyncio.sleep(2)
        assert phone.waiting.empty() and other.waiting.empty()
        assert stage.states() == ["queued", "queued"]
        assert stage.agent_state("eweber") == "Available"
        for call in calls:
            await call.hang_up()
        done = subprocess.run([str(BUILDS.control), "--instance", str(stage.directory / "instance"),
                               "--check"], capture_output=True, text=True, timeout=20, check=False)
        warned = [line for line in done.stdout.splitlines()
                  if line.startswith("warning") and "eweber" in line]
        assert done.returncode == 0, done.stdout
        assert len(warned) == 1 and "number-1.json: action 'Agent'" in warned[0], warned
