#!/usr/bin/python3
"""Does a debugger see through a coroutine's stack?

    coro_gdb.py --program coro_backtrace [--gdb gdb]

Stops the program in a coroutine, several frames deep on its own stack, and looks at gdb's backtrace: it must
show the frames of the body, then those of whoever resumed it, down to main, and end there.  That is the
doing of the switch in assembly; with FATE_CORO=ucontext it would end with the body.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

# The frames in order; others of the library may lie between them.  In a release build fate_fire_at is none of
# them: it has ended with resume_fired.
WANTED = ["stop_here", "deeper", "deep", "inner_body", "resume_fired", "fire_it", "main"]
COMPLAINTS = ["corrupt stack", "inner to this frame", "Cannot access memory", "previous frame identical"]
SKIPPED = 77


def backtrace(gdb, program):
    """What gdb prints when the program stops."""
    command = [gdb, "-nx", "-q", "-batch", "-ex", "set confirm off", "-ex", "set debuginfod enabled off",
               "-ex", "break stop_here", "-ex", "run", "-ex", "bt", "-ex", "kill", program]
    env = {key: value for key, value in os.environ.items() if key != "FATE_CORO"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                          env=env, check=False)
    return done.stdout


def functions(text):
    """The functions of a backtrace's frames, innermost first."""
    frames = re.findall(r"^#\d+\s+(?:0x[0-9a-f]+ in )?([\w.]+) \(", text, re.M)
    return [re.sub(r"\..*", "", name) for name in frames]


def missing(frames):
    """The first wanted frame that does not come where it should; None: all do."""
    at = 0
    for name in WANTED:
        if name not in frames[at:]:
            return name
        at = frames.index(name, at) + 1
    return None


def problems(text):
    """What is wrong with the backtrace."""
    frames = functions(text)
    name = missing(frames)
    if name:
        yield f"there is no frame of {name} where it should be, in {frames}"
    elif frames[-1] != "main":
        yield f"it goes on behind main: {frames}"
    yield from (f"gdb says '{words}'" for words in COMPLAINTS if words in text)


def main():
    """0: all is well; 77: there is no gdb, or it may not trace."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--gdb", default=shutil.which("gdb"))
    options = parser.parse_args()
    if not options.gdb:
        print("left out: gdb is missing (Debian: gdb)")
        return SKIPPED
    text = backtrace(options.gdb, options.program)
    if "ptrace: Operation not permitted" in text or "Could not trace" in text:
        print("left out: gdb may not trace programs here")
        return SKIPPED
    found = list(problems(text))
    if found:
        print(text, *found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
