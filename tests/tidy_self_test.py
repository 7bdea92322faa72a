"""Proves that each rule of tidy.py can fail: plants bad files for each, and a tree where nothing is wrong."""
import pathlib
import subprocess
import tempfile

import tidy

GOOD_HEADER = """/* A header. */
#ifndef FATE_BASE_H
#define FATE_BASE_H

#define FATE_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* One. */
FATE_API int fate_one(void);
FATE_API int fate_two(void);

FATE_API int fate_three(void); /* three */

/* Says where. */
FATE_API int fate_four_at(int a, const char *site);

FATE_API int fate_four(int a);

#ifdef __cplusplus
}
#endif

#endif
"""
GOOD_SOURCE = """/* A source. */
#include <fate/base.h>

int fate_one(void)
{
    return 1;
}
"""
GOOD = {
    "include/fate/base.h": GOOD_HEADER, "src/base/one.c": GOOD_SOURCE,
    "src/value/two.c": "#include <base/one.h>\n#include <errno.h>\n",
    "src/base/one.h": "#include <fate/base.h>\n",
    "src/http/page.c": "#include <fate/base.h>\n\n#include <base/alloc.h>\n\n#include \"page.h\"\n",
    "src/http/page.h": "", "src/base/alloc.h": "",
    "README.md": "See /usr/bin/python3 and https://example.org/" + "work/x.\n",
}


def function_of(n_lines):
    return "static void long_one(void)\n{\n" + "    ;\n" * (n_lines - 3) + "}\n"


# For each rule, trees of which every one must be found wrong.
BAD = {
    "layers": [
        {"src/base/up.c": "#include <value/value.h>\n"},
        {"src/base/up.c": "#include \"../value/value.h\"\n", "src/value/value.h": ""},
        {"src/deferred/up.c": "#include <fate/coro.h>\n", "include/fate/coro.h": ""},
        {"include/fate/value.h": "#include <fate/log.h>\n", "include/fate/log.h": ""},
        {"src/dns/side.c": "#include <tls/tls.h>\n"},
        {"src/http/inside.c": "#include <base/slab.h>\n"},
        {"src/elsewhere/new.c": "\n"},
        {"include/fate/elsewhere.h": "\n"},
    ],
    "function length": [
        {"src/base/long.c": function_of(tidy.FUNCTION_LINES_MAX + 1)},
        {"src/base/long.h": "/* Two lines\n * high. */\n" + function_of(tidy.FUNCTION_LINES_MAX + 1)},
        {"tests/long.py": "def long_one():\n" + "    pass\n" * tidy.FUNCTION_LINES_MAX},
        {"check": "long_one() {\n" + "    true\n" * tidy.FUNCTION_LINES_MAX + "}\n"},
    ],
    "file length": [{"src/base/long.c": "\n" * (tidy.FILE_LINES_MAX + 1)}],
    "columns": [
        {"src/base/wide.c": "/*" + " " * (tidy.COLUMNS_MAX - 3) + "*/\n"}, {"check": "\t" * 14 + "\n"},
    ],
    "unfinished": [{"src/base/later.c": "/* TO" "DO: more */\n"}, {"tests/later.py": "# FIX" "ME\n"}],
    "machine paths": [
        {"docs/where.md": "It lies in /wo" "rk/main.\n"}, {"docs/where.md": "cd /ho" "me/me\n"},
        {"docs/where.md": "See ../sha" "red/DESIGN.md\n"},
        {"src/base/where.c": "#include \"/ro" "ot/a.h\"\n"},
    ],
    "registries": [{"README.md": "from deb.deb" "ian.org\n"}],
    "documented": [
        {"include/fate/value.h": "FATE_API int fate_bare(void);\n"},
        {"include/fate/value.h": "/* ---- Making ---- */\nFATE_API int fate_a(void);\n"},
        {"include/fate/value.h": "/* A. */\nFATE_API int fate_a(void);\n\nFATE_API int\nfate_b(int b);\n"},
        {"include/fate/value.h": "/* A name. */\n#define NAME 1\nFATE_API int fate_bare(void);\n"},
    ],
    "headers alone": [
        {"include/fate/value.h": "size_t fate_length(void);\n"},
        {"include/fate/value.h": "static inline int f(int class) { return class; }\n"},
        {"include/fate/value_cxx.h": "static inline int f(int a) { return 1; }\n"},
    ],
    "format": [{"src/base/odd.c": "int  a;\n"}, {"tests/cxx/odd.cc": "int f() { return 1; }\n"}],
}
# The same for the libraries: source, further options of the linker.
BAD_LIBRARIES = {
    "exports": [("int fate__inside;", []), ("int other;", []), ("static int nothing;", []),
                ("int fate_a;", ["-Wl,-Bsymbolic"]), ("int fate_a;", ["-Wl,--no-as-needed", "-lm"])],
    "static symbols": [("int other;", []), ("void helper(void);void helper(void) {}", [])],
}
GOOD_LIBRARY = """int fate_one(void) { return 1; }
const int FATE_ERROR = 1;
static int other;
"""
GOOD_STATIC = GOOD_LIBRARY + "int fate__two;\n"


def plant(folder, files):
    style = pathlib.Path(__file__).resolve().parent.parent / ".clang-format"
    for name, text in {**files, ".clang-format": style.read_text()}.items():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tidy.Tree(folder)


def found_in_tree(rule, files):
    with tempfile.TemporaryDirectory() as folder:
        return tidy.problems(rule, tidy.TREE_RULES[rule], plant(folder, files))


def found_in_library(rule, source, options):
    with tempfile.TemporaryDirectory() as folder:
        def run(*command):
            subprocess.run(command, cwd=folder, input=source, text=True, check=True)
        run("cc", "-fPIC", "-c", "-x", "c", "-o", "a.o", "-")
        if rule == "exports":
            run("cc", "-shared", "-o", "library", "a.o", *options)
        else:
            run("ar", "rc", "library", "a.o")
        return tidy.problems(rule, tidy.LIBRARY_RULES[rule], str(pathlib.Path(folder) / "library"))


def trials():
    """(rule, a short name of the trial, what was found, whether something should have been)."""
    for rule, trees in BAD.items():
        yield rule, "a good tree", found_in_tree(rule, GOOD), False
        for files in trees:
            yield rule, f"bad {', '.join(files)}", found_in_tree(rule, {**GOOD, **files}), True
    for rule, libraries in BAD_LIBRARIES.items():
        good = GOOD_LIBRARY if rule == "exports" else GOOD_STATIC
        yield rule, "a good library", found_in_library(rule, good, []), False
        for source, options in libraries:
            found = found_in_library(rule, source, options)
            yield rule, f"bad library {source} {' '.join(options)}", found, True


def main():
    untried = {*tidy.TREE_RULES, *tidy.LIBRARY_RULES} - {*BAD, *BAD_LIBRARIES}
    wrong = [f"{rule}: has no trial" for rule in sorted(untried)]
    n = 0
    for rule, name, found, should_find in trials():
        n += 1
        if should_find and not found:
            wrong.append(f"{rule}: found nothing in {name}")
        if found and not should_find:
            wrong.append(f"{rule}: found in {name}: {'; '.join(map(str, found))}")
    print("\n".join(wrong + [f"tidy self-test: {n} trials, {len(wrong)} wrong"]))
    return 1 if wrong else 0
