#!/usr/bin/python3
"""The server, asked by http.client and over bare sockets: site_python.py --program PATH [--memory]"""
import contextlib
import http.client
import io
import select
import signal
import socket
import struct
import time

import served
from served import KIB, MIB, check

GET = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
RESET = struct.pack("ii", 1, 0)
LIMIT = 0.3  # seconds, of the impatient site


class Answers:
    """Reads one answer after the other out of bytes."""

    def __init__(self, data):
        self.file = io.BytesIO(data)
        self.file.close = lambda: None

    def makefile(self, _):
        return self.file

    def next(self, method="GET"):
        answer = http.client.HTTPResponse(self, method=method)
        answer.begin()
        return answer.status, answer.read()

    def all(self):
        while self.file.tell() < len(self.file.getbuffer()):
            yield self.next()


def send_slowly(one, data):
    for i in range(len(data)):
        one.sendall(data[i:i + 1])


def reset(one):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    one.close()


# ---- One request after the other ----

def a_connection_is_kept(site):
    connection = http.client.HTTPConnection(*site.address, timeout=served.PATIENCE)
    connection.connect()
    first = connection.sock
    for i in range(100):
        body = served.pattern(i * 1000)
        connection.request("POST", "/echo", body, encode_chunked=i % 2 == 1,
                           headers={"Transfer-Encoding": "chunked"} if i % 2 else {})
        check(connection.getresponse().read() == body, f"echo of {len(body)} bytes")
        connection.request("GET", f"/{'sized' if i % 2 else 'big'}/{i * 1000}")
        check(connection.getresponse().read() == body, f"{len(body)} bytes")
        connection.request("HEAD", "/json")
        check(connection.getresponse().read() == b"", "HEAD with a body")
    check(connection.sock is first, "the connection is not kept")
    connection.close()


def bytes_come_one_by_one(site):
    chunked = (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"5;x=y\r\nhello\r\n1\r\n\n\r\n0\r\nTrailer: z\r\n\r\n")
    with site.connect() as one:
        counted = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
        send_slowly(one, chunked + GET + counted + LAST)
        answers = list(Answers(served.receive_all(one)).all())
    check(answers == [(200, b"hello\n"), (200, b"hello\n"), (200, b"5 bytes, wrong\n"), (200, b"hello\n")],
          f"byte by byte: {answers}")


