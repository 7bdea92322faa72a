#!/usr/bin/python3
"""Reads the log of the program entries.c: each line is an object of JSON that says what was logged.

    read_json.py --program PATH
"""
import argparse
import json
import subprocess
import sys


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def read(program):
    printed = subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout
    lines = printed.decode("utf-8").split("\n")  # strictly: what is not UTF-8 has been replaced
    assert lines.pop() == "", "the last line ends"
    return [json.loads(line, parse_constant=no_constant) for line in lines]


def text_of(byte):
    """What must come back of one byte, which beyond ASCII is no character."""
    return chr(byte) if byte < 0x80 else "\ufffd"


def check_bytes(entries):
    for byte, entry in enumerate(entries, 1):
        assert entry["text"] == text_of(byte), entry
        assert entry["fields"] == {text_of(byte): byte}, entry
        assert (entry["level"], entry["reactor"]) == ("info", "main"), entry
        assert entry["time"] == "1970-01-01T00:00:00.000000000Z", entry
        assert "entries.c:" in entry["site"] and "failure" not in entry, entry


def check_rest(everything, values, failed):
    # Followed by another, none of the bytes beyond ASCII is the beginning of a character either.
    assert everything["text"] == "".join(map(text_of, range(1, 256))), everything
    assert values["fields"] == {
        "nested": [{"pi": 3.25, "big": 2**63 - 1}, None, False], "character": "\N{FOUR LEAF CLOVER}",
        "nul": "\0"}, values
    assert failed["failure"]["class"] == "KeyError", failed
    assert failed["failure"]["message"] == '"a\n"', failed
    assert failed["failure"]["traceback"].endswith("\n  raised use_key client.c:4"), failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    entries = read(parser.parse_args().program)
    if len(entries) != 258:
        sys.exit(f"{len(entries)} entries instead of 258")
    check_bytes(entries[:255])
    check_rest(*entries[255:])


main()
