#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three calls of the example instance, and tables of who heard what. Run by scripts/demo, in network,
mount and process namespaces of its own:  demo.py BUILD

The first call is spoken, as the instance is shipped, to a panel phone; the second is the same flow
with tones for words, to a ring phone, so that not one period of silence escapes the ear; in the third
the agent transfers to another by quick connect, joins, holds all and leaves. Music, the beep and the
talkers are tones in all. Every line of the tables is checked.
"""
import argparse
import asyncio
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import stage  # noqa: E402
from board import who_hears  # noqa: E402
from stage import BEEP, CONTROL, GREETING, MUSIC, TRUNK, WHISPER, action, eventually, flow, play, tone  # noqa: E402

EXAMPLE = stage.TOP / "scripts" / "instance"
SPOKEN, TONES = "+12025550100", "+12025550101"
CALLER, CALLER_TONE, AGENT_TONE, OTHER_TONE = "+12025550199", 700, 1100, 1300
VOICE, MENU, ON_HOLD, AGENT_ON_HOLD = 0, 1200, 1750, 1850
TRUNK_PORT = 5080

LONGEST_CHANGE_MS = 40  # without tone between one thing heard and the next
FRAME_MS = 20
SOON_MS = 60            # two legs, of which the ear takes 20 ms at a time
PAUSE_OF_SPEECH_MS = 800
SYLLABLE_MS = 150       # of a voice, may look like a tone
BLIP_MS = 60            # sound at the edge of a tone that is neither
BEEP_MS = 300
ATTEMPTS = 3


class Shop(stage.Stage):
    """The example instance on the stage's addresses."""

    def write_instance(self):
        where = self.directory / "instance"
        if where.exists():
            return where
        shutil.copytree(EXAMPLE, where)
        self.edit(where / "cordboard.yaml", {
            "127.0.0.1:5060": f"{CONTROL}:5060",
            "127.0.0.1:5080": f"{TRUNK}:{TRUNK_PORT}",
            f'"{TONES}"\n    flow: Main line': f'"{TONES}"\n    flow: Main line in tones'},
            f"""
media: {{socket: {self.directory}/dataplane.sock}}
store: {{directory: {self.directory}/store}}
admin: {{socket: {self.directory}/control.sock, drain: 1s}}
""")
        self.edit(where / "prompts.yaml", {"beep.wav": tone(BEEP, 300),
                                           "hold-music.wav": tone(MUSIC, 9000)}, f"""
  - {{name: Welcome in tones, id: welcome-tone, file: "{tone(GREETING, 600)}"}}
  - {{name: Menu in tones, id: menu-tone, file: "{tone(MENU, 3000)}"}}
  - {{name: Whisper in tones, id: whisper-tone, file: "{tone(WHISPER, 600)}"}}
  - {{name: Hold in tones, id: hold-tone, file: "{tone(ON_HOLD, 9000)}"}}
  - {{name: Agent hold in tones, id: agent-hold-tone, file: "{tone(AGENT_ON_HOLD, 9000)}"}}
""")
        self.flows = tone_flows((where / "flows" / "main-line.json").read_text(encoding="utf-8"))
        for name, content in self.flows.items():
            (where / "flows" / f"{name}.json").write_text(content, encoding="utf-8")
        return where

    @staticmethod
    def edit(file, changes, more):
        text = file.read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in text, f"{file.name} of the example instance has no {old}"
            text = text.replace(old, new)
        file.write_text(text + more, encoding="utf-8")

    async def employee(self, name, hz=AGENT_TONE):
        phone = await self.phone(name, next(self.addresses), registrar=(CONTROL, 5060),
                                 password=f"{name}-example", tone=hz)
        assert await phone.register() == 200, phone.ladder
        self.call("agent.login", agent=name, status="Available")
        return phone


