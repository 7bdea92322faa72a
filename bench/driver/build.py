"""Builds libfate as its users get it, and the programs, into build/bench."""
import functools
import os
import pathlib
import shutil
import subprocess

from driver.peers import BENCH, PYTHON, succeeds

ROOT = BENCH.parent
BUILD = ROOT / "build" / "bench"
LIBFATE = BUILD / "libfate.a"
LIBFATE_WEB = BUILD / "libfate-web.a"
OF_WEB = {"http", "httpclient"}  # workloads
LINKED_BY_WEB = ["-lz", "-lidn2"]  # where they are there
WARNINGS = ["-Wall", "-Wextra"]
FLAGS = {
    ".c": ["-O2", "-g", "-std=gnu11", *WARNINGS, "-pthread"],
    ".cpp": ["-O2", "-g", "-std=gnu++20", *WARNINGS, "-pthread"],
}


class BuildFailed(Exception):
    pass


def checked(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}".rstrip())
    return done.stderr


def build_libfate():
    """The Release build, static, without tests and examples."""
    generator = ["-G", "Ninja"] if shutil.which("ninja") and not (BUILD / "Makefile").exists() else []
    checked(["cmake", "-S", ROOT, "-B", BUILD, *generator, "-DCMAKE_BUILD_TYPE=Release",
             "-DFATE_TESTS=OFF", "-DFATE_EXAMPLES=OFF", "-DFATE_BENCH=OFF"])
    checked(["cmake", "--build", BUILD, "--target", "fate_static", "fate_web_static"])


@functools.cache
def web_libraries():
    program = "int main(void) { return 0; }\n"
    link = ["gcc", "-x", "c", "-o", "/dev/null", "-"]
    return [LIBFATE_WEB, LIBFATE, *(name for name in LINKED_BY_WEB if succeeds([*link, name], program))]


def compile_command(peer, program):
    if peer.source.suffix == ".go":
        return [peer.language.program, "build", "-o", program, peer.source]
    libraries = list(peer.needs.get("libraries", []))
    flags = FLAGS[peer.source.suffix] + peer.needs.get("flags", [])
    if peer.name == "fate":
        flags += ["-I", ROOT / "include"]
        libraries += web_libraries() if peer.workload in OF_WEB else [LIBFATE]
    return [peer.language.program, *flags, "-o", program, peer.source, *libraries]


def is_fresh(program, peer):
    """Whether the program is newer than all that it was made of."""
    if not program.exists():
        return False
    sources = [peer.source, BENCH / "peers.toml", pathlib.Path(__file__), *BENCH.glob("common/*.h"),
               *peer.source.parent.glob("*.h")]
    if peer.name == "fate":
        sources += [LIBFATE, LIBFATE_WEB, *ROOT.glob("include/fate/*.h")]
    return all(path.stat().st_mtime < program.stat().st_mtime for path in sources)


def build(peer):
    """The command that runs the peer, compiled before if need be, and the compiler's warnings."""
    if peer.source.suffix == ".js":
        return ["node", peer.source], ""
    if peer.source.suffix == ".py":
        return [PYTHON, "-I", peer.source], ""  # isolated, else twisted.py would be taken for twisted
    program = BUILD / "programs" / f"{peer.workload}-{peer.name}"
    if is_fresh(program, peer):
        return [program], ""
    program.parent.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, GO111MODULE="off") if peer.source.suffix == ".go" else None
    return [program], checked(compile_command(peer, program), env=environment)
