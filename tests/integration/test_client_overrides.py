"""connector.client.config.override.policy and where keys of Kafka clients may stand, on the embedded log."""
import os
import subprocess
import urllib.request

import pytest
from harness import PATIENCE, SHARED, SLUICE, Sluice, wait_until, write_properties
from real_kafka import JvmConnect

SINK = {"connector.class": "FileStreamSink", "topics": "t"}
REST = {"connector.class": "RestSource", "listeners": "http://127.0.0.1:0"}


def validate(sluice, config):
    status, body = sluice.call("PUT", f"/connector-plugins/{config['connector.class']}/config/validate",
                               {"name": "x", **config})
    if status != 200:
        return status, body
    return status, {entry["value"]["name"]: entry for entry in body["configs"]}


def errors(entries, name):
    return entries[name]["value"]["errors"]


def refusal(policy, key):
    return [f"The '{policy}' policy does not allow '{key}' to be overridden in the connector configuration."]


@pytest.fixture(params=["All", "None", "Principal", "Allowlist"])
def sluice(request, tmp_path):
    worker = {"connector.client.config.override.policy": request.param,
              "connector.client.config.override.allowlist": "client.id, max.poll.records"}
    with Sluice(tmp_path, {}, worker) as one:
        one.policy = request.param
        yield one


def test_policies(sluice, tmp_path):
    allowed = {"All": {"client.id", "sasl.jaas.config", "no.such.key"}, "None": set(),
               "Principal": {"sasl.jaas.config"}, "Allowlist": {"client.id"}}[sluice.policy]
    config = {**SINK, "file": str(tmp_path / "x"), "consumer.override.client.id": "me",
              "consumer.override.sasl.jaas.config": "M required password=\"geheim7\";",
              "consumer.override.no.such.key": "1", "producer.override.client.id": "unused by a sink"}
    status, found = validate(sluice, config)
    assert status == 200
    for key in ("client.id", "sasl.jaas.config", "no.such.key"):
        wanted = [] if key in allowed else refusal(sluice.policy, key)
        assert errors(found, "consumer.override." + key) == wanted, key
    assert found["consumer.override.sasl.jaas.config"]["value"]["value"] == "[hidden]"
    assert found["consumer.override.client.id"]["definition"]["type"] == "STRING"
    assert found["consumer.override.no.such.key"]["definition"] is None
    assert "producer.override.client.id" not in found
    # with a dead letter queue the sink has a producer and an admin client
    _, found = validate(sluice, {**config, "errors.deadletterqueue.topic.name": "d", "admin.override.client.id": "a"})
    for key in ("producer.override.client.id", "admin.override.client.id"):
        assert errors(found, key) == ([] if "client.id" in allowed else refusal(sluice.policy, "client.id"))
    # the REST Proxy's prefix is bound by the policy as well
    _, found = validate(sluice, {**REST, "client.sasl.jaas.config": "M required password=\"geheim7\";"})
    assert ("client.sasl.jaas.config" in found and errors(found, "client.sasl.jaas.config") != []) == (
        "sasl.jaas.config" not in allowed)
    assert "geheim7" not in str(found)
    if sluice.policy == "None":
        status, body = sluice.call("PUT", "/connectors/x/config", {"name": "x", **config})
        assert status == 400 and refusal("None", "client.id")[0] in body["message"]


def test_values_of_the_wrong_type(tmp_path):
    """As in Connect, they fail the validation as a whole."""
    with Sluice(tmp_path, {}) as sluice:
        status, body = validate(sluice, {**SINK, "file": str(tmp_path / "x"), "consumer.override.max.poll.records": "x"})
        assert status == 500
        assert "Invalid value x for configuration max.poll.records: Not a number of type INT" in body["message"]


def test_several_come_in_the_order_of_a_java_map(tmp_path):
    """And the first in that order is the one complained about."""
    names = ["sasl.oauthbearer.expected.audience", "ssl.endpoint.identification.algorithm"]
    with Sluice(tmp_path, {}) as sluice:
        _, entries = validate(sluice, {**SINK, **{f"consumer.override.{name}": "x" for name in reversed(names)}})
        assert [name for name in entries if "override" in name] == [f"consumer.override.{name}" for name in names]
        for first, second in (("retry.backoff.ms", "sasl.oauthbearer.header.urlencode"), ("fetch.max.wait.ms", "sasl.kerberos.ticket.renew.window.factor")):
            _, body = validate(sluice, {**SINK, f"consumer.override.{second}": "x", f"consumer.override.{first}": "x"})
            assert f"Invalid value x for configuration {first}: " in body["message"]


def test_classes(tmp_path):
    """That the JVM's worker would not find either; those of Kafka and of what is built in are taken."""
    with Sluice(tmp_path, {}) as sluice:
        key = "sasl.client.callback.handler.class"
        for name in ("x", "", "com.example.Nope", "FileStreamSin"):
            status, body = validate(sluice, {**SINK, f"consumer.override.{key}": name})
            assert status == 500 and f"Invalid value {name} for configuration {key}: Class {name} could not be found." in body["message"]
        for name in ("software.amazon.msk.auth.iam.IAMClientCallbackHandler", " java.lang.String ", "FileStreamSink"):
            assert validate(sluice, {**SINK, f"consumer.override.{key}": name})[0] == 200


