#!/usr/bin/python3
"""Runs `fate get` against a web server of Python's: get.py --program FATE"""
import gzip
import json
import os
import pathlib
import select
import signal
import socket
import stat
import tempfile
import time

import peer

SUMMARY = "One after another they would have taken TIMES.\n"


def silent_port():
    """A socket on a port at which nobody listens."""
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    return silent


def lines_of(text, *sites):
    """Pages come in any order."""
    return sorted(peer.plain(text, *sites).splitlines(True))


def fetches_what_is_there_and_reports_what_is_not(test, site):
    silent = silent_port()
    refused = f"127.0.0.1:{silent.getsockname()[1]}"
    done = test.run("get", f"{site.url}/hello", f"{site.url}/large", f"{site.url}/missing",
                    f"{site.url}/redirect", f"{site.url}/cut", f"http://{refused}/", "a_bad_url")
    found = lines_of(done.stdout, site)
    cut = [line for line in found if "/cut" in line]
    test.expect("a cut page", [line.split("`")[0] for line in cut], ["Failed to download "])
    test.expect("report", [line for line in found if "/cut" not in line and "pages" not in line], sorted([
        "Successfully downloaded `SITE/hello`: 7 B in TIME.\n",
        "Successfully downloaded `SITE/large`: 292.9 KiB in TIME.\n",
        "Failed to download `SITE/missing`: 404 Not Found.\n",
        "Successfully downloaded `SITE/redirect`: 7 B in TIME.\n",
        f"Failed to download `http://{refused}/`: connect to tcp:{refused}: refused: nothing listens there "
        "(ECONNREFUSED).\n",
        "Failed to download `a_bad_url`: there is no scheme: write http:// or https:// in front.\n",
        SUMMARY]))
    test.expect("summary", [line for line in found if "pages" in line],
                ["3 of 7 pages, 292.9 KiB in TIME; 4 failed.\n"])
    test.expect("status and errors", (done.returncode, done.stderr), (4, ""))


def one_page_has_no_summary(test, site):
    done = test.run("get", f"{site.url}/hello")
    test.expect("one page", (peer.plain(done.stdout, site), done.stderr, done.returncode),
                ("Successfully downloaded `SITE/hello`: 7 B in TIME.\n", "", 0))


def the_status_is_the_number_that_failed(test, _):
    test.expect("two", test.run("get", "x", "y").returncode, 2)
    test.expect("many", test.run("get", *["x"] * 300).returncode, 125)


def wrong_command_lines_are_refused(test, site):
    for words, expected in (
            (("get",), "too few arguments: write fate get URL..."),
            (("gte", "x"), 'fate has no command "gte": did you mean get?'),
            (("get", "--retyr=2", "x"), "fate get has no option --retyr: did you mean --retry?"),
            (("get", "--at-once=0", "x"), '--at-once: "0" is no number from 1 to 10000'),
            (("get", "-O", "-o", "x", "y"),
             "--output and --remote-name: only one of them can name the files"),
            (("get", "-H", "x", site.url), '--header: "x" has no name: write NAME:VALUE')):
        done = test.run(*words)
        test.expect(words, (done.stdout, done.stderr, done.returncode), ("", f"fate: {expected}\n", 126))


def json_is_json(test, site):
    done = test.run("get", "--json", f"{site.url}/hello", "a_bad_url", f"{site.url}/missing")
    *pages, whole = map(json.loads, done.stdout.splitlines())
    by_url = {page.pop("url"): page for page in pages}
    seconds = [page.pop("seconds") for page in pages]
    test.expect("times", all(0 <= span < peer.SECONDS_MAX for span in seconds), True)
    test.expect("hello", by_url[f"{site.url}/hello"],
                {"ok": True, "status": 200, "bytes": 7, "tries": 1, "file": None, "error": None,
                 "error_class": None})
    test.expect("missing", by_url[f"{site.url}/missing"],
                {"ok": False, "status": 404, "bytes": 0, "tries": 1, "file": None, "error": "404 Not Found",
                 "error_class": "HttpStatus"})
    test.expect("no URL", by_url["a_bad_url"]["error_class"], "ValueError")
    test.expect("the sum of times", abs(whole["seconds_one_after_another"] - sum(seconds)) < 1e-5, True)
    test.expect("whole", {name: whole[name] for name in ("pages", "downloaded", "failed", "bytes")},
                {"pages": 3, "downloaded": 1, "failed": 2, "bytes": 7})
    test.expect("status", (done.returncode, done.stderr), (2, ""))


