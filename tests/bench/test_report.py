# SPDX-License-Identifier: Apache-2.0
"""The suite's tables, plot and comparison, from lines whose figures are known."""
import ast
import json
import pathlib
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
        self.assertEqual(row[1:], ["**20,000** calls/s", "10,000 ✓", "1,000", "50,000", "20×", "40 %"])

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
        self.assertEqual([report.number(v) for v in (0.01234, 1.5, 630.4, 123456, 73.0, None)],
                         ["0.0123", "1.50", "630", "123,000", "73", "–"])

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

    def test_the_readme_and_the_plot_say_what_was_measured(self):
        figures = TOP / "bench" / "figures.jsonl"
        lines = report.read(figures)
        self.assertEqual(report.PLOT.read_text(encoding="utf-8"), report.plot(lines))
        readme = report.README.read_text(encoding="utf-8")
        self.assertEqual(readme, report.with_block(readme, report.block(lines)))


if __name__ == "__main__":
    unittest.main()
