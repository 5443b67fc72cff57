#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the harnesses of this folder: seeds.py SOURCE SHARED OUT.

Writes OUT/<harness>/<file>. SHARED (messages of RFC 4475, flows) may be missing: then what the
source tree has is all. What tests/fuzz/corpus holds of a harness is copied: inputs that earlier runs
came upon, minimised, all grown from seeds of this tree.
"""
import json
import pathlib
import struct
import sys

source, shared, out = map(pathlib.Path, sys.argv[1:4])
ZONES = pathlib.Path("/usr/share/zoneinfo")


def seed(harness, name, data):
    folder = out / harness
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def files(folder, pattern):
    return sorted(folder.glob(pattern)) if folder.is_dir() else []


def sip():
    sdp = ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
           "m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
           "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n")
    head = ("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport\r\nFrom: <sip:a@192.0.2.1>;tag=a\r\n"
            "To: \"B\" <sip:100@192.0.2.2>\r\nCall-ID: one\r\nCSeq: 1 %s\r\n"
            "Contact: <sip:a@192.0.2.1>\r\nMax-Forwards: 70\r\n")
    seed("fuzz_sdp", "offer", sdp)
    seed("fuzz_sdp", "opus", sdp.replace("0 8 101", "111 9 0 13 110 101") +
         "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 maxplaybackrate=16000;useinbandfec=1;usedtx=1;"
         "maxaveragebitrate=24000;minptime=10;stereo=0;cbr=0\r\na=rtpmap:110 telephone-event/48000\r\n"
         "a=rtpmap:13 CN/8000\r\na=rtcp-mux\r\na=rtcp:30001 IN IP4 192.0.2.1\r\na=maxptime:60\r\n")
    seed("fuzz_sdp", "crypto", sdp.replace("RTP/AVP", "RTP/SAVP") +
         "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd|2^31\r\n"
         "a=crypto:2 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw== WSH=64 -X=1\r\n"
         "a=crypto:3 AEAD_AES_256_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="
         "|1048576|1:4 KDR=1 UNENCRYPTED_SRTP\r\n")
    seed("fuzz_sip_message", "invite", "INVITE sip:100@192.0.2.2 SIP/2.0\r\n" + head % "INVITE" +
         "Supported: timer\r\nSession-Expires: 100;refresher=uac\r\nRoute: <sip:p;lr>\r\n"
         "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(sdp) + sdp)
    seed("fuzz_sip_message", "register", "REGISTER sip:192.0.2.2 SIP/2.0\r\n" + head % "REGISTER" +
         "Expires: 300\r\nAuthorization: Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"sip:r\","
         "response=\"%s\",algorithm=SHA-256,qop=auth,nc=00000001,cnonce=\"c\"\r\n\r\n" % ("0" * 64))
    seed("fuzz_sip_message", "ok", "SIP/2.0 200 OK\r\n" + head % "INVITE" + "l: 0\r\n\r\n")
    seed("fuzz_sip_message", "refer", "REFER sip:100@192.0.2.2 SIP/2.0\r\n" + head % "REFER" +
         "r: \"B\" <sip:200@192.0.2.2;user=phone?Replaces=one%40192.0.2.1%3Bto-tag%3Da"
         "%3Bfrom-tag%3Db%3Bearly-only&Require=replaces>\r\nb: <sip:a@192.0.2.1>\r\n"
         "Refer-Sub: false\r\nReplaces: one;to-tag=a;from-tag=b\r\n\r\n")
    for path in files(shared / "sip-torture", "*.dat"):
        data = path.read_bytes()
        seed("fuzz_sip_message", path.stem, data)
        if b"v=0" in data:
            seed("fuzz_sdp", path.stem, data[data.index(b"v=0"):])


# One flow of each: type, parameters, conditions ("operator operand"), errors.
ACTIONS = [
    ("MessageParticipant", {"Text": "Hi $.Attributes.name, $.External['a b']"}, [], []),
    ("MessageParticipant", {"SSML": "<speak>x</speak>"}, [], ["NoMatchingError"]),
    ("MessageParticipant", {"Media": {"Uri": "s3://b/$.ContactId.wav", "SourceType": "S3"}}, [], []),
    ("MessageParticipantIteratively", {"Messages": [{"Text": "t"}, {"PromptId": "p"}],
     "InterruptFrequencySeconds": "30", "ContinueMessagingDuringInterrupt": "true"},
     ["Equals MessagesInterrupted"], ["NoMatchingError"]),
    ("GetParticipantInput", {"Text": "t", "InputTimeLimitSeconds": "5", "StoreInput": "False"},
     ["Equals 1", "Equals *"], ["InputTimeLimitExceeded", "NoMatchingCondition"]),
    ("GetParticipantInput", {"StoreInput": "True", "InputValidation": {"CustomValidation":
     {"MaximumLength": "4"}}, "InputEncryption": {"EncryptionKeyId": "k", "Key": "pem"},
     "DTMFConfiguration": {"InputTerminationSequence": "*9", "DisableCancelKey": "True",
     "InterdigitTimeLimitSeconds": "3"}}, [], ["NoMatchingError"]),
    ("GetParticipantInput", {"StoreInput": True, "InputValidation": {"PhoneNumberValidation":
     {"NumberFormat": "Local", "CountryCode": "US"}}}, [], ["InvalidPhoneNumber"]),
    ("ConnectParticipantWithLexBot", {"Text": "t", "LexV2Bot": {"AliasArn": "arn:a"},
     "LexSessionAttributes": {"x:y": "$.Lex.IntentName"}}, ["Equals Book"], ["NoMatchingError"]),
    ("TransferContactToQueue", {}, [], ["QueueAtCapacity", "NoMatchingError"]),
    ("DequeueContactAndTransferToQueue", {"QueueId": "$.Attributes.q"}, [], ["QueueAtCapacity"]),
    ("CreateCallbackContact", {"InitialCallDelaySeconds": 5, "MaximumConnectionAttempts": 2,
     "RetryDelaySeconds": "60", "QueueId": "q", "CallerId": "+12025550100"}, [], []),
    ("TransferContactToAgent", {}, [], []),
    ("TransferParticipantToThirdParty", {"ThirdPartyPhoneNumber": "+12025550143",
     "ThirdPartyConnectionTimeLimitSeconds": "$.Attributes.t", "ContinueFlowExecution": "True",
     "ThirdPartyDTMFDigits": "1,2#", "CallerId": {"Number": "+12025550100", "Name": "Us"}}, [],
     ["CallFailed", "ConnectionTimeLimitExceeded", "NoMatchingError"]),
    ("TransferToFlow", {"ContactFlowId": "f"}, [], ["NoMatchingError"]),
    ("EndFlowExecution", {}, [], []),
    ("InvokeFlowModule", {"FlowModuleId": "m:$LATEST", "Input": {"a": {"b": ["$.Channel"]}}},
     ["Equals done"], ["NoMatchingCondition", "NoMatchingError"]),
    ("EndFlowModuleExecution", {"Result": "done", "ResultData": {"a": "$.Modules.Input.a.b[0]"}},
     [], []),
    ("UpdateContactTargetQueue", {"AgentId": "$.External.a"}, [], ["NoMatchingError"]),
    ("UpdateContactAttributes", {"Attributes": {"a": "$.External.a", "b": "$.Modules.Result"},
     "TargetContact": "Related"}, [], []),
    ("UpdateFlowAttributes", {"FlowAttributes": {"a": {"Value": "$.FlowAttributes.a x"}}}, [], []),
    ("UpdateContactData", {"LanguageCode": "de-DE", "References": {"a": {"Value": "v"}}}, [], []),
    ("Compare", {"ComparisonValue": "$.External.a"}, ["Equals $.Attributes.a", "TextContains b",
     "NumberGreaterOrEqualTo 5", "TextStartsWith a", "TextEndsWith c", "KeyExists b"], []),
    ("CheckHoursOfOperation", {"HoursOfOperationId": "h"}, ["Equals True", "Equals False"], []),
    ("CheckMetricData", {"MetricType": "OldestContactInQueueAgeSeconds"},
     ["NumberLessThan 300000"], ["NoMatchingCondition"]),
    ("GetMetricData", {"QueueChannel": "Voice"}, [], ["NoMatchingError"]),
    ("Loop", {"LoopCount": 3}, ["Equals ContinueLooping", "Equals DoneLooping"], []),
    ("DistributeByPercentage", {}, ["NumberLessThan 31"], ["NoMatchingCondition"]),
    ("Wait", {"TimeLimitSeconds": "9", "Events": ["CustomerReturned"]}, ["Equals WaitCompleted"], []),
    ("InvokeLambdaFunction", {"LambdaFunctionARN": "arn:f", "InvocationTimeLimitSeconds": "8",
     "LambdaInvocationAttributes": {"a": "$.StoredCustomerInput"}, "ResponseValidation":
     {"ResponseType": "JSON"}, "InvocationType": "SYNCHRONOUS"}, [], ["NoMatchingError"]),
    ("UpdateContactEventHooks", {"EventHooks": {"CustomerQueue": "q"}, "EventHooksConfiguration":
     {"CustomerQueue": {"DisableExecution": "true"}}}, [], []),
    ("UpdateContactRecordingBehavior", {"RecordingBehavior": {"RecordedParticipants":
     ["Agent", "Customer"]}}, [], []),
    ("UpdateContactMediaStreamingBehavior", {"MediaStreamingState": "Enabled", "Participants":
     [{"ParticipantType": "Customer", "MediaDirections": ["From", "To"]}]}, [], []),
    ("UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": "Enabled"}, [], []),
    ("UpdateContactTextToSpeechVoice", {"TextToSpeechVoice": "Joanna"}, [], []),
    ("UpdateContactCallbackNumber", {"CallbackNumber": "$.StoredCustomerInput"}, [],
     ["InvalidCallbackNumber", "CallbackNumberNotDialable"]),
    ("UpdateContactRoutingBehavior", {"QueueTimeAdjustmentSeconds": "-60"}, [], []),
    ("UpdateContactRoutingCriteria", {"RoutingCriteria": {"Steps": [{"Expression":
     {"AttributeCondition": {"Name": "n", "Value": "$.Attributes.a", "ProficiencyLevel": 4}},
     "Expiry": {"DurationInSeconds": "30"}}]}}, [], []),
    ("UpdatePreviousContactParticipantState", {"PreviousContactParticipantState": "OffHold"}, [], []),
    ("CompleteOutboundCall", {"CallerId": {"Number": "$.Queue.OutboundCallerId.Address"}}, [], []),
    ("TagContact", {"Tags": {"a": "b"}}, [], []),
    ("UntagContact", {"TagKeys": ["a"]}, [], []),
    ("ShowView", {"ViewResource": {"Id": "v"}, "ViewData": {"a": [{"b": "c"}]}}, [], []),
]

# Module, target, parameters, branches ("condition operator value").
MODULES = [
    ("PlayPrompt", None, {"Text": "Hi", "TextToSpeechType": "ssml"}, ["Success", "Error"]),
    ("GetUserInput", "Digits", {"Text": "t", "Timeout": "5", "MaxDigits": "1"},
     ["Evaluate Equals 1", "Timeout", "NoMatch", "Error"]),
    ("GetUserInput", "Lex", {"BotName": "b"}, ["Evaluate Equals Book", "NoMatch"]),
    ("StoreUserInput", None, {"CustomerInputType": "Custom", "MaxDigits": 4, "EncryptEntry": True,
     "EncryptionKey": "pem", "TerminatorDigits": "#"}, ["Success", "InvalidNumber", "Error"]),
    ("LoopPrompts", None, {"AudioPrompt": "p", "InterruptSeconds": 30}, ["Timeout", "Error"]),
    ("Transfer", "Queue", {"Queue": "q"}, ["Success", "AtCapacity", "Error"]),
    ("Transfer", "PhoneNumber", {"PhoneNumber": "+12025550143", "TimeLimit": "30",
     "BlindTransfer": False}, ["Success", "CallFailure", "Timeout", "Error"]),
    ("CheckAttribute", None, {"Attribute": "Customer Number", "Namespace": "System"},
     ["Evaluate StartsWith +1", "Evaluate GreaterThan 5", "NoMatch"]),
    ("CheckStaffing", None, {"Status": "Online"}, ["True", "False", "Error"]),
    ("CheckQueueStatus", None, {}, ["CheckQueueTime LessThan 300000", "NoMatch"]),
    ("PercentileBranching", None, {}, ["Evaluate Equals 30", "NoMatch"]),
    ("SetAttributes", None, {"Attribute": "v"}, ["Success", "Error"]),
    ("InvokeExternalResource", "Lambda", {"FunctionArn": "f", "Parameter": "v"}, ["Success"]),
    ("SetEventHook", None, {"Type": "AgentWhisper", "ContactFlowId": "w"}, ["Success"]),
    ("SetRecordingBehavior", None, {"RecordingBehaviorOption": "Enable",
     "RecordingParticipantOption": "Both"}, ["Success"]),
    ("CreateCallback", None, {"InitialDelaySeconds": 5, "RetryDelaySeconds": 60,
     "MaxRetryAttempts": 1}, ["Success", "Error"]),
    ("Resume", None, {}, []),
]


def action(identifier, kind, parameters, conditions, errors):
    compared = [c.split(" ", 1) for c in conditions]
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters, "Transitions": {
        "NextAction": "bye", "Errors": [{"ErrorType": e, "NextAction": "bye"} for e in errors],
        "Conditions": [{"NextAction": "bye", "Condition": {"Operator": c[0], "Operands": [c[1]]}}
                       for c in compared]}}


def module(kind, target, parameters, branches):
    return {"id": "a", "type": kind, "target": target,
            "parameters": [{"name": n, "value": v, "key": "k", "namespace": None}
                           for n, v in parameters.items()],
            "branches": [dict(zip(("condition", "conditionType", "conditionValue"), b.split(" ")),
                              transition="bye") for b in branches]}


def hand_made_flows():
    bye = {"Identifier": "bye", "Type": "DisconnectParticipant", "Transitions": {}}
    for i, entry in enumerate(ACTIONS):
        seed("fuzz_flow", "action%d" % i, json.dumps({
            "Version": "2019-10-30", "StartAction": "a", "Actions": [action("a", *entry), bye]}))
    for i, entry in enumerate(MODULES):
        seed("fuzz_flow", "module%d" % i, json.dumps({
            "version": "1", "type": "contactFlow", "start": "a",
            "modules": [module(*entry), {"id": "bye", "type": "Disconnect"}]}))


def flows():
    hand_made_flows()
    for path in (files(source / "scripts/instance/flows", "*.json") +
                 files(source / "control/flow/defaults", "*.json") +
                 files(shared / "flows/corpus", "*.json")):
        seed("fuzz_flow", path.stem, path.read_bytes())


def yaml():
    parts = [path.read_bytes() for path in files(source / "scripts/instance", "*.yaml")]
    zones = [path.read_bytes() for name in ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
             for path in [ZONES / name] if path.is_file()]
    for i, part in enumerate(parts):
        seed("fuzz_yaml", "file%d" % i, part)
    for i, zone in enumerate(zones):
        seed("fuzz_yaml", "zone%d" % i, zone)
        seed("fuzz_yaml", "instance%d" % i, b"\n---\n".join([zone] + parts))
    seed("fuzz_yaml", "trunks", """\