def pages_go_to_files(test, site):
    with tempfile.TemporaryDirectory() as folder:
        done = test.run("get", "-o", "a", "-o", "b", f"{site.url}/hello", f"{site.url}/large", cwd=folder)
        test.expect("files", peer.files_in(folder), {"a": b"Hello!\n", "b": b"x" * 300000})
        test.expect("where", "to a.\n" in done.stdout and "to b.\n" in done.stdout, True)
        os.remove(f"{folder}/a")
        os.chmod(f"{folder}/b", 0o600)
        test.run("get", "-O", f"{site.url}/hello", f"{site.url}/hello?x=/y", cwd=folder)
        test.run("get", "-o", "b", f"{site.url}/header", cwd=folder)
        test.expect("names", peer.files_in(folder),
                    {"hello": b"Hello!\n", "hello.1": b"Hello!\n", "b": b"none"})
        old = os.umask(0)
        os.umask(old)
        test.expect("mode", os.stat(f"{folder}/hello").st_mode & 0o777, 0o666 & ~old)


def files_have_the_bytes_that_were_sent(test, site):
    with tempfile.TemporaryDirectory() as folder:
        test.run("get", "-O", f"{site.url}/packed", cwd=folder)
        test.expect("the file", gzip.decompress(peer.files_in(folder)["packed"]), b"identi")


def what_fails_leaves_no_file(test, site):
    with tempfile.TemporaryDirectory() as folder:
        done = test.run("get", "-O", f"{site.url}/cut", f"{site.url}/missing", cwd=folder)
        test.expect("no files", (peer.files_in(folder), done.returncode), ({}, 2))
        done = test.run("get", "-o", "no/folder", f"{site.url}/hello", cwd=folder)
        test.expect("no folder", (peer.plain(done.stdout, site), done.returncode),
                    ("Failed to download `SITE/hello`: make a temporary file beside no/folder: No such file "
                     "or directory (ENOENT).\n", 1))
        done = test.run("get", "-o", ".", f"{site.url}/hello", cwd=folder)
        test.expect("a folder", (" in the place of ." in done.stdout, peer.files_in(folder)), (True, {}))


def devices_stay_what_they_are(test, site):
    done = test.run("get", "-o", "/dev/null", "-o", "/dev/null", f"{site.url}/hello", f"{site.url}/large")
    test.expect("null", (done.stdout.count("to /dev/null.\n"), done.stderr, done.returncode), (2, "", 0))
    test.expect("it is still there", stat.S_ISCHR(os.stat("/dev/null").st_mode), True)
    done = test.run("get", "-o", "/dev/full", f"{site.url}/hello")
    test.expect("full", (peer.plain(done.stdout, site), done.returncode),
                ("Failed to download `SITE/hello`: write to /dev/full: No space left on device (ENOSPC).\n",
                 1))
    done = test.run("get", "-o", "/dev/stdout", f"{site.url}/hello")
    test.expect("standard output", (done.stdout, peer.plain(done.stderr, site), done.returncode),
                ("Hello!\n", "Successfully downloaded `SITE/hello`: 7 B in TIME.\n", 0))
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(f"{folder}/pipe")
        done = test.run("get", "-o", "pipe", f"{site.url}/hello", cwd=folder)
        test.expect("a pipe without a reader", "write to pipe: No such device" in done.stdout, True)
        done = test.run_in_shell('exec 3<>pipe; "$@" >/dev/null; head -c 7 <&3', "get", "-o", "pipe",
                                 f"{site.url}/hello", cwd=folder)
        test.expect("a pipe", (done.stdout, done.stderr), ("Hello!\n", ""))


