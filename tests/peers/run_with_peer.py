#!/usr/bin/python3
"""Runs a program against a peer that others have written.

    run_with_peer.py [OPTION...] PEER [WORD...] -- PROGRAM [WORD...]

It starts the peer, waits until that is ready, runs the program, and kills the peer.  In the words of both
{port} is a port of the loopback interface that was free just now, {port2} another one, and {folder} a
folder that lasts as long as both.  The exit status is the program's; if that is not 0, what the peer has
said is shown.

    --ready TEXT     the peer is ready when it has written that, on either of its outputs; without this when
                     127.0.0.1:{port} accepts a connection, or without a {port} at once
    --needs MODULE   a module of Python's without which the test is skipped: exit status 77
    --expect FILE    what the program prints is to be that
    --peer-says TEXT what the peer has written in the end is to contain that
    --seconds N      how long each of the two may take: 60
"""
import argparse
import ctypes
import difflib
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
STARTS_MAX = 3
PR_SET_PDEATHSIG = 1


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ready")
    parser.add_argument("--needs", action="append", default=[])
    parser.add_argument("--expect")
    parser.add_argument("--peer-says", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("words", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if "--" not in args.words:
        sys.exit(__doc__)
    at = args.words.index("--")
    args.peer, args.program = args.words[:at], args.words[at + 1:]
    for module in args.needs:
        if not importlib.util.find_spec(module):
            skip(f"there is no module {module}")
    if not args.peer or not shutil.which(args.peer[0]):
        skip(f"there is no {' '.join(args.peer[:1]) or 'peer'}")
    return args


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def values_for(words, folder):
    """What stands for each {name}: new ports each time."""
    names = set(re.findall(r"\{(port\d*)\}", " ".join(words)))
    return {"folder": folder, **{name: str(free_port()) for name in sorted(names)}}


def filled_in(words, values):
    return [re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), word) for word in words]


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


class Peer:
    """A process in a session of its own, whose outputs go to a file."""

    def __init__(self, command, output):
        self.output = pathlib.Path(output)
        with open(output, "wb") as file:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                            start_new_session=True, preexec_fn=die_with_parent,
                                            env={**os.environ, "PYTHONUNBUFFERED": "1"})

    def said(self):
        return self.output.read_text(errors="replace")

    def is_ready(self, text, port):
        if text:
            return text in self.said()
        return port is None or accepts(port)

    def wait(self, text, port, seconds):
        """Is it ready?  It is not when it has ended before."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.is_ready(text, port):
                return self.process.poll() is None
            time.sleep(0.01)
        return False

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def start_peer(args, folder):
    """A ready peer, and what stands for each {name}.  The port may have been taken by another meanwhile."""
    output = os.path.join(folder, "peer.output")
    for _ in range(STARTS_MAX):
        values = values_for(args.peer + args.program, folder)
        peer = Peer(filled_in(args.peer, values), output)
        if peer.wait(args.ready, values.get("port"), args.seconds):
            return peer, values
        peer.kill()
    sys.exit(f"the peer does not become ready: {' '.join(args.peer)}\nit said:\n{peer.said()}")


def run_program(args, values):
    command = filled_in(args.program, values)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=args.seconds, check=False,
                              stdout=subprocess.PIPE if args.expect else None)
    except subprocess.TimeoutExpired:
        return 1, f"{command[0]} has not ended after {args.seconds} s\n"
    if not args.expect:
        return done.returncode, ""
    expected = pathlib.Path(args.expect).read_text()
    printed = done.stdout.decode(errors="replace")
    lines = difflib.unified_diff(expected.splitlines(True), printed.splitlines(True), args.expect,
                                 "what it printed")
    return done.returncode, "".join(lines)


def main():
    args = parse()
    with tempfile.TemporaryDirectory() as folder:
        peer, values = start_peer(args, folder)
        try:
            status, wrong = run_program(args, values)
        finally:
            peer.kill()
        said = peer.said()
        wrong += "".join(f"the peer has not said {text!r}\n" for text in args.peer_says if text not in said)
        if status or wrong:
            print(f"{wrong}exit status {status}; the peer said:\n{said}")
    sys.exit(status if status else 1 if wrong else 0)


main()
