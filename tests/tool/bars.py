#!/usr/bin/python3
"""Runs `fate get` on a pseudo terminal and looks at the bars: bars.py --program FATE"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import peer

ROWS, COLUMNS = 24, 80


class Screen:
    """What a terminal shows, as far as the bars need it."""

    def __init__(self):
        self.rows, self.row, self.column = [""], 0, 0
        self.unknown = ""

    def put(self, character):
        line = self.rows[self.row].ljust(self.column)
        self.rows[self.row] = line[:self.column] + character + line[self.column + 1:]
        self.column += 1

    def go_down(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")

    def obey(self, count, command):
        if command == "A":
            self.row = max(0, self.row - int(count))
        elif command == "K":
            self.rows[self.row] = self.rows[self.row][:self.column]
        elif command == "J":
            del self.rows[self.row + 1:]
            self.rows[self.row] = self.rows[self.row][:self.column]
        else:
            self.unknown += command

    def take(self, text):
        for match in re.finditer(r"\033\[(\d*)([A-Za-z])|(\r)|(\n)|([^\033])", text):
            if match[2]:
                self.obey(match[1], match[2])
            elif match[3]:
                self.column = 0
            elif match[4]:
                self.go_down()
            else:
                self.put(match[5])

    def shown(self):
        return "".join(row.rstrip() + "\n" for row in self.rows).rstrip("\n") + "\n"


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, program, words, locale, columns=COLUMNS):
        self.screen, self.kept = Screen(), b""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
            os.environ.update(TERM="xterm", LC_ALL=locale)
            os.execv(program, [program, *words])

    def resize(self, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))

    def read(self):
        """Takes what comes; false at the end."""
        try:
            self.kept += os.read(self.fd, 65536)
        except OSError:
            return False
        text = self.kept.decode(errors="ignore")
        whole, _, rest = text.rpartition("\n")
        self.screen.take(whole + "\n" if whole else "")
        self.kept = rest.encode()
        return True

    def wait_for(self, pattern):
        """Reads until that can be seen; what can be seen then."""
        deadline = time.monotonic() + peer.SECONDS_MAX
        while time.monotonic() < deadline:
            if re.search(pattern, self.screen.shown()):
                break
            if select.select([self.fd], [], [], 1)[0] and not self.read():
                break
        return self.screen.shown()

    def end(self):
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def seen(text, site):
    """Without ports, and what depends on the time."""
    text = re.sub(r"~?[\d.:]*:\d+/", "HOST/", peer.plain(text, site))
    return re.sub(r"[ \d.]+ [KM]?i?B/s +[-\d]:[-\d]+", " RATE", text)


def bars_show_how_far_each_page_is(test, site):
    terminal = Terminal(test.program, ["get", f"{site.url}/half", "a_bad_url"], "C")
    shown = seen(terminal.wait_for(r"half .*50%(.|\n)*total.*50%"), site).splitlines()
    test.expect("a failure above the bars", shown[0],
                "Failed to download `a_bad_url`: there is no scheme: write http:// or https:// in front.")
    test.expect("bars", [re.sub(" +", " ", line) for line in shown[-2:]],
                ["HOST/half [#########.........] 50% 1000 B RATE",
                 "total, 1 of 2 [#########.........] 50% 1000 B RATE"])
    site.may_end.set()
    test.expect("status", terminal.end(), 1)
    test.expect("commands", terminal.screen.unknown, "")
    shown = seen(terminal.screen.shown(), site).splitlines()
    test.expect("what is left", shown[-3:],
                ["Successfully downloaded `SITE/half`: 1.9 KiB in TIME.",
                 "1 of 2 pages, 1.9 KiB in TIME; 1 failed.",
                 "One after another they would have taken TIMES."])


def bars_have_eighths_where_characters_are_utf_8(test, site):
    terminal = Terminal(test.program, ["get", f"{site.url}/half"], "C.UTF-8")
    shown = terminal.wait_for("50%")
    test.expect("a bar", "\u2595" + "\u2588" * 9 + " " * 9 + "\u258f  50%" in shown, True)
    test.expect("no total of one", "total" in shown, False)
    site.may_end.set()
    terminal.end()


def bars_follow_the_width(test, site):
    terminal = Terminal(test.program, ["get", f"{site.url}/half"], "C")
    terminal.wait_for("#  *50%|[.]]  50%")
    terminal.resize(120)
    shown = terminal.wait_for(r"\[#{24}\.{24}\]  50%")
    test.expect("a wider bar", "[" + "#" * 24 + "." * 24 + "]" in shown, True)
    site.may_end.set()
    terminal.end()


def an_interrupt_takes_the_bars_away(test, site):
    terminal = Terminal(test.program, ["get", f"{site.url}/half", f"{site.url}/hello"], "C")
    terminal.wait_for("50%")
    os.kill(terminal.pid, signal.SIGINT)
    test.expect("status", terminal.end(), 130)
    test.expect("no bars", "[" in terminal.screen.shown().replace("[K", ""), False)
    test.expect("the summary", "1 of 2 pages, " in terminal.screen.shown(), True)


def what_cannot_go_up_gets_lines(test, site):
    terminal = Terminal("/usr/bin/env", ["TERM=dumb", test.program, "get", f"{site.url}/hello"], "C")
    test.expect("status", terminal.end(), 0)
    test.expect("a line", peer.plain(terminal.screen.shown(), site),
                "Successfully downloaded `SITE/hello`: 7 B in TIME.\n")


peer.run_cases([bars_show_how_far_each_page_is, bars_have_eighths_where_characters_are_utf_8,
                bars_follow_the_width, an_interrupt_takes_the_bars_away, what_cannot_go_up_gets_lines])
