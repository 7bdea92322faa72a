"""Runs the programs in rounds and collects what they report."""
import os
import re
import subprocess
import sys
import time

RESULT = re.compile(r"^R\t([^\t]+)\t([^\t]+)\t(.*)$", re.MULTILINE)
TIMEOUT_SECONDS = 300


class Progress:
    """One line on a terminal that is rewritten; else a line for each round."""

    def __init__(self, n_steps):
        self.n_steps, self.n_done = n_steps, 0
        self.begun = time.monotonic()
        self.is_terminal = sys.stderr.isatty()
        self.last_round = None

    def show(self, workload, number, n_rounds, title):
        text = f"{workload}, round {number} of {n_rounds}"
        if self.is_terminal:
            done = self.n_done * 20 // self.n_steps
            bar = "#" * done + "." * (20 - done)
            sys.stderr.write(f"\r\033[K[{bar}] {text}: {title}{self.left()}")
        elif text != self.last_round:
            self.last_round = text
            print(text, file=sys.stderr)
        sys.stderr.flush()

    def left(self):
        if not self.n_done:
            return ""
        seconds = (time.monotonic() - self.begun) / self.n_done * (self.n_steps - self.n_done)
        return f" (about {seconds // 60:.0f}:{seconds % 60:02.0f} left)"

    def step(self):
        self.n_done += 1

    def say(self, text):
        print("\r\033[K" + text if self.is_terminal else text, file=sys.stderr, flush=True)

    def end(self):
        if self.is_terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def run(command, cpu):
    """What one program reports, {metric: (value, unit)}, and what went wrong, if anything.

    It is pinned to cpu, unless that is None."""
    pin = None if cpu is None else lambda: os.sched_setaffinity(0, {cpu})
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False,
                              timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL, preexec_fn=pin)
    except subprocess.TimeoutExpired:
        return {}, f"did not end within {TIMEOUT_SECONDS} seconds"
    if done.returncode != 0:
        return {}, f"ended with {done.returncode}: {done.stderr.strip()[-300:]}"
    found = {metric: (float(value), unit) for metric, value, unit in RESULT.findall(done.stdout)}
    return found, "" if found else "reported nothing"


def turn(commands, samples, number, n_rounds):
    """The peers that are left, in this round's order: each round begins with another one."""
    peers = [peer for peer in commands if peer.name in samples]
    start = number * max(1, len(peers) // n_rounds) % max(1, len(peers))
    return peers[start:] + peers[:start]


def add(results, samples):
    for metric, (value, unit) in results.items():
        samples.setdefault(metric, {"unit": unit, "values": []})["values"].append(value)


def measure(workload, commands, n_rounds, parts, progress):
    """{peer's name: {metric: {"unit": ..., "values": [...]}}}, of commands, {peer: command}; and
    what was left out.

    A part is a function that measures one command once, as run() does; most workloads have one.  The peers
    take turns within each part of a round, so that a slow minute of the machine falls on all of them.  A
    peer that fails is left out."""
    samples, left_out = {peer.name: {} for peer in commands}, []
    for number in range(n_rounds):
        for part in parts:
            for peer in turn(commands, samples, number, n_rounds):
                progress.show(workload, number + 1, n_rounds, peer.title)
                results, problem = part(commands[peer])
                progress.step()
                if problem:
                    left_out.append(f"{peer.name} was left out: it {problem}")
                    progress.say(f"{workload}: {left_out[-1]}")
                    del samples[peer.name]
                else:
                    add(results, samples[peer.name])
    return samples, left_out
