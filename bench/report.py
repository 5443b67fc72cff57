#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables and the plot, from the JSON lines of the suite.

    report.py FILE                       the tables, as Markdown
    report.py FILE --against OTHER       what changed since OTHER, with the noise of both
    report.py FILE --write               the block of figures in README.md, and bench/figures.svg
    report.py FILE --check               exits with 1 when README.md or the plot say something else
"""
import argparse
import html
import json
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import catalog  # noqa: E402
from catalog import LESS, LINES, ROWS  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent
README, PLOT = TOP / "README.md", TOP / "bench" / "figures.svg"
BEGIN, END = "<!-- figures: written by scripts/bench --publish -->\n", "<!-- end of figures -->\n"


def read(path):
    """The lines of a file of results; a line that is no JSON object is an error that names it."""
    lines = []
    for number, text in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        try:
            line = json.loads(text)
            line["bench"] + ""
        except (ValueError, TypeError, KeyError) as problem:
            raise SystemExit(f"{path}:{number}: expected a JSON object with the word \"bench\": {problem}")
        lines.append(line)
    return lines


def number(value):
    """Three digits that count, and no more."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1000:
        return str(int(value))
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, digits):,.{digits}f}" if digits else f"{float(f'{value:.3g}'):,.0f}"


def table(head, rows):
    if not rows:
        return ""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


# ---- the main table ------------------------------------------------------------------------------


def main_rows(lines):
    rows = []
    for row in ROWS:
        value = catalog.value_of(row, lines)
        if value is None:
            rows.append([row.work, "not measured", *(number(v) for v in (row.reach, row.peer, row.limit)), "–", "–"])
            continue
        better, near = (catalog.times(row, other, value) for other in (row.peer, row.limit))
        rows.append([row.work, f"**{number(value)}** {row.unit}",
                     number(row.reach) + (" ✓" if catalog.reached(row, value) else " (short)"),
                     number(row.peer), number(row.limit),
                     f"{number(better)}×" if better else "–", f"{100 * near:.0f} %" if near else "–"])
    return rows


def main_table(lines):
    return table(["Work, one core", "Measured", "Set out for", "Best peer", "Limit", "To the peer", "Of the limit"],
                 main_rows(lines))


def detail_table(lines):
    rows = []
    for detail in catalog.DETAILS:
        found = [(catalog.median_of(lines, line, figure), unit) for line, figure, unit in detail.figures]
        if any(value is not None for value, _ in found):
            rows.append([detail.what, "; ".join(number(value) for value, _ in found) + f" {found[0][1]}",
                         f"`scripts/bench {detail.bench}`"])
    return table(["What", "Figure", "Command"], rows)


def growth_table(lines):
    """Cycles of a party by how many there are, for each case of the worker."""
    cases = {}
    for line in lines:
        if line["bench"] == "worker":
            cases.setdefault(line["case"], set()).add(line["parties"])
    counts = sorted(set().union(*cases.values())) if cases else []
    return table(["Cycles a party and period", *(f"{count:,}" for count in counts)], [
        [case, *(number(catalog.median_of(lines, {"bench": "worker", "case": case, "parties": count},
                                          "cycles_per_party")) for count in counts)] for case in cases])


VOICES = (("fixed", "silence"), ("adaptive", "ours"), ("adaptive", "spandsp"))


def voice_table(lines):
    """Speech over bad networks: a fixed buffer with silence, ours, and ours with another concealment."""
    networks = list(dict.fromkeys(line["network"] for line in lines if line["bench"] == "voice"))

    def cell(network, how, figure):
        return number(catalog.median_of(lines, {"bench": "voice", "network": network, "buffer": how[0],
                                                "concealment": how[1]}, figure))
    columns = [(how, figure) for how in VOICES[:2]
               for figure in ("delay_ms", "concealed_percent", "late_percent", "distortion_percent")]
    columns.append((VOICES[2], "distortion_percent"))
    names = {"delay_ms": "delay, ms", "concealed_percent": "filled in, %", "late_percent": "late, %",
             "distortion_percent": "distortion, %"}
    heads = [f"{'fixed' if how[0] == 'fixed' else how[1]}: {names[figure]}" for how, figure in columns]
    opus = [(("adaptive", how), figure) for how in ("opus", "opus fec") for figure in ("delay_ms", "distortion_percent")]
    return (table(["Network", *heads], [[n, *(cell(n, *c) for c in columns)] for n in networks]) + "\n"
            + table(["Opus, 24 kbit/s at 8 kHz", *(f"{how[1]}: {names[figure]}" for how, figure in opus)],
                    [[n, *(cell(n, *c) for c in opus)] for n in networks
                     if cell(n, *opus[0]) != "–"])) if networks else ""


