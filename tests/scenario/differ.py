#!/usr/bin/python3
"""The differential test: random scenarios, run with real Twisted (reference.py) and with the library.

usage: differ.py --program PATH [--count N] [--seed S] [--coroutines] [--keep DIR] [--all] [--plant]
[--self-test]

Each scenario follows from the seed and its number alone.  Scenarios that run into behaviour left open
(LANGUAGE.md, section 9) are counted and passed over.  The first difference is made as small as possible,
printed with both traces, and ends the test with exit status 1; with --all the test goes on and shows one
difference of each kind that it can tell apart.

--plant spoils the program's trace where a canceller is followed by a CancelledError, so that one can see
the test fail; --self-test does that and succeeds if the difference is found and made small."""

import argparse
import difflib
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generate  # noqa: E402
import reference  # noqa: E402
import shrink  # noqa: E402

TIMEOUT_S = 10
SELF_TEST_LINES_MAX = 6


class Program:
    """The program under test."""

    def __init__(self, path, is_planted):
        self.path, self.is_planted = path, is_planted
        self.file = tempfile.NamedTemporaryFile("w", suffix=".scn", encoding="utf-8")

    def trace(self, lines):
        """What it prints; how it dies, if it does, is a part of that."""
        self.file.seek(0)
        self.file.truncate()
        self.file.write("\n".join(lines) + "\n")
        self.file.flush()
        try:
            done = subprocess.run([self.path, self.file.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return f"(did not end within {TIMEOUT_S} s)\n"
        trace = done.stdout.decode("utf-8", "replace")
        if done.returncode != 0:
            trace += f"(exit status {done.returncode})\n" + done.stderr.decode("utf-8", "replace")
        return spoil(trace) if self.is_planted else trace


def spoil(trace):
    """The planted fault."""
    lines = trace.splitlines(keepends=True)
    for i in range(1, len(lines)):
        if lines[i - 1].startswith("canceller") and lines[i].endswith("err CancelledError\n"):
            lines[i] = lines[i].replace("CancelledError", "TimeoutError")
    return "".join(lines)


class Comparison:
    def __init__(self, program):
        self.program = program
        self.n_open = {}

    def difference(self, lines):
        """None, or (expected, actual); a scenario that is left open has none."""
        expected, reason = reference.run_text("\n".join(lines))
        if reason:
            self.n_open[reason] = self.n_open.get(reason, 0) + 1
            return None
        actual = self.program.trace(lines)
        return None if actual == expected else (expected, actual)

    def shrunk(self, lines):
        kept = dict(self.n_open)
        small = shrink.shrink(lines, self.fails)
        self.n_open = kept
        return small

    def fails(self, lines):
        try:
            return self.difference(lines) is not None
        except (Exception, SystemExit):  # a line that is none of the language any more
            return False


def show(number, lines, traces):
    expected, actual = traces
    print(f"---- scenario {number}, made as small as possible")
    print("\n".join(lines))
    print("---- difference (-: Twisted, +: the program)")
    for line in difflib.unified_diff(expected.splitlines(), actual.splitlines(), "Twisted", "program",
                                     lineterm="", n=1000):
        print(line)
    print()


def save(directory, name, lines, expected):
    os.makedirs(directory, exist_ok=True)
    for suffix, text in (("scn", "\n".join(lines) + "\n"), ("out", expected)):
        with open(os.path.join(directory, f"{name}.{suffix}"), "w", encoding="utf-8") as file:
            file.write(text)


def kind_of(lines, traces):
    """Differences of one kind look alike: the operations that it takes, and the first differing lines."""
    expected, actual = (text.splitlines() + ["(end)"] for text in traces)
    first = next((pair for pair in zip(expected, actual) if pair[0] != pair[1]), ("", ""))
    words = tuple(" ".join(line.split()[:1]) for line in first)
    return (words, tuple(sorted({line.split()[0] for line in lines})))


def run(options, comparison):
    """The scenarios made small that differ."""
    found, kinds = [], set()
    for number in range(options.first, options.first + options.count):
        lines = generate.scenario_lines(options.seed, number, options.coroutines)
        if comparison.difference(lines) is None:
            continue
        small = comparison.shrunk(lines)
        traces = comparison.difference(small)
        kind = kind_of(small, traces)
        if kind not in kinds:
            kinds.add(kind)
            if not options.self_test:
                show(number, small, traces)
            if options.keep:
                save(options.keep, f"seed{options.seed}-{number}", small, traces[0])
        found.append(small)
        if not options.all:
            break
    return found


def parse_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--first", type=int, default=0, help="the number of the first scenario")
    parser.add_argument("--coroutines", action="store_true")
    parser.add_argument("--keep", metavar="DIR")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--plant", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    return parser.parse_args()


def judge_self_test(found):
    if not found:
        print("self-test failed: the planted difference was not found")
        return 1
    if len(found[0]) > SELF_TEST_LINES_MAX:
        print("self-test failed: the scenario is still too long:\n" + "\n".join(found[0]))
        return 1
    print("self-test: the planted difference was found and made small:\n" + "\n".join(found[0]))
    return 0


def main():
    options = parse_options()
    reference.prepare()
    comparison = Comparison(Program(options.program, options.plant or options.self_test))
    found = run(options, comparison)
    if options.self_test:
        return judge_self_test(found)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(comparison.n_open.items()))
    n_open = sum(comparison.n_open.values())
    if reasons:
        print(f"left open: {reasons}")
    print(f"{options.count - n_open} scenarios compared, {n_open} left open, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
