#!/usr/bin/python3
"""Has bash complete words by the script that the table of options gives: completion.py --program P"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

# Words as bash cuts them, at "=" too; what is completed is the last one; and what it may become.
CASES = [
    (["prog", ""], "get serve help --verbose --config= --help --version"),
    (["prog", "s"], "serve"),
    (["prog", "--v"], "--verbose --version"),
    (["prog", "get", "--"], "--output= --retries= --format= --quiet --verbose --config= --help --version"),
    (["prog", "get", "--f"], "--format="),
    (["prog", "serve", "--f"], ""),
    (["prog", "get", "--format", "="], "text json"),
    (["prog", "get", "--format", "=", "j"], "json"),
    (["prog", "get", "--format", "j"], "json"),
    (["prog", "get", "-f", ""], "text json"),
    (["prog", "get", "--output", "=", "a"], "a.txt a b.txt"),
    (["prog", "get", "-o", "c"], "c.txt"),
    (["prog", "get", "c"], "c.txt"),
    (["prog", "get", "--retries", "=", "c"], ""),
    (["prog", "-c", "x", "get", "--q"], "--quiet"),
    (["prog", "--config", "x", "get", "--q"], "--quiet"),
    (["prog", "--config", "=", "x", "get", "--q"], "--quiet"),
    (["prog", "-v", "get", "--q"], "--quiet"),
    (["prog", "--config", "=", "c"], "c.txt"),
    (["prog", "help", "s"], "serve"),
]

COMPLETE = """
compopt() { :; }
. ./script
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_prog
echo "${COMPREPLY[*]}"
"""


def completed(folder, words):
    command = ["bash", "-c", COMPLETE, "bash", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip() + done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    args = parser.parse_args()
    if not shutil.which("bash"):
        print("bash is missing")
        sys.exit(77)
    script = subprocess.run([args.program], capture_output=True, text=True, check=True).stdout
    n_wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a.txt", "a b.txt", "c.txt"):
            pathlib.Path(folder, name).touch()
        pathlib.Path(folder, "script").write_text(script, encoding="utf-8")
        for words, expected in CASES:
            found = completed(folder, words)
            if sorted(found.split()) != sorted(expected.split()):
                print(f"{' '.join(words)}: {found!r}, expected {expected!r}")
                n_wrong += 1
    print(f"completion: {len(CASES)} cases, {n_wrong} wrong")
    sys.exit(1 if n_wrong else 0)


if __name__ == "__main__":
    main()
