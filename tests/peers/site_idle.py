#!/usr/bin/python3
"""Many connections that rest: site_idle.py --program PATH [--memory] [--large]

Prints how much memory they take, and how long new requests do beside them.
"""
import resource
import time

import served
from served import KIB, check

GET = b"GET /hello HTTP/1.1\r\nHost: x\r\nUser-Agent: a test\r\nAccept: */*\r\n\r\n"
SPARE = 64
N_ASKED = 500
ANSWER_SECONDS_MAX = 0.01  # for half of them: others run, too
CPU_SECONDS_MAX = 0.001    # for each, whoever else runs


def how_many(args):
    n = 10_000 if args.large else 1000
    limit = served.allow_descriptors()
    if limit != resource.RLIM_INFINITY and limit - SPARE < n:
        print(f"only {limit - SPARE} connections: a process may have {limit} descriptors")
        return limit - SPARE
    return n


def rest(site, n):
    """Half of them have asked for something."""
    ones = []
    for i in range(n):
        one = site.connect(wish=GET if i % 2 else b"")
        if i % 2:
            check(one.recv(KIB).endswith(b"\r\n\r\nhello\n"), "the wrong answer")
        ones.append(one)
    served.until(lambda: site.descriptors() >= site.n_descriptors + n, "not all are accepted")
    return ones


def answer_time(site):
    began = time.monotonic()
    with site.connect(wish=GET) as one:
        check(one.recv(KIB).endswith(b"\r\n\r\nhello\n"), "the wrong answer")
    return time.monotonic() - began


def ask_beside(site):
    before = site.cpu_seconds()
    took = sorted(answer_time(site) for _ in range(N_ASKED))
    cpu = (site.cpu_seconds() - before) / N_ASKED
    half, most = took[N_ASKED // 2], took[N_ASKED * 99 // 100]
    print(f"new requests: half within {half * 1e3:.2f} ms, 99 of 100 within {most * 1e3:.2f}, "
          f"{cpu * 1e3:.3f} ms of CPU each")
    check(half < ANSWER_SECONDS_MAX or not site.args.memory, f"new requests take {half * 1e3:.2f} ms")
    check(cpu < CPU_SECONDS_MAX or not site.args.memory, f"new requests take {cpu * 1e3:.2f} ms of CPU")


def main():
    args = served.arguments()
    n = how_many(args)
    with served.Site(args, idle_timeout=2 * served.PATIENCE * 1000) as site:
        ones = rest(site, n)
        site.check_memory(site.grown(), n * KIB, f"{n} connections that rest")
        ask_beside(site)
        for one in ones[1::2]:
            one.sendall(GET)
        for one in ones[1::2]:
            check(one.recv(KIB).endswith(b"\r\n\r\nhello\n"), "the wrong answer")
        site.check_memory(site.grown(), n * KIB, f"{n} connections that have asked again")
        for one in ones:
            one.close()
        site.check_end(n * 2 * KIB)


main()
