#!/usr/bin/python3
"""Runs an example in simulated or in real time and compares what it prints with what it should.

    run_example.py simulated|real PROGRAM examples/expected/NAME.out

Its arguments are the words of NAME.args beside NAME.out, if that exists.  Standard error is not compared,
but shown when something is wrong.
"""
import difflib
import os
import pathlib
import subprocess
import sys

SECONDS_MAX = 120


def run(clock, program, arguments):
    environment = dict(os.environ, FATE_CLOCK=clock)
    return subprocess.run([program, *arguments], env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=SECONDS_MAX, check=False)


def difference(expected, printed, name):
    sides = [text.decode(errors="replace").splitlines(True) for text in (expected, printed)]
    return "".join(difflib.unified_diff(*sides, name, "what it printed"))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    clock, program, expected_path = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    arguments_path = expected_path.with_suffix(".args")
    arguments = arguments_path.read_text().split() if arguments_path.exists() else []

    done = run(clock, program, arguments)
    wrong = []
    if not expected_path.exists():
        wrong.append(f"{expected_path} is missing.  It should hold what the example prints:\n"
                     + done.stdout.decode(errors="replace"))
    elif done.stdout != expected_path.read_bytes():
        wrong.append(difference(expected_path.read_bytes(), done.stdout, expected_path.name))
    if done.returncode != 0:
        wrong.append(f"exit status {done.returncode}\n")
    if wrong:
        sys.stdout.write("".join(wrong) + "standard error:\n" + done.stderr.decode(errors="replace"))
        sys.exit(1)


main()
