"""Turns saved figures into markdown tables with ratios and goals."""

import math

from query_set import GOALS, NO_SLOWER, RSS_SHARE, VICTORIA_RATIO

FIGURES = {"p50": "p50", "min": "minimum", "cpu": "CPU time of the process"}
ORDER = ["prometheus", "victoria-metrics", "hearth"]


def render(saved):
    parts = ["# Queries beside prometheus and victoria-metrics, " + saved["date"].split()[0], head(saved)]
    for data in saved["data"]:
        parts += [f"## {data['title']}", load(data), feeding(data, saved["versions"]), table(data, saved["names"])]
        parts += [goals(data), memory(data)]
    return "\n\n".join(part for part in parts if part) + "\n"


def head(saved):
    lines = [
        f"Run of {saved['date']} UTC on {saved['machine']}, {saved['repetitions']} repetitions (fewer where an answer "
        "takes long) after one to warm up, the servers in turns, one busy at a time. Times in ms until the last byte of "
        "the answer over one kept-alive connection without compression: p50 (minimum). The machine is shared: read "
        "ratios; the minimum is what a disturbance changes least. Ratios are those of the p50 (of the minima), and the "
        "p50 decides about a goal. \"No slower\" allows a tenth: two servers of the same binary differ by that. "
        "victoria-metrics runs without its answer cache (`-search.disableCache` and `nocache=1`), with "
        "`-search.latencyOffset=0s` and without deduplication.", ""]
    lines += [f"- {name}: {text}" for name, text in saved["versions"].items()]
    lines += [f"- **{text}**" for text in saved["missing"]]
    return "\n".join(lines)


def load(data):
    if "load" not in data:
        return ""
    before, after = data["load"]
    return f"Load average of the machine: {before} before the queries, {after} after them; of the run itself about 1."


def feeding(data, versions):
    lines = ["| fed by remote write | M samples/s | CPU s per M samples | RSS peak, MB |", "|---|---:|---:|---:|"]
    for name, figures in data["feed"].items():
        samples = figures["samples"] / 1e6
        # With kept data another binary may have taken them in.
        other = "" if figures.get("version") in (None, versions[name]) else f" ({figures['version']})"
        lines.append(
            f"| {name}{other} | {samples / max(figures['seconds'], 1e-9):.2f} | {figures['cpu_seconds'] / samples:.2f} "
            f"| {figures['peak_rss'] / 1e6:.0f} |")
    return "\n".join(lines)


def cell(entry):
    if entry is None:
        return "–"
    if "p50" not in entry:
        return "error"
    return f"{number(entry['p50'])} ({number(entry['min'])})"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(line, peer, figure="p50"):
    one, other = line["servers"].get(peer, {}), line["servers"].get("hearth", {})
    if not one.get(figure) or not other.get(figure):
        return None
    return one[figure] / other[figure]


def ratio_cell(line, peer):
    middle, least = ratio(line, peer), ratio(line, peer, "min")
    return "–" if middle is None else f"{middle:.2f} ({least:.2f})"


def verdict(line):
    """True, False, or None where there is nothing to judge."""
    goal = GOALS.get(line["goal"])
    reached = goal and ratio(line, goal.peer)
    if not reached:
        return None
    return reached >= (goal.ratio if goal.ratio > 1 else NO_SLOWER) and not line.get("difference")


def table(data, names):
    columns = [name for name in ORDER if name in names]
    peers = [name for name in columns if name != "hearth"] if "hearth" in columns else []
    titles = ["query", "form", *columns, *[f"{peer} ÷ hearth" for peer in peers], *(["goal"] if peers else [])]
    rows = ["| " + " | ".join(titles) + " |", "|---|---|" + "---:|" * (len(titles) - 2)]
    for line in data["lines"]:
        cells = [line["name"], line["form"], *[cell(line["servers"].get(name)) for name in columns]]
        cells += [ratio_cell(line, peer) for peer in peers]
        if peers:
            met = verdict(line)
            goal = GOALS[line["goal"]]
            mark = "" if met is None else "met" if met else "**missed**"
            cells.append(f"{goal.ratio:g}× {mark}".strip())
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def geometric_mean(values):
    values = [value for value in values if value]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def goals(data):
    """Each goal with how many lines meet it and those that do not; answers that differ come first."""
    if not any("hearth" in line["servers"] for line in data["lines"]):
        return ""
    text = []
    different = [line for line in data["lines"] if line.get("difference")]
    compared = [line for line in data["lines"] if "difference" in line]
    text.append(f"- Answers of hearth and prometheus equal (series, points, values and sum within 1e-9): "
                f"{len(compared) - len(different)} of {len(compared)}")
    text += [f"    - {line['name']} ({line['form']}): {line['difference']}" for line in different]
    for line in data["lines"]:
        for name, entry in line["servers"].items():
            if "error" in entry:
                text.append(f"    - {line['name']} ({line['form']}), {name}: {entry['error']}")
    for key, goal in GOALS.items():
        lines = [line for line in data["lines"] if line["goal"] == key and verdict(line) is not None]
        if not lines:
            continue
        missed = [line for line in lines if not verdict(line)]
        mean = geometric_mean([ratio(line, goal.peer) for line in lines])
        text.append(f"- {goal.text}: {len(lines) - len(missed)} of {len(lines)} met, geometric mean {mean:.2f}")
        text += [f"    - missed: {line['name']} ({line['form']}): {ratio_cell(line, goal.peer)}" for line in missed]
    ranges = [line for line in data["lines"] if line["goal"] in ("range", "output")]
    for peer, least in [("victoria-metrics", VICTORIA_RATIO), ("prometheus", None)]:
        for figure in ("p50", "min", "cpu"):
            mean = geometric_mean([ratio(line, peer, figure) for line in ranges])
            if mean:
                mark = ""
                if least and figure != "cpu":
                    mark = f" (goal {least}): " + ("met" if mean >= least else "**missed**")
                text.append(f"- all ranges, geometric mean of {peer} ÷ hearth by {FIGURES[figure]}: {mean:.2f}{mark}")
    return "\n".join(text)


def memory(data):
    rows = ["| over the whole set, MB | RSS before | after | peak | growth (peak − before) "
            "| growth without mapped files | CPU s |", "|---|---:|---:|---:|---:|---:|---:|"]
    for name, figures in data["memory"].items():
        cells = [f"{figures[key] / 1e6:.0f}" for key in ("before", "after", "peak", "growth", "anonymous_growth")]
        rows.append(f"| {name} | " + " | ".join(cells) + f" | {figures['cpu_seconds']:.1f} |")
    text = "\n".join(rows)
    if "hearth" in data["memory"] and "prometheus" in data["memory"]:
        one, other = data["memory"]["hearth"]["growth"], data["memory"]["prometheus"]["growth"]
        share = one / max(other, 1)
        text += (f"\n\n- growth of RSS as a share of prometheus' (goal: at most a third): {share:.2f}: "
                 + ("met" if share <= RSS_SHARE else "**missed**"))
    return text
