"""What can be measured, built; and what cannot, and why."""
import sys

from driver import peers
from driver.build import BuildFailed, build, build_libfate


def say(text):
    print(text, file=sys.stderr, flush=True)


def chosen_peers(workload, names):
    return [peer for peer in peers.peers_of(workload) if not names or peer.name in names]


class Preparation:
    """What can be measured of one workload: {peer: the command that runs it}, and what cannot, and why."""

    def __init__(self, workload, chosen):
        self.workload, self.commands, self.left_out = workload, {}, []
        for peer in chosen:
            package = peers.missing_package(peer)
            if package:
                self.leave_out(peer, f"the Debian package {package} brings what it needs")
            else:
                self.compile(peer)

    def leave_out(self, peer, why, details=""):
        text = f"{peer.name} was left out: {why}"
        self.left_out.append(text)
        say(f"{self.workload}: {text}{details}")

    def compile(self, peer):
        try:
            self.commands[peer], warnings = build(peer)
        except BuildFailed as problem:
            self.leave_out(peer, "it does not compile", f"\n{problem}")
            return
        if warnings:
            say(warnings.rstrip())


def prepare(workloads, names, with_install=False):
    """{workload: Preparation}, of the peers that are named, all if names is empty."""
    chosen = {workload: chosen_peers(workload, names) for workload in workloads}
    if with_install:
        peers.install([peer for some in chosen.values() for peer in some])
    if any(peer.name == "fate" for some in chosen.values() for peer in some):
        say("building libfate")
        build_libfate()
    return {workload: Preparation(workload, some) for workload, some in chosen.items()}
