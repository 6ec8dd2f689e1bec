"""Kinesis sink and source against kinesalite and moto, with faults between them."""
import collections
import json
import os
import random
import signal
import struct
import time

import pytest
from harness import Sluice, wait_until
from kinesis import EXPIRED, THROTTLED, Fault, FaultProxy, Kinesalite, Moto, refuse_some

KEYS = 7


@pytest.fixture(scope="module", params=[Kinesalite, Moto], ids=["kinesalite", "moto"])
def any_server(request):
    server = request.param()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server():
    made = Kinesalite()
    yield made
    made.stop()


@pytest.fixture
def stream(request):
    return "s" + request.node.name.replace("[", "-").replace("]", "")[-100:]


def lines(count, first=0):
    return [{"key": f"k{i % KEYS}", "value": json.dumps({"n": i, "text": "x \u00fc"})} for i in range(first, first + count)]


def put(server, stream, count, first=0):
    server.put(stream, [(line["key"], line["value"].encode()) for line in lines(count, first)])


def settled(sluice, topic, count):
    wait_until(lambda: len({record["value"] for record in sluice.consume(topic)}) >= count,
               what=f"{count} records\n" + sluice.text())
    return sluice.consume(topic)


def by_key(records):
    """{key: numbers in order}; of records as consumed, or as (key, data)."""
    found = collections.defaultdict(list)
    for record in records:
        key, value = record if isinstance(record, tuple) else (record["key"], record["value"])
        found[key].append(json.loads(value)["n"])
    return found


def assert_in_order(records, count, repeats=False):
    """Nothing is missing, keys are in order. repeats: after a kill a run of records may come once more."""
    found = by_key(records)
    for number in range(KEYS):
        wanted = list(range(number, count, KEYS))
        values = found[f"k{number}"]
        if repeats:
            assert sorted(set(values)) == wanted
            back = [i for i in range(1, len(values)) if values[i] < values[i - 1]]
            assert len(back) <= 2, values
            assert all(b - a in (KEYS,) or b <= a for a, b in zip(values, values[1:])), values
        else:
            assert values == wanted, [i for i in range(1, len(values)) if values[i] != values[i - 1] + KEYS]


def test_round_trip(tmp_path, any_server, stream):
    """Topic -> sink -> stream -> source -> topic: what was posted is there, in order for each key."""
    any_server.create(stream, 3)
    with Sluice(tmp_path, {
            "out": any_server.sink("t", kinesis__stream__map="t:" + stream),
            "in": any_server.source(stream, kafka__topic="back", tasks__max="2", kinesis__headers="true")}) as sluice:
        sluice.produce("t", lines(500))
        records = settled(sluice, "back", 500)
        assert_in_order(records, 500)
        assert records[0]["value"] == json.dumps(json.loads(records[0]["value"]), separators=(",", ":"), ensure_ascii=False)
        assert sorted(records[0]["headers"]) == ["kinesis.arrival.timestamp", "kinesis.sequence.number",
                                                 "kinesis.shard", "kinesis.stream"]
        sluice.call("PUT", "/connectors/in/stop")
        offsets = sluice.call("GET", "/connectors/in/offsets")[1]["offsets"]
        assert {each["partition"]["stream"] for each in offsets} == {stream}
        sluice.call("PUT", "/connectors/in/resume")
        sluice.running("in")
        sluice.produce("t", lines(50, 500))
        assert_in_order(settled(sluice, "back", 550), 550)  # nothing comes again


