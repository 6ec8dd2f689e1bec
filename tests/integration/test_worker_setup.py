"""The worker: connectors that are validated and set up, by classes that fail, hang and crash."""
import json
import os
import re
import shutil
import subprocess

import pytest
from harness import BUILD, PATIENCE, SLUICE, Sluice, wait_until
from worker_lines import SOURCE, WORKER, connector_state, lines, start  # noqa: F401


def test_set_up_that_hangs_or_crashes_costs_its_connector_only(tmp_path, lines):
    patience = 15000  # others have this long to be served beside it
    with start(tmp_path, lines.connectors(), **{"sluice.plugin.timeout.ms": str(patience)}) as sluice:
        hang = {"connector.class": SOURCE, "file": lines.path, "topic": "h", "behave": "hang"}
        client = subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-X", "POST", "-H",
                                   "Content-Type: application/json", "-d",
                                   json.dumps({"name": "hang", "config": hang}),
                                   f"http://127.0.0.1:{sluice.admin_port}/connectors"])
        wait_until(lambda: sluice.pids("sluice-host", "connector", "hang"))
        lines.write(10)
        lines.arrive()
        assert sluice.call("GET", "/connectors/lines/status")[0] == 200
        assert client.poll() is None and sluice.pids("sluice-host", "connector", "hang"), "it waited for the plugin"
        client.wait(PATIENCE)
        trace = connector_state(sluice, "hang", "FAILED")["trace"]
        assert re.search(f"Connector hang was not done within {patience} ms and was killed; "
                         r"it was in task_configs\(\) of " + SOURCE, trace), trace
        assert sluice.call("DELETE", "/connectors/hang")[0] == 204
        status, answer = sluice.call("POST", "/connectors",
                                     {"name": "crash", "config": {**hang, "behave": "crash"}})
        assert status == 500 and "SIGABRT" in answer["message"]  # it is there all the same, as in Connect
        trace = connector_state(sluice, "crash", "FAILED")["trace"]
        assert "crashed in task_configs of " + SOURCE + ": SIGABRT" in trace
        assert "at source_tasks (line.c:" in trace
        assert sluice.running("lines") and sluice.running("copy")


def test_set_up_that_fails_is_answered_as_connect_does(tmp_path, lines):
    """Recorded from JVM Connect 3.9.1 with a connector whose start() throws."""
    with start(tmp_path, {}) as sluice:
        config = {"connector.class": SOURCE, "file": lines.path, "topic": "f", "behave": "fail"}
        says = {"error_code": 500, "message": "Failed to transition connector f to state STARTED"}
        assert sluice.call("POST", "/connectors", {"name": "f", "config": config}) == (500, says)
        trace = connector_state(sluice, "f", "FAILED")["trace"]
        assert "No tasks today" in trace
        assert sluice.call("GET", "/connectors/f")[1]["tasks"] == []
        assert sluice.call("POST", "/connectors/f/restart") == (500, says)
        assert sluice.call("POST", "/connectors", {"name": "p", "config": config, "initial_state": "PAUSED"})[0] == 201
        assert sluice.call("PUT", "/connectors/p/resume")[0] == 202
        connector_state(sluice, "p", "FAILED")
        assert sluice.call("PUT", "/connectors/f/config", {**config, "behave": "well"})[0] == 200
        sluice.wait_state("f", "RUNNING")


def test_what_is_found_before_the_start_is_told_as_it_is(tmp_path, lines):
    """Not `Failed to transition ..`: Worker.startConnector() reads topic.creation.* before the class is asked."""
    with Sluice(str(tmp_path), lines.connectors(), WORKER) as sluice:
        config = {"connector.class": SOURCE, "file": lines.path, "topic": "t", "topic.creation.default.partitions": "1"}
        why = 'Missing required configuration "topic.creation.default.replication.factor" which has no default value.'
        assert sluice.call("POST", "/connectors", {"name": "f", "config": config}) == \
            (500, {"error_code": 500, "message": why})
        status = sluice.call("GET", "/connectors/f/status")[1]["connector"]
        assert status["state"] == "FAILED"
        assert status["trace"].startswith("org.apache.kafka.common.config.ConfigException: " + why)