def other_tables(lines):
    """Each kind of line as a table of its own, medians of the runs."""
    text = ""
    for name, kind in LINES.items():
        groups = {}
        for line in lines:
            if line["bench"] == name:
                groups.setdefault(catalog.key_of(line), []).append(line)
        if groups:
            figures = [f for f in kind.figures if any(f in line for group in groups.values() for line in group)]
            head = [*kind.keys, *(f"{f} ({kind.figures[f][0]})" for f in figures)]
            text += f"\n{name}\n\n" + table(head, [
                [*(str(v) for v in key[1:]), *(number(median(group, f)) for f in figures)]
                for key, group in groups.items()])
    return text


def values(group, figure):
    return sorted(line[figure] for line in group if line.get(figure) is not None)


def median(group, figure):
    found = values(group, figure)
    return found[len(found) // 2] if found else None


def machine_of(lines):
    told = lines[0].get("machine", {}) if lines else {}
    return (f"{told.get('cores', '?')} cores of {told.get('cpu', 'an unknown processor')}, "
            f"{told.get('memory_gb', '?')} GB, Linux {told.get('kernel', '?')}; commit {lines[0].get('commit', '?')}"
            if lines else "")


# ---- two runs ------------------------------------------------------------------------------------


def grouped(lines):
    groups = {}
    for line in lines:
        key = catalog.key_of(line)
        if key:
            groups.setdefault(key, []).append(line)
    return groups


def spread(found):
    """Half the range of the runs, as a share of their median; None for one run."""
    middle = found[len(found) // 2]
    return (found[-1] - found[0]) / 2 / abs(middle) if len(found) > 1 and middle else None


def verdict(before, after, better):
    """A change counts only where the two ranges do not touch, and there were several runs."""
    if len(before) < 2 or len(after) < 2:
        return "one run: noise unknown"
    if before[-1] >= after[0] and after[-1] >= before[0]:
        return "within noise"
    return "better" if (after[-1] < before[0]) == (better == LESS) else "WORSE"


def compared(old, new):
    old, new, rows = grouped(old), grouped(new), []
    for key in new:
        if key not in old:
            continue
        hashes = [{line["hash"] for line in group[key] if "hash" in line} for group in (old, new)]
        for figure, (unit, better) in LINES[key[0]].figures.items():
            before, after = values(old[key], figure), values(new[key], figure)
            if not before or not after:
                continue
            a, b = before[len(before) // 2], after[len(after) // 2]
            noise = [f"±{100 * s:.0f} %" if s is not None else "?" for s in (spread(before), spread(after))]
            rows.append([" ".join(str(k) for k in key), f"{figure} ({unit})", f"{number(a)} {noise[0]}",
                         f"{number(b)} {noise[1]}", f"{b / a:.2f}" if a else "–",
                         verdict(before, after, better) + ("" if hashes[0] == hashes[1] else "; another result")])
    return table(["What", "Figure", "Before", "Now", "Now / before", "Verdict"], rows)


# ---- the plot ------------------------------------------------------------------------------------

WIDTH, LEFT, RIGHT, BAR, GAP = 900, 330, 40, 11, 46
COLOURS = {"peer": "#9aa5b1", "here": "#1f6f8b", "limit": "#d9822b"}


def plot(lines):
    """Each row of the main table that has a peer: the best peer, ours, and the hardware's limit, as
    times better than the peer, on a logarithmic scale."""
    rows = [(row, catalog.value_of(row, lines)) for row in ROWS if row.peer]
    rows = [(row, value) for row, value in rows if value]
    most = max([10.0, *(catalog.times(row, row.peer, other) for row, value in rows
                        for other in (value, row.limit) if other)])
    decades = math.ceil(math.log10(most))
    height = 70 + GAP * len(rows)

    def x(times):
        return LEFT + (WIDTH - LEFT - RIGHT) * max(0.0, math.log10(times)) / decades

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
           '<text x="10" y="18" font-size="14">Times the best peer, one core (logarithmic)</text>']
    for n, (name, what) in enumerate((("peer", "best peer"), ("here", "cordboard"), ("limit", "limit of the hardware"))):
        out.append(f'<rect x="{LEFT + 130 * n}" y="26" width="10" height="10" fill="{COLOURS[name]}"/>'
                   f'<text x="{LEFT + 14 + 130 * n}" y="35">{what}</text>')
    for power in range(decades + 1):
        at = x(10 ** power)
        out.append(f'<line x1="{at:.1f}" y1="44" x2="{at:.1f}" y2="{height - 20}" stroke="#e3e8ee"/>'
                   f'<text x="{at:.1f}" y="{height - 6}" text-anchor="middle">{10 ** power:,}×</text>')
    for n, (row, value) in enumerate(rows):
        y = 52 + GAP * n
        for part, text in enumerate(folded(row.work, 48)):
            out.append(f'<text x="10" y="{y + 10 + 13 * part}">{html.escape(text)}</text>')
        for k, (name, figure) in enumerate((("peer", row.peer), ("here", value), ("limit", row.limit))):
            if figure:
                to = max(x(catalog.times(row, row.peer, figure)), LEFT + 2)
                out.append(f'<rect x="{LEFT}" y="{y + (BAR + 2) * k}" width="{to - LEFT:.1f}" height="{BAR}" '
                           f'fill="{COLOURS[name]}"/><text x="{min(to + 4, WIDTH - 70):.1f}" '
                           f'y="{y + 10 + (BAR + 2) * k}" font-size="10">{number(figure)} {row.unit}</text>')
    return "\n".join(out) + "\n</svg>\n"


def folded(text, width):
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width and lines[-1]:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines[:3]


# ---- the README ----------------------------------------------------------------------------------


def block(lines):
    runs = 1 + max(line.get("run", 0) for line in lines)
    parts = [f"Measured on {machine_of(lines)}; {'one run' if runs == 1 else f'medians of {runs} runs'}.",
             main_table(lines), "![cordboard beside its best peer](bench/figures.svg)",
             growth_table(lines), detail_table(lines),
             "Speech over bad networks, `scripts/bench voice`:", voice_table(lines)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def with_block(readme, text):
    begin, end = readme.find(BEGIN), readme.find(END)
    if begin < 0 or end < begin:
        raise SystemExit(f"README.md: expected the lines {BEGIN.strip()} and {END.strip()}")
    return readme[:begin + len(BEGIN)] + "\n" + text + "\n" + readme[end:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--against")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    lines = read(options.file)
    if options.against:
        print(compared(read(options.against), lines) or "nothing that both have measured")
        return 0
    small = any(line.get("smoke") for line in lines)
    if options.write or options.check:
        if small:
            raise SystemExit(f"{options.file}: has lines of small sizes, which say nothing about speed")
        readme = README.read_text(encoding="utf-8")
        wanted = {README: with_block(readme, block(lines)), PLOT: plot(lines)}
        if options.write:
            for path, text in wanted.items():
                path.write_text(text, encoding="utf-8")
            return 0
        stale = [path.name for path, text in wanted.items()
                 if not path.exists() or path.read_text(encoding="utf-8") != text]
        if stale:
            print(f"{', '.join(stale)}: not what {options.file} says; run bench/report.py {options.file} --write")
        return 1 if stale else 0
    print(("Small sizes: that the benches work, not how fast.\n\n" if small else "") + main_table(lines)
          + other_tables(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