def loop_flow(name, kind, prompt):
    return flow(name, kind, "Loop", action("Loop", "MessageParticipantIteratively",
                                           {"Messages": [{"PromptId": prompt}]}))


def tone_flows(main_line):
    """The example's inbound flow with tones for its words, and the flows that it sets."""
    import json
    main = json.loads(main_line)
    main["Metadata"]["name"] = "Main line in tones"
    main["StartAction"] = "Whisper in tones"
    for step in main["Actions"]:
        if step["Identifier"] == "Welcome":
            step["Parameters"] = {"PromptId": "welcome-tone"}
        if step["Identifier"] == "Ask":
            del step["Parameters"]["Text"]
            step["Parameters"]["PromptId"] = "menu-tone"
    hooks = {"AgentWhisper": ("Whisper in tones", "Tone whisper"),
             "CustomerQueue": ("Queue in tones", "Tone queue"),
             "CustomerHold": ("Hold in tones", "Tone hold"),
             "AgentHold": ("Agent hold in tones", "Tone agent hold")}
    names = [name for name, _ in hooks.values()] + ["Welcome"]
    for (hook, (name, target)), then in zip(hooks.items(), names[1:]):
        main["Actions"].append(action(name, "UpdateContactEventHooks", {"EventHooks": {hook: target}},
                                      then, {"NoMatchingError": "End"}))
    flows = {
        "main-line-in-tones": main,
        "tone-whisper": flow("Tone whisper", "agentWhisper", "Tone",
                             play("Tone", "whisper-tone", "End"), action("End", "EndFlowExecution")),
        "tone-queue": loop_flow("Tone queue", "customerQueue", "hold-music"),
        "tone-hold": loop_flow("Tone hold", "customerHold", "hold-tone"),
        "tone-agent-hold": loop_flow("Tone agent hold", "agentHold", "agent-hold-tone"),
    }
    return {name: json.dumps(content, indent=1) for name, content in flows.items()}


# ---- who heard what ------------------------------------------------------------------------------


class Heard:
    """What one party heard in a call, against what it should have heard, in this order.

    expected: (what, hz, least ms, most ms[, most ms without tone before it]) each; key_ms: when the
    caller pressed a key, which cuts a voice in two."""

    def __init__(self, who, report, expected, key_ms=0):
        self.who, self.report, self.expected = who, report, expected
        self.spoken = any(row[1] == VOICE for row in expected)
        self.key_ms = key_ms
        self.spans = []
        for heard in sorted(report["heard"], key=lambda h: h["from_ms"]):
            self.add(heard["hz"], heard["from_ms"], heard["to_ms"])

    def add(self, hz, start, end):
        """Joins the pieces of one thing; a voice has moments of tones, a tone ends of no tone."""
        if self.spoken and end - start < SYLLABLE_MS:
            hz = VOICE
        if hz == VOICE and not self.spoken and end - start < BLIP_MS:
            return
        if hz == VOICE and start < self.key_ms < end - BLIP_MS:
            self.add(hz, start, self.key_ms)
            self.add(hz, self.key_ms, end)
            return
        if self.spans and self.spans[-1][0] == hz:
            _, first, last = self.spans[-1]
            pause = PAUSE_OF_SPEECH_MS if hz == VOICE else BLIP_MS
            if start - last < pause and not (hz == VOICE and first < self.key_ms <= start):
                self.spans[-1] = (hz, first, max(last, end))
                return
        if self.spans and start < self.spans[-1][2] and hz == VOICE and end - start < SYLLABLE_MS:
            return
        self.spans.append((hz, start, end))

    def rows(self, zero):
        """(what, from s, to s, verdict) of each thing heard and of each that was not."""
        before = None
        for number in range(max(len(self.spans), len(self.expected))):
            wanted = self.expected[number] if number < len(self.expected) else None
            span = self.spans[number] if number < len(self.spans) else None
            verdict = self.judge(span, wanted, before)
            what = wanted[0] if wanted and (not span or span[0] == wanted[1]) else name_of(span[0])
            yield (what, (span[1] - zero) / 1000 if span else None,
                   (span[2] - zero) / 1000 if span else None, verdict)
            before = span

    @staticmethod
    def judge(span, wanted, before):
        if not wanted:
            return "not expected"
        what, hz, least, most, change = (*wanted, LONGEST_CHANGE_MS)[:5]
        if not span:
            return "was not heard"
        if span[0] != hz:
            return f"expected {what}"
        length = span[2] - span[1]
        if not least - FRAME_MS <= length <= most + FRAME_MS:
            return f"lasts {length} ms, expected {least} to {most}"
        if before and VOICE not in (before[0], hz) and span[1] - before[2] > change:
            return f"{span[1] - before[2]} ms without tone before it"
        return "ok"

    def begins(self, hz):
        return next((s[1] for s in self.spans if s[0] == hz), None)

    def ends(self, hz):
        return next((s[2] for s in self.spans if s[0] == hz), None)

    def media(self):
        """(text, ok): that no period is missing."""
        r = self.report
        faults = {name: r[name] for name in ("missing", "duplicates", "reordered", "timestamp_jumps",
                                             "ssrc_changes", "malformed", "other_payload")}
        text = f"{r['received']} packets, " + ", ".join(
            f"{n} {name.replace('_', ' ')}" for name, n in faults.items())
        return text, not any(faults.values()) and r["received"] > 0


