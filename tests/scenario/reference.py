#!/usr/bin/python3
"""The reference: runs a scenario with Twisted's own Deferreds and test clock and prints the exact trace.

usage: reference.py FILE...

The language is described in ../scenarios/LANGUAGE.md.  Exit status: 0; 3 when a scenario runs into
behaviour that is left open (section 9 there), with the reason on standard error.

It was written for Twisted 22.4, the one that Debian has.  What that release does otherwise than the
traces ask for (it keeps a fired deferred's canceller, a chain's target points back, a finished coroutine
keeps its deferred, errors keep their frames) is put right by the few patches in patched_twisted.py and by
`start_body`; `race`, which it lacks, is the class Race there.

Reports of unhandled errors must come at a fixed moment, so Python's collector is off and counting alone
frees.  At the end the collector is run once by hand: a report that only it brings about is the open
behaviour `cyclic`.  (Not after each operation: what hangs on an unreachable cycle would then be reported
or not depending on when the collector ran.)  Since handlers catch every error, open behaviour is noted
in the world and looked at after each operation."""

import gc
import sys

from twisted.internet import defer, task
from twisted.python.failure import Failure

from patched_twisted import (INTERNAL_CANCEL, NAME_OF_ERROR, Clock, Lock, MarkedList, Race, Semaphore,
                             classes_of, make_error, parse_value, text_of, text_of_error, text_of_time,
                             watched)

CALLS_MAX = 4000  # a scenario that calls more handlers than this is taken for an endless one


# ---- The world of one scenario ----

class Refused(Exception):
    """An illegal use: its text is the line to print."""


class Entry:
    """A name's deferred, which the name owns, and what the interpreter knows of it."""

    def __init__(self, d, rank, fireable=False, body=None):
        self.d = d
        self.rank = rank
        self.fireable = fireable
        self.n_pauses = 0
        self.body = body  # of a coroutine


class Handler:
    """What is called by a level.  It knows names, not objects."""

    def __init__(self, world, label, action, rank):
        self.world, self.label, self.action, self.rank = world, label, action, rank

    def __call__(self, value, *_):
        kind = "err" if isinstance(value, Failure) else "ok"
        self.world.print(f"call {self.label} {kind} {text_of(value)}")
        return self.world.act(self.action, value, self.rank)


class Function:
    """What run, deferlater, maybe and loop call."""

    def __init__(self, world, line, action, rank, is_level):
        self.world, self.line, self.action, self.rank, self.is_level = world, line, action, rank, is_level

    def __call__(self, count=None):
        if self.line:
            self.world.print(self.line if count is None else f"{self.line} count={count}")
        return self.world.act(self.action, None, self.rank, self.is_level)


def rank_of(name):
    return int(name[1:])


