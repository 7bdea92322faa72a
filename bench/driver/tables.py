"""The same tables for the terminal and for Markdown."""
import re

from driver.conditions import busy_warning
from driver.figures import number
from driver.peers import is_of_servers, is_pinned

TITLE = """# Results

Written by `bench/run.py --record`, a section for each workload; see [README.md](README.md) for what the
programs do and how the figures are taken. Each figure is the median of the rounds, with half the distance
between the best and the worst round in per cent. The ratios are costs, libfate's divided by that of the best
peer: below 1 libfate is better. A floor is no library but a hand-written lower bound.
"""


def figure_text(figure):
    spread = f" ±{figure.spread * 100:.0f}%" if figure.n_rounds > 1 else ""
    return number(figure.median) + spread


def ratio_text(row, peer, with_name=True):
    ratio = row.ratio(peer)
    if ratio is None:
        return ""
    return f"{number(ratio)} {peer.title}" if with_name else number(ratio)


def table_of(rows, peers):
    """Lists of texts, the first of them the headings."""
    shown = [peer for peer in peers if any(peer.name in row.figures for row in rows)]
    lines = [["", "unit", *(peer.title for peer in shown), "to best C, C++", "to best other", "to floor"]]
    for row in rows:
        cells = [figure_text(row.figures[peer.name]) if peer.name in row.figures else "" for peer in shown]
        ratios = [ratio_text(row, row.best_native()), ratio_text(row, row.best_other()),
                  ratio_text(row, row.best_floor(), with_name=False)]
        lines.append([row.title, row.unit, *cells, *ratios])
    return lines


def terminal_table(lines, n_left=2):
    """Columns of texts; those after the first n_left are flush right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def aligned(line):
        cells = [text.ljust(size) if i < n_left else text.rjust(size)
                 for i, (text, size) in enumerate(zip(line, widths))]
        return "  ".join(cells).rstrip()

    head, *rest = lines
    return "\n".join([aligned(head), "  ".join("-" * size for size in widths), *map(aligned, rest)])


def markdown_table(lines, n_left=2):
    head, *rest = lines
    rule = [":--" if i < n_left else "--:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *rest])


# ---- Sections ----

def where_they_ran(conditions, workloads):
    cpu = conditions["cpu"]
    unpinned = [name for name in workloads if not is_pinned(name)]
    if len(unpinned) == len(workloads):
        return "on all CPUs"
    parts = [f"pinned to CPU {cpu}"]
    if unpinned:
        parts.append(f"{', '.join(unpinned)} on all CPUs")
    if any(map(is_of_servers, workloads)):
        parts.append(f"the load of servers on CPU {conditions['load_cpu']}")
    return ", ".join(parts)


def condition_lines(conditions, versions, workloads):
    n_rounds = conditions["rounds"]
    lines = [f"{conditions['date']}, {n_rounds} round{'s' if n_rounds > 1 else ''}, "
             f"{where_they_ran(conditions, workloads)}",
             conditions["machine"], ", ".join(versions), f"`{conditions['command']}`"]
    warning = busy_warning(conditions["load"])
    return lines + [warning] if warning else lines


def terminal_section(workload):
    table = table_of(workload.rows, workload.peers)
    parts = [f"\n{workload.title} ({workload.name})\n", terminal_table(table)]
    if workload.goals:
        parts += ["", terminal_table(workload.goals, 3)]
    return "\n".join(parts)


def markdown_section(workload, conditions, chart):
    parts = [f"## {workload.title}", workload.about.strip()]
    if chart:
        parts.append(f"![{workload.title}: a bar for each peer]({chart})")
    parts.append(markdown_table(table_of(workload.rows, workload.peers)))
    meanings = [f"- *{row.title}*: {row.meaning}" for row in workload.rows if row.meaning]
    if meanings:
        parts.append("\n".join(meanings))
    if workload.goals:
        parts += ["Goals:", markdown_table(workload.goals, 3)]
    lines = condition_lines(conditions, workload.versions, [workload.name]) + workload.left_out
    parts.append("\n".join("- " + line for line in lines))
    return "\n\n".join(parts)


def put_section(path, name, text):
    """Replaces the section of that name in the file, or adds it at the end."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    section = f"{begin}\n{text}\n{end}"
    old = path.read_text(encoding="utf-8") if path.exists() else TITLE
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    if re.search(pattern, old, re.DOTALL):
        new = re.sub(pattern, lambda _: section, old, flags=re.DOTALL)
    else:
        new = f"{old.rstrip()}\n\n{section}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(new, encoding="utf-8")
