"""Config providers: variables are resolved where they are used, and what they stand for is seen nowhere else."""
import json
import os
import resource
import signal

import pytest
from harness import BUILD, Sluice, wait_until

PACKAGE = "org.apache.kafka.common.config.provider."
WORKER = {
    "plugin.path": os.path.join(BUILD, "tests", "worker_plugins"), "config.providers": "file,dir,env,strict",
    "config.providers.file.class": PACKAGE + "FileConfigProvider",
    "config.providers.dir.class": PACKAGE + "DirectoryConfigProvider",
    "config.providers.env.class": PACKAGE + "EnvVarConfigProvider",
    "config.providers.env.param.allowlist.pattern": "SLUICE_OPEN_.*",
    "config.providers.strict.class": PACKAGE + "FileConfigProvider",
}
SOURCE = "sluice.test.LineSourceConnector"
SECRET = "planted-secret-5e1f9c"


@pytest.fixture
def home(tmp_path):
    (tmp_path / "in.txt").write_text("a\n")
    (tmp_path / "open").mkdir()
    (tmp_path / "shut").mkdir()
    for name in ("open", "shut"):
        (tmp_path / name / "x.properties").write_text(f"topic=topic-{name}\nodd=a\\u00e4\\\n  b\n")
    (tmp_path / "open" / "plain").write_text("topic-plain")
    return tmp_path


def worker(home):
    return {**WORKER, "config.providers.strict.param.allowed.paths": f"{home}/open"}


def config(home, **more):
    return {"connector.class": SOURCE, "file": f"{home}/in.txt", **more}


@pytest.mark.parametrize("text, topic", [
    ("${file:{home}/open/x.properties:topic}", "topic-open"),
    ("pre-${file:{home}/shut/x.properties:topic}-post", "pre-topic-shut-post"),
    ("${dir:{home}/open:plain}", "topic-plain"),
    ("${env:SLUICE_OPEN_TOPIC}", "topic-env"),
    ("${strict:{home}/open/x.properties:topic}", "topic-open"),
    ("${strict:{home}/open/../open/x.properties:topic}", "topic-open"),
])
def test_resolved(home, monkeypatch, text, topic):
    monkeypatch.setenv("SLUICE_OPEN_TOPIC", "topic-env")
    raw = text.replace("{home}", str(home))
    with Sluice(home, {}, worker(home)) as sluice:
        assert sluice.call("POST", "/connectors", {"name": "c", "config": config(home, topic=raw)})[0] == 201
        wait_until(lambda: sluice.call("GET", "/connectors/c/topics")[1]["c"]["topics"] == [topic], what=topic)
        assert sluice.call("GET", "/connectors/c/config")[1]["topic"] == raw
        assert sluice.call("GET", "/connectors/c/tasks")[1][0]["config"]["topic"] == raw


@pytest.mark.parametrize("text", [
    "${file:{home}/open/x.properties:none}", "${nobody:a:b}", "${strict:{home}/shut/x.properties:topic}",
    "${strict:{home}/open/../shut/x.properties:topic}", "${strict:{home}/opener/x.properties:topic}",
    "${dir:{home}/open:../shut/x.properties}", "${dir:{home}/none:x}", "${env:SLUICE_SHUT_TOPIC}", "${file::topic}", "${file}",
])
def test_left_as_it_is(home, monkeypatch, text):
    monkeypatch.setenv("SLUICE_SHUT_TOPIC", "never")
    raw = text.replace("{home}", str(home))
    with Sluice(home, {}, worker(home)) as sluice:
        body = config(home, topic="t", name="v", note=raw)
        body["tasks.max"] = raw
        answer = sluice.call("PUT", "/connector-plugins/LineSource/config/validate", body)[1]
        errors = [config["value"]["errors"] for config in answer["configs"] if config["value"]["name"] == "tasks.max"][0]
        assert f"Invalid value {raw} for configuration tasks.max: Not a number of type INT" in errors


@pytest.mark.parametrize("text, message", [
    ("${file:/no/such.properties:k}", "Could not read properties from file /no/such.properties"),
    ("${env:some/path:K}", "Path is not supported for EnvVarConfigProvider, invalid value 'some/path'"),
])
def test_refused(home, text, message):
    with Sluice(home, {}, worker(home)) as sluice:
        assert sluice.call("POST", "/connectors", {"name": "c", "config": config(home, topic=text)}) == (
            500, {"error_code": 500, "message": message})
        answer = sluice.call("PUT", "/connector-plugins/LineSource/config/validate", config(home, topic=text, name="v"))[1]
        assert answer["message"] == "org.apache.kafka.common.config.ConfigException: " + message


@pytest.mark.parametrize("paths, message", [
    (",", "allowed.paths has no path in it"),  # as in ${DIR},${OTHER} with neither set: not a leave to read all
    ("open", "Path open is not absolute"), ("/no/such", "Path /no/such does not exist"),
])
def test_allowed_paths_refused(home, paths, message):
    with Sluice(home, {}, {**WORKER, "config.providers.strict.param.allowed.paths": paths}) as sluice:
        text = "${strict:%s/shut/x.properties:topic}" % home
        status, answer = sluice.call("POST", "/connectors", {"name": "c", "config": config(home, topic=text)})
        assert (status, answer["message"]) == (500, message)


