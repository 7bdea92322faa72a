"""Which peers there are: a file WORKLOAD/NAME.EXT is a peer, peers.toml says what it needs."""
import os
import pathlib
import re
import shutil
import subprocess
import tomllib

BENCH = pathlib.Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"  # a distribution's packages serve only its own interpreter


class Language:
    def __init__(self, name, program, package):
        self.name, self.program, self.package = name, program, package


LANGUAGES = {
    ".c": Language("C", os.environ.get("CC", "gcc"), "gcc"),
    ".cpp": Language("C++", os.environ.get("CXX", "g++"), "g++"),
    ".js": Language("JavaScript", "node", "nodejs"),
    ".py": Language("Python", PYTHON, "python3"),
    ".go": Language("Go", "go", "golang-go"),
}
NEEDED_BY_LIBFATE = {"gcc": "gcc", "cmake": "cmake", "ninja": "ninja-build"}


class Peer:
    """One program of one workload."""

    def __init__(self, source, needs):
        self.source, self.needs = source, needs
        self.name, self.workload = source.stem, source.parent.name
        self.language = LANGUAGES[source.suffix]
        self.title, self.is_unlike = needs.get("title", self.name), needs.get("unlike", False)

    @property
    def is_floor(self):
        return self.name.startswith("floor")

    @property
    def is_compiled(self):
        return self.source.suffix in (".c", ".cpp", ".go")

    def rank(self):
        """Where its column is: the floor, libfate, C and C++, the others."""
        if self.is_floor:
            return 0, self.name
        if self.name == "fate":
            return 1, self.name
        return (2 if self.language.name in ("C", "C++") else 3), self.name


def workloads():
    """The folders that have a workload.toml."""
    return sorted(path.parent.name for path in BENCH.glob("*/workload.toml"))


def workload_description(workload):
    with open(BENCH / workload / "workload.toml", "rb") as file:
        return tomllib.load(file)


def is_pinned(workload):
    """Whether its programs run on one CPU; those of threads ask for cpus = "all" in workload.toml."""
    return {"one": True, "all": False}[workload_description(workload).get("cpus", "one")]


def is_of_servers(workload):
    """Whether its programs are servers, which are measured from outside."""
    return "servers" in workload_description(workload)


def is_of_clients(workload):
    """Whether its programs are clients, and ask a server of another workload."""
    return "server" in workload_description(workload)


def peers_of(workload):
    folder = workload_description(workload).get("servers", workload)
    with open(BENCH / "peers.toml", "rb") as file:
        needs = tomllib.load(file)
    sources = [path for path in (BENCH / folder).iterdir() if path.suffix in LANGUAGES]
    return sorted((Peer(path, needs.get(path.stem, {})) for path in sources), key=Peer.rank)


# ---- What is missing ----

def missing_package(peer):
    """The Debian package that would bring what the peer lacks; None if it has all."""
    if not shutil.which(peer.language.program):
        return peer.language.package
    if not has_libraries(peer) or not has_modules(peer) or not has_programs(peer):
        return peer.needs["package"]
    return None


def has_libraries(peer):
    headers, libraries = peer.needs.get("headers", []), peer.needs.get("libraries", [])
    if not headers and not libraries:
        return True
    text = "".join(f"#include <{header}>\n" for header in headers) + "int main(void) { return 0; }\n"
    language = "c++" if peer.source.suffix == ".cpp" else "c"
    return succeeds([peer.language.program, "-x", language, "-o", "/dev/null", "-", *libraries], text)


def has_modules(peer):
    modules = peer.needs.get("modules", [])
    return not modules or succeeds([PYTHON, "-I", "-c", "import " + ", ".join(modules)])


def has_programs(peer):
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    return all(shutil.which(program, path=path) for program in peer.needs.get("programs", []))


def succeeds(command, text=""):
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False).returncode == 0


def install(peers):
    """Installs with apt-get whatever libfate's build and these peers lack."""
    packages = {package for program, package in NEEDED_BY_LIBFATE.items() if not shutil.which(program)}
    packages |= {peer.language.package for peer in peers if not shutil.which(peer.language.program)}
    # has_libraries() needs the compiler, so a peer without its language is asked for all it may need.
    packages |= {peer.needs["package"] for peer in peers if "package" in peer.needs and missing_package(peer)}
    if packages:
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        subprocess.run([*sudo, "apt-get", "install", "-y", "--no-install-recommends", *sorted(packages)],
                       check=True)


# ---- Versions ----

def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip().split("\n")[0] if done.returncode == 0 else ""


def package_version(package):
    return first_line("dpkg-query", "--show", "--showformat=${Version}", package) \
        if shutil.which("dpkg-query") else ""


def language_version(language):
    if language.name == "Go":
        text = first_line("go", "version")
        return re.sub(r"^go version go(\S+).*", r"Go \1", text)
    text = first_line(language.program, "--version")
    return f"Node.js {text.removeprefix('v')}" if language.name == "JavaScript" else text


def versions(peers):
    """One string for each compiler, interpreter and library that these peers use."""
    languages = {peer.language.name: peer.language for peer in peers}
    found = [language_version(language) for language in languages.values()]
    packages = {peer.needs["package"]: peer.title for peer in peers if "package" in peer.needs}
    found += [f"{title} {package_version(package)} ({package})".replace("  ", " ")
              for package, title in packages.items()]
    return [text for text in found if text]
