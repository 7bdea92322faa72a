#!/usr/bin/python3
"""Lets Spin go through all that a model can do, and shows that it would find what is broken.

    check.py MODEL.pml

The model must hold, and each mutant that it names, `mutant: NAME ...`, must be refuted when NAME is defined.
"""
import pathlib
import re
import subprocess
import sys
import tempfile


def explore(model, defines):
    """How many errors Spin finds."""
    with tempfile.TemporaryDirectory() as folder:
        def run(*command):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            return done.returncode, done.stdout + done.stderr

        for command in (["spin", "-a", *(f"-D{name}" for name in defines), str(model)],
                        ["cc", "-O2", "-DSAFETY", "-o", "pan", "pan.c"]):
            status, said = run(*command)
            if status != 0:
                sys.exit(f"{' '.join(command)} failed:\n{said}")
        _, said = run("./pan", "-m100000")
    errors = re.search(r"errors: (\d+)", said)
    if not errors or "max search depth too small" in said:
        sys.exit(f"Spin did not finish:\n{said}")
    states = re.search(r"([\d.e+]+) states, stored", said)
    print(f"{model.name} {' '.join(defines)}: {errors[1]} errors, {states[1] if states else '?'} states")
    return int(errors[1])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    model = pathlib.Path(sys.argv[1]).resolve()
    mutants = re.findall(r"^ \* mutant: (\w+)", model.read_text(), re.MULTILINE)
    wrong = []
    if explore(model, []):
        wrong.append("it does not hold")
    wrong += [f"the mutant {name} is not refuted" for name in mutants if not explore(model, [name])]
    if not mutants:
        wrong.append("it names no mutants, so nothing shows that it can fail")
    if wrong:
        sys.exit(f"{model.name}: " + "; ".join(wrong))


main()
