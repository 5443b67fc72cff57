#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one scenario in the namespaces that run.py made: one.py MODULE NAME --control B --dataplane B"""
import argparse
import asyncio
import importlib
import pathlib
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "scenarios"), str(HERE.parent / "support")]

import stage  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("module")
parser.add_argument("name")
parser.add_argument("--control", required=True)
parser.add_argument("--dataplane", required=True)
options = parser.parse_args()
stage.BUILDS = stage.Builds(pathlib.Path(options.control), pathlib.Path(options.dataplane))
try:
    result = getattr(importlib.import_module(options.module), options.name)()
    if asyncio.iscoroutine(result):
        asyncio.run(result)
except stage.Skip as reason:
    print(f"skipped: {reason}")
    sys.exit(77)
except BaseException:
    traceback.print_exc()
    sys.exit(1)
