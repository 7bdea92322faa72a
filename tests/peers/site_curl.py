#!/usr/bin/python3
"""The server, asked by curl: site_curl.py --program PATH [--memory]"""
import gzip
import json
import os
import pathlib
import subprocess
import tempfile

import served
from served import KIB, MIB, POEM, check

COLLECTED_MAX = 256 * KIB
TOO_SLOW = 28  # curl's exit status


class Answer:
    """What a run of curl has brought: all bodies, what they say of each transfer, and the exit status."""

    def __init__(self, done):
        self.status = done.returncode
        self.body = done.stdout
        lines = done.stderr.decode(errors="replace").splitlines()
        self.transfers = [json.loads(line) for line in lines if line.startswith('{"')]
        self.said = "\n".join(line for line in lines if not line.startswith('{"'))
        self.n_connects = sum(transfer["num_connects"] for transfer in self.transfers)

    @property
    def code(self):
        return self.transfers[-1]["response_code"]

    def header(self, name):
        """Of what -v has shown."""
        lines = [line[2:] for line in self.said.splitlines() if line.startswith("< ")]
        found = [line.partition(": ")[2] for line in lines if line.lower().startswith(f"{name.lower()}: ")]
        return found[-1] if found else None


def curl(*words, given=None):
    command = ["curl", "-sSq", "--noproxy", "*", "-w", "%{stderr}\n%{json}\n", *map(str, words)]
    return Answer(subprocess.run(command, input=given or b"", capture_output=True, check=False,
                                 timeout=served.PATIENCE))


def fetch(*words, code=200, **more):
    answer = curl("-v", *words, **more)
    check(answer.status == 0 and answer.code == code,
          f"curl {' '.join(map(str, words))}: exit status {answer.status}, not {code}\n{answer.said}")
    return answer


def check_body(answer, body, what):
    check(answer.body == body, f"{what}: {len(answer.body)} bytes, {answer.body[:200]!r}\n{answer.said}")


# ---- Pages ----

def pages_of_each_kind(site):
    answer = fetch(f"{site.url}/hello")
    check_body(answer, b"hello\n", "hello")
    check(answer.header("content-type") == "text/plain; charset=utf-8", answer.said)
    answer = fetch(f"{site.url}/json")
    check(answer.header("content-type") == "application/json", answer.said)
    check(json.loads(answer.body) == {"answer": 42, "quote": "\"\né"}, f"JSON: {answer.body}")
    answer = fetch(f"{site.url}/slow/20")
    check_body(answer, b"late\n", "slow")
    for size in (0, 1, 100_000, 3_000_000):
        check_body(fetch(f"{site.url}/big/{size}"), served.pattern(size), f"{size} bytes in chunks")
        check_body(fetch(f"{site.url}/sized/{size}"), served.pattern(size), f"{size} bytes")
    answer = fetch("-L", f"{site.url}/away")
    check(answer.transfers[-1]["num_redirects"] == 1 and answer.body == b"hello\n", answer.said)


def pages_that_say_no(site):
    fetch(f"{site.url}/nope", code=404)
    answer = fetch("-X", "DELETE", f"{site.url}/hello", code=405)
    check("GET" in answer.header("allow"), answer.said)
    answer = fetch(f"{site.url}/fail", code=500)
    check(b"as it was asked to" not in answer.body, f"the page of a failure tells why: {answer.body}")
    for path in ("/files/../../../../etc/passwd", "/files/%2e%2e/%2e%2e/etc/passwd", "/files/..%2f..%2fetc"):
        check(curl("--path-as-is", f"{site.url}{path}").code in (400, 404), path)


def heads_have_no_body(site):
    """What comes next over the same connection would not be understood if one had."""
    urls = [f"{site.url}/{path}" for path in ("hello", "big/100000", "sized/100000", "nope", "fail",
                                             "files/poem.txt", "hello")]
    answer = curl("-I", *urls)
    check([transfer["response_code"] for transfer in answer.transfers] == [200, 200, 200, 404, 500, 200, 200],
          answer.said)
    check(answer.status == 0 and answer.n_connects == 1, f"{answer.n_connects} connections")
    check(b"\r\nContent-Length: 100000\r\n" in answer.body, "no length of a page that has one")


def connections_are_kept(site):
    answer = fetch(f"{site.url}/hello?[1-40]", f"{site.url}/big/[1-20]", f"{site.url}/files/poem.txt")
    check(answer.n_connects == 1 and len(answer.transfers) == 61, f"{answer.n_connects} connections")
    answer = curl(f"{site.url}/hello", "--next", "-d", "x", f"{site.url}/echo", "--next", "-X", "DELETE",
                  f"{site.url}/hello", "--next", "-d", "y", f"{site.url}/refuse/403", "--next", "-I",
                  f"{site.url}/hello", "--next", f"{site.url}/fail", "--next", f"{site.url}/hello")
    check(answer.n_connects == 1, f"{answer.n_connects} connections\n{answer.said}")


