#!/usr/bin/python3
"""Runs the scenarios whose traces are known, and compares byte by byte.

usage: run_cases.py --program PATH [FILE.scn...]
       run_cases.py --reference [FILE.scn...]

Without files it takes all of tests/scenarios.  A scenario that needs coroutines is skipped, by name, as
long as the program knows none.  --reference checks that reference.py still makes the same traces; it
skips nothing.  Exit status 1 when a trace differs."""

import argparse
import difflib
import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT_S = 20


def run_program(program, path):
    """(trace, was it skipped?); how the program dies, if it does, is a part of the trace."""
    done = subprocess.run([program, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S,
                          check=False)
    said = done.stderr.decode("utf-8", "replace")
    trace = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        trace += f"(exit status {done.returncode})\n{said}"
    return trace, "skipped: needs coroutines" in said


def run_reference(path):
    import reference  # its patches of Twisted are not wanted otherwise

    with open(path, encoding="utf-8") as file:
        trace, reason = reference.run_text(file.read())
    return (f"(left open: {reason})\n" if reason else trace), False


def show_difference(name, expected, actual):
    print(f"{name}: failed")
    for line in difflib.unified_diff(expected.splitlines(), actual.splitlines(), "expected", "actual",
                                     lineterm=""):
        print("    " + line)


def run_case(options, path):
    """"passed", "failed" or "skipped"."""
    name = os.path.basename(path)
    with open(path[:-len(".scn")] + ".out", encoding="utf-8") as file:
        expected = file.read()
    actual, is_skipped = run_reference(path) if options.reference else run_program(options.program, path)
    if is_skipped:
        print(f"{name}: skipped, needs coroutines")
        return "skipped"
    if actual == expected:
        return "passed"
    show_difference(name, expected, actual)
    return "failed"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--program")
    what.add_argument("--reference", action="store_true")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()

    files = options.files or sorted(glob.glob(os.path.join(HERE, "..", "scenarios", "*.scn")))
    outcomes = [run_case(options, path) for path in files]
    counts = [f"{outcomes.count(outcome)} {outcome}" for outcome in ("passed", "failed", "skipped")]
    print(", ".join(counts))
    return 1 if "failed" in outcomes or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
