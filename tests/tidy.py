#!/usr/bin/python3
"""The tidy check: the part of STYLE.md that a machine can hold.

    tidy.py                                        # looks at the files of the repository
    tidy.py --shared libfate.so --static libfate.a # looks at what the libraries export
    tidy.py --self-test                            # proves that each rule can fail

It prints one line for each thing that is wrong, `path:line: what (rule)`, and fails if there is one.
"""
import argparse
import ast
import os
import pathlib
import re
import shutil
import subprocess
import sys

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800
COLUMNS_MAX = 110

# The layers of src/: a folder includes its own files and those of lower ranks.  See ARCHITECTURE.md.
LAYERS = {"base": 0, "value": 1, "deferred": 2, "reactor": 3, "coro": 4, "diagram": 5, "net": 5, "tls": 5,
          "dns": 5, "amp": 6, "http": 6, "xmlrpc": 6, "tool": 7}
# Libraries of their own beyond the core: of what is not theirs they include public headers only.
BEYOND_CORE = {"tls", "dns", "http", "xmlrpc", "tool"}
# But for those headers of base whose functions libfate exports for them, see src/base/shared.h.
SHARED_BASE = {"shared", "alloc", "escape", "list", "options", "slice", "stop", "suggest", "sys", "text",
               "utf8", "why"}
# The layer of each public header that is not named as its layer is.  X_cxx.h belongs to the layer of X.h.
PUBLIC_LAYERS = {"failure": "value", "combine": "deferred", "sync": "deferred", "log": "reactor",
                 "fuse": "reactor", "thread": "reactor", "process": "reactor", "report": "reactor",
                 "cooperate": "reactor", "stream": "reactor", "retry": "reactor",
                 "address": "net", "protocol": "net", "endpoint": "net", "resolve": "net", "datagram": "net",
                 "test": "net", "workers": "net",
                 "http_client": "http", "http_server": "http",
                 "fate": "tool"}

# Headers of the system whose folders are named as layers are.
SYSTEM_HEADERS = {"net/if.h"}

C_SUFFIXES = {".c", ".h"}
CODE_SUFFIXES = {".c", ".h", ".S", ".cc", ".py", ".sh", ".cmake"}
CODE_NAMES = {"check", "quickstart", "run", "CMakeLists.txt"}
SKIPPED_FOLDERS = {".git", "build", "b", "__pycache__"}

# In two halves, so that this file does not break its own rules.
TODO_WORDS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.~)}*-])/(?:ro" r"ot|wo" r"rk|ho" r"me|Us" r"ers)/\w|\.\./sha" r"red\b")
REGISTRY_HOSTS = re.compile(r"\b(deb\.deb" r"ian\.org|pypi\.o" r"rg|registry\.np" r"mjs\.org"
                            r"|proxy\.gol" r"ang\.org|crat" r"es\.io)\b")


class Problem:
    """One thing that is wrong."""

    def __init__(self, path, line, text):
        self.path, self.line, self.text, self.rule = path, line, text, ""

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text} ({self.rule})"


class Tree:
    """The files of a repository, by their path in it."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.paths = sorted(path for path in self.tracked() or self.walked() if (self.root / path).is_file())

    def tracked(self):
        """What git tracks or would; None where there is no git."""
        if not shutil.which("git") or not (self.root / ".git").exists():
            return None
        done = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard", "-z"],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None
        return [pathlib.PurePath(name) for name in done.stdout.split("\0") if name]

    def walked(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
            for name in names:
                yield pathlib.PurePath(folder, name).relative_to(self.root)

    def lines(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace").split("\n")

    def c_files(self):
        return [path for path in self.paths if path.suffix in C_SUFFIXES]

    def code_files(self):
        return [path for path in self.paths if path.suffix in CODE_SUFFIXES or path.name in CODE_NAMES]

    def public_headers(self):
        return [path for path in self.c_files() if path.parts[:2] == ("include", "fate")]


# ---- Layers ----

def layer_of(path):
    """The layer of a file in src/ or include/fate/, None for other files, "" for what is in no layer."""
    if path.parts[0] == "tool":
        return "tool"
    if path.parts[0] == "src" and len(path.parts) > 2:
        return path.parts[1] if path.parts[1] in LAYERS else ""
    if path.parts[:2] == ("include", "fate") and len(path.parts) == 3:
        noun = path.stem.removesuffix("_cxx")
        layer = PUBLIC_LAYERS.get(noun, noun)
        return layer if layer in LAYERS else ""
    return None


def included_file(tree, path, name, is_quoted):
    """The file of the repository that an #include names, or None."""
    folders = [path.parent] if is_quoted else []
    for folder in folders + [pathlib.PurePath(name) for name in ("src", "include", ".")]:
        candidate = pathlib.PurePath(os.path.normpath(folder / name))
        if (tree.root / candidate).is_file():
            return candidate
    first = pathlib.PurePath(name).parts[0]
    is_ours = first in LAYERS and "/" in name and name not in SYSTEM_HEADERS
    return pathlib.PurePath("src", name) if is_ours else None


