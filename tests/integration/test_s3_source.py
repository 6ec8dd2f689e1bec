"""The S3 source: what the sink wrote comes back, in order, once, from a folder and from an S3 service."""
import gzip
import json
import os
import signal
import subprocess
import sys

import pytest
from harness import SLUICE, Sluice, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "s3"))
from fake_s3 import FakeS3  # noqa: E402

JSON = "io.confluent.connect.s3.format.json.JsonFormat"
BYTES = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat"
CONVERTERS = {"json": "org.apache.kafka.connect.json.JsonConverter",
              "string": "org.apache.kafka.connect.storage.StringConverter",
              "bytes": "org.apache.kafka.connect.converters.ByteArrayConverter"}


class Lake:
    """A bucket: a folder, or the strict service of the tests."""

    def __init__(self, folder, service):
        self.root = os.path.join(str(folder), "lake")
        self.fake = None
        if service:
            self.fake = FakeS3().start()
            self.fake.buckets["b"] = {}
        else:
            os.makedirs(os.path.join(self.root, "b"))
        self.properties = {"store.url": self.fake.url if service else "file:" + self.root,
                           "s3.bucket.name": "b", "s3.region": "us-east-1", "aws.access.key.id": "access",
                           "aws.secret.access.key": "secret",
                           "storage.class": "io.confluent.connect.s3.storage.S3Storage"}

    def put(self, key, body):
        if self.fake:
            with self.fake.lock:
                self.fake.buckets["b"][key] = {"body": body, "etag": f"{hash(body) & 0xffffffff:08x}",
                                               "headers": {}, "tags": {}, "puts": 1}
            return
        path = os.path.join(self.root, "b", key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "wb") as file:
            file.write(body)
        os.rename(path + ".part", path)

    def keys(self):
        if self.fake:
            return set(self.fake.keys("b"))
        return {os.path.relpath(os.path.join(folder, name), os.path.join(self.root, "b"))
                for folder, _, names in os.walk(os.path.join(self.root, "b")) for name in names}

    def sink(self, topic, **more):
        return {"connector.class": "io.confluent.connect.s3.S3SinkConnector", "topics": topic,
                "format.class": JSON, "flush.size": "10", **self.properties,
                **{key.replace("__", "."): value for key, value in more.items()}}

    def source(self, **more):
        return {"connector.class": "io.confluent.connect.s3.source.S3SourceConnector",
                "format.class": JSON, "s3.poll.interval.ms": "200", **self.properties,
                **{key.replace("__", "."): value for key, value in more.items()}}


@pytest.fixture(params=[False, True], ids=["folder", "service"])
def lake(request, tmp_path):
    made = Lake(tmp_path, request.param)
    yield made
    if made.fake:
        made.fake.stop()


def create_topic(sluice, topic, partitions=1):
    subprocess.run([SLUICE, "topics", "--bootstrap-server", "local:" + sluice.log_dir, "--create", "--topic",
                    topic, "--partitions", str(partitions)], check=True, stdout=subprocess.DEVNULL)


def settled(sluice, topic, count):
    """All records, once so many are there, and a moment later still so many."""
    wait_until(lambda: len(sluice.consume(topic)) >= count, what=f"{count} records\n" + sluice.text())
    return sluice.consume(topic)


def lines(count, **more):
    return [{"key": f"k{i}", "value": json.dumps({"n": i, "text": "x+= ü"}), **more} for i in range(count)]


def test_round_trip_keeps_partitions_and_order(tmp_path, lake):
    renamed = {"transforms": "r", "transforms.r.type": "org.apache.kafka.connect.transforms.RegexRouter",
               "transforms.r.regex": "a.*", "transforms.r.replacement": "back"}
    with Sluice(tmp_path, {}) as sluice:
        create_topic(sluice, "a-1-b_c", 3)
        create_topic(sluice, "back", 3)
        for partition in range(3):
            sluice.produce("a-1-b_c", lines(40 + 10 * partition, partition=partition))
        sluice.call("POST", "/connectors", {"name": "sink", "config": lake.sink(
            "a-1-b_c", s3__compression__type="gzip", file__delim="-")})
        wait_until(lambda: len(lake.keys()) >= 15, what=sluice.text())
        sluice.call("POST", "/connectors", {"name": "source", "config": lake.source(
            **renamed, tasks__max="2", file__delim="-")})
        records = settled(sluice, "back", 150)
        for partition in range(3):
            values = [json.loads(each["value"])["n"] for each in records if each["partition"] == partition]
            assert values == list(range(40 + 10 * partition))


