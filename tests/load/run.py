#!/usr/bin/python3
"""Load from outside: what a server of the library uses of memory, descriptors and time, and what arrives.

    run.py --program PATH [--memory] [--large] TEST

PATH is tests/load/server.c; --memory holds its memory to its limits, which means something only in plain
builds; --large is the same with much more.  SOAK_SECONDS is how long the large soak lasts, 10 if it is unset.
Prints what was measured.
"""
import argparse
import contextlib
import errno
import os
import random
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib

KIB, MIB = 1 << 10, 1 << 20
PERIOD = 8191
PATTERN = bytes((i * 31 + (i >> 8) * 17) & 255 for i in range(PERIOD)) * 136
PIECE = PERIOD * 128
PATIENCE = 120   # seconds, for whatever must happen in the end: others run, too
DRAIN_MAX = 30_000  # as long as fate_main waits for it
RESET = struct.pack("ii", 1, 0)
BIND_ADDRESS_NO_PORT = 24


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("test", choices=sorted(TESTS))
    return parser.parse_args()


def crc_of_pattern(n_bytes):
    crc = 0
    for at in range(0, n_bytes, PIECE):
        crc = zlib.crc32(PATTERN[:min(PIECE, n_bytes - at)], crc)
    return crc


def check(holds, text):
    if not holds:
        sys.exit(f"FAILED: {text}")


# ---- The server, and what is seen of it ----

class Server:
    """Its listening socket is made here, so that it has a port before it runs."""

    def __init__(self, options, drain_max=DRAIN_MAX, send_bytes=0):
        self.options = options
        listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        if send_bytes:  # of the kernel's memory, for each connection: else it takes some MiB
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_bytes)
        self.address = listening.getsockname()
        command = [options.program, f"fd:{listening.fileno()}", str(drain_max)]
        self.process = subprocess.Popen(command, pass_fds=[listening.fileno()])
        listening.close()
        self.control = self.connect()
        self.settle()
        self.n_descriptors = self.descriptors()
        self.rss = self.resident()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.control.close()
        if kind:
            self.process.kill()
            self.process.wait()
        else:
            self.end()

    def end(self):
        """By SIGTERM, when all connections have gone."""
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(PATIENCE) == 0, f"the server ended with {self.process.returncode}")

    def settle(self):
        """Makes what is made but once, the buffers for all."""
        for wish in (b"write 1000000\n", b"files 100\n"):
            with self.connect(wish) as one:
                receive_all(one)
        self.until_alone()

    def connect(self, wish=b"", where=None):
        one = socket.socket()
        one.settimeout(PATIENCE)
        if where:  # so that closed connections, whose ports rest for a minute, leave enough of them
            one.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)
            one.bind((where, 0))
        one.connect(self.address)
        one.sendall(wish)
        return one

    def counts(self):
        self.control.sendall(b"counts 0\n")
        words = receive_line(self.control).split()
        return {name: int(count) for name, count in zip(words[::2], words[1::2])}

    def until_alone(self):
        """Until the server has noticed that all others have gone."""
        until(lambda: self.counts()["connections"] == 1, "connections stay")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

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
        check(used <= limit or not self.options.memory, f"{what}: {used} bytes")

    def check_descriptors(self):
        """All are back, those of who has just been told of its end, too."""
        self.until_alone()
        now = self.descriptors()
        check(now == self.n_descriptors, f"{now} descriptors are open, {self.n_descriptors} before")

    def check_quiet(self, what):
        """Wakes up for what it is asked, and for nothing else."""
        n, before = 500, self.counts()
        for _ in range(n):
            after = self.counts()
        waits, turns = after["waits"] - before["waits"], after["turns"] - before["turns"]
        print(f"{what}: {waits} waits and {turns} turns for {n} questions")
        check(waits <= 3 * n and turns <= 3 * n, f"{what}: it spins")


def until(holds, what):
    end = time.monotonic() + PATIENCE
    while not holds():
        check(time.monotonic() < end, what)


# ---- Connections ----

def receive_line(one):
    line = b""
    while not line.endswith(b"\n"):
        piece = one.recv(100)
        check(piece, f"the connection ended after {line!r}")
        line += piece
    return line.decode().strip()


