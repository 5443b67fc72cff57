# SPDX-License-Identifier: Apache-2.0
"""Functions and services outside: a web server of the test's own answers what flows ask."""
import asyncio
import http.server
import json
import os
import ssl
import threading
import time
import urllib.request

from stage import (BEEP, CONTROL, FULL, GREETING, NUMBER, WHISPER, Stage, action, eventually, flow,
                   play, run)

PORT = 8080
LAMBDA = "arn:aws:lambda:eu-central-1:111122223333:function:"
FIXED = {"Channel": "VOICE", "CustomerId": None, "Description": None, "InitiationMethod": "INBOUND",
         "LanguageCode": "en-US", "Name": None, "PreviousContactId": None, "Queue": None,
         "CustomerEndpoint": {"Address": "+12025550199", "Type": "TELEPHONE_NUMBER"},
         "SystemEndpoint": {"Address": NUMBER, "Type": "TELEPHONE_NUMBER"},
         "MediaStreams": {"Customer": {"Audio": None}}}


class Web:
    """Answers each path with what `answers` has for it: a status and a body, after a while."""

    def __init__(self, tls=None, **answers):
        self.asked = []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                web.asked.append((self.path, json.loads(self.rfile.read(length))))
                status, body, seconds = (*answers[self.path[1:]], 0)[:3]
                time.sleep(seconds)
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def web_row(name, **more):
    return dict({"name": name, "url": f"http://127.0.0.1:{PORT}/{name}"}, **more)


def stage_with(main, functions=(), services=(), **options):
    stage = Stage(**options)
    stage.flows["main"] = main
    stage.instance["cordboard"]["numbers"] = [{"number": NUMBER, "flow": "Main"}]
    stage.files["services.yaml"] = {"functions": list(functions), "services": list(services)}
    return stage


def invoke(identifier, function, then, failed, seconds=3, **inputs):
    return action(identifier, "InvokeLambdaFunction",
                  {"LambdaFunctionARN": LAMBDA + function,
                   "InvocationTimeLimitSeconds": str(seconds),
                   "LambdaInvocationAttributes": inputs,
                   "ResponseValidation": {"ResponseType": "STRING_MAP"}}, then,
                  {"NoMatchingError": failed})


def branch(identifier, value, otherwise, **cases):
    return action(identifier, "Compare", {"ComparisonValue": value}, otherwise,
                  {"NoMatchingCondition": otherwise}, cases)


ENDING = (play("Good", "greeting", "End"), play("Bad", "full", "End"),
          action("End", "DisconnectParticipant"))


async def test_what_a_function_answers_leads_the_call():
    """The documented request goes out; its answer is what the flow compares."""
    web = Web(lookup=(200, {"level": "gold", "age": 7}))
    stage = stage_with(flow(
        "Main", "contactFlow", "Note",
        action("Note", "UpdateContactAttributes", {"Attributes": {"way": "north"}}, "Ask",
               {"NoMatchingError": "Bad"}),
        invoke("Ask", "lookup:live", "Level", "Bad", number="$.CustomerEndpoint.Address", plain="x"),
        branch("Level", "$.External.level $.External.age", "Bad", **{"gold 7": "Good"}), *ENDING),
        [web_row("lookup")])
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        await call.ended()
        record = (await stage.records(1))[0]
    web.close()
    assert len(web.asked) == 1
    event = web.asked[0][1]
    assert set(event) == {"Name", "Details"} and event["Name"] == "ContactFlowEvent"
    assert event["Details"]["Parameters"] == {"number": "+12025550199", "plain": "x"}
    data = event["Details"]["ContactData"]
    assert {name: data[name] for name in FIXED} == FIXED
    assert data["Attributes"] == {"way": "north"}
    assert data["ContactId"] == data["InitialContactId"] == record["ContactId"]
    assert data["InstanceARN"].startswith("arn:aws:connect:")


async def test_a_failing_function_is_tried_three_times_and_takes_the_error_branch():
    web = Web(broken=(500, "{}"))
    stage = stage_with(flow("Main", "contactFlow", "Ask", invoke("Ask", "broken", "Good", "Bad"),
                            *ENDING), [web_row("broken")])
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(FULL)
        await call.ended()
    web.close()
    assert len(web.asked) == 3


