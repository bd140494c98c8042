"""The table as a picture for the docs: how far each figure is on the right side of its target."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from report import Report, Row

HOLDS, FAILS, INK = "#2f7d4f", "#b3402f", "#22303c"
LABEL = {
    "va": "center",
    "fontsize": 8,
    "color": INK,
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1},
}
WIDEST = 4.0  # a bar ends here, however much better than its target the figure is


def draw(report: Report, path: Path) -> None:
    """Draw the judged rows: a bar that reaches the line is at its target, a longer one better."""
    rows = [row for row in report.rows if row.target is not None][::-1]
    figure = Figure(figsize=(9, 0.42 * len(rows) + 1.1), layout="constrained")
    axes = figure.subplots()
    shares = [min(_share(row), WIDEST) for row in rows]
    colours = [HOLDS if row.holds() else FAILS for row in rows]
    axes.barh([row.what for row in rows], shares, color=colours, height=0.62)
    for place, (row, share) in enumerate(zip(rows, shares, strict=True)):
        axes.text(share + 0.05, place, _label(row), **LABEL)
    axes.axvline(1, color=INK, linewidth=1, linestyle="--", zorder=0)
    axes.set_xlim(0, WIDEST * 1.3)
    axes.set_xticks([0, 1, 2, 3, 4], ["0", "target", "2 x better", "3 x", "4 x or more"])
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


def _share(row: Row) -> float:
    return row.target.share(row.measured) if row.target else 0.0


def _label(row: Row) -> str:
    return f"{row.measured:.3g} {row.unit} (target {row.target})"


def draw_nodes(found: Sequence[tuple[int, float]], path: Path) -> None:
    """Draw lookups a second against the number of nodes, and what it would be without a limit."""
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    counts = [count for count, _ in found]
    each = found[0][1] / found[0][0]
    axes.plot(counts, [count * each for count in counts], "--", color="#9aa5ae", label="in step")
    axes.plot(counts, [rate for _, rate in found], "o-", color=HOLDS, label="measured")
    axes.set_xlabel("nodes, one worker each", fontsize=8, color=INK)
    axes.set_ylabel("lookups a second", fontsize=8, color=INK)
    axes.set_xticks(counts)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=130)
