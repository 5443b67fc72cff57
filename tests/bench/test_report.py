# SPDX-License-Identifier: Apache-2.0
"""The suite's tables, plot and comparison, from lines whose figures are known."""
import ast
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "bench"))

import catalog  # noqa: E402
import report  # noqa: E402


def plain(calls, **more):
    return {"bench": "control_plain", "cpu_us_per_call": 1e6 / calls, "calls_per_second_of_cpu": calls,
            "commit": "abc", "machine": {"cpu": "one", "cores": 2, "memory_gb": 24, "kernel": "6.1"}, **more}


class Tables(unittest.TestCase):
    def test_a_row_has_its_ratio_to_the_peer_and_to_the_limit(self):
        row = next(r for r in report.main_rows([plain(20000)]) if r[0] == "plain answered call")
        self.assertEqual(row[1:], ["**20,000** calls/s, computed", "10,000 ✓", "1,000", "50,000", "20×", "40 %"])

    def test_a_row_that_is_short_says_so(self):
        row = next(r for r in report.main_rows([plain(2000)]) if r[0] == "plain answered call")
        self.assertEqual(row[2], "10,000 (short)")

    def test_a_row_without_a_line_says_that_it_was_not_measured(self):
        self.assertTrue(all(row[1] == "not measured" for row in report.main_rows([])))

    def test_the_median_of_the_runs_counts(self):
        row = next(r for r in catalog.ROWS if r.work == "plain answered call")
        self.assertEqual(catalog.value_of(row, [plain(1), plain(5000), plain(9000)]), 5000)

    def test_a_row_may_be_a_ratio_of_two_lines(self):
        row = catalog.Row("w", {"case": 1}, "f", "times", catalog.LESS, None, None, 2, {"case": 2})
        self.assertEqual(catalog.value_of(row, [{"case": 1, "f": 6}, {"case": 2, "f": 4}]), 1.5)
        self.assertIsNone(catalog.value_of(row, [{"case": 1, "f": 6}]))

    def test_less_is_better_where_less_is_better(self):
        row = catalog.Row("w", {}, "f", "%", catalog.LESS, 0.17, 0.012, 0.017)
        self.assertTrue(catalog.reached(row, 0.016))
        self.assertFalse(catalog.reached(row, 0.018))
        self.assertAlmostEqual(catalog.times(row, row.peer, 0.017), 10)

    def test_numbers_have_three_digits_that_count(self):
        self.assertEqual([report.number(v) for v in (0.01234, 0.05, 1.5, 2.999, 630.4, 123456, 73.0, 0, None)],
                         ["0.0123", "0.05", "1.5", "3", "630", "123,000", "73", "0", "–"])

    def test_nothing_is_listed_twice(self):
        tree = ast.parse((TOP / "bench" / "catalog.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [k.value for k in node.keys if isinstance(k, ast.Constant)] if isinstance(node, ast.Dict) else []
            self.assertEqual(len(names), len(set(names)), names)

    def test_every_row_names_a_figure_that_its_line_lists(self):
        for row in catalog.ROWS:
            kind = catalog.LINES[row.line["bench"]]
            self.assertIn(row.figure, kind.figures, row.work)
            self.assertLessEqual(set(row.line) - {"bench"}, set(kind.keys), row.work)


    def test_what_is_computed_says_so(self):
        row = next(r for r in catalog.ROWS if r.figure == "parties_per_core")
        told = next(r for r in report.main_rows([{**row.line, row.figure: 1000}]) if r[0] == row.work)
        self.assertEqual(told[1], "**1,000** parties, computed")
        held = next(d for d in catalog.DETAILS if d.bench == "delay")
        table = report.detail_table([{"bench": "delay", "parties": 1000, "busy_percent": 80.5}])
        self.assertIn(f"| {held.what} | 1,000 parties; 80.5 % |", table)

    def test_every_figure_of_the_tables_is_listed(self):
        wanted = [(dict(line), figure) for detail in catalog.DETAILS for line, figure, _ in detail.figures]
        wanted += [({**grown.line, grown.key: 1}, grown.figure) for grown in catalog.GROWTH]
        for line, figure in wanted:
            kind = catalog.LINES[line["bench"]]
            self.assertIn(figure, kind.figures, line)
            self.assertLessEqual(set(line) - {"bench"}, set(kind.keys), line)

    def test_growth_has_a_column_for_each_count(self):
        line = {"bench": "worker", "case": "g711", "parties": 999, "cycles_per_party": 500}
        row = report.growth_table([line]).splitlines()[2]
        self.assertEqual(row, "| three-party G.711 | cycles | – | – | – | 500 | – | – | – |")
        self.assertTrue(all(len(grown.counts) == len(catalog.GROWTH_COLUMNS) for grown in catalog.GROWTH))

    def test_workers_that_were_not_measured_are_by_the_model(self):
        lines = [{"bench": "scaling", "workers": n, "efficiency_percent": e} for n, e in ((1, 100), (2, 80))]
        self.assertEqual(catalog.scaling_share(lines), 0.25)
        self.assertEqual(catalog.scaled(0.25, 5), 2.5)
        rows = report.scaling_table(lines).splitlines()[2:]
        self.assertEqual(rows[1], "| 2 | 1.6 | measured |")
        self.assertEqual(rows[2], "| 4 | 2.29 | model: 4 / (1 + 0.25 · 3) |")
        self.assertEqual(report.scaling_table(lines[:1]), "")

    def test_overload_is_a_curve(self):
        lines = [{"bench": "overload", "admission": how, "factor": factor, "offered_per_second": 10000 * factor,
                  "served_per_second": 9000, "refused_per_second": 0, "broken_percent": 0}
                 for how in ("on", "off") for factor in catalog.OVERLOAD_FACTORS]
        self.assertEqual(report.overload_table(lines).splitlines()[-1],
                         "| 2× | 20,000 | 9,000 | 0 | 0 | 20,000 | 9,000 | 0 | 0 |")
        self.assertEqual(report.overload_table([]), "")

    def test_the_machine_says_whether_it_has_huge_pages(self):
        for pages, text in ((True, ", huge pages for the workers"), (False, ", no huge pages"), (None, " GB, Linux")):
            more = {} if pages is None else {"large_pages": pages}
            self.assertIn(text, report.machine_of([plain(1, **more)]))

    def test_how_evenly_the_core_ran_is_told(self):
        lines = [plain(1, program=name, run=turn, turns_per_ms=turns)
                 for name, turn, turns in (("ring", 0, 100), ("ring", 0, 100), ("flow", 0, 400), ("ring", 1, 160))]
        self.assertIn("ran at 25 to 100 % of its best, 40 % in the median", report.block(lines))
        self.assertNotIn("of its best", report.block([plain(1)]))


class Publishing(unittest.TestCase):
    @staticmethod
    def everything():
        """A line for all that the tables have a place for."""
        wanted = [(row.line, row.figure) for row in catalog.ROWS]
        wanted += [(row.over, row.figure) for row in catalog.ROWS if row.over]
        wanted += [(line, figure) for detail in catalog.DETAILS for line, figure, _ in detail.figures]
        wanted += [({**grown.line, grown.key: count}, grown.figure)
                   for grown in catalog.GROWTH for count in grown.counts if count]
        wanted += [({"bench": name, "waiting": waiting, "agents": agents}, "ns") for name in ("queue_enter", "queue_offer")
                   for waiting in catalog.QUEUE_WAITING for agents in catalog.QUEUE_AGENTS]
        wanted += [({"bench": "overload", "admission": how, "factor": factor}, "served_per_second")
                   for how in ("on", "off") for factor in catalog.OVERLOAD_FACTORS]
        wanted += [({"bench": name}, "x") for name in catalog.BENCHES]
        told = {"commit": "abc", "machine": {"cpu": "one"}}
        return [{**{key: value[0] if isinstance(value, tuple) else value for key, value in line.items()},
                 figure: 1, **told} for line, figure in wanted]

    def test_what_is_whole_is_published(self):
        self.assertEqual(report.unmeasured(self.everything()), [])
        self.assertEqual(report.why_not_published(self.everything()), [])

    def test_nothing_is_published_that_was_not_measured(self):
        self.assertLessEqual({row.work for row in catalog.ROWS} | {d.what for d in catalog.DETAILS},
                             set(report.unmeasured([])))
        for gone in catalog.LINES:
            lines = [line for line in self.everything() if line["bench"] != gone]
            if len(lines) < len(self.everything()):
                self.assertNotEqual(report.unmeasured(lines), [], gone)
        grown = [line for line in self.everything() if line.get("parties") != 9]
        self.assertIn("three-party G.711: 9", report.unmeasured(grown))

    def test_small_sizes_changed_trees_and_mixtures_are_not_published(self):
        def one(**more):
            lines = self.everything()
            lines[0].update(more)
            return report.why_not_published(lines)
        self.assertIn("small", one(smoke=True)[0])
        self.assertIn("of one commit", one(commit="def")[0])
        self.assertIn("of one machine", one(machine={"cpu": "another"})[0])
        for commit in ("abc+", "unknown"):
            self.assertIn("of one commit", report.why_not_published(
                [{**line, "commit": commit} for line in self.everything()])[0])

    def test_a_refusal_writes_nothing(self):
        with tempfile.TemporaryDirectory() as name:
            file = pathlib.Path(name) / "results.jsonl"
            file.write_text(json.dumps(plain(1)) + "\n", encoding="utf-8")
            before = {path: path.read_bytes() for path in (report.README, report.FIGURES, report.PLOT)}
            done = subprocess.run([sys.executable, "-B", TOP / "bench" / "report.py", file, "--publish"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("not measured: bench worker", done.stderr)
            self.assertEqual(before, {path: path.read_bytes() for path in before})

    def test_the_script_publishes_everything_or_nothing(self):
        for words in (["--smoke"], ["ring"], ["--runs", "1", "ring"], ["--against", str(report.FIGURES)]):
            done = subprocess.run([TOP / "scripts" / "bench", "--publish", *words],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn("--publish measures everything", done.stderr)


class Comparison(unittest.TestCase):
    def verdicts(self, before, after):
        text = report.compared([plain(v) for v in before], [plain(v) for v in after])
        return [line.split("|")[-2].strip() for line in text.splitlines()[2:]]

    def test_ranges_that_touch_are_noise(self):
        self.assertEqual(self.verdicts([100, 120], [110, 130]), ["within noise"] * 2)

    def test_ranges_apart_are_a_change(self):
        self.assertEqual(self.verdicts([100, 110], [120, 130]), ["better"] * 2)
        self.assertEqual(self.verdicts([120, 130], [100, 110]), ["WORSE"] * 2)

    def test_one_run_says_nothing_about_noise(self):
        self.assertEqual(self.verdicts([100], [200, 210]), ["one run: noise unknown"] * 2)

    def test_small_sizes_are_not_compared_with_full_ones(self):
        with tempfile.TemporaryDirectory() as name:
            files = [pathlib.Path(name) / "small.jsonl", pathlib.Path(name) / "full.jsonl"]
            for file, smoke in zip(files, (True, False)):
                file.write_text(json.dumps(plain(1, smoke=smoke)) + "\n", encoding="utf-8")
            for one, other in (files, files[::-1]):
                done = subprocess.run([sys.executable, "-B", TOP / "bench" / "report.py", one, "--against", other],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("one has small sizes", done.stderr)

    def test_another_result_is_told(self):
        text = report.compared([plain(1, hash="a"), plain(1)], [plain(1, hash="b"), plain(1)])
        self.assertIn("another result", text)


class Files(unittest.TestCase):
    def test_a_broken_line_is_named(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write(json.dumps(plain(1)) + "\n{\n")
            file.flush()
            with self.assertRaisesRegex(SystemExit, r":2: expected a JSON object"):
                report.read(file.name)

    def test_the_block_replaces_only_itself(self):
        readme = f"before\n{report.BEGIN}old\n{report.END}after\n"
        self.assertEqual(report.with_block(readme, "new"), f"before\n{report.BEGIN}\nnew\n{report.END}after\n")
        with self.assertRaisesRegex(SystemExit, "expected the lines"):
            report.with_block("no block", "new")

    def test_the_plot_is_well_formed_and_has_a_bar_for_each_figure(self):
        drawing = xml.dom.minidom.parseString(report.plot([plain(20000)]))
        bars = [r for r in drawing.getElementsByTagName("rect") if r.getAttribute("height") == str(report.BAR)]
        widths = [float(bar.getAttribute("width")) for bar in bars]
        self.assertEqual(len(bars), 3)
        self.assertEqual(sorted(widths), widths)

    def test_the_plot_of_growth_has_a_point_for_each_figure(self):
        lines = [{"bench": "worker", "case": case, "parties": parties, "cycles_per_party": cycles}
                 for case, parties, cycles in (("g711", 3, 900), ("g711", 999, 500), ("hold", 3, 800))]
        drawing = xml.dom.minidom.parseString(report.growth_plot(lines))
        self.assertEqual(len(drawing.getElementsByTagName("polyline")), 2)
        points = drawing.getElementsByTagName("circle")
        self.assertEqual(len(points), 3)
        self.assertLess(float(points[0].getAttribute("cy")), float(points[1].getAttribute("cy")))
        self.assertLess(float(points[0].getAttribute("cx")), float(points[1].getAttribute("cx")))
        xml.dom.minidom.parseString(report.growth_plot([]))

    def test_the_readme_and_the_plot_say_what_was_measured(self):
        for path, text in report.written(report.read(report.FIGURES)).items():
            self.assertEqual(path.read_text(encoding="utf-8"), text, path.name)


if __name__ == "__main__":
    unittest.main()
