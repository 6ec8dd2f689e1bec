"""topics, produce and consume on a real broker, beside Kafka's own tools."""
import json
import subprocess

import pytest
from harness import PATIENCE, SLUICE, free_port, wait_until, within


def tool(broker, verb, *arguments, text=None, code=0):
    done = subprocess.run([SLUICE, verb, "--bootstrap-server", broker.bootstrap, *arguments], input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", timeout=PATIENCE, check=False)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr



@pytest.mark.parametrize("command", [["plugins", "list"], ["help"], ["help", "run"], ["check", "/dev/null"]])
def test_output_that_cannot_be_written_is_told(command):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SLUICE, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode != 0 and done.stderr, done


@pytest.mark.parametrize("verb", ["run", "topics"])
def test_help_of_a_verb_is_what_the_verb_says(verb):
    helps = [subprocess.run([SLUICE, *words], capture_output=True, check=False) for words in (("help", verb), (verb, "--help"))]
    assert [(done.returncode, done.stdout, done.stderr) for done in helps] == [(0, helps[1].stdout, b"")] * 2
    assert helps[1].stdout


def test_topics_as_kafka_topics(broker, topic):
    create = ("--create", "--topic", topic, "--partitions", "3", "--config", "retention.ms=1234567")
    assert tool(broker, "topics", *create) == f"Created topic {topic}.\n"
    assert "already exists" in tool(broker, "topics", *create, code=2)
    assert tool(broker, "topics", *create, "--if-not-exists") == ""
    # without partitions and factor: the broker's own
    assert tool(broker, "topics", "--create", "--topic", topic + "-b") == f"Created topic {topic}-b.\n"
    wait_until(lambda: broker.topics().get(topic + "-b") == 1, what="the second topic")
    theirs = broker.run("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", broker.bootstrap,
                        "--describe", "--topic", topic)
    theirs = [line for line in theirs.splitlines() if line.lstrip().startswith("Topic:")]
    for ours, line in zip(tool(broker, "topics", "--describe", "--topic", topic).splitlines(), theirs, strict=True):
        for field in ours.split("\t"):
            assert field.strip() in line, (field, line)
    assert tool(broker, "topics", "--list", "--topic", topic + ".*").splitlines() == [topic, topic + "-b"]
    tool(broker, "topics", "--alter", "--topic", topic, "--partitions", "5")
    wait_until(lambda: broker.topics()[topic] == 5, what="five partitions")
    tool(broker, "topics", "--delete", "--topic", topic + ".*")
    # metadata follow a moment later
    wait_until(lambda: topic not in tool(broker, "topics", "--list", "--exclude-internal"), what="the end of the topics")
    assert "does not exist" in tool(broker, "topics", "--describe", "--topic", topic, code=2)
    assert tool(broker, "topics", "--delete", "--topic", topic, "--if-exists") == ""


def test_produce_and_consume(broker, topic):
    tool(broker, "topics", "--create", "--topic", topic, "--partitions", "2")
    lines = [{"key": "k", "value": {"n": 1}, "headers": {"h": "x"}, "timestamp": 1700000000000, "partition": 1},
             {"key": None, "value": None, "partition": 1}, {"value_base64": "/wA=", "partition": 1}]
    tool(broker, "produce", "--topic", topic, "--json", text="".join(json.dumps(line) + "\n" for line in lines))
    first, second, third = broker.consume(topic, 3)
    assert (first.key, first.value, first.headers, first.timestamp) == (b"k", b'{"n":1}', [("h", b"x")], 1700000000000)
    assert second.value is None and third.value == b"\xff\x00"
    read = tool(broker, "consume", "--topic", topic, "--from-beginning", "--json").splitlines()
    assert [json.loads(line)["offset"] for line in read] == [0, 1, 2]
    assert json.loads(read[0])["headers"] == {"h": "x"}
    assert len(tool(broker, "consume", "--topic", topic, "--partition", "1", "--offset", "1").splitlines()) == 2
    assert len(tool(broker, "consume", "--topic", topic, "--from-beginning", "--max-messages", "1").splitlines()) == 1
    assert len(tool(broker, "consume", "--topic", topic, "--from", "0", "--to", "2").splitlines()) == 2
    assert len(tool(broker, "consume", "--include", topic + "|none", "--from-beginning").splitlines()) == 3
    group = ("consume", "--topic", topic, "--group", topic, "--from-beginning")
    assert len(tool(broker, *group).splitlines()) == 3
    assert tool(broker, *group, "--timeout-ms", "3000") == ""
    assert broker.committed(topic)[(topic, 1)] == 3
    tool(broker, "topics", "--delete", "--topic", topic)


def test_keys_go_where_java_sends_them(broker, topic):
    """murmur2: a key's partition is the same as Kafka's own producer's."""
    broker.create_topic(topic, 7)
    keys = [f"key-{i}" for i in range(50)]
    broker.produce(topic, [(key.encode(), b"theirs") for key in keys])
    tool(broker, "produce", "--topic", topic, "--key-separator", ":", text="".join(f"{key}:ours\n" for key in keys))
    where = {}
    for record in broker.consume(topic, 100):
        where.setdefault(record.key, set()).add(record.partition)
    assert all(len(partitions) == 1 for partitions in where.values()) and len(where) == 50


def test_a_dead_broker_is_told_with_its_cause():
    """Long before the 30 s that a request may take: nobody listens, or there is no such host."""
    for server, cause in ((f"127.0.0.1:{free_port()}", "Connection refused"), ("no-such-host.invalid:9092", "Failed to resolve")):
        for words in (["topics", "--list"], ["produce", "--topic", "t"], ["consume", "--topic", "t"]):
            done = subprocess.run([SLUICE, words[0], "--bootstrap-server", server, *words[1:]], input="a\n", stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=within(25), check=False)
            assert done.returncode == 3 and done.stdout == "", (words, done.stdout, done.stderr)
            assert "[SLUICE-302]" in done.stderr and cause in done.stderr and server in done.stderr, done.stderr