async def test_bad_answers_and_missing_functions_take_the_error_branch():
    """Not JSON, not flat, too large, and a function that services.yaml does not have."""
    web = Web(text=(200, "hello"), nested=(200, {"a": {"b": "c"}}), large=(200, {"a": "x" * 33000}))
    steps = [invoke(f"Ask {name}", name, "Good", f"Bad {name}") for name in
             ("text", "nested", "large", "missing")]
    order = ["Ask nested", "Ask large", "Ask missing", "End"]
    stage = stage_with(flow("Main", "contactFlow", "Ask text", *steps,
                            *(play(f"Bad {name}", prompt, then) for name, prompt, then in
                              zip(("text", "nested", "large", "missing"),
                                  ("beep", "full", "whisper", "beep"), order)), *ENDING),
                       [web_row("text"), web_row("nested"), web_row("large")])
    async with stage:
        call = await stage.dial(await stage.caller())
        for tone in (BEEP, FULL, WHISPER, BEEP):
            await call.hears(tone)
        await call.ended()
        stage.log.flush()
        log = (stage.directory / "log").read_text(encoding="utf-8")
    web.close()
    assert "'Ask missing'" in log and f"'{LAMBDA}missing'" in log
    assert any("expected JSON" in line for line in log.splitlines())


async def test_a_slow_function_holds_up_nobody_else():
    """It times out and its caller goes on; meanwhile another call comes and is served."""
    web = Web(slow=(200, {}, 10), quick=(200, {"ok": "yes"}))
    stage = stage_with(flow("Main", "contactFlow", "Ask", invoke("Ask", "slow", "Good", "Bad", 4),
                            *ENDING), [web_row("slow"), web_row("quick")])
    stage.flows["other"] = flow("Other", "contactFlow", "Ask", invoke("Ask", "quick", "Good", "Bad"),
                                *ENDING)
    stage.instance["cordboard"]["numbers"].append({"number": "+12025550101", "flow": "Other"})
    async with stage:
        began = time.monotonic()
        slow = await stage.dial(await stage.caller())
        await eventually("the slow function to be asked", lambda: web.asked)
        quick = await stage.dial(await stage.caller("+12025550198", port=5080), "+12025550101")
        await quick.hears(GREETING)
        await quick.ended()
        assert time.monotonic() - began < 3.5
        await slow.hears(FULL)
        assert time.monotonic() - began > 3.9
        await slow.ended()
    web.close()


async def test_a_caller_who_hangs_up_leaves_no_question_behind():
    web = Web(slow=(200, {}, 3), quick=(200, {}))
    stage = stage_with(flow("Main", "contactFlow", "Ask", invoke("Ask", "slow", "Good", "Bad", 8),
                            *ENDING), [web_row("slow", concurrency=1)])
    async with stage:
        for _ in range(2):
            call = await stage.dial(await stage.caller())
            asked = len(web.asked)
            await eventually("the function to be asked", lambda: len(web.asked) > asked)
            await call.hang_up()
            await stage.until_states()
            await stage.phones[-1].close()
            stage.phones.pop()
    web.close()


def tls_stage(*actions, functions):
    """A stage, and the server's side of TLS under a certificate of its own, own.pem."""
    stage = stage_with(flow("Main", "contactFlow", "Ask", *actions, *ENDING), functions)
    key, certificate = stage.directory / "key.pem", stage.directory / "own.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=functions",
        "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", certificate)
    stage.files["own.pem"] = certificate.read_text(encoding="utf-8")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    return stage, Web(tls, it=(200, {}))


URL = f"https://127.0.0.1:{PORT}/it"


async def test_a_function_behind_tls_must_prove_who_it_is():
    """A certificate that nobody vouches for is refused; a row may name the one to trust."""
    stage, web = tls_stage(invoke("Ask", "strange", "Bad", "Known"),
                           invoke("Known", "known", "Again", "Bad"),
                           invoke("Again", "strange", "Bad", "Good"),
                           functions=[web_row("strange", url=URL),
                                      web_row("known", url=URL, ca_file="own.pem")])
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        await call.ended()
        stage.log.flush()
        log = (stage.directory / "log").read_text(encoding="utf-8")
    web.close()
    assert len(web.asked) == 1
    assert any("'Ask'" in line and "certificate" in line for line in log.splitlines())


