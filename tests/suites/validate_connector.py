#!/usr/bin/env python3
"""Runs recorded cases of kind validate_connector: validate_connector.py FILE.jsonl..

A standalone worker of ours is started and asked PUT /connector-plugins/{class}/config/validate, as a user's tool asks
it. Other kinds of cases in the files are left alone. Prints a line a case and closes with `N passed, N failed`.
"""
import json
import os
import re
import sys
import tempfile
from urllib.parse import quote

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from harness import Sluice  # noqa: E402


def cases(paths):
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if '"validate_connector"' in line:
                    case = json.loads(line)
                    if case.get("kind") == "validate_connector":
                        yield case


def same_message(expected, got):
    """The order of nested classes in `Did you mean` is the JVM's (the vectors' README.md)."""
    def parts(text):
        match = re.match(r"(.*Did you mean )(.*?)(\?.*)$", text, re.S)
        return (match[1], sorted(match[2].split(", ")), match[3]) if match else text
    return parts(expected) == parts(got)


def difference(case, status, body):
    """What differs, or None."""
    if case["error"]:
        message = (body or {}).get("message") or ""
        if case["error"]["class"].startswith("java.lang."):  # the text is the JVM's
            return None if status >= 400 else f"{status}: expected {case['error']}"
        wanted = re.sub(r", available connectors are: .*", "", case["error"].get("message") or "")  # each program has its own
        return None if status >= 400 and wanted in message else f"{status}: expected {wanted}, got {message}"
    if status != 200:
        return f"{status}: {body}"
    values, errors = [], {}
    for config in body["configs"]:
        value = config["value"]
        values.append([value["name"], value["value"]])
        if value["errors"]:
            errors[value["name"]] = value["errors"]
    wanted = dict(case["errors"])
    for name in sorted(wanted.keys() | errors.keys()):
        a, b = wanted.get(name, []), errors.get(name, [])
        if len(a) != len(b) or not all(same_message(x, y) for x, y in zip(a, b)):
            return f"errors of {name}: expected {a}, got {b}"
    if body["error_count"] != case["error_count"]:
        return f"error_count: expected {case['error_count']}, got {body['error_count']}"
    if body["groups"] != case["groups"]:
        return f"groups: expected {case['groups']}, got {body['groups']}"
    if values != case["values"]:
        missing = [pair for pair in case["values"] if pair not in values]
        more = [pair for pair in values if pair not in case["values"]]
        return f"values: missing {missing}, beyond {more}" if missing or more else "values in another order"
    return None


def main():
    todo = list(cases(sys.argv[1:]))
    passed = failed = 0
    if todo:
        with tempfile.TemporaryDirectory() as folder, Sluice(folder, {}) as sluice:
            for case in todo:
                status, body = sluice.call("PUT", f"/connector-plugins/{quote(case['class'], safe='')}/config/validate", case["config"])
                why = difference(case, status, body)
                passed += why is None
                failed += why is not None
                print(f"ok {case['id']}" if why is None else f"FAILED {case['id']}: {why[:2000]}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