def include_problem(path, included):
    layer, below = layer_of(path), layer_of(included)
    if below is None or layer == below:
        return None
    if below == "":
        return f"{included} is in no layer: name it in tests/tidy.py"
    is_shared = below == "base" and included.stem in SHARED_BASE
    if layer in BEYOND_CORE and included.parts[0] != "include" and not is_shared:
        return f"{layer} is beyond the core and may include public headers only, not {included}"
    if LAYERS[below] >= LAYERS[layer]:
        return f"{layer} may not include {included}, which is of the layer {below}"
    return None


def check_layers(tree):
    for path in tree.c_files():
        layer = layer_of(path)
        if layer is None:
            continue
        if layer == "":
            yield Problem(path, 1, f"{path} is in no layer: name it in tests/tidy.py")
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            included = match and included_file(tree, path, match[2], match[1] == '"')
            text = included and include_problem(path, included)
            if text:
                yield Problem(path, number, text)


# ---- Sizes ----

def c_functions(lines):
    """(name, first line, last line) of each function: its brace stands alone at the left margin."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            first = start
            while first > 1 and lines[first - 2].strip() and not lines[first - 2].startswith(("}", "#")) \
                    and not lines[first - 2].rstrip().endswith((";", "*/")):
                first -= 1
            named = re.search(r"(\w+)\)?\(", " ".join(lines[first - 1:start]))
            yield named[1] if named else "?", first, number
            start = None


def python_functions(lines):
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


def shell_functions(lines):
    start = name = None
    for number, line in enumerate(lines, 1):
        match = re.match(r"(\w+)\(\) *[{(]$", line)
        if match:
            name, start = match[1], number
        elif line in ("}", ")") and start:
            yield name, start, number
            start = None


def check_functions(tree):
    for path in tree.code_files():
        lines = tree.lines(path)
        if path.suffix in (".c", ".h", ".cc"):
            functions = c_functions(lines)
        elif path.suffix == ".py":
            functions = python_functions(lines)
        else:
            functions = shell_functions(lines)
        for name, first, last in functions:
            if last - first + 1 > FUNCTION_LINES_MAX:
                yield Problem(path, first, f"{name} has {last - first + 1} lines; "
                                           f"{FUNCTION_LINES_MAX} is the most")


def check_file_lengths(tree):
    for path in tree.code_files():
        n = len(tree.lines(path)) - 1
        if n > FILE_LINES_MAX:
            yield Problem(path, n, f"the file has {n} lines; {FILE_LINES_MAX} is the most")


def check_columns(tree):
    for path in tree.code_files():
        for number, line in enumerate(tree.lines(path), 1):
            columns = len(line.expandtabs(8))
            if columns > COLUMNS_MAX:
                yield Problem(path, number, f"{columns} columns; {COLUMNS_MAX} is the most")


# ---- Words and paths ----

def lines_matching(tree, paths, pattern, text):
    for path in paths:
        for number, line in enumerate(tree.lines(path), 1):
            match = pattern.search(line)
            if match:
                yield Problem(path, number, text.format(match[0]))


def check_todo(tree):
    return lines_matching(tree, tree.code_files(), TODO_WORDS, "{}: make it an issue, not a comment")


def check_machine_paths(tree):
    return lines_matching(tree, tree.paths, MACHINE_PATHS, "{} is a path of one machine")


def check_registries(tree):
    return lines_matching(tree, tree.paths, REGISTRY_HOSTS, "{} is the host of a package registry")


# ---- Public headers ----

def declarations(lines):
    """(name, line, is documented) of each public function.

    It is documented by a comment above it, alone or with the declarations that follow each other without a
    blank line, or by one behind it.  A heading, /* ---- Making ---- */, is no documentation.
    """
    is_documented = in_comment = False
    for number, line in enumerate(lines, 1):
        if in_comment or line.startswith("/*"):
            in_comment = "*/" not in line
            is_documented = is_documented or not line.startswith("/* ----")
        elif not line.strip() or line.startswith(("#", "FATE_BEGIN", "FATE_END")):
            is_documented = False
        elif line.startswith("FATE_API") and " extern " not in line:
            end = number
            while ";" not in lines[end - 1] and end < len(lines):
                end += 1
            name = re.search(r"\b(fate_\w+)\(", " ".join(lines[number - 1:end]))
            if name:
                yield name[1], number, is_documented or "/*" in lines[end - 1]


def check_documented(tree):
    for path in tree.public_headers():
        found = list(declarations(tree.lines(path)))
        documented = {name for name, _, is_documented in found if is_documented}
        for name, number, _ in found:
            # f and f_with, the plain twins of macros, are what f_at is, without the call site.
            if not documented & {name, name + "_at", name.removesuffix("_with") + "_at"}:
                yield Problem(path, number, f"{name} has no comment that says what it does")


def header_compilers():
    """(command, is C++) of each compiler that is here."""
    c_flags = ["-std=c11", "-x", "c"]
    cxx_flags = ["-std=c++17", "-x", "c++"]
    for names, flags in ((["gcc"], c_flags), (["clang-14", "clang"], c_flags), (["g++"], cxx_flags),
                         (["clang++-14", "clang++"], cxx_flags)):
        program = next(filter(None, map(shutil.which, names)), None)
        if program:
            yield [program, *flags], flags is cxx_flags
        else:
            print(f"{names[0]} is missing: the public headers were not compiled with it")


def check_headers_alone(tree):
    compilers = list(header_compilers())
    for path in tree.public_headers():
        for command, is_cxx in compilers:
            if path.stem.endswith("_cxx") and not is_cxx:
                continue
            done = subprocess.run(
                [*command, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-Iinclude", "-"],
                cwd=tree.root, input=f"#include <{path.relative_to('include')}>\n", capture_output=True,
                text=True, check=False)
            if done.returncode != 0:
                name = " ".join([pathlib.Path(command[0]).name, *command[1:2]])
                yield Problem(path, 1, f"does not compile alone with {name}:\n{done.stderr.rstrip()}")


# ---- Format ----

def check_format(tree):
    program = shutil.which("clang-format-14")
    paths = [str(path) for path in tree.paths if path.suffix in (".c", ".h", ".cc")]
    if not program or not paths:
        print("the format was not checked:", "no files" if program else "clang-format-14 is missing")
        return
    done = subprocess.run([program, "--dry-run", "-Werror", "--style=file", *paths], cwd=tree.root,
                          capture_output=True, text=True, check=False)
    lines_by_path = {}
    for path, line in re.findall(r"^([^:\n]+):(\d+):\d+: error:", done.stderr, re.MULTILINE):
        lines_by_path.setdefault(path, []).append(line)
    for path, numbers in lines_by_path.items():
        yield Problem(path, numbers[0], f"not as clang-format-14 would write it, in {len(numbers)} places")
    if done.returncode != 0 and not lines_by_path:
        yield Problem(".clang-format", 1, done.stderr.strip())


# ---- What the libraries export ----

def symbols(library, *options):
    done = subprocess.run(["nm", "--defined-only", "--format=posix", *options, library],
                          capture_output=True, text=True, check=True)
    return sorted({line.split()[0] for line in done.stdout.splitlines() if len(line.split()) > 1})


def check_shared(library):
    exported = symbols(library, "-D")
    if not exported:
        yield Problem(library, 0, "exports nothing")
    for name in exported:
        if not re.match(r"fate_(?!_)|FATE_(?!_)|fate__\w+@@FATE_PRIVATE_", name):
            yield Problem(library, 0, f"exports {name}; what is public is fate_ or FATE_")
    dynamic = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        if not name.startswith(("libc.so", "ld-linux")):
            yield Problem(library, 0, f"needs {name}; the core links only libc")
    if re.search(r"\bSYMBOLIC\b", dynamic):
        yield Problem(library, 0, "was linked with -Bsymbolic, which gives error classes two addresses")


def check_static(library):
    for name in symbols(library, "--extern-only"):
        if not re.match(r"fate_|FATE_", name):
            yield Problem(library, 0, f"has the global symbol {name}; shared ones are fate_, fate__ or FATE_")


# ---- Running the rules ----

TREE_RULES = {
    "layers": check_layers, "function length": check_functions, "file length": check_file_lengths,
    "columns": check_columns, "unfinished": check_todo, "machine paths": check_machine_paths,
    "registries": check_registries, "documented": check_documented, "headers alone": check_headers_alone,
    "format": check_format,
}
LIBRARY_RULES = {"exports": check_shared, "static symbols": check_static}


def problems(rule, check, subject):
    found = list(check(subject))
    for problem in found:
        problem.rule = rule
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--shared", help="libfate.so")
    parser.add_argument("--static", help="libfate.a")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
        sys.dont_write_bytecode = True
        import tidy_self_test
        sys.exit(tidy_self_test.main())

    if args.shared or args.static:
        found = problems("exports", check_shared, args.shared) if args.shared else []
        found += problems("static symbols", check_static, args.static) if args.static else []
    else:
        tree = Tree(args.root)
        found = [problem for rule, check in TREE_RULES.items() for problem in problems(rule, check, tree)]
    for problem in found:
        print(problem)
    print(f"tidy: {len(found)} problems" if found else "tidy: nothing is wrong")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
