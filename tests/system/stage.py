# SPDX-License-Identifier: Apache-2.0
"""The stage of a system scenario: both processes, an instance of its own, the ear, and the admin
socket, in the network and mount namespaces that run.py made.

    with Stage() as stage:                 # 10.77.0.1: control and phones; 10.77.0.2: media
        stage.start()
        phone = stage.phone("caller", tone=500)
        ...
        stage.expect_heard("caller", 1000, after_ms=t)

Prompts of the stage's instance are tones, so that the ear can tell who hears what:

    greeting 1000 Hz, music 600 Hz (loops), beep 1400 Hz, whisper to agents 800 Hz
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
DEFAULTS = TOP / "control" / "flow" / "defaults"

CONTROL = "10.77.0.1"
MEDIA = "10.77.0.2"
TRUNK = "10.77.0.10"
PHONES = [f"10.77.0.{n}" for n in range(11, 60)]
STRANGER = "10.77.0.99"

GREETING, MUSIC, BEEP, WHISPER = 1000, 600, 1400, 800


class Skip(Exception):
    pass


class Builds:
    def __init__(self, control, dataplane):
        self.control = control / "control" / "cordboard-control"
        self.cordctl = control / "control" / "cordctl"
        self.dataplane = dataplane / "dataplane" / "cordboard-dataplane"
        self.ear = dataplane / "tests" / "support" / "ear"


BUILDS = None


def run(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **more)


def eventually(what, condition, timeout=10.0):
    """The first true value of condition(), or an AssertionError that says what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.02)


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


