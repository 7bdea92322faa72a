"""What the tests of the server with clients of others share: the site, and what is seen of it from outside.

The site is tests/peers/site.c, which says what pages it has.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

KIB, MIB = 1 << 10, 1 << 20
PERIOD = 8191
PATTERN = bytes((i * 31 + (i >> 8) * 17) & 255 for i in range(PERIOD)) * 136
PATIENCE = 120  # seconds, for whatever must happen in the end: others run, too
SKIPPED = 77
POEM = "".join(f"line {i} of a longer text\n" for i in range(4000))


def arguments(*more):
    """--memory holds the site's memory to its limits, which means something in plain builds alone; --large is
    the same with much more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--large", action="store_true")
    for name in more:
        parser.add_argument(name)
    return parser.parse_args()


def check(holds, text):
    if not holds:
        sys.exit(f"FAILED: {text}")


def need(*programs):
    """Without a peer there is no test: it says so."""
    for program in programs:
        if not find(program):
            skip(f"there is no {program}")


def find(program):
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def until(holds, what):
    end = time.monotonic() + PATIENCE
    while not holds():
        check(time.monotonic() < end, what)
        time.sleep(0.001)


def pattern(n_bytes):
    return (PATTERN * (n_bytes // len(PATTERN) + 1))[:n_bytes]


def is_pattern(data, at=0):
    """Is that what the pattern has from there on?"""
    piece, done = len(PATTERN) - PERIOD, 0
    view = memoryview(data)
    while done < len(data):
        part = view[done:done + piece]
        begin = (at + done) % PERIOD
        if part != memoryview(PATTERN)[begin:begin + len(part)]:
            return False
        done += len(part)
    return True


def allow_descriptors():
    """As many as the process may have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def make_files(folder):
    pathlib.Path(folder, "poem.txt").write_text(POEM, encoding="utf-8")
    pathlib.Path(folder, "pattern").write_bytes(pattern(3 * MIB))
    pathlib.Path(folder, "empty").write_bytes(b"")
    inside = pathlib.Path(folder, "folder")
    inside.mkdir()
    (inside / "index.html").write_text("<p>the index\n", encoding="utf-8")


class Site:
    """A running site.  Its listening socket is made here, so that it has a port before it runs."""

    def __init__(self, args, **options):
        self.args = args
        self.folder = tempfile.TemporaryDirectory()
        make_files(self.folder.name)
        self.log = open(os.path.join(self.folder.name, ".log"), "w+", encoding="utf-8", errors="replace")
        listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.address = listening.getsockname()
        self.port = self.address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        words = [f"{name}={value}" for name, value in options.items()]
        command = [args.program, f"fd:{listening.fileno()}", self.folder.name, *words]
        self.process = subprocess.Popen(command, pass_fds=[listening.fileno()], stderr=self.log)
        listening.close()
        self.settle()

    def settle(self):
        """Makes what is made but once: buffers, threads."""
        until(lambda: self.exchange(b"GET /hello HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nhello\n"), "no answer")
        self.n_descriptors = self.descriptors()
        for path in ("files/poem.txt", "files/pattern", "sized/1000000"):
            check(self.exchange(f"GET /{path} HTTP/1.0\r\n\r\n".encode()), "no answer")
        self.check_descriptors()
        self.rss = self.resident()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind:
                self.process.kill()
                self.process.wait()
                print(f"the site said:\n{self.said()}")
            else:
                self.end()
        finally:
            self.log.close()
            self.folder.cleanup()

    def end(self):
        """By SIGTERM, when all connections have gone."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        said = self.said()
        check(self.process.returncode == 0, f"the site ended with {self.process.returncode}:\n{said}")
        check(said == "", f"the site said:\n{said}")

    def said(self):
        """Without what it is to say, of the page that fails; what others do by running too; and valgrind's
        words about system calls that it does not know."""
        self.log.seek(0)
        text = self.log.read()
        for expected in (r"^\S+ error: Failure\n  .*: (?:GET|HEAD) /fail\n(?:  .*\n)*",
                         r"^\S+ warning: .* blocked the loop for \d{1,4} ms\. .*\n", r"^--\d+-- .*\n"):
            text = re.sub(expected, "", text, flags=re.MULTILINE)
        return text

    # ---- Asking it ----

    def connect(self, *, wish=b"", receive_bytes=0):
        one = socket.socket()
        one.settimeout(PATIENCE)
        if receive_bytes:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        one.connect(self.address)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.sendall(wish)
        return one

    def exchange(self, wish):
        """All that comes back until the end; it is closed by the site."""
        with self.connect(wish=wish) as one:
            return receive_all(one)

    def counts(self):
        return json.loads(self.exchange(b"GET /counts HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")[2])

    def until_counts(self, **wanted):
        until(lambda: wanted.items() <= self.counts().items(), f"{self.counts()} and not {wanted}")

    # ---- Looking at it ----

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def check_descriptors(self):
        """All connections and files have gone.  What the reactor opens once, for threads, may have come."""
        until(lambda: self.descriptors() <= self.n_descriptors, "descriptors stay open")

    def field(self, file, name):
        with open(f"/proc/{self.process.pid}/{file}", encoding="ascii") as lines:
            return int(re.search(rf"^{name}:\s+(\d+) kB", lines.read(), re.MULTILINE)[1]) * KIB

    def resident(self):
        return self.field("smaps_rollup", "Rss")

    def grown(self):
        return self.resident() - self.rss

    def peak(self):
        return max(self.field("status", "VmHWM") - self.rss, 0)

    def check_memory(self, used, limit, what):
        print(f"{what}: {used / KIB:.0f} KiB of memory, at most {limit / KIB:.0f}")
        check(used <= limit or not self.args.memory, f"{what}: {used} bytes")

    def check_end(self, limit=8 * MIB):
        """When a test is over nothing is left of it."""
        self.check_descriptors()
        self.check_memory(self.peak(), limit, "at its peak")


def receive_all(one):
    pieces = []
    with contextlib.suppress(ConnectionResetError):
        while piece := one.recv(MIB):
            pieces.append(piece)
    return b"".join(pieces)


def run_cases(cases, *arguments_of_each):
    for case in cases:
        began = time.monotonic()
        case(*arguments_of_each)
        print(f"{case.__name__}: {time.monotonic() - began:.2f} s", flush=True)
