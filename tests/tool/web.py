#!/usr/bin/python3
"""Runs `fate web`, and `fate get` against it: web.py --program FATE"""
import contextlib
import http.client
import json
import pathlib
import re
import signal
import socket
import tempfile
import urllib.error
import urllib.request

import peer

LOOPBACK = "--listen=tcp:0:interface=127.0.0.1"


@contextlib.contextmanager
def served(test, *words):
    """A folder that is served: the process, its URL and the folder."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "hello.txt").write_text("Hello!\n", encoding="utf-8")
        pathlib.Path(folder, ".hidden").write_text("no", encoding="utf-8")
        pathlib.Path(folder, "large").write_bytes(b"x" * 5000000)
        process = test.start("web", "--path", folder, LOOPBACK, *words)
        line = process.stdout.readline()
        url = r"(http://127\.0\.0\.1:\d+)"
        match = re.fullmatch(rf"Serving {re.escape(folder)} at {url}/; Ctrl-C ends it\.\n", line)
        test.expect("where it serves", bool(match), True)
        try:
            yield process, match[1] if match else "", folder
        finally:
            process.kill()
            process.communicate()


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=peer.SECONDS_MAX) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def end(process, signo=signal.SIGINT):
    process.send_signal(signo)
    return process.communicate(timeout=peer.SECONDS_MAX)


def files_are_served_and_logged(test, _):
    with served(test) as (process, url, _):
        test.expect("a file", status_of(f"{url}/hello.txt"), (200, b"Hello!\n"))
        test.expect("none", status_of(f"{url}/missing")[0], 404)
        test.expect("hidden", status_of(f"{url}/.hidden")[0], 404)
        test.expect("above", status_of(f"{url}/%2e%2e/")[0] in (400, 404), True)
        test.expect("a listing", b"hello.txt" in status_of(f"{url}/")[1], True)
        out, err = end(process)
        log = [re.sub(r"\[[^\]]*\]", "[TIME]", line) for line in out.splitlines()]
        test.expect("the log", log[:3], [
            '127.0.0.1 - - [TIME] "GET /hello.txt HTTP/1.1" 200 7',
            log[1] if log[1:] and '"GET /missing HTTP/1.1" 404 ' in log[1] else "GET /missing",
            log[2] if log[2:] and '"GET /.hidden HTTP/1.1" 404 ' in log[2] else "GET /.hidden"])
        test.expect("the end", (err, process.returncode), ("", 0))


def the_command_fetches_from_itself(test, _):
    with served(test, "--log=none") as (process, url, folder):
        done = test.run("get", "-O", f"{url}/large", f"{url}/hello.txt", f"{url}/missing", cwd=folder)
        test.expect("fetched", done.returncode, 1)
        test.expect("the same", len(peer.files_in(folder)["large"]), 5000000)
        test.expect("no log", end(process), ("", ""))
        test.expect("status", process.returncode, 0)


def once_is_one_request(test, _):
    with served(test, "--once", "--log=json") as (process, url, _):
        test.expect("a file", status_of(f"{url}/hello.txt"), (200, b"Hello!\n"))
        out, err = process.communicate(timeout=peer.SECONDS_MAX)
        entry = json.loads(out)
        fields = {name: entry["fields"][name] for name in ("peer", "target", "status", "bytes")}
        test.expect("the log", fields,
                    {"peer": "127.0.0.1", "target": "/hello.txt", "status": 200, "bytes": 7})
        test.expect("the end", (err, process.returncode), ("", 0))


def once_without_a_log_ends_too(test, _):
    with served(test, "--once", "--log=none") as (process, url, _):
        test.expect("none", status_of(f"{url}/missing")[0], 404)
        test.expect("the end", (process.communicate(timeout=peer.SECONDS_MAX), process.returncode),
                    (("", ""), 0))


def what_has_begun_is_finished(test, _):
    with served(test) as (process, url, _):
        connection = http.client.HTTPConnection(url[len("http://"):], timeout=peer.SECONDS_MAX)
        connection.request("GET", "/large")
        answer = connection.getresponse()
        test.expect("begun", len(answer.read(1000)), 1000)
        process.send_signal(signal.SIGTERM)
        test.expect("the rest", len(answer.read()), 4999000)
        connection.close()
        process.communicate(timeout=peer.SECONDS_MAX)
        test.expect("status", process.returncode, 0)


def what_cannot_be_served_is_said(test, _):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
        done = test.run("web", f"--listen={endpoint}")
        test.expect("a port", (done.stdout, done.stderr.startswith(f"fate: listen on {endpoint}: Address "),
                               done.stderr.count("\n"), done.returncode), ("", True, 1, 1))
    done = test.run("web", "--path=no/folder", LOOPBACK)
    test.expect("a folder", (done.stdout, done.stderr, done.returncode),
                ("", "fate: open the folder no/folder: No such file or directory (ENOENT)\n", 1))
    done = test.run("web", "--listen=tcp:x")
    is_said = done.stderr.startswith('fate: listen on tcp:x: the port "x" is no number')
    test.expect("an endpoint", (done.stdout, is_said, done.returncode), ("", True, 1))
    done = test.run("web", "folder")
    test.expect("an argument", (done.stderr, done.returncode),
                ('fate: "folder" is one argument too many: write fate web\n', 126))
    done = test.run("web", "--log=jsno")
    test.expect("a log", (done.stderr, done.returncode),
                ('fate: --log: "jsno" is no FORMAT: did you mean json?\n', 126))


def all_interfaces_are_this_machine_too(test, _):
    with tempfile.TemporaryDirectory() as folder:
        process = test.start("web", "--path", folder, "--listen=tcp:0")
        line = process.stdout.readline()
        test.expect("where", re.sub(r":\d+/", ":PORT/", line),
                    f"Serving {folder} at http://localhost:PORT/; Ctrl-C ends it.\n")
        test.expect("a UNIX socket", end(process), ("", ""))
        process = test.start("web", "--path", folder, f"--listen=unix:{folder}/socket")
        test.expect("where", process.stdout.readline(),
                    f"Serving {folder} at unix:{folder}/socket; Ctrl-C ends it.\n")
        test.expect("a UNIX socket", end(process), ("", ""))


peer.run_cases([files_are_served_and_logged, the_command_fetches_from_itself, once_is_one_request,
                once_without_a_log_ends_too, what_has_begun_is_finished, what_cannot_be_served_is_said,
                all_interfaces_are_this_machine_too])
