"""`sluice standalone`: connect-standalone's files and exit codes."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from harness import BUILD, PATIENCE, SLUICE, Sluice, free_port, wait_until, write_properties
from real_kafka import CLUSTER_ID


def rest_source(port):
    return {"connector.class": "sluice.rest.RestSourceConnector", "listeners": f"http://127.0.0.1:{port}"}


def standalone(folder, worker, *connectors):
    """Runs to the end; (exit code, everything printed)."""
    base = Sluice(folder, {}).worker
    base.update(worker)
    path = write_properties(os.path.join(folder, "worker.properties"),
                            {key: value for key, value in base.items() if value is not None})
    done = subprocess.run([SLUICE, "standalone", path, *connectors], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout


def test_runs_and_stops(tmp_path):
    port = free_port()
    with Sluice(tmp_path, {"rest": rest_source(port)}, verb="standalone") as sluice:
        sluice.wait_state("rest", "RUNNING")
        assert sluice.call("GET", "/connectors") == (200, ["rest"])
        sluice.told("Created connector rest")
    assert sluice.process.returncode == 0
    assert "Kafka Connect stopping" in sluice.text()


def test_usage_is_1():
    assert subprocess.run([SLUICE, "standalone"], stderr=subprocess.PIPE, check=False).returncode == 1


@pytest.mark.parametrize("worker, words", [
    ({"key.converter": None}, 'Missing required configuration "key.converter" which has no default value.'),
    ({"offset.storage.file.filename": None}, "offset.storage.file.filename"),
    ({"listeners": "ftp://127.0.0.1:1"}, "ftp"),
    ({"offset.flush.interval.ms": "soon"}, "offset.flush.interval.ms"),
])
def test_a_worker_that_cannot_start_is_2(tmp_path, worker, words):
    code, text = standalone(tmp_path, worker)
    assert (code, words in text) == (2, True), text


def test_a_worker_file_that_is_missing_is_2(tmp_path):
    done = subprocess.run([SLUICE, "standalone", str(tmp_path / "none")], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 2 and str(tmp_path / "none") in done.stdout


def test_a_port_in_use_is_2(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with Sluice(tmp_path / "one", {}, verb="standalone") as sluice:
        code, text = standalone(tmp_path / "two", {"listeners": f"http://127.0.0.1:{sluice.admin_port}"})
    assert code == 2 and str(sluice.admin_port) in text, text


@pytest.mark.parametrize("connector, words", [
    ({"connector.class": "NoSuchSink", "topics": "t"}, "NoSuchSink"),
    ({"connector.class": "RestSource", "tasks.max": "0"}, "tasks.max"),
    ({"topics": "t"}, "contains no connector type"),
])
def test_a_bad_connector_is_3(tmp_path, connector, words):
    path = write_properties(str(tmp_path / "bad.properties"), {"name": "bad", **connector})
    code, text = standalone(tmp_path, {}, path)
    assert (code, words in text) == (3, True), text


@pytest.mark.parametrize("behave, word", [("fail", "Failed to transition connector bad to state STARTED"),
                                          ("crash", "SIGABRT")])
def test_a_connector_that_does_not_start_is_3(tmp_path, behave, word):
    """As ConnectStandalone: what start() throws ends the worker."""
    worker = {"plugin.path": os.path.join(BUILD, "tests", "worker_plugins")}
    path = write_properties(str(tmp_path / "bad.properties"), {
        "name": "bad", "connector.class": "sluice.test.LineSourceConnector", "file": str(tmp_path / "in.txt"),
        "topic": "t", "behave": behave})
    code, text = standalone(tmp_path, worker, path)
    assert code == 3 and "Created connector" not in text, text
    assert word in text.split("Stopping after connector error")[1], text


def test_a_connector_file_that_is_missing_is_3(tmp_path):
    code, text = standalone(tmp_path, {}, str(tmp_path / "none.properties"))
    assert code == 3 and "none.properties" in text, text


def test_no_broker_is_2(tmp_path):
    """What is wrong is told while it waits, and again when it ends; the API answers meanwhile. Refused here: a full backlog, a
    port that takes connections and says nothing, an unknown name are the same to it."""
    worker = {"bootstrap.servers": f"127.0.0.1:{free_port()}", "default.api.timeout.ms": "15000",
              "task.shutdown.graceful.timeout.ms": "500"}
    sink = {"connector.class": "FileStreamSink", "topics": "t", "file": str(tmp_path / "out")}
    with Sluice(tmp_path, {"sink": sink}, worker, verb="standalone") as sluice:
        assert re.search(r"Connection refused.*; waiting \d+ s more", sluice.text()), sluice.text()
        assert "default.api.timeout.ms" not in sluice.text()  # which is honoured: no warning
        sluice.wait_state("sink", "RUNNING")
        assert sluice.process.wait(PATIENCE) == 2, sluice.text()
        wait_until(lambda: re.search(r"Failed to connect to and describe Kafka cluster.*Connection refused", sluice.text()),
                   what="the reason at the end")


def test_two_connectors_of_one_name_are_3(tmp_path):
    files = [write_properties(str(tmp_path / name), {"name": "same", **rest_source(free_port())})
             for name in ("a.properties", "b.properties")]
    code, text = standalone(tmp_path, {}, *files)
    assert code == 3 and "same" in text, text


def test_all_forms_of_connector_files(tmp_path):
    """Flat JSON, {name, config, initial_state}, and properties without a name."""
    flat, nested = tmp_path / "flat.json", tmp_path / "nested.json"
    flat.write_text(json.dumps({"name": "flat", **rest_source(free_port())}))
    nested.write_text(json.dumps({"name": "nested", "config": rest_source(free_port()),
                                  "initial_state": "paused"}))
    plain = write_properties(str(tmp_path / "plain.properties"), rest_source(free_port()))
    sluice = Sluice(tmp_path, {}, verb="standalone")
    sluice.files = [str(flat), str(nested), plain]
    with sluice:
        wait_until(lambda: len(sluice.call("GET", "/connectors")[1]) == 3, what="three connectors")
        sluice.wait_state("flat", "RUNNING")
        sluice.wait_state("plain", "RUNNING")
        assert sluice.status("nested")["connector"]["state"] == "PAUSED"


def test_workers_beside_each_other(tmp_path, broker):
    """Two workers whose offset files are in one folder do not stand in each other's way."""
    workers = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        workers.append(Sluice(tmp_path / name, {}, {"offset.storage.file.filename": f"{tmp_path}/{name}.offsets",
                                                    "bootstrap.servers": broker.bootstrap}, verb="standalone"))
    with workers[0], workers[1]:
        assert [one.call("GET", "/connectors") for one in workers] == [(200, [])] * 2
        clusters = {one.call("GET", "/")[1]["kafka_cluster_id"] for one in workers}
        assert clusters == {CLUSTER_ID}