def test_offsets_without_zeros_in_front_are_read_in_order(tmp_path):
    """A listing has 10000 before 9999, and more objects than are looked at at once stand between them."""
    lake = Lake(tmp_path, True)
    try:
        with_records = (0, 9998, 9999, 20000, 20500)
        for n in range(20501):
            lake.put(f"topics/t/partition=0/t+0+{n}.json", b'{"n":%d}\n' % n if n in with_records else b"")
        with Sluice(tmp_path, {"source": lake.source()}) as sluice:
            assert [json.loads(each["value"])["n"] for each in settled(sluice, "t", 5)] == list(with_records)
    finally:
        lake.fake.stop()


def test_keys_headers_and_nulls(tmp_path, lake):
    stored = {"store.kafka.keys": "true", "keys.format.class": JSON, "store.kafka.headers": "true"}
    with Sluice(tmp_path, {}) as sluice:
        written = lines(20)
        for i, line in enumerate(written):
            line["headers"] = [["h", f"v{i}"], ["two", "x"]]
        written[3]["value"] = written[4]["value"] = None
        sluice.produce("t", written)
        sluice.call("POST", "/connectors", {"name": "sink", "config": {
            **lake.sink("t", behavior__on__null__values="write"), **stored, "headers.format.class": JSON}})
        wait_until(lambda: len(lake.keys()) >= 8, what=sluice.text())
        sluice.call("POST", "/connectors", {"name": "source", "config": lake.source(
            **stored, transforms="r", transforms__r__replacement="back", transforms__r__regex="t",
            transforms__r__type="org.apache.kafka.connect.transforms.RegexRouter")})
        records = settled(sluice, "back", 20)
        found = {each["key"]: (each["value"], each["headers"]) for each in records}
        assert found == {line["key"]: (line["value"] and json.dumps(json.loads(line["value"]), separators=(",", ":"),
                                                                    ensure_ascii=False),
                                       dict(line["headers"])) for line in written}


def test_an_object_whose_keys_come_late_is_waited_for(tmp_path, lake):
    def put(part, number, offset):
        lake.put(f"topics/t/partition=0/t+0+{offset:010}{part}.json", json.dumps(number).encode() + b"\n")
    put("", 1, 0)
    put("", 2, 1)
    put(".keys", 2, 1)
    with Sluice(tmp_path, {"source": lake.source(store__kafka__keys="true", keys__format__class=JSON)}) as sluice:
        wait_until(lambda: "t+0+0000000000.json and what comes behind it are read once there is an object of its keys"
                   in sluice.text(), 20)
        put(".keys", 1, 0)
        assert [each["value"] for each in settled(sluice, "t", 2)] == ["1", "2"]