def name_of(hz):
    return f"{hz} Hz" if hz else "a voice"


ANY = 60000


class Table:
    """Lines that are as expected or not, kept until show()."""

    def __init__(self):
        self.failed = 0
        self.lines = []

    def line(self, good, *cells):
        self.failed += not good
        self.lines.append("  " + "  ".join(cells).rstrip())

    def title(self, text):
        self.lines.append(f"\n{text}")

    def show(self):
        print("\n".join(self.lines), flush=True)
        return self.failed

    def call(self, title, zero, parties):
        self.title(title)
        self.lines.append(f"  {'who':<16}{'heard':<25}{'from':>8}{'to':>9}   verdict")
        for party in parties:
            for what, start, end, verdict in party.rows(zero):
                times = "".join(f"{t:>7.2f} s" if t is not None else f"{'-':>9}" for t in (start, end))
                self.line(verdict == "ok", f"{party.who:<14}", f"{what:<23}{times}", f" {verdict}")
        for party in parties:
            text, good = party.media()
            self.line(good, f"{party.who:<14}", text, "ok" if good else "NOT AS EXPECTED")

    def fact(self, text, value, good):
        self.line(good, f"{text:<54}", f"{value}", " ok" if good else " NOT AS EXPECTED")


def together(table, caller, agent, whisper):
    """What one side hears against what the other hears."""
    after = caller.begins(BEEP), agent.ends(whisper)
    joined = caller.begins(AGENT_TONE), agent.begins(CALLER_TONE)
    for text, times, most in (
            ("the customer whisper begins when the agent's ends, by", after,
             SOON_MS if whisper else PAUSE_OF_SPEECH_MS),
            ("both hear each other from the same moment, within", joined, SOON_MS)):
        known = None not in times
        table.fact(text, f"{times[0] - times[1]:+d} ms" if known else "-",
                   known and abs(times[0] - times[1]) <= most)


# ---- the calls -------------------------------------------------------------------------------------


