# SPDX-License-Identifier: Apache-2.0
"""The stage of a system scenario: both processes, an instance of its own, the ear, and the admin
socket, in the network and mount namespaces that run.py made.

    async with Stage() as stage:           # 10.77.0.1: control; 10.77.0.2: media
        caller = await stage.caller()      # a phone behind the trunk, tone of its own
        agent = await stage.agent("arossi")
        call = await stage.dial(caller)
        ...

Prompts of the stage's instance are tones, so that the ear can tell who hears what:

    greeting 1000 Hz, music 600 Hz (loops), beep 1400 Hz, whisper to agents 800 Hz
"""
import asyncio
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import sipua

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
DEFAULTS = TOP / "control" / "flow" / "defaults"

CONTROL = "10.77.0.1"
MEDIA = "10.77.0.2"
TRUNK = "10.77.0.10"
PHONES = [f"10.77.0.{n}" for n in range(11, 60)]
STRANGER = "10.77.0.99"
# The same at IPv6, of a stage with ipv6=True: the last number is the same.
NETWORK6 = "fd77::"
CONTROL6, MEDIA6, TRUNK6 = (NETWORK6 + n for n in ("1", "2", "10"))

GREETING, MUSIC, BEEP, WHISPER, FULL = 1000, 600, 1400, 800, 1800
TONES = [450, 700, 900, 1100, 1200, 1300, 1500, 1600, 1700, 1900, 500, 550, 650, 750, 850, 950]
NUMBER = "+12025550100"


def alone(scenario):
    """A scenario that takes the machine's whole power: run.py runs it when all others are done."""
    return scenario


class Skip(Exception):
    pass


class Builds:
    def __init__(self, control, dataplane):
        self.control = control / "control" / "cordboard-control"
        self.cordctl = control / "control" / "cordctl"
        self.dataplane = dataplane / "dataplane" / "cordboard-dataplane"
        self.ear = dataplane / "tests" / "support" / "ear"
        self.flood = dataplane / "tests" / "support" / "flood"


BUILDS = None


def run(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **more)


async def eventually(what, condition, timeout=10.0):
    """The first true value of condition(), or an AssertionError that says what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        await asyncio.sleep(0.02)


class Refused(Exception):
    """An error of the admin socket."""

    def __init__(self, error):
        super().__init__(error.get("message"))
        self.error = error


class Admin:
    """One connection to the admin socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.rest = b""
        self.next_id = 1
        self.notifications = []

    def read(self):
        while b"\n" not in self.rest:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError("the admin socket was closed")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def call(self, method, **params):
        wanted = self.next_id
        self.next_id += 1
        request = {"jsonrpc": "2.0", "id": wanted, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self.read()
            if answer.get("id") != wanted:
                self.notifications.append(answer)
                continue
            if "error" in answer:
                raise Refused(answer["error"])
            return answer["result"]

    def close(self):
        self.socket.close()


def user(name, kind, **more):
    row = {"user": name, "first_name": name[0].upper(), "last_name": name[1:].capitalize(),
           "routing_profile": "Everything", "security_profile": "Agent",
           "phone": {"kind": kind, "register": name, "password": f"secret-{name}"}}
    row.update(more)
    return row


def six(address):
    """The IPv6 address beside an IPv4 one of the stage."""
    return NETWORK6 + address.split(".")[3]


def control_for(address):
    return CONTROL6 if ":" in address else CONTROL


def trunk(name, gateway):
    return {"name": name, "gateways": [{"address": gateway}], "ping": "0s",
            "calls_per_second_in": 1000}


def tone(hz, ms):
    return f"tone:{hz}:{ms}ms"


def flow(name, kind, start, *actions):
    return {"Version": "2019-10-30", "StartAction": start,
            "Metadata": {"name": name, "type": kind, "status": "published"},
            "Actions": list(actions)}


def action(identifier, kind, parameters=None, then=None, errors=None, conditions=None):
    transitions = {}
    if then:
        transitions["NextAction"] = then
    if errors:
        transitions["Errors"] = [{"ErrorType": e, "NextAction": n} for e, n in errors.items()]
    if conditions:
        transitions["Conditions"] = [
            {"NextAction": n, "Condition": {"Operator": "Equals", "Operands": [v]}}
            for v, n in conditions.items()]
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters or {},
            "Transitions": transitions}


def play(identifier, prompt, then):
    return action(identifier, "MessageParticipant", {"PromptId": prompt}, then,
                  {"NoMatchingError": then})


def queue_flow(name, queue, greeting="greeting"):
    """An inbound flow: a prompt, then the queue; at capacity it says so and hangs up."""
    return flow(name, "contactFlow", "Greet",
                play("Greet", greeting, "Queue"),
                action("Queue", "UpdateContactTargetQueue", {"QueueId": queue}, "Transfer",
                       {"NoMatchingError": "End"}),
                action("Transfer", "TransferContactToQueue", None, "Full",
                       {"QueueAtCapacity": "Full", "NoMatchingError": "End"}),
                play("Full", "full", "End"),
                action("End", "DisconnectParticipant"))


