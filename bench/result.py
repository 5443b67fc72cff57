# SPDX-License-Identifier: Apache-2.0
"""The hash of a result, for benches that are scripts: of what came out and not of how fast, so that two
runs that did the same have the same, and a faster wrong answer shows."""
import hashlib
import json


def hashed(*result):
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()[:16]


def ends(**counts):
    """The ways in which calls ended, of those counted."""
    return sorted(how for how, count in counts.items() if count)
