#!/usr/bin/python3
"""A web server of Twisted's, for tests of the client: web_twisted.py PORT"""
import sys

from twisted.internet import reactor
from twisted.web import resource, server, util


class Text(resource.Resource):
    isLeaf = True

    def __init__(self, text):
        super().__init__()
        self.text = text

    def render_GET(self, request):
        return self.text


class Echo(resource.Resource):
    isLeaf = True

    def render_POST(self, request):
        return request.content.read()


root = resource.Resource()
root.putChild(b"hello", Text(b"hello\n"))
root.putChild(b"big", Text(b"0123456789" * 30000))
root.putChild(b"packed", resource.EncodingResourceWrapper(Text(b"hello\n"), [server.GzipEncoderFactory()]))
root.putChild(b"away", util.Redirect(b"/hello"))
root.putChild(b"echo", Echo())
reactor.listenTCP(int(sys.argv[1]), server.Site(root), interface="127.0.0.1")
reactor.run()
