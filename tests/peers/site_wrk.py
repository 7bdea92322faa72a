#!/usr/bin/python3
"""The server under the load of wrk: site_wrk.py --program PATH [--memory] [--large]"""
import os
import re
import subprocess
import tempfile

import served
from served import MIB, check

# Eight requests of different kinds at once, over and over.  wrk does not know that HEAD has no body.
MIXED = """
init = function()
    local head = { ["Content-Type"] = "text/plain" }
    all = table.concat({
        wrk.format("GET", "/hello"), wrk.format("GET", "/big/1000"), wrk.format("GET", "/json"),
        wrk.format("POST", "/collect", head, "a body"), wrk.format("GET", "/files/folder/index.html"),
        wrk.format("GET", "/sized/5000"), wrk.format("POST", "/echo", head, "another body"),
        wrk.format("GET", "/hello") })
end
request = function() return all end
"""


def wrk(site, n_connections, seconds, *words):
    command = ["wrk", f"-c{n_connections}", f"-d{seconds}s", "-t2", "--timeout", "60s", "--latency", *words,
               f"{site.url}/hello"]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=served.PATIENCE + seconds)
    print(" ".join(re.findall(r"(?:Requests/sec|99%|Non-2xx[^:]*|Socket errors):? .*", done.stdout)))
    check(done.returncode == 0, f"exit status {done.returncode}: {done.stderr}")
    for wrong in ("Socket errors", "Non-2xx"):
        check(wrong not in done.stdout, done.stdout)
    count = int(re.search(r"(\d+) requests in", done.stdout)[1])
    check(count >= 4 * n_connections, f"{count} requests over {n_connections} connections")


def main():
    args = served.arguments()
    served.need("wrk")
    n_connections, seconds = (512, 10) if args.large else (64, 1)
    with served.Site(args) as site, tempfile.TemporaryDirectory() as folder:
        mixed = os.path.join(folder, "mixed.lua")
        with open(mixed, "w", encoding="ascii") as file:
            file.write(MIXED)
        served.run_cases([one_by_one, many_together], site, n_connections, seconds, mixed)
        site.check_end(n_connections * 32 * served.KIB + MIB)


def one_by_one(site, n_connections, seconds, _):
    wrk(site, n_connections, seconds)


def many_together(site, n_connections, seconds, mixed):
    """wrk counts answers, not what it sends at once."""
    wrk(site, n_connections, seconds, "-s", mixed)


main()