class World:
    def __init__(self):
        self.lines = []
        self.reports = []
        self.open_reason = None
        self.collecting = False
        self.n_calls = 0
        self.deferreds, self.primitives, self.calls, self.loops = {}, {}, {}, {}
        self.clock = Clock()

    # -- what is seen --

    def print(self, line):
        self.lines.append(line)

    def report(self, text):
        if self.collecting:
            self.note_open("cyclic")
        self.reports.append("unhandled " + text)

    def note_open(self, reason):
        self.open_reason = self.open_reason or reason

    def look_at_error(self, value):
        if isinstance(value, RecursionError):
            self.note_open("recursion")
        elif isinstance(value, AssertionError):
            self.note_open("over-release")
        elif type(value) not in NAME_OF_ERROR and type(value) is not INTERNAL_CANCEL:
            raise SystemExit(f"reference.py: {value!r}")

    # -- names --

    def deferred(self, name):
        if name not in self.deferreds:
            raise Refused(f"! no-such {name}")
        return self.deferreds[name]

    def primitive(self, name):
        if name not in self.primitives:
            raise Refused(f"! no-such {name}")
        return self.primitives[name]

    def must_be_new(self, name, table=None):
        if name in (self.deferreds if table is None else table):
            raise Refused(f"! exists {name}")

    def waited(self, name, rank):
        """The deferred of that name, for one of that rank to wait for."""
        entry = self.deferred(name)
        if entry.rank <= rank:
            raise Refused(f"! order {name}")
        return entry.d

    def bind(self, name, d, **known):
        self.deferreds[name] = Entry(d, rank_of(name), **known)

    # -- actions --

    def act(self, action, value, rank, is_level=True):
        """Does an action with value as its input; returns, or raises, its outcome."""
        self.n_calls += 1
        if self.n_calls > CALLS_MAX:
            self.note_open("endless")
            raise make_error("Error:endless")
        for item in action.split("+"):
            word, _, rest = item.partition("=")
            if word in RESULT_ITEMS:
                return RESULT_ITEMS[word](self, rest, value, rank, is_level)
            self.side(word, rest, value)
        return value

    def side(self, word, rest, value):
        try:
            SIDE_ITEMS[word](self, rest, value)
        except Refused as refused:
            self.print(str(refused))

    def item_ret(self, name, value, rank, is_level):
        try:
            d = self.waited(name, rank)
        except Refused as refused:
            self.print(str(refused))
            return value
        if is_level and d._runningCallbacks:
            self.note_open("ret-running")
        return d

    def item_trap(self, rest, value, rank, is_level):
        names, _, result = rest.partition(":")
        if not isinstance(value, Failure):
            return value
        value.trap(*classes_of(names.split("/")))
        self.print("trapped")
        return parse_value(result)

    def item_raise(self, rest, value, rank, is_level):
        raise make_error(rest)

    # -- firing --

    def fire(self, name, value):
        entry = self.deferred(name)
        if not entry.fireable:
            raise Refused(f"! not-fireable {name}")
        try:
            entry.d.callback(value)
        except defer.AlreadyCalledError:
            self.print(f"! already-called {name}")

    def fail(self, name, text):
        self.fire(name, Failure(make_error(text)))

    # -- operations --

    def op_new(self, name, canceller="none"):
        self.must_be_new(name)
        self.bind(name, defer.Deferred(self.make_canceller(name, canceller)), fireable=True)

    def make_canceller(self, name, kind):
        if kind == "none":
            return None

        def cancel(d):
            self.print(f"canceller {name}")
            word, _, rest = kind.partition("=")
            if word == "cb":
                d.callback(parse_value(rest))
            elif word == "eb":
                d.errback(Failure(make_error(rest)))
        return cancel

    def op_succeed(self, name, value):
        self.must_be_new(name)
        self.bind(name, defer.succeed(parse_value(value)), fireable=True)

    def op_fail(self, name, text):
        self.must_be_new(name)
        self.bind(name, defer.fail(Failure(make_error(text))), fireable=True)

    def op_maybe(self, name, action):
        self.must_be_new(name)
        d = defer.maybeDeferred(Function(self, "", action, rank_of(name), False))
        for other, entry in self.deferreds.items():
            if entry.d is d:
                return self.print(f"same {other}")
        if name in self.deferreds:
            raise SystemExit("reference.py: maybe's name was bound meanwhile")
        self.bind(name, d, fireable=True)

    def op_add(self, name, label, on_value, on_failure):
        entry = self.deferred(name)
        handlers = [defer.passthru if action == "-" else Handler(self, label, action, entry.rank)
                    for action in (on_value, on_failure)]
        entry.d.addCallbacks(*handlers)

    def op_both(self, name, label, action):
        entry = self.deferred(name)
        entry.d.addBoth(Handler(self, label, action, entry.rank))

    def op_callback(self, name, value):
        self.fire(name, parse_value(value))

    def op_errback(self, name, text):
        self.fail(name, text)

    def op_pause(self, name):
        entry = self.deferred(name)
        if entry.d._runningCallbacks:
            self.note_open("pause-running")
        entry.n_pauses += 1
        entry.d.pause()

    def op_unpause(self, name):
        entry = self.deferred(name)
        if entry.n_pauses == 0:
            raise Refused(f"! not-paused {name}")
        entry.n_pauses -= 1
        entry.d.unpause()

    def op_cancel(self, name):
        self.deferred(name).d.cancel()

    def op_drop(self, name):
        self.deferred(name)
        del self.deferreds[name]

    def op_chain(self, name, target):
        source, target_entry = self.deferred(name), self.deferred(target)
        if not target_entry.fireable:
            raise Refused(f"! not-fireable {target}")
        source.d.chainDeferred(target_entry.d)

    def op_timeout(self, name, seconds, action=None):
        entry = self.deferred(name)
        translate = Handler(self, "timeout", action, entry.rank) if action else None
        entry.d.addTimeout(float(seconds), self.clock, translate)

    def members(self, name, members):
        self.must_be_new(name)
        for member in members:
            self.deferred(member)
        return [self.waited(member, rank_of(name)) for member in members]

    def op_list(self, name, flags, *members):
        d = MarkedList(self.members(name, members), fireOnOneCallback="c" in flags,
                       fireOnOneErrback="e" in flags, consumeErrors="x" in flags)
        self.bind(name, d)

    def op_gather(self, name, flags, *members):
        self.bind(name, defer.gatherResults(self.members(name, members), consumeErrors="x" in flags))

    def op_race(self, name, *members):
        self.bind(name, Race(self.members(name, members)).listen())

    def op_show(self, name):
        entry = self.deferred(name)
        self.print(f"state {name} {self.state(entry)}{' paused' if entry.n_pauses else ''}")

    def state(self, entry):
        d = entry.d
        if not d.called or (entry.body and not entry.body.is_finished):
            return "unfired"
        if isinstance(d.result, defer.Deferred):
            return "waiting"
        return ("failure " if isinstance(d.result, Failure) else "value ") + text_of(d.result)

    def make_primitive(self, name, primitive):
        self.must_be_new(name, self.primitives)
        primitive.name = name
        self.primitives[name] = primitive

    def op_lock(self, name):
        self.make_primitive(name, Lock())

    def op_sem(self, name, tokens):
        self.make_primitive(name, Semaphore(int(tokens)))

    def op_queue(self, name, size, backlog):
        limits = [None if limit == "-" else int(limit) for limit in (size, backlog)]
        self.make_primitive(name, defer.DeferredQueue(*limits))

    def op_acquire(self, name, new_name):
        primitive = self.primitive(name)
        self.must_be_new(new_name)
        self.bind(new_name, primitive.acquire())

    def op_release(self, name):
        if not self.primitive(name).release_by_user():
            raise Refused(f"! not-held {name}")

    def op_run(self, name, new_name, label, action):
        primitive = self.primitive(name)
        self.must_be_new(new_name)
        function = Function(self, f"run {label}", action, rank_of(new_name), True)
        self.bind(new_name, primitive.run(function))

    def op_put(self, name, value):
        try:
            self.primitive(name).put(parse_value(value))
        except defer.QueueOverflow:
            self.print(f"! overflow {name}")

    def op_get(self, name, new_name):
        primitive = self.primitive(name)
        self.must_be_new(new_name)
        try:
            self.bind(new_name, primitive.get())
        except defer.QueueUnderflow:
            self.print(f"! underflow {name}")

    # -- time --

    def op_later(self, name, seconds, *operation):
        self.must_be_new(name, self.calls)
        self.calls[name] = self.clock.callLater(float(seconds), self.run_later, name, operation)

    def run_later(self, name, operation):
        self.print(f"at {text_of_time(self.clock.seconds())} {name}")
        self.operate(operation)

    def call(self, name):
        if name not in self.calls:
            raise Refused(f"! no-such {name}")
        return self.calls[name]

    def pending_call(self, name):
        call = self.call(name)
        if call.cancelled:
            raise Refused(f"! call-cancelled {name}")
        if call.called:
            raise Refused(f"! call-called {name}")
        return call

    def op_resetcall(self, name, seconds):
        call = self.pending_call(name)
        call.moved = True
        call.reset(float(seconds))

    def op_delaycall(self, name, seconds):
        call = self.pending_call(name)
        call.moved = True
        call.delay(float(seconds))

    def op_cancelcall(self, name):
        self.pending_call(name).cancel()

    def op_showcall(self, name):
        call = self.call(name)
        state = "cancelled" if call.cancelled else "called" if call.called else (
            "active at=" + text_of_time(call.getTime()))
        self.print(f"delayed {name} {state}")

    def op_deferlater(self, name, seconds, label, action):
        self.must_be_new(name)
        function = Function(self, f"run {label}", action, rank_of(name), True)
        self.bind(name, task.deferLater(self.clock, float(seconds), function))

    def op_loop(self, name, new_name, interval, when, *rest):
        self.must_be_new(name, self.loops)
        self.must_be_new(new_name)
        label, action = rest[-2:]
        function = Function(self, f"tick {label}", action, rank_of(new_name), False)
        make = task.LoopingCall.withCount if rest[0] == "count" and len(rest) == 3 else task.LoopingCall
        loop = make(function)
        loop.name, loop.clock = name, self.clock
        self.loops[name] = loop
        self.bind(new_name, loop.start(float(interval), when == "now"))

    def running_loop(self, name):
        if name not in self.loops:
            raise Refused(f"! no-such {name}")
        if not self.loops[name].running:
            raise Refused(f"! not-running {name}")
        return self.loops[name]

    def op_stoploop(self, name):
        self.running_loop(name).stop()

    def op_resetloop(self, name):
        self.running_loop(name).reset()

    def op_advance(self, seconds):
        self.clock.advance(float(seconds))

    # -- coroutines --

    def op_inline(self, name, *tokens):
        self.must_be_new(name)
        body = Body(self, name, " ".join(tokens))
        self.bind(name, start_body(body), body=body)

    # -- running --

    def operate(self, tokens):
        """Does one operation, without echo."""
        try:
            getattr(self, "op_" + tokens[0])(*tokens[1:])
        except Refused as refused:
            self.print(str(refused))

    def finish_operation(self):
        self.lines.extend(sorted(self.reports, key=str.encode))
        self.reports.clear()

    def run(self, text):
        for line in text.splitlines():
            tokens = line.split()
            if not tokens or tokens[0].startswith("#"):
                continue
            self.print("> " + " ".join(tokens))
            self.operate(tokens)
            self.finish_operation()
            if self.open_reason:
                return
        self.end()

    def end(self):
        """Everything is dropped at once; nothing runs."""
        self.print("> end")
        self.forget()
        self.finish_operation()
        self.collecting = True
        gc.collect()

    def forget(self):
        self.clock.calls.clear()
        for table in (self.deferreds, self.primitives, self.calls, self.loops):
            table.clear()