async def test_a_function_that_the_system_trusts_needs_no_more():
    stage, web = tls_stage(invoke("Ask", "it", "Good", "Bad"), functions=[web_row("it", url=URL)])
    os.environ["SSL_CERT_FILE"] = str(stage.directory / "instance" / "own.pem")
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        await call.ended()
    web.close()


async def test_nobody_waits_for_a_function_that_is_asked_by_the_way():
    """The flow goes on at once; the function is asked to the end, also when the call is over."""
    web = Web(note=(202, "", 0), broken=(500, "{}", 1))
    steps = [invoke("Note", "note", "Broken", "Bad", 8), invoke("Broken", "broken", "Good", "Bad", 8)]
    for step in steps:
        step["Parameters"]["InvocationType"] = "ASYNCHRONOUS"
    stage = stage_with(flow("Main", "contactFlow", "Note", *steps, *ENDING),
                       [web_row("note"), web_row("broken")])
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        await call.ended()
        assert sorted(path for path, _ in web.asked) == ["/broken", "/note"]
        await eventually("three tries", lambda: len(web.asked) == 4)

        def told():
            stage.log.flush()
            return "action 'Broken'" in (stage.directory / "log").read_text(encoding="utf-8")
        await eventually("the failure to be logged", told)
        assert "action 'Note'" not in (stage.directory / "log").read_text(encoding="utf-8")
    web.close()


async def test_a_program_is_a_function():
    """It gets the event on its standard input."""
    script = ('import json, sys; event = json.load(sys.stdin); '
              'print(json.dumps({"sum": str(int(event["Details"]["Parameters"]["a"]) + 1)}))')
    stage = stage_with(flow("Main", "contactFlow", "Ask", invoke("Ask", "add", "Sum", "Bad", a="41"),
                            branch("Sum", "$.External.sum", "Bad", **{"42": "Broken"}),
                            invoke("Broken", "broken", "Bad", "Good"), *ENDING),
                       [{"name": "add", "program": ["python3", "-c", script]},
                        {"name": "broken", "program": ["false"]}],
                       admin__metrics=f"{CONTROL}:9099")
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        await call.ended()

        def fetch():
            with urllib.request.urlopen(f"http://{CONTROL}:9099/metrics", timeout=5) as page:
                return page.read().decode()
        text = await asyncio.to_thread(fetch)
        for line in ('service_calls_total{result="answered"} 1',
                     'service_calls_total{result="failed"} 1', "service_calls_in_flight 0"):
            assert f"cordboard_{line}\n" in text, text


async def test_a_service_answers_an_action():
    """One that asks nothing of the caller: its result is the branch."""
    web = Web(profile=(200, {"Result": ""}), none=(200, {"Error": "NoneFoundError"}))
    found = {"NoMatchingError": "Bad", "NoneFoundError": "Good", "MultipleFoundError": "Bad"}
    stage = stage_with(flow("Main", "contactFlow", "Task",
                            action("Task", "CreateTask", {"Name": "call $.CustomerEndpoint.Address"},
                                   "Profile", {"NoMatchingError": "Bad"}),
                            action("Profile", "GetCustomerProfile", {}, "Bad", found), *ENDING),
                       services=[{"type": "CreateTask", "url": f"http://127.0.0.1:{PORT}/profile"},
                                 {"type": "GetCustomerProfile",
                                  "url": f"http://127.0.0.1:{PORT}/none"}])
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(GREETING)
        await call.ended()
    web.close()
    event = web.asked[0][1]
    assert event["Name"] == "ContactFlowService"
    assert event["Details"]["Action"] == "CreateTask"
    assert event["Details"]["Parameters"] == {"Name": "call +12025550199"}
    assert event["Details"]["ContactData"]["Channel"] == "VOICE"


