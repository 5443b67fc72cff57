#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""talker.py LOCAL REMOTE SAYS HEARS SECONDS: a party that sends a tone of SAYS Hz as G.711 mu-law
and expects one of HEARS Hz, without a missing sequence number or timestamp. Exits 1 otherwise."""
import math
import select
import socket
import struct
import sys
import time


def encode(sample):
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 15) & 0xff


def decode(code):
    code = ~code & 0xff
    magnitude = ((code & 15) << 3) + 132 << (code >> 4 & 7)
    return 132 - magnitude if code & 0x80 else magnitude - 132


def level(hz, samples):
    a = sum(s * math.cos(2 * math.pi * hz * i / 8000) for i, s in enumerate(samples))
    b = sum(s * math.sin(2 * math.pi * hz * i / 8000) for i, s in enumerate(samples))
    return 2 * math.hypot(a, b) / max(1, len(samples))


def endpoint(text):
    host, port = text.split(":")
    return host, int(port)


def main():
    local, remote = endpoint(sys.argv[1]), endpoint(sys.argv[2])
    says, hears, seconds = float(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])
    party = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    party.bind(local)
    started = time.monotonic()
    sent = gaps = 0
    last = None
    heard = []
    while time.monotonic() - started < seconds:
        wait = started + sent * 0.02 - time.monotonic()
        if wait <= 0:
            tone = bytes(encode(int(8000 * math.sin(2 * math.pi * says * (sent * 160 + i) / 8000)))
                         for i in range(160))
            party.sendto(struct.pack("!BBHII", 0x80, 0 if sent else 0x80, sent, sent * 160,
                                     local[1]) + tone, remote)
            sent += 1
        elif select.select([party], [], [], wait)[0]:
            packet = party.recv(2048)
            _, _, sequence, timestamp, _ = struct.unpack("!BBHII", packet[:12])
            if last:
                gaps += ((sequence - last[0]) & 0xffff, (timestamp - last[1]) & 0xffffffff) != (1, 160)
            last = sequence, timestamp
            heard += map(decode, packet[12:])
    tail = heard[-8000:]
    good, own = level(hears, tail), level(says, tail)
    print(f"{sys.argv[1]}: sent {sent}, received {len(heard) // 160}, gaps {gaps}, "
          f"{hears:.0f} Hz at {good:.0f}, own {says:.0f} Hz at {own:.0f}")
    return 0 if gaps == 0 and good > 6000 and own < 200 and len(heard) // 160 > seconds * 40 else 1


sys.exit(main())
