# SPDX-License-Identifier: Apache-2.0
"""A scriptable SIP test phone with ears, for scenarios in which SIPp is clumsy.

    async with Ear("build/tests/support/ear") as ear:
        alice = await Phone("alice", "10.0.0.2", ear=ear, tone=700).open()
        bob = await Phone("bob", "10.0.0.3", ear=ear, tone=1100, password="secret",
                          registrar=("10.0.0.1", 5060)).open()
        await bob.register()
        call = await alice.call("sip:+4930123@10.0.0.1")
        other = await bob.incoming()                 # waits for an INVITE
        await other.ring(); await other.answer()
        await call.answered()                        # or .final() for the status code
        await call.hears(1100); await other.hears(700)
        await call.hold(); await call.resume(); await call.digits("12#")
        await call.refer("+4930999")                 # 202; replaces=other call: attended
        await call.referred()                        # the status that the last NOTIFY brought
        await call.hang_up(); await other.ended()
        report = await call.report()                 # what the leg heard, see `ear --help`

A phone answers by itself when given auto="answer", "ring", "reject" (with code=486) or "ignore".
Its codecs are names of CODECS, best first; srtp is "off", "optional" (keys in RTP/AVP, RFC 8643) or
"required" (RTP/SAVP), with keys of its suites (RFC 4568). An IPv6 address as its ip makes it a phone
on IPv6. To a re-INVITE with new keys it answers with new ones, unless rekeys is False. What was agreed on is call.codec, call.remote_sdp and call.security.
Everything that waits takes a timeout in seconds and raises Failed, with the ladder of the messages
so far. All lines of a ladder and all times are of the monotonic clock, as the ear's.
"""

import asyncio
import base64
import hashlib
import json
import os
import re
import time
import urllib.parse

T1 = 0.5
TIMEOUT = 10.0
CODECS = {"pcmu": (0, "PCMU/8000"), "pcma": (8, "PCMA/8000"), "g722": (9, "G722/8000"),
          "opus": (96, "opus/48000/2")}
STATIC = {0: "pcmu", 8: "pcma", 9: "g722"}
SUITES = {"AES_CM_128_HMAC_SHA1_80": 30, "AES_CM_128_HMAC_SHA1_32": 30, "AES_256_CM_HMAC_SHA1_80": 46,
          "AES_256_CM_HMAC_SHA1_32": 46, "AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44}
REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 404: "Not Found",
           405: "Method Not Allowed", 480: "Temporarily Unavailable", 481: "No Such Dialog",
           486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 603: "Decline"}
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
           "c": "content-type", "e": "content-encoding", "k": "supported", "s": "subject"}


class Failed(AssertionError):
    """What was waited for did not happen."""


def token():
    return os.urandom(6).hex()


# ---- messages ----------------------------------------------------------------------------------


class Message:
    """A request (method, uri) or a response (status, reason) with headers in order."""

    def __init__(self, method=None, uri=None, status=None, reason="", headers=(), body=""):
        self.method, self.uri, self.status, self.reason = method, uri, status, reason
        self.headers = list(headers)
        self.body = body

    @classmethod
    def parse(cls, data):
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        first = lines[0].split(" ", 2)
        message = cls(body=body)
        if first[0] == "SIP/2.0":
            message.status, message.reason = int(first[1]), first[2] if len(first) > 2 else ""
        else:
            message.method, message.uri = first[0], first[1]
        for line in lines[1:]:
            name, _, value = line.partition(":")
            message.headers.append((name.strip(), value.strip()))
        return message

    def all(self, name):
        wanted = name.lower()
        return [v for n, v in self.headers if COMPACT.get(n.lower(), n.lower()) == wanted]

    def get(self, name, default=""):
        found = self.all(name)
        return found[0] if found else default

    @property
    def branch(self):
        return parameter(self.get("via"), "branch")

    @property
    def cseq(self):
        number, _, method = self.get("cseq").partition(" ")
        return int(number), method.strip()

    def encode(self):
        first = (f"{self.method} {self.uri} SIP/2.0" if self.method
                 else f"SIP/2.0 {self.status} {self.reason}")
        lines = [first] + [f"{n}: {v}" for n, v in self.headers]
        lines.append(f"Content-Length: {len(self.body.encode())}")
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()

    def __str__(self):
        return f"{self.method} {self.uri}" if self.method else f"{self.status} {self.reason} ({self.cseq[1]})"


def parameter(value, name):
    found = re.search(rf";\s*{name}=([^;>\s,]+)", value)
    return found.group(1) if found else ""