RESULT_ITEMS = {
    "pass": lambda world, rest, value, rank, is_level: value,
    "val": lambda world, rest, value, rank, is_level: parse_value(rest),
    "inc": lambda world, rest, value, rank, is_level: (
        value + int(rest) if isinstance(value, int) else value),
    "raise": World.item_raise,
    "rfail": lambda world, rest, value, rank, is_level: Failure(make_error(rest)),
    "ret": World.item_ret,
    "trap": World.item_trap,
}


def side_add(world, rest, value):
    name, _, label = rest.partition(":")
    world.op_both(name, label, "pass")


def side_later(world, rest, value):
    seconds, name, result = rest.split(":")
    world.clock.callLater(float(seconds), world.run_later, "-", ("callback", name, result))


def side_pair(operation):
    """A side item `word=name:argument` that does the operation."""
    def do(world, rest, value):
        name, _, argument = rest.partition(":")
        operation(world, name, argument)
    return do


SIDE_ITEMS = {
    "fire": lambda world, rest, value: world.fire(rest, value),
    "cb": side_pair(World.op_callback),
    "eb": side_pair(World.op_errback),
    "put": side_pair(World.op_put),
    "add": side_add,
    "later": side_later,
    "cancel": lambda world, rest, value: world.op_cancel(rest),
    "pause": lambda world, rest, value: world.op_pause(rest),
    "unpause": lambda world, rest, value: world.op_unpause(rest),
    "drop": lambda world, rest, value: world.op_drop(rest),
    "release": lambda world, rest, value: world.op_release(rest),
}


