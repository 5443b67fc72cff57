#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables and the plot, from the JSON lines of the suite.

    report.py FILE                       the tables, as Markdown
    report.py FILE --against OTHER       what changed since OTHER, with the noise of both
    report.py FILE --write               the block of figures in README.md, and the plots
    report.py FILE --check               exits with 1 when README.md or a plot say something else
    report.py FILE --publish             takes FILE for bench/figures.jsonl, and writes all of these
"""
import argparse
import html
import json
import math
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import catalog  # noqa: E402
from catalog import BENCHES, COMPUTED, LESS, LINES, ROWS  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent
README, FIGURES = TOP / "README.md", TOP / "bench" / "figures.jsonl"
PLOT, GROWTH_PLOT = TOP / "bench" / "figures.svg", TOP / "bench" / "growth.svg"
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
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{float(f'{value:.3g}'):,.0f}"


def unit_of(figure, unit):
    """The unit, and whether the figure was computed from what was measured."""
    return unit + (", computed" if figure in COMPUTED else "")


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
        rows.append([row.work, f"**{number(value)}** {unit_of(row.figure, row.unit)}",
                     number(row.reach) + (" ✓" if catalog.reached(row, value) else " (short)"),
                     number(row.peer), number(row.limit),
                     f"{number(better)}×" if better else "–", f"{100 * near:.0f} %" if near else "–"])
    return rows


def main_table(lines):
    return table(["Work, one core", "Here", "Set out for", "Best peer", "Limit", "To the peer", "Of the limit"],
                 main_rows(lines))


def detail_table(lines):
    rows = []
    for detail in catalog.DETAILS:
        found = [(catalog.median_of(lines, line, figure), unit) for line, figure, unit in detail.figures]
        if any(value is not None for value, _ in found):
            alike = len({unit for _, unit in found}) == 1
            text = "; ".join(number(value) if alike else f"{number(value)} {unit}" for value, unit in found)
            rows.append([detail.what, text + (f" {found[0][1]}" if alike else ""), f"`scripts/bench {detail.bench}`"])
    return table(["What", "Figure", "Command"], rows)


# ---- growth --------------------------------------------------------------------------------------


def growth_rows(lines):
    """Each that grows, with its figures by the columns; None where there is none."""
    for grown in catalog.GROWTH:
        found = [catalog.median_of(lines, {**grown.line, grown.key: count}, grown.figure) if count else None
                 for count in grown.counts]
        if any(value is not None for value in found):
            yield grown, found


def growth_table(lines):
    return table(["By how many there are", "", *(f"{count:,}" for count in catalog.GROWTH_COLUMNS)],
                 [[grown.what, grown.unit, *(number(value) for value in found)]
                  for grown, found in growth_rows(lines)])


def queue_table(lines):
    def cell(name, waiting, agents):
        return number(catalog.median_of(lines, {"bench": name, "waiting": waiting, "agents": agents}, "ns"))
    rows = [[what, f"{waiting:,}", *(cell(name, waiting, agents) for agents in catalog.QUEUE_AGENTS)]
            for what, name in (("a contact enters", "queue_enter"), ("an agent is offered one", "queue_offer"))
            for waiting in catalog.QUEUE_WAITING]
    return table(["ns of CPU time", "waiting", *(f"{agents:,} agents" for agents in catalog.QUEUE_AGENTS)],
                 rows if any(cell != "–" for row in rows for cell in row[2:]) else [])


def overload_table(lines):
    """Goodput: what is served of what is offered, with admission and without."""
    def cells(admission, factor):
        line = {"bench": "overload", "admission": admission, "factor": factor}
        return [number(catalog.median_of(lines, line, figure))
                for figure in ("offered_per_second", "served_per_second", "refused_per_second", "broken_percent")]
    rows = [[f"{factor:g}×", *cells("on", factor), *cells("off", factor)] for factor in catalog.OVERLOAD_FACTORS]
    heads = [f"{how}: {what}" for how in ("control", "no control")
             for what in ("offered/s", "served/s", "refused/s", "broken of the taken, %")]
    return table(["Of what can be served", *heads],
                 rows if any(cell != "–" for row in rows for cell in row[1:]) else [])


def scaling_table(lines):
    """Workers side by side: as far as there are cores measured, then by the model."""
    share = catalog.scaling_share(lines)
    if share is None:
        return ""
    counts = sorted({line["workers"] for line in lines if line["bench"] == "scaling"})
    rows = [[str(count), number(count / 100 * catalog.median_of(
        lines, {"bench": "scaling", "workers": count}, "efficiency_percent")), "measured"] for count in counts]
    rows += [[str(count), number(catalog.scaled(share, count)), f"model: {count} / (1 + {number(share)} · {count - 1})"]
             for count in catalog.SCALING_MODEL if count > counts[-1]]
    return table(["Workers", "do the work of so many alone", "by"], rows)


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
            head = [*kind.keys, *(f"{f} ({unit_of(f, kind.figures[f][0])})" for f in figures)]
            text += f"\n{name}\n\n" + table(head, [
                [*(str(v) for v in key[1:]), *(number(median(group, f)) for f in figures)]
                for key, group in groups.items()])
    return text


def values(group, figure):
    return sorted(line[figure] for line in group if line.get(figure) is not None)


def median(group, figure):
    found = values(group, figure)
    return found[len(found) // 2] if found else None


def speed_of(lines):
    """How evenly the core ran, by the loops before the benches."""
    turns = sorted({(line.get("program"), line.get("run", 0)): line["turns_per_ms"]
                    for line in lines if "turns_per_ms" in line}.values())
    if not turns:
        return ""
    least, middle = (round(100 * value / turns[-1]) for value in (turns[0], statistics.median(turns)))
    return f"; before the benches a loop of nothing ran at {least} to 100 % of its best, {middle} % in the median"


def machine_of(lines):
    if not lines:
        return ""
    machine, large = lines[0].get("machine", {}), {line["large_pages"] for line in lines if "large_pages" in line}
    pages = {(): "", (True,): ", huge pages for the workers", (False,): ", no huge pages"}.get(
        tuple(large), ", huge pages for some workers")
    return (f"{machine.get('cores', '?')} cores of {machine.get('cpu', 'an unknown processor')}, "
            f"{machine.get('memory_gb', '?')} GB{pages}, Linux {machine.get('kernel', '?')}; "
            f"commit {lines[0].get('commit', '?')}")


# ---- what may be published -----------------------------------------------------------------------


def unmeasured(lines):
    """What the tables have a place for, and no line says."""
    missing = [f"bench {name}" for name in BENCHES if all(catalog.bench_of(line) != name for line in lines)]
    missing += [row.work for row in ROWS if catalog.value_of(row, lines) is None]
    missing += [detail.what for detail in catalog.DETAILS
                if any(catalog.median_of(lines, line, figure) is None for line, figure, _ in detail.figures)]
    missing += [f"{grown.what}: {count:,}" for grown in catalog.GROWTH for count in grown.counts
                if count and catalog.median_of(lines, {**grown.line, grown.key: count}, grown.figure) is None]
    missing += [f"{name}: {waiting:,} waiting, {agents:,} agents" for name in ("queue_enter", "queue_offer")
                for waiting in catalog.QUEUE_WAITING for agents in catalog.QUEUE_AGENTS
                if catalog.median_of(lines, {"bench": name, "waiting": waiting, "agents": agents}, "ns") is None]
    missing += [f"overload: {factor:g} times, admission {admission}" for admission in ("on", "off")
                for factor in catalog.OVERLOAD_FACTORS if catalog.median_of(
                    lines, {"bench": "overload", "admission": admission, "factor": factor}, "served_per_second") is None]
    return missing


def small(lines):
    return any(line.get("smoke") for line in lines)


def why_not_published(lines):
    """Reasons, each a line of text."""
    reasons = [f"not measured: {what}" for what in unmeasured(lines)]
    if small(lines):
        reasons.append("has lines of small sizes, which say nothing about speed")
    commits = sorted({line.get("commit", "unknown") for line in lines})
    if len(commits) != 1 or commits[0] == "unknown" or commits[0].endswith("+"):
        reasons.append(f"expected lines of one commit without changes, not of {', '.join(commits) or 'none'}")
    if len({json.dumps(line.get("machine"), sort_keys=True) for line in lines}) != 1:
        reasons.append("expected lines of one machine")
    return reasons


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
                           f'fill="{COLOURS[name]}"/><text x="{min(to + 4, WIDTH - (140 if name == "here" else 70)):.1f}" '
                           f'y="{y + 10 + (BAR + 2) * k}" font-size="10">'
                           f'{number(figure)} {unit_of(row.figure, row.unit) if name == "here" else row.unit}</text>')
    return "\n".join(out) + "\n</svg>\n"


GROWN_HEIGHT, GROWN_RIGHT = 380, 280
LINES_COLOURS = ("#1f6f8b", "#d9822b", "#9a5fb0", "#4d8f3b", "#b5433b")


def growth_plot(lines):
    """Cycles of a party by how many there are, both logarithmic, a line for each case of the worker."""
    curves = [(grown, [(count, value) for count, value in zip(grown.counts, found) if value])
              for grown, found in growth_rows(lines) if grown.line["bench"] == "worker"]
    found = [value for _, points in curves for _, value in points] or [1]
    low = math.floor(math.log2(min(found)))
    high = max(low + 1, math.ceil(math.log2(max(found))))
    left, top, bottom, right = 60, 40, GROWN_HEIGHT - 40, WIDTH - GROWN_RIGHT

    def x(count):
        return left + (right - left) * math.log10(count) / 5

    def y(value):
        return bottom - (bottom - top) * (math.log2(value) - low) / (high - low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{GROWN_HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{GROWN_HEIGHT}" fill="#ffffff"/>',
           '<text x="10" y="18" font-size="14">Cycles of a party in 20 ms, by parties of the worker '
           '(both logarithmic)</text>']
    for power in range(low, high + 1):
        at = y(2 ** power)
        out.append(f'<line x1="{left}" y1="{at:.1f}" x2="{right}" y2="{at:.1f}" stroke="#e3e8ee"/>'
                   f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{2 ** power:,}</text>')
    for power in range(6):
        out.append(f'<text x="{x(10 ** power):.1f}" y="{bottom + 20}" text-anchor="middle">{10 ** power:,}</text>')
    for n, ((grown, points), colour) in enumerate(zip(curves, LINES_COLOURS)):
        path = " ".join(f"{x(count):.1f},{y(value):.1f}" for count, value in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x(count):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>' for count, value in points]
        out.append(f'<rect x="{right + 20}" y="{top + 20 * n}" width="10" height="10" fill="{colour}"/>'
                   f'<text x="{right + 34}" y="{top + 9 + 20 * n}">{html.escape(grown.what)}</text>')
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
    parts = [f"Measured on {machine_of(lines)}; {'one run' if runs == 1 else f'medians of {runs} runs'}"
             f"{speed_of(lines)}.",
             main_table(lines), "![cordboard beside its best peer](bench/figures.svg)",
             growth_table(lines), "![cycles of a party by parties](bench/growth.svg)", queue_table(lines),
             overload_table(lines), scaling_table(lines), detail_table(lines),
             "Speech over bad networks, `scripts/bench voice`:", voice_table(lines)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def with_block(readme, text):
    begin, end = readme.find(BEGIN), readme.find(END)
    if begin < 0 or end < begin:
        raise SystemExit(f"README.md: expected the lines {BEGIN.strip()} and {END.strip()}")
    return readme[:begin + len(BEGIN)] + "\n" + text + "\n" + readme[end:]


def written(lines):
    """What README.md and the plots are to say."""
    readme = README.read_text(encoding="utf-8")
    return {README: with_block(readme, block(lines)), PLOT: plot(lines), GROWTH_PLOT: growth_plot(lines)}


def write(texts):
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def publish(file, lines):
    """All or nothing."""
    reasons = why_not_published(lines)
    if reasons:
        raise SystemExit("\n".join([f"{file}: not published:", *reasons]))
    write({FIGURES: pathlib.Path(file).read_text(encoding="utf-8"), **written(lines)})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--against")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--publish", action="store_true")
    options = parser.parse_args()
    lines = read(options.file)
    if options.against:
        old = read(options.against)
        if small(lines) != small(old):
            raise SystemExit(f"{options.file}, {options.against}: one has small sizes, the other has not")
        print(compared(old, lines) or "nothing that both have measured")
    elif options.publish:
        publish(options.file, lines)
    elif options.write or options.check:
        if small(lines):
            raise SystemExit(f"{options.file}: has lines of small sizes, which say nothing about speed")
        wanted = written(lines)
        if options.write:
            write(wanted)
            return 0
        stale = [path.name for path, text in wanted.items()
                 if not path.exists() or path.read_text(encoding="utf-8") != text]
        if stale:
            print(f"{', '.join(stale)}: not what {options.file} says; run bench/report.py {options.file} --write")
        return 1 if stale else 0
    else:
        print(("Small sizes: that the benches work, not how fast.\n\n" if small(lines) else "") + main_table(lines)
              + other_tables(lines) + "\n" + scaling_table(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
