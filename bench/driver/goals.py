"""Compares libfate's figures with goals.toml."""
import tomllib

from driver.figures import number
from driver.peers import BENCH

HEADINGS = ["metric", "goal", "verdict", "to reach", "measured"]


def load_goals(workload):
    with open(BENCH / "goals.toml", "rb") as file:
        return [goal for goal in tomllib.load(file)["goal"] if goal["workload"] == workload]


def reference(row, kind):
    """The peer that a goal of this kind compares with."""
    if kind == "best":
        return row.best_native()
    if kind == "floor":
        return row.best_floor()
    return row.best(lambda peer: peer.name == kind)


def verdict(measured, goal, spread):
    if measured <= goal:
        return "met"
    return "within the spread" if measured * (1 - spread) <= goal else "missed"


def absolute_line(row, goal):
    fate = row.figures["fate"]
    sign, goal_cost = ("≥", 1 / goal) if fate.more_is_better else ("≤", goal)
    return [row.title, f"in {row.unit}", verdict(fate.cost, goal_cost, fate.spread), f"{sign} {number(goal)}",
            number(fate.median)]


def ratio_line(row, kind, goal):
    peer = reference(row, kind)
    ratio = row.ratio(peer)
    if ratio is None:
        return [row.title, f"to {kind}", "not measured", f"≤ {number(goal)}", ""]
    name = {"best": f"to the best C, C++ peer, {peer.title}", "floor": "to the floor"}
    spread = row.figures["fate"].spread + row.figures[peer.name].spread
    return [row.title, name.get(kind, f"to {peer.title}"), verdict(ratio, goal, spread), f"≤ {number(goal)}",
            number(ratio)]


def goal_lines(workload, rows):
    """A table with a line for each goal, or nothing if libfate was not measured."""
    rows_by_metric = {row.metric: row for row in rows if "fate" in row.figures}
    lines = []
    for goal in load_goals(workload):
        row = rows_by_metric.get(goal["metric"])
        for kind, value in goal.items():
            if row is None or kind in ("workload", "metric"):
                continue
            lines.append(absolute_line(row, value) if kind == "absolute" else ratio_line(row, kind, value))
    return [HEADINGS, *lines] if lines else []
