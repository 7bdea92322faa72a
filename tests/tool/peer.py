"""What the tests of the `fate` command share: a web server of Python's, and running the command."""
import argparse
import gzip
import http.server
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

SECONDS_MAX = 120


class Site(http.server.ThreadingHTTPServer):
    """Pages that behave in different ways, on a free port of the loopback interface."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lock = threading.Lock()
        self.n_running = self.n_running_max = self.n_busy = 0
        self.may_end = threading.Event()
        self.has_begun = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request, client_address):
        """Clients that go away are part of the tests."""

    def enter(self):
        with self.lock:
            self.n_running += 1
            self.n_running_max = max(self.n_running, self.n_running_max)

    def leave(self):
        with self.lock:
            self.n_running -= 1


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send_page(self, body, length=None, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        page = getattr(self, "page_" + self.path.lstrip("/").replace("-", "_").split("?")[0], None)
        if page:
            page()
        else:
            self.send_page(b"there is no such page", status=404)

    def page_hello(self):
        self.send_page(b"Hello!\n")

    def page_large(self):
        self.send_page(b"x" * 300000)

    def page_header(self):
        self.send_page(self.headers.get("X-Test", "none").encode())

    def page_redirect(self):
        self.send_response(302)
        self.send_header("Location", "/hello")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def page_cut(self):
        self.close_connection = True
        self.send_page(b"only this", 1000)

    def page_packed(self):
        """Packed for the way by who may, and in itself for all."""
        coding = self.headers.get("Accept-Encoding", "")
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", "26")
        self.end_headers()
        self.wfile.write(gzip.compress(coding.encode()[:6], mtime=0))

    def page_silent(self):
        """Hangs up the first time."""
        self.server.n_busy += 1
        if self.server.n_busy % 2:
            self.close_connection = True
        else:
            self.send_page(b"at last")

    def page_busy(self):
        """Busy the first time."""
        self.server.n_busy += 1
        self.send_page(b"at last", status=503 if self.server.n_busy % 2 else 200)

    def page_half(self):
        """Half of it comes at once, the other half when the test wants it."""
        self.send_response(200)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)
        self.server.has_begun.set()
        self.server.may_end.wait(SECONDS_MAX)
        self.wfile.write(b"x" * 1000)

    def page_counted(self):
        """How many of these are under way at once is noted."""
        self.server.enter()
        time.sleep(0.05)
        self.server.leave()
        self.send_page(b"counted")


class Test:
    """Counts what does not hold, and says it."""

    def __init__(self, program):
        self.program = program
        self.n = self.n_wrong = 0

    def expect(self, what, found, expected):
        self.n += 1
        if found != expected:
            self.n_wrong += 1
            print(f"{what}: it was\n{found!r}\nand not\n{expected!r}")

    def run(self, *words, **keywords):
        return subprocess.run([self.program, *words], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=SECONDS_MAX, **keywords)

    def run_in_shell(self, script, *words, **keywords):
        """In the script, "$@" is the command."""
        return subprocess.run(["sh", "-c", script, "sh", self.program, *words], capture_output=True,
                              text=True, check=False, timeout=SECONDS_MAX, **keywords)

    def start(self, *words, **keywords):
        return subprocess.Popen([self.program, *words], stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keywords)

    def done(self):
        print(f"{self.n} expectations, {self.n_wrong} do not hold")
        sys.exit(1 if self.n_wrong else 0)


def run_cases(cases):
    """Each with a site of its own; the program is the script's --program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    test = Test(os.path.abspath(parser.parse_args().program))
    for case in cases:
        site = Site()
        case(test, site)
        site.may_end.set()
        site.shutdown()
        site.server_close()
    test.done()


def plain(text, *sites):
    """What is the same each time: without times, rates and ports."""
    for site in sites:
        text = text.replace(site.url, "SITE")
    text = re.sub(r"in \d+(\.\d+)? (ms|s)( \([^)]*/s\))?", "in TIME", text)
    return re.sub(r"taken .*\.", "taken TIMES.", text)


def files_in(folder):
    return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}