def test_split_and_merge_while_reading(tmp_path, any_server, stream):
    any_server.create(stream, 2)
    with Sluice(tmp_path, {"in": any_server.source(stream, tasks__max="3")}) as sluice:
        put(any_server, stream, 200)
        settled(sluice, stream, 50)
        first = any_server.shards(stream)[0]
        hashes = first["HashKeyRange"]
        middle = (int(hashes["StartingHashKey"]) + int(hashes["EndingHashKey"])) // 2
        any_server.call("SplitShard", StreamName=stream, ShardToSplit=first["ShardId"], NewStartingHashKey=str(middle))
        any_server.wait_active(stream)
        put(any_server, stream, 200, 200)
        opened = sorted((each for each in any_server.shards(stream) if "EndingSequenceNumber" not in each["SequenceNumberRange"]),
                        key=lambda each: int(each["HashKeyRange"]["StartingHashKey"]))
        any_server.call("MergeShards", StreamName=stream, ShardToMerge=opened[1]["ShardId"],
                    AdjacentShardToMerge=opened[2]["ShardId"])
        any_server.wait_active(stream)
        put(any_server, stream, 200, 400)
        assert_in_order(settled(sluice, stream, 600), 600)
    later = tmp_path / "later"
    later.mkdir()
    with Sluice(later, {"in": any_server.source(stream, tasks__max="2")}) as sluice:
        # All of it at once, parents before children though they are there together, over tasks.
        assert_in_order(settled(sluice, stream, 600), 600)


def test_partial_failures_keep_the_order(tmp_path, any_server, stream):
    any_server.create(stream, 2)
    dice = random.Random(1)

    def fault(operation, _):
        if operation != "PutRecords":
            return None
        chance = dice.random()
        return (500, {"__type": "InternalFailure"}) if chance < 0.05 else THROTTLED if chance < 0.1 else \
            refuse_some(dice, 0.3) if chance < 0.8 else None

    with FaultProxy(any_server, fault) as proxy, Sluice(tmp_path, {"out": {
            **any_server.sink("t", kinesis__stream=stream, retry__backoff__ms="2", retry__backoff__max__ms="400"),
            "kinesis.endpoint": proxy.url}}) as sluice:
        sluice.produce("t", lines(300))
        wait_until(lambda: sum(map(len, any_server.records(stream).values())) >= 300, what=sluice.text())
        sluice.running("out")
    assert_in_order([record for shard in any_server.records(stream).values() for record in shard], 300)


def test_throttled_reads_and_expired_iterators(tmp_path, any_server, stream):
    any_server.create(stream, 2)
    dice = random.Random(2)

    shards = any_server.shards(stream)

    def fault(operation, request):
        chance = dice.random()
        if operation == "GetRecords":
            return EXPIRED if chance < 0.2 else THROTTLED if chance < 0.4 else None
        if operation == "ListShards" and chance >= 0.3:  # in pages
            assert ("StreamName" in request) != ("NextToken" in request)
            return (200, {"Shards": shards[1:]} if "NextToken" in request else
                    {"Shards": shards[:1], "NextToken": "next \"+/= \n"})
        if operation in ("ListShards", "GetShardIterator"):
            return (500, {"__type": "InternalFailure"}) if chance < 0.3 else None
        return None

    put(any_server, stream, 300)
    with FaultProxy(any_server, fault) as proxy, Sluice(tmp_path, {"in": {
            **any_server.source(stream, kinesis__record__limit="20", retry__backoff__ms="5"),
            "kinesis.endpoint": proxy.url}}) as sluice:
        assert_in_order(settled(sluice, stream, 300), 300)
        sluice.running("in")


def test_a_shard_is_asked_five_times_a_second(tmp_path, server, stream):
    """Counted from one request to the next: what an answer takes is no pause on top."""
    server.create(stream)
    put(server, stream, 100)
    asked = []

    def slow(operation, _):
        if operation == "GetRecords":
            asked.append(time.monotonic())
            time.sleep(0.15)

    with FaultProxy(server, slow) as proxy, Sluice(tmp_path, {"in": {
            **server.source(stream, kinesis__record__limit="10", kinesis__poll__interval__ms="200"),
            "kinesis.endpoint": proxy.url}}) as sluice:
        assert_in_order(settled(sluice, stream, 100), 100)
    gaps = [after - before for before, after in zip(asked, asked[1:])]
    assert min(gaps) < 0.3 and sum(gaps) > 0.15 * len(gaps), gaps


