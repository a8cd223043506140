#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Holds Documentation/netlink/ftcp.yaml against include/uapi/linux/ftcp.h: names, order and values. Prints TAP."""

import os
import re
import sys

try:
    import yaml
except ImportError:
    print("TAP version 13\n1..0 # SKIP no python3-yaml")
    sys.exit(4)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
HEADER = os.path.join(ROOT, "include/uapi/linux/ftcp.h")
LIMITS = os.path.join(ROOT, "include/ftcp/limits.h")
SPEC = os.path.join(ROOT, "Documentation/netlink/ftcp.yaml")

results = []


def ok(good, name, notes=()):
    results.append(good)
    print(f"{'ok' if good else 'not ok'} {len(results)} {name}")
    if not good:
        for note in notes:
            print(f"#   {note}")


def same(have, want, name):
    """have: of the header, want: of the spec; lists of (name, value)."""
    notes = [f"header {h}, spec {w}" for h, w in zip(have, want) if h != w]
    notes += [f"only in the header: {h}" for h in have if h not in want]
    notes += [f"only in the spec: {w}" for w in want if w not in have]
    ok(have == want, name, notes)


def strip_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)


def enums_of(text):
    """{enum's name: [(member, value), ...]}; only what counts up by itself or from a plain number is understood."""
    found = {}
    for name, body in re.findall(r"enum\s+(\w+)\s*\{(.*?)\}\s*;", strip_comments(text), flags=re.S):
        value, members = 0, []
        for member in filter(None, (m.strip() for m in body.split(","))):
            parts = [p.strip() for p in member.split("=")]
            if len(parts) == 2 and parts[1].isdigit():
                value = int(parts[1])
            elif len(parts) == 2 and not re.fullmatch(r"__\w+_MAX - 1", parts[1]):
                raise ValueError(f"enum {name}: '{member}' is not understood")
            if not parts[0].endswith("_MAX"):
                members.append((parts[0], value))
            value += 1
        found[name] = members
    return found


def define_of(text, name):
    match = re.search(rf"^#define\s+{name}\s+\"?([^\s\"]+)", text, flags=re.M)
    return match.group(1) if match else None


def c_name(name):
    return name.upper().replace("-", "_")


def members(prefix, entries, start):
    """[(C name, value)] of a YNL list: values go up by one from @start or from the last 'value'."""
    value, out = start, []
    for entry in entries:
        if isinstance(entry, str):
            entry = {"name": entry}
        value = entry.get("value", value)
        out.append((c_name(prefix + entry["name"]), value))
        value += 1
    return out


def check_names(spec, header, limits):
    ok(define_of(header, c_name(spec["c-family-name"])) == spec["name"], "family__name")
    ok(define_of(header, c_name(spec["c-version-name"])) == "1", "family__version")
    for group in spec["mcast-groups"]["list"]:
        ok(define_of(header, c_name(group["c-define-name"])) == group["name"], f"mcast_group__{group['name']}")
    for const in (d for d in spec["definitions"] if d["type"] == "const"):
        name = "FTCP_" + c_name(const["name"])
        ok(define_of(limits, name) == str(const["value"]), f"const__{const['name']}",
           [f"{name} is {define_of(limits, name)} in the header"])


def check_enums(spec, enums):
    left = dict(enums)
    for enum in (d for d in spec["definitions"] if d["type"] == "enum"):
        name = enum["enum-name"].replace("-", "_")
        same(left.pop(name, []), members(enum["name-prefix"], enum["entries"], 0), f"enum__{name}")
    attrs = spec["attribute-sets"][0]
    name = attrs["enum-name"].replace("-", "_")
    # YNL lets attributes and operations begin at 1; 0 is the UNSPEC that it implies.
    same(left.pop(name, []),
         [(c_name(attrs["name-prefix"] + "unspec"), 0)] + members(attrs["name-prefix"], attrs["attributes"], 1),
         f"enum__{name}")
    ops = spec["operations"]
    name = ops["enum-name"].replace("-", "_")
    same(left.pop(name, []),
         [(c_name(ops["name-prefix"] + "unspec"), 0)] + members(ops["name-prefix"], ops["list"], 1), f"enum__{name}")
    ok(not left, "enum__none_undescribed", [f"not in the spec: enum {n}" for n in left])


def lists_of(op):
    """Every list of attributes of an operation."""
    for mode in ("do", "dump"):
        for way in ("request", "reply"):
            yield op.get(mode, {}).get(way, {}).get("attributes", [])
    yield op.get("event", {}).get("attributes", [])


def check_references(spec):
    sets = {s["name"]: [a["name"] for a in s["attributes"]] for s in spec["attribute-sets"]}
    enums = [d["name"] for d in spec["definitions"] if d["type"] == "enum"]
    notes = []
    used = set()
    for op in spec["operations"]["list"]:
        for names in lists_of(op):
            used.update(names)
            notes += [f"{op['name']}: no attribute {n}" for n in names if n not in sets[op["attribute-set"]]]
            notes += [f"{op['name']}: {n} twice" for n in set(names) if names.count(n) > 1]
        if not any(mode in op for mode in ("do", "dump", "event")):
            notes.append(f"{op['name']}: neither do nor dump nor event")
    for attr in spec["attribute-sets"][0]["attributes"]:
        if "enum" in attr and attr["enum"] not in enums:
            notes.append(f"{attr['name']}: no enum {attr['enum']}")
        if attr["type"] == "nest":
            used.update(sets.get(attr["nested-attributes"], []))
            if attr["nested-attributes"] not in sets:
                notes.append(f"{attr['name']}: no attribute set {attr['nested-attributes']}")
    ok(not notes, "spec__references", notes)
    idle = [n for n in sets["ftcp"] if n not in used and n != "pad"]
    ok(not idle, "spec__no_idle_attribute", idle)


def check_types(spec, header):
    """The header's comments begin with the type of an attribute where it is not that of the one above."""
    ynl = {"string": "string", "flag": "flag", "binary": "binary", "u8": "u8", "u16": "u16", "u32": "u32", "u64": "u64",
           "be32": "u32", "16 bytes": "binary"}
    types = {c_name("ftcp-a-" + a["name"]): a["type"] for a in spec["attribute-sets"][0]["attributes"]}
    body = re.search(r"enum\s+ftcp_attr\s*\{(.*?)\n\};", header, flags=re.S).group(1)
    notes = []
    for name, comment in re.findall(r"^\s*(FTCP_A_\w+),\s*/\*\s*(.*?)\*/", body, flags=re.M):
        match = re.match(r"(string|flag|binary|u8|u16|u32|u64|be32|16 bytes)\b", comment)
        if match and types.get(name) != ynl[match.group(1)]:
            notes.append(f"{name}: header {match.group(1)}, spec {types.get(name)}")
    ok(not notes, "spec__types", notes)


def main():
    with open(SPEC, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    with open(HEADER, encoding="utf-8") as file:
        header = file.read()
    with open(LIMITS, encoding="utf-8") as file:
        limits = file.read()
    print("TAP version 13")
    check_names(spec, header, limits)
    check_enums(spec, enums_of(header))
    check_references(spec)
    check_types(spec, header)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