async def hears_for(call, hz, ms, timeout=20):
    """Waits until a leg has heard a tone for so long; a syllable may look like it for a moment."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        heard = (await call.report())["heard"]
        if any(h["hz"] == hz and h["to_ms"] - h["from_ms"] >= ms for h in heard):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{call.phone.user} did not hear {hz} Hz for {ms} ms: {heard}")


async def talk(shop, call, leg, caller, phone):
    await hears_for(leg, caller.tone, 1500)
    await hears_for(call, phone.tone, 1500)


async def clear(shop, phone):
    agent = phone.user
    await shop.until_agent(agent, "AfterCallWork")
    shop.call("agent.clear", agent=agent)
    await shop.until_agent(agent, "Available")
    shop.call("agent.logout", agent=agent)
    await phone.register(expires=0)


async def spoken_call(shop, caller, table):
    """The instance as it is shipped; the agent accepts on the panel, and hangs up."""
    phone = await shop.employee("dnovak")
    zero = time.monotonic() * 1000 - shop.epoch
    call = await shop.dial(caller, SPOKEN)
    await call.answered()
    await asyncio.sleep(5.5)
    key = time.monotonic() * 1000 - shop.epoch
    await call.digits("1")
    await hears_for(call, MUSIC, 500)
    await shop.until_agent("dnovak", "Offered")
    await asyncio.sleep(1)
    phone.auto = "answer"
    shop.call("contact.accept", agent="dnovak")
    leg = await phone.incoming()
    await talk(shop, call, leg, caller, phone)
    shop.call("contact.leave", agent="dnovak")
    await call.ended()
    await leg.ended()
    heard = Heard("caller", await call.report(), [
        ("welcome, menu, to key 1", VOICE, 3000, 6000), ("words of the queue", VOICE, 2000, 6000),
        ("music", MUSIC, 1000, ANY), ("beep", BEEP, BEEP_MS, BEEP_MS),
        ("the agent", AGENT_TONE, 1400, 3000)], key)
    agent = Heard("agent dnovak", await leg.report(), [
        ("whisper: the queue", VOICE, 200, 2000), ("the caller", CALLER_TONE, 1400, 3000)])
    await clear(shop, phone)
    table.call("The example instance, spoken; a panel phone", zero, (heard, agent))
    together(table, heard, agent, VOICE)


async def tone_call(shop, caller, table):
    """Tones for words; the agent's phone rings, and the caller hangs up."""
    phone = await shop.employee("csilva")
    zero = time.monotonic() * 1000 - shop.epoch
    call = await shop.dial(caller, TONES)
    await call.hears(MENU)
    await asyncio.sleep(0.5)
    await call.digits("1")
    leg = await phone.incoming()
    await leg.ring()
    await call.hears(MUSIC)
    await asyncio.sleep(1)
    await leg.answer()
    await talk(shop, call, leg, caller, phone)
    await call.hang_up()
    await leg.ended()
    heard = Heard("caller", await call.report(), [
        ("welcome", GREETING, 600, 600), ("menu, to key 1", MENU, 500, 2500),
        ("music", MUSIC, 1000, 5000), ("beep", BEEP, BEEP_MS, BEEP_MS), ("the agent", AGENT_TONE, 1400, 3000)])
    agent = Heard("agent csilva", await leg.report(), [
        ("whisper", WHISPER, 600, 600),
        ("the caller", CALLER_TONE, 1400, 3000, BEEP_MS + LONGEST_CHANGE_MS)])
    await clear(shop, phone)
    table.call("The same in tones; a ring phone", zero, (heard, agent))
    together(table, heard, agent, WHISPER)


# ---- a transfer ------------------------------------------------------------------------------------


WHO = {CALLER_TONE: "the caller", AGENT_TONE: "dnovak", OTHER_TONE: "csilva", ON_HOLD: "hold music",
       AGENT_ON_HOLD: "agent hold music"}


async def moment(table, text, legs, expected):
    """One row: what each party hears now, against what it should."""
    found = await who_hears(*legs)
    names = [" + ".join(sorted(WHO.get(hz, name_of(hz)) for hz in is_)) or "-" for is_ in found]
    table.line(found == [set(e) for e in expected], f"{text:<22}", *(f"{n:<20}" for n in names),
               "" if found == [set(e) for e in expected] else " NOT AS EXPECTED")


