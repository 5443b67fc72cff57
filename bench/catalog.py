# SPDX-License-Identifier: Apache-2.0
"""What the suite measures: the benches, the figures of each line they print, and the rows of the
tables, of the main one with what the peers do and what the hardware allows.

A bench prints JSON lines. The words of a line that name what was measured are its keys, the others
that are listed here its figures; the rest explains (seeds, counts, a hash of the result).
"""
from dataclasses import dataclass

LESS, MORE = "less", "more"  # which way is better


@dataclass(frozen=True)
class Bench:
    """What it measures, and how it is run: a program of the build, a script of this folder (process), or
    one in namespaces of its own, as root (script). programs: those of the build that a script measures."""
    what: str
    kind: str = "program"
    programs: tuple = ()


@dataclass(frozen=True)
class Line:
    """A kind of line, by its word `bench`."""
    keys: tuple
    figures: dict  # name: (unit, which way is better)


@dataclass(frozen=True)
class Row:
    """One of the main table. peer: the best of ../shared/peers.md; limit: of the hardware, of
    ../shared/limits.md; reach: what we set ourselves. None: there is no such figure."""
    work: str
    line: dict  # keys and values of the line that has it
    figure: str
    unit: str
    better: str
    peer: float | None
    limit: float | None
    reach: float
    over: dict | None = None  # divided by the same figure of this line


def _worker(work, case, parties, peer, limit, reach):
    return Row(work, {"bench": "worker", "case": case, "parties": parties}, "parties_per_core", "parties", MORE,
               peer, limit, reach)


def _coded(work, codec, talking, peer, limit, reach):
    return Row(work, {"bench": "coded", "codec": codec, "pass": codec == "Opus", "room": 3, "talking": talking,
                      "parties": 18}, "parties_per_core", "parties", MORE, peer, limit, reach)


CONTROL, DATAPLANE = "control/cordboard-control", "dataplane/cordboard-dataplane"
BENCHES = {
    "kernels": Bench("arithmetic of one period: G.711, mix, resample, Opus, G.722, concealment"),
    "srtp": Bench("SRTP of a packet, both back ends"),
    "worker": Bench("a whole worker from NIC to NIC, no kernel in the way"),
    "once": Bench("what is encoded once for many"),
    "delay": Bench("delay in the switch and lateness of ticks at four fifths of a core, real time"),
    "coded": Bench("conferences in Opus and G.722, who talks and who does not"),
    "ring": Bench("messages between the processes"),
    "flow": Bench("actions of flows; memory of a contact"),
    "voice": Bench("speech over bad networks: delay, loss, distortion"),
    "scaling": Bench("whole workers side by side", "process", ("bench/bench_worker",)),
    "nic": Bench("conferences through the kernel and the software NIC", "script", (DATAPLANE, "bench/static_rooms")),
    "queue": Bench("contacts into queues and agents' offers, by how many there are"),
    "control": Bench("calls a second of the control process; memory of a caller who waits", "script",
                     (CONTROL, DATAPLANE, "bench/callers")),
    "overload": Bench("calls served when more are offered than can be", "script", (CONTROL, DATAPLANE, "bench/callers")),
    "latency": Bench("what a person waits for: answer, offer, whisper", "script", (CONTROL, DATAPLANE)),
}

