# SPDX-License-Identifier: Apache-2.0
"""Many calls a second, twice: every one is answered, reaches an agent and is on record, and what they
used is free again. CORDBOARD_LOAD says how many a second for how long: 20x60,20x60 (scripts/bench)."""
import os

import stage
from stage import alone
from crowd import Crowd

# The first run is longer than SIP's transactions live (32 s) and has more messages than the trace
# holds, so that the second finds all memory in place that the process keeps.
RUNS = [tuple(int(n) for n in run.split("x"))
        for run in os.environ.get("CORDBOARD_LOAD", "40x34,20x15").split(",")]
GROWTH = 1.05


def check_records(records, calls):
    assert len(records) == calls, f"{len(records)} records of {calls} calls"
    assert len({r["ContactId"] for r in records}) == calls
    for record in records:
        assert record["Agent"], f"a contact without an agent: {record}"
        assert record["DisconnectReason"] == "AGENT_DISCONNECT", record
        assert record["Agent"]["AfterContactWorkEndTimestamp"], record


def release_build():
    """A sanitizer's memory and speed say nothing about ours."""
    stage.BUILDS.control = stage.BUILDS.dataplane.parent.parent / "control" / "cordboard-control"


@alone
async def test_load_of_many_calls_leaves_nothing_behind():
    release_build()
    calls, resident = 0, []
    # few ports, so that the first run has used each
    ports = 40 * max(rate for rate, _ in RUNS)
    async with Crowd(agents=120, ports=ports, rooms=ports // 2) as crowd, crowd.agents_phones():
        for rate, seconds in RUNS:
            calls += rate * seconds
            assert await crowd.callers(rate * seconds, rate), "a call failed"
            await crowd.until_idle()
            check_records(crowd.all_records(), calls)
            resident.append({name: crowd.resident_kb(name) for name in crowd.processes})
        status = crowd.status()
        answered, refused = status["calls"]["answered"], status["calls"]["refused"]
        print(f"{calls} calls: all answered, with an agent, on record; "
              f"resident kB after each run: {resident}; SIP messages repeated: "
              f"{status['sip']['repeats_sent']}")
        assert (answered, refused) == (calls, 0), status["calls"]
        assert status["dataplane"]["deaths"] == 0, f"the lease was lost: {status['dataplane']}"
        for name, before in resident[0].items():
            assert resident[-1][name] <= before * GROWTH, f"{name} grew: {resident}"