trunks:
  - name: carrier
    gateways: [{address: "192.0.2.10:5060", transport: tcp}, {address: "[2001:db8::1]:5060"}]
    sources: [192.0.2.0/28]
    username: us
    password: secret
    channels: 100
    ping: 30s
    codecs: [pcma, pcmu]
    trust_identity: true
number_plan:
  country_code: "1"
  national_prefix: "1"
  international_prefix: "011"
  bare_numbers: national
  allow: ["+1202", "+44"]
  deny: ["+1900"]
  routes: [{prefix: "+1", trunks: [carrier]}]
numbers:
  - {number: "+12025550100", flow: Main line, trunk: carrier}
""")


def admin():
    def call(method, params, extra='"id":1,'):
        return '{"jsonrpc":"2.0",%s"method":"%s","params":%s}' % (extra, method, params)

    calls = [
        call("ping", "{}"), call("rpc.list", "{}"),
        call("fake.add", '{"a":2,"b":3,"request":"r1"}'),
        call("fake.get", '{"name":"a","list":["x"],"flag":true}'),
        call("fake.late", "{}"), call("fake.refuse", '{"request":"r2"}'),
        call("fake.contact", '{"contact":"c","if_version":3}'),
        call("fake.large", '{"bytes":100}'), call("fake.add", '{"a":1}', ""), "{", "[]",
    ]
    for i, line in enumerate(calls):
        seed("fuzz_admin", "call%d" % i, "\x24" + line + "\n")
    arn = "arn:aws:connect:eu-central-1:1:instance/i/transfer-destination/q"
    for i, data in enumerate(["+12025550143", "", None, {
            "endpointARN": arn, "endpointId": arn, "type": "queue", "name": "Returns desk",
            "phoneNumber": None, "agentLogin": None, "queue": None}, {
            "EndpointARN": arn, "Type": "phone_number", "phonenumber": 7}]):
        seed("fuzz_admin", "message%d" % i, "\x24" + json.dumps(
            {"channel": "Amazon", "topic": "InboundCall", "subtopic": "BlindTransfer",
             "source": "ui", "data": data}) + "\n")
    seed("fuzz_admin", "message", '\x24{"channel":1,"topic":"InboundCall","subtopic":"StateSync"}\n')
    seed("fuzz_admin", "batch", "\x04[" + ",".join(calls[:7]) + "]\n")
    seed("fuzz_admin", "all", "\x7c" + "\r\n".join(calls))
    seed("fuzz_admin", "sip", "\x04INVITE sip:a SIP/2.0\r\ni: one\r\nAuthorization: Digest "
         'response="00"\r\n\r\nv=0\r\na=crypto:1 X inline:YYYY\r\n')


def clips():
    for name, kind, frames, frame in (("l16", 0, 3, 320), ("pcmu", 1, 2, 160), ("pcma", 2, 1, 160)):
        head = struct.pack("<IIQIIII", 0x70696C63, 1, 77, kind, 8000, frames, 0)
        head += struct.pack("<%dI" % frames, *[(i + 1) * frame for i in range(frames)])
        head += bytes(-len(head) % 64)
        seed("fuzz_clip", name, head + bytes(frames * frame))


def recordings():
    def sum_of(page):
        crc = 0
        for byte in page:
            crc ^= byte << 24
            for _ in range(8):
                crc = (crc << 1 ^ (0x04c11db7 if crc & 0x80000000 else 0)) & 0xffffffff
        return crc

    def page(number, kind, granule, packet):
        lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
        head = struct.pack("<4sBBQIIIB", b"OggS", 0, kind, granule, 7, number, 0, len(lacing))
        whole = head + lacing + packet
        return whole[:22] + struct.pack("<I", sum_of(whole)) + whole[26:]

    head = b"OpusHead" + struct.pack("<BBHIHBBBBB", 1, 2, 312, 8000, 0, 1, 2, 0, 0, 1)
    file = page(0, 2, 0, head) + page(1, 0, 0, b"OpusTags" + bytes(8))
    file += page(2, 0, 960, b"one") + page(3, 0, 1920, b"two" * 100)
    seed("fuzz_recording", "whole", file)
    seed("fuzz_recording", "cut", file[:-9])


def taps():
    for name, rate in (("narrow", 8000), ("wide", 16000)):
        head = struct.pack("<IIQII", 0x20706174, 1, 1 << 32 | 3, rate, 256)
        seed("fuzz_tap", name, bytes([rate > 8000]) + head +
             struct.pack("<40I", *[i * 2 + i % 2 for i in range(40)]))


def rtp():
    def led(packet, ms=20):
        return struct.pack(">HB", len(packet), ms) + packet

    def packet(i, kind, body, marker=0):
        return struct.pack(">BBHII", 0x80, marker << 7 | kind, i, 160 * i, 7) + body

    def led6(next_header, data, hops=64):
        header = struct.pack(">IHBB", 6 << 28, len(data), next_header, hops)
        header += b"\xfd" + bytes(14) + b"\1" + b"\xfd" + bytes(14) + b"\2"
        return struct.pack(">HB", 0x8000 | len(header + data), 20) + header + data

    talk = [led(packet(i, 0, b"\xff" * 160, i == 0)) for i in range(20)]
    keys = [led(packet(i, 101, struct.pack(">BBH", 5, 10 | (i > 5) << 7, 160 * i), i == 0))
            for i in range(8)]
    report = struct.pack(">BBHIIIIIIIIIIII", 0x81, 200, 12, 7, 1, 2, 3, 4, 5, 1, 0, 9, 1, 0, 0)
    seed("fuzz_rtp", "talk", b"".join(talk))
    seed("fuzz_rtp", "swapped", b"".join(talk[:5] + talk[8:4:-1] + talk[5:]))
    seed("fuzz_rtp", "keys", b"".join(talk[:3] + keys))
    seed("fuzz_rtp", "report", b"".join(talk[:3]) + led(report))
    seed("fuzz_rtp", "ipv6", b"".join(led6(17, struct.pack("!4H", 4000, 20000, 8 + len(p) - 3, 0) +
                                           p[3:]) for p in talk[:3]))
    target = b"\xfd" + bytes(14) + b"\2"
    seed("fuzz_rtp", "discovery", led6(58, bytes([135, 0, 0, 0]) + bytes(4) + target +
                                       b"\1\1\2\0\0\0\0\1", 255) +
         led6(58, bytes([136, 0, 0, 0, 0x60, 0, 0, 0]) + target + b"\2\1\2\0\0\0\0\1", 255))


def telephone_events():
    def packet(event, end, duration, ahead=0, marker=0):
        how = 4 | marker << 3 | (1 << 4 if ahead else 0)
        return (bytes([how]) + (struct.pack(">H", ahead) if ahead else b"") +
                struct.pack(">BBH", event, 10 | end << 7, duration))

    key = [packet(5, 0, 160 * i, marker=i == 1, ahead=1600 * (i == 1)) for i in range(1, 6)]
    key += [packet(5, 1, 800)] * 3
    segments = [packet(7, 0, 65535, ahead=1600, marker=1), packet(7, 0, 160, ahead=65535),
                packet(7, 1, 320)]
    for clock in range(4):
        head = bytes([clock]) + struct.pack(">I", 0xfffff000)
        seed("fuzz_telephone_event", "keys%d" % clock, head + b"".join(key + segments + key))
    seed("fuzz_telephone_event", "strange", bytes(5) + b"".join(key) + b"\x03abc\x84" +
         struct.pack(">BBH", 200, 10, 160) + packet(5, 0, 160, 1) + packet(6, 0, 160))
    for clock in range(4):
        seed("fuzz_telephone_event", "sent%d" % clock, bytes([4 | clock, 15, 5, 10, 6, 5, 5, 1, 20, 15, 5]) +
             bytes(4) + bytes([1, 0, 2, 3, 1, 1, 0, 0, 0, 0, 0, 3, 1, 2] * 4))


def rtcp():
    def one(count, kind, body):
        return struct.pack(">BBH", 0x80 | count, kind, len(body) // 4) + body

    def words(*values):
        return struct.pack(">%dI" % len(values), *values)

    block = words(1, 12 << 24 | 0xfffffd, 70000, 17, 0x12345678, 65536)
    sender = one(1, 200, words(7, 0xdeadbeef, 1, 1600, 10, 1600) + block)
    receiver = one(2, 201, words(7) + words(2, 0, 0, 0, 0, 0) + block)
    name = one(1, 202, words(7) + b"\x01\x05peer@\0\0\0\0\0")
    reference = struct.pack(">BBH", 4, 0, 2) + words(0xdeadbeef, 1)
    answer = struct.pack(">BBH", 5, 0, 6) + words(2, 3, 4, 1, 0x12345678, 65536)
    metrics = struct.pack(">BBH", 7, 0, 8) + words(1, 0x0d026403, 0x00787530, 0x00fa003c,
                                                   0x7f7f7f10, 0x7f7f2928, 0xb0000028, 0x00780078)
    unknown = struct.pack(">BBH", 99, 0, 1) + words(5)
    extended = one(0, 207, words(7) + unknown + reference + answer + metrics)
    seed("fuzz_rtcp", "sender", sender + name)
    seed("fuzz_rtcp", "receiver", receiver + name + extended)
    seed("fuzz_rtcp", "extended", extended)
    seed("fuzz_rtcp", "bye", sender + name + one(2, 203, words(9, 7)))
    seed("fuzz_rtcp", "feedback", one(1, 205, words(7, 1, 65536)))
    seed("fuzz_rtcp", "padded", sender + b"\xa1\xcb\0\3" + words(7, 0, 8))


def srtp():
    """Streams of the peer's, whose sequence numbers wrap, with reports, and what happens to them."""
    keyed, damaged, cut, again = 2, 4, 8, 16

    def packet(kind, data, at=0):
        return struct.pack(">BHB", kind, len(data), at) + data

    def rtp(sequence, ssrc=1, payload=b"\x55" * 20, first=0x80):
        return struct.pack(">BBHII", first, 0, sequence & 0xffff, sequence * 160, ssrc) + payload

    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, 1, 5, 6, 7, 8, 9)
    for suite in range(6):
        head = bytes([suite])
        stream = b"".join(packet(keyed, rtp(n)) for n in range(65530, 65542))
        reports = b"".join(packet(keyed | 1, report) for _ in range(3))
        seed("fuzz_srtp", "stream%d" % suite, head + stream + reports)
        seed("fuzz_srtp", "attack%d" % suite, head + packet(keyed, rtp(1)) + packet(again, b"") +
             packet(keyed | damaged, rtp(2), 30) + packet(keyed | cut, rtp(3)) +
             packet(keyed | 1 | damaged, report, 40) + packet(again, b"") + packet(0, rtp(4)) +
             packet(1, report))
    seed("fuzz_srtp", "headers", b"\0" + packet(keyed, rtp(1, first=0x93, payload=bytes(12) +
         b"\xbe\xde\0\1" + bytes(24))) + packet(keyed, rtp(2, first=0x8f)) +
         b"".join(packet(keyed, rtp(7, ssrc)) for ssrc in range(18)))