_PERCENT, _CYCLES, _MS = ("%", LESS), ("cycles", LESS), ("ms", LESS)
LINES = {
    "kernels": Line(("case",), {"cycles_min": _CYCLES, "cycles_median": _CYCLES}),
    "srtp": Line(("backend", "suite", "sessions", "burst"),
                 {"protect_cycles": _CYCLES, "unprotect_cycles": _CYCLES, "set_cycles": _CYCLES}),
    "worker": Line(("case", "parties"),
                   {"receive_cycles_per_party": _CYCLES, "tick_cycles_per_party": _CYCLES,
                    "cycles_per_party": _CYCLES, "parties_per_core": ("parties", MORE)}),
    "delay": Line(("codec", "room", "jitter_min_ms"),
                  {"parties": ("parties", MORE), "busy_percent": ("%", MORE),
                   "p50_ms": _MS, "p99_ms": _MS, "p999_ms": _MS, "max_ms": _MS,
                   "late_in_10000": ("in 10,000", LESS), "late_in_10000_idle": ("in 10,000", LESS),
                   "late_in_10000_walk": ("in 10,000", LESS), "late_in_10000_excess": ("in 10,000", LESS)}),
    "scaling": Line(("workers",), {"parties_together": ("parties", MORE), "efficiency_percent": ("%", MORE)}),
    "once": Line(("case", "codec", "listeners"),
                 {"cycles_per_listener": _CYCLES, "cycles_per_listener_encoding": _CYCLES}),
    "coded": Line(("codec", "pass", "room", "talking", "parties"),
                  {"cycles_per_party": _CYCLES, "cycles_min": _CYCLES, "parties_per_core": ("parties", MORE)}),
    "ring_round_trip": Line(("bytes",), {"ns": ("ns", LESS)}),
    "ring_one_way": Line(("bytes",), {"messages_per_second": ("1/s", MORE)}),
    "flow_actions": Line((), {"ns": ("ns", LESS), "actions_per_second": ("1/s", MORE)}),
    "flow_waiting": Line((), {"bytes": ("bytes", LESS)}),
    "flow_read": Line((), {"us_per_file": ("us", LESS), "mb_per_second": ("MB/s", MORE)}),
    "voice": Line(("network", "buffer", "concealment"),
                  {"delay_ms": _MS, "concealed_percent": _PERCENT, "late_percent": _PERCENT,
                   "distortion_percent": _PERCENT}),
    "nic": Line(("work", "codec", "members", "parties"),
                {"share_percent": _PERCENT, "empty_percent": ("%", MORE), "bad_percent": _PERCENT}),
    "overload": Line(("admission", "factor"),
                     {"served_per_second": ("1/s", MORE), "refused_per_second": ("1/s", LESS), "broken": ("calls", LESS),
                      "broken_percent": _PERCENT, "answer_p50_ms": _MS, "answer_p99_ms": _MS}),
    "latency": Line(("what",), {"p50_ms": _MS, "p99_ms": _MS, "max_ms": _MS}),
    "control_plain": Line((), {"cpu_us_per_call": ("us", LESS), "user_us_per_call": ("us", LESS),
                               "kernel_us_per_call": ("us", LESS),
                               "calls_per_second_of_cpu": ("1/s", MORE),
                               "highest_rate_without_repeats": ("1/s", MORE)}),
    "control_agent": Line((), {"cpu_us_per_call": ("us", LESS), "user_us_per_call": ("us", LESS),
                               "kernel_us_per_call": ("us", LESS),
                               "calls_per_second_of_cpu": ("1/s", MORE),
                               "highest_rate_without_repeats": ("1/s", MORE)}),
    "control_memory": Line((), {"kb_per_caller": ("kB", LESS), "control_kb": ("kB", LESS),
                                "dataplane_kb": ("kB", LESS)}),
    "queue_enter": Line(("waiting", "agents"), {"ns": ("ns", LESS)}),
    "queue_offer": Line(("waiting", "agents"), {"ns": ("ns", LESS)}),
}

# By the 20 ms of a core and the cycles of a party, or by the CPU time of a call: nobody held so many.
COMPUTED = frozenset({"parties_per_core", "parties_together", "calls_per_second_of_cpu"})

ROWS = [
    _worker("three-party G.711, no kernel in the way, 100,000 parties", "g711", 99999, 450, 390000, 150000),
    Row("the same: cycles of a party among 100,000, to those among 1,000",
        {"bench": "worker", "case": "g711", "parties": 99999}, "cycles_per_party", "times", LESS,
        None, None, 2, {"bench": "worker", "case": "g711", "parties": 999}),
    Row("three-party G.711 through the kernel, software NIC: share of a core for a party",
        {"bench": "nic", "work": "conference", "parties": 1500}, "share_percent", "%", LESS,
        0.17, 0.012, 0.017),
    _worker("hold music from one clip, callers sending too", "hold", 60000, 400, 460000, 200000),
    _worker("hold music from one clip, callers listening only", "hold-listen", 60000, 400, 1050000, 400000),
    _worker("three-party SRTP, AES-128-GCM", "gcm", 60000, 210, 132000, 80000),
    _worker("three-party SRTP, AES-CM-SHA1-80", "cm", 60000, 210, 86000, 50000),
    _coded("three-party Opus at 16 kHz, complexity 5, all talking", "Opus", 3, 120, 197, 175),
    _coded("the same, two of three talking", "Opus", 2, 120, 540, 480),
    _coded("three-party G.722", "G.722", 3, None, 1088, 950),
    Row("delay in the switch at four fifths of the maximum, p99.9, legs with `jitter_min: 4ms`",
        {"bench": "delay", "jitter_min_ms": 4}, "p999_ms", "ms", LESS, None, None, 25),
    Row("ticks over 1 ms late there, in 10,000, beyond those that an idle core misses",
        {"bench": "delay", "jitter_min_ms": 4}, "late_in_10000_excess", "ticks", LESS, None, None, 1),
    Row("plain answered call", {"bench": "control_plain"}, "calls_per_second_of_cpu", "calls/s", MORE,
        1000, 50000, 10000),
    Row("queue to agent, with flow, whispers and records", {"bench": "control_agent"},
        "calls_per_second_of_cpu", "calls/s", MORE, 200, None, 3000),
    Row("memory of a caller who waits in a queue, 1 kB of attributes, both processes",
        {"bench": "control_memory"}, "kb_per_caller", "kB", LESS, 153, None, 8),
    Row("capacity check and enqueue with 100,000 waiting",
        {"bench": "queue_enter", "waiting": 100000, "agents": 10000}, "ns", "ns", LESS, None, None, 2000),
    Row("calls served when twice of what can be is offered, to those served of what can be",
        {"bench": "overload", "admission": "on", "factor": 2}, "served_per_second", "times", MORE,
        None, None, 0.95, {"bench": "overload", "admission": "on", "factor": 1}),
    Row("broken then, of the calls that were taken", {"bench": "overload", "admission": "on", "factor": 2},
        "broken_percent", "%", LESS, None, None, 0),
]