class Stage:
    VDEV = "net_tap0,iface=cb0,mac=02:63:6f:72:64:01,persist"
    media = [MEDIA]  # addresses; each has `ports` of them

    def __init__(self, workers=1, ports=512, rooms=256, ipv6=False, **options):
        self.workers, self.ports, self.rooms, self.ipv6 = workers, ports, rooms, ipv6
        self.options = options
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-"))
        self.processes = {}
        self.phones = []
        self.tones = iter(TONES)
        self.ear = None
        self.admin = None
        self.addresses = iter(PHONES)
        self.log = open(self.directory / "log", "w+", encoding="utf-8")
        self.instance = self.default_instance()
        self.files = {}  # others of the instance: name and content
        self.flows = {
            "main": queue_flow("Main", "Orders"),
            "whisper": flow("Tone agent whisper", "agentWhisper", "Tone",
                            play("Tone", "whisper", "End"), action("End", "EndFlowExecution")),
            "waiting": flow("Tone customer queue", "customerQueue", "Music",
                            action("Music", "MessageParticipantIteratively",
                                   {"Messages": [{"PromptId": "music"}]})),
            "customer": flow("Tone customer whisper", "customerWhisper", "Beep",
                             play("Beep", "beep", "End"), action("End", "EndFlowExecution")),
        }

    # ---- the instance -------------------------------------------------------------------------

    def default_instance(self):
        return {
            "cordboard": {
                "sip": {kind: [f"{CONTROL}:5060"] + ([f"[{CONTROL6}]:5060"] if self.ipv6 else [])
                        for kind in ("udp", "tcp")},
                "media": {"socket": str(self.directory / "dataplane.sock")},
                # the cores are others' as well, and who is held up looks busy
                "admission": {"busy_percent": 0, "sip_wait": "0s"},
                "store": {"directory": str(self.directory / "store")},
                "admin": {"socket": str(self.directory / "control.sock"), "drain": "1s"},
                "log": {"level": "debug"},
                "defaults": {"agent_whisper": "Tone agent whisper",
                             "customer_queue": "Tone customer queue",
                             "customer_whisper": "Tone customer whisper"},
                "trunks": [trunk("carrier", f"{TRUNK}:5060")] + (
                    [trunk("carrier6", f"[{TRUNK6}]:5060")] if self.ipv6 else []),
                "number_plan": {"country_code": "1", "bare_numbers": "national", "allow": ["+1202"],
                                "routes": [{"prefix": "+1", "trunks": ["carrier"]}]},
                "numbers": [{"number": "+12025550100", "flow": "Main"}],
            },
            "queues": [{"name": "Orders", "hours": "Always"},
                       {"name": "Returns", "hours": "Always", "max_contacts": 1}],
            "hours": [{"name": "Always", "time_zone": "UTC",
                       "week": {day: ["00:00-24:00"] for day in
                                ("monday", "tuesday", "wednesday", "thursday", "friday",
                                 "saturday", "sunday")}}],
            "routing_profiles": [{"name": "Everything", "default_outbound_queue": "Orders",
                                  "queues": [{"queue": "Orders", "priority": 1},
                                             {"queue": "Returns", "priority": 1}]}],
            "agents": [user("arossi", "ring"), user("bkhan", "panel")],
            "statuses": [{"name": "Lunch"}],
            "prompts": [{"name": "greeting", "file": tone(GREETING, 600)},
                        {"name": "music", "file": tone(MUSIC, 2000)},
                        {"name": "hold-music", "file": tone(MUSIC, 2000)},
                        {"name": "beep", "file": tone(BEEP, 300)},
                        {"name": "whisper", "file": tone(WHISPER, 600)},
                        {"name": "full", "file": tone(FULL, 300)}],
        }

    def write_instance(self):
        where = self.directory / "instance"
        (where / "flows").mkdir(parents=True, exist_ok=True)
        (where / "prompts").mkdir(exist_ok=True)
        for name, content in self.instance.items():
            document = content if name == "cordboard" else {name: content}
            file = where / (name.replace("_", "-") + ".yaml")
            file.write_text(json.dumps(document, indent=1), encoding="utf-8")
        for name, content in self.files.items():
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            (where / name).write_text(text, encoding="utf-8")
        for default in DEFAULTS.glob("default-*.json"):
            shutil.copy(default, where / "flows")
        for name, content in self.flows.items():
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            (where / "flows" / f"{name}.json").write_text(text, encoding="utf-8")
        return where

    # ---- life ---------------------------------------------------------------------------------

    async def __aenter__(self):
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        run("ip", "link", "set", "lo", "up")
        try:
            await self.start_dataplane()
            await self.start_control()
            self.ear = await sipua.Ear(str(BUILDS.ear), "--stay").__aenter__()
        except BaseException as problem:
            await self.__aexit__(type(problem), problem, None)
            raise
        return self

    async def __aexit__(self, kind, error, trace):
        for phone in self.phones:
            await phone.close()
        if self.ear:
            await self.ear.stop()
        failures = [f"{name}: {code}" for name, code in self.stop_all()]
        if kind is not None or failures:
            self.log.flush()
            self.log.seek(0)
            lines = self.log.read().splitlines()
            print(f"---- log of the stage, last 200 of {len(lines)} lines")
            print("\n".join(lines[-200:]))
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        if failures and kind is None:
            raise AssertionError("processes ended badly: " + ", ".join(failures))
        return False

    def stop_all(self):
        """Ends both processes with SIGTERM and yields those that did not end with 0."""
        if self.admin:
            self.admin.close()
        for name in ("control", "dataplane"):
            process = self.processes.pop(name, None)
            if not process:
                continue
            process.terminate()
            try:
                code = process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                code = "did not end within 15 s"
            if code != 0:
                yield name, code

    async def start_dataplane(self):
        media = ",".join([f"{ip}/24" for ip in self.media] + [f"{MEDIA6}/64"] * self.ipv6)
        command = [BUILDS.dataplane, "--media-address", media,
                   "--vdev", self.VDEV,
                   "--attach-socket", self.directory / "dataplane.sock",
                   "--file-prefix", f"cb{os.getpid()}", "--idle", "sleep",
                   "--hugepages", "no", "--workers", self.workers,
                   "--ports", self.ports, "--rooms", self.rooms]
        self.processes["dataplane"] = subprocess.Popen(
            [str(c) for c in command], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        await eventually("the software NIC", lambda: self.has_ended("dataplane") or any(
            name == "cb0" for _, name in socket.if_nameindex()))
        addresses = run("ip", "-o", "addr", "show", "dev", "cb0").stdout
        for address in [CONTROL, TRUNK, STRANGER, *PHONES]:
            if f" {address}/" not in addresses:
                run("ip", "addr", "add", f"{address}/24", "dev", "cb0")
            if self.ipv6 and f" {six(address)}/" not in addresses:
                run("ip", "addr", "add", f"{six(address)}/64", "dev", "cb0", "nodad")
        run("ip", "link", "set", "cb0", "up", "txqueuelen", "10000")

    def has_ended(self, name):
        code = self.processes[name].poll()
        if code is not None:
            raise AssertionError(f"{name} has ended with {code}")
        return False

    async def start_control(self):
        where = self.write_instance()
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1",
                           UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
        command = [BUILDS.control, "--instance", where]
        for name, value in self.options.items():
            command += ["--set", f"{name.replace('__', '.')}={value}"]
        self.processes["control"] = subprocess.Popen(
            [str(c) for c in command], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
            env=environment)
        if self.admin:
            self.admin.close()
        self.admin = await eventually("the admin socket", self.connect, 20)
        await eventually("the dataplane to be attached",
                         lambda: self.status()["dataplane"]["state"] == "up")

    def connect(self):
        self.has_ended("control")
        try:
            admin = Admin(self.directory / "control.sock")
            # the kernel may still hold the socket of a control that was killed
            admin.call("ping")
            return admin
        except (OSError, EOFError):
            return None

    def kill(self, name):
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    # ---- parties ------------------------------------------------------------------------------

    async def phone(self, user, ip, **more):
        more.setdefault("tone", next(self.tones))
        phone = await sipua.Phone(user, ip, ear=self.ear, **more).open()
        self.phones.append(phone)
        return phone

    async def caller(self, number="+12025550199", ip=TRUNK, **more):
        """A caller behind the trunk."""
        return await self.phone(number, ip, registrar=(control_for(ip), 5060), **more)

    async def dial(self, caller, number=NUMBER, **more):
        return await caller.call(f"sip:{number}@{sipua.host_of(caller.registrar[0])}", **more)

    async def agent(self, name, status="Available", ipv6=False, **more):
        """An agent's phone, registered, and the agent logged in (status None: not)."""
        ip = six(next(self.addresses)) if ipv6 else next(self.addresses)
        phone = await self.phone(name, ip, registrar=(control_for(ip), 5060),
                                 password=f"secret-{name}", **more)
        assert await phone.register() == 200
        if status:
            self.call("agent.login", agent=name, status=status)
        return phone

    # ---- questions ----------------------------------------------------------------------------

    def call(self, method, **params):
        return self.admin.call(method, **params)

    def status(self):
        return self.call("status")

    def counters(self):
        return self.call("dataplane.stats")["sum"]

    def contacts(self):
        return self.call("contact.list")["contacts"]

    def states(self):
        return sorted(c["state"] for c in self.contacts())

    async def until_states(self, *states, timeout=10.0):
        """Waits until the contacts are in exactly these states."""
        await eventually(f"contacts in {states}", lambda: self.states() == sorted(states), timeout)

    def queue(self, name):
        """A queue's wallboard."""
        return self.call("queue.metrics", queue=name)["queues"][0]

    def agent_state(self, name):
        return self.call("agent.get", agent=name)["state"]

    async def until_agent(self, name, state, timeout=10.0):
        await eventually(f"{name} to be {state}", lambda: self.agent_state(name) == state, timeout)

    async def records(self, at_least=1, timeout=10.0):
        """Complete records, in the order in which they were completed."""
        def enough():
            rows = self.call("record.list", since=0, limit=1000)["records"]
            return rows if len(rows) >= at_least else None
        return await eventually(f"{at_least} complete records", enough, timeout)
