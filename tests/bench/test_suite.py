# SPDX-License-Identifier: Apache-2.0
"""How the suite runs benches, and what it adds to their lines; faults of benches that are scripts."""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "bench"))

import bench_nic  # noqa: E402
import catalog  # noqa: E402
import result  # noqa: E402
import suite  # noqa: E402


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def file(self, name, *lines):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path


class Arguments(Folder):
    LINES = ({"bench": "ring_round_trip", "run": 1, "smoke": True}, {"bench": "tick", "run": 0, "smoke": True},
             {"bench": "worker", "program": "scaling", "run": 0, "smoke": True})

    def refused(self, *words):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit):
            suite.arguments([str(word) for word in words])
        return said.getvalue()

    def test_what_is_run_is_what_a_file_has(self):
        options = suite.arguments(["build", "--like", str(self.file("before", *self.LINES)),
                                   "--out", str(self.path / "now")])
        self.assertEqual((options.names, options.smoke, options.runs), (["ring", "scaling"], True, 2))

    def test_names_may_follow_options(self):
        options = suite.arguments(["build", "--smoke", "ring", "--out", str(self.path / "now")])
        self.assertEqual((options.names, options.smoke), (["ring"], True))

    def test_the_file_to_compare_with_is_never_lost(self):
        before = self.file("before", *self.LINES)
        text = before.read_text(encoding="utf-8")
        self.assertIn("would be lost", self.refused("build", "--like", before, "--out", before))
        self.assertEqual(before.read_text(encoding="utf-8"), text)

    def test_a_file_without_benches_is_nothing_to_compare_with(self):
        for lines in ((), self.LINES[1:2]):
            self.assertIn("no line of a bench", self.refused(
                "build", "--like", self.file("before", *lines), "--out", self.path / "now"))

    def test_settings_of_a_file_are_not_mixed_with_others(self):
        before = self.file("before", *self.LINES)
        for words in (["ring"], ["--smoke"], ["--runs", 3]):
            self.assertIn("is what", self.refused("build", *words, "--like", before, "--out", self.path / "now"))

    def test_only_benches_are_run(self):
        self.assertIn("no bench is called tick", self.refused("build", "tick", "--smoke", "--out", self.path / "now"))


class Lines(Folder):
    def run_bench(self, *printed):
        """Runs a bench that prints so; whether it was good, and the lines."""
        program = self.path / "bench" / "bench_ring"
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\n" + "".join(f"echo '{json.dumps(line)}'\n" for line in printed), encoding="utf-8")
        program.chmod(0o755)
        out = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), \
                mock.patch.object(suite, "SPIN_S", 0.001):
            good = suite.run("ring", self.path, True, {"commit": "abc", "machine": {}, "settings": {}, "run": 0}, out)
        return good, [json.loads(text) for text in out.getvalue().splitlines()]

    def test_a_line_says_program_commit_machine_settings_and_result(self):
        good, (line,) = self.run_bench({"bench": "ring_one_way", "hash": "1f"})
        self.assertTrue(good)
        self.assertLessEqual({"program", "build", "commit", "machine", "settings", "hash"}, set(line))
        self.assertEqual((line["program"], line["build"]), ("ring", suite.built("ring", self.path)))
        self.assertGreater(line["turns_per_ms"], 0)

    def test_another_program_has_another_hash(self):
        _, (one,) = self.run_bench({"bench": "ring_one_way", "hash": "1f"})
        _, (other,) = self.run_bench({"bench": "ring_one_way", "hash": "2f"})
        self.assertNotEqual(one["build"], other["build"])

    def test_a_line_without_a_result_is_a_fault(self):
        self.assertFalse(self.run_bench({"bench": "ring_one_way"})[0])

    def test_a_line_that_nobody_lists_is_a_fault(self):
        self.assertFalse(self.run_bench({"bench": "rang", "hash": "1f"})[0])

    def test_no_figure_or_key_has_the_name_of_what_the_suite_says(self):
        for name, kind in catalog.LINES.items():
            self.assertFalse({"run", "program", "build", "commit", "machine", "settings", "hash"}
                             & (set(kind.keys) | set(kind.figures)), name)


class Results(unittest.TestCase):
    def test_a_hash_is_of_what_came_out(self):
        self.assertEqual(result.hashed({"a": 1, "b": 2}), result.hashed({"b": 2, "a": 1}))
        self.assertNotEqual(result.hashed(["ended"]), result.hashed(result.ends(ended=3, failed=1)))
        self.assertEqual(result.ends(ended=3, failed=0), ["ended"])


class Nic(unittest.TestCase):
    GOOD = {"hear_ok": 60, "hear_bad": 0, "bad_pct": 0.0999, "gen_cpu": 0.7}

    def faults(self, smoke=False, **more):
        return bench_nic.faults({**self.GOOD, **more}, 30, smoke)

    def test_what_is_good_has_no_faults(self):
        self.assertEqual(self.faults(), [])

    def test_bad_packets_wrong_sound_and_a_busy_generator_are_no_measurement(self):
        for more in ({"bad_pct": 0.1}, {"hear_bad": 1}, {"hear_ok": 29}, {"gen_cpu": 0.701}):
            self.assertEqual(len(self.faults(**more)), 1, more)

    def test_small_sizes_are_judged_by_what_is_heard(self):
        self.assertEqual(self.faults(smoke=True, bad_pct=5, gen_cpu=0.9), [])
        self.assertEqual(len(self.faults(smoke=True, hear_bad=1)), 1)

    def test_only_a_disturbed_step_is_tried_anew(self):
        self.assertEqual(bench_nic.disturbance({**self.GOOD, "hear_bad": 1}), [])
        self.assertEqual(len(bench_nic.disturbance({**self.GOOD, "hear_bad": 1, "bad_pct": 0.1})), 1)


if __name__ == "__main__":
    unittest.main()