@dataclass(frozen=True)
class Detail:
    """A line of the table below the main one: what, and figures of lines, each with its unit."""
    what: str
    bench: str
    figures: tuple  # of (keys and values of the line, figure, unit)


def _kernels(what, *cases):
    return Detail(what, "kernels", tuple(({"bench": "kernels", "case": case}, "cycles_median", "cycles")
                                         for case in cases))


# As the processor has it.
IPSEC_MB = ("ipsec-mb", "ipsec-mb, AVX2", "ipsec-mb, AVX-512")


def _srtp(what, backend, suite):
    line = {"bench": "srtp", "backend": backend, "suite": suite, "sessions": 1000, "burst": 32}
    return Detail(what, "srtp", ((line, "protect_cycles", "cycles"), (line, "unprotect_cycles", "cycles")))


def _once(what, case, codec):
    line = {"bench": "once", "case": case, "codec": codec}
    return Detail(what, "once", ((line, "cycles_per_listener", "cycles"),
                                 (line, "cycles_per_listener_encoding", "cycles")))


def _latency(what, name):
    line = {"bench": "latency", "what": name}
    return Detail(what, "latency", tuple((line, figure, "ms") for figure in ("p50_ms", "p99_ms", "max_ms")))


DETAILS = [
    _kernels("G.711, 160 samples: decode; encode", "g711_decode_mu", "g711_encode_mu"),
    _kernels("Opus at 16 kHz, complexity 5, 20 ms: encode; with FEC; decode", "opus_16khz_complexity_5_encode",
             "opus_16khz_complexity_5_fec_encode", "opus_16khz_complexity_5_decode"),
    _kernels("G.722, 20 ms: encode; decode", "g722_encode", "g722_decode"),
    _kernels("8 to 16 kHz, 20 ms; 16 to 8", "resample_8_to_16", "resample_16_to_8"),
    _srtp("SRTP with libipsec-mb, 172 bytes, AEAD_AES_128_GCM: protect; unprotect", IPSEC_MB, "AEAD_AES_128_GCM"),
    _srtp("the same, AES_CM_128_HMAC_SHA1_80", IPSEC_MB, "AES_CM_128_HMAC_SHA1_80"),
    _srtp("SRTP with Debian's libsrtp2, where the processor has no AES, AEAD_AES_128_GCM", "libsrtp",
          "AEAD_AES_128_GCM"),
    _once("hold music for one caller in G.722: stored frames; encoded for each", "hold", "G.722"),
    _once("the same in Opus", "hold", "Opus"),
    _once("14 supervisors in Opus who hear the same, each: one encode for all; one for each", "mix", "Opus"),
    Detail("round trip of a message over both rings, two threads", "ring",
           (({"bench": "ring_round_trip"}, "ns", "ns"),)),
    Detail("an action of a flow", "flow", (({"bench": "flow_actions"}, "ns", "ns"),)),
    Detail("memory of a contact that waits in a flow, beside its legs", "flow",
           (({"bench": "flow_waiting"}, "bytes", "bytes"),)),
    Detail("the highest rate tried at which no message was repeated: plain; through an agent", "control",
           (({"bench": "control_plain"}, "highest_rate_without_repeats", "calls/s"),
            ({"bench": "control_agent"}, "highest_rate_without_repeats", "calls/s"))),
    Detail("three-party G.711, 100,000 parties, behind a NIC that leaves checksums to the worker: a party", "worker",
           (({"bench": "worker", "case": "g711-checked", "parties": 99999}, "cycles_per_party", "cycles"),)),
    Detail("parties really held for 20 s, no kernel in the way; of the core busy with them", "delay",
           (({"bench": "delay"}, "parties", "parties"), ({"bench": "delay"}, "busy_percent", "%"))),
    _latency("a caller's INVITE to its 200: p50; p99; worst", "answer"),
    _latency("an agent free to the INVITE at the agent's phone: p50; p99; worst", "offer"),
    _latency("the agent's 200 to the first sound of the whisper: p50; p99; worst", "whisper"),
]