def bot_stage(answer, first_key=3):
    """A bot behind the menu: tones say which way it went."""
    return stage_with(flow(
        "Main", "contactFlow", "Bot",
        action("Bot", "ConnectParticipantWithLexBot",
               {"PromptId": "beep", "LexV2Bot": {"AliasArn": "arn:aws:lex:bot"},
                "LexTimeoutSeconds": {"Text": str(first_key)}}, None,
               {"NoMatchingCondition": "Bad", "NoMatchingError": "Bad",
                "InputTimeLimitExceeded": "Silent"}, {"OrderStatus": "City"}),
        branch("City", "$.Lex.Slots.City $.Lex.IntentName", "Bad",
               **{"Rome OrderStatus": "Good"}),
        play("Silent", "whisper", "End"), *ENDING),
        services=[{"type": "ConnectParticipantWithLexBot",
                   "url": f"http://127.0.0.1:{PORT}/bot"}] if answer else []), Web(bot=(200, answer))


UNDERSTOOD = {"Result": "OrderStatus",
              "Values": {"IntentName": "OrderStatus", "Slots.City": "Rome"}}


async def test_a_bot_gets_what_the_caller_types():
    """The prompt is played and stops at the first key; star begins again; hash ends it."""
    stage, web = bot_stage(UNDERSTOOD)
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(BEEP)
        await call.digits("9*471")
        await call.digits("1#")
        await call.hears(GREETING)
        await call.ended()
    web.close()
    assert len(web.asked) == 1
    details = web.asked[0][1]["Details"]
    assert details["InputTranscript"] == "4711"
    assert details["Action"] == "ConnectParticipantWithLexBot"
    assert details["Parameters"]["LexV2Bot.AliasArn"] == "arn:aws:lex:bot"


async def test_a_bot_that_hears_nothing_is_not_asked():
    stage, web = bot_stage(UNDERSTOOD, first_key=1)
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(BEEP)
        await call.hears(WHISPER)
        await call.ended()
    web.close()
    assert not web.asked


async def test_a_bot_whose_prompt_is_missing_takes_the_error_branch():
    stage, web = bot_stage(UNDERSTOOD)
    stage.instance["prompts"] = [dict(row, file="gone.wav") if row["name"] == "beep" else row
                                 for row in stage.instance["prompts"]]
    stage.files["prompts/gone.wav"] = "no sound"
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(FULL)
        await call.ended()
    web.close()
    assert not web.asked


async def test_without_a_bot_the_error_branch_is_taken_at_once():
    stage, web = bot_stage(None)
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(FULL)
        await call.ended()
    web.close()
    assert not web.asked


async def test_control_stops_while_functions_are_asked():
    """One that a flow waits for, and one that nobody does: the stage sees that all is given back."""
    web = Web(late=(200, {}, 5))
    asynchronous = invoke("Note", "late", "Ask", "Bad", 8)
    asynchronous["Parameters"]["InvocationType"] = "ASYNCHRONOUS"
    stage = stage_with(flow("Main", "contactFlow", "Note", asynchronous,
                            invoke("Ask", "late", "Good", "Bad", 8), *ENDING), [web_row("late")])
    async with stage:
        await stage.dial(await stage.caller())
        await eventually("both to be asked", lambda: len(web.asked) == 2)
    web.close()


async def test_a_caller_hangs_up_while_a_bot_speaks_and_while_it_listens():
    stage, web = bot_stage(UNDERSTOOD)
    async with stage:
        caller = await stage.caller()
        for keys in ("", "47"):
            call = await stage.dial(caller)
            await call.hears(BEEP)
            if keys:
                await call.digits(keys)
            await call.hang_up()
            await stage.until_states()
        call = await stage.dial(caller)
        await call.hears(BEEP)
        await call.digits("1#")
        await call.hears(GREETING)
        await call.ended()
    web.close()
    assert len(web.asked) == 1


async def test_a_reload_takes_over_where_functions_are():
    web = Web(first=(500, "{}"), second=(200, {}))
    stage = stage_with(flow("Main", "contactFlow", "Ask", invoke("Ask", "it", "Good", "Bad"), *ENDING),
                       [dict(web_row("first"), name="it")])
    async with stage:
        call = await stage.dial(await stage.caller())
        await call.hears(FULL)
        await call.ended()
        stage.files["services.yaml"]["functions"] = [dict(web_row("second"), name="it")]
        stage.write_instance()
        stage.call("reload")
        call = await stage.dial(await stage.caller("+12025550197", port=5081))
        await call.hears(GREETING)
        await call.ended()
    web.close()
