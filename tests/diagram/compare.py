#!/usr/bin/python3
"""The pictures of docs/diagrams are those that the library draws.

    compare.py --program fate-diagrams             # draws them anew and compares, byte for byte
    compare.py --program fate-diagrams --update    # puts the new ones in their place

Each must also be well-formed XML, and be shown in the README beside it.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import xml.dom.minidom

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "diagrams"


def problems(new, old):
    """What is wrong, as lines of text; new and old are folders."""
    names = {path.name for folder in (new, old) for path in folder.glob("*.svg")}
    readme = (old / "README.md").read_text(encoding="utf-8")
    for name in sorted(names):
        if not (new / name).is_file():
            yield f"{name} is not drawn any more"
            continue
        drawn = (new / name).read_bytes()
        try:
            xml.dom.minidom.parseString(drawn)
        except xml.parsers.expat.ExpatError as error:
            yield f"{name} is not well-formed: {error}"
        if not (old / name).is_file() or (old / name).read_bytes() != drawn:
            yield f"{name} differs from what is drawn now; look at it, then run compare.py --update"
        if f"({name})" not in readme:
            yield f"{name} is not shown in README.md"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([args.program, FOLDER if args.update else folder], check=True)
        found = list(problems(FOLDER if args.update else pathlib.Path(folder), FOLDER))
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