async def transfer_call(shop, caller, table):
    """The agent picks another agent's quick connect, talks, joins all, holds all, and leaves."""
    phone, other = await shop.employee("dnovak"), await shop.employee("csilva", OTHER_TONE)
    shop.call("agent.set_status", agent="csilva", status="Offline")  # not for this call yet
    phone.auto = "answer"
    call = await shop.dial(caller, TONES)
    await call.hears(MENU)
    await call.digits("1")
    await shop.until_agent("dnovak", "Offered")
    shop.call("contact.accept", agent="dnovak")
    source = await phone.incoming()
    await talk(shop, call, source, caller, phone)
    table.title("A transfer by quick connect: agent dnovak to agent csilva")
    table.lines.append(f"  {'moment':<22}  {'caller hears':<20}  {'dnovak hears':<20}  csilva hears")
    await moment(table, "talking", (call, source), ({AGENT_TONE}, {CALLER_TONE}))
    shop.call("agent.set_status", agent="csilva", status="Available")
    shop.call("contact.transfer", agent="dnovak", quick_connect="C. Silva")
    target = await other.incoming()
    await target.ring()
    await target.answer()
    await target.hears(AGENT_TONE)
    legs = call, source, target
    await moment(table, "csilva has answered", legs, ({ON_HOLD}, {OTHER_TONE}, {AGENT_TONE}))
    shop.call("contact.join", agent="dnovak")
    await moment(table, "Join", legs, ({AGENT_TONE, OTHER_TONE}, {CALLER_TONE, OTHER_TONE},
                                       {CALLER_TONE, AGENT_TONE}))
    shop.call("contact.hold_all", agent="dnovak")
    await moment(table, "Hold all", legs, ({ON_HOLD}, set(), {AGENT_ON_HOLD}))
    shop.call("contact.leave", agent="dnovak")
    await source.ended()
    await moment(table, "dnovak leaves", (call, target), ({OTHER_TONE}, {CALLER_TONE}))
    state = shop.agent_state("dnovak")
    table.fact("dnovak is now in", state, state == "AfterCallWork")
    await call.hang_up()
    await target.ended()
    for one in (phone, other):
        await clear(shop, one)


# ---- what is left ------------------------------------------------------------------------------------


def record_row(record):
    agent, queue = record["Agent"] or {}, record["Queue"] or {}
    return {"Method": record["InitiationMethod"], "Customer": record["CustomerEndpoint"]["Address"],
            "Number": record["SystemEndpoint"]["Address"], "Queue": queue.get("Name"),
            "Agent": agent.get("Username"), "Disconnected by": record["DisconnectReason"]}


async def show_transfer(shop, table):
    """The records of the last transfer: two, chained."""
    rows = [r for r in await shop.records(2) if r["InitiationMethod"] == "TRANSFER"]
    last = max(rows, key=lambda r: r["InitiationTimestamp"])
    first = next(r for r in await shop.records(2) if r["ContactId"] == last["PreviousContactId"])
    table.title("Contact records of the transfer")
    for record, wanted in ((first, ("INBOUND", "dnovak")), (last, ("TRANSFER", "csilva"))):
        found = record["InitiationMethod"], (record["Agent"] or {}).get("Username")
        table.line(found == wanted, record["ContactId"], *(f"{text}" for text in found))
    table.fact("each names the other as next and previous", "",
               first["NextContactId"] == last["ContactId"] and last["NextContactId"] is None)