class Ear:
    """Many test phones' media in one process; reports are JSON lines."""

    def __init__(self, log):
        self.process = subprocess.Popen([str(BUILDS.ear), "--stay"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1)
        self.events = []
        first = json.loads(self.process.stdout.readline())
        self.started = first

    def command(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise EOFError("the ear has ended")
            answer = json.loads(line)
            if "event" in answer:
                self.events.append(answer)
                continue
            if not answer.get("ok", True):
                raise AssertionError(f"ear: {words}: {answer}")
            return answer

    def report(self, leg):
        return self.command("report", leg)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()


def agent(user, kind, **more):
    row = {"user": user, "first_name": user[0].upper(), "last_name": user[1:].capitalize(),
           "routing_profile": "Everything", "security_profile": "Agent",
           "phone": {"kind": kind, "register": user, "password": f"secret-{user}"}}
    row.update(more)
    return row


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
    def __init__(self, workers=1, **options):
        self.workers = workers
        self.options = options
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-"))
        self.processes = {}
        self.phones = []
        self.ear = None
        self.admin = None
        self.addresses = iter(PHONES)
        self.log = open(self.directory / "log", "w+", encoding="utf-8")
        self.instance = self.default_instance()
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
                "sip": {"udp": [f"{CONTROL}:5060"], "tcp": [f"{CONTROL}:5060"]},
                "media": {"socket": str(self.directory / "dataplane.sock")},
                "store": {"directory": str(self.directory / "store")},
                "admin": {"socket": str(self.directory / "control.sock"), "drain": "1s"},
                "log": {"level": "debug"},
                "defaults": {"agent_whisper": "Tone agent whisper",
                             "customer_queue": "Tone customer queue",
                             "customer_whisper": "Tone customer whisper"},
                "trunks": [{"name": "carrier", "gateways": [{"address": f"{TRUNK}:5060"}],
                            "ping": "0s", "calls_per_second_in": 1000}],
                "number_plan": {"country_code": "1", "allow": ["+1202"],
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
            "agents": [agent("arossi", "ring"), agent("bkhan", "panel")],
            "statuses": [{"name": "Lunch"}],
            "prompts": [{"name": "greeting", "file": tone(GREETING, 600)},
                        {"name": "music", "file": tone(MUSIC, 2000)},
                        {"name": "hold-music", "file": tone(MUSIC, 2000)},
                        {"name": "beep", "file": tone(BEEP, 300)},
                        {"name": "whisper", "file": tone(WHISPER, 600)},
                        {"name": "full", "file": tone(1800, 300)}],
        }

    def write_instance(self):
        where = self.directory / "instance"
        (where / "flows").mkdir(parents=True, exist_ok=True)
        (where / "prompts").mkdir(exist_ok=True)
        for name, content in self.instance.items():
            document = content if name == "cordboard" else {name: content}
            file = where / (name.replace("_", "-") + ".yaml")
            file.write_text(json.dumps(document, indent=1), encoding="utf-8")
        for default in DEFAULTS.glob("default-*.json"):
            shutil.copy(default, where / "flows")
        for name, content in self.flows.items():
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            (where / "flows" / f"{name}.json").write_text(text, encoding="utf-8")
        return where

    # ---- life ---------------------------------------------------------------------------------

    def __enter__(self):
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, kind, error, trace):
        for phone in self.phones:
            try:
                phone.close()
            except Exception as problem:  # the stage is torn down whatever happens
                print("closing a phone:", problem)
        if self.ear:
            self.ear.close()
        failures = [f"{name}: {code}" for name, code in self.stop_all()]
        if kind is not None or failures:
            self.log.flush()
            self.log.seek(0)
            lines = self.log.read().splitlines()
            print(f"---- log of the stage, last 150 of {len(lines)} lines")
            print("\n".join(lines[-150:]))
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        if failures and kind is None:
            raise AssertionError("processes ended badly: " + ", ".join(failures))
        return False

    def stop_all(self):
        """Ends both processes with SIGTERM and yields those that did not end with 0."""
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

    def start_dataplane(self):
        command = [BUILDS.dataplane, "--media-address", f"{MEDIA}/24",
                   "--vdev", "net_tap0,iface=cb0,mac=02:63:6f:72:64:01,persist",
                   "--attach-socket", self.directory / "dataplane.sock",
                   "--file-prefix", f"cb{os.getpid()}", "--idle", "sleep",
                   "--hugepages", "no", "--workers", self.workers,
                   "--ports", 512, "--rooms", 256]
        self.processes["dataplane"] = subprocess.Popen(
            [str(c) for c in command], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        eventually("the software NIC", lambda: os.path.exists("/sys/class/net/cb0"))
        eventually("the attach socket", lambda: (self.directory / "dataplane.sock").exists())
        addresses = run("ip", "-o", "addr", "show", "dev", "cb0").stdout
        for address in [CONTROL, TRUNK, STRANGER, *PHONES]:
            if f" {address}/" not in addresses:
                run("ip", "addr", "add", f"{address}/24", "dev", "cb0")
        run("ip", "link", "set", "cb0", "up", "txqueuelen", "10000")

    def start_control(self):
        where = self.write_instance()
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=0",
                           UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
        command = [BUILDS.control, "--instance", where]
        for name, value in self.options.items():
            command += ["--set", f"{name.replace('__', '.')}={value}"]
        self.processes["control"] = subprocess.Popen(
            [str(c) for c in command], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
            env=environment)
        if self.admin:
            self.admin.close()
        self.admin = eventually("the admin socket", self.connect, 15)
        eventually("the dataplane to be attached", lambda: self.status()["dataplane"]["state"] == "up")

    def connect(self):
        if self.processes["control"].poll() is not None:
            raise AssertionError("control has ended")
        try:
            return Admin(self.directory / "control.sock")
        except OSError:
            return None

    def start(self):
        self.start_dataplane()
        self.start_control()
        self.ear = Ear(self.log)

    def kill(self, name):
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    # ---- questions ----------------------------------------------------------------------------

    def call(self, method, **params):
        return self.admin.call(method, **params)

    def status(self):
        return self.call("status")

    def contacts(self):
        return self.call("contact.list")["contacts"]

    def records(self, at_least=1):
        """Complete records, oldest first."""
        def enough():
            rows = self.call("record.list", since=0, limit=1000)["records"]
            return rows if len(rows) >= at_least else None
        return eventually(f"{at_least} complete records", enough)

    def now_ms(self):
        """The ear's clock."""
        return int(time.monotonic() * 1000) - self.ear.started.get("monotonic_ms", 0)