def old_clients_are_answered(site):
    answer = fetch("--http1.0", f"{site.url}/hello", f"{site.url}/big/100000")
    check(answer.n_connects == 2 and answer.body == b"hello\n" + served.pattern(100_000), answer.said)
    check(answer.header("transfer-encoding") is None, "chunks for HTTP/1.0")
    answer = fetch("--http1.0", "-H", "Connection: keep-alive", f"{site.url}/hello", f"{site.url}/hello")
    check(answer.n_connects == 1, f"{answer.n_connects} connections of HTTP/1.0")


def offers_of_http2_are_declined(site):
    check_body(fetch("--http2", f"{site.url}/hello"), b"hello\n", "an offer")
    answer = curl("--http2-prior-knowledge", f"{site.url}/hello")
    check(answer.status != 0 and answer.body != b"hello\n", "HTTP/2 is no HTTP/1.1")


def many_are_answered_at_once(site):
    answer = curl("--parallel", "--parallel-immediate", "--parallel-max", 40, f"{site.url}/slow/50?[1-120]")
    check(answer.status == 0 and answer.body == 120 * b"late\n" and answer.n_connects <= 120, answer.said)


# ---- Bodies that go up ----

def bodies_go_up(site):
    many = served.pattern(3 * MIB)
    with tempfile.NamedTemporaryFile() as file:
        file.write(many)
        file.flush()
        binary = ("--data-binary", f"@{file.name}")
        for how in (binary, ("-H", "Transfer-Encoding: chunked", *binary), ("-X", "POST", "-T", file.name)):
            check_body(fetch(*how, f"{site.url}/take"), b"3145728 bytes, right\n", str(how))
            check_body(fetch(*how, f"{site.url}/echo"), many, str(how))
    stream = ("-X", "POST", "-T", "-")
    check_body(fetch(*stream, f"{site.url}/take", given=many), b"3145728 bytes, right\n", "a stream")
    check_body(fetch(*stream, f"{site.url}/echo", given=many), many, "a stream that comes back")
    check_body(fetch(*stream, f"{site.url}/take", given=b""), b"0 bytes, right\n", "an empty stream")
    few = many[:COLLECTED_MAX]
    check_body(fetch(*stream, f"{site.url}/collect", given=few), few, "all that may be collected")
    check_body(fetch("-d", "", f"{site.url}/collect"), b"", "nothing")


def too_much_is_refused(site):
    """Whatever else the client wants to send, it gets to know why."""
    many = served.pattern(8 * MIB)
    stream = ("-X", "POST", "-T", "-", "-H", "Expect:")
    post = ("--data-binary", "@-", "-H", "Expect:")
    for how in (stream, post):
        for path, code in (("collect", 413), ("refuse/403", 403), ("nope", 404), ("fail", 405)):
            answer = fetch(*how, f"{site.url}/{path}", code=code, given=many)
            check(str(code).encode() in answer.body, f"the page of {path}: {answer.body}")
    answer = fetch(*stream, f"{site.url}/collect", code=413, given=many[:COLLECTED_MAX + 1])
    check(b"262144" in answer.body, f"the limit is not told: {answer.body}")


def who_waits_is_told_to_go_on(site):
    many = served.pattern(2 * MIB)
    waits = ("-H", "Expect: 100-continue", "--expect100-timeout", "60", "--data-binary", "@-")
    answer = fetch(*waits, f"{site.url}/take", given=many)
    check("HTTP/1.1 100 Continue" in answer.said, answer.said)
    check_body(answer, b"2097152 bytes, right\n", "after 100 Continue")
    for path, code in (("collect", 413), ("refuse/403", 403), ("nope", 404)):
        answer = fetch(*waits, f"{site.url}/{path}", code=code, given=many)
        check("100 Continue" not in answer.said and answer.transfers[0]["size_upload"] == 0, answer.said)
        check(str(code).encode() in answer.body, f"the page of {path}: {answer.body}")
    fetch("-H", "Expect: a-miracle", f"{site.url}/hello", code=417)


# ---- Files ----

def parts_of_files(site):
    whole, url = POEM.encode(), f"{site.url}/files/poem.txt"
    n = len(whole)
    for what, part in (("0-99", whole[:100]), ("-100", whole[-100:]), ("500-", whole[500:]),
                       ("0-0", whole[:1]), (f"{n - 1}-{n + 5}", whole[-1:])):
        answer = fetch("-r", what, url, code=206)
        check_body(answer, part, what)
        check(answer.header("content-range").endswith(f"/{n}"), answer.said)
    answer = fetch("-r", f"{n}-", url, code=416)
    check(answer.header("content-range") == f"bytes */{n}", answer.said)
    answer = fetch("-r", "0-9,20-29", url, code=206)
    check(answer.header("content-type").startswith("multipart/byteranges"), answer.said)
    check(whole[:10] in answer.body and whole[20:30] in answer.body, answer.body)
    with tempfile.TemporaryDirectory() as folder:
        cut = pathlib.Path(folder, "cut")
        cut.write_bytes(served.pattern(MIB))
        fetch("-C", "-", "-o", cut, f"{site.url}/files/pattern", code=206)
        check(cut.read_bytes() == served.pattern(3 * MIB), "a download that goes on")