def uri_of(value):
    found = re.search(r"<([^>]+)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def address_of(uri):
    """(host, port) of a SIP URI with an IP address, or None."""
    found = re.match(r"sips?:(?:[^@]*@)?(\d+\.\d+\.\d+\.\d+|\[[0-9A-Fa-f:.]+\])(?::(\d+))?", uri)
    return (found.group(1).strip("[]"), int(found.group(2) or 5060)) if found else None


def host_of(ip):
    """An IP address as it stands in a URI."""
    return f"[{ip}]" if ":" in ip else ip


# ---- SDP ---------------------------------------------------------------------------------------


class Sdp:
    """The audio of a session description."""

    def __init__(self, text):
        self.text = text
        lines = [line.strip() for line in text.splitlines()]
        audio = next((l.split() for l in lines if l.startswith("m=audio ")), None)
        if audio is None:
            raise Failed(f"SDP without audio: {text!r}")
        self.port = int(audio[1])
        self.protocol = audio[2]
        self.payload_types = [int(p) for p in audio[3:]]
        self.ip = next((l.split()[2] for l in reversed(lines) if l.startswith("c=IN IP")), "0.0.0.0")
        found = [m for l in lines if (m := re.match(r"a=rtpmap:(\d+) ([^/]+)/(\d+)", l))]
        self.maps = STATIC | {int(m.group(1)): m.group(2).lower() for m in found}
        self.clocks = {int(m.group(1)): int(m.group(3)) for m in found}
        self.fmtp = {int(m.group(1)): m.group(2) for l in lines
                     if (m := re.match(r"a=fmtp:(\d+) (.*)", l))}
        self.rtcp_mux = "a=rtcp-mux" in lines
        # (tag, suite, key in base64)
        self.crypto = [(int(m.group(1)), m.group(2), m.group(3)) for l in lines
                       if (m := re.match(r"a=crypto:(\d+) (\S+) inline:([^|\s]+)", l))]
        self.direction = next((l[2:] for l in lines if l in (
            "a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")), "sendrecv")
        self.ptime = next((int(l[8:]) for l in lines if l.startswith("a=ptime:")), 20)
        if self.ip in ("0.0.0.0", "::"):
            self.direction = "inactive"

    def codec(self, known):
        """The first of the peer's codecs that is known: (name, payload type)."""
        for p in self.payload_types:
            name = self.maps.get(p)
            if name in known:
                return name, p
        return None

    def event(self, clock=8000):
        """The payload type of telephone-event at that clock, else at 8 kHz; -1: none."""
        clocks = {self.clocks.get(p): p for p in reversed(self.payload_types)
                  if self.maps.get(p) == "telephone-event"}
        return clocks.get(clock, clocks.get(8000, -1))


MIRROR = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


# ---- the ear -----------------------------------------------------------------------------------


class Ear:
    """The process that holds the media of all phones (ear.c). events: all lines with "event"."""

    def __init__(self, path, *options, prefix=()):
        self.words = [*prefix, path, *options]
        self.events, self.reports, self.legs = [], {}, 0
        self.process = self.reader = None
        self.replies = asyncio.Queue()
        self.changed = asyncio.Condition()
        self.lock = asyncio.Lock()

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=1 << 22)
        self.reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def _read(self):
        async for line in self.process.stdout:
            said = json.loads(line)
            if "ok" in said:
                self.replies.put_nowait(said)
            elif "report" in said:
                self.reports[said["report"]] = said
            else:
                self.events.append(said)
                async with self.changed:
                    self.changed.notify_all()

    async def command(self, line):
        async with self.lock:
            self.process.stdin.write(line.encode() + b"\n")
            said = await asyncio.wait_for(self.replies.get(), TIMEOUT)
        if not said["ok"]:
            raise Failed(f"ear: {line}: {said['error']}")
        return said

    async def report(self, leg=None):
        """The report of a leg, or of all by name."""
        await self.command(f"report {leg or ''}")
        return self.reports[leg] if leg else dict(self.reports)

    async def wait(self, test, timeout=TIMEOUT, since=0):
        """The first event from number `since` on for which test(event) is true."""
        end = time.monotonic() + timeout
        while True:
            for event in self.events[since:]:
                if test(event):
                    return event
            async with self.changed:
                try:
                    await asyncio.wait_for(self.changed.wait(), max(0.0, end - time.monotonic()))
                except asyncio.TimeoutError:
                    raise Failed("the ear did not hear it in time") from None

    async def stop(self):
        """Ends the process; returns the last reports by leg."""
        if self.process and self.process.returncode is None:
            self.reports = {}
            self.process.terminate()
            await self.process.wait()
            await self.reader
        return self.reports


# ---- transport ---------------------------------------------------------------------------------


class Udp(asyncio.DatagramProtocol):
    def __init__(self, phone):
        self.phone = phone

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        if data.strip():
            self.phone.received(data, ("udp", address[:2]))


class Tcp:
    """Connections by peer address; the one that a request came on takes its response."""

    def __init__(self, phone):
        self.phone, self.writers, self.tasks = phone, {}, set()
        self.server = None

    async def listen(self, ip, port):
        self.server = await asyncio.start_server(self.accept, ip, port)
        return self.server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        await self.serve(reader, writer, writer.get_extra_info("peername")[:2])

    async def serve(self, reader, writer, address):
        self.writers[address] = writer
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lstrip(b"\r\n")
                if not head:
                    continue
                length = re.search(rb"^(?:content-length|l)\s*:\s*(\d+)", head, re.I | re.M)
                body = await reader.readexactly(int(length.group(1)) if length else 0)
                self.phone.received(head + body, ("tcp", address))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if self.writers.get(address) is writer:
                del self.writers[address]
            writer.close()

    async def send(self, data, address):
        writer = self.writers.get(address)
        if writer is None:
            reader, writer = await asyncio.open_connection(
                *address, local_addr=(self.phone.ip, 0))
            self.writers[address] = writer
            self.keep(asyncio.create_task(self.serve(reader, writer, address)))
        writer.write(data)

    def keep(self, task):
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def close(self):
        if self.server:
            self.server.close()
        for writer in list(self.writers.values()):
            writer.close()
        for task in list(self.tasks):
            task.cancel()


