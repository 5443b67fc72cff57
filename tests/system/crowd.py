# SPDX-License-Identifier: Apache-2.0
"""Load by SIPp: callers who wait to be hung up, agents' phones that accept and hang up after a while,
and a hand that clears after-contact work at once. Used by the load scenario and by the bench."""
import asyncio
import pathlib

import stage
from stage import CONTROL, NUMBER, PHONES, TRUNK, action, eventually, flow, play, tone, user

SCENARIOS = pathlib.Path(__file__).resolve().parent / "sipp"
WHISPER_MS, BEEP_MS, GREETING_MS = 200, 100, 200


def repeats_of(statistics):
    """How many messages SIPp repeated, of its file of statistics."""
    head, *rows = statistics.read_text(encoding="utf-8").splitlines()
    return int(rows[-1].split(";")[head.split(";").index("Retransmissions(C)")])


class Sipp:
    """A SIPp process; its output goes to a file of the stage."""

    def __init__(self, crowd, name, ip, *words):
        self.out = crowd.directory / f"{name}.out"
        self.words = ["sipp", "-sf", str(SCENARIOS / f"{name}.xml"), "-i", ip, "-p", "5060", "-mi", ip,
                      "-nostdin", "-trace_err", "-error_file", str(crowd.directory / f"{name}.errors"),
                      "-buff_size", str(4 << 20), *(str(w) for w in words)]
        self.process = None

    async def __aenter__(self):
        with open(self.out, "wb") as out:
            self.process = await asyncio.create_subprocess_exec(
                *self.words, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=self.out.parent)
        return self

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def tail(self):
        texts = []
        for file in (self.out, self.out.with_suffix(".errors")):
            if file.exists():
                texts += file.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
        return "\n".join(texts)


class Crowd(stage.Stage):
    """A stage with many agents whose phones are one SIPp, and short prompts."""

    def __init__(self, agents=120, talk_ms=1000, acw_s=0, ports=4096, rooms=2048, **options):
        super().__init__(ports=ports, rooms=rooms, **options)
        self.sipp_repeats = 0  # messages that the callers of the last run repeated
        self.agents, self.talk_ms = [f"agent{n:04}" for n in range(agents)], talk_ms
        self.instance["agents"] = [
            user(name, "ring", after_contact_seconds=acw_s, phone={"kind": "ring", "address": f"sip:{name}@{PHONES[0]}:5060"})
            for name in self.agents]
        self.instance["cordboard"]["trunks"][0]["channels"] = 10000
        self.instance["cordboard"]["log"]["level"] = "warning"
        lengths = {"greeting": (1000, GREETING_MS), "beep": (1400, BEEP_MS), "whisper": (800, WHISPER_MS)}
        for prompt in self.instance["prompts"]:
            if prompt["name"] in lengths:
                prompt["file"] = tone(*lengths[prompt["name"]])
        # answered, and hung up by the flow: a plain call
        self.instance["cordboard"]["numbers"].append({"number": "+12025550101", "flow": "Plain"})
        self.flows["plain"] = flow("Plain", "contactFlow", "Greet", play("Greet", "greeting", "End"),
                                   action("End", "DisconnectParticipant"))

    async def __aenter__(self):
        await super().__aenter__()
        for name in self.agents:
            self.call("agent.login", agent=name, status="Available")
        return self

    def agents_phones(self):
        return Sipp(self, "agent", PHONES[0], "-d", WHISPER_MS + BEEP_MS + self.talk_ms)

    async def callers(self, calls, rate, number=NUMBER, clear=True):
        """So many calls a second until so many were made; True when every one ended well."""
        words = [f"{CONTROL}:5060", "-s", number, "-r", rate, "-m", calls, "-l", max(2000, 20 * rate),
                 "-trace_stat", "-stf", self.directory / "caller.csv"]
        async with Sipp(self, "caller", TRUNK, *words) as sipp:
            clearing = asyncio.create_task(self.clear_work()) if clear else None
            try:
                code = await asyncio.wait_for(sipp.process.wait(), calls / rate + 60)
            finally:
                if clearing:
                    clearing.cancel()
            if code:
                print(sipp.tail())
        self.sipp_repeats = repeats_of(self.directory / "caller.csv")
        return code == 0

    async def clear_work(self):
        while True:
            for agent in self.call("agent.list", limit=1000)["agents"]:
                if agent["state"] == "AfterCallWork":
                    self.call("agent.clear", agent=agent["name"])
            await asyncio.sleep(0.1)

    def all_records(self):
        found, since, more = [], 0, True
        while more:
            page = self.call("record.list", since=since, oldest=True, limit=100)
            found += page["records"]
            since, more = page["last"], page["more"]
        return found

    def in_use(self):
        """What should be zero when nobody calls."""
        status = self.status()
        plane = status["dataplane"]
        return {"contacts": status["contacts"]["used"], "legs": status["contacts"]["legs"],
                "routed": status["routed_contacts"], "sessions": status["sip"]["sessions"]["used"],
                "ports": plane["ports"]["used"], "rooms": plane["rooms"]["used"],
                "media legs": plane["legs"], "commands": plane["commands_waiting"]}

    async def until_idle(self, clear=True):
        """Nothing in use, work cleared."""
        clearing = asyncio.create_task(self.clear_work()) if clear else None
        try:
            await eventually("everything to be free", lambda: not any(self.in_use().values()), 20)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.in_use()}") from None
        finally:
            if clearing:
                clearing.cancel()

    # ---- the processes ------------------------------------------------------------------------

    def resident_kb(self, name):
        text = pathlib.Path(f"/proc/{self.processes[name].pid}/status").read_text(encoding="ascii")
        return int(text.split("VmRSS:")[1].split()[0])

    def cpu_seconds(self, name):
        """Of all threads that live."""
        tasks = pathlib.Path(f"/proc/{self.processes[name].pid}/task")
        return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0])
                   for task in tasks.iterdir()) / 1e9