async def show_records(shop, table, calls):
    records = await shop.records(calls)
    table.title("Contact records")
    for number, agent, reason in ((SPOKEN, "dnovak", "AGENT_DISCONNECT"),
                                  (TONES, "csilva", "CUSTOMER_DISCONNECT")):
        record = max((r for r in records if r["SystemEndpoint"]["Address"] == number),
                     key=lambda r: r["InitiationTimestamp"])
        wanted = {"Method": "INBOUND", "Customer": CALLER, "Number": number, "Queue": "Orders",
                  "Agent": agent, "Disconnected by": reason}
        table.line(True, record["ContactId"])
        for name, value in record_row(record).items():
            table.line(value == wanted[name], f"  {name:<18}", f"{value}",
                       "" if value == wanted[name] else f" expected {wanted[name]}")
        details = record["Agent"] or {}
        for name, value in (("In the queue", (record["Queue"] or {}).get("Duration")),
                            ("Talked", details.get("AgentInteractionDuration")),
                            ("After-contact work", details.get("AfterContactWorkDuration"))):
            table.line(value is not None, f"  {name:<18}", f"{value} s")
    table.fact("records, one for each call", len(records), len(records) == calls)


async def show_status(shop, table):
    command = [stage.BUILDS.cordctl, "--socket", shop.directory / "control.sock", "status"]
    table.title("cordctl status")
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    table.line(True, (done.stdout + done.stderr).strip().replace("\n", "\n  "))
    table.title("Afterwards")
    table.fact("cordctl status", f"exit {done.returncode}", done.returncode == 0)
    status = shop.status()
    plane = status["dataplane"]
    for name, value in (("contacts", status["contacts"]["used"]), ("legs", status["contacts"]["legs"]),
                        ("SIP sessions", status["sip"]["sessions"]["used"]),
                        ("media ports", plane["ports"]["used"]),
                        ("media rooms", plane["rooms"]["used"])):
        table.fact(f"{name} in use", value, value == 0)


async def settled(shop):
    """Sessions stay for the repeats that a lost message would bring."""
    def idle():
        status = shop.status()
        return not status["contacts"]["used"] and not status["dataplane"]["ports"]["used"]
    await eventually("contacts and ports to be free", idle)


async def attempt(shop, caller, call):
    """Makes a call and shows its table; returns (lines that are not as expected, calls made). A call
    is made again when the machine did not let the dataplane run: no software can play then."""
    for number in range(1, ATTEMPTS + 1):
        table = Table()
        before = shop.call("dataplane.stats")["sum"]
        await call(shop, caller, table)
        after = shop.call("dataplane.stats")["sum"]
        concealed, skipped = (after[n] - before[n] for n in ("frames_concealed", "ticks_skipped"))
        table.fact("periods concealed in this call", concealed, concealed == 0)
        if not table.failed or not skipped or number == ATTEMPTS:
            return table.show(), number
        print(f"\nthe machine kept the dataplane from running ({skipped} ticks skipped, "
              f"{table.failed} lines not as expected): the call is made again")


async def demo():
    begun = time.monotonic()
    async with Shop() as shop:
        shop.epoch = (await shop.ear.wait(lambda e: e["event"] == "start"))["monotonic_ms"]
        caller = await shop.caller(CALLER, port=TRUNK_PORT, tone=CALLER_TONE)
        failed = calls = 0
        for call in (spoken_call, tone_call):
            lines, made = await attempt(shop, caller, call)
            failed, calls = failed + lines, calls + made
        table = Table()
        await show_records(shop, table, calls)
        failed += table.show()
        lines, _ = await attempt(shop, caller, transfer_call)
        failed += lines
        table = Table()
        await show_transfer(shop, table)
        await settled(shop)
        await show_status(shop, table)
        failed += table.show()
    verdict = f"{failed} lines are NOT as expected" if failed else "every line is as expected"
    print(f"\n{verdict}, {time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    options = parser.parse_args()
    stage.BUILDS = stage.Builds(options.build, options.build)
    # what else the machine does is not what is shown: a media process has cores of its own
    os.nice(-15)
    # of the mount namespace: gone with it, whatever ends us
    stage.run("mount", "-t", "tmpfs", "tmpfs", "/mnt")
    tempfile.tempdir = "/mnt"
    return asyncio.run(demo())


if __name__ == "__main__":
    sys.exit(main())
