#!/usr/bin/python3
"""A web server of Python's own library, for tests of the client: web_python.py PORT"""
import gzip
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_packed(self, body):
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self.answer(200, gzip.compress(body), Content_Encoding="gzip")
        else:
            self.answer(200, body)

    def do_GET(self):
        if self.path == "/hello":
            self.answer(200, b"hello\n")
        elif self.path == "/big":
            self.answer(200, b"0123456789" * 30000)
        elif self.path == "/packed":
            self.answer_packed(b"hello\n")
        elif self.path == "/away":
            self.answer(302, b"", Location="/hello")
        else:
            self.answer(404, b"nothing\n")

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_POST(self):
        self.answer(200, self.body())

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