def half_closed_is_still_answered(site):
    for wish, body in ((b"GET /slow/50 HTTP/1.1\r\nHost: x\r\n\r\n", b"late\n"),
                       (b"GET /sized/3000000 HTTP/1.1\r\nHost: x\r\n\r\n", served.pattern(3_000_000)),
                       (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", b"hi")):
        with site.connect(wish=wish + wish) as one:
            one.shutdown(socket.SHUT_WR)
            answers = list(Answers(served.receive_all(one)).all())
            check(answers == [(200, body), (200, body)], f"{wish}: {[(code, len(b)) for code, b in answers]}")
    with site.connect(wish=b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhi") as one:
        one.shutdown(socket.SHUT_WR)
        check(Answers(served.receive_all(one)).next()[0] == 400, "a body that was cut")


def requests_come_together(site):
    """Those that are read at once are answered at once, and all of them in order."""
    with site.connect(wish=20 * GET) as one:
        data = one.recv(MIB)
        check(len(list(Answers(data).all())) == 20, f"not all in one piece: {data}")
    paths = ("slow/30", "hello", "nope", "sized/100000", "slow/1", "big/70000", "files/poem.txt", "json")
    wish = b"".join(f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths)
    sizes = [5, 6, None, 100_000, 5, 70_000, len(served.POEM), 30]
    with site.connect(wish=10 * wish + LAST) as one:
        answers = list(Answers(served.receive_all(one)).all())
    check(len(answers) == 10 * len(sizes) + 1, f"{len(answers)} answers")
    for i, (code, body) in enumerate(answers[:-1]):
        size = sizes[i % len(sizes)]
        check(code == (404 if size is None else 200) and size in (None, len(body)), f"{i}: {code}")


def a_body_is_no_request(site):
    """What nobody has read of a body is not taken for the next request."""
    hidden = b"GET /sized/77 HTTP/1.1\r\nHost: x\r\n\r\n"
    for path, code in (("refuse/403", 403), ("nope", 404), ("hello", 405), ("collect", 200)):
        head = f"POST /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(hidden)}\r\n\r\n".encode()
        with site.connect(wish=head + hidden + LAST) as one:
            answers = list(Answers(served.receive_all(one)).all())
        check([a[0] for a in answers] == [code, 200] and answers[1][1] == b"hello\n", f"{path}: {answers}")


# ---- What is wrong ----

POST = b"POST /collect HTTP/1.1\r\nHost: x\r\n"
WRONG = [
    (400, POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    (400, POST + b"Content-Length: 5, 6\r\n\r\nhello"),
    (400, POST + b"Content-Length: +5\r\n\r\nhello"),
    (400, POST + b"Content-Length: 0x5\r\n\r\nhello"),
    (400, POST + b"Content-Length: -1\r\n\r\n"),
    (400, POST + b"Content-Length: 99999999999999999999\r\n\r\n"),
    (400, POST + b"Content-Length : 5\r\n\r\nhello"),
    (400, POST + b"Content-Length: 5\n\nhello"),
    (400, POST + b"Content-Length: 5\r\n X: folded\r\n\r\nhello"),
    (400, POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    (400, POST + b"Transfer-Encoding: chunked\r\n\r\n5;\nx\r\nhello\r\n0\r\n\r\n"),
    (400, b"POST /collect HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"GET /hello HTTP/1.1\r\n\r\n"),
    (400, b"GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
    (400, b"GET /hello HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n"),
    (400, b"GET /hello HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n"),
    (400, b"GET /hello HTTP/1.1\r\nHost: x\r\nX Y: a\r\n\r\n"),
    (400, b"GET /hello HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n"),
    (400, b"GET /hello HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n"),
    (400, b"GET  /hello HTTP/1.1\r\nHost: x\r\n\r\n"),
    (400, b"GET /hello\tHTTP/1.1\r\nHost: x\r\n\r\n"),
    (400, b"GET /hel\x01lo HTTP/1.1\r\nHost: x\r\n\r\n"),
    (400, b"GET hello HTTP/1.1\r\nHost: x\r\n\r\n"),
    (400, b"G(T /hello HTTP/1.1\r\nHost: x\r\n\r\n"),
    (400, b"GET /hello HTTP/1.1 \r\nHost: x\r\n\r\n"),
    (400, b"GET /hello http/1.1\r\nHost: x\r\n\r\n"),
    (505, b"GET /hello HTTP/2.0\r\nHost: x\r\n\r\n"),
    (414, b"GET /" + 9000 * b"a" + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    (431, b"GET /hello HTTP/1.1\r\nHost: x\r\nX: " + 33000 * b"a" + b"\r\n\r\n"),
    (431, b"GET /hello HTTP/1.1\r\nHost: x\r\n" + 101 * b"X: y\r\n" + b"\r\n"),
]


def nothing_is_served_behind_what_is_wrong(site):
    for code, wish in WRONG:
        with site.connect() as whole, site.connect() as slow:
            whole.sendall(GET + wish + LAST)
            with contextlib.suppress(ConnectionError):
                if len(wish) < 300:
                    send_slowly(slow, wish + LAST)
                else:
                    slow.sendall(wish + LAST)
            answers = list(Answers(served.receive_all(whole)).all())
            check([a[0] for a in answers] == [200, code], f"{wish}: {answers}")
            answers = list(Answers(served.receive_all(slow)).all())
            check([a[0] for a in answers] == [code], f"{wish}, slowly: {answers}")


# ---- Who is slow ----

def drip(site, begin, drop):
    """Sends a little and then drops, as long as the site takes them: what it says, and how long that took."""
    began = time.monotonic()
    with site.connect(wish=begin) as one:
        while not select.select([one], [], [], 0.02)[0]:
            check(time.monotonic() < began + served.PATIENCE, f"{begin} may take for ever")
            with contextlib.suppress(ConnectionError):
                one.sendall(drop)
        return served.receive_all(one), time.monotonic() - began


def who_is_slow_is_cut(site):
    """Each has a time in all, whatever still comes."""
    with served.Site(site.args, head_timeout=int(LIMIT * 1e3), body_timeout=int(LIMIT * 1e3)) as impatient:
        for begin, drop in ((b"G", b"E"), (b"GET / HTTP/1.1\r\n", b"X: y\r\n"), (GET[:-2], b"X"),
                            (POST + b"Content-Length: 100000\r\n\r\n", b"x"),
                            (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
                            (POST.replace(b"collect", b"take") + b"Content-Length: 100000\r\n\r\n", b"x")):
            said, took = drip(impatient, begin, drop)
            check(Answers(said).next()[0] == 408, f"{begin}: {said}")
            check(took >= LIMIT, f"{begin} was given {took} s")
        impatient.check_descriptors()


def who_rests_too_long_is_closed(site):
    with served.Site(site.args, idle_timeout=int(LIMIT * 1e3)) as impatient:
        silent, resting = impatient.connect(), impatient.connect(wish=GET)
        stuck = impatient.connect(wish=b"GET /big/9000000000 HTTP/1.1\r\nHost: x\r\n\r\n", receive_bytes=4096)
        check(served.receive_all(silent) == b"", "who says nothing is told something")
        check(len(list(Answers(served.receive_all(resting)).all())) == 1, "one request, one answer")
        impatient.check_descriptors()
        for one in (silent, resting, stuck):
            one.close()


def who_does_not_read_is_not_served_without_end(site):
    """Requests that come together, whose answers nobody takes; and a body that comes back."""
    flood = site.connect()
    flood.setblocking(False)
    upload = site.connect(wish=b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\n")
    upload.setblocking(False)
    at = 0
    while select.select([], [flood, upload], [], 0.1)[1]:
        with contextlib.suppress(BlockingIOError):
            flood.send(1000 * b"GET /sized/1000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(BlockingIOError):
            at += upload.send(served.PATTERN[at % served.PERIOD:][:64 * MIB - at])
        check(at < 64 * MIB, "all of it is taken, and nothing given back")
    site.check_memory(site.grown(), 3 * MIB, "two who do not read")
    reset(flood)
    came = bytearray()
    while len(came) < at or at < 64 * MIB:
        check(select.select([upload], [upload] if at < 64 * MIB else [], [], served.PATIENCE) != ([], [], []),
              "the echo stands still")
        with contextlib.suppress(BlockingIOError):
            at += upload.send(served.PATTERN[at % served.PERIOD:][:64 * MIB - at])
        with contextlib.suppress(BlockingIOError):
            came += upload.recv(MIB)
    check(b"\r\nTransfer-Encoding: chunked\r\n" in came[:1000], f"the head of the echo: {came[:1000]}")
    upload.close()
    site.check_descriptors()


def who_goes_is_not_worked_for(site):
    before = site.counts()["cancelled"]
    ones = [site.connect(wish=b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(20)]
    site.until_counts(waiting=20)
    for one in ones:
        reset(one)
    site.until_counts(waiting=0, cancelled=before + 20)
    for path in ("big/100000000", "files/pattern", "slow/20"):
        ones = [site.connect(wish=f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) for _ in range(20)]
        for one in ones[::2]:
            if path != "slow/20":
                one.recv(1000)
        for one in ones:
            reset(one)
    for _ in range(20):
        reset(site.connect(wish=b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhi"))
    site.check_descriptors()


# ---- The end ----

def what_has_begun_is_finished(site):
    """After SIGTERM: who rests is closed, who waits is answered, and nobody else comes in."""
    with served.Site(site.args) as other:
        resting = other.connect(wish=GET)
        resting.recv(KIB)
        slow = other.connect(wish=b"GET /slow/300 HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
        big = other.connect(wish=b"GET /sized/20000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        begun = big.recv(1000)
        other.process.send_signal(signal.SIGTERM)
        check(resting.recv(KIB) == b"", "who rests is not closed")
        answers = list(Answers(served.receive_all(slow)).all())
        check(answers[0] == (200, b"late\n"), f"who waits: {answers}")
        check(Answers(begun + served.receive_all(big)).next() == (200, served.pattern(20_000_000)), "big")
        for one in (resting, slow, big):
            one.close()
        check(other.process.wait(served.PATIENCE) == 0, "the site does not end")


def main():
    args = served.arguments()
    with served.Site(args) as site:
        served.run_cases([a_connection_is_kept, bytes_come_one_by_one, half_closed_is_still_answered,
                          requests_come_together, a_body_is_no_request,
                          nothing_is_served_behind_what_is_wrong, who_is_slow_is_cut,
                          who_rests_too_long_is_closed,
                          who_does_not_read_is_not_served_without_end, who_goes_is_not_worked_for,
                          what_has_begun_is_finished], site)
        site.check_end()


main()