def commands():
    def ask(kind, slot, body, worker=0):
        return struct.pack("<BB", worker << 4 | kind, slot) + body

    def port_open(slot):
        remote = struct.pack("<BxH16s", 4, 4000, bytes((10, 0, 0, slot + 1)))
        return ask(1, slot, bytes(8) + remote +
                   struct.pack("<I8B", 9, 1, 0, 101, 1, 3, 0, 101, 0))

    member = "<QHHB3xII"  # port, hears, digits_to, player, generation
    body = struct.pack("<QBB6x", 0, 2, 0)
    body += struct.pack(member, 0, 2, 2, 2, 1, 0) + struct.pack(member, 1, 1, 1, 0, 0, 0)
    playlist = ask(4, 0, struct.pack("<QIBBxx16Q", 0, 1, 2, 0, 1, 2, *([0] * 14)))
    talk = b"".join(struct.pack(">BBHB", 0xC0 | i & 1, 0, i, 160) + b"\x55" * 160 + b"\xea"
                    for i in range(6))
    room = ask(6, 0, struct.pack("<QII", 0, 8001, 0))
    seed("fuzz_command", "time", b"\xff" * 8)
    seed("fuzz_command", "talk", port_open(0) + port_open(1) + room + playlist +
         ask(7, 0, body.ljust(8 + 8 + 16 * 24 + 16 * 4, b"\0")) + talk + ask(8, 0, bytes(8)))
    for kind in range(1, 9):
        seed("fuzz_command", "kind%d" % kind, ask(kind, 0, bytes(64)) + b"\xe5")
    arp = bytes.fromhex("ffffffffffff020000000002080600010800060400010200000000020a000001"
                        "0000000000000a0000fe")
    seed("fuzz_command", "arp", struct.pack("<BB", 0x80, len(arp)) + arp + b"\xe5")


