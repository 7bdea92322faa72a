#!/usr/bin/python3
"""The server behind nginx, which keeps connections to it: site_nginx.py --program PATH [--memory]"""
import concurrent.futures
import http.client
import os
import pathlib
import socket
import subprocess
import tempfile

import served
from served import MIB, POEM, check

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    {temporary}
    client_max_body_size 0;
    upstream site {{ server 127.0.0.1:{site}; keepalive 16; }}
    server {{
        listen unix:{folder}/socket;
        location / {{
            proxy_pass http://site;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
        location /unbuffered/ {{
            proxy_pass http://site/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_request_buffering off;
        }}
        location /old/ {{ proxy_pass http://site/; }}
    }}
}}
"""


class Connection(http.client.HTTPConnection):
    """To nginx, over its UNIX socket: so no port need be found for it."""

    def __init__(self, folder):
        super().__init__("localhost", timeout=served.PATIENCE)
        self.path = os.path.join(folder, "socket")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None, **headers):
        self.request(method, path, body, headers={n.replace("_", "-"): v for n, v in headers.items()},
                     encode_chunked=headers.get("Transfer_Encoding") == "chunked")
        answer = self.getresponse()
        return answer.status, answer.read()


def accepts(folder):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(os.path.join(folder, "socket")) == 0


def start(site, folder):
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file = pathlib.Path(folder, "nginx.conf")
    file.write_text(CONFIGURATION.format(folder=folder, temporary=temporary, site=site.port))
    process = subprocess.Popen([served.find("nginx"), "-e", "stderr", "-c", str(file)],
                               stdout=subprocess.DEVNULL)
    served.until(lambda: accepts(folder) or process.poll() is not None, "nginx does not start")
    check(process.poll() is None, "nginx does not start")
    return process


def pages_come_through(folder):
    connection = Connection(folder)
    for way in ("", "/unbuffered", "/old"):
        for path, status, body in (("hello", 200, b"hello\n"), ("slow/10", 200, b"late\n"),
                                   ("nope", 404, None), ("fail", 500, None),
                                   ("sized/2000000", 200, served.pattern(2_000_000)),
                                   ("big/2000000", 200, served.pattern(2_000_000)),
                                   ("files/poem.txt", 200, POEM.encode()), ("files/empty", 200, b"")):
            found = connection.ask("GET", f"{way}/{path}")
            check(found[0] == status and body in (None, found[1]), f"{way}/{path}: {found[0]}")
        check(connection.ask("HEAD", f"{way}/hello") == (200, b""), f"HEAD {way}/hello")
        check(connection.ask("DELETE", f"{way}/hello")[0] == 405, f"DELETE {way}/hello")
        part = connection.ask("GET", f"{way}/files/poem.txt", Range="bytes=10-19")
        check(part == (206, POEM.encode()[10:20]), f"a part: {part}")
    connection.close()


def bodies_come_through(folder):
    connection = Connection(folder)
    body = served.pattern(3 * MIB)
    for way in ("", "/unbuffered", "/old"):
        for headers in ({}, {"Transfer_Encoding": "chunked"}):
            found = connection.ask("POST", f"{way}/take", iter([body[:MIB], body[MIB:]]) if headers else body,
                                   **headers)
            check(found == (200, b"3145728 bytes, right\n"), f"{way}/take: {found}")
            found = connection.ask("POST", f"{way}/echo", body, **headers)
            check(found == (200, body), f"{way}/echo: {found[0]}, {len(found[1])} bytes")
        few = body[:1000]
        check(connection.ask("POST", f"{way}/collect", few) == (200, few), f"{way}/collect")
        check(connection.ask("POST", f"{way}/refuse/403", few)[0] == 403, f"{way}/refuse")
        connection.close()  # nginx does so without a word, where it had not read the body before the answer
    check(connection.ask("POST", "/collect", body)[0] == 413, "too much")
    connection.close()


def ask_many(folder):
    connection = Connection(folder)
    found = [connection.ask("GET", "/hello") for _ in range(100)]
    connection.close()
    return found


def connections_to_the_site_are_kept(folder, site):
    """800 requests of 8 clients over few of them: closed ones would be seen, in TIME_WAIT."""
    before = count_closed(site)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found in pool.map(ask_many, 8 * [folder]):
            check(found == 100 * [(200, b"hello\n")], "the wrong answers")
    closed = count_closed(site) - before
    check(closed < 20, f"{closed} connections for 800 requests")


def count_closed(site):
    """Connections to the site's port that have been closed."""
    with open("/proc/net/tcp", encoding="ascii") as lines:
        columns = [line.split() for line in lines][1:]
    port, time_wait = f":{site.port:04X}", "06"
    return sum(time_wait == line[3] and (port in line[1] or port in line[2]) for line in columns)


def main():
    args = served.arguments()
    served.need("nginx")
    with served.Site(args) as site, tempfile.TemporaryDirectory() as folder:
        process = start(site, folder)
        try:
            served.run_cases([pages_come_through, bodies_come_through], folder)
            served.run_cases([connections_to_the_site_are_kept], folder, site)
        finally:
            process.kill()
            process.wait()
        site.check_end()


main()