def test_a_source_that_was_never_made_stays_failed_until_it_is_made_anew(tmp_path, lines):
    """As in the JVM: there is nothing that could be paused, resumed or stopped, whatever it is to be."""
    with Sluice(str(tmp_path), lines.connectors(), WORKER) as sluice:
        good = {"connector.class": SOURCE, "file": lines.path, "topic": "t"}
        bad = {**good, "topic.creation.default.partitions": "1"}
        why = (500, {"error_code": 500, "message": 'Missing required configuration "topic.creation.default.replication.factor"'
                                                   ' which has no default value.'})
        assert sluice.call("POST", "/connectors", {"name": "f", "config": bad, "initial_state": "STOPPED"}) == why
        for verb, status in (("resume", 202), ("pause", 202), ("stop", 204)):
            assert sluice.call("PUT", f"/connectors/f/{verb}")[0] == status
            assert sluice.status("f")["connector"]["state"] == "FAILED"
        assert sluice.call("POST", "/connectors/f/restart") == why
        assert sluice.call("GET", "/connectors/f/offsets") == why
        assert sluice.call("DELETE", "/connectors/f/offsets") == why
        assert sluice.call("PUT", "/connectors/f/config", good)[0] == 200
        assert sluice.status("f")["connector"]["state"] == "STOPPED"
        assert sluice.call("GET", "/connectors/f/offsets") == (200, {"offsets": []})
        assert sluice.call("PUT", "/connectors/f/config", bad) == why  # the former one stays
        assert sluice.call("GET", "/connectors/f/config")[1] == {**good, "name": "f"}


@pytest.mark.skipif(not os.environ.get("SLUICE_FULL"), reason="takes 90 s: SLUICE_FULL=1")
def test_request_that_times_out_says_what_the_worker_does(tmp_path, lines):
    with start(tmp_path, {}, **{"sluice.plugin.timeout.ms": "120000"}) as sluice:
        def ask(name, **config):
            body = json.dumps({"name": name, "config": {"topics": "t", **config}})
            return subprocess.Popen(["curl", "-s", "-X", "POST", "-H", "Content-Type: application/json", "-d", body,
                                     f"http://127.0.0.1:{sluice.admin_port}/connectors"],
                                    stdout=subprocess.PIPE, text=True)
        validates = ask("v", **{"connector.class": "bad.HangInValidation"})
        starts = ask("s", **{"connector.class": SOURCE, "file": lines.path, "topic": "f", "behave": "hang"})
        when = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"
        answer = json.loads(validates.communicate(timeout=100)[0])
        assert answer["error_code"] == 500
        assert re.fullmatch("Request timed out. The worker is currently performing multi-property validation for the "
                            f"connector, which began at {when}.", answer["message"]), answer
        answer = json.loads(starts.communicate(timeout=100)[0])
        assert re.fullmatch("Request timed out. The last operation the worker completed was validating producer config "
                            f"overrides for the connector, which began at {when} and completed at {when}.",
                            answer["message"]), answer
        for name in ("v", "s"):
            sluice.call("DELETE", f"/connectors/{name}")


def test_delete_ends_a_set_up_that_hangs(tmp_path, lines):
    connectors = lines.connectors()
    with start(tmp_path, connectors, **{"sluice.plugin.timeout.ms": "60000"}) as sluice:
        hang = {**connectors["lines"], "behave": "hang"}
        client = subprocess.Popen(["curl", "-s", "-X", "PUT", "-H", "Content-Type: application/json", "-d",
                                   json.dumps(hang),
                                   f"http://127.0.0.1:{sluice.admin_port}/connectors/hang/config"],
                                  stdout=subprocess.PIPE, text=True)
        wait_until(lambda: sluice.pids("sluice-host", "connector", "hang"))
        assert sluice.call("DELETE", "/connectors/hang")[0] == 204
        assert json.loads(client.communicate(timeout=PATIENCE)[0])["error_code"] == 409
        assert sluice.call("GET", "/connectors/hang")[0] == 404
        assert not sluice.pids("sluice-host", "connector")


