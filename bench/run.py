#!/usr/bin/python3
"""Measures libfate beside its peers.

    run.py                            all workloads, 3 rounds
    run.py coro --peers fate,boost    one workload, some of its peers
    run.py --install                  installs what the peers need first
    run.py --quick                    one round, to see that all works
    run.py --record --goals           writes bench/RESULTS.md and bench/results/, with the goals

A workload is a folder beside this file and a peer a file in it; README.md says more.
"""
import argparse
import json
import os
import pathlib
import sys

from driver import charts, conditions, figures, goals, peers, rounds, servers, tables
from driver.build import BuildFailed
from driver.prepare import prepare, say

RESULTS = peers.BENCH / "RESULTS.md"
CHARTS = peers.BENCH / "results"
QUICK_SECONDS = 0.2


class Workload:
    """What is reported about one workload."""

    def __init__(self, name, entry, with_goals):
        description, samples = peers.workload_description(name), entry["samples"]
        self.name, self.title, self.about = name, description["title"], description["about"]
        self.versions, self.left_out = entry["versions"], entry["left_out"]
        self.peers = [peer for peer in peers.peers_of(name) if peer.name in samples]
        self.rows = figures.rows_of(description, samples, self.peers)
        self.goals = goals.goal_lines(name, self.rows) if with_goals else []


# ---- Measuring ----

def versions_of(commands):
    found = peers.versions(list(commands))
    return [conditions.libfate_version(), *found] if any(peer.name == "fate" for peer in commands) else found


class Measurement:
    """What is done with each program of a workload: one part, or the cells of servers; and what cannot be."""

    def __init__(self, workload, ready, options):
        self.workload, self.ready, self.impossible = workload, ready, []
        if peers.is_of_servers(workload):
            cells = servers.Cells(workload, options.cpu, options.seconds)
            self.parts, self.impossible = cells.parts(), cells.left_out
        elif peers.is_of_clients(workload):
            self.parts = [servers.Clients(workload, options.cpu).measure]
        else:
            cpu = options.cpu if peers.is_pinned(workload) else None
            self.parts = [lambda command: rounds.run(command, cpu)]
        for text in self.impossible:
            say(f"{workload}: {text}")

    def n_steps(self, n_rounds):
        return n_rounds * len(self.parts) * len(self.ready.commands)

    def run(self, n_rounds, progress):
        commands = self.ready.commands
        samples, failed = rounds.measure(self.workload, commands, n_rounds, self.parts, progress)
        return {"versions": versions_of(commands), "samples": samples,
                "left_out": self.ready.left_out + self.impossible + failed}


def warn(record, options):
    warning = conditions.busy_warning(record["conditions"]["load"])
    if warning:
        say(warning)
    if servers.load_cpu(options.cpu) == options.cpu and any(map(peers.is_of_servers, options.workloads)):
        say("Servers share the one CPU with their load: of their figures only CPU times say much.")


def measure(options):
    """All that was measured, as it is written with --json."""
    prepared = prepare(options.workloads, options.peers, options.install)
    measurements = [Measurement(workload, ready, options) for workload, ready in prepared.items()]
    record = {"conditions": conditions.conditions(options.rounds, options.cpu, servers.load_cpu(options.cpu)),
              "workloads": {}}
    warn(record, options)
    progress = rounds.Progress(sum(measurement.n_steps(options.rounds) for measurement in measurements))
    for measurement in measurements:
        record["workloads"][measurement.workload] = measurement.run(options.rounds, progress)
    progress.end()
    return record


# ---- Reporting ----

def write_chart(workload, record, folder):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{workload.name}.svg"
    path.write_text(charts.chart(workload, record["conditions"]), encoding="utf-8")
    return path


def report(workload, record, options):
    drawn = write_chart(workload, record, options.svg) if options.svg else None
    if options.markdown:
        chart = os.path.relpath(drawn, options.markdown.parent) if drawn else None
        text = tables.markdown_section(workload, record["conditions"], chart)
        tables.put_section(options.markdown, workload.name, text)
    print(tables.terminal_section(workload))


def report_all(record, options):
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for name in options.workloads:
        entry = record["workloads"].get(name)
        if entry and any(entry["samples"].values()):
            report(Workload(name, entry, options.goals), record, options)
    names = [name for name in options.workloads if name in record["workloads"]]
    versions = dict.fromkeys(text for name in names for text in record["workloads"][name]["versions"])
    print("\n" + "\n".join(tables.condition_lines(record["conditions"], versions, names)))


# ---- The command line ----

def parser():
    known = peers.workloads()
    parsing = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    option = parsing.add_argument
    option("workloads", nargs="*", metavar="WORKLOAD", help=f"{', '.join(known)}; all if none is named")
    option("--rounds", type=int, default=3, metavar="N", help="how often each program runs; 3")
    option("--peers", type=lambda text: set(text.split(",")), metavar="A,B", help="these only; else all")
    option("--quick", action="store_true", help="one round, not for the record")
    option("--goals", action="store_true", help="compare libfate with goals.toml")
    option("--seconds", type=float, default=1.0, metavar="S", help="how long servers get each load; 1")
    option("--install", action="store_true", help="apt-get install what the peers need")
    option("--cpu", type=int, default=min(os.sched_getaffinity(0)), metavar="N",
           help="where the programs run, unless workload.toml says that they run on all")
    option("--record", action="store_true", help="--markdown bench/RESULTS.md --svg bench/results")
    option("--markdown", type=pathlib.Path, metavar="FILE", help="write the tables there, in their sections")
    option("--svg", type=pathlib.Path, metavar="DIR", help="write WORKLOAD.svg there")
    option("--json", type=pathlib.Path, metavar="FILE", help="write every sample there")
    option("--replay", type=pathlib.Path, metavar="FILE", help="report what --json wrote, measure nothing")
    return parsing


def parse(arguments):
    parsing = parser()
    options = parsing.parse_args(arguments)
    known = peers.workloads()
    unknown = sorted(set(options.workloads) - set(known))
    if unknown:
        parsing.error(f"no such workload: {', '.join(unknown)}; there are {', '.join(known)}")
    options.workloads = options.workloads or known
    names = {peer.name for workload in options.workloads for peer in peers.peers_of(workload)}
    if options.peers and options.peers - names:
        parsing.error(f"no such peer: {', '.join(sorted(options.peers - names))}; there are "
                      f"{', '.join(sorted(names))}")
    if options.rounds < 1:
        parsing.error("there must be a round")
    if not options.seconds > 0:
        parsing.error("--seconds is above 0")
    if options.quick:
        if options.record:
            parsing.error("--quick is not for the record")
        options.rounds, options.seconds = 1, min(options.seconds, QUICK_SECONDS)
    if options.record:
        options.markdown = options.markdown or RESULTS
        options.svg = options.svg or CHARTS
    return options


def main():
    options = parse(sys.argv[1:])
    if options.replay:
        record = json.loads(options.replay.read_text(encoding="utf-8"))
    else:
        record = measure(options)
    report_all(record, options)


if __name__ == "__main__":
    try:
        main()
    except BuildFailed as problem:
        sys.exit(f"libfate or the load generator does not compile:\n{problem}")
    except KeyboardInterrupt:
        sys.exit(130)
