# SPDX-License-Identifier: Apache-2.0
"""The main job while 500 legs in three-party conferences talk through the same software NIC: callers,
agents' phones and outside numbers are `callgen` of ../shared, the conferences are made by the agents'
verbs, and the scenarios of the main job run as they are, on the same instance, with their bounds on gaps.
"""
import asyncio
import contextlib
import json
import os
import pathlib
import subprocess

import board
import main_job
import stage
from stage import CONTROL, PHONES, TOP, Skip, Stage, alone, eventually, queue_flow, trunk, user

SOURCE = pathlib.Path(os.environ.get("CORDBOARD_SHARED", TOP.parent / "shared")) / "callgen" / "callgen.c"
CROWD = PHONES[-1]  # all parties of the load
NUMBER, FAR = "+12025550190", "+12027770001"
CONFERENCES = 175
LEGS, LEGS_LEAST = 3 * CONFERENCES, 500
WARM_UP_S, WINDOW_S = 2, 25  # longer than the scenarios take
BESIDE = ("R55_inbound_whispers_one_after_the_other_then_joined", "R68_a_whisper_is_heard_by_one_alone",
          "test_panel_phone", "test_the_caller_holds_and_resumes")


class Guest:
    """The stage for one scenario of many on it: phones of its own, and the load is not seen."""

    def __init__(self, host, agents):
        self.host, self.agents = host, agents

    def __getattr__(self, name):
        return getattr(self.host, name)

    def contacts(self):
        return [c for c in self.host.contacts() if c["id"] not in self.host.crowd]

    def states(self):
        return sorted(c["state"] for c in self.contacts())

    async def __aenter__(self):
        self.host.addresses, self.host.tones = iter(PHONES[:-1]), iter(stage.TONES)
        return self

    async def __aexit__(self, *_):
        for phone in self.host.phones:
            await phone.close()
        self.host.phones.clear()
        for agent in self.agents:
            with contextlib.suppress(stage.Refused):
                self.call("agent.logout", agent=agent)
            with contextlib.suppress(stage.Refused):
                self.call("agent.clear", agent=agent)
        await eventually("the scenario's contacts to end", lambda: not self.contacts())


def loaded_stage():
    here = Stage(ports=2048, rooms=1024)
    plane = here.instance["cordboard"]
    plane["log"]["level"] = "warning"
    plane["trunks"].append({**trunk("crowd", f"{CROWD}:5060"), "channels": 2000})
    plane["number_plan"]["routes"].append({"prefix": "+1202777", "trunks": ["crowd"]})
    plane["numbers"].append({"number": NUMBER, "flow": "Crowd"})
    here.instance["queues"].append({"name": "Crowd", "hours": "Always", "max_contacts": 1000})
    here.instance["routing_profiles"].append({
        "name": "Crowd", "default_outbound_queue": "Orders", "queues": [{"queue": "Crowd", "priority": 1}]})
    here.instance["agents"] += [
        user(f"crowd{n:03}", "ring", routing_profile="Crowd",
             phone={"kind": "ring", "address": f"sip:crowd{n:03}@{CROWD}:5060"}) for n in range(CONFERENCES)]
    here.flows["crowd"] = queue_flow("Crowd", "Crowd", greeting="beep")
    return here


async def confer(here, agents):
    """Each of them calls an outside number and joins it; when the last was called."""
    for agent in agents:
        await here.until_agent(agent, "Busy", 60)
        here.call("contact.transfer", agent=agent, number=FAR)
    called = asyncio.get_running_loop().time()
    for agent in agents:
        await eventually(f"{agent}'s third party", lambda: "Connected" in [
            c["banner"] for c in board.panel(here, agent)["connections"] if c["role"] == "outside"], 30)
        here.call("contact.join", agent=agent)
    return called


@contextlib.asynccontextmanager
async def conferences(here):
    """All of them talk when this is entered; leaves what was heard in here.heard."""
    program = here.directory / "callgen"
    stage.run("cc", "-O2", "-o", program, SOURCE, "-lm")
    words = [program, "-t", f"{CONTROL}:5060", "-l", f"{CROWD}:5060", "-n", CONFERENCES, "-c", 2 * CONFERENCES,
             "-u", NUMBER, "-U", "+12025550191", "-r", 50, "-w", WARM_UP_S, "-s", WINDOW_S, "--setup-max", 90]
    crowd = [f"crowd{n:03}" for n in range(CONFERENCES)]
    for agent in crowd:
        here.call("agent.login", agent=agent, status="Available")
    load = await asyncio.create_subprocess_exec(
        *(str(w) for w in words), stdout=asyncio.subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        called = await confer(here, crowd)
        here.crowd = {c["id"] for c in here.contacts()}
        over = asyncio.get_running_loop().time() + WARM_UP_S + WINDOW_S + 1
        yield
        # callgen begins to count when all are up
        assert asyncio.get_running_loop().time() < called + WARM_UP_S + WINDOW_S, "the load ended before the scenarios"
        await asyncio.sleep(over - asyncio.get_running_loop().time())
        for agent in crowd:  # the other two stay together until the caller hangs up
            here.call("contact.leave", agent=agent)
        heard, _ = await asyncio.wait_for(load.communicate(), WINDOW_S + 60)
        here.heard = json.loads(heard)
    finally:
        if load.returncode is None:
            load.kill()
            await load.wait()


class Packets:
    """What the dataplane receives and sends while this is entered, in legs that talk and hear without a break."""

    def __init__(self, here):
        self.here = here

    def now(self):
        counters = self.here.counters()
        return asyncio.get_running_loop().time(), counters["rx_media"], counters["tx_media"]

    async def __aenter__(self):
        self.before = self.now()
        return self

    async def __aexit__(self, *_):
        seconds, *packets = (after - before for before, after in zip(self.before, self.now()))
        self.talking, self.hearing = (count / seconds / 50 for count in packets)


def check_load(heard, packets):
    """That the scenarios ran beside as many legs as the name says, each of which talked and heard."""
    assert LEGS >= LEGS_LEAST and heard["up"] == LEGS and heard["failed"] == 0, heard
    assert min(packets.talking, packets.hearing) >= LEGS_LEAST, (packets.talking, packets.hearing)
    assert heard["silent"] == 0 and heard["hear_ok"] >= LEGS * (WINDOW_S - 2), heard
    assert min(heard["sent"], heard["recv"]) >= LEGS_LEAST * 50 * WINDOW_S, heard


@alone
async def test_the_main_job_beside_500_legs_in_conferences():
    if not SOURCE.exists():
        raise Skip(f"{SOURCE} is not there")
    # a sanitizer's speed says nothing about ours
    stage.BUILDS.control = stage.BUILDS.dataplane.parent.parent / "control" / "cordboard-control"
    here = loaded_stage()
    agents = [row["user"] for row in here.instance["agents"][:2]]
    async with here:
        async with conferences(here):
            main_job.Stage = lambda: Guest(here, agents)
            async with Packets(here) as packets:
                for name in BESIDE:
                    await getattr(main_job, name)()
        heard = here.heard
        check_load(heard, packets)
        print({key: heard[key] for key in ("bad_pct", "hear_ok", "hear_bad", "sent", "gen_max_lag_ms")})
        assert heard["hear_bad"] == 0, heard
        assert heard["bad_pct"] < 1, heard
