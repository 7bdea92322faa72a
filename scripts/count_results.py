#!/usr/bin/python3
"""Counts what ctest wrote with --output-junit: prints "PASSED FAILED SKIPPED OOM_POINTS".

OOM_POINTS is the sum of the lines "N points failed", which each run with --oom prints: the allocations that
were made to fail, one after the other.
"""
import re
import sys
import xml.etree.ElementTree


def main():
    passed = failed = skipped = points = 0
    for case in xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        if case.find("failure") is not None or case.get("status") == "fail":
            failed += 1
        elif case.find("skipped") is not None or case.get("status") != "run":
            skipped += 1
        else:
            passed += 1
        output = case.findtext("system-out") or ""
        points += sum(map(int, re.findall(r"(\d+) points failed", output)))
    print(passed, failed, skipped, points)


main()
