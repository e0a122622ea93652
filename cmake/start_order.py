#!/usr/bin/env python3
"""Writes start_together.ld: what a start touches, in the order of its first touch.

usage: cmake/start_order.py build/release > new.ld, then mv new.ld cmake/start_together.ld

Links the executable once more with its symbols and a map, runs it under valgrind's lackey, which
tells each access to memory, and names the input sections that were accessed. To be run when the
start has got new code; a list that is old costs time and nothing else. Needs valgrind.
"""

import bisect
import os
import re
import shlex
import subprocess
import sys
import tempfile

# What tests/bench measures.
START = ["--", "/bin/true"]
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C"}

# Where the linker's own script has an output section of the same kind.
PLACES = (
    (".text", ".text.start", "BEFORE .text"),
    (".data.rel.ro", ".data.rel.ro.start", "BEFORE .data.rel.ro"),
    (".data", ".data.start", "AFTER .data"),
    (".bss", ".bss.start", "BEFORE .bss"),
)

HEAD = """\
/* Written by cmake/start_order.py: what a start touches stands side by side, in the order of the
   first touch. Each 64 kB of code and each page of data that is touched is a page fault, 1 to 2 us
   each, and the linker would spread libc's, libstdc++'s and our own over 4 MB. INSERT adds to
   GNU ld's own script; what is not named here follows as always. */
"""

# What valgrind's CPU and its hidden vDSO keep from being seen.
UNSEEN = ("*libc.a:*(.text.evex .text.evex512)", "*libc.a:*(.text.avx)",
          "*libc.a:dl-object.o(.text)")

# Nobody touches it at a start, and it is large.
TAIL = """\
SECTIONS {
  .bss.large (NOLOAD) : { *writer.cpp.o(.bss.*) *libc.a:pthread_keys.o(.bss) }
}
INSERT AFTER .bss;
"""


def link_with_map(build, folder):
    commands = subprocess.run(["ninja", "-C", build, "-t", "commands", "preempt-wrap"], check=True,
                              capture_output=True, text=True).stdout
    link = commands.strip().splitlines()[-1]
    words = [word for word in shlex.split(link) if word not in (":", "&&", "-s")]
    words[words.index("-o") + 1] = f"{folder}/preempt-wrap"
    subprocess.run([*words, f"-Wl,-Map,{folder}/map"], check=True, cwd=build)
    return f"{folder}/preempt-wrap", f"{folder}/map"


def input_sections(map_file):
    """(address, size, output section, input section, object), by address"""
    found, output, name = [], None, None
    with open(map_file, encoding="utf-8") as lines:
        for line in lines:
            if begun := re.match(r"^(\.\S+)", line):
                output = begun[1]
            if alone := re.match(r"^ (\.\S+|COMMON)$", line):
                name = alone[1]
                continue
            whole = re.match(r"^ (\.\S+|COMMON) +0x([0-9a-f]+) +0x([0-9a-f]+) (\S.*)$", line)
            rest = re.match(r"^ {10,}0x([0-9a-f]+) +0x([0-9a-f]+) (\S.*)$", line)
            if whole:
                name, fields = whole[1], whole.groups()[1:]
            elif rest and name:
                fields = rest.groups()
            else:
                continue
            address, size = int(fields[0], 16), int(fields[1], 16)
            if address and size and output:
                found.append((address, size, output, name, fields[2]))
            name = None
    return sorted(found)


def touched(binary):
    run = subprocess.run(["valgrind", "--tool=lackey", "--trace-mem=yes", binary, *START],
                         env=ENVIRONMENT, capture_output=True, text=True, errors="replace",
                         check=True)
    for kind, address in re.findall(r"^(I | L| S| M) ([0-9a-f]+),\d+$", run.stderr, re.M):
        yield int(address, 16)


def file_pattern(path):
    member = re.search(r"([^/]+\.a)\(([^)]+)\)$", path)
    return f"*{member[1]}:{member[2]}" if member else f"*{os.path.basename(path)}"


def main(build):
    with tempfile.TemporaryDirectory() as folder:
        binary, map_file = link_with_map(build, folder)
        sections = input_sections(map_file)
        begins = [section[0] for section in sections]
        lists = {output: {} for output, _, _ in PLACES}
        lists[".text"] = dict.fromkeys(UNSEEN)
        for address in touched(binary):
            at = bisect.bisect_right(begins, address) - 1
            begin, size, output, name, path = sections[at]
            kind = next((kind for kind, start, _ in PLACES if output in (kind, start)), None)
            if at >= 0 and address < begin + size and kind:
                lists[kind][f"{file_pattern(path)}({name})"] = None
    text = HEAD
    for kind, start, where in PLACES:
        lines = "".join(f"    {entry}\n" for entry in lists[kind])
        text += f"SECTIONS {{\n  {start} : {{\n{lines}  }}\n}}\nINSERT {where};\n"
    print(text + TAIL, end="")


if __name__ == "__main__":
    main(sys.argv[1])