def files_that_have_not_changed(site):
    url = f"{site.url}/files/poem.txt"
    with tempfile.TemporaryDirectory() as folder:
        copy, etag = pathlib.Path(folder, "copy"), pathlib.Path(folder, "etag")
        answer = fetch("-R", "--etag-save", etag, "-o", copy, url)
        check(copy.read_text(encoding="utf-8") == POEM, "the copy")
        fetch("-z", copy, url, code=304)
        fetch("--etag-compare", etag, url, code=304)
        fetch("-z", "Mon, 01 Jan 2001 00:00:00 GMT", url)
        since = f"If-Modified-Since: {answer.header('last-modified')}"
        fetch("-H", since, url, code=304)
        fetch("-H", since, "-H", 'If-None-Match: "another"', url)
        fetch("-H", 'If-Match: "another"', url, code=412)
        fetch("-r", "0-9", "-H", f"If-Range: {answer.header('etag')}", url, code=206)
        fetch("-r", "0-9", "-H", 'If-Range: "another"', url)
        fetch("-d", "x", url, code=405)


def files_and_folders(site):
    check_body(fetch(f"{site.url}/files/empty"), b"", "an empty file")
    answer = fetch("-L", f"{site.url}/files/folder")
    check_body(answer, b"<p>the index\n", "an index")
    check(answer.transfers[-1]["num_redirects"] == 1, "a folder without its slash")
    check(b"poem.txt" in fetch(f"{site.url}/files/").body, "no listing")
    check_body(fetch(f"{site.url}/files/pattern"), served.pattern(3 * MIB), "a file")


def files_that_are_packed(site):
    plain = pathlib.Path(site.folder.name, "packed.txt")
    plain.write_text(POEM, encoding="utf-8")
    pathlib.Path(site.folder.name, "packed.txt.gz").write_bytes(gzip.compress(POEM.encode()))
    answer = fetch("--compressed", f"{site.url}/files/packed.txt")
    check_body(answer, POEM.encode(), "unpacked")
    check(answer.header("content-encoding") == "gzip", answer.said)
    check("accept-encoding" in (answer.header("vary") or "").lower(), answer.said)
    check(answer.transfers[0]["size_download"] < len(POEM) / 4, "it was not packed")
    answer = fetch(f"{site.url}/files/packed.txt")
    check_body(answer, POEM.encode(), "not packed")


# ---- Who goes, and who is slow ----

def who_goes_is_not_worked_for(site):
    answer = curl("--max-time", "0.1", "--limit-rate", "1M", "-o", os.devnull, f"{site.url}/big/100000000000")
    check(answer.status == TOO_SLOW, f"exit status {answer.status}")
    answer = curl("--max-time", "0.1", "--limit-rate", "1M", "--data-binary", "@-", f"{site.url}/take",
                  given=served.pattern(2 * MIB))
    check(answer.status == TOO_SLOW, f"exit status {answer.status}")
    site.check_descriptors()


def gives_up(site):
    """Did it before it was too late for the site to hear of it?"""
    answer = curl("--max-time", "0.1", f"{site.url}/never")
    check(answer.status == TOO_SLOW, f"exit status {answer.status}")
    counts = site.counts()
    return counts["waiting"] + counts["cancelled"]


def pages_do_not_take_for_ever(site):
    """Who goes without a word may still want to read, so it is the time of the page that ends this."""
    with served.Site(site.args, page_timeout=400) as impatient:
        served.until(lambda: gives_up(impatient), "no request arrives")
        fetch(f"{impatient.url}/never", code=503)
        impatient.until_counts(waiting=0)
        check(impatient.counts()["cancelled"] >= 2, "what a page waits for is not cancelled")
        impatient.check_descriptors()


def much_goes_down(site):
    """64 MiB in chunks, to one who reads as fast as it comes, and to one who does not."""
    answer = fetch(f"{site.url}/big/{64 * MIB}")
    check(served.is_pattern(answer.body) and len(answer.body) == 64 * MIB, f"{len(answer.body)} bytes")
    for path in ("big/67108864", "sized/67108864"):
        answer = curl("--limit-rate", "4M", "--max-time", "0.3", f"{site.url}/{path}")
        check(answer.status == TOO_SLOW and served.is_pattern(answer.body), f"exit status {answer.status}")
    slow = fetch("--limit-rate", "16M", f"{site.url}/files/pattern", f"{site.url}/sized/{4 * MIB}")
    check(slow.body[3 * MIB:] == served.pattern(4 * MIB), "what was read slowly")


def main():
    args = served.arguments()
    served.need("curl")
    with served.Site(args, body_bytes_max=COLLECTED_MAX) as site:
        served.run_cases([pages_of_each_kind, pages_that_say_no, heads_have_no_body, connections_are_kept,
                          old_clients_are_answered, offers_of_http2_are_declined, many_are_answered_at_once,
                          bodies_go_up, too_much_is_refused, who_waits_is_told_to_go_on, parts_of_files,
                          files_that_have_not_changed, files_and_folders, files_that_are_packed,
                          who_goes_is_not_worked_for, pages_do_not_take_for_ever, much_goes_down], site)
        site.check_end()


main()