def receive_all(one, most=None):
    """How many bytes until the end, and their checksum."""
    room, n, crc = bytearray(MIB), 0, 0
    while most is None or n < most:
        part = one.recv_into(room)
        if part == 0:
            break
        n, crc = n + part, zlib.crc32(memoryview(room)[:part], crc)
    return n, crc


def check_rest(one, n_bytes, begun=(0, 0)):
    n, crc = begun
    room = bytearray(MIB)
    while part := one.recv_into(room):
        n, crc = n + part, zlib.crc32(memoryview(room)[:part], crc)
    check(n == n_bytes, f"{n} of {n_bytes} bytes arrived")
    check(crc == crc_of_pattern(n_bytes), f"{n} bytes arrived, not the right ones")


def reset(one):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    one.close()


def upload_what_goes(one, at, n_bytes):
    """Sends on from there for as long as the other side takes it: how far it came."""
    one.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while at < n_bytes:
            begin = at % PERIOD
            at += one.send(PATTERN[begin:begin + min(64 * KIB, n_bytes - at)])
    return at


# ---- The tests ----

def back_pressure(options, wish):
    """A peer that reads nothing at first, and then all."""
    n_bytes = 1 << 30 if options.large else 64 * MIB
    with Server(options) as server:
        one = server.connect(f"{wish} {n_bytes}\n".encode())
        server.check_quiet(f"{wish}, nobody reads")
        server.check_memory(server.grown(), 8 * MIB, f"{wish}, nobody reads")
        check_rest(one, n_bytes)
        one.close()
        server.check_memory(server.peak(), 8 * MIB, f"{wish}, {n_bytes // MIB} MiB read")
        server.check_descriptors()


def writes(options):
    back_pressure(options, "write")


def files(options):
    back_pressure(options, "files")


