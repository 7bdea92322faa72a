"""Bar charts as SVG: a panel for each metric, a bar for each peer."""
import math
from xml.sax.saxutils import escape

from driver.figures import number

COLUMNS = 2
PANEL_WIDTH, GAP, MARGIN = 470, 36, 28
LABEL_WIDTH, VALUE_WIDTH = 128, 56
BAR_HEIGHT, BAR_STEP = 15, 21
HEAD_HEIGHT, AXIS_HEIGHT = 44, 30
TITLE_HEIGHT, FOOT_HEIGHT = 84, 40

FATE, NATIVE, OTHER, FLOOR = "#d9480f", "#3b6ea5", "#8fb8de", "#b8b8b8"
LEGEND = [("libfate", FATE), ("C and C++", NATIVE), ("other languages", OTHER), ("floor, no library", FLOOR)]
STYLE = """text { font-family: "DejaVu Sans", Verdana, Helvetica, sans-serif; font-size: 11px; fill: #222;
  paint-order: stroke; stroke: white; stroke-width: 3px }
.title { font-size: 20px; font-weight: bold } .head { font-size: 13px; font-weight: bold }
.faint { fill: #777 } .fate { font-weight: bold }
.grid { stroke: #e2e2e2; stroke-width: 1 } .whisker { stroke: #222; stroke-width: 1; opacity: 0.55 }"""


def colour(peer):
    return [FLOOR, FATE, NATIVE, OTHER][peer.rank()[0]]


def text_at(x, y, text, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def line_at(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


class Linear:
    """Where a value lies between left and right, from 0 on."""

    def __init__(self, values, left, right):
        self.high, self.left, self.right = max(values), left, right

    def x(self, value):
        return self.left + value / self.high * (self.right - self.left)

    def ticks(self):
        decade = 10.0 ** math.floor(math.log10(self.high))
        step = next(step for step in (decade / 5, decade / 2, decade, decade * 2) if self.high / step <= 5)
        return [step * i for i in range(int(self.high / step) + 1)]


class Logarithmic:
    """The same from a power of ten on."""

    def __init__(self, values, left, right):
        # The least value gets a bar that can be seen.
        self.low, self.high = math.floor(math.log10(min(values) * 0.7)), math.log10(max(values))
        self.left, self.right = left, right

    def x(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.left + part * (self.right - self.left)

    def ticks(self):
        return [10.0 ** power for power in range(self.low, math.floor(self.high) + 1)]


def scale_for(values, left, right):
    """Logarithmic only where the bars would be too different in length."""
    kind = Linear if max(values) / min(values) < 12 else Logarithmic
    return kind(values, left, right)


def tick_text(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:g}"


def bars_of(row):
    """(peer, figure), the best first."""
    bars = [(peer, row.figures[peer.name]) for peer in row.peers if peer.name in row.figures]
    return sorted((bar for bar in bars if bar[1].low > 0), key=lambda bar: bar[1].cost)


def panel_height(row):
    return HEAD_HEIGHT + len(bars_of(row)) * BAR_STEP + AXIS_HEIGHT


def grid(scale, top, bottom):
    parts = []
    for value in scale.ticks():
        x = scale.x(value)
        parts.append(line_at(x, top, x, bottom, "grid"))
        parts.append(text_at(x, bottom + 14, tick_text(value), "faint", "middle"))
    return parts


def bar(peer, figure, scale, y):
    middle, end = y + BAR_HEIGHT / 2, scale.x(figure.median)
    kind = "fate" if peer.name == "fate" else ""
    parts = [text_at(scale.left - 8, middle + 4, peer.title, kind, "end"),
             f'<rect x="{scale.left:.1f}" y="{y:.1f}" width="{end - scale.left:.1f}" height="{BAR_HEIGHT}" '
             f'fill="{colour(peer)}"/>']
    label_x = end
    if figure.high > figure.low:
        label_x = scale.x(figure.high)
        parts.append(line_at(scale.x(figure.low), middle, label_x, middle, "whisker"))
    parts.append(text_at(label_x + 6, middle + 4, number(figure.median), kind))
    return parts


def panel(row, x, y):
    bars = bars_of(row)
    scale = scale_for([value for _, figure in bars for value in (figure.low, figure.high)],
                      x + LABEL_WIDTH, x + PANEL_WIDTH - VALUE_WIDTH)
    top = y + HEAD_HEIGHT
    bottom = top + len(bars) * BAR_STEP
    better = "more is better" if bars[0][1].more_is_better else "less is better"
    parts = [text_at(x, y + 16, row.title, "head"), text_at(x, y + 32, f"{row.unit}, {better}", "faint")]
    parts += grid(scale, top, bottom)
    for i, (peer, figure) in enumerate(bars):
        parts += bar(peer, figure, scale, top + i * BAR_STEP + (BAR_STEP - BAR_HEIGHT) / 2)
    return parts


def legend(x, y):
    parts = []
    for title, fill in LEGEND:
        parts.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{fill}"/>')
        parts.append(text_at(x + 18, y, title))
        x += 48 + round(6.2 * len(title))
    return parts


def foot_text(n_rounds):
    scales = "Axes that do not begin at 0 are logarithmic."
    if n_rounds == 1:
        return scales
    return f"{scales} Bars are medians of {n_rounds} rounds, thin lines go from the best to the worst."


def chart(workload, conditions):
    """The whole picture."""
    rows = [row for row in workload.rows if row.in_chart and bars_of(row)]
    lines = [rows[i:i + COLUMNS] for i in range(0, len(rows), COLUMNS)]
    heights = [max(map(panel_height, line)) for line in lines]
    width = 2 * MARGIN + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP
    height = TITLE_HEIGHT + sum(heights) + FOOT_HEIGHT
    parts = [text_at(MARGIN, 38, workload.title, "title"), *legend(MARGIN, 64)]
    y = TITLE_HEIGHT
    for line, line_height in zip(lines, heights):
        for column, row in enumerate(line):
            parts += panel(row, MARGIN + column * (PANEL_WIDTH + GAP), y)
        y += line_height
    parts.append(text_at(MARGIN, y + 10, foot_text(conditions["rounds"]), "faint"))
    parts.append(text_at(MARGIN, y + 26, f"{conditions['machine']}; {conditions['date']}", "faint"))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}">\n<style>{STYLE}</style>\n'
            f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")
