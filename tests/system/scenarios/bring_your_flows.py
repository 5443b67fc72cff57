# SPDX-License-Identifier: Apache-2.0
"""Real exports, unchanged, on real calls. They lie in ../shared; without it these are skipped."""
import asyncio
import os
import pathlib
import re

from main_job import never
from stage import MUSIC, TOP, TRUNK, Skip, Stage, eventually

SHARED = pathlib.Path(os.environ.get("CORDBOARD_SHARED", TOP.parent / "shared"))
SPEECH = 0  # sound that is no tone


def bring(stage, file, name, kind):
    """Lays an export into the instance; the prompts that it names are music here."""
    path = SHARED / "flows" / "corpus" / file
    if not path.exists():
        raise Skip(f"no {path}")
    text = path.read_text(encoding="utf-8")
    stage.flows[path.stem] = text
    stage.instance.setdefault("flows", []).append({"file": file, "name": name, "type": kind})
    for prompt in sorted(set(re.findall(r"/prompt/([0-9a-f-]{36})", text))):
        if not any(p.get("id") == prompt for p in stage.instance["prompts"]):
            stage.instance["prompts"].append(
                {"name": f"prompt {prompt}", "id": prompt, "file": f"tone:{MUSIC}:2s"})


async def test_a_real_queue_flow_takes_a_number_and_calls_back():
    """Prompts are interrupted after 30 s; menu; a number within the country; a callback that rings."""
    stage = Stage(speech__cache="/tmp/cordboard-speech")
    bring(stage, "029-sample-interruptible-queue-flow-with-callback.json", "Sample queue", "customerQueue")
    stage.instance["cordboard"]["defaults"]["customer_queue"] = "Sample queue"
    async with stage:
        home = await stage.phone("customer", TRUNK, port=5060)
        call = await stage.dial(await stage.caller())
        await call.hears(MUSIC)
        await call.hears(SPEECH, timeout=40)
        await asyncio.sleep(0.5)
        await call.digits("1")
        await asyncio.sleep(1)
        await call.digits("2025550199#")
        await call.ended(30)
        record = (await stage.records(1))[0]
        assert record["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
        assert stage.states() == ["scheduled"] or stage.states() == ["queued"]
        phone = await stage.agent("arossi", auto="answer")
        ring = await home.incoming(15)
        assert "+12025550199" in ring.invite.uri
        await ring.answer()
        await ring.hears(phone.tone)
        await ring.hang_up()


async def test_the_default_flows_of_a_real_instance():
    """Each default replaced by the one that a company exported, its empty customer whisper included."""
    stage = Stage(speech__cache="/tmp/cordboard-speech")
    for key, file, kind in (("customer_queue", "021-default-customer-queue.json", "customerQueue"),
                            ("customer_whisper", "022-default-customer-whisper.json", "customerWhisper"),
                            ("agent_whisper", "019-default-agent-whisper.json", "agentWhisper"),
                            ("customer_hold", "020-default-customer-hold.json", "customerHold"),
                            ("agent_hold", "017-default-agent-hold.json", "agentHold"),
                            ("outbound_whisper", "023-default-outbound.json", "outboundWhisper")):
        bring(stage, file, f"Exported {key}", kind)
        stage.instance["cordboard"]["defaults"][key] = f"Exported {key}"
    async with stage:
        caller = await stage.caller()
        call = await stage.dial(caller)
        await call.hears(SPEECH)
        await call.hears(MUSIC, timeout=30)
        phone = await stage.agent("arossi", auto="answer")
        leg = await phone.incoming()
        await leg.hears(SPEECH)  # the queue's name
        await leg.hears(caller.tone)
        await call.hears(phone.tone)
        await call.hang_up()
        never(await leg.report(), MUSIC)
        await eventually("after-contact work",
                         lambda: stage.agent_state("arossi") == "AfterCallWork")