def a_link_leads_to_the_new_file(test, site):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/there")
        pathlib.Path(folder, "there", "file").write_text("old", encoding="utf-8")
        os.symlink("there/file", f"{folder}/link")
        test.run("get", "-o", "link", f"{site.url}/hello", cwd=folder)
        test.expect("the link", os.readlink(f"{folder}/link"), "there/file")
        test.expect("the file", peer.files_in(f"{folder}/there"), {"file": b"Hello!\n"})


def what_is_said_goes_to_no_page(test, site):
    """Closed standard descriptors are not those of files and connections."""
    with tempfile.TemporaryDirectory() as folder:
        done = test.run_in_shell('"$@" >&- 2>&-', "get", "-o", "a", f"{site.url}/large", "-o", "b",
                                 f"{site.url}/large", cwd=folder)
        test.expect("files", peer.files_in(folder), {"a": b"x" * 300000, "b": b"x" * 300000})
        test.expect("status", done.returncode, 1)
    done = test.run_in_shell('"$@" >&-', "get", f"{site.url}/hello")
    test.expect("why", done.stderr, "fate: cannot say how it went: Bad file descriptor\n")


def passwords_are_not_shown(test, site):
    url = site.url.replace("//", "//me:hush@")
    done = test.run("get", f"{url}/hello", f"{url}/missing")
    test.expect("text", ("hush" in done.stdout, done.stdout.count("`http://me:***@127.0.0.1:")), (False, 2))
    done = test.run("get", "--json", f"{url}/hello")
    test.expect("JSON", (json.loads(done.stdout.splitlines()[0])["url"], done.returncode),
                (f"{site.url}/hello".replace("//", "//me:***@"), 0))


def a_page_goes_to_standard_output(test, site):
    done = test.run("get", "-o", "-", f"{site.url}/hello")
    test.expect("the page", (done.stdout, peer.plain(done.stderr, site), done.returncode),
                ("Hello!\n", "Successfully downloaded `SITE/hello`: 7 B in TIME.\n", 0))


def what_cannot_be_said_is_said(test, site):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = peer.subprocess.run([test.program, "get", f"{site.url}/hello"], stdout=full, text=True,
                                   stderr=peer.subprocess.PIPE, check=False, timeout=peer.SECONDS_MAX)
    test.expect("full", (done.stderr, done.returncode),
                ("fate: cannot say how it went: No space left on device\n", 1))


def headers_are_sent(test, site):
    done = test.run("get", "-o", "-", "-H", "X-Test: a b", "-HX-Other:c", f"{site.url}/header")
    test.expect("header", done.stdout, "a b")


def busy_servers_are_asked_again(test, site):
    done = test.run("get", "--retry", "1", f"{site.url}/busy")
    test.expect("busy", (peer.plain(done.stdout, site), done.returncode),
                ("Successfully downloaded `SITE/busy`: 7 B in TIME, after 2 tries.\n", 0))
    done = test.run("get", f"{site.url}/busy")
    test.expect("without", (peer.plain(done.stdout, site), done.returncode),
                ("Failed to download `SITE/busy`: 503 Service Unavailable.\n", 1))
    site.n_busy = 0
    done = test.run("get", "--retry", "1", f"{site.url}/silent")
    test.expect("without an answer", (peer.plain(done.stdout, site), done.returncode),
                ("Successfully downloaded `SITE/silent`: 7 B in TIME, after 2 tries.\n", 0))
    done = test.run("get", "--retry", "9", f"{site.url}/missing", "a_bad_url", "http://nobody.invalid:x/")
    test.expect("what stays as it is", ("tries" in done.stdout, done.returncode), (False, 3))


def pages_get_no_more_than_their_time(test, site):
    done = test.run("get", "--max-time=300ms", f"{site.url}/half")
    test.expect("max-time", (peer.plain(done.stdout, site), done.returncode),
                ("Failed to download `SITE/half`: timed out after 0.3 s.\n", 1))


