#!/usr/bin/env python3
"""What CONTRIBUTING.md says of the source tree, checked: layers, one file per library, limits.

Prints each finding as FILE:LINE: text; exit status 1 if there is any.
    tests/tidy/tidy.py            the tree
    tests/tidy/tidy.py --self     breaks each rule in a copy and demands that it is found
"""
import pathlib
import re
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
FILE_LINES = 400
FUNCTION_LINES = 70
COLUMNS = 100

# What computes and does nothing; <csignal> gives the signals' numbers only.
PURE = ("algorithm array bit charconv chrono csignal cstddef cstdint cstdio cstdlib functional "
        "initializer_list limits map numeric optional queue set span stdexcept string string_view "
        "system_error unordered_map utility variant vector").split()
CORE_MAY = re.compile(rf'<({"|".join(PURE)})>|<boost/system/result\.hpp>|"core/[a-z_]+\.hpp"')
CLOCK = re.compile(r"\w::now\(\)")
LIBRARIES = {  # each library, and the one file that includes it (Beast is made of Asio)
    "boost/program_options": "src/config/command_line.cpp",
    "boost/process": "src/os/child.cpp",
    "boost/asio": "src/os/child.cpp src/cloud/http.cpp",
    "yaml-cpp": "src/config/yaml.cpp",
    "boost/beast": "src/cloud/http.cpp",
    "boost/json": "src/cloud/json.cpp",
    "boost/crc": "src/os/ledger_line.cpp",
}
# One direction: verbs -> os, slurm, cloud, config -> core; slurm's waiting commands use os.
MAY_NOT_INCLUDE = {
    "core": ("os/", "config/", "slurm/", "cloud/", "verbs/"),
    "os": ("config/", "slurm/", "cloud/", "verbs/"),
    "config": ("os/", "slurm/", "cloud/", "verbs/"),
    "slurm": ("cloud/", "verbs/"),
    "cloud": ("slurm/", "verbs/"),
}
BLOCK = re.compile(r"^( *)\S.*\) (const |noexcept |override )*(-> \S+ )?\{$")
NO_FUNCTION = re.compile(r"^ *(if|for|while|switch|\} else|else|namespace|struct|class|enum)\b")


def includes(lines):
    for number, line in enumerate(lines, 1):
        if match := re.match(r'#include ([<"][^>"]+[>"])', line):
            yield number, match.group(1)


def layer_findings(name, lines):
    folder = name.split("/")[1] if name.count("/") > 1 else ""
    for number, header in includes(lines):
        if folder == "core" and not CORE_MAY.fullmatch(header):
            yield number, f"core must not include {header}"
        for prefix in MAY_NOT_INCLUDE.get(folder, ()):
            if folder != "core" and header.startswith(f'"{prefix}'):
                yield number, f"{folder} must not include {header}"
        for library, owner in LIBRARIES.items():
            if header.startswith(f"<{library}") and name not in owner.split():
                yield number, f"{library} is included by {owner.replace(' ', ' and ')} only"


def clock_findings(name, lines):
    for number, line in enumerate(lines, 1):
        if name.startswith("src/core/") and CLOCK.search(line):
            yield number, "core is told the time"


def function_findings(lines):
    begin = indent = None
    for number, line in enumerate(lines, 1):
        if begin is None and BLOCK.match(line) and not NO_FUNCTION.match(line):
            begin, indent = number, len(line) - len(line.lstrip())
        elif begin is not None and re.match(rf"^ {{{indent}}}\}}", line):
            if number - begin + 1 > FUNCTION_LINES:
                yield begin, f"a function of {number - begin + 1} lines (at most {FUNCTION_LINES})"
            begin = None


def limit_findings(lines):
    if len(lines) > FILE_LINES:
        yield len(lines), f"{len(lines)} lines (at most {FILE_LINES})"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield number, f"{len(line)} columns (at most {COLUMNS})"
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, "left open"


def findings(root):
    for path in sorted([*root.glob("src/**/*.[ch]pp"), *root.glob("tests/**/*.[ch]pp")]):
        name = path.relative_to(root).as_posix()
        lines = path.read_text().splitlines()
        found = list(limit_findings(lines))
        if name.startswith("src/"):
            found += [*layer_findings(name, lines), *clock_findings(name, lines),
                      *function_findings(lines)]
        if name.startswith("src/") and path.suffix == ".hpp" and "#pragma once" not in lines[:1]:
            found.append((1, "a header begins with #pragma once"))
        for number, text in found:
            yield f"{name}:{number}: {text}"


SINS = {
    "src/core/a.cpp": '#include <unistd.h>\n',
    "src/core/b.cpp": '#include "os/fd.hpp"\n',
    "src/core/c.cpp": '#include <boost/asio.hpp>\n',
    "src/core/j.cpp": '#include <thread>\n',
    "src/core/k.cpp": "const auto now = std::chrono::steady_clock::now();\n",
    "src/cloud/l.cpp": '#include "verbs/run.hpp"\n',
    "src/os/d.cpp": '#include <yaml-cpp/yaml.h>\n',
    "src/os/e.cpp": '#include "verbs/run.hpp"\n',
    "src/os/f.cpp": "// x\n" * 401,
    "src/os/g.cpp": "void f(int a) {\n" + "  a = 1;\n" * 70 + "}\n",
    "src/os/h.cpp": "// " + "x" * 98 + "\n",
    "src/os/i.hpp": "struct A {};\n",
}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in SINS.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = list(findings(root))
        missed = [name for name in SINS if not any(line.startswith(name) for line in found)]
    return [f"{name}: the rule that it breaks is not checked" for name in missed]


def main():
    found = self_test() if "--self" in sys.argv else list(findings(REPOSITORY))
    print("\n".join(found) or "tidy")
    return 1 if found else 0


sys.exit(main())
