#!/usr/bin/python3
"""Fetches the pages that ./quickstart fetches: quickstart.py --program FATE --site SITE"""
import argparse
import re
import subprocess

import peer

NAMES = "film report photo-1 photo-2 photo-3 news poem no-such-page"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--site", required=True)
    args = parser.parse_args()
    test = peer.Test(args.program)
    with subprocess.Popen([args.site], stdout=subprocess.PIPE, text=True) as site:
        url, silent = site.stdout.readline().strip(), site.stdout.readline().strip()
        done = test.run("get", *[f"{url}/{name}" for name in NAMES.split()], f"{silent}/nobody", "a_bad_url")
        site.terminate()
    lines = done.stdout.splitlines()
    come = [re.search(r"/([^/`]*)`", line)[1] for line in lines if line.startswith("Successfully")]
    test.expect("the order", come[-3:], ["photo-1", "photo-2", "film"])
    test.expect("all that came", sorted(come), sorted(NAMES.split()[:-1]))
    failed = [line.split(": ")[-1] for line in lines if line.startswith("Failed")]
    test.expect("all that failed", sorted(failed),
                ["404 Not Found.", "nothing listens there (ECONNREFUSED).",
                 "write http:// or https:// in front."])
    test.expect("status", (done.returncode, done.stderr), (3, ""))
    times = re.search(r"taken .*, ([\d.]+) times as long", lines[-1])
    test.expect("faster than one after another", float(times[1]) > 1.5, True)
    test.done()


main()