# ---- a phone -----------------------------------------------------------------------------------


class Phone:
    """A user agent. registrar: (ip, port) that it registers at and sends calls by."""

    def __init__(self, user, ip, port=0, *, transport="udp", registrar=None, domain=None,
                 password="", ear=None, tone=0, codecs=("pcmu", "pcma"), ptime=20, events=True,
                 auto=None, code=486, ring_s=0.0, direction="sendrecv", leg_options="",
                 display="", auth_user=None, srtp="off", suites=("AES_CM_128_HMAC_SHA1_80",),
                 fmtp="", media_ip=None, said_ip=None, rekeys=True):
        self.user, self.ip, self.port, self.transport = user, ip, port, transport
        self.registrar, self.domain, self.password = registrar, domain, password
        self.ear, self.tone, self.codecs, self.ptime = ear, tone, list(codecs), ptime
        self.has_events, self.auto, self.code, self.ring_s = events, auto, code, ring_s
        self.direction, self.leg_options, self.display = direction, leg_options, display
        self.auth_user = auth_user or user
        self.media_ip = media_ip or ip  # where it sends media from,
        self.said_ip = said_ip or self.media_ip  # and where its SDP has it come to
        self.srtp, self.suites, self.fmtp = srtp, list(suites), fmtp  # fmtp: of Opus
        self.rekeys = rekeys            # answers a new key with a new one of its own
        self.calls = {}
        self.pending = {}    # (branch, method) of our requests: queue of responses
        self.answered = {}   # (branch, method) of their requests: (response, source)
        self.waiting = asyncio.Queue()
        self.ladder = []
        self.tasks = set()
        self.udp = self.tcp = None

    # -- life

    async def open(self):
        if self.transport == "tcp":
            self.tcp = Tcp(self)
            self.port = await self.tcp.listen(self.ip, self.port)
        else:
            _, self.udp = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: Udp(self), local_addr=(self.ip, self.port))
            self.port = self.udp.transport.get_extra_info("sockname")[1]
        return self

    async def close(self):
        for task in list(self.tasks):
            task.cancel()
        if self.udp:
            self.udp.transport.close()
        if self.tcp:
            self.tcp.close()

    def spawn(self, coroutine):
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def failed(self, why):
        return Failed(f"{self.user}: {why}\n" + "\n".join(self.ladder[-40:]))

    # -- names

    @property
    def contact(self):
        extra = ";transport=tcp" if self.transport == "tcp" else ""
        return f"<sip:{self.user}@{host_of(self.ip)}:{self.port}{extra}>"

    @property
    def address_of_record(self):
        return f"sip:{self.user}@{self.domain or host_of((self.registrar or (self.ip,))[0])}"

    def via(self):
        return (f"SIP/2.0/{self.transport.upper()} {host_of(self.ip)}:{self.port}"
                f";branch=z9hG4bK{token()};rport")

    # -- sending

    def note(self, arrow, message):
        self.ladder.append(f"{time.monotonic():.3f} {self.user} {arrow} {message}")

    async def send(self, message, where):
        """where: ("udp" or "tcp", (ip, port))"""
        self.note("->", message)
        if self.tcp:
            await self.tcp.send(message.encode(), where[1])
        else:
            self.udp.transport.sendto(message.encode(), where[1])

    async def request(self, message, where, timeout=32.0):
        """Sends a request and yields its responses, provisional ones included."""
        key = (message.branch, message.method)
        queue = self.pending[key] = asyncio.Queue()
        end, wait = time.monotonic() + timeout, T1
        again = self.transport == "udp"
        try:
            await self.send(message, where)
            while time.monotonic() < end:
                try:
                    left = end - time.monotonic()
                    response = await asyncio.wait_for(queue.get(), min(wait, left) if again else left)
                except asyncio.TimeoutError:
                    if again:
                        await self.send(message, where)
                        wait = min(wait * 2, 4.0)
                    continue
                if message.method == "INVITE":
                    again = False
                yield response
                if response.status >= 200:
                    return
            raise self.failed(f"no final response to {message}")
        finally:
            if message.method != "INVITE":
                self.pending.pop(key, None)

    async def ask(self, message, where, timeout=32.0):
        """The final response."""
        async for response in self.request(message, where, timeout):
            if response.status >= 200:
                return response
        raise self.failed(f"no final response to {message}")

    async def respond(self, request, source, status, *, tag="", headers=(), body="", reason=None):
        to = request.get("to")
        if tag and "tag=" not in to:
            to += f";tag={tag}"
        response = Message(status=status, reason=reason or REASONS.get(status, "Reason"))
        response.headers = [("Via", v) for v in request.all("via")]
        response.headers += [("Record-Route", v) for v in request.all("record-route")]
        response.headers += [("From", request.get("from")), ("To", to),
                             ("Call-ID", request.get("call-id")), ("CSeq", request.get("cseq"))]
        response.headers += list(headers)
        response.body = body
        if status >= 200 or request.method == "INVITE":
            self.answered[request.branch, request.method] = (response, source)
        await self.send(response, source)
        return response

    # -- receiving

    def received(self, data, source):
        try:
            message = Message.parse(data)
        except (ValueError, IndexError):
            self.ladder.append(f"{time.monotonic():.3f} {self.user} <- malformed {data[:60]!r}")
            return
        self.note("<-", message)
        if message.status is not None:
            self.spawn(self.take_response(message, source))
        else:
            self.spawn(self.take_request(message, source))

    async def take_response(self, response, source):
        queue = self.pending.get((response.branch, response.cseq[1]))
        call = self.calls.get(response.get("call-id"))
        if response.cseq[1] == "INVITE" and response.status >= 200 and call:
            await call.acknowledge(response, source)
        if queue:
            queue.put_nowait(response)

    async def take_request(self, request, source):
        known = self.answered.get((request.branch, request.method))
        if known and request.method != "ACK":
            await self.send(*known)
            return
        call = self.calls.get(request.get("call-id"))
        if call:
            await call.take_request(request, source)
        elif request.method == "INVITE":
            await self.take_invite(request, source)
        elif request.method == "OPTIONS":
            await self.respond(request, source, 200, tag=token(), headers=[("Allow", ALLOW)])
        elif request.method != "ACK":
            await self.respond(request, source, 481, tag=token())

    async def take_invite(self, request, source):
        call = Call(self, request.get("call-id"))
        call.become_callee(request, source)
        await self.respond(request, source, 100)
        self.waiting.put_nowait(call)
        if self.auto in ("answer", "ring"):
            await call.ring()
        if self.auto == "answer":
            await asyncio.sleep(self.ring_s)
            if call.state == "ringing":
                await call.answer()
        elif self.auto == "reject":
            await call.reject(self.code)

    # -- what a script says

    async def register(self, expires=300, timeout=TIMEOUT):
        """Registers (expires 0: unregisters); returns the final status code."""
        number, call_id, tag = 1, token(), token()
        request = None
        for attempt in range(2):
            headers = [("Via", self.via()), ("Max-Forwards", "70"),
                       ("From", f"<{self.address_of_record}>;tag={tag}"),
                       ("To", f"<{self.address_of_record}>"), ("Call-ID", call_id),
                       ("CSeq", f"{number + attempt} REGISTER"), ("Contact", self.contact),
                       ("Expires", str(expires))]
            request = Message("REGISTER", f"sip:{self.domain or host_of(self.registrar[0])}",
                              headers=headers)
            if attempt:
                request.headers.append(self.credentials(response, request))
            response = await self.ask(request, (self.transport, self.registrar), timeout)
            if response.status not in (401, 407) or not self.password:
                break
        return response.status

    def credentials(self, challenge, request):
        """The header that answers a challenge (RFC 7616)."""
        proxy = challenge.status == 407
        text = challenge.get("proxy-authenticate" if proxy else "www-authenticate")
        asked = dict((k.lower(), v.strip('"')) for k, v in
                     re.findall(r'(\w+)\s*=\s*("[^"]*"|[^,\s]+)', text))
        algorithm = asked.get("algorithm", "MD5")
        make = hashlib.sha256 if algorithm.upper().startswith("SHA-256") else hashlib.md5

        def digest(*parts):
            return make(":".join(parts).encode()).hexdigest()

        first = digest(self.auth_user, asked["realm"], self.password)
        second = digest(request.method, request.uri)
        fields = {"username": self.auth_user, "realm": asked["realm"], "nonce": asked["nonce"],
                  "uri": request.uri}
        if "qop" in asked:
            nonce = token()
            fields["response"] = digest(first, asked["nonce"], "00000001", nonce, "auth", second)
            fields["cnonce"] = nonce
        else:
            fields["response"] = digest(first, asked["nonce"], second)
        if "opaque" in asked:
            fields["opaque"] = asked["opaque"]
        value = "Digest " + ", ".join(f'{k}="{v}"' for k, v in fields.items())
        value += f", algorithm={algorithm}" + (", qop=auth, nc=00000001" if "qop" in asked else "")
        return ("Proxy-Authorization" if proxy else "Authorization", value)

    async def call(self, uri, *, to=None, delayed_offer=False, headers=()):
        """Sends an INVITE; to: (ip, port) to send it to, otherwise the registrar or the URI."""
        where = to or self.registrar or address_of(uri)
        call = Call(self, token())
        await call.begin(uri, (self.transport, where), delayed_offer, list(headers))
        return call

    async def incoming(self, timeout=TIMEOUT):
        """The next call that came."""
        try:
            return await asyncio.wait_for(self.waiting.get(), timeout)
        except asyncio.TimeoutError:
            raise self.failed("no call came") from None


ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS"