def limits_hold(test, site):
    urls = [f"{site.url}/counted?{i}" for i in range(6)]
    for words, n_max in ((("--per-host=2",), 2), (("--at-once=3",), 3), (("--at-once=1",), 1), ((), 6)):
        site.n_running_max = 0
        done = test.run("get", *words, *urls)
        test.expect(words, (site.n_running_max, done.returncode), (n_max, 0))


def descriptors_are_there_for_all_at_once(test, site):
    urls = [f"{site.url}/counted?{i}" for i in range(40)]
    done = test.run_in_shell('ulimit -Sn 16; "$@"', "get", "--per-host=40", "--at-once=40", *urls)
    test.expect("many at once", (done.stderr, done.returncode, site.n_running_max > 16), ("", 0, True))


def an_interrupt_ends_it(test, site):
    site.has_begun.clear()
    with tempfile.TemporaryDirectory() as folder:
        process = test.start("get", "-O", "--per-host=1", f"{site.url}/half", f"{site.url}/hello", cwd=folder)
        site.has_begun.wait(peer.SECONDS_MAX)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=peer.SECONDS_MAX)
        test.expect("files", peer.files_in(folder), {})
    lines = peer.plain(out, site).splitlines()
    test.expect("the page", lines[0], "Failed to download `SITE/half`: interrupted.")
    test.expect("summary", [line.split(", ")[0] + line[line.find(";"):] for line in lines[1:2]],
                ["0 of 2 pages; 1 failed; 1 not begun."])
    test.expect("errors and status", (err, process.returncode), ("", 130))


def an_interrupt_waits_for_no_reader(test, site):
    reader, writer = os.pipe()
    process = peer.subprocess.Popen([test.program, "get", "-o", "-", f"{site.url}/large"], stdout=writer,
                                    stderr=peer.subprocess.DEVNULL)
    deadline = time.monotonic() + peer.SECONDS_MAX
    while select.select([], [writer], [], 0)[1] and time.monotonic() < deadline:
        time.sleep(0.01)
    test.expect("room in the pipe", select.select([], [writer], [], 0)[1], [])
    process.send_signal(signal.SIGINT)
    test.expect("status", process.wait(peer.SECONDS_MAX), 130)
    os.close(reader)
    os.close(writer)


def a_terminal_that_goes_leaves_no_file(test, site):
    site.has_begun.clear()
    with tempfile.TemporaryDirectory() as folder:
        process = test.start("get", "-O", f"{site.url}/half", cwd=folder)
        site.has_begun.wait(peer.SECONDS_MAX)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=peer.SECONDS_MAX)
        test.expect("files and status", (peer.files_in(folder), process.returncode), ({}, 129))


def help_is_there(test, _):
    done = test.run("--version")
    test.expect("version", done.stdout.startswith("fate 0."), True)
    for words in (("--help",), ("help",), ("help", "get"), ("get", "--help"), ("help", "web")):
        done = test.run(*words)
        test.expect(words, (done.stdout[:11], done.stderr, done.returncode), ("usage: fate", "", 0))
    done = test.run("completion", "zsh")
    test.expect("zsh", (done.stdout, done.returncode), ("", 126))


peer.run_cases([fetches_what_is_there_and_reports_what_is_not, one_page_has_no_summary,
                the_status_is_the_number_that_failed, wrong_command_lines_are_refused, json_is_json,
                pages_go_to_files, files_have_the_bytes_that_were_sent, what_fails_leaves_no_file,
                devices_stay_what_they_are, a_link_leads_to_the_new_file, what_is_said_goes_to_no_page,
                passwords_are_not_shown, a_page_goes_to_standard_output, what_cannot_be_said_is_said,
                headers_are_sent, busy_servers_are_asked_again, pages_get_no_more_than_their_time,
                limits_hold, descriptors_are_there_for_all_at_once, an_interrupt_ends_it,
                an_interrupt_waits_for_no_reader, a_terminal_that_goes_leaves_no_file, help_is_there])