def contract():
    done = bytes((0, 0, 8)) + struct.pack("<II", 1, 0)
    key = bytes((0, 2, 0)) + struct.pack("<QIc", 0, 1, b"5")
    ended = bytes((0, 3, 0)) + struct.pack("<QI", 0, 1)
    time = b"\x37"
    seed("fuzz_contract", "events", time + done + key + ended + time + key * 3 + time)
    seed("fuzz_contract", "strange", b"".join(bytes((1, k, 1)) + b"\xff" * 12 for k in range(8)))
    seed("fuzz_contract", "digits", bytes((2, 64, 8)) + struct.pack("<I", 3) + b"12#4" + time)
    seed("fuzz_contract", "status", bytes((2, 64, 8)) + b"\xff" * 8 + key + time)
    seed("fuzz_contract", "segment", bytes((3, 8, 0)) + b"\x01" * 8 + bytes((11, 8, 9)) +
         b"\x01" * 8 + time)
    for k in range(3):
        seed("fuzz_contract", "position%d" % k, bytes((4, 0, 0x30 | k, 0xff, 0xff, 0xff)) + time)
    for k in range(8):
        seed("fuzz_contract", "packet%d" % k, bytes((5, k)) + bytes(32) + time)
    seed("fuzz_contract", "header", bytes((6, 1, 0, 4, 16)) + b"\xff" * 4)


def ssml():
    seed("fuzz_ssml", "whole",
         '<?xml version="1.0"?><speak version="1.1">a &amp; &#233; <break time="0.5s"/><p><s>b</s></p>'
         '<break strength="weak"/> <say-as interpret-as="digits">12</say-as><!-- c -->'
         '<prosody rate="91%">d</prosody><sub alias="e">f</sub><amazon:effect name="g">h'
         '</amazon:effect><say-as interpret-as=\'date\' format="mdy">1/2/26</say-as></speak>')


def corpus():
    for path in files(source / "tests/fuzz/corpus", "*/*"):
        seed("fuzz_" + path.parent.name, path.name, path.read_bytes())


for make in (sip, flows, yaml, admin, clips, recordings, taps, rtp, telephone_events, rtcp, srtp, commands, contract, ssml, corpus):
    make()
