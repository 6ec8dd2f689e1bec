"""`sluice test`: users' unit tests of pipelines."""
import json
import os
import shutil
import subprocess

import pytest
from harness import EXAMPLE, SLUICE

CHAIN = """transforms=name
transforms.name.type=ReplaceField$Value
transforms.name.renames=a:b
"""


def run(*arguments):
    return subprocess.run([SLUICE, "test", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rename.properties").write_text(CHAIN)
    (tmp_path / "rename.in.jsonl").write_text('{"a":1,"n":{"x":[1,2]}}\n\n{"a":2}\n')
    (tmp_path / "rename.out.jsonl").write_text('{"n":{"x":[1,2]},"b":1}\n{"b":2}\n')
    return tmp_path


def test_example_passes():
    done = run(os.path.join(EXAMPLE, "tests"))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "3 passed, 0 failed"), done.stdout


def test_order_of_members_does_not_matter(folder):
    assert run(folder).returncode == 0


def test_difference_is_shown_by_path(folder):
    (folder / "rename.out.jsonl").write_text('{"b":1,"n":{"x":[1,3]},"gone":null}\n{"b":2}\n{"b":3}\n')
    done = run(folder)
    assert done.returncode == 1
    assert "record 1:\n    - n.x[1]: 3\n    + n.x[1]: 2\n    - gone: null\n" in done.stdout
    assert 'record 3: did not come out\n    - {"b":3}\n' in done.stdout
    assert done.stdout.endswith("0 passed, 1 failed\n")


def test_a_record_too_many(folder):
    (folder / "rename.out.jsonl").write_text('{"n":{"x":[1,2]},"b":1}\n')
    assert 'record 2: came out, but is not expected\n    + {"b":2}' in run(folder).stdout


def test_update_writes_what_came_out(folder):
    os.remove(folder / "rename.out.jsonl")
    done = run(folder)
    assert done.returncode == 1 and "--update" in done.stdout
    assert run("--update", folder).returncode == 0
    assert (folder / "rename.out.jsonl").read_text() == '{"b":1,"n":{"x":[1,2]}}\n{"b":2}\n'
    assert run(folder).returncode == 0


def test_expected_error(folder):
    (folder / "rename.in.jsonl").write_text("7\n")
    os.remove(folder / "rename.out.jsonl")
    text = "error=Only Map objects supported in absence of schema for [field replacement], found: {}\n"
    (folder / "rename.test").write_text(text.format("java.lang.Long"))
    assert run(folder).returncode == 0
    (folder / "rename.test").write_text(text.format("java.lang.String"))
    done = run(folder)
    assert done.returncode == 1 and "failed otherwise" in done.stdout and "java.lang.Long" in done.stdout


def test_whole_records(folder):
    (folder / "rename.test").write_text("config=route.properties\nrecords=true\n")
    (folder / "route.properties").write_text(
        "transforms=r\ntransforms.r.type=RegexRouter\ntransforms.r.regex=(.*)\ntransforms.r.replacement=x-$1\n")
    (folder / "rename.in.jsonl").write_text('{"topic":"t","value":{"a":1}}\n')
    assert run("--update", folder).returncode == 0
    assert json.loads((folder / "rename.out.jsonl").read_text())["topic"] == "x-t"


def test_json_results(folder):
    (folder / "other.in.jsonl").write_text("{}\n")
    shutil.copy(folder / "rename.properties", folder / "chain.properties")
    (folder / "other.out.jsonl").write_text("{}\n")
    results = json.loads(run("--json", folder).stdout)
    assert [(one["name"], one["passed"]) for one in results] == [("other", True), ("rename", True)]


@pytest.mark.parametrize("change, code, words", [
    (lambda folder: os.remove(folder / "rename.properties"), 2, "no chain"),
    (lambda folder: os.remove(folder / "rename.in.jsonl"), 2, "holds no NAME.in.jsonl"),
    (lambda folder: (folder / "rename.test").write_text("topics=x\n"), 2, "unknown key topics"),
    (lambda folder: shutil.rmtree(folder), 3, "No such file"),
    (lambda folder: (folder / "rename.properties").write_text("transforms=a\ntransforms.a.type=No\n"), 1, "No"),
])
def test_what_is_missing(folder, change, code, words):
    change(folder)
    done = run(folder)
    assert done.returncode == code
    assert words in done.stdout + done.stderr
