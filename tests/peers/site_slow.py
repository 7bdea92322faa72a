#!/usr/bin/python3
"""The server, attacked by slowhttptest: site_slow.py --program PATH [--memory]

The slow ones are cut when their time is over, and nothing is left of them; who else asks meanwhile is
answered at once.
"""
import os
import re
import subprocess
import tempfile
import time

import served
from served import KIB, MIB, check

LIMIT = 2  # seconds, for each kind of slowness
TEST_MAX = 60
ANSWER_SECONDS_MAX = 0.01  # for half of the others: there are more programs than these
GET = b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def attack(site, what, n, path, *words):
    """slowhttptest ends when no connection is left, or after TEST_MAX seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["slowhttptest", *words, "-c", str(n), "-r", "500", "-l", str(TEST_MAX), "-v", "1",
                   "-u", f"{site.url}/{path}"]
        with open(os.path.join(folder, "said"), "w+b") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder)
            took = ask_meanwhile(site, process)
            said.seek(0)
            text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said.read().decode(errors="replace"))
    check("No open connections left" in text, f"{what} are not cut:\n{text[-500:]}")
    print(f"{what}: {len(took)} others asked, half were answered within {took[len(took) // 2] * 1e3:.2f} ms, "
          f"99 of 100 within {took[len(took) * 99 // 100] * 1e3:.2f}")
    check(took[len(took) // 2] < ANSWER_SECONDS_MAX or not site.args.memory, f"{what}: others wait")
    site.check_descriptors()


def has_ended(process):
    try:
        return process.wait(0.002) is not None
    except subprocess.TimeoutExpired:
        return False


def ask_meanwhile(site, process):
    took, end = [], time.monotonic() + TEST_MAX + served.PATIENCE
    while not took or not has_ended(process):
        check(time.monotonic() < end, "slowhttptest does not end")
        asked = time.monotonic()
        answer = site.exchange(GET)
        took.append(time.monotonic() - asked)
        check(answer.endswith(b"\r\n\r\nhello\n"), f"not answered meanwhile: {answer}")
    return sorted(took)


def main():
    args = served.arguments()
    served.need("slowhttptest")
    served.allow_descriptors()
    ms = LIMIT * 1000
    with served.Site(args, head_timeout=ms, body_timeout=ms, idle_timeout=ms) as site:
        attack(site, "slow heads", 1000, "hello", "-H", "-i", "1", "-x", "10")
        attack(site, "slow bodies", 1000, "collect", "-B", "-i", "1", "-s", "100000", "-x", "10")
        site.check_memory(site.peak(), 16 * MIB, "slow heads and bodies")
        attack(site, "many ranges", 200, "files/pattern", "-R", "-a", "10", "-b", "3000")
        attack(site, "slow readers", 200, "sized/100000000", "-X", "-n", "1", "-w", "512", "-y", "1024",
               "-z", "512")
        site.check_end(200 * 400 * KIB)


main()
