"""Answers of the admin API as JVM Connect 3.9.1 gives them, beyond the recorded scenarios."""
import pytest
from harness import Sluice, wait_until

JSON = "org.apache.kafka.connect.json.JsonConverter"


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    with Sluice(tmp_path_factory.mktemp("answers"), {}) as worker:
        yield worker


def at(partition, offset, topic):
    return {"partition": {"kafka_topic": topic, "kafka_partition": partition},
            "offset": None if offset is None else {"kafka_offset": offset}}


def test_partitions_of_a_sink_named_twice(tmp_path, broker, topic):
    """As a number and as text: the last one counts. A broker takes no request that names a partition twice."""
    broker.produce(topic, [b'"a"', b'"b"', b'"c"'])
    sink = {"connector.class": "FileStreamSink", "file": str(tmp_path / "out.txt"), "topics": topic}
    path = "/connectors/sink/offsets"
    with Sluice(tmp_path, {"sink": sink}, {"bootstrap.servers": broker.bootstrap}, verb="standalone") as sluice:
        wait_until(lambda: sluice.call("GET", path)[1].get("offsets") == [at(0, 3, topic)], what="the sink has read all")
        assert sluice.call("PUT", "/connectors/sink/stop")[0] == 204
        for offsets, left in (([at(0, 1, topic), at("0", 1, topic)], [at(0, 1, topic)]),
                              ([at("00", 2, topic), at("0", 2, topic), at(0, 2, topic)], [at(0, 2, topic)]),
                              ([at(0, None, topic), at("0", None, topic)], [])):
            assert sluice.call("PATCH", path, {"offsets": offsets}) == \
                (200, {"message": "The offsets for this connector have been altered successfully"})
            assert sluice.call("GET", path) == (200, {"offsets": left})


def values(sluice, **more):
    config = {"connector.class": "FileStreamSource", "name": "v", "topic": "t", **more}
    status, answer = sluice.call("PUT", "/connector-plugins/FileStreamSource/config/validate", config)
    assert status == 200
    return answer["error_count"], {one["value"]["name"]: one["value"] for one in answer["configs"]}


@pytest.mark.parametrize("key, own", [("key.converter", "key"), ("value.converter", "value"), ("header.converter", "header")])
def test_type_of_a_converter_that_is_given(sluice, key, own):
    name = key + ".converter.type"
    for given, seen, errors in ((None, own, 0), ("value", "value", 0), ("x", "x", 1)):
        more = {} if given is None else {name: given}
        count, found = values(sluice, **{key: JSON, **more})
        assert (count, found[name]["value"]) == (errors, seen)
        assert found[name]["errors"] == [f"Invalid value {given} for configuration converter.type: String must be one of: "
                                         "key, value, header"] * errors
    assert values(sluice, **{key: JSON, name: None})[1][name]["value"] == own


@pytest.mark.parametrize("query, status", [("scope=cluster&scope=worker", 204), ("scope=worker&scope=cluster", 200),
                                           ("scope=&scope=cluster", 200), ("scope=Cluster", 204)])
def test_the_first_scope_of_a_logger_counts(sluice, query, status):
    assert sluice.call("PUT", "/admin/loggers/org.example.scope?" + query, {"level": "DEBUG"})[0] == status
