"""Plugins: the short-lived roles of sluice-host, `sluice plugins`, and plugins that misbehave in them."""
import glob
import json
import os
import shutil
import signal
import socket
import subprocess

import pytest
from harness import BUILD, ROOT, SLUICE, wait_until
from host_client import HOST, Host

BAD = os.path.join(BUILD, "tests", "plugins")
BUILT_IN = [os.path.join(BUILD, "plugins")]
KINDS = ["source", "sink", "transform", "predicate", "converter"]


def sluice(*arguments, **options):
    return subprocess.run([SLUICE, *arguments], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, check=False, **options)


def bad(name):
    return os.path.join(BAD, name + ".so")


@pytest.fixture(scope="module", params=KINDS)
def project(request, tmp_path_factory):
    """A project of each kind, as `plugins new` makes it, built with the line it prints."""
    kind, folder = request.param, tmp_path_factory.mktemp(request.param)
    made = sluice("plugins", "new", kind, "org.example.MyThing", cwd=folder)
    assert made.returncode == 0, made.stderr
    line = next(line for line in made.stdout.splitlines() if " cc " in line)
    subprocess.run(line, shell=True, check=True, cwd=folder)
    path = folder / "my_thing"
    if kind == "sink":
        sample = path / "example.properties"
        sample.write_text(sample.read_text().replace("numbers.jsonl", str(folder / "numbers.jsonl")))
    return kind, path


# -- what a stranger does first --

def test_new_project_passes_the_checks(project):
    _, path = project
    checked = sluice("plugins", "check", "my_thing.so", "--config", "example.properties", cwd=path)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.splitlines()[-1].endswith(" passed, 0 failed")


def test_new_project_builds_with_cmake(project):
    _, path = project
    subprocess.run(["cmake", "-S", path, "-B", path / "build"], check=True, capture_output=True)
    subprocess.run(["cmake", "--build", path / "build"], check=True, capture_output=True)
    assert (path / "build" / "my_thing.so").exists()


def test_new_project_builds_as_strict_c(project):
    _, path = project
    subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-I", os.path.join(ROOT, "include"),
                    "my_thing.c"], cwd=path, check=True)


def test_new_project_builds_as_cpp17(project):
    _, path = project
    compiler = shutil.which("c++") or shutil.which("clang++-14")
    if not compiler:
        pytest.skip("no C++ compiler is installed")
    subprocess.run([compiler, "-x", "c++", "-std=c++17", "-shared", "-fPIC", "-I",
                    os.path.join(ROOT, "include"), "-o", "cpp.so", "my_thing.c"], cwd=path, check=True)
    checked = sluice("plugins", "check", "cpp.so", "--config", "example.properties", cwd=path)
    assert checked.returncode == 0, checked.stdout


