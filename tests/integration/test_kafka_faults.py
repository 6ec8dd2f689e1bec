"""Faults that Kafka answers with: each a clear error in status and log, and back by itself once it is mended."""
from harness import Sluice, wait_until
from proxy import MetadataProxy

STRING = "org.apache.kafka.connect.storage.StringConverter"
BACK = {"sluice.restart.max.attempts": "1000", "sluice.restart.backoff.ms": "200"}


def worker(folder, broker, connectors, **more):
    return Sluice(folder, connectors, {"bootstrap.servers": broker.bootstrap, "offset.flush.interval.ms": "300",
                                       "value.converter": STRING, **more}, verb="standalone")


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_a_topic_that_comes_later(tmp_path, broker, topic):
    sinks = {"one": {"connector.class": "FileStreamSink", "topics": topic, "file": str(tmp_path / "one")},
             "all": {"connector.class": "FileStreamSink", "topics.regex": topic + ".*", "file": str(tmp_path / "all")}}
    with worker(tmp_path, broker, sinks, **{"consumer.metadata.max.age.ms": "1000",
                                            "consumer.allow.auto.create.topics": "false"}) as sluice:
        sluice.wait_state("one", "RUNNING")
        broker.create_topic(topic)
        broker.produce(topic, [b"first"])
        wait_until(lambda: lines_of(tmp_path / "one") == ["first"], what="the sink of the topic\n" + sluice.text())
        wait_until(lambda: lines_of(tmp_path / "all") == ["first"], what="the sink of the pattern\n" + sluice.text())
        broker.create_topic(topic + "-more")
        broker.produce(topic + "-more", [b"second"])
        wait_until(lambda: lines_of(tmp_path / "all") == ["first", "second"], what="the new topic\n" + sluice.text())


def test_a_record_that_is_too_large(tmp_path, broker, topic):
    broker.create_topic(topic, config={"max.message.bytes": "2000"})
    file = tmp_path / "in.txt"
    file.write_text("small\n" + "x" * 5000 + "\nlast\n", encoding="ascii")
    source = {"connector.class": "FileStreamSource", "file": str(file), "topic": topic}
    with worker(tmp_path, broker, {"big": source}, **BACK) as sluice:
        trace = sluice.wait_state("big", "FAILED")["trace"]
        assert "Unrecoverable exception from producer send callback" in trace, trace
        assert "RecordTooLargeException" in trace, trace
        broker.run("kafka.admin.ConfigCommand", "--bootstrap-server", broker.bootstrap, "--alter", "--topic", topic,
                   "--add-config", "max.message.bytes=1000000")

        def complete():
            values = [record.value for record in broker.consume(topic)]
            return len(set(values)) == 3 and values[-1] == b"last"

        wait_until(complete, what="all lines\n" + sluice.text())
        wait_until(lambda: [one["offset"] for one in sluice.call("GET", "/connectors/big/offsets")[1]["offsets"]] ==
                   [{"position": file.stat().st_size}], what="the offset")


def test_pause_keeps_the_membership(tmp_path, broker, topic):
    broker.create_topic(topic)
    sink = {"connector.class": "FileStreamSink", "topics": topic, "file": str(tmp_path / "out"),
            "consumer.override.session.timeout.ms": "6000"}

    def members():
        groups = broker.admin_client().describe_consumer_groups(["connect-p"])
        return [member.member_id for member in groups[0].members]

    with worker(tmp_path, broker, {"p": sink}) as sluice:
        broker.produce(topic, [b"1"])
        wait_until(lambda: lines_of(tmp_path / "out") == ["1"])
        before = wait_until(members, what="a member")
        assert sluice.call("PUT", "/connectors/p/pause")[0] == 202
        sluice.wait_state("p", "PAUSED")
        broker.produce(topic, [b"2"])
        wait_until(lambda: broker.committed("connect-p") == {(topic, 0): 1})
        assert members() == before and lines_of(tmp_path / "out") == ["1"]
        assert sluice.call("PUT", "/connectors/p/resume")[0] == 202
        wait_until(lambda: lines_of(tmp_path / "out") == ["1", "2"], what="the second\n" + sluice.text())
        assert members() == before


def test_a_broker_that_knows_of_no_brokers_is_not_believed(tmp_path, broker, topic):
    """One that is only just starting may answer so. Who believes it has nobody left to ask."""
    broker.create_topic(topic)
    proxy = MetadataProxy(broker.ports["PLAINTEXT"])
    file = tmp_path / "in.txt"
    file.write_text("1\n", encoding="ascii")
    both = {"in": {"connector.class": "FileStreamSource", "file": str(file), "topic": topic},
            "out": {"connector.class": "FileStreamSink", "topics": topic, "file": str(tmp_path / "out")}}
    try:
        with worker(tmp_path, broker, both, **{"bootstrap.servers": proxy.address, "consumer.metadata.max.age.ms": "300",
                                               "producer.metadata.max.age.ms": "300"}) as sluice:
            wait_until(lambda: lines_of(tmp_path / "out") == ["1"], what="the first\n" + sluice.text())
            proxy.nobody = True
            wait_until(lambda: proxy.told >= 4, what="answers without brokers\n" + sluice.text())
            proxy.nobody = False
            file.write_text("1\n2\n", encoding="ascii")
            wait_until(lambda: lines_of(tmp_path / "out") == ["1", "2"], what="the second\n" + sluice.text())
    finally:
        proxy.close()