# ---- Coroutines ----

class Body:
    """The steps of a coroutine."""

    def __init__(self, world, name, text):
        self.world, self.name, self.rank = world, name, rank_of(name)
        self.steps = [step.split() for step in text.split(";") if step.strip()]
        self.is_finished = False

    def print(self, what):
        self.world.print(f"co {self.name} {what}")

    def after(self, word, at):
        """The step behind the next `word`."""
        while self.steps[at][0] != word:
            at += 1
        return at + 1


def result_of(step, last):
    if len(step) == 1:
        return None
    return last if step[1] == "last" else parse_value(step[1])


def start_body(body):
    """inlineCallbacks, but for the function below, which in Twisted 22.4 is a closure that refers to
    itself, so that a finished coroutine would keep its deferred."""
    status = defer._CancellationStatus(None)
    status.deferred = d = defer.Deferred(lambda it: cancel_body(it, status))
    defer._inlineCallbacks(None, go_through(body), status)
    return d


def cancel_body(it, status):
    """The canceller of a coroutine's deferred: in front of its levels comes one that hands the cancel on
    and waits for what the body makes of it.  If it is paused, that comes late."""
    if it.paused:
        watched.world.note_open("cancel-paused-coroutine")
    levels, it.callbacks = it.callbacks, []
    it.addErrback(hand_cancel_on, status)
    it.callbacks.extend(levels)
    it.errback(INTERNAL_CANCEL())


