"""Rights that lack on a real broker (StandardAuthorizer): a clear error in status and log, and back once given."""
import time

import pytest
from harness import Sluice, wait_until, within
from real_kafka import Broker, Missing, kafka

STRING = "org.apache.kafka.connect.storage.StringConverter"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required "
LOGIN = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
         "sasl.jaas.config": PLAIN + 'username="alice" password="alice-secret";'}
CONFIG = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # of the listeners without login: this test and the broker itself
    "sasl.enabled.mechanisms": "PLAIN", "auto.create.topics.enable": "false",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config": PLAIN + 'user_alice="alice-secret";',
}
BACK = {"sluice.restart.max.attempts": "1000", "sluice.restart.backoff.ms": "200"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    try:
        kafka()
        with Broker(tmp_path_factory.mktemp("acls"), listeners=("PLAINTEXT", "SASL_PLAINTEXT"), config=CONFIG) as one:
            yield one
    except Missing as missing:
        pytest.skip(f"no Kafka broker: {missing}")


def rights(broker, kind, name):
    """What alice may do, as the broker's own authorizer has it."""
    admin = kafka().admin
    found, _ = broker.admin_client().describe_acls(of_alice(kind, name))
    return {acl.operation for acl in found if acl.permission_type == admin.ACLPermissionType.ALLOW}


def of_alice(kind, name):
    admin = kafka().admin
    return admin.ACLFilter(principal="User:alice", host="*", operation=admin.ACLOperation.ANY,
                           permission_type=admin.ACLPermissionType.ANY,
                           resource_pattern=admin.ResourcePatternFilter(admin.ResourceType[kind], name,
                                                                        admin.ACLResourcePatternType.LITERAL))


def grant(broker, kind, name, *operations):
    """Returns when it is in force: the answer is the controller's, the broker hears of it afterwards."""
    admin = kafka().admin
    wanted = {admin.ACLOperation[operation] for operation in operations}
    broker.admin_client().create_acls([
        admin.ACL(principal="User:alice", host="*", operation=operation,
                  permission_type=admin.ACLPermissionType.ALLOW,
                  resource_pattern=admin.ResourcePattern(admin.ResourceType[kind], name))
        for operation in wanted])
    wait_until(lambda: wanted <= rights(broker, kind, name), what=lambda: f"{wanted} on {kind} {name}")


def take_back(broker, kind, name):
    broker.admin_client().delete_acls([of_alice(kind, name)])
    wait_until(lambda: not rights(broker, kind, name), what=lambda: f"nothing on {kind} {name}")


def worker(folder, broker, connectors, **more):
    login = {prefix + key: value for prefix in ("", "consumer.", "producer.", "admin.") for key, value in LOGIN.items()}
    return Sluice(folder, connectors, {"bootstrap.servers": broker.address("SASL_PLAINTEXT"), **login, "value.converter": STRING,
                                       "offset.flush.interval.ms": "300", **more}, verb="standalone")


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def fails(sluice, name, *words):
    """The task fails within 10 s; trace and log say why."""
    begin = time.monotonic()
    trace = sluice.wait_state(name, "FAILED")["trace"]
    took = time.monotonic() - begin
    assert took < within(10), f"{took:.1f} s"
    for word in words:
        assert word in trace, trace
        sluice.told(word)


def restart(sluice, name):
    """As an operator does with Connect, where a task that failed stays failed."""
    assert sluice.call("POST", f"/connectors/{name}/tasks/0/restart")[0] == 204


def test_no_right_to_the_topic_then_to_the_group(tmp_path, guarded, topic):
    guarded.create_topic(topic)
    guarded.produce(topic, [b"one"])
    sink = {"connector.class": "FileStreamSink", "topics": topic, "file": str(tmp_path / "out")}
    with worker(tmp_path, guarded, {"s": sink}) as sluice:
        fails(sluice, "s", "GroupAuthorizationException", "connect-s", "READ on the group")
        grant(guarded, "GROUP", "connect-s", "READ")
        restart(sluice, "s")
        wait_until(lambda: "TopicAuthorizationException" in sluice.task("s").get("trace", ""),
                   what=lambda: "the topic's fault\n" + sluice.text())
        fails(sluice, "s", "TopicAuthorizationException", topic)
        assert lines_of(tmp_path / "out") == []
        grant(guarded, "TOPIC", topic, "READ")
        restart(sluice, "s")
        sluice.wait_state("s", "RUNNING")
        wait_until(lambda: lines_of(tmp_path / "out") == ["one"], what=lambda: "the record\n" + sluice.text())


def test_a_sink_comes_back_by_itself(tmp_path, guarded, topic):
    guarded.create_topic(topic)
    guarded.produce(topic, [b"one"])
    sink = {"connector.class": "FileStreamSink", "topics": topic, "file": str(tmp_path / "out")}
    with worker(tmp_path, guarded, {"back": sink}, **BACK) as sluice:
        wait_until(lambda: "GroupAuthorizationException" in sluice.text(), what=sluice.text)
        grant(guarded, "GROUP", "connect-back", "READ")
        grant(guarded, "TOPIC", topic, "READ")
        wait_until(lambda: lines_of(tmp_path / "out") == ["one"], what=lambda: "the record\n" + sluice.text())
        wait_until(lambda: guarded.committed("connect-back") == {(topic, 0): 1}, what=lambda: "the commit\n" + sluice.text())


@pytest.mark.parametrize("kind", ["TOPIC", "GROUP"])
def test_a_right_that_is_taken_away(tmp_path, guarded, topic, kind):
    """While it runs: it fails with the reason, nothing is committed that was not written, and it goes on later."""
    name = "away-" + kind.lower()
    resource = topic if kind == "TOPIC" else "connect-" + name
    guarded.create_topic(topic)
    guarded.produce(topic, [b"one"])
    grant(guarded, "GROUP", "connect-" + name, "READ")
    grant(guarded, "TOPIC", topic, "READ")
    sink = {"connector.class": "FileStreamSink", "topics": topic, "file": str(tmp_path / "out"),
            # without the right a member cannot even leave
            "consumer.override.session.timeout.ms": "1500", "consumer.override.heartbeat.interval.ms": "300"}
    with worker(tmp_path, guarded, {name: sink}) as sluice:
        wait_until(lambda: guarded.committed("connect-" + name) == {(topic, 0): 1}, what=lambda: "the commit\n" + sluice.text())
        before = lines_of(tmp_path / "out")  # "one"; again where a busy machine let the session run out
        take_back(guarded, kind, resource)
        guarded.produce(topic, [b"two"])
        fails(sluice, name, kind.title() + "AuthorizationException", resource)
        grant(guarded, kind, resource, "READ")
        restart(sluice, name)
        wait_until(lambda: guarded.committed("connect-" + name) == {(topic, 0): 2}, what=lambda: "the commit\n" + sluice.text())
    after = lines_of(tmp_path / "out")[len(before):]
    assert set(before) == {"one"} and set(after) == {"two"}, (before, after)


def test_an_idle_sink_notices_too(tmp_path, guarded, topic):
    """Nothing comes and nothing is to be committed: the right to the group is missed all the same."""
    guarded.create_topic(topic)
    grant(guarded, "GROUP", "connect-idle", "READ")
    grant(guarded, "TOPIC", topic, "READ")
    sink = {"connector.class": "FileStreamSink", "topics": topic, "file": str(tmp_path / "out")}
    with worker(tmp_path, guarded, {"idle": sink}) as sluice:
        wait_until(lambda: "Assigned " + topic in sluice.text(), what=lambda: "the assignment\n" + sluice.text())
        take_back(guarded, "GROUP", "connect-idle")
        fails(sluice, "idle", "GroupAuthorizationException", "connect-idle")


def test_a_heartbeat_slower_than_the_session(tmp_path, guarded, topic):
    """It would lose its partitions again and again; Java's consumer refuses it, so does ours."""
    sink = {"connector.class": "FileStreamSink", "topics": topic, "file": str(tmp_path / "out"),
            "consumer.override.session.timeout.ms": "1500"}  # heartbeat.interval.ms is 3000
    with worker(tmp_path, guarded, {"slow": sink}) as sluice:
        fails(sluice, "slow", "Failed to construct kafka consumer", "Heartbeat must be set lower than the session timeout")


def test_no_right_to_write(tmp_path, guarded, topic):
    guarded.create_topic(topic)
    (tmp_path / "in").write_text("one\ntwo\n", encoding="ascii")
    source = {"connector.class": "FileStreamSource", "file": str(tmp_path / "in"), "topic": topic}
    with worker(tmp_path, guarded, {"f": source}) as sluice:
        fails(sluice, "f", "TopicAuthorizationException", topic)
        assert guarded.end_offsets(topic) == {0: 0}
        grant(guarded, "TOPIC", topic, "WRITE")
        restart(sluice, "f")
        assert [record.value for record in guarded.consume(topic, 2)] == [b"one", b"two"]


def test_no_right_to_create(tmp_path, guarded, topic):
    (tmp_path / "in").write_text("one\n", encoding="ascii")
    source = {"connector.class": "FileStreamSource", "file": str(tmp_path / "in"), "topic": topic,
              "topic.creation.default.partitions": "2", "topic.creation.default.replication.factor": "1"}
    with worker(tmp_path, guarded, {"f": source}, **{"producer.max.block.ms": "2000"}) as sluice:
        fails(sluice, "f", "AuthorizationException", topic)
        grant(guarded, "TOPIC", topic, "CREATE", "WRITE", "DESCRIBE")
        restart(sluice, "f")
        wait_until(lambda: guarded.topics().get(topic) == 2, what=lambda: "the topic\n" + sluice.text())
        assert [record.value for record in guarded.consume(topic, 1)] == [b"one"]
