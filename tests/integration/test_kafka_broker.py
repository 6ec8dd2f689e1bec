"""core/broker on a real Kafka broker: what tests/kafka_real.c does there, and faults of the broker itself."""
import json
import os
import subprocess

import pytest
from harness import BUILD, EXAMPLE, PATIENCE, Sluice, read_properties, wait_until
from real_kafka import Broker, Missing

BROKER = {"group.max.session.timeout.ms": "60000", "group.min.session.timeout.ms": "1000"}


def test_admin_groups_and_data(broker):
    """A cmocka program: topics, configs, cluster, groups, commits, transactions' markers, compaction."""
    done = subprocess.run([os.path.join(BUILD, "tests", "kafka_real"), broker.bootstrap],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=2 * PATIENCE, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def own_broker(tmp_path):
    """A broker that a test may stop and kill."""
    try:
        with Broker(tmp_path / "kafka", config=BROKER) as server:
            yield server
    except Missing as missing:
        pytest.skip(f"no Kafka broker: {missing}")


def sink(folder, topic, tasks="1"):
    properties = read_properties(os.path.join(EXAMPLE, "s3-raw.properties"))
    del properties["name"], properties["topics.regex"]
    return {**properties, "topics": topic, "tasks.max": tasks, "store.url": f"file:{folder}/lake",
            "consumer.override.session.timeout.ms": "3000", "consumer.override.heartbeat.interval.ms": "500"}


def numbers(folder):
    """{number: how many objects hold it}."""
    found = {}
    for path, _, names in os.walk(os.path.join(folder, "lake")):
        for name in names:
            if name.endswith(".json"):
                with open(os.path.join(path, name), encoding="utf-8") as file:
                    for line in file:
                        number = json.loads(line)["n"]
                        found[number] = found.get(number, 0) + 1
    return found


def produce(broker, topic, begin, end, partitions=1):
    broker.produce(topic, [(None, json.dumps({"n": n}).encode(), None, None, n % partitions)
                           for n in range(begin, end)])


def test_a_broker_that_is_killed_and_comes_back(own_broker, tmp_path):
    """kill -9 in the middle: the sink stays RUNNING, says what is wrong, and loses nothing."""
    own_broker.create_topic("t")
    produce(own_broker, "t", 0, 50)
    worker = {"bootstrap.servers": own_broker.bootstrap}
    with Sluice(tmp_path, {"lake": sink(tmp_path, "t")}, worker=worker) as sluice:
        wait_until(lambda: len(numbers(tmp_path)) == 50, what="50 records")
        own_broker.stop(9)
        wait_until(lambda: "cannot be reached" in "".join(sluice.output), what="the fault in the log")
        assert sluice.status("lake")["tasks"][0]["state"] == "RUNNING"
        own_broker.start()
        produce(own_broker, "t", 50, 100)
        wait_until(lambda: len(numbers(tmp_path)) == 100, what="100 records")
        wait_until(lambda: own_broker.committed("connect-lake") == {("t", 0): 100}, what="commits")
    assert set(numbers(tmp_path)) == set(range(100))


def test_two_tasks_share_and_hand_over(own_broker, tmp_path):
    """Two tasks share four partitions; one is killed and its partitions go on elsewhere, then come back."""
    own_broker.create_topic("t", partitions=4)
    produce(own_broker, "t", 0, 80, 4)
    worker = {"bootstrap.servers": own_broker.bootstrap}
    with Sluice(tmp_path, {"lake": sink(tmp_path, "t", tasks="2")}, worker=worker) as sluice:
        wait_until(lambda: len(numbers(tmp_path)) == 80, what="80 records")
        hosts = sluice.pids("sluice-host", "task")
        assert len(hosts) == 2
        os.kill(hosts[0], 9)
        produce(own_broker, "t", 80, 160, 4)
        wait_until(lambda: len(numbers(tmp_path)) == 160, what="160 records")
        wait_until(lambda: sum(own_broker.committed("connect-lake").values()) == 160, what="commits")
    assert set(numbers(tmp_path)) == set(range(160))


def test_topics_are_made_as_topic_creation_says(broker, topic, tmp_path):
    """The group whose pattern matches gives partitions and configs, else the default; broker defaults by -1."""
    files = {name: tmp_path / name for name in ("plain", "compacted")}
    sources = {}
    for name, path in files.items():
        path.write_text(name + "\n", encoding="ascii")
        sources[name] = {
            "connector.class": "FileStreamSource", "file": str(path), "topic": f"{topic}-{name}",
            "topic.creation.groups": "small", "topic.creation.default.partitions": "3",
            "topic.creation.default.replication.factor": "-1", "topic.creation.default.retention.ms": "123456",
            "topic.creation.small.include": ".*-compacted", "topic.creation.small.partitions": "-1",
            "topic.creation.small.replication.factor": "1", "topic.creation.small.cleanup.policy": "compact",
            "topic.creation.small.min.cleanable.dirty.ratio": "0.25", "key.converter.schemas.enable": "false",
            "transforms": "key", "transforms.key.type": "org.apache.kafka.connect.transforms.HoistField$Key",
            "transforms.key.field": "none"}
    worker = {"bootstrap.servers": broker.bootstrap, "key.converter": "org.apache.kafka.connect.json.JsonConverter",
              "value.converter": "org.apache.kafka.connect.storage.StringConverter"}
    with Sluice(tmp_path, sources, worker=worker, verb="standalone") as sluice:
        for name in files:
            wait_until(lambda name=name: f"{topic}-{name}" in broker.topics(), what=name + sluice.text())
            assert [record.value for record in broker.consume(f"{topic}-{name}", 1)] == [name.encode()]
    assert [broker.topics()[f"{topic}-{name}"] for name in files] == [3, 1]
    assert broker.topic_config(topic + "-plain") == {"retention.ms": "123456"}
    assert broker.topic_config(topic + "-compacted") == {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.25"}


def test_a_topic_that_cannot_be_made_as_asked(broker, topic, tmp_path):
    """One broker has no three replicas: the task fails and says so."""
    (tmp_path / "in").write_text("one\n", encoding="ascii")
    source = {"connector.class": "FileStreamSource", "file": str(tmp_path / "in"), "topic": topic,
              "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "3"}
    with Sluice(tmp_path, {"f": source}, worker={"bootstrap.servers": broker.bootstrap}, verb="standalone") as sluice:
        trace = sluice.wait_state("f", "FAILED")["trace"]
        assert "InvalidReplicationFactorException" in trace and topic in trace, trace
    assert topic not in broker.topics()