def test_kill_in_the_middle(tmp_path, any_server, stream):
    any_server.create(stream, 2)
    put(any_server, stream, 1500)
    with Sluice(tmp_path, {"in": any_server.source(stream, kinesis__record__limit="40")},
                {"offset.flush.interval.ms": "100"}) as sluice:
        wait_until(lambda: len(sluice.consume(stream)) > 100, what=sluice.text())
        os.kill(sluice.pids("sluice-host", "task")[0], signal.SIGKILL)
        wait_until(lambda: sluice.task("in").get("state") == "FAILED" or
                   len({each["value"] for each in sluice.consume(stream)}) >= 1500, what=sluice.text())
        sluice.call("POST", "/connectors/in/restart?includeTasks=true")
        assert_in_order(settled(sluice, stream, 1500), 1500, repeats=True)


def test_kill_of_the_sink_in_the_middle(tmp_path, any_server, stream):
    any_server.create(stream, 2)
    with Sluice(tmp_path, {"out": any_server.sink("t", kinesis__stream=stream)},
                {"offset.flush.interval.ms": "100"}) as sluice:
        sluice.produce("t", lines(1000))
        wait_until(lambda: sum(map(len, any_server.records(stream).values())) > 100, what=sluice.text())
        os.kill(sluice.pids("sluice-host", "task")[0], signal.SIGKILL)
        wait_until(lambda: sluice.task("out").get("state") == "FAILED" or len({
            record for shard in any_server.records(stream).values() for record in shard}) >= 1000, what=sluice.text())
        sluice.call("POST", "/connectors/out/restart?includeTasks=true")
        wait_until(lambda: len({record for shard in any_server.records(stream).values() for record in shard}) >= 1000,
                   what=sluice.text())
    assert_in_order([record for shard in any_server.records(stream).values() for record in shard], 1000, repeats=True)


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def aggregate(records):
    """As the Kinesis Producer Library packs them."""
    import hashlib  # pylint: disable=import-outside-toplevel
    keys = sorted({key for key, _ in records})
    message = b"".join(field(1, key.encode()) for key in keys)
    for key, data in records:
        message += field(3, b"\x08" + varint(keys.index(key)) + field(3, data))
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest()


def test_aggregates_are_split(tmp_path, server, stream):
    server.create(stream)
    all_lines = [(line["key"], line["value"].encode()) for line in lines(60)]
    server.put(stream, [("a", aggregate(all_lines[:50])), *all_lines[50:]])
    with Sluice(tmp_path, {"in": server.source(stream)}) as sluice:
        assert_in_order(settled(sluice, stream, 60), 60)
        # Within an aggregate it goes on behind the record that was delivered last.
        sluice.call("PUT", "/connectors/in/stop")
        wait_until(lambda: sluice.status("in")["connector"]["state"] == "STOPPED", what=sluice.text())
        offset = sluice.call("GET", "/connectors/in/offsets")[1]["offsets"][0]
        first = server.first_number(stream)
        changed = {"partition": offset["partition"], "offset": {"sequenceNumber": first, "subSequenceNumber": 29}}
        assert sluice.call("PATCH", "/connectors/in/offsets", {"offsets": [changed]})[0] == 200
        sluice.call("PUT", "/connectors/in/resume")
        wait_until(lambda: len(sluice.consume(stream)) >= 90, what=sluice.text())
        assert [json.loads(each["value"])["n"] for each in sluice.consume(stream)[60:]] == list(range(30, 60))
        server.put(stream, [("a", struct.pack(">I", 0xf3899ac2) + b"no aggregate at all..")])
        assert "its data is no JSON" in sluice.wait_state("in", "FAILED")["trace"]