def test_bad_new_configuration_leaves_the_old_one_running(tmp_path, lines):
    connectors = lines.connectors()
    with start(tmp_path, connectors) as sluice:
        pid = sluice.pids("sluice-host", "task", "lines-0")
        good = sluice.call("GET", "/connectors/lines/config")[1]
        status, answer = sluice.call("PUT", "/connectors/lines/config", {**good, "behave": "badly"})
        assert status == 400 and "behave" in answer["message"]
        status, answer = sluice.call("PUT", "/connectors/lines/config", {**good, "behave": "crash"})
        assert status == 500 and "SIGABRT" in answer["message"]
        assert sluice.call("GET", "/connectors/lines/config")[1] == good
        assert sluice.pids("sluice-host", "task", "lines-0") == pid
        lines.write(10)
        lines.arrive()


def test_hang_in_validation(tmp_path, lines):
    connectors = lines.connectors()
    connectors["bad"] = {"connector.class": "bad.HangInValidation", "topics": "t"}
    with start(tmp_path, connectors, **{"sluice.plugin.timeout.ms": "8000"}) as sluice:  # enough for those that do not hang
        trace = connector_state(sluice, "bad", "FAILED")["trace"]
        assert "The validation of bad was not done within 8000 ms and was killed" in trace
        assert "in validate() of bad.HangInValidation" in trace
        assert sluice.running("lines")


@pytest.mark.parametrize("name, reason", [("bad.WrongAbi", "wrong_abi.so"), ("bad.MissingSymbol", "missing_symbol.so"),
                                          ("bad.TextFile", "text_file.so")])
def test_plugin_that_cannot_be_loaded(tmp_path, lines, name, reason):
    connectors = lines.connectors()
    connectors["bad"] = {"connector.class": name, "topics": "t"}
    with start(tmp_path, connectors) as sluice:
        trace = connector_state(sluice, "bad", "FAILED")["trace"]
        assert f"which name matches {name}" in trace
        line = next(line for line in trace.splitlines() if reason in line)
        assert len(line) > len(reason) + 20
        assert sluice.running("lines")


def test_secrets_are_not_shown(tmp_path, lines):
    connectors = lines.connectors()
    secret = "open-sesame-4711"
    connectors["lines"]["secret"] = secret
    connectors["lines"]["behave"] = "exit"
    with start(tmp_path, connectors, **{"producer.sasl.jaas.config": secret}) as sluice:
        sluice.wait_state("lines", "FAILED")
        body = {"connector.class": SOURCE, "topic": "t", "secret": secret}
        status, answer = sluice.call("PUT", "/connector-plugins/LineSource/config/validate", body)
        assert status == 200
        assert secret not in json.dumps(answer) and "[hidden]" in json.dumps(answer)
        assert secret not in json.dumps(sluice.status("lines"))
        for pid, command in sluice.children().items():
            with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as environ:
                assert secret not in environ.read() + command
    assert secret not in sluice.text()


def test_a_class_that_is_there_twice_is_told(tmp_path):
    """A build folder beside a plugin built by hand: the old one is used, so somebody has to say so."""
    built = os.path.join(BUILD, "tests", "worker_plugins", "line.so")
    (tmp_path / "plugins" / "build").mkdir(parents=True)
    for folder in ("plugins", "plugins/build"):
        shutil.copy(built, tmp_path / folder / "line.so")
    with Sluice(str(tmp_path), {}, worker={"plugin.path": str(tmp_path / "plugins")}) as sluice:
        wait_until(lambda: f"{SOURCE} is on plugin.path more than once" in sluice.text(),
                   what="the warning")


def test_a_warning_does_not_steer_the_terminal(tmp_path):
    """On a terminal warnings stand above the table of progress; their words may be a record's, or a plugin's."""
    (tmp_path / "c.properties").write_text("name=c\nconnector.class=no.\\u001b[31mSuch\n", encoding="ascii")
    ours, theirs = os.openpty()
    with subprocess.Popen([SLUICE, "run", "--data", str(tmp_path / "data"), "--rest", "off", str(tmp_path / "c.properties")],
                          stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.STDOUT) as process:
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        assert process.wait(PATIENCE) == 2, said
    assert b"no.\\u001b[31mSuch" in said and b"\x1b[31m" not in said, said
