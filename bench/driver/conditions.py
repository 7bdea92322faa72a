"""On what the figures were taken."""
import datetime
import os
import pathlib
import platform
import re
import shlex
import sys

from driver.build import ROOT
from driver.peers import first_line

BUSY_LOAD = 1.0  # of what was running before; the programs are pinned to one processor


def cpu_model():
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    match = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return match[1].strip() if match else platform.machine()


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def distribution():
    return platform.freedesktop_os_release().get("PRETTY_NAME", "an unknown distribution")


def machine():
    return (f"{cpu_model()}, {os.cpu_count()} cores, {memory_gib():.0f} GiB; "
            f"{distribution()}, {platform.system()} {platform.release()}")


def libfate_version():
    """The commit, with a + if the sources have changed since."""
    commit = first_line("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    if not commit:
        return "libfate of this tree"
    changed = first_line("git", "-C", str(ROOT), "status", "--porcelain", "--", "src", "include")
    return f"libfate {commit}{'+' if changed else ''}"


def command_line():
    name = pathlib.Path(sys.argv[0]).resolve()
    shown = name.relative_to(ROOT) if name.is_relative_to(ROOT) else name
    return shlex.join([str(shown), *sys.argv[1:]])


def busy_warning(load):
    if load <= BUSY_LOAD:
        return ""
    return f"The machine was busy, with a load of {load:.1f}: these figures are not to be relied on."


def conditions(n_rounds, cpu, load_cpu):
    load = os.getloadavg()[0]
    return {"machine": machine(), "load": load, "cpu": cpu, "load_cpu": load_cpu, "rounds": n_rounds,
            "command": command_line(),
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}