def test_a_second_signal_ends_at_once(tmp_path):
    with Sluice(tmp_path, {"rest": rest_source(free_port())}, verb="standalone") as sluice:
        sluice.wait_state("rest", "RUNNING")
        sluice.process.send_signal(signal.SIGINT)
        assert sluice.process.wait(PATIENCE) in (0, 1)


@pytest.mark.parametrize("key, value", [
    ("value.converter", "io.confluent.connect.avro.AvroConverter"),
    ("config.providers.vault.class", "com.acme.VaultConfigProvider")])
def test_a_worker_without_its_classes_does_not_start(tmp_path, key, value):
    worker = {**Sluice(tmp_path, {}).worker, "config.providers": "vault", key: value}
    file = write_properties(tmp_path / "worker.properties", worker)
    done = subprocess.run([SLUICE, "standalone", file], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert f"Invalid value {value} for configuration {key}: Class {value} could not be found." in done.stderr


def test_offsets_that_cannot_be_stored_say_why(tmp_path):
    (tmp_path / "in.txt").write_text("one\n")
    source = {"connector.class": "FileStreamSource", "file": str(tmp_path / "in.txt"), "topic": "t"}
    (tmp_path / "folder").mkdir()
    with Sluice(tmp_path, {}, {"offset.storage.file.filename": f"{tmp_path}/folder/offsets",
                               "offset.flush.interval.ms": "100"}, verb="standalone") as sluice:
        shutil.rmtree(tmp_path / "folder")
        assert sluice.call("POST", "/connectors", {"name": "in", "config": {"name": "in", **source}})[0] == 201
        wait_until(lambda: f"Could not store offsets in {tmp_path}/folder/offsets: " in sluice.text()
                   and "No such file or directory" in sluice.text(), what="the cause in the log")


def test_one_worker_an_offset_file(tmp_path):
    """Logs of their own: without a lock the one that wrote last would count."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    offsets = {"offset.storage.file.filename": f"{tmp_path}/offsets"}
    with Sluice(tmp_path / "one", {}, offsets, verb="standalone") as sluice:
        code, text = standalone(tmp_path / "two", offsets)
        assert code == 2 and f"Another worker stores source offsets in {tmp_path}/offsets" in text, text
        sluice.process.kill()
        sluice.process.wait()
        with Sluice(tmp_path / "two", {}, offsets, verb="standalone"):
            pass


def test_a_signal_that_comes_twice_at_once_is_one(tmp_path):
    """timeout(1) signals its child, and then its group."""
    with Sluice(tmp_path, {"rest": rest_source(free_port())}, verb="standalone") as sluice:
        sluice.wait_state("rest", "RUNNING")
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            sluice.process.send_signal(number)
        assert sluice.process.wait(PATIENCE) == 0, sluice.text()
        assert "at once" not in sluice.text()
