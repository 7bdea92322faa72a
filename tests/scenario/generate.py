"""Random scenarios for differ.py.

A scenario is a list of lines.  Each has a theme, a set of weights, so that operations that have to do
with one another meet in it.  Numbers of names are chosen so that most waits are legal: those who wait
have low numbers, those who are waited for high ones (LANGUAGE.md, section 5).  The generator only
guesses what a name means when its line runs; guessing wrong gives an illegal use, which is tested as
well."""

import random

SECONDS = ["0", "0.25", "0.5", "1", "1", "1.5", "2", "3"]
ERROR_TYPES = ["Error", "LookupError", "KeyError", "IndexError", "ValueError", "UnicodeError", "OSError",
               "ConnectError", "RefusedError"]
TRAPPED_TYPES = ERROR_TYPES + ["CancelledError", "CancelledError", "TimeoutError", "AlreadyCalledError",
                               "FirstError", "FailureGroup"]
OUTER, MIDDLE, INNER = range(1, 10), range(10, 20), range(20, 30)

BASIC = {"new": 8, "succeed": 1, "fail": 1.5, "add": 14, "both": 5, "callback": 6, "errback": 3, "cancel": 4,
         "drop": 3, "show": 2}
THEMES = {
    "following": {"pause": 4, "unpause": 5, "maybe": 0.7, "add": 12},
    "pausing": {"pause": 9, "unpause": 9, "chain": 2, "drop": 4},
    "chains": {"chain": 9, "pause": 2, "unpause": 2},
    "timeouts": {"timeout": 8, "advance": 8, "pause": 1, "unpause": 1, "deferlater": 2},
    "lists": {"list": 7, "gather": 4, "race": 3, "cancel": 6, "chain": 1, "pause": 2, "unpause": 2},
    "races": {"race": 8, "list": 1, "cancel": 5, "pause": 1.5, "unpause": 1.5},
    "primitives": {"lock": 2, "sem": 1, "acquire": 6, "release": 6, "run": 6, "cancel": 5, "pause": 1,
                   "unpause": 1},
    "queues": {"queue": 3, "put": 8, "get": 8, "cancel": 4, "pause": 1, "unpause": 1},
    "clock": {"later": 10, "resetcall": 2, "delaycall": 2, "cancelcall": 2, "showcall": 2, "advance": 10,
              "deferlater": 5, "timeout": 2},
    "loops": {"loop": 5, "stoploop": 4, "resetloop": 2, "advance": 12, "later": 3, "cancel": 2},
    "everything": {"pause": 3, "unpause": 3, "maybe": 1, "chain": 2, "timeout": 3, "list": 3, "gather": 2,
                   "race": 1.5, "lock": 1, "sem": 0.5, "acquire": 2, "release": 2, "run": 3, "queue": 1,
                   "put": 2, "get": 2, "later": 3, "cancelcall": 0.5, "advance": 5,
                   "deferlater": 2, "loop": 1,
                   "stoploop": 1},
}
COROUTINE_THEMES = {
    "coroutines": {"inline": 12, "cancel": 8, "chain": 1},
    "coroutines and more": {"inline": 10, "pause": 2, "unpause": 2, "list": 2, "gather": 2, "race": 1,
                            "timeout": 3, "advance": 5, "lock": 1, "run": 2, "later": 2},
}


