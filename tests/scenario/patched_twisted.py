"""Twisted as the traces ask for it: the errors of the language, the printed forms of values, and the patches
that put Twisted 22.4 right.  Section numbers are those of ../scenarios/LANGUAGE.md."""

import sys
from types import SimpleNamespace

import twisted.internet
from twisted.internet import defer, task
from twisted.internet import error as internet_error
from twisted.python.failure import Failure


# ---- Errors ----

class Error(Exception):
    """The base of all errors that a scenario can make."""


class LookupError_(Error):
    pass


class KeyError_(LookupError_):
    pass


class IndexError_(LookupError_):
    pass


class ValueError_(Error):
    pass


class UnicodeError_(ValueError_):
    pass


class OSError_(Error):
    pass


class ConnectError_(OSError_):
    pass


class RefusedError_(ConnectError_):
    pass


class FailureGroup(Exception):
    """What a race fails with when all its members did."""

    def __init__(self, failures):
        Exception.__init__(self, failures)
        self.failures = failures


ERRORS = {
    "Error": Error, "LookupError": LookupError_, "KeyError": KeyError_, "IndexError": IndexError_,
    "ValueError": ValueError_, "UnicodeError": UnicodeError_, "OSError": OSError_,
    "ConnectError": ConnectError_, "RefusedError": RefusedError_,
}
LIBRARY_ERRORS = {
    "CancelledError": (defer.CancelledError,),
    "TimeoutError": (defer.TimeoutError, internet_error.TimeoutError),
    "AlreadyCalledError": (defer.AlreadyCalledError,),
    "FirstError": (defer.FirstError,),
    "FailureGroup": (FailureGroup,),
}
NAME_OF_ERROR = {cls: name for name, cls in ERRORS.items()}
NAME_OF_ERROR.update({cls: name for name, classes in LIBRARY_ERRORS.items() for cls in classes})


INTERNAL_CANCEL = defer._InternalInlineCallbacksCancelledError


def classes_of(names):
    """The Python classes that the given type names stand for.  Twisted's own errors count as derived
    from Error."""
    found = []
    for name in names:
        if name in ERRORS:
            found.append(ERRORS[name])
        if name in LIBRARY_ERRORS or name == "Error":
            wanted = LIBRARY_ERRORS if name == "Error" else [name]
            found.extend(cls for each in wanted for cls in LIBRARY_ERRORS[each])
    return tuple(found)


def make_error(text):
    """The error that `TYPE:msg` stands for."""
    name, _, message = text.partition(":")
    return ERRORS[name](message)


# ---- Printing ----

class ListResult(list):
    """The result of a DeferredList: pairs (success, value)."""


class FirstCallback(SimpleNamespace):
    """The result of a DeferredList with fireOnOneCallback: value, index."""


class RaceResult(SimpleNamespace):
    """The result of a race: index, value."""


def text_of_error(value):
    name = NAME_OF_ERROR.get(type(value), type(value).__name__)  # an unknown one is left open
    if name in ERRORS:
        return f"{name}:{value}"
    if name == "FirstError":
        return f"FirstError(#{value.index} {text_of_error(value.subFailure.value)})"
    if name == "FailureGroup":
        return "FailureGroup(" + " ".join(text_of_error(f.value) for f in value.failures) + ")"
    return name


def text_of_pair(success, value):
    return f"({'ok' if success else 'err'} {text_of(value)})"


def text_of(value):
    """The printed form of a value (section 3 of the language)."""
    if value is None:
        return "none"
    if isinstance(value, Failure):
        return text_of_error(value.value)
    if isinstance(value, ListResult):
        return "[" + " ".join(text_of_pair(*pair) for pair in value) + "]"
    if isinstance(value, FirstCallback):
        return f"({text_of(value.value)} #{value.index})"
    if isinstance(value, RaceResult):
        return f"(#{value.index} {text_of(value.value)})"
    if isinstance(value, list):
        return "[" + " ".join(map(text_of, value)) + "]"
    if isinstance(value, int):
        return str(value)
    return value.name


def parse_value(token):
    return None if token == "none" else int(token)


def text_of_time(seconds):
    return "%g" % seconds


# ---- Twisted, put right ----

# The scenario that is being run; the patches below tell it what they see.
watched = SimpleNamespace(world=None)


class MarkedList(defer.DeferredList):
    """A DeferredList whose results say what shape they have."""

    def callback(self, result):
        if isinstance(result, list):
            marked = ListResult(result)
        else:
            marked = FirstCallback(value=result[0], index=result[1])
        defer.Deferred.callback(self, marked)


def patch_twisted():
    """Makes the installed Twisted behave as the traces ask, and report to the world.  Done once per
    process."""
    patch_deferred()
    patch_failure()
    defer.DeferredList = MarkedList
    twisted.internet.reactor = None  # LoopingCall asks for it and is given a clock afterwards

    def report(self):
        if self.failResult is not None and watched.world is not None:
            watched.world.report(text_of(self.failResult))

    defer.DebugInfo.__del__ = report