def test_kill_and_restart_goes_on_where_it_was(tmp_path, lake):
    rows = 3000
    for number in range(6):
        body = "".join(json.dumps({"n": number * rows + i}) + "\n" for i in range(rows)).encode()
        name = f"topics/t/year=2024/t+0+{number * rows:010d}.json"
        lake.put(name + (".gz" if number % 2 else ""), gzip.compress(body) if number % 2 else body)
    sluice = Sluice(tmp_path, {"source": lake.source(record__batch__max__size="100")},
                    {"offset.flush.interval.ms": "100"})
    with sluice:
        wait_until(lambda: sluice.consume("t"), what=sluice.text())
        os.kill(sluice.pids("sluice-host", "task")[0], signal.SIGKILL)
        wait_until(lambda: sluice.task("source").get("state") == "FAILED" or
                   len(sluice.consume("t")) >= 6 * rows, what=sluice.text())
        sluice.call("POST", "/connectors/source/restart?includeTasks=true")
        wait_until(lambda: len({each["value"] for each in sluice.consume("t")}) >= 6 * rows, what=sluice.text())
        # At least once behind a kill: what was not yet noted comes again, in order, and nothing is missing.
        values = [json.loads(each["value"])["n"] for each in sluice.consume("t")]
        assert sorted(set(values)) == list(range(6 * rows))
        again = [i for i in range(1, len(values)) if values[i] != values[i - 1] + 1]
        assert len(again) <= 1 and all(values[i] <= values[i - 1] for i in again)
        count = len(values)
    with sluice:  # in an orderly restart nothing comes again, and new objects are found
        lake.put(f"topics/t/year=2024/t+0+{6 * rows:010d}.json", b'{"n":-1}')
        wait_until(lambda: len(sluice.consume("t")) > count, what=sluice.text())
        assert [json.loads(each["value"])["n"] for each in sluice.consume("t")[count:]] == [-1]


def test_any_lines_below_a_prefix(tmp_path, lake):
    lake.put("in/x/one.jsonl", b'{"a":1}\n{"a":2}\n')
    lake.put("in/x/with space+plus=é.jsonl", b'{"a":3}')
    lake.put("in/y/two.txt", b"not to be read\n")
    lake.put("out/three.jsonl", b'{"a":4}\n')
    with Sluice(tmp_path, {"source": lake.source(mode="GENERIC", topics__dir="in",
                                                 topic__regex__list="xs:in/x/.*jsonl")}) as sluice:
        settled(sluice, "xs", 3)
        lake.put("in/x/a-new-one-before.jsonl", b'{"a":0}\n')
        records = settled(sluice, "xs", 4)
        assert [each["value"] for each in records] == ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":0}']
        lake.put("in/x/z-bad.jsonl", b'{"a":5}\n{"a":\n{"a":6}\n')
        trace = sluice.wait_state("source", "FAILED")["trace"]
        assert "Record 2 of in/x/z-bad.jsonl cannot be read" in trace
        assert len(sluice.consume("xs")) == 5
        sluice.call("PUT", "/connectors/source/config", {
            "name": "source", **lake.source(mode="GENERIC", topics__dir="in", topic__regex__list="xs:in/x/.*jsonl",
                                            behavior__on__error="log")})
        assert [each["value"] for each in settled(sluice, "xs", 6)][4:] == ['{"a":5}', '{"a":6}']


def test_bytes_and_text(tmp_path, lake):
    lake.put("topics/b/partition=0/b+0+0000000000.bin", b"one;two\xff\x00;three")
    lake.put("topics/s/partition=0/s+0+0000000000.txt", "grün\n\nlast\n".encode())
    with Sluice(tmp_path, {
            "bytes": {**lake.source(format__bytearray__separator=";", value__converter=CONVERTERS["bytes"]),
                      "format.class": BYTES},
            "text": {**lake.source(value__converter=CONVERTERS["string"]),
                     "format.class": "sluice.s3.StringFormat"}}) as sluice:
        assert [each["value"] for each in settled(sluice, "b", 3)] == ["one", "two\xff\x00", "three"]
        assert [each["value"] for each in settled(sluice, "s", 3)] == ["grün", "", "last"]


def test_configuration_is_checked(tmp_path, lake):
    with Sluice(tmp_path, {}) as sluice:
        def errors(**more):
            body = sluice.call("PUT", "/connector-plugins/S3SourceConnector/config/validate",
                               {"name": "x", **lake.source(**more)})[1]
            return sorted(each["value"]["name"] for each in body["configs"] if each["value"]["errors"])
        assert errors() == []
        assert errors(mode="GENERIC") == ["topic.regex.list"]
        assert errors(mode="GENERIC", topic__regex__list="t:(") == ["topic.regex.list"]
        assert errors(mode="OTHER") == ["mode"]
        assert errors(format__class="io.confluent.connect.s3.format.avro.AvroFormat") == ["format.class"]