class Generator:
    def __init__(self, rng, with_coroutines):
        self.rng = rng
        themes = dict(THEMES)
        if with_coroutines:
            # Half of the scenarios are about coroutines then.
            themes = rng.choice([THEMES, COROUTINE_THEMES])
        self.weights = dict(BASIC)
        self.weights.update(themes[rng.choice(sorted(themes))])
        self.bound = {}  # number of a deferred that should be there -> is it fireable?
        self.fired = set()  # those that should have been fired
        self.paused = []
        self.focus = []  # numbers that an idiom is about
        self.made = {"l": [], "s": [], "q": [], "c": [], "t": []}
        self.n_labels = 0
        self.is_inside_later = False

    # ---- Names and values ----

    def chance(self, p):
        return self.rng.random() < p

    def label(self):
        self.n_labels += 1
        return f"h{self.n_labels}"

    def value(self):
        return self.rng.choice(["none", "0", "1", "5", "7", "-3"])

    def error(self):
        self.n_labels += 1
        return f"{self.rng.choice(ERROR_TYPES)}:e{self.n_labels}"

    def seconds(self):
        return self.rng.choice(SECONDS)

    def deferred(self, fireable=False, above=None):
        """The name of a deferred, for the most part one that is there, and still to be fired if it is to be
        fired; above: with a higher number than that."""
        near = [n for n in self.focus if above is None or n > above]
        if near and self.chance(0.7):
            return f"d{self.rng.choice(near)}"
        known = [n for n, is_fireable in self.bound.items() if is_fireable or not fireable]
        if fireable and self.chance(0.9):
            known = [n for n in known if n not in self.fired] or known
        if above is not None and self.chance(0.97):
            known = [n for n in known if n > above]
        if known and self.chance(0.97):
            # Those made last are the likeliest, so that operations meet.
            return f"d{self.rng.choice(known[-6:] if self.chance(0.6) else known)}"
        return f"d{self.rng.choice(list(OUTER) + list(INNER))}"

    def new_deferred(self, numbers, fireable=False):
        if self.bound and self.chance(0.02):
            return f"d{self.rng.choice(sorted(self.bound))}"
        free = [n for n in numbers if n not in self.bound]
        number = self.rng.choice(free or list(range(30, 60)))
        self.bound[number] = fireable
        return f"d{number}"

    def any_numbers(self):
        return self.rng.choice([OUTER, MIDDLE, INNER, INNER])

    def other(self, letters):
        known = [name for letter in letters for name in self.made[letter]]
        if known and self.chance(0.97):
            return self.rng.choice(known)
        return f"{letters[0]}9"

    def new_other(self, letter):
        name = f"{letter}{len(self.made[letter])}"
        if self.chance(0.98) or not self.made[letter]:
            self.made[letter].append(name)
            return name
        return self.made[letter][0]

    # ---- Actions ----

    def side_item(self):
        kind = self.rng.choices(
            ["fire", "cb", "eb", "cancel", "pause", "unpause", "drop", "add", "put", "release", "later"],
            [2, 3, 2, 4, 0.7, 2, 2, 3, 1 if self.made["q"] else 0, 2 if self.made["l"] else 0, 1])[0]
        if kind in ("fire", "cb", "eb"):
            name = self.deferred(fireable=True)
            rest = {"fire": "", "cb": ":" + self.value(), "eb": ":" + self.error()}[kind]
            return f"{kind}={name}{rest}"
        if kind == "add":
            return f"add={self.deferred()}:{self.label()}"
        if kind == "put":
            return f"put={self.other('q')}:{self.value()}"
        if kind == "release":
            return f"release={self.other('ls')}"
        if kind == "later":
            return f"later={self.seconds()}:{self.deferred(fireable=True)}:{self.value()}"
        return f"{kind}={self.deferred()}"

    def result_item(self, rank):
        kind = self.rng.choices(["", "pass", "val", "inc", "raise", "rfail", "ret", "trap"],
                                [1, 4, 3, 2, 3, 1, 8, 2])[0]
        if kind == "ret":
            return "ret=" + self.deferred(above=rank)
        if kind == "trap":
            types = self.rng.sample(TRAPPED_TYPES, self.rng.choice([1, 1, 2]))
            return f"trap={'/'.join(types)}:{self.value()}"
        return {"": "", "pass": "pass", "val": f"val={self.value()}",
                "inc": f"inc={self.rng.choice([1, 10])}", "raise": f"raise={self.error()}",
                "rfail": f"rfail={self.error()}"}[kind]

    def action(self, name):
        rank = int(name[1:])
        items = [self.side_item() for _ in range(self.rng.choices([0, 1, 2], [7, 3, 1])[0])]
        result = self.result_item(rank)
        if result:
            items.append(result)
        return "+".join(items) or "pass"

    # ---- Operations: each returns a line ----

    def make_new(self):
        cancellers = ["", " noop", f" cb={self.value()}", f" eb={self.error()}"]
        canceller = self.rng.choices(cancellers, [5, 2, 1, 1])[0]
        return "new " + self.new_deferred(self.any_numbers(), fireable=True) + canceller

    def make_succeed(self):
        return f"succeed {self.new_deferred(self.any_numbers(), fireable=True)} {self.value()}"

    def make_fail(self):
        return f"fail {self.new_deferred(self.any_numbers(), fireable=True)} {self.error()}"

    def make_maybe(self):
        name = self.new_deferred(MIDDLE, fireable=True)
        action = self.action(name)
        if action.startswith("ret="):
            self.bound.pop(int(name[1:]), None)
        return f"maybe {name} {action}"

    def make_add(self):
        name = self.deferred()
        sides = [self.action(name), self.action(name)]
        if self.chance(0.4):
            sides[self.rng.choice([0, 1, 1])] = "-"
        return f"add {name} {self.label()} {' '.join(sides)}"

    def make_both(self):
        name = self.deferred()
        return f"both {name} {self.label()} {self.action(name)}"

    def fired_deferred(self):
        name = self.deferred(fireable=True)
        self.fired.add(int(name[1:]))
        return name

    def make_callback(self):
        return f"callback {self.fired_deferred()} {self.value()}"

    def make_errback(self):
        return f"errback {self.fired_deferred()} {self.error()}"

    def make_drop(self):
        name = self.deferred()
        number = int(name[1:])
        self.bound.pop(number, None)
        self.fired.discard(number)
        self.paused = [n for n in self.paused if n != number]
        return "drop " + name

    def make_cancel(self):
        name = self.deferred()
        if self.chance(0.5):
            self.fired.add(int(name[1:]))
        return "cancel " + name

    def make_pause(self):
        name = self.deferred()
        self.paused.append(int(name[1:]))
        return "pause " + name

    def make_unpause(self):
        if not self.paused or self.chance(0.05):
            return "unpause " + self.deferred() if self.chance(0.2) else self.make_pause()
        return f"unpause d{self.paused.pop(self.rng.randrange(len(self.paused)))}"

    def make_chain(self):
        return f"chain {self.deferred()} {self.deferred(fireable=True)}"

    def make_timeout(self):
        name = self.deferred()
        return f"timeout {name} {self.seconds()}" + (f" {self.action(name)}" if self.chance(0.4) else "")

    def members(self, numbers):
        known = [n for n in self.bound if n >= numbers.stop] or list(self.bound) or [99]
        count = self.rng.choices([0, 1, 2, 3, 4], [0.3, 2, 5, 4, 1])[0]
        return "".join(f" d{self.rng.choice(known)}" for _ in range(count))

    def make_joined(self, word, flags):
        numbers = self.rng.choice([OUTER, OUTER, MIDDLE])
        members = self.members(numbers)
        return f"{word} {self.new_deferred(numbers)}{flags}{members}"

    def make_list(self):
        flags = "".join(flag for flag in "cex" if self.chance(0.35)) or "-"
        return self.make_joined("list", " " + flags)

    def make_gather(self):
        return self.make_joined("gather", self.rng.choice([" -", " x"]))

    def make_race(self):
        return self.make_joined("race", "")

    def make_lock(self):
        return "lock " + self.new_other("l")

    def make_sem(self):
        return f"sem {self.new_other('s')} {self.rng.choice([1, 2])}"

    def make_queue(self):
        return f"queue {self.new_other('q')} {self.rng.choice('012-')} {self.rng.choice('012-')}"

    def make_acquire(self):
        return f"acquire {self.other('ls')} {self.new_deferred(MIDDLE)}"

    def make_release(self):
        return "release " + self.other("ls")

    def make_run(self):
        primitive = self.other("ls")
        name = self.new_deferred(self.rng.choice([OUTER, MIDDLE]))
        return f"run {primitive} {name} {self.label()} {self.action(name)}"

    def make_put(self):
        return f"put {self.other('q')} {self.value()}"

    def make_get(self):
        return f"get {self.other('q')} {self.new_deferred(MIDDLE)}"

    def make_later(self):
        if self.is_inside_later:
            return self.make_show()
        self.is_inside_later = True
        operation = self.operation()
        self.is_inside_later = False
        if operation.startswith("advance"):
            operation = self.make_show()
        return f"later {self.new_other('c')} {self.seconds()} {operation}"

    def make_resetcall(self):
        return f"resetcall {self.other('c')} {self.seconds()}"

    def make_delaycall(self):
        return f"delaycall {self.other('c')} {self.rng.choice(SECONDS + ['-0.5', '-1', '-3'])}"

    def make_cancelcall(self):
        return f"cancelcall {self.other('c')}"

    def make_showcall(self):
        return f"showcall {self.other('c')}"

    def make_deferlater(self):
        name = self.new_deferred(self.rng.choice([OUTER, MIDDLE]))
        return f"deferlater {name} {self.seconds()} {self.label()} {self.action(name)}"

    def make_loop(self):
        loop, name = self.new_other("t"), self.new_deferred(OUTER)
        interval = self.rng.choice(["0.5", "1", "1.5", "2"])
        start = self.rng.choice(["now", "wait"]) + self.rng.choice(["", " count"])
        action = self.action(name)
        if self.chance(0.05):
            interval, action = "0", f"raise={self.error()}"
        return f"loop {loop} {name} {interval} {start} {self.label()} {action}"

    def make_stoploop(self):
        return "stoploop " + self.other("t")

    def make_resetloop(self):
        return "resetloop " + self.other("t")

    def make_advance(self):
        return f"advance {self.seconds()}"

    def make_show(self):
        return "show " + self.deferred()

    # ---- Coroutines ----

    def step(self, rank):
        kind = self.rng.choices(["await", "say", "raise", "do", "return"], [10, 2, 1, 2, 1])[0]
        if kind == "await":
            return "await " + self.deferred(above=rank)
        if kind == "do":
            return "do " + self.side_item()
        if kind == "return":
            return self.rng.choice(["return", "return last", f"return {self.value()}"])
        return {"say": f"say w{self.n_labels}", "raise": f"raise {self.error()}"}[kind]

    def steps(self, rank, most):
        return [self.step(rank) for _ in range(self.rng.randint(0, most))]

    def make_inline(self):
        number = self.rng.choice(self.rng.choice([OUTER, MIDDLE]))
        steps = self.steps(number, 3)
        if self.chance(0.5):
            caught = self.rng.choice(["CancelledError", "CancelledError", "Error", "ValueError"])
            steps += [f"try {caught}"] + self.steps(number, 2) + ["await " + self.deferred(above=number)]
            steps += ["except"] + self.steps(number, 2) + ["end"] + self.steps(number, 2)
        steps = steps or ["await " + self.deferred(above=number)]
        if self.chance(0.5):
            steps.append("return last")
        self.bound[number] = False
        return f"inline d{number} " + " ; ".join(steps)

    # ---- Idioms: lines that belong together, so that what is rare by chance comes about ----

    def new_focus(self, *ranges):
        """Names of new deferreds that the lines to come are about, and the lines that make them."""
        names = [self.new_deferred(numbers, fireable=True) for numbers in ranges]
        self.focus = [int(name[1:]) for name in names]
        return names, [f"new {name}" for name in names]

    def fire_it(self, name):
        return self.rng.choice([f"callback {name} {self.value()}"] * 3 + [f"errback {name} {self.error()}",
                                                                         f"cancel {name}"])

    def idiom_following(self):
        """Outers wait for an inner; levels before and behind them; then the inner is fired."""
        who_wait = self.rng.choice([[OUTER], [OUTER, OUTER], [MIDDLE, OUTER]])
        (inner, *outers), lines = self.new_focus(INNER, *who_wait)
        for outer in outers:
            awaited = self.rng.choice([inner, inner, outers[0] if outer != outers[0] else inner])
            lines += [f"both {outer} {self.label()} ret={awaited}"]
            lines += [self.make_add() for _ in range(self.rng.choice([0, 1, 2]))]
            lines += [f"callback {outer} 0"]
        for _ in range(self.rng.choice([0, 1, 2])):
            lines.append(f"both {inner} {self.label()} {self.action(inner)}")
        return lines + [self.fire_it(inner)]

    def idiom_run(self):
        """Runs of which the first is not done."""
        (awaited,), lines = self.new_focus(INNER)
        primitive = self.new_other("l")
        first, second = self.new_deferred(MIDDLE), self.new_deferred(OUTER)
        self.focus += [int(first[1:]), int(second[1:])]
        lines += [f"lock {primitive}", f"run {primitive} {first} {self.label()} ret={awaited}",
                  f"run {primitive} {second} {self.label()} {self.action(second)}",
                  self.make_add(), self.make_add()]
        lines += self.rng.choice([[], [f"cancel {first}"], [f"cancel {second}"]])
        return lines + [self.fire_it(awaited)]

    def idiom_loop(self):
        """A loop that waits for its function's deferred."""
        (awaited,), lines = self.new_focus(INNER)
        loop, name = self.new_other("t"), self.new_deferred(OUTER)
        self.focus.append(int(name[1:]))
        how = self.rng.choice(["now", "wait", "now count", "wait count"])
        lines += [f"loop {loop} {name} 1 {how} {self.label()} ret={awaited}", "advance 1.5", self.make_add()]
        lines += self.rng.choice([[], [f"stoploop {loop}"], [f"resetloop {loop}"], [f"cancel {name}"]])
        return lines + [self.make_add(), self.fire_it(awaited), "advance 2.25", f"stoploop {loop}"]

    def idiom_timeout(self):
        """A timeout on one that waits."""
        (inner, outer), lines = self.new_focus(INNER, self.rng.choice([OUTER, MIDDLE]))
        lines += [f"both {outer} {self.label()} ret={inner}", self.make_add(), self.make_timeout(),
                  self.make_timeout(), f"callback {outer} 0", self.make_add()]
        return lines + self.rng.choice([[], [f"pause {inner}"], [f"pause {outer}"]]) + [
            f"advance {self.seconds()}", self.fire_it(inner), "advance 3"]

    def idiom_lists(self):
        """A list of lists."""
        members, lines = self.new_focus(INNER, INNER, INNER)
        inner, outer = self.new_deferred(MIDDLE), self.new_deferred(OUTER)
        first, second = self.rng.choices(["list", "gather", "race"], k=2)
        flags = {"list": [" -", " c", " e", " x", " ex", " cx"], "gather": [" -", " x"], "race": [""]}
        lines.append(self.make_add())
        lines.append(f"{first} {inner}{self.rng.choice(flags[first])} {members[0]} {members[1]}")
        lines += [f"{second} {outer}{self.rng.choice(flags[second])} {inner} {members[2]}"]
        self.focus += [int(inner[1:]), int(outer[1:])]
        lines += [self.make_add(), self.make_add()]
        self.rng.shuffle(members)
        return lines + [self.fire_it(name) for name in members] + [f"cancel {outer}"]

    def idiom_coroutines(self):
        """One coroutine waits for another."""
        (awaited,), lines = self.new_focus(INNER)
        inner, outer = self.new_deferred(MIDDLE), self.new_deferred(OUTER)
        caught = self.rng.choice(["CancelledError", "Error", "ValueError"])
        tail = " ; ".join(self.steps(int(inner[1:]), 2) + ["return last"])
        lines += [f"inline {inner} try {caught} ; await {awaited} ; except ; say caught ; end ; {tail}",
                  f"inline {outer} say start ; await {inner} ; return last"]
        self.focus += [int(inner[1:]), int(outer[1:])]
        lines += [self.make_add() for _ in range(3)] + [f"cancel {self.rng.choice([inner, outer])}"]
        return lines + [self.fire_it(awaited)]

    def idiom(self):
        idioms = [self.idiom_following, self.idiom_following, self.idiom_run, self.idiom_loop,
                  self.idiom_timeout, self.idiom_lists]
        if "inline" in self.weights:
            idioms += [self.idiom_coroutines] * 4
        lines = self.rng.choice(idioms)()
        self.focus = []
        return lines

    def interleaved(self, some, others):
        """Both, each in its order."""
        lines = []
        while some and others:
            lines.append((some if self.chance(len(some) / (len(some) + len(others))) else others).pop(0))
        return lines + some + others

    # ---- Scenarios ----

    def operation(self):
        words = sorted(self.weights)
        word = self.rng.choices(words, [self.weights[word] for word in words])[0]
        return getattr(self, "make_" + word)()

    def begin(self):
        lines = []
        for _ in range(self.rng.randint(2, 5)):
            lines.append(self.make_new())
            lines += [self.make_add() for _ in range(self.rng.choice([0, 1, 1, 2, 3]))]
        for word in ("lock", "sem", "queue"):
            if word in self.weights:
                lines.append(getattr(self, "make_" + word)())
        return lines

    def finish(self):
        """Much comes to light only when what still waits is fired, looked at and dropped."""
        lines = []
        names = sorted(self.bound)
        self.rng.shuffle(names)
        for number in names:
            if self.bound[number] and self.chance(0.1 if number in self.fired else 0.6):
                lines.append(self.rng.choice([f"callback d{number} {self.value()}",
                                              f"errback d{number} {self.error()}"]))
            if self.chance(0.4):
                lines.append(f"show d{number}")
            if self.chance(0.4):
                lines.append(f"drop d{number}")
        if "advance" in self.weights:
            lines.insert(self.rng.randint(0, len(lines)), "advance 5")
        return lines

    def scenario(self):
        lines = self.begin()
        free = [self.operation() for _ in range(self.rng.choice([2, 6, 12, 18, 26]))]
        lines += self.interleaved(self.idiom(), free) if self.chance(0.6) else free
        return lines + self.finish()


def scenario_lines(seed, index, with_coroutines):
    """The scenario of that number under that seed."""
    return Generator(random.Random(f"{seed}/{index}"), with_coroutines).scenario()