class Call:
    """One dialog. state: calling, ringing, up, ended. history: (monotonic time, what happened)."""

    def __init__(self, phone, call_id):
        self.phone, self.call_id = phone, call_id
        self.state, self.status, self.reason = "calling", None, ""
        self.local_tag, self.remote_tag = token(), ""
        self.cseq, self.invite, self.final_response = 0, None, None
        self.routes, self.target, self.peer = [], "", None
        self.history, self.provisional = [], []
        self.remote_sdp, self.local_direction = None, phone.direction
        self.sdp_version, self.leg, self.port = 1, None, 0
        self.codec, self.event_pt = None, 101
        self.keys = {}         # ours, by suite, in base64
        self.security = None   # (tag, suite, the peer's key in base64) of what was agreed on
        self.ack, self.acked = None, asyncio.Event()
        self.no_ack = False    # a script may set it: 2xx stay without ACK
        self.changed = asyncio.Condition()
        self.ended_by = None   # "us" or "them"
        self.notified = []     # of the last refer(): status of each NOTIFY
        self.subscribed = False
        phone.calls[call_id] = self

    # -- waiting

    async def happen(self, what, state=None):
        self.history.append((time.monotonic(), what))
        if state:
            self.state = state
        async with self.changed:
            self.changed.notify_all()

    async def until(self, test, why, timeout=TIMEOUT):
        async with self.changed:
            try:
                await asyncio.wait_for(self.changed.wait_for(test), timeout)
            except asyncio.TimeoutError:
                raise self.phone.failed(f"{why} (state {self.state}, {self.status})") from None

    async def ringing(self, timeout=TIMEOUT):
        await self.until(lambda: self.provisional or self.state in ("up", "ended"), "not ringing", timeout)

    async def final(self, timeout=TIMEOUT):
        """The final status code of our INVITE."""
        await self.until(lambda: self.status is not None, "no final response", timeout)
        return self.status

    async def answered(self, timeout=TIMEOUT):
        await self.until(lambda: self.state in ("up", "ended"), "not answered", timeout)
        if self.state != "up":
            raise self.phone.failed(f"not answered but ended with {self.status} {self.reason}")

    async def ended(self, timeout=TIMEOUT):
        await self.until(lambda: self.state == "ended", "not ended", timeout)

    # -- media

    async def open_leg(self):
        phone = self.phone
        if self.leg or not phone.ear:
            self.port = self.port or 40000
            return
        phone.ear.legs += 1
        self.leg = f"{re.sub('[^A-Za-z0-9_-]', '', phone.user)[:20]}.{phone.ear.legs}"
        said = await phone.ear.command(
            f"leg {self.leg} {phone.media_ip} 0 {phone.tone} ptime={phone.ptime} {phone.leg_options}")
        self.port = said["port"]

    def key(self, suite):
        """Our key of a suite, the same until the peer offers a new one of its own."""
        if suite not in self.keys:
            self.keys[suite] = base64.b64encode(os.urandom(SUITES[suite])).decode()
        return self.keys[suite]

    def crypto(self, codec, plain):
        """The protocol of our audio line and its keys: of an offer, or of the answer (codec given)."""
        phone = self.phone
        if plain:
            return "RTP/AVP", []
        if codec:
            lines = [self.security[:2]] if self.security else []
            return self.remote_sdp.protocol, lines
        if self.security:
            return self.remote_sdp.protocol, [self.security[:2]]
        lines = list(enumerate(phone.suites, 1)) if phone.srtp != "off" else []
        return "RTP/SAVP" if phone.srtp == "required" else "RTP/AVP", lines

    def formats(self, codec):
        """[(payload type, rtpmap, fmtp)] of an offer, or of the answer with one codec."""
        phone = self.phone
        if codec:
            found = [(codec[1], CODECS[codec[0]][1])]
            clocks = {self.event_pt: self.remote_sdp.clocks.get(self.event_pt, 8000)}
        else:
            found = [(CODECS[n][0], CODECS[n][1]) for n in phone.codecs]
            clocks = {101: 8000, 102: 48000} if "opus" in phone.codecs else {101: 8000}
        events = [(p, f"telephone-event/{clock}", "0-15") for p, clock in clocks.items()
                  if phone.has_events and p >= 0]
        return [(p, m, phone.fmtp if m.startswith("opus") else "") for p, m in found] + events

    def describe(self, direction, codec=None, plain=False):
        """Our SDP: an offer of all codecs, or an answer with one. plain: without any key."""
        phone = self.phone
        ip = phone.said_ip
        family = "IP6" if ":" in ip else "IP4"
        protocol, keys = self.crypto(codec, plain)
        formats = self.formats(codec)
        lines = ["v=0", f"o=- {abs(hash(self.call_id)) % 10**9} {self.sdp_version} IN {family} {ip}",
                 "s=-", f"c=IN {family} {ip}", "t=0 0",
                 f"m=audio {self.port} {protocol} " + " ".join(str(p) for p, _, _ in formats)]
        self.sdp_version += 1
        for payload_type, mapping, fmtp in formats:
            lines.append(f"a=rtpmap:{payload_type} {mapping}")
            lines += [f"a=fmtp:{payload_type} {fmtp}"] if fmtp else []
        lines += [f"a=crypto:{tag} {suite} inline:{self.key(suite)}" for tag, suite in keys]
        return "\r\n".join(lines + [f"a=ptime:{phone.ptime}", f"a={direction}"]) + "\r\n"

    def agree_keys(self, sdp):
        """The first line of the peer that is of our suites."""
        phone = self.phone
        offered = sdp.crypto if phone.srtp != "off" else []
        self.security = next((line for line in offered if line[1] in phone.suites), None)
        return self.security or (phone.srtp != "required" and sdp.protocol == "RTP/AVP")

    async def apply(self, text):
        """Takes the peer's SDP: where to send, what, and whether."""
        sdp = self.remote_sdp = Sdp(text)
        self.codec = sdp.codec(self.phone.codecs) if self.agree_keys(sdp) else None
        if self.codec is None or not self.leg:
            return
        ear, sends = self.phone.ear, sdp.direction in ("sendrecv", "recvonly")
        event = sdp.event(48000 if self.codec[0] == "opus" else 8000)
        await ear.command(f"set {self.leg} codec={self.codec[0]} payload={self.codec[1]} "
                          f"event={event} eventclock={sdp.clocks.get(event, 8000) // 1000}")
        if self.security:
            _, suite, theirs = self.security
            await ear.command(f"key {self.leg} {suite} {self.key(suite)} {theirs}")
        if sdp.port:
            await ear.command(f"remote {self.leg} {sdp.ip} {sdp.port}")
        ours = self.local_direction in ("sendrecv", "sendonly")
        await ear.command(f"{'resume' if sends and ours else 'hold'} {self.leg}")

    async def answer_to(self, text):
        """Takes an offer and returns our answer."""
        offered = [theirs for *_, theirs in Sdp(text).crypto]
        if self.phone.rekeys and self.security and self.security[2] not in offered:
            self.keys.clear()
        await self.apply(text)
        if self.codec is None:
            return None
        self.event_pt = self.remote_sdp.event(48000 if self.codec[0] == "opus" else 8000)
        allowed = MIRROR[self.remote_sdp.direction]
        if self.local_direction != "sendrecv" and allowed == "sendrecv":
            allowed = self.local_direction
        return self.describe(allowed, self.codec)

    async def hears(self, hz, timeout=TIMEOUT, since=0):
        """Waits until the leg hears a tone; 0 is sound that is none."""
        return await self.heard_event(
            lambda e: e["event"] == "tone" and e["hz"] == hz, f"did not hear {hz} Hz", timeout, since)

    async def gets_digit(self, digit, timeout=TIMEOUT, since=0):
        return await self.heard_event(
            lambda e: e["event"] == "digit" and e["digit"] == digit, f"no digit {digit}", timeout, since)

    async def heard_event(self, test, why, timeout, since):
        try:
            return await self.phone.ear.wait(
                lambda e: e.get("leg") == self.leg and test(e), timeout, since)
        except Failed:
            raise self.phone.failed(why) from None

    async def digits(self, digits, ms=100):
        await self.phone.ear.command(f"digit {self.leg} {digits} {ms}")

    async def tone(self, hz):
        await self.phone.ear.command(f"tone {self.leg} {hz}")

    async def report(self):
        return await self.phone.ear.report(self.leg)

    # -- requests in the dialog

    def make(self, method, body="", headers=(), content_type="application/sdp"):
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        phone = self.phone
        message = Message(method, self.target, body=body)
        to = f"<{self.remote_uri}>" + (f";tag={self.remote_tag}" if self.remote_tag else "")
        display = f'"{phone.display}" ' if phone.display else ""
        message.headers = [("Via", phone.via()), ("Max-Forwards", "70")]
        message.headers += [("Route", r) for r in self.routes]
        message.headers += [("From", f"{display}<{self.local_uri}>;tag={self.local_tag}"), ("To", to),
                            ("Call-ID", self.call_id), ("CSeq", f"{self.cseq} {method}"),
                            ("Contact", phone.contact), ("Allow", ALLOW)]
        message.headers += list(headers)
        if body:
            message.headers.append(("Content-Type", content_type))
        return message

    def where(self):
        """Where the next request of the dialog goes."""
        hop = address_of(uri_of(self.routes[0])) if self.routes else address_of(self.target)
        return (self.peer[0], hop) if hop and self.peer[0] == "udp" else self.peer

    # -- calling

    async def begin(self, uri, where, delayed_offer, headers):
        self.target = self.remote_uri = uri
        self.local_uri = self.phone.address_of_record
        self.peer = where
        await self.open_leg()
        body = "" if delayed_offer else self.describe(self.local_direction)
        self.invite = self.make("INVITE", body, headers)
        self.phone.spawn(self.follow(self.invite, headers))

    async def follow(self, invite, headers):
        """Sees our INVITE through to its final response."""
        async for response in self.phone.request(invite, self.peer, 180.0):
            if response.status < 200:
                await self.take_provisional(response)
                continue
            if response.status in (401, 407) and self.phone.password and not any(
                    n.endswith("uthorization") for n, _ in invite.headers):
                again = self.make("INVITE", invite.body, headers)
                again.headers.append(self.phone.credentials(response, again))
                self.invite = again
                await self.follow(again, headers)
                return
            self.status, self.reason, self.final_response = response.status, response.reason, response
            if response.status >= 300:
                await self.happen(f"refused {response.status}", "ended")
                return
            if response.body and invite.body:
                await self.apply(response.body)
            await self.happen("answered", "up")

    async def take_provisional(self, response):
        if response.status == 100:
            return
        self.provisional.append(response.status)
        if response.body and self.invite.body:
            await self.apply(response.body)
        await self.happen(f"progress {response.status}", "ringing")

    async def acknowledge(self, response, source):
        """Every final response to an INVITE is acknowledged, repeated ones too."""
        if response.status >= 300:
            # Of the transaction: same branch and target as the INVITE.
            ack = Message("ACK", self.invite.uri, headers=[("Via", response.all("via")[0])])
            ack.headers += [("Max-Forwards", "70"), ("From", response.get("from")), ("To", response.get("to")),
                            ("Call-ID", self.call_id), ("CSeq", f"{response.cseq[0]} ACK")]
            await self.phone.send(ack, self.peer)
            return
        self.remote_tag = parameter(response.get("to"), "tag")
        self.target = uri_of(response.get("contact", self.target))
        if not self.acked.is_set():
            self.routes = list(reversed(split(response.all("record-route"))))
        self.acked.set()
        if self.no_ack:
            return
        if self.ack is None or self.ack.cseq[0] != response.cseq[0]:
            body = ""
            if response.body and not self.invite.body:
                body = await self.answer_to(response.body) or ""
            self.ack = self.make("ACK", body)
            self.ack.headers = [(n, f"{response.cseq[0]} ACK" if n == "CSeq" else v)
                                for n, v in self.ack.headers]
        await self.phone.send(self.ack, self.where())

    async def cancel(self):
        """Gives up our INVITE; the 487 ends the call."""
        cancel = Message("CANCEL", self.invite.uri, headers=[("Via", self.invite.get("via"))])
        cancel.headers += [(n, self.invite.get(n)) for n in ("Max-Forwards", "From", "To", "Call-ID")]
        cancel.headers.append(("CSeq", f"{self.invite.cseq[0]} CANCEL"))
        self.ended_by = "us"
        return (await self.phone.ask(cancel, self.peer)).status

    # -- being called

    def become_callee(self, invite, source):
        self.invite, self.peer = invite, source
        self.remote_tag = parameter(invite.get("from"), "tag")
        self.remote_uri, self.local_uri = uri_of(invite.get("from")), uri_of(invite.get("to"))
        self.target = uri_of(invite.get("contact", self.remote_uri))
        self.routes = split(invite.all("record-route"))

    async def say(self, status, body="", headers=()):
        headers = [("Contact", self.phone.contact), ("Allow", ALLOW), *headers]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        await self.phone.respond(self.invite, self.peer, status, tag=self.local_tag, headers=headers, body=body)

    async def ring(self, status=180, early_media=False):
        body = ""
        if early_media and self.invite.body:
            await self.open_leg()
            body = await self.answer_to(self.invite.body)
        if self.state != "ended":
            self.state = "ringing"
            await self.say(status, body)

    async def answer(self):
        await self.open_leg()
        if self.invite.body:
            body = await self.answer_to(self.invite.body)
            if body is None:
                await self.reject(488)
                return
        else:
            body = self.describe(self.local_direction)
        self.acked.clear()
        await self.say(200, body)
        await self.happen("answered", "up")
        self.phone.spawn(self.repeat_until_acked(self.invite))

    async def repeat_until_acked(self, invite):
        wait = T1
        while self.phone.transport == "udp" and wait < 32 * T1:
            try:
                await asyncio.wait_for(self.acked.wait(), wait)
                return
            except asyncio.TimeoutError:
                response, source = self.phone.answered[invite.branch, "INVITE"]
                if response.status < 300 and self.state != "up":
                    return
                await self.phone.send(response, source)
                wait *= 2

    async def reject(self, status=486, headers=()):
        self.ended_by = "us"
        await self.refuse(status, headers)
        await self.happen(f"rejected {status}", "ended")

    async def refuse(self, status, headers=()):
        self.acked.clear()
        await self.say(status, headers=headers)
        self.phone.spawn(self.repeat_until_acked(self.invite))

    async def take_request(self, request, source):
        handler = {"ACK": self.take_ack, "BYE": self.take_bye, "CANCEL": self.take_cancel,
                   "INVITE": self.take_reinvite, "NOTIFY": self.take_notify}.get(request.method)
        if handler:
            await handler(request, source)
        else:
            ok = request.method in ("OPTIONS", "INFO", "UPDATE")
            await self.phone.respond(request, source, 200 if ok else 405, tag=self.local_tag)

    async def take_ack(self, request, source):
        if request.body and self.state == "up" and not self.invite.body:
            await self.apply(request.body)
        self.acked.set()
        await self.happen("acknowledged")

    async def take_bye(self, request, source):
        await self.phone.respond(request, source, 200, tag=self.local_tag)
        self.ended_by = self.ended_by or "them"
        await self.silence()
        await self.happen("bye", "ended")

    async def take_cancel(self, request, source):
        await self.phone.respond(request, source, 200, tag=self.local_tag)
        if self.state in ("calling", "ringing"):
            self.ended_by = "them"
            await self.refuse(487)
            await self.happen("cancelled", "ended")

    async def take_reinvite(self, request, source):
        if self.state == "ended":
            await self.phone.respond(request, source, 481, tag=self.local_tag)
            return
        self.invite, self.peer = request, source
        body = (await self.answer_to(request.body) if request.body
                else self.describe(self.local_direction))
        self.acked.clear()
        await self.say(200 if body else 488, body or "")
        if body:
            self.phone.spawn(self.repeat_until_acked(request))
        await self.happen("re-invite")

    async def take_notify(self, request, source):
        """What became of our REFER (RFC 3515)."""
        fragment = re.match(r"SIP/2\.0 (\d+)", request.body)
        ours = self.subscribed and request.get("event").startswith("refer") and fragment
        await self.phone.respond(request, source, 200 if ours else 481, tag=self.local_tag)
        if ours:
            self.notified.append(int(fragment.group(1)))
            self.subscribed = not request.get("subscription-state").startswith("terminated")
            await self.happen(f"notified {self.notified[-1]}")

    # -- in the call

    async def reinvite(self, direction=None, *, delayed_offer=False, plain=False, timeout=TIMEOUT):
        """Sends a re-INVITE (plain: RTP/AVP without keys); returns its final status code."""
        self.local_direction = direction or self.local_direction
        body = "" if delayed_offer else self.describe(self.local_direction, plain=plain)
        invite = self.make("INVITE", body)
        self.invite, self.ack = invite, None
        response = await self.phone.ask(invite, self.where(), timeout)
        if response.status < 300 and response.body and body:
            await self.apply(response.body)
        return response.status

    async def renew(self, *, codecs=None, ptime=None, port=False):
        """A re-INVITE with other codecs, packet time or port; at a new port listens a new leg of the ear."""
        phone = self.phone
        phone.codecs, phone.ptime = list(codecs or phone.codecs), ptime or phone.ptime
        if port:
            await phone.ear.command(f"close {self.leg}")
            self.leg = None
            await self.open_leg()
        await phone.ear.command(f"set {self.leg} ptime={phone.ptime}")
        return await self.reinvite()

    async def hold(self, direction="sendonly"):
        """sendonly or inactive."""
        return await self.reinvite(direction)

    async def resume(self):
        return await self.reinvite("sendrecv")

    async def info(self, key, form="dtmf-relay"):
        """Tells a key by INFO, as application/dtmf-relay or application/dtmf; the status code."""
        body = f"Signal={key}\r\nDuration=160\r\n" if form == "dtmf-relay" else f"{key}\r\n"
        request = self.make("INFO", body, content_type=f"application/{form}")
        return (await self.phone.ask(request, self.where())).status

    async def refer(self, target="", *, replaces=None, subscribe=True, headers=(), timeout=TIMEOUT):
        """Asks the peer to call target, a user part or URI; replaces: to talk to whom that call of
        ours is with. Returns the final status code of the REFER."""
        if replaces:
            # The tags as the other end of that call has them (RFC 3891).
            dialog = f"{replaces.call_id};to-tag={replaces.remote_tag};from-tag={replaces.local_tag}"
            target = f"{target or replaces.remote_uri}?Replaces={urllib.parse.quote(dialog, safe='')}"
        elif ":" not in target:
            target = f"sip:{urllib.parse.quote(target, safe='+*')}@{self.peer[1][0]}"
        request = self.make("REFER", headers=[
            ("Refer-To", f"<{target}>"), ("Referred-By", f"<{self.local_uri}>"),
            *([] if subscribe else [("Refer-Sub", "false")]), *headers])
        self.notified, self.subscribed = [], subscribe
        status = (await self.phone.ask(request, self.where(), timeout)).status
        self.subscribed &= status < 300
        return status

    async def referred(self, timeout=TIMEOUT):
        """The status of the NOTIFY that ends the subscription."""
        await self.until(lambda: self.notified and not self.subscribed, "no last NOTIFY", timeout)
        return self.notified[-1]

    async def hang_up(self, timeout=TIMEOUT):
        """CANCEL, BYE or a rejection, as the state asks for; returns the final status code."""
        if self.state == "ended":
            return None
        if self.state != "up":
            if self.phone.answered.get((self.invite.branch, "INVITE")):
                return await self.reject(480)
            return await self.cancel()
        self.ended_by = "us"
        await self.silence()
        response = await self.phone.ask(self.make("BYE"), self.where(), timeout)
        await self.happen("hung up", "ended")
        return response.status

    async def silence(self):
        if self.leg:
            await self.phone.ear.command(f"hold {self.leg}")


def split(values):
    """Header values that may be lists, one by one."""
    return [part.strip() for value in values for part in re.split(r",(?=\s*<)", value)]
