# SPDX-License-Identifier: Apache-2.0
"""Stored input encrypted for a customer's key, read back with OpenSSL's own program."""
import base64
import hashlib
import hmac
import pathlib
import struct
import subprocess
import tempfile

from stage import FULL, GREETING, Stage, action, flow, play, run

KEY_ID = "1f2a7b64-0b0d-4c1c-9a56-3f1de8b7c001"
DIGITS = "4929123456781234"


def make_key(where):
    """A private key's file, and its certificate as text."""
    private, certificate = where / "private.pem", where / "certificate.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-keyout",
        private, "-out", certificate)
    return private, certificate.read_text(encoding="ascii")


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, n):
        part = self.data[self.at:self.at + n]
        assert len(part) == n, f"cut short at {self.at}"
        self.at += n
        return part

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def counted(self):
        return self.take(self.number(2))


def data_key(wrapped, private):
    return subprocess.run(
        ["openssl", "pkeyutl", "-decrypt", "-inkey", private, "-pkeyopt", "rsa_padding_mode:oaep",
         "-pkeyopt", "rsa_oaep_md:sha512", "-pkeyopt", "rsa_mgf1_md:sha512"],
        input=wrapped, stdout=subprocess.PIPE, check=True).stdout


def derive(key, message_id):
    prk = hmac.digest(bytes(32), key, hashlib.sha256)
    return hmac.digest(prk, b"\x01\x78" + message_id + b"\x01", hashlib.sha256)


def counter_mode(key, iv, text):
    """GCM without its tag: the first block of the counter is for the tag."""
    return subprocess.run(
        ["openssl", "enc", "-d", "-aes-256-ctr", "-K", key.hex(), "-iv", (iv + struct.pack(">I", 2)).hex()],
        input=text, stdout=subprocess.PIPE, check=True).stdout


def unseal(text, private):
    """What a message of the AWS Encryption SDK says; tags are for the unit test."""
    r = Reader(base64.b64decode(text, validate=True))
    assert r.take(4) == b"\x01\x80\x01\x78"
    message_id = r.take(16)
    assert r.number(2) == 0 and r.number(2) == 1
    assert r.counted() == b"AmazonConnect"
    assert r.counted() == KEY_ID.encode()
    key = derive(data_key(r.counted(), private), message_id)
    assert r.take(10) == b"\x02\0\0\0\0\x0c\0\0\x10\0"
    r.take(12 + 16)
    assert r.number(4) == 0xffffffff and r.number(4) == 1
    iv = r.take(12)
    sealed = r.take(r.number(4))
    r.take(16)
    assert r.at == len(r.data)
    return counter_mode(key, iv, sealed).decode()


def asking(key):
    """Takes digits, keeps them in an attribute, and says by a tone which branch was taken."""
    def keep(identifier, then):
        return action(identifier, "UpdateContactAttributes",
                      {"Attributes": {"card": "$.StoredCustomerInput", "branch": identifier}},
                      then, {"NoMatchingError": "End"})

    return flow("Main", "contactFlow", "Ask",
                action("Ask", "GetParticipantInput",
                       {"PromptId": "greeting", "StoreInput": "True",
                        "InputTimeLimitSeconds": "10",
                        "InputValidation": {"CustomValidation": {"MaximumLength": "20"}},
                        "InputEncryption": {"EncryptionKeyId": KEY_ID, "Key": key}},
                       "Good", {"NoMatchingError": "Bad"}),
                keep("Good", "End"), keep("Bad", "SayBad"),
                play("SayBad", "full", "End"), action("End", "DisconnectParticipant"))


async def type_digits(stage):
    call = await stage.dial(await stage.caller())
    await call.hears(GREETING)
    await call.digits(DIGITS + "#")
    await call.ended(20)
    return call


def log_of(stage):
    stage.log.flush()
    return pathlib.Path(stage.directory / "log").read_text(encoding="utf-8")


async def test_typed_digits_are_stored_encrypted_for_the_customers_key():
    with tempfile.TemporaryDirectory() as where:
        private, certificate = make_key(pathlib.Path(where))
        stage = Stage()
        stage.flows["main"] = asking(certificate)
        async with stage:
            await type_digits(stage)
            record = (await stage.records(1))[0]
            assert record["Attributes"]["branch"] == "Good", record
            assert unseal(record["Attributes"]["card"], private) == DIGITS
            assert DIGITS not in log_of(stage)
            assert DIGITS not in str(record)


async def test_a_key_that_is_none_takes_the_error_branch_and_stores_nothing():
    stage = Stage()
    stage.flows["main"] = asking("Certificate to use for encryption should be provided here.")
    async with stage:
        call = await type_digits(stage)
        assert FULL in [h["hz"] for h in (await call.report())["heard"]]
        record = (await stage.records(1))[0]
        assert record["Attributes"]["branch"] == "Bad", record
        assert not record["Attributes"].get("card"), record
        assert "action 'Ask' cannot encrypt what was typed" in log_of(stage)
        assert DIGITS not in log_of(stage)