def test_latest_begins_with_what_comes(tmp_path, server, stream):
    server.create(stream)
    put(server, stream, 10)
    with Sluice(tmp_path, {"in": server.source(stream, kinesis__position="latest")}) as sluice:
        wait_until(lambda: "Reading shardId" in "".join(sluice.output), what=sluice.text())
        wait_until(lambda: put(server, stream, KEYS, 10) or sluice.consume(stream), what=sluice.text())
        assert min(json.loads(each["value"])["n"] for each in sluice.consume(stream)) >= 10


def test_latest_is_kept_over_a_restart(tmp_path, server, stream):
    """Nothing was read yet, so there is no sequence number to go on from; what comes while it is down is not missed."""
    server.create(stream)
    put(server, stream, 10)
    time.sleep(1.1)  # kinesalite's times are whole seconds
    sluice = Sluice(tmp_path, {"in": server.source(stream, kinesis__position="latest")}, {"offset.flush.interval.ms": "100"})
    with sluice:
        wait_until(lambda: "Reading shardId" in "".join(sluice.output), what=sluice.text())
        wait_until(lambda: sluice.call("GET", "/connectors/in/offsets")[1]["offsets"], what=sluice.text())
    put(server, stream, 20, 10)
    with sluice:
        records = settled(sluice, stream, 20)
        assert sorted(json.loads(each["value"])["n"] for each in records) == list(range(10, 30))


def test_from_a_time(tmp_path, server, stream):
    server.create(stream)
    put(server, stream, 10)
    time.sleep(1.1)
    now = int(time.time()) * 1000
    put(server, stream, 20, 10)
    with Sluice(tmp_path, {"in": server.source(stream, kinesis__position="AT_TIMESTAMP", kinesis__timestamp=str(now))}) as sluice:
        records = settled(sluice, stream, 20)
        assert sorted(json.loads(each["value"])["n"] for each in records) == list(range(10, 30))


def test_bad_records_and_bad_streams(tmp_path, server, stream):
    server.create(stream)
    with Sluice(tmp_path, {"out": server.sink(
            "t", kinesis__stream=stream, kinesis__record__bytes="1000", errors__tolerance="all",
            errors__deadletterqueue__topic__name="dead", errors__deadletterqueue__topic__replication__factor="1")}) as sluice:
        sluice.produce("t", [{"key": "a", "value": json.dumps({"n": 1})}, {"key": "a", "value": json.dumps("x" * 2000)},
                             {"key": "y" * 300, "value": "3"}, {"key": "a", "value": None},
                             {"key": "", "value": json.dumps({"n": 2})}])
        wait_until(lambda: len(sluice.consume("dead")) == 3, what=sluice.text())
        assert sorted(data for _, data in server.records(stream)["shardId-000000000000"]) == [b'{"n":1}', b'{"n":2}']
        sluice.call("POST", "/connectors", {"name": "none", "config": server.sink("none", kinesis__stream="nowhere")})
        sluice.produce("none", lines(1))
        assert "There is no stream nowhere" in sluice.wait_state("none", "FAILED")["trace"]
        sluice.call("POST", "/connectors", {"name": "made", "config": server.sink(
            "ok", kinesis__stream=stream + "-made", kinesis__stream__create="true")})
        sluice.produce("ok", lines(5))
        wait_until(lambda: made(server, stream + "-made") == 5, what=sluice.text())

        def errors(**more):
            body = sluice.call("PUT", "/connector-plugins/KinesisSource/config/validate",
                               {"name": "x", **server.source("s", **more)})[1]
            return sorted(each["value"]["name"] for each in body["configs"] if each["value"]["errors"])
        assert errors() == []
        assert errors(kinesis__position="timestamp") == ["kinesis.timestamp"]
        assert errors(kinesis__stream="a b") == ["kinesis.stream"]
        assert errors(kinesis__endpoint="nonsense") == ["kinesis.endpoint"]


def made(server, stream):
    try:
        return sum(map(len, server.records(stream).values()))
    except Fault:
        return 0