def patch_deferred():
    """A fired deferred forgets its canceller (R71), a chain's target does not point back, and a run that
    stops at a paused outer with levels left behind is noticed (R50)."""
    start = defer.Deferred._startRunCallbacks
    run_code = defer.Deferred._runCallbacks.__code__

    def forget_canceller_and_start(self, result):
        if not self.called:
            self._canceller = None
        start(self, result)

    def get_paused(self):
        count = self.__dict__.get("_n_paused", 0)
        if count:
            frame = sys._getframe(1)
            if frame.f_code is run_code:
                look_for_stranded(self, frame.f_locals)
        return count

    def set_paused(self, count):
        self.__dict__["_n_paused"] = count

    defer.Deferred._startRunCallbacks = forget_canceller_and_start
    defer.Deferred.paused = property(get_paused, set_paused)
    defer.Deferred._chainedTo = property(lambda self: None, lambda self, value: None)


def look_for_stranded(deferred, run):
    """The loop of _runCallbacks looks at `deferred`, which is paused; run: the loop's variables."""
    is_returning = run["current"] is deferred  # else it is only asked whether a returned one is paused
    if is_returning and any(d.callbacks for d in run["chain"][:-1]):
        watched.world.note_open("stranded")


def patch_failure():
    """Errors keep no frames, so that they keep no deferreds; and unexpected ones are noticed."""
    make = defer.Failure.__init__

    def make_without_frames(self, *args, **kwargs):
        make(self, *args, **kwargs)
        self.tb = None
        self.value.__traceback__ = self.value.__context__ = self.value.__cause__ = None
        if watched.world is not None:
            watched.world.look_at_error(self.value)

    Failure.__init__ = make_without_frames


class Race:
    """race, which the installed Twisted lacks (R114-R122).

    A race that was cancelled while a member could not finish has been fired; a member that then wins, or
    is the last to fail, fires it again and is left with that AlreadyCalledError.  So does the newer
    release."""

    def __init__(self, members):
        self.members = members
        self.failures = {}
        self.winner = None
        self.deferred = defer.Deferred(self.cancel_members)

    def listen(self):
        for index, member in enumerate(self.members):
            member.addCallbacks(self.succeeded, self.failed, callbackArgs=(index,), errbackArgs=(index,))
        return self.deferred

    def cancel_members(self, _):
        for member in self.members:
            member.cancel()

    def succeeded(self, value, index):
        if self.winner is None:
            self.winner = self.members[index]
            for member in self.members:
                if member is not self.winner:
                    member.cancel()
            self.deferred.callback(RaceResult(index=index, value=value))

    def failed(self, failure, index):
        self.failures[index] = failure
        if len(self.failures) == len(self.members):
            in_order = [self.failures[i] for i in range(len(self.members))]
            self.deferred.errback(Failure(FailureGroup(in_order)))


class Counted:
    """What both primitives add to Twisted's: they know how many of their tokens belong to run(), to notice
    when the scenario releases one of those (R130)."""

    n_in_runs = 0
    asked_by_run = False

    def acquire(self):
        d = super().acquire()
        d.is_run = self.asked_by_run
        if d.is_run and d.called:
            self.n_in_runs += 1
        return d

    def run(self, function):
        # acquire() is the first thing that run() does, so the function cannot see the mark.
        execute = self.make_execute(function)
        self.asked_by_run = True
        try:
            d = self.acquire()
        finally:
            self.asked_by_run = False
        return d.addCallback(execute)

    def make_execute(self, function):
        def execute(_):
            return defer.maybeDeferred(function).addBoth(self._releaseAndReturn)
        return execute

    def _releaseAndReturn(self, result):
        self.n_in_runs -= 1
        return super()._releaseAndReturn(result)

    def release(self):
        if self.waiting and self.waiting[0].is_run:
            self.n_in_runs += 1
        super().release()

    def release_by_user(self):
        """False when nothing is held."""
        n_held = self.n_held()
        if n_held == 0:
            return False
        if n_held <= self.n_in_runs:
            watched.world.note_open("over-release")
        self.release()
        return True


class Lock(Counted, defer.DeferredLock):
    def n_held(self):
        return int(self.locked)


class Semaphore(Counted, defer.DeferredSemaphore):
    def n_held(self):
        return self.limit - self.tokens


class Clock(task.Clock):
    """Twisted's test clock, which notices when the order of two calls is left open (R187)."""

    def _sortCalls(self):
        task.Clock._sortCalls(self)
        if not self.calls or self.calls[0].getTime() > self.seconds():
            return
        first = self.calls[0].getTime()
        due = [call for call in self.calls if call.getTime() == first]
        if len(due) > 1 and any(getattr(call, "moved", False) for call in due):
            watched.world.note_open("tie")


patch_twisted()
