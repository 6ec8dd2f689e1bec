"""Seven plugins that misbehave, each beside a pipeline that must not notice (invariants 5 and 6)."""
import json
import os
import subprocess
import sys

import pytest
from harness import BUILD, EXAMPLE, PATIENCE, Sluice, free_port, object_key, objects, read_properties, wait_until

PLUGINS = os.path.join(BUILD, "tests", "plugins")
BUCKET = "user-12471ce1b695-bucket"
TOPIC = "12471ce1b695.pin"


class Pipeline:
    """REST source and raw sink, with the bad plugins on plugin.path."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        rest = read_properties(os.path.join(EXAMPLE, "rest-source.properties"))
        raw = read_properties(os.path.join(EXAMPLE, "s3-raw.properties"))
        rest.pop("name")
        raw.pop("name")
        rest["listeners"] = f"http://127.0.0.1:{self.port}"
        raw["store.url"] = f"file:{folder}/lake"
        self.sluice = Sluice(folder, {"rest-source": rest, "s3-raw": raw},
                             worker={"plugin.path": PLUGINS, "task.shutdown.graceful.timeout.ms": "1000",
                                     "sluice.task.memory.limit.bytes": str(256 << 20),
                                     "sluice.plugin.timeout.ms": "8000"})  # enough for those that do not hang
        self.posted = 0

    def post(self):
        """One row through the whole pipeline: it still works."""
        offset = self.posted
        self.posted += 1
        body = json.dumps({"records": [{"value": {"index": offset}}]})
        subprocess.run(["curl", "-sS", "--fail", "-H", "Content-Type: application/vnd.kafka.json.v2+json",
                        "-d", body, f"http://127.0.0.1:{self.port}/topics/{TOPIC}"],
                       check=True, capture_output=True)
        key = object_key(TOPIC, 0, offset)
        found = wait_until(lambda: objects(os.path.join(self.folder, "lake", BUCKET)).get(key), what=key)
        assert json.loads(found) == {"index": offset}

    def undisturbed(self, before):
        """Neither connector failed and neither of their processes was replaced."""
        assert self.sluice.running("rest-source") and self.sluice.running("s3-raw")
        assert self.pids() == before
        self.post()

    def pids(self):
        return {name: sorted(self.sluice.pids("sluice-host", "task", name)) for name in ("rest-source", "s3-raw")}

    def create(self, name, class_name, **config):
        return self.sluice.call("POST", "/connectors", {"name": name, "config": {
            "connector.class": class_name, "topics": TOPIC, "tasks.max": "1", "name": name, **config}})


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    if not os.path.isdir(PLUGINS):
        pytest.skip(f"the misbehaving plugins are not built ({PLUGINS})")
    pipeline = Pipeline(str(tmp_path_factory.mktemp("bad")))
    with pipeline.sluice:
        wait_until(lambda: pipeline.sluice.running("rest-source") and pipeline.sluice.running("s3-raw"))
        pipeline.post()
        yield pipeline


@pytest.fixture
def before(pipeline):
    return pipeline.pids()


def test_null_pointer(pipeline, before):
    status, _ = pipeline.create("null-deref", "bad.NullDeref")
    assert status == 201
    trace = pipeline.sluice.wait_state("null-deref", "FAILED")["trace"]
    assert "SIGSEGV" in trace and "bad.NullDeref" in trace and "put" in trace
    assert "read_length" in trace and "null_deref.c:" in trace, trace
    pipeline.undisturbed(before)


def test_hang_in_stop(pipeline, before):
    assert pipeline.create("sleeper", "bad.SleepInStop")[0] == 201
    pipeline.sluice.wait_state("sleeper", "RUNNING")
    assert pipeline.sluice.call("DELETE", "/connectors/sleeper")[0] == 204
    wait_until(lambda: not pipeline.sluice.pids("sluice-host", "task", "sleeper"), what="the sleeper is killed")
    pipeline.sluice.told("did not return from stop()")
    pipeline.undisturbed(before)


def test_memory_without_end(pipeline, before):
    assert pipeline.create("glutton", "bad.Allocate")[0] == 201
    trace = pipeline.sluice.wait_state("glutton", "FAILED")["trace"]
    assert "memory limit" in trace and "256 M" in trace, trace
    pipeline.undisturbed(before)


def test_hang_in_validation(pipeline, before):
    status, body = pipeline.create("hanging", "bad.HangInValidation")
    assert status >= 400
    assert "bad.HangInValidation" in body["message"] and "validate" in body["message"], body
    pipeline.undisturbed(before)


@pytest.mark.parametrize("mode, words", [
    ("text", "DataException: Offsets must be specified as a Map, but the source partition of a record is none"),
    ("nested", "Offsets may only contain primitive types as values, but field k of the source partition of a record contains MAP"),
    ("exit", "The task ended by itself with exit status 0; a plugin shall not end its process"),
    ("long-error", "so mmmm"),
])
def test_odd_source(pipeline, before, mode, words):
    status, _ = pipeline.sluice.call("POST", "/connectors", {"name": "odd-" + mode, "config": {
        "connector.class": "bad.OddSource", "mode": mode}})
    assert status == 201
    trace = pipeline.sluice.wait_state("odd-" + mode, "FAILED")["trace"]
    assert words in trace and len(trace) < 100000, trace[:1000]
    pipeline.undisturbed(before)


def test_reconfiguration_without_end(pipeline, before):
    """Requests of a task do not pile up before those of a person."""
    call = pipeline.sluice.call
    assert call("POST", "/connectors", {"name": "restless", "config": {
        "connector.class": "bad.OddSource", "mode": "reconfigure"}})[0] == 201
    wait_until(lambda: "odd" in call("GET", "/connectors/restless/topics")[1]["restless"]["topics"], what="a record")
    assert call("PUT", "/connectors/restless/pause")[0] == 202
    pipeline.sluice.wait_state("restless", "PAUSED")
    assert call("DELETE", "/connectors/restless")[0] == 204
    pipeline.undisturbed(before)


@pytest.mark.parametrize("file, class_name, words", [
    ("wrong_abi.so", "bad.WrongAbi", ["interface", "1."]),
    ("missing_symbol.so", "bad.MissingSymbol", ["symbol"]),
    ("text_file.so", "bad.TextFile", ["not a shared object"]),
])
def test_what_cannot_be_loaded(pipeline, before, file, class_name, words):
    log = pipeline.sluice.text()
    line = next((line for line in pipeline.sluice.output if file in line and words[0] in line), None)
    assert line, f"no line about {file} in\n{log}"
    for word in words:
        assert word in line
    status, body = pipeline.create("absent", class_name)
    assert status >= 400 and class_name in body["message"], body
    assert "absent" not in pipeline.sluice.call("GET", "/connectors")[1]
    pipeline.undisturbed(before)


@pytest.mark.parametrize("file, words", [
    ("null_deref.so", ["passed"]), ("wrong_abi.so", ["not ok"]), ("missing_symbol.so", ["not ok"]),
    ("text_file.so", ["not ok"]), ("hang_in_validation.so", ["not ok"]), ("sleep_in_stop.so", ["not ok"]),
])
def test_plugins_check_tells(file, words):
    hangs = file in ("hang_in_validation.so", "sleep_in_stop.so")
    done = subprocess.run([os.path.join(BUILD, "sluice"), "plugins", "check", "--timeout", "2" if hangs else "60",
                           os.path.join(PLUGINS, file)], capture_output=True, text=True, timeout=PATIENCE, check=False)
    for word in words:
        assert word in done.stdout, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-v"]))