def hand_cancel_on(failure, status):
    failure.trap(INTERNAL_CANCEL)
    status.deferred = defer.Deferred(lambda it: cancel_body(it, status))
    status.waitingOn.cancel()
    return status.deferred


def go_through(body):
    """The generator that inlineCallbacks drives."""
    world, last, at, catching = body.world, None, 0, ()
    while at < len(body.steps):
        step = body.steps[at]
        at += 1
        error = None
        if step[0] == "await":
            try:
                last = yield world.waited(step[1], body.rank)  # no variable may keep it
            except Refused as refused:
                world.print(str(refused))
            except Exception as raised:
                raised.__traceback__ = None
                error = raised
            else:
                body.print("got " + text_of(last))
        elif step[0] == "say":
            body.print("say " + step[1])
        elif step[0] == "raise":
            error = make_error(step[1])
        elif step[0] == "do":
            word, _, rest = step[1].partition("=")
            world.side(word, rest, last)
        elif step[0] == "try":
            catching = classes_of([step[1]])
        elif step[0] == "except":
            at, catching = body.after("end", at), ()
        elif step[0] == "return":
            body.is_finished = True
            return result_of(step, last)
        if error is None:
            continue
        body.print("exc " + text_of_error(error))
        if not isinstance(error, catching):
            body.is_finished = True
            raise error
        body.print("caught")
        at, catching = body.after("except", at), ()
    body.is_finished = True
    return None


# ---- Entrances ----

gc.disable()


def run_text(text):
    """(trace, None), or (the trace so far, the reason for which it is left open)."""
    watched.world = world = World()
    try:
        world.run(text)
    finally:
        # Nothing of this scenario may be left for the collector to find in the next one.
        watched.world = None
        world.forget()
        gc.collect()
    return "".join(line + "\n" for line in world.lines), world.open_reason


def prepare():
    """Once, before many runs: what is alive now is no more looked at by the collector, which makes it
    quick."""
    gc.collect()
    gc.freeze()


def main(paths):
    status = 0
    prepare()
    for path in paths:
        with open(path, encoding="utf-8") as file:
            trace, reason = run_text(file.read())
        if reason:
            print(f"{path}: left open: {reason}", file=sys.stderr)
            status = 3
        else:
            sys.stdout.write(trace)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