def test_as_jvm_connect(broker, tmp_path):
    """The same questions to JVM Connect under the policy None: same answers but for docs and the order of a HashMap."""
    policy = {"connector.client.config.override.policy": "None"}
    config = {**SINK, "name": "x", "file": str(tmp_path / "x"), "producer.override.acks": "1",
              **{"consumer.override." + key: value for key, value in {
                  "client.id": "me", "sasl.jaas.config": "M required;", "no.such": "1", "max.poll.records": "0",
                  "interceptor.classes": "a, b", "receive.buffer.bytes": "-1"}.items()}}

    def answers(worker):
        status, body = worker.call("PUT", "/connector-plugins/FileStreamSink/config/validate", config)
        assert status == 200
        found = {entry["value"]["name"]: entry for entry in body["configs"] if ".override." in entry["value"]["name"]}
        for entry in found.values():
            if entry["definition"]:
                del entry["definition"]["documentation"]
        bad = {**config, "consumer.override.max.poll.records": "x"}
        return (found, body["error_count"], body["groups"],
                worker.call("PUT", "/connector-plugins/FileStreamSink/config/validate", bad),
                worker.call("PUT", "/connectors/x/config", bad))

    with JvmConnect(tmp_path / "jvm", broker.bootstrap, worker=policy) as jvm:
        expected = answers(jvm)
    (tmp_path / "own").mkdir()
    with Sluice(tmp_path / "own", {}, policy) as sluice:
        assert answers(sluice) == expected


def test_most_records_of_a_put(tmp_path):
    """max.poll.records of the worker, and of the connector over it, bound what a sink is given at a time."""
    out = tmp_path / "out.txt"
    connectors = {"in": {"connector.class": "FileStreamSource", "topic": "t", "file": str(tmp_path / "in.txt")},
                  "out": {**SINK, "file": str(out), "consumer.override.max.poll.records": "7"}}
    (tmp_path / "in.txt").write_text("".join(f"{number}\n" for number in range(500)), encoding="utf-8")
    worker = {"value.converter": "org.apache.kafka.connect.storage.StringConverter"}
    with Sluice(tmp_path, connectors, worker) as sluice:
        wait_until(lambda: out.exists() and out.read_text().count("\n") == 500, what="500 lines")
        with urllib.request.urlopen(f"http://127.0.0.1:{sluice.admin_port}/metrics") as answer:
            text = answer.read().decode()
        most = [float(line.split()[-1]) for line in text.splitlines()
                if line.startswith("kafka_connect_connector_task_metrics_batch_size_max{") and 'connector="out"' in line]
        assert most and max(most) <= 7, most


def test_unknown_policy(tmp_path):
    path = write_properties(str(tmp_path / "worker.properties"), {
        "bootstrap.servers": f"local:{tmp_path}/log", "connector.client.config.override.policy": "com.example.Mine"})
    done = subprocess.run([SLUICE, "run", path], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2 and "no such policy" in done.stderr, done.stderr


def test_check_of_a_client_file(tmp_path):
    """The owner's client.properties and kafka-rest.properties as they are; and one with faults."""
    owner = os.path.join(SHARED, "data", "pinterest", "owner")
    if os.path.isdir(owner):
        files = [os.path.join(owner, "client.properties"), os.path.join(owner, "kafka-rest.properties")]
        done = subprocess.run([SLUICE, "check", *files], capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0 and "0 errors, 0 warnings" in done.stdout, done.stdout
    path = write_properties(str(tmp_path / "client.properties"), {
        "security.protocol": "TLS", "sasl.mechansim": "PLAIN", "sasl.kerberos.service.name": "kafka"})
    done = subprocess.run([SLUICE, "check", path], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2 and "1 error, 2 warnings" in done.stdout, done.stdout
    assert "Invalid value TLS for configuration security.protocol" in done.stdout
    assert "did you mean sasl.mechanism?" in done.stdout and "Kerberos" in done.stdout


def test_check(tmp_path):
    """`sluice check` knows every key of clients, wherever it may stand."""
    worker = write_properties(str(tmp_path / "worker.properties"), {
        "bootstrap.servers": "broker:9092", "offset.storage.file.filename": str(tmp_path / "offsets"),
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "consumer.max.poll.recrods": "5", "producer.linger.ms": "soon", "admin.retries": "3",
        "producer.interceptor.classes": "com.example.Spy", "sasl.mechanism": "PLAIN"})
    sink = write_properties(str(tmp_path / "sink.properties"), {
        **SINK, "name": "s", "file": "x", "consumer.override.max.poll.records": "0",
        "consumer.override.fetch.min.bytes": "1"})
    done = subprocess.run([SLUICE, "check", worker, sink], capture_output=True, text=True, timeout=PATIENCE, check=False)
    text = done.stdout
    assert done.returncode == 2
    assert "consumer.max.poll.recrods: no such key is known" in text and "consumer.max.poll.records" in text
    assert "Invalid value soon for configuration producer.linger.ms: Not a number of type LONG" in text
    assert "producer.interceptor.classes: cannot be honoured" in text and "interceptors are Java classes" in text
    assert "consumer.override.max.poll.records: Value must be at least 1" in text
    assert "2 errors, 2 warnings" in text, text
