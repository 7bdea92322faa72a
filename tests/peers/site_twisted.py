#!/usr/bin/python3
"""The server, asked by Twisted's Agent: site_twisted.py --program PATH [--memory]"""
import importlib.util
import io
import sys

import served
from served import MIB, check

if not importlib.util.find_spec("twisted"):
    served.skip("there is no Twisted")

from twisted.internet import defer, protocol, reactor, task  # noqa: E402
from twisted.web import client, http_headers, iweb  # noqa: E402
from zope.interface import implementer  # noqa: E402

SOCKETS_MAX = 4


@implementer(iweb.IBodyProducer)
class Pieces:
    """A body whose length is not known: it goes in chunks."""

    length = iweb.UNKNOWN_LENGTH

    def __init__(self, body):
        self.body = body
        self.cooperation = None

    def startProducing(self, consumer):
        pieces = (self.body[at:at + 50_000] for at in range(0, len(self.body), 50_000))
        self.cooperation = task.cooperate(consumer.write(piece) for piece in pieces)
        return self.cooperation.whenDone()

    def pauseProducing(self):
        self.cooperation.pause()

    def resumeProducing(self):
        self.cooperation.resume()

    def stopProducing(self):
        self.cooperation.stop()


class Counted(client._HTTP11ClientFactory):  # pylint: disable=protected-access
    """Counts connections."""

    n = 0

    def buildProtocol(self, addr):
        Counted.n += 1
        return super().buildProtocol(addr)


class Asking:
    """An agent with a pool of connections."""

    def __init__(self, site):
        self.site = site
        self.pool = client.HTTPConnectionPool(reactor)
        self.pool.maxPersistentPerHost = SOCKETS_MAX
        self.pool._factory = Counted  # pylint: disable=protected-access
        self.agent = client.Agent(reactor, pool=self.pool)

    def begin(self, method, path, body=None):
        headers = http_headers.Headers({"User-Agent": ["twisted"]})
        return self.agent.request(method, f"{self.site.url}/{path}".encode(), headers, body)

    @defer.inlineCallbacks
    def ask(self, method, path, body=None, code=200):
        answer = yield self.begin(method, path, body)
        check(answer.code == code, f"{method} {path}: {answer.code}")
        page = yield client.readBody(answer)
        return page


@defer.inlineCallbacks
def pages_of_each_kind(asking):
    for path, page in (("hello", b"hello\n"), ("slow/10", b"late\n"), ("big/300000", served.pattern(300_000)),
                       ("sized/300000", served.pattern(300_000)), ("files/empty", b"")):
        found = yield asking.ask(b"GET", path)
        check(found == page, f"{path}: {len(found)} bytes")
    yield asking.ask(b"HEAD", "big/1000")
    yield asking.ask(b"DELETE", "hello", code=405)
    yield asking.ask(b"GET", "nope", code=404)
    yield asking.ask(b"GET", "fail", code=500)
    yield asking.ask(b"GET", "hello")
    check(Counted.n == 1, f"{Counted.n} connections")


@defer.inlineCallbacks
def bodies_go_up(asking):
    for size in (0, 1, 3 * MIB):
        body = served.pattern(size)
        for producer in (Pieces, client.FileBodyProducer):
            def make(of=producer):
                return of(body) if of is Pieces else of(io.BytesIO(body))
            found = yield asking.ask(b"POST", "echo", make())
            check(found == body, f"echo of {size} bytes: {len(found)}")
            found = yield asking.ask(b"POST", "take", make())
            check(found == f"{size} bytes, right\n".encode(), f"{size} bytes go up: {found}")
    check(Counted.n == 1, f"{Counted.n} connections")


@defer.inlineCallbacks
def many_at_once(asking):
    semaphore = defer.DeferredSemaphore(SOCKETS_MAX)
    pages = yield defer.gatherResults([semaphore.run(asking.ask, b"GET", "hello") for _ in range(200)])
    check(pages == 200 * [b"hello\n"], "the wrong pages")
    check(Counted.n <= SOCKETS_MAX, f"{Counted.n} connections")


class Reader(protocol.Protocol):
    """Reads some of a page and goes."""

    def __init__(self):
        self.n_bytes = 0
        self.done = defer.Deferred()

    def dataReceived(self, data):
        self.n_bytes += len(data)
        if self.n_bytes > 1_000_000:
            self.transport.abortConnection()

    def connectionLost(self, reason):
        self.done.callback(None)


@defer.inlineCallbacks
def some_go_in_the_middle(asking):
    answer = yield asking.begin(b"GET", "big/100000000000")
    reader = Reader()
    answer.deliverBody(reader)
    yield reader.done
    waiting = asking.begin(b"GET", "never")
    reactor.callLater(0.05, waiting.cancel)
    try:
        yield waiting
    except Exception as error:  # pylint: disable=broad-except
        check("Cancelled" in repr(error), f"cancelled: {error!r}")
    page = yield asking.ask(b"GET", "hello")
    check(page == b"hello\n", "and then")


@defer.inlineCallbacks
def run(site):
    asking = Asking(site)
    for case in (pages_of_each_kind, bodies_go_up, many_at_once, some_go_in_the_middle):
        yield case(asking)
        print(f"{case.__name__}: right", flush=True)
    yield asking.pool.closeCachedConnections()


def main():
    args = served.arguments()
    failures = []
    with served.Site(args) as site:
        done = run(site).addTimeout(served.PATIENCE, reactor).addErrback(failures.append)
        done.addBoth(lambda _: reactor.stop())
        reactor.run()
        for failure in failures:
            sys.exit(f"FAILED: {failure.getTraceback()}")
        site.check_end()


main()
