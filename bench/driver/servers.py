"""Workloads of servers: each server has a CPU of its own, and its load another."""
import functools
import os
import resource
import select
import signal
import socket
import subprocess
import tempfile

from driver import peers, rounds
from driver.build import build

READY_SECONDS = 60  # under valgrind an interpreter takes its time
END_SECONDS = 10
OTHER_DESCRIPTORS = 64


class ServerFailed(Exception):
    pass


def load_cpu(cpu):
    """Where the load runs: the next CPU that there is, if there is one, else that of the server."""
    return next((other for other in sorted(os.sched_getaffinity(0)) if other != cpu), cpu)


def tool(name):
    """load/NAME.c, compiled."""
    command, _ = build(peers.Peer(peers.BENCH / "load" / f"{name}.c", {}))
    return command


def raise_descriptor_limit():
    """For this process and the servers that it starts; how many there may be then."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A server that listens, until the with statement ends.

    It has a process group of its own, so that with a tool that runs it the server ends as well."""

    def __init__(self, command, cpu):
        self.port, self.errors = free_port(), tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*map(str, command), str(self.port)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.errors, start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))

    def __enter__(self):
        output = self.process.stdout
        if select.select([output], [], [], READY_SECONDS)[0] and output.readline() == b"ready\n":
            return self
        complaint = self.complaint()
        self.end()
        raise ServerFailed(f"did not begin to listen: {complaint}")

    def __exit__(self, *_):
        self.end()

    @property
    def pid(self):
        return self.process.pid

    def complaint(self):
        self.errors.seek(0)
        return self.errors.read().strip()[-300:]

    def end(self):
        os.killpg(self.pid, signal.SIGTERM)
        self.wake()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def wake(self):
        """Connects: valgrind keeps a signal back while the server waits in io_uring_enter."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            pass  # it has gone already


def load_command(server, cell, *rest):
    target = [f"--port={server.port}", f"--connections={cell['connections']}"]
    return [*tool("load"), *target, cell["load"], *rest]


class Cells:
    """What is measured of each server of a workload, as its workload.toml says."""

    def __init__(self, workload, cpu, seconds):
        self.description = peers.workload_description(workload)
        self.cpu, self.seconds, self.left_out = cpu, seconds, []
        n_descriptors = raise_descriptor_limit()
        self.cells = [cell for cell in self.description["cell"] if self.is_possible(cell, n_descriptors)]

    def is_possible(self, cell, n_descriptors):
        needed = cell["connections"] + OTHER_DESCRIPTORS
        if needed > n_descriptors:
            self.left_out.append(
                f"{cell['connections']:,} connections were left out: they need {needed} descriptors, and the "
                f"hard limit is {n_descriptors}; ulimit -Hn or nofile in /etc/security/limits.conf raises it")
        return needed <= n_descriptors

    def parts(self):
        """Functions each of which measures a server once, as rounds.run() does."""
        starts = [self.measure_starts] if "starts" in self.description else []
        return starts + [functools.partial(self.measure_cell, cell) for cell in self.cells]

    def measure_starts(self, command):
        return rounds.run([*tool("start"), self.description["starts"], *command], self.cpu)

    def measure_cell(self, cell, command):
        seconds, name = cell.get("seconds", self.seconds), cell.get("name")
        try:
            with Server(command, self.cpu) as server:
                load = load_command(server, cell, f"--seconds={seconds}", f"--server={server.pid}")
                found, problem = rounds.run(load, load_cpu(self.cpu))
        except ServerFailed as failure:
            return {}, str(failure)
        if problem:
            return {}, f"failed with {cell['connections']:,} connections, {cell['load']}: its load {problem}"
        return {f"{metric}@{name}" if name else metric: value for metric, value in found.items()}, ""


class Clients:
    """What is measured of each client of a workload: it has a CPU of its own, the server it asks another."""

    def __init__(self, workload, cpu):
        description = peers.workload_description(workload)
        self.server = [peers.PYTHON, peers.BENCH / description["server"]]
        self.cpu, self.count = cpu, description["count"]

    def measure(self, command):
        try:
            with Server(self.server, load_cpu(self.cpu)) as server:
                url = f"http://127.0.0.1:{server.port}/"
                return rounds.run([*command, url, str(self.count)], self.cpu)
        except ServerFailed as failure:
            return {}, str(failure)
