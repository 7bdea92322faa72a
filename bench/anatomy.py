#!/usr/bin/python3
"""What a message costs a server apart from time: system calls, and instructions outside the kernel.

    anatomy.py                          all servers of echo/, 64 connections, messages of 64 bytes
    anatomy.py --peers fate,uv          some of them
    anatomy.py --connections 1000 --bytes 16384
    anatomy.py --http 16                the servers of http/, with 16 requests at once over each connection
    anatomy.py --goals                  compares libfate with goals.toml: for 64 times 64, or --http 1

Each server runs twice under strace and twice under callgrind, the second time with more messages. What is
counted is the difference, so that its start and the connections are left out. Both tools slow it down, so
that it finds more to do each time it wakes up, and waits less often than it does alone. Callgrind cannot
tell a program's instructions from those of its interpreter, so only compiled programs have theirs
counted.
"""
import argparse
import os
import re
import shutil
import sys
import tempfile
import time

from driver import figures, goals, rounds, servers, tables
from driver.build import BuildFailed
from driver.figures import number
from driver.prepare import prepare, say

STRACE_MESSAGES = 4_800, 24_000
CALLGRIND_MESSAGES = 2_400, 12_000
DEPTHS = 1, 2, 4, 8, 16, 32  # of which those are multiples
SETTLING_SECONDS = 0.5  # until the server has closed all connections, which else some runs would not count
LEAST_SHOWN = 0.005  # of a call for each message


def run_with(tool, command, cell, n_messages, cpu):
    """Runs the server under a tool, until n_messages have come and gone."""
    with servers.Server([*tool, *command], cpu) as server:
        load = servers.load_command(server, cell, f"--messages={n_messages}")
        _, problem = rounds.run(load, servers.load_cpu(cpu))
        time.sleep(SETTLING_SECONDS)
    if problem and problem != "reported nothing":  # which is what it does in this mode
        raise servers.ServerFailed(f"failed with its load: {problem}")


# ---- System calls ----

def calls_of(text):
    """{name: how often}, of what strace -c writes."""
    lines = [line.split() for line in text.splitlines()]
    return {words[-1]: int(words[3]) for words in lines
            if len(words) >= 5 and words[3].isdigit() and words[-1] != "total"}


def count_calls(command, cell, n_messages, cpu):
    with tempfile.NamedTemporaryFile("r", prefix="strace-") as file:
        run_with(["strace", "-f", "-c", "-o", file.name], command, cell, n_messages, cpu)
        calls = calls_of(file.read())
    if not calls:
        raise servers.ServerFailed("was not traced: strace counted nothing")
    return calls


def calls_for_a_message(command, cell, cpu):
    few, many = STRACE_MESSAGES
    before, after = (count_calls(command, cell, n, cpu) for n in STRACE_MESSAGES)
    parts = {name: (after[name] - before.get(name, 0)) / (many - few) for name in after}
    return {name: part for name, part in parts.items() if part >= LEAST_SHOWN}


# ---- Instructions ----

def count_instructions(command, cell, n_messages, cpu):
    with tempfile.NamedTemporaryFile("r", prefix="callgrind-") as file:
        tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={file.name}"]
        run_with(tool, command, cell, n_messages, cpu)
        match = re.search(r"Collected : (\d+)", file.read())
    if not match:
        raise servers.ServerFailed("was not measured: callgrind counted nothing")
    return int(match[1])


def instructions_for_a_message(command, cell, cpu):
    few, many = CALLGRIND_MESSAGES
    before, after = (count_instructions(command, cell, n, cpu) for n in CALLGRIND_MESSAGES)
    return (after - before) / (many - few)


# ---- Reporting ----

class Anatomy:
    """What a message costs one server."""

    def __init__(self, peer, command, cell, options):
        self.peer, self.calls, self.instructions = peer, None, None
        if options.has_strace:
            self.calls = calls_for_a_message(command, cell, options.cpu)
        if options.has_valgrind and peer.is_compiled:
            self.instructions = instructions_for_a_message(command, cell, options.cpu)

    def line(self):
        calls = self.calls or {}
        names = sorted(calls, key=calls.get, reverse=True)
        shown = ", ".join(f"{name} {number(calls[name])}" for name in names)
        instructions = number(self.instructions) if self.instructions is not None else ""
        total = number(sum(calls.values())) if self.calls is not None else ""
        return [self.peer.title, shown, total, instructions]

    def samples(self):
        found = {}
        if self.calls is not None:
            found["calls"] = {"unit": "system calls", "values": [sum(self.calls.values())]}
        if self.instructions is not None:
            found["instructions"] = {"unit": "instructions", "values": [self.instructions]}
        return found


def dissect(options):
    """Anatomies of what can be measured; what cannot is said."""
    workload = "http" if options.http else "echo"
    load = f"--http={options.http}" if options.http else f"--echo={options.bytes}"
    cell = {"connections": options.connections, "load": load}
    servers.raise_descriptor_limit()
    for peer, command in prepare([workload], options.peers)[workload].commands.items():
        say(f"anatomy: {peer.title}")
        try:
            yield Anatomy(peer, command, cell, options)
        except servers.ServerFailed as problem:
            say(f"{peer.name} was left out: it {problem}")


def report(anatomies, options):
    head = ["", "system calls", "in all", "instructions"]
    what = f"request: {options.http} at a time," if options.http else f"message: {options.bytes} bytes,"
    print(f"\nFor a {what} {options.connections} connections\n")
    print(tables.terminal_table([head, *(anatomy.line() for anatomy in anatomies)]))
    if options.goals:
        samples = {anatomy.peer.name: anatomy.samples() for anatomy in anatomies}
        rows = figures.rows_of({}, samples, [anatomy.peer for anatomy in anatomies])
        lines = goals.goal_lines("anatomy-http" if options.http else "anatomy", rows)
        print("\n" + (tables.terminal_table(lines, 3) if lines else "No goals: libfate was not measured."))


def parse():
    parsing = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    option = parsing.add_argument
    option("--peers", type=lambda text: set(text.split(",")), metavar="A,B", help="these only; else all")
    option("--connections", type=int, default=64, metavar="N", help="64")
    option("--bytes", type=int, default=64, metavar="N", help="of a message; 64")
    option("--http", type=int, choices=DEPTHS, metavar="DEPTH", help="of HTTP, so many requests at a time")
    option("--goals", action="store_true", help="compare libfate with goals.toml")
    option("--cpu", type=int, default=min(os.sched_getaffinity(0)), metavar="N", help="where servers run")
    return parsing.parse_args()


def main():
    options = parse()
    options.has_strace, options.has_valgrind = shutil.which("strace"), shutil.which("valgrind")
    for name in ("strace", "valgrind"):
        if not shutil.which(name):
            say(f"{name} is missing: the Debian package {name} brings it")
    report(list(dissect(options)), options)


if __name__ == "__main__":
    try:
        main()
    except BuildFailed as problem:
        sys.exit(f"libfate or the load generator does not compile:\n{problem}")
    except KeyboardInterrupt:
        sys.exit(130)