def test_a_file_that_is_lost(home):
    """As recorded of Connect: the connector is UNASSIGNED, its task runs on."""
    secrets = home / "s.properties"
    secrets.write_text("topic=t\n")
    with Sluice(home, {}, worker(home)) as sluice:
        body = config(home, topic="${file:%s:topic}" % secrets)
        assert sluice.call("POST", "/connectors", {"name": "c", "config": body})[0] == 201
        wait_until(lambda: sluice.running("c"), what="it runs")
        secrets.unlink()
        status, answer = sluice.call("POST", "/connectors/c/restart")
        assert (status, answer["message"]) == (500, f"Could not read properties from file {secrets}")
        states = sluice.status("c")
        assert states["connector"]["state"] == "UNASSIGNED" and states["tasks"][0]["state"] == "RUNNING"
        secrets.write_text("topic=t\n")
        assert sluice.call("POST", "/connectors/c/restart")[0] == 204
        assert sluice.running("c")


def seen_by_ps(sluice):
    text = b""
    for pid in [sluice.process.pid, *sluice.children()]:
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    text += file.read()
            except OSError:
                pass
    return text


def test_a_secret_is_seen_nowhere(home):
    """In no answer, no line, no file but its own, no command line, and in no core file."""
    (home / "s.properties").write_text(f"password={SECRET}\ntopic=t-{SECRET}\n")
    place = f"{home}/s.properties"
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    settings = {**worker(home), "producer.sasl.jaas.config": "x required password=\"${file:%s:password}\";" % place}
    with Sluice(home, {}, settings, ["--log-level", "TRACE"]) as sluice:
        answers = []
        bodies = {
            "good": config(home, topic="t", secret="${file:%s:password}" % place),
            # every one fails with a text that names the value
            "type": {**config(home, topic="t"), "tasks.max": "${file:%s:password}" % place},
            "class": {**config(home, topic="t"), "value.converter": "${file:%s:password}" % place},
            "list": {**config(home, topic="t"), "transforms": "a", "transforms.a.type": "${file:%s:password}" % place},
            "topic": config(home, topic="bad topic ${file:%s:topic}" % place),
            "file": {"connector.class": "FileStreamSink", "topics": "t", "file": "/no/${file:%s:password}/x" % place},
            "behave": config(home, topic="t", behave="${file:%s:password}" % place),
        }
        for name, body in bodies.items():
            answers.append(sluice.call("POST", "/connectors", {"name": name, "config": body}))
            plugin = body["connector.class"]
            answers.append(sluice.call("PUT", f"/connector-plugins/{plugin}/config/validate", {"name": name, **body}))
        wait_until(lambda: sluice.running("good"), what="it runs")
        wait_until(lambda: sluice.task("file").get("state") == "FAILED", what="its file cannot be opened")
        for path in ("/connectors?expand=info&expand=status", "/connectors/good/tasks", "/connectors/good/tasks-config",
                     "/connectors/file/status", "/connectors/good/topics", "/connectors/good/logs", "/connectors/file/logs"):
            answers.append(sluice.call("GET", path))
        assert SECRET not in json.dumps(answers)
        assert SECRET.encode() not in seen_by_ps(sluice)
        host = sluice.pids("sluice-host", "good-0")[0]
        for pid in (host, sluice.process.pid):
            with open(f"/proc/{pid}/coredump_filter", encoding="ascii") as file:
                assert int(file.read(), 16) == 0
        assert resource.prlimit(host, resource.RLIMIT_CORE)[0] == 0
        os.kill(host, signal.SIGSEGV)
        wait_until(lambda: sluice.task("good").get("state") == "FAILED", what="it crashed")
        assert SECRET not in json.dumps(sluice.status("good"))
    assert SECRET not in "".join(sluice.output)
    for folder, _, names in os.walk(home):
        for name in names:
            path = os.path.join(folder, name)
            if name != "s.properties" and os.path.isfile(path):
                with open(path, "rb") as file:
                    assert SECRET.encode() not in file.read(), path


@pytest.mark.parametrize("action", ["restart", "none"])
def test_values_that_are_good_for_a_time(home, action):
    """The connector is restarted when they are over, unless config.action.reload says none; deleted, it stays away."""
    lease = home / "lease"
    lease.write_text("first\n")
    providers = {**WORKER, "config.providers": "lease", "config.providers.lease.class": "sluice.test.LeaseProvider"}
    with Sluice(home, {}, {k: v for k, v in providers.items() if not k.startswith("config.providers.") or "lease" in k}) \
            as sluice:
        def topics():
            return sluice.call("GET", "/connectors/c/topics")[1]["c"]["topics"]

        assert sluice.call("POST", "/connectors", {"name": "c", "config": config(
            home, topic="${lease:%s:300}" % lease, **{"config.action.reload": action})})[0] == 201
        wait_until(lambda: topics() == ["first"], what="topic first")
        lease.write_text("second\n")
        if action == "restart":
            wait_until(lambda: "values of a config provider are outdated" in sluice.text(), what="a restart")
        with open(home / "in.txt", "a", encoding="utf-8") as file:
            file.write("b\n")
        if action == "restart":
            def append():
                with open(home / "in.txt", "a", encoding="utf-8") as more:
                    more.write("c\n")
                return "second" in topics()
            wait_until(append, what="topic second")
        else:  # one with the same lease and the default is: this one had as long
            assert sluice.call("POST", "/connectors", {"name": "d", "config": config(
                home, topic="${lease:%s:300}" % lease)})[0] == 201
            wait_until(lambda: "Connector d is restarted: values of a config provider are outdated" in sluice.text(),
                       what="a restart of d")
            assert topics() == ["first"] and "Connector c is restarted" not in sluice.text()
            assert sluice.call("DELETE", "/connectors/d")[0] == 204
        assert sluice.call("DELETE", "/connectors/c")[0] == 204
        assert sluice.call("GET", "/connectors")[1] == []
