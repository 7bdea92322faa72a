"""Runs a server that has a file of settings, in its place, and says when it listens."""
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import time

READY_SECONDS = 30


def say_when_it_listens(port):
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
            continue
        print("ready", flush=True)
        return


def run(name, template):
    program = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        sys.exit(f"{name} is missing")
    port, folder = int(sys.argv[-1]), pathlib.Path(tempfile.mkdtemp(prefix="fate-bench-"))
    (folder / "www").mkdir()
    (folder / "www" / "index.txt").write_text("Hello, World!")
    settings = folder / f"{name}.conf"
    settings.write_text(template.read_text().replace("@PORT@", str(port)).replace("@TMP@", str(folder)))
    if os.fork() == 0:
        say_when_it_listens(port)
        os._exit(0)
    os.execv(program, [name, "-c", str(settings)])