def last_words(options):
    """A connection is closed with all of it still queued, while its peer sends, and sends."""
    n_bytes = (256 if options.large else 64) * MIB
    with Server(options) as server:
        for is_sending in (False, True):
            one = server.connect(f"heap {n_bytes}\n".encode())
            sent = 0
            if is_sending:
                server.counts()
                sent = upload_what_goes(one, 0, 16 * MIB)
                one.settimeout(PATIENCE)
            begun = receive_all(one, n_bytes // 2)
            if is_sending:
                sent = upload_what_goes(one, sent, 32 * MIB)
                one.settimeout(PATIENCE)
            check_rest(one, n_bytes, begun)
            one.close()
            print(f"{n_bytes // MIB} MiB queued and closed: all arrived, {sent} bytes came meanwhile")
        server.check_descriptors()


def idle(options):
    n = 10_000 if options.large else 1000
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    n_most = limit - 64 if limit != resource.RLIM_INFINITY else n
    if n_most < n:
        print(f"only {n_most} connections: the process may have {limit} descriptors")
    with Server(options) as server:
        ones = [server.connect() for _ in range(min(n, n_most))]
        until(lambda: server.counts()["connections"] == len(ones) + 1, "not all are accepted")
        server.check_memory(server.grown(), len(ones) * KIB, f"{len(ones)} idle connections")
        took = sorted(answer_time(server) for _ in range(200))
        print(f"new requests: half within {took[100] * 1e3:.2f} ms, 99 of 100 within {took[198] * 1e3:.2f}")
        server.check_quiet(f"{len(ones)} idle connections")
        for one in ones:
            one.close()
        server.check_descriptors()


def answer_time(server):
    began = time.monotonic()
    with server.connect(b"write 100\n") as one:
        check_rest(one, 100)
    return time.monotonic() - began


def short(options):
    """A third each is closed by the server, by the client, and with a reset."""
    n = 20_000 if options.large else 1500
    with Server(options) as server:
        for i in range(n):
            wish = b"echo 0\nhello" if i % 3 else b"write 1000\n"
            one = server.connect(wish, where=f"127.0.1.{i % 200 + 1}")
            if i % 3 == 0:
                check_rest(one, 1000)
            else:
                check(one.recv(5, socket.MSG_WAITALL) == b"hello", "the wrong answer")
            if i % 3 == 2:
                reset(one)
            one.close()
        server.check_descriptors()
        server.check_memory(server.grown(), 512 * KIB, f"{n} short connections")


def readers(options):
    """200 who want a mebibyte each and do not read it."""
    with Server(options, send_bytes=128 * KIB) as server:
        ones = [server.connect(b"write 1048576\n") for _ in range(200)]
        server.check_quiet("200 who do not read")
        server.check_memory(server.grown(), 64 * MIB, "200 who do not read")
        for one in ones[::2]:
            check_rest(one, MIB)
        for one in ones:
            reset(one)
        server.check_descriptors()
    with Server(options, send_bytes=128 * KIB) as server:
        ones = [server.connect(b"rude 1048576\n") for _ in range(200)]
        until(lambda: server.counts()["connections"] == 1, "those beyond their cap stay")
        server.check_memory(server.peak(), 64 * MIB, "200 who do not read, beyond their cap")
        for one in ones:
            check(is_cut(one), "more was queued than the cap, and the connection is not reset")
        server.check_descriptors()


def is_cut(one):
    with one:
        try:
            return receive_all(one)[0] < 0
        except ConnectionResetError:
            return True


def uploaders(options):
    """40 who send more than anybody reads; in the end it is read."""
    n_bytes = (64 if options.large else 16) * MIB
    with Server(options) as server:
        ones = [server.connect(f"take {n_bytes}\n".encode()) for _ in range(40)]
        at = [upload_what_goes(one, 0, n_bytes) for one in ones]
        server.check_quiet("40 who are not read")
        at = [upload_what_goes(one, n, n_bytes) for one, n in zip(ones, at)]
        print(f"40 who are not read have sent {sum(at) // MIB} of {40 * n_bytes // MIB} MiB")
        server.check_memory(server.grown(), 2 * MIB, "40 who are not read")
        server.control.sendall(b"resume 0\n")
        check(receive_line(server.control) == "ok", "it does not answer")
        upload_rest(ones, at, n_bytes)
        for one in ones:
            check(receive_line(one) == "right", "what was sent has not arrived right")
            one.close()
        server.check_descriptors()
        server.check_memory(server.peak(), 2 * MIB, "40 who have been read")


def upload_rest(ones, at, n_bytes):
    places = {one.fileno(): i for i, one in enumerate(ones)}
    poll = select.poll()
    for one in ones:
        poll.register(one, select.POLLOUT)
    while places:
        ready = poll.poll(PATIENCE * 1000)
        check(ready, "nothing is read")
        for fd, _ in ready:
            i = places[fd]
            at[i] = upload_what_goes(ones[i], at[i], n_bytes)
            if at[i] == n_bytes:
                poll.unregister(fd)
                del places[fd]
    for one in ones:
        one.settimeout(PATIENCE)


def resets(options):
    """Half of them go while they wait to be accepted."""
    n = 20_000 if options.large else 2000
    with Server(options) as server:
        before = server.counts()
        for i in range(n // 100):
            if i % 2:
                server.process.send_signal(signal.SIGSTOP)
            for j in range(100):
                reset(server.connect([b"", b"hel", b"echo 0\nhello", b"write 100000\n"][j % 4]))
            if i % 2:
                server.process.send_signal(signal.SIGCONT)
        server.check_descriptors()
        turns = server.counts()["turns"] - before["turns"]
        print(f"{n} connections and resets: {turns} turns")
        server.check_quiet(f"{n} resets")
        server.check_memory(server.grown(), 512 * KIB, f"{n} connections and resets")


def sigterm(options):
    """What is in progress is finished; those who do not end are cut after the time to drain."""
    n_bytes = (16 if options.large else 4) * MIB
    for is_stubborn in (False, True):
        drain_max, send_bytes = (500, 128 * KIB) if is_stubborn else (DRAIN_MAX, 0)
        with Server(options, drain_max, send_bytes) as server:
            wishes = [f"{'write' if i % 2 else 'files'} {n_bytes}\n".encode() for i in range(50)]
            ones = [server.connect(wish) for wish in wishes]
            begun = [receive_all(one, 1000) for one in ones]
            server.process.send_signal(signal.SIGTERM)
            until(lambda: is_refused(server), "it still accepts")
            if is_stubborn:
                check(server.process.wait(PATIENCE) == 0, f"it ended with {server.process.returncode}")
                check(all(is_cut(one) for one in ones), "one who did not read was not cut")
                print("50 who do not read: cut when the time was up")
            else:
                server.control.close()
                for one, n in zip(ones, begun):
                    check_rest(one, n_bytes, n)
                    one.close()
                check(server.process.wait(PATIENCE) == 0, f"it ended with {server.process.returncode}")
                print(f"50 with {n_bytes // MIB} MiB in progress: all have got the rest")


def is_refused(server):
    try:
        server.connect().close()
    except OSError as error:
        return error.errno == errno.ECONNREFUSED
    return False


# ---- The soak ----

class Soak:
    """A few connections at a time, each in some state, and a step of one of them at random."""

    def __init__(self, server, seed):
        self.server, self.random = server, random.Random(seed)
        self.open = []
        self.n_steps = 0

    def step(self):
        self.n_steps += 1
        if len(self.open) < 40 or self.random.random() < 0.4:
            self.begin()
        if len(self.open) > 80 or self.random.random() < 0.4:
            self.finish(self.open.pop(self.random.randrange(len(self.open))))

    def begin(self):
        wish = self.random.choice(("echo", "write", "files", "heap", "rude", "take", "none"))
        n_bytes = self.random.choice((1, 100, 5000, 70_000, 300_000))
        text = b"" if wish == "none" else f"{wish} {n_bytes}\n".encode()
        where = f"127.0.2.{self.n_steps % 200 + 1}"
        self.open.append((wish, n_bytes, self.server.connect(text, where=where)))

    def finish(self, which):
        wish, n_bytes, one = which
        if self.random.random() < 0.3:
            reset(one)
            return
        if wish in ("write", "files", "heap"):
            check_rest(one, n_bytes)
        elif wish == "echo":
            one.sendall(PATTERN[:5000])
            one.shutdown(socket.SHUT_WR)
            check_rest(one, 5000)
        elif wish == "take":
            self.upload(one, n_bytes)
        one.close()

    def upload(self, one, n_bytes):
        """Its wish may be read later than that of the control connection."""
        one.sendall(PATTERN[:n_bytes])
        while not select.select([one], [], [], 0.01)[0]:
            self.server.control.sendall(b"resume 0\n")
            receive_line(self.server.control)
        check(receive_line(one) == "right", "what was sent has not arrived right")

    def close(self):
        """Who is not read is not seen to have ended, other than by a reset."""
        for wish, _, one in self.open:
            if wish == "take":
                reset(one)
            one.close()
        self.open = []


def soak(options):
    seconds = float(os.environ.get("SOAK_SECONDS", "10")) if options.large else 0
    seed = int(os.environ.get("SOAK_SEED", "1"))
    with Server(options) as server:
        load = Soak(server, seed)
        warmed_up = run_soak(load, seconds / 3, 1500)
        n_warm = load.n_steps
        end = run_soak(load, seconds * 2 / 3, 1500)
        print(f"seed {seed}: {n_warm} steps to warm up, {load.n_steps - n_warm} more")
        server.check_memory(end - warmed_up, MIB, "growth after warming up")


def run_soak(load, seconds, n_steps_min):
    """The memory when all connections have gone again; the descriptors are all back then."""
    end, n_last = time.monotonic() + seconds, load.n_steps + n_steps_min
    while load.n_steps < n_last or time.monotonic() < end:
        load.step()
    load.close()
    load.server.check_descriptors()
    return load.server.resident()


TESTS = {test.__name__: test for test in (writes, files, last_words, idle, short, readers, uploaders, resets,
                                          sigterm, soak)}


def main():
    options = arguments()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    began = time.monotonic()
    TESTS[options.test](options)
    print(f"{options.test}: right, after {time.monotonic() - began:.1f} s")


main()
