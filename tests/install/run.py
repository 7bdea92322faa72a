#!/usr/bin/python3
"""Installs a build to a folder of its own, and builds and runs a user's program against it.

    run.py --build DIR --cmake CMAKE --generator NAME --cc CC

The program is built with find_package(fate) and with pkg-config, after the installed tree has been moved.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def run(*command, **environment):
    done = subprocess.run([str(word) for word in command], env=dict(os.environ, **environment), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(word) for word in command)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def expect(printed, expected):
    if printed != f"{expected}\n":
        sys.exit(f"what is installed printed {printed!r}, not {expected!r}")


def install(cmake, build, scratch):
    shutil.rmtree(scratch, ignore_errors=True)
    run(cmake, "--install", build, "--prefix", scratch / "first")
    (scratch / "first").rename(scratch / "prefix")
    return scratch / "prefix"


def pc_folder(prefix):
    found = list(prefix.glob("lib*/**/libfate.pc"))
    if len(found) != 1:
        sys.exit(f"{len(found)} files libfate.pc were installed, not one")
    return found[0].parent


def use_find_package(args, scratch, prefix, version):
    build = scratch / "user"
    run(args.cmake, "-S", HERE, "-B", build, "-G", args.generator, f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_C_COMPILER={args.cc}")
    run(args.cmake, "--build", build)
    for kind in ("shared", "static"):
        expect(run(build / f"user-{kind}"), f"35 {version}")
        expect(run(build / f"user-web-{kind}"), f"no URL {version}")


def use_pkg_config(args, scratch, prefix, pc, version):
    for module, source, expected in (("libfate", "user.c", "35"), ("libfate-web", "user_web.c", "no URL")):
        flags = run("pkg-config", "--cflags", "--libs", module, PKG_CONFIG_PATH=pc).split()
        program = scratch / f"user-pkg-config-{module}"
        run(args.cc, "-o", program, HERE / source, *flags)
        expect(run(program, LD_LIBRARY_PATH=str(pc.parent)), f"{expected} {version}")


def use_command(prefix, version):
    """The command needs no library beside it; bash finds its completion."""
    expect(run(prefix / "bin" / "fate", "--version", LD_LIBRARY_PATH=""), f"fate {version}")
    completion = prefix / "share" / "bash-completion" / "completions" / "fate"
    run("bash", "-n", completion)
    if "--remote-name" not in completion.read_text():
        sys.exit(f"{completion} does not know the options of fate get")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--cc", required=True)
    args = parser.parse_args()

    scratch = args.build / "install-test"
    prefix = install(args.cmake, args.build, scratch)
    pc = pc_folder(prefix)
    version = next(line.split()[1] for line in (pc / "libfate.pc").read_text().splitlines()
                   if line.startswith("Version:"))
    use_find_package(args, scratch, prefix, version)
    use_command(prefix, version)
    if shutil.which("pkg-config"):
        use_pkg_config(args, scratch, prefix, pc, version)
    else:
        print("pkg-config is missing; libfate.pc was not tried")


main()
