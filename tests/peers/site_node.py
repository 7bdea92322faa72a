#!/usr/bin/python3
"""The server, asked by Node: site_node.py --program PATH [--memory]"""
import pathlib
import subprocess

import served


def main():
    args = served.arguments()
    served.need("node")
    script = pathlib.Path(__file__).with_name("site_node.js")
    with served.Site(args) as site:
        done = subprocess.run(["node", str(script), str(site.port)], timeout=served.PATIENCE, check=False)
        served.check(done.returncode == 0, f"exit status {done.returncode}")
        site.check_end()


main()