@dataclass(frozen=True)
class Growth:
    """How a figure grows with the key that counts. counts: by the columns of the table, None where it
    is not asked for."""
    what: str
    unit: str
    line: dict
    key: str
    figure: str
    counts: tuple


GROWTH_COLUMNS = (1, 10, 100, 1000, 10000, 60000, 100000)
_THREES = (3, 9, 99, 999, 9999, 60000, 99999)  # whole conferences


def _grows(what, line, key, figure, counts, unit="cycles"):
    return Growth(what, unit, line, key, figure, counts + (None,) * (len(GROWTH_COLUMNS) - len(counts)))


def _worker_grows(what, case, counts=_THREES[:6]):
    return _grows(what, {"bench": "worker", "case": case}, "parties", "cycles_per_party", counts)


def _coded_grows(what, codec, counts):
    return _grows(what, {"bench": "coded", "codec": codec, "pass": False, "room": 3, "talking": 3}, "parties",
                  "cycles_per_party", counts)


def _srtp_grows(what, suite):
    return _grows(what, {"bench": "srtp", "backend": IPSEC_MB, "suite": suite, "burst": 32}, "sessions",
                  "protect_cycles", GROWTH_COLUMNS[:6])


GROWTH = [
    _worker_grows("three-party G.711", "g711", _THREES),
    _worker_grows("hold music, callers sending too", "hold"),
    _worker_grows("hold music, callers listening only", "hold-listen"),
    _worker_grows("three-party SRTP, AES-128-GCM", "gcm"),
    _worker_grows("three-party SRTP, AES-CM-SHA1-80", "cm"),
    _coded_grows("three-party G.722, tick alone", "G.722", _THREES[:4]),
    _coded_grows("three-party Opus, tick alone", "Opus", _THREES[:3]),
    _srtp_grows("protect a packet, AES-128-GCM, by sessions", "AEAD_AES_128_GCM"),
    _srtp_grows("protect a packet, AES-CM-SHA1-80, by sessions", "AES_CM_128_HMAC_SHA1_80"),
    _grows("three-party G.711 through the kernel, share of a core", {"bench": "nic", "work": "conference"},
           "parties", "share_percent", _THREES[:4], "%"),
]
QUEUE_WAITING, QUEUE_AGENTS = (10, 1000, 100000), (10, 100, 1000, 10000)
OVERLOAD_FACTORS = (0.5, 1, 1.5, 2)
SCALING_MODEL = (4, 8, 16, 32)  # workers


def key_of(line):
    """What names a line: its bench and the values of its keys; None for a line that is not listed."""
    kind = LINES.get(line["bench"])
    return (line["bench"], *(line.get(key) for key in kind.keys)) if kind else None


def bench_of(line):
    """The name of the bench whose line it is."""
    return line.get("program", line["bench"].split("_")[0])


def median_of(lines, wanted, figure):
    """The median of the runs of the line with these keys and values (a tuple: one of them); None when it
    was not measured."""
    found = sorted(line[figure] for line in lines
                   if all(line.get(key) in (value if isinstance(value, tuple) else (value,))
                          for key, value in wanted.items())
                   and line.get(figure) is not None)
    return found[len(found) // 2] if found else None


def value_of(row, lines):
    """The figure of a row among lines, or None."""
    value = median_of(lines, row.line, row.figure)
    over = median_of(lines, row.over, row.figure) if row.over else 1
    return value / over if value is not None and over else None


def reached(row, value):
    return value <= row.reach if row.better == LESS else value >= row.reach


def times(row, other, value):
    """How many times better than another figure this is."""
    return (other / value if row.better == LESS else value / other) if value and other else None


def scaling_share(lines):
    """What a worker waits for the others beside it, as a share of its time alone for each of them; by the
    most workers measured. None when only one was."""
    most = max((line["workers"] for line in lines if line["bench"] == "scaling"), default=1)
    efficiency = median_of(lines, {"bench": "scaling", "workers": most}, "efficiency_percent")
    return max(0.0, 100 / efficiency - 1) / (most - 1) if most > 1 and efficiency else None


def scaled(share, workers):
    """Of how many workers without others beside them so many do the work, by the model."""
    return workers / (1 + share * (workers - 1))