def test_new_connector_runs_with_the_files_beside_it(project):
    kind, path = project
    if kind == "sink":
        lines = ["--bootstrap-server", "local:sluice-data", "--topic", "numbers"]
        subprocess.run([SLUICE, "produce", *lines], input='{"n":1}\n{"n":2}\n', text=True, check=True, cwd=path)
        ran = sluice("run", "--rest", "off", "--exit-when-idle", "300", "worker.properties",
                     "example.properties", cwd=path)
        assert ran.returncode == 0, ran.stderr
        written = path.parent / "numbers.jsonl"
        assert written.read_text().splitlines()[-2:] == ['{"n":1}', '{"n":2}']
    elif kind == "source":
        with subprocess.Popen([SLUICE, "run", "--rest", "off", "worker.properties", "example.properties"],
                              cwd=path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:
            first = wait_until(lambda: sluice("consume", "--bootstrap-server", "local:sluice-data", "--topic", "numbers",
                                              "--from-beginning", "--max-messages", "1", cwd=path).stdout)
            worker.terminate()
        assert first == '{"n":1}\n'
    else:
        lines = ["--bootstrap-server", "local:sluice-data", "--topic", "numbers"]
        text = "6869\n" if kind == "converter" else '{"name":"x","id":1}\n{"name":"y"}\n'
        subprocess.run([SLUICE, "produce", *lines], input=text, text=True, check=True, cwd=path)
        ran = sluice("run", "--rest", "off", "--exit-when-idle", "300", "worker.properties",
                     "example.properties", cwd=path)
        assert ran.returncode == 0, ran.stderr
        assert (path / "numbers.txt").read_text().splitlines() == {
            "transform": ["{name=X, id=1}", "{name=Y}"], "predicate": ["{name=x, id=1}"],
            "converter": ["hi"]}[kind]
        if kind == "transform":
            tried = subprocess.run([SLUICE, "transform", "--plugin-path", "my_thing.so", "example.properties"],
                                   input='{"name":"x"}\n', text=True, capture_output=True, check=True, cwd=path)
            assert tried.stdout == '{"name":"X"}\n'


def test_new_project_is_described(project):
    kind, path = project
    listed = sluice("plugins", "list", "--json", "--plugin-path", str(path / "my_thing.so"))
    assert listed.returncode == 0
    mine = [p for p in json.loads(listed.stdout)["plugins"] if p["class"] == "org.example.MyThing"]
    assert len(mine) == 1 and mine[0]["kind"] == f"sluice.{kind}/1"
    described = sluice("plugins", "describe", "MyThing", "--plugin-path", str(path / "my_thing.so"))
    assert described.returncode == 0
    assert described.stdout.startswith(f"org.example.MyThing  {kind} 0.1\n")


def test_new_writes_over_nothing(project):
    kind, path = project
    before = (path / "my_thing.c").read_bytes()
    again = sluice("plugins", "new", kind, "org.example.MyThing", cwd=path.parent)
    assert again.returncode == 2 and "File exists" in again.stderr
    assert (path / "my_thing.c").read_bytes() == before


@pytest.mark.parametrize("arguments", [("gadget", "X"), ("sink", "not a name"), ("sink", "../x"), ("sink",),
                                       ("sink", "a..b"), ("sink", "x."), ()])
def test_new_refuses_what_is_no_kind_or_name(arguments, tmp_path):
    refused = sluice("plugins", "new", *arguments, cwd=tmp_path)
    assert refused.returncode == 2 and refused.stderr
    assert not os.listdir(tmp_path)


# -- plugins that misbehave --

@pytest.mark.parametrize("name, line", [
    ("null_deref", "put of bad.NullDeref: SIGSEGV at address 0x0 (a NULL pointer was used)"),
    ("sleep_in_stop", "stop of bad.SleepInStop did not return within 2000 ms"),
    ("allocate", "put of bad.Allocate"),
    ("hang_in_validation", "validate of bad.HangInValidation did not return within 2000 ms"),
    ("wrong_abi", "interface 99.7, this sluice speaks 1.0"),
    ("missing_symbol", "bad_function_of_no_library"),
    ("text_file", "is not a shared object"),
])
def test_check_names_the_fault(name, line):
    if name == "allocate" and ("asan" in BUILD or "tsan" in BUILD):
        pytest.skip("the limit of memory is off under sanitizers")
    checked = sluice("plugins", "check", bad(name), "--timeout", "2" if "2000 ms" in line else "60")
    assert checked.returncode == 1
    assert line in checked.stdout
    if name == "null_deref":
        assert "at read_length (null_deref.c:" in checked.stdout
    if name == "allocate":
        assert "memory limit of 512 MB reached" in checked.stdout and "(allocate.c:" in checked.stdout


@pytest.mark.parametrize("body, lines", [
    ("host->records->release(batch);", ["put() released a batch that it had not retained"]),
    ("(void)host->records->retain(batch);", ["a batch that put() retained is still held after destroy()"]),
    ("static const struct sluice_record *kept; if (kept) host->data->to_text(batch, host->records->value(kept));"
     "if (host->records->count(batch)) kept = host->records->at(batch, 0);", ["crashed in put of x.Bad: SIG", "at put ("]),
    ("deep(0);", ["at deep (bad.c:4)", "  .. 6", "times"]),
])
def test_check_names_what_a_sink_does_with_a_batch(tmp_path, body, lines):
    """Given away, kept, used when it is gone; and a recursion without end, which is told once."""
    if "asan" in BUILD or "tsan" in BUILD:
        pytest.skip("sanitizers have words of their own for these")
    (tmp_path / "bad.c").write_text("""#include "bad_sink.h"
#pragma GCC diagnostic ignored "-Winfinite-recursion"
#line 4
__attribute__((unused)) static int deep(int n) { volatile char c[4096]; c[0] = 1; return deep(n + 1) + c[0]; }
static enum sluice_result put(void *self, struct sluice_batch *batch) {
    const struct sluice_host *host = bad_host;
    %s
    return SLUICE_OK;
}
static const struct sluice_sink bad_vtable = {.size = sizeof(bad_vtable), .create = bad_create, .destroy = bad_destroy,
                                              .start = bad_start, .put = put, .stop = good_stop};
BAD_SINK("x.Bad", "bad");
SLUICE_PLUGIN(bad_descriptors)
""" % body)
    subprocess.run(["cc", "-g", "-shared", "-fPIC", "-I", os.path.join(ROOT, "include"), "-I",
                    os.path.join(ROOT, "tests", "support", "bad_plugins"), "-o", "bad.so", "bad.c"], cwd=tmp_path, check=True)
    checked = sluice("plugins", "check", "bad.so", cwd=tmp_path)
    assert checked.returncode == 1 and all(line in checked.stdout for line in lines), checked.stdout
    assert checked.stdout.count("at deep") <= 1


def test_list_goes_on_behind_a_plugin_that_crashes_when_loaded(tmp_path):
    source = tmp_path / "x.c"
    source.write_text("__attribute__((constructor)) void f(void) { __builtin_trap(); }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "a_crash.so", source], check=True)
    shutil.copy(bad("null_deref"), tmp_path / "b_good.so")
    listed = sluice("plugins", "list", "--plugin-path", str(tmp_path))
    assert listed.returncode == 0
    assert "bad.NullDeref" in listed.stdout
    assert "a_crash.so: crashed in loading of a_crash.so: SIGILL" in listed.stderr


# -- roles, spoken to directly --

def test_scan_tells_every_file():
    with Host({"type": "scan", "paths": [BAD]}) as host:
        messages = host.messages()
        assert host.wait() == 0
    assert messages[-1] == {"type": "done"}
    loading = [m["path"] for m in messages if m["type"] == "loading"]
    good = {m["path"]: m["plugins"] for m in messages if m["type"] == "plugins"}
    errors = {os.path.basename(m["path"]): m for m in messages if m["type"] == "plugin_error"}
    assert sorted(loading) == sorted(glob.glob(os.path.join(BAD, "*.so")))
    assert len(good) == len(loading) - len(errors)
    assert set(errors) == {"wrong_abi.so", "missing_symbol.so", "text_file.so"}
    assert errors["wrong_abi.so"]["code"] == 202 and errors["text_file.so"]["code"] == 201
    plugin = good[bad("null_deref")][0]
    assert plugin["class"] == "bad.NullDeref" and plugin["kind"] == "sluice.sink/1"


@pytest.mark.parametrize("project", ["source"], indirect=True)
def test_validate_reports_every_error(project):
    _, path = project
    with Host({"type": "validate_class", "class": "org.example.MyThing", "kind": "sluice.source/1",
               "config": {"interval.ms": "0"}, "plugin_path": [str(path / "my_thing.so")]}) as host:
        answer, end = host.message(), host.message()
        assert host.wait() == 0 and end is None
    assert answer["type"] == "validated" and answer["errors"] == 2
    errors = {c["name"]: c["errors"] for c in answer["configs"]}
    assert errors["topic"] == ['Missing required configuration "topic" which has no default value.']
    assert "interval.ms" in errors["interval.ms"][0]


def test_a_class_that_is_not_there():
    with Host({"type": "validate_class", "class": "no.Such", "kind": "", "config": {}, "plugin_path": []}) as host:
        answer = host.message()
        assert host.wait() == 1
    assert answer["type"] == "failed" and answer["code"] == 103 and "no.Such" in answer["trace"]


@pytest.mark.parametrize("kind, wanted, made", [("sink", 3, 3), ("source", 3, 1)])
def test_default_task_configurations(kind, wanted, made, tmp_path):
    assert sluice("plugins", "new", kind, "T", "--dir", str(tmp_path / "p")).returncode == 0
    subprocess.run(["cc", "-shared", "-fPIC", "-I", os.path.join(ROOT, "include"), "-o", "t.so", "t.c"],
                   cwd=tmp_path / "p", check=True)
    config = {"topics": "a,b", "topic": "t", "file": "f", "connector.class": "T", "x": "y",
              "tasks.max": str(wanted)}
    with Host({"type": "connector", "name": "n", "class": "T", "config": config,
               "plugin_path": [str(tmp_path / "p")]}) as host:
        answer = host.message()
        assert host.wait() == 0
    assert answer == {"type": "task_configs", "configs": [config] * made}


def test_a_hanging_call_is_named_on_the_page():
    with Host({"type": "validate_class", "class": "bad.HangInValidation", "kind": "", "config": {},
               "plugin_path": [bad("hang_in_validation")]}) as host:
        # It will not answer; what it is in stands in the page, behind the slots of numbers.
        page = b""
        while b"validate bad.HangInValidation\0" not in page:
            page = os.pread(host.page, 1 << 18, 0)
            assert host.process.poll() is None


def test_a_sample_is_no_answer_to_a_request(tmp_path):
    """A task asks for its offset while somebody looks at its records, and both have the number 1."""
    lines, log = tmp_path / "lines", f"local:{tmp_path}/log"
    lines.write_text("one\ntwo\n")
    ours, theirs = socket.socketpair()
    with subprocess.Popen([os.path.join(BUILD, "sluice-log"), str(tmp_path / "log"), "--fd", str(theirs.fileno())],
                          pass_fds=[theirs.fileno()]), ours:
        theirs.close()
        assert ours.recv(1) == b"\0"
        text = "org.apache.kafka.connect.storage.StringConverter"
        with Host({"type": "task", "name": "f", "task": 0, "plugin_path": BUILT_IN,
                   "config": {"connector.class": "FileStreamSource", "file": str(lines), "topic": "t"},
                   "worker": {"bootstrap.servers": log, "key.converter": text, "value.converter": text}}) as host:
            asked = host.wait_for("offsets_get")
            for _ in range(100):
                for kind in ("tap", "tap_end"):
                    host.send({"type": kind, "id": asked["id"], "stage": "polled", "limit": 1})
                assert host.wait_for("tapped")["records"] == []
            host.send({"type": "tap", "id": 1000, "stage": "polled", "limit": 1})
            host.send({"type": "offsets_reply", "id": asked["id"], "offsets": [{"position": 4}]})
            sample = host.wait_for("tapped")
            assert [record["value"] for record in sample["records"]] == ["two"]


def test_the_host_leaves_with_the_worker():
    with Host({"type": "validate_class", "class": "bad.HangInValidation", "kind": "", "config": {},
               "plugin_path": [bad("hang_in_validation")]}) as host:
        host.control.shutdown(2)
        host.control.close()
        assert host.wait() == 71


def test_the_host_leaves_when_nobody_asks():
    with Host({}) as host:
        host.control.close()
        assert host.wait() == 71


def test_an_unknown_role_is_refused():
    with Host({"type": "dance"}) as host:
        answer = host.message()
        assert host.wait() == 1
    assert answer["type"] == "failed" and "dance" in answer["trace"]


def test_rubbish_on_the_channel_ends_the_host():
    with Host({}) as host:
        host.control.sendall(b"\xff" * 64)
        assert host.wait() in (1, 71)


def test_a_crash_ends_by_its_signal():
    """So that a core file, where asked for, is that of the fault."""
    with Host({"type": "check", "path": bad("null_deref"), "class": "bad.NullDeref", "kind": "sluice.sink/1",
               "check": "open, put, pre_commit, close, stop", "config": {}, "plugin_path": []}) as host:
        assert host.wait() == -signal.SIGSEGV


def test_started_by_hand_it_says_what_it_is():
    by_hand = subprocess.run([HOST], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert by_hand.returncode == 2 and "started by sluice" in by_hand.stderr


# -- the command line --

@pytest.mark.parametrize("arguments, status", [
    ((), 2), (("--help",), 0), (("--version",), 0), (("plugins",), 2), (("plugins", "--help"), 0),
    (("plugins", "list", "--nonsense"), 2), (("plugins", "describe"), 2), (("plugins", "check"), 2),
    (("plugins", "describe", "no.Such"), 2), (("plugins", "check", "/no/such.so"), 3),
    (("plugins", "check", "/bin/sh", "--timeout", "0"), 2), (("nonsense",), 2),
    (("plugins", "check", "/bin/sh", "--config", "/no/such.properties"), 3),
    (("topics", "--list", "--command-config", "/no/such.properties"), 3),
    (("run", "--exit-when-idle", "99999999999999999999", "x"), 2), (("schedule", "* * * * *", "--from", "99999999999999999999"), 2),
])
def test_exit_codes(arguments, status):
    assert sluice(*arguments).returncode == status


def test_a_slip_of_the_finger_is_understood():
    assert "did you mean 'plugins'" in sluice("plguins").stderr
