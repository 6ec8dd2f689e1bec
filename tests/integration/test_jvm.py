"""Side by side with JVM Connect on one broker: the same files, topics, offsets and dead letters, and the one
going on where the other left off."""
import os
import re

import pytest
from harness import Sluice, wait_until
from real_kafka import JvmConnect

STRING = "org.apache.kafka.connect.storage.StringConverter"
JSON = "org.apache.kafka.connect.json.JsonConverter"
ERRORS = "__connect.errors."


def source(file, topic, **more):
    return {"connector.class": "FileStreamSource", "file": str(file), "topic": topic, "value.converter": STRING, **more}


def sink(file, topic, **more):
    return {"connector.class": "FileStreamSink", "file": str(file), "topics": topic, **more}


def make_worker(kind, folder, broker, connectors, worker=None):
    folder.mkdir(exist_ok=True)
    if kind == "jvm":
        return JvmConnect(folder, broker.bootstrap, connectors, worker)
    return Sluice(folder, connectors, {"bootstrap.servers": broker.bootstrap, **(worker or {})}, verb="standalone")


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def unordered(line):
    """Java's HashMap has an order of its own: members of {..} are compared as a set."""
    return sorted(re.split(r"[{},\[\]] *", line)) if "{" in line else line


ORDERS = [("jvm", "sluice", "jvm"), ("sluice", "jvm", "sluice")]


@pytest.mark.parametrize("order", ORDERS if os.environ.get("SLUICE_FULL") == "1" else ORDERS[:1])
def test_source_offsets_are_handed_over_and_back(tmp_path, broker, topic, order):
    """One offset file, one input file, workers in turn: each line once, in order."""
    file, expected = tmp_path / "in.txt", []
    shared = {"offset.storage.file.filename": str(tmp_path / "connect.offsets"), "offset.flush.interval.ms": "500"}
    for turn, kind in enumerate(order):
        new = [f"{kind} {turn} line {i}" for i in range(50)]
        with file.open("a", encoding="utf-8") as out:
            out.write("".join(line + ("\r\n" if i % 2 else "\n") for i, line in enumerate(new)))
        expected += new
        with make_worker(kind, tmp_path / f"{turn}", broker, {"lines": source(file, topic)}, shared) as worker:
            records = broker.consume(topic, len(expected))
            # the file as they both show it: what the next one will skip
            wait_until(lambda: worker.call("GET", "/connectors/lines/offsets")[1]["offsets"] ==
                       [{"partition": {"filename": str(file)}, "offset": {"position": file.stat().st_size}}],
                       what="the offset")
        assert [record.value.decode() for record in records] == expected
    assert [record.value.decode() for record in broker.consume(topic)] == expected


def test_sinks_write_the_same_and_hand_over_the_group(tmp_path, broker, topic):
    values = [b'"text"', b"17", b"-0.5", b"1e3", b"true", b"null", b"[1,[2],null]", (b"k", None), b'{"a":1}',
              '{"name":"gr\u00fcn \u20ac","n":{"x":1.0,"y":[true]},"big":12345678901234567890}'.encode(), b'""']
    broker.create_topic(topic)
    converter = {"value.converter": JSON, "value.converter.schemas.enable": "false"}
    outputs = {}
    for kind in ("jvm", "sluice"):
        outputs[kind] = tmp_path / (kind + ".txt")
    broker.produce(topic, values)
    connectors = {kind: {f"sink-{kind}": sink(outputs[kind], topic, **converter)} for kind in outputs}
    with make_worker("jvm", tmp_path / "j", broker, connectors["jvm"]), \
            make_worker("sluice", tmp_path / "s", broker, connectors["sluice"]):
        for kind, path in outputs.items():
            wait_until(lambda path=path: len(lines_of(path)) == len(values), what=f"all lines of {kind}")
            wait_until(lambda kind=kind: broker.committed(f"connect-sink-{kind}") == {(topic, 0): len(values)})
    # each goes on in the other's group
    broker.produce(topic, values[:3])
    connectors = {kind: {f"sink-{other}": sink(outputs[other], topic, **converter)}
                  for kind, other in (("jvm", "sluice"), ("sluice", "jvm"))}
    with make_worker("jvm", tmp_path / "j2", broker, connectors["jvm"]), \
            make_worker("sluice", tmp_path / "s2", broker, connectors["sluice"]):
        for kind, path in outputs.items():
            wait_until(lambda path=path: len(lines_of(path)) >= len(values) + 3, what=f"all lines of {kind}")
    jvm, sluice = ([unordered(line) for line in lines_of(outputs[kind])] for kind in ("jvm", "sluice"))
    assert len(jvm) == len(values) + 3
    assert sluice == jvm


# What goes wrong, and the keys that make it go wrong.
FAULTS = {
    "value": {"value.converter": JSON, "value.converter.schemas.enable": "false"},
    "schema": {"value.converter": JSON, "value.converter.schemas.enable": "true"},
    "key": {"key.converter": JSON, "key.converter.schemas.enable": "false", "value.converter": STRING},
    "transform": {"value.converter": JSON, "value.converter.schemas.enable": "false", "transforms": "cast",
                  "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value",
                  "transforms.cast.spec": "n:int32"},
}


def letters(broker, topic, count):
    """By the offset of the record they are about: one that was read again, as a group may at its beginning, counts once."""
    found = {}
    for record in broker.consume(topic, count):
        headers = [(name, value) for name, value in record.headers]
        found[dict(headers)[ERRORS + "offset"]] = {"key": record.key, "value": record.value, "timestamp": record.timestamp,
                                                   "headers": headers}
    return [found[offset] for offset in sorted(found)]


def test_dead_letters_header_by_header(tmp_path, broker, topic):
    records = [(b'"k"', b'{"n":"1"}', [("own", b"header")], 1700000000001), (b"{", b'{"n":"x"}', [], 1700000000002),
               (None, b"no json", [], 1700000000003), (b'"k2"', None, [], 1700000000004),
               (b'"k3"', b'{"schema":null}', [("a", b"1"), ("a", b"2")], 1700000000005),
               (b"\xff\xfe", b'{"n":[1]}', [], 1700000000006), (b'"k"', b'{"n":true', [], 1700000000007)]
    broker.create_topic(topic)
    broker.produce(topic, records)
    connectors = {"jvm": {}, "sluice": {}}
    for kind, mine in connectors.items():
        for fault, keys in FAULTS.items():
            mine[fault] = sink(tmp_path / f"{kind}-{fault}.txt", topic, **{
                "errors.tolerance": "all", "errors.deadletterqueue.topic.name": f"{topic}-{kind}-{fault}",
                "errors.deadletterqueue.topic.replication.factor": "1",
                "errors.deadletterqueue.context.headers.enable": "true",
                "consumer.override.group.id": f"{topic}-{kind}-{fault}", **keys})
    with make_worker("jvm", tmp_path / "j", broker, connectors["jvm"]) as jvm, \
            make_worker("sluice", tmp_path / "s", broker, connectors["sluice"]) as sluice:
        for kind, worker in (("jvm", jvm), ("sluice", sluice)):
            for fault in FAULTS:
                group = f"{topic}-{kind}-{fault}"
                wait_until(lambda group=group: broker.committed(group) == {(topic, 0): len(records)},
                           what=lambda: f"{group}: {broker.committed(group)}, {worker.status(fault)}\n{worker.text()}")
    topics = broker.topics()
    for fault in FAULTS:
        jvm, sluice = (letters(broker, f"{topic}-{kind}-{fault}", None) for kind in ("jvm", "sluice"))
        assert topics[f"{topic}-sluice-{fault}"] == topics[f"{topic}-jvm-{fault}"] == 1
        assert len(jvm) > 0 and len(sluice) == len(jvm), (fault, jvm, sluice)
        for theirs, ours in zip(jvm, sluice):
            for name in ("key", "value", "timestamp"):
                assert ours[name] == theirs[name], (fault, name)
            assert [name for name, _ in ours["headers"]] == [name for name, _ in theirs["headers"]]
            for (name, want), (_, got) in zip(theirs["headers"], ours["headers"]):
                if name == ERRORS + "exception.stacktrace":
                    want, got = want.splitlines()[0], got.splitlines()[0]
                assert got == want, (fault, name, theirs["headers"])
        assert lines_of(tmp_path / f"sluice-{fault}.txt") == lines_of(tmp_path / f"jvm-{fault}.txt"), fault


def logged_errors(worker):
    found = [re.search(r"(Error encountered in task .*[.])( \(|$)", line) for line in worker.output]
    return [re.sub("timestamp=[0-9]+, headers", "timestamp=T, headers", one.group(1)) for one in found if one]


def test_an_intolerant_task_ends_with_the_same_words(tmp_path, broker, topic):
    """errors.tolerance=none: logged, sent to the dead letter queue all the same, and then the end."""
    broker.create_topic(topic)
    broker.produce(topic, [b'{"n":1}', b"no json", b'{"n":2}'])
    workers = {}
    for kind in ("jvm", "sluice"):
        connector = sink(tmp_path / f"{kind}.txt", topic, **{
            "value.converter": JSON, "value.converter.schemas.enable": "false", "errors.log.enable": "true",
            "errors.log.include.messages": "true", "errors.deadletterqueue.topic.name": f"{topic}-{kind}",
            "errors.deadletterqueue.topic.replication.factor": "1", "consumer.override.group.id": f"{topic}-{kind}"})
        workers[kind] = make_worker(kind, tmp_path / kind[0], broker, {"c": connector})
    traces, logged = {}, {}
    with workers["jvm"], workers["sluice"]:
        for kind, worker in workers.items():
            trace = worker.wait_state("c", "FAILED")["trace"].splitlines()
            # further causes are the words of Java's JSON library
            traces[kind] = [trace[0]] + [line for line in trace if line.startswith("Caused by:")][:1]
            logged[kind] = wait_until(lambda worker=worker: logged_errors(worker), what=f"what {kind} logs")
            assert len(broker.consume(f"{topic}-{kind}", 1)) == 1
    assert traces["sluice"] == traces["jvm"]
    assert logged["jvm"] and logged["sluice"] == logged["jvm"]


def test_source_faults_are_logged_in_the_same_words(tmp_path, broker, topic):
    file = tmp_path / "in.txt"
    file.write_text("1\nno number\n3\n", encoding="utf-8")
    logged = {}
    for kind in ("jvm", "sluice"):
        connector = source(file, f"{topic}-{kind}", **{
            "transforms": "cast", "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value",
            "transforms.cast.spec": "int32", "errors.tolerance": "all", "errors.log.enable": "true",
            "errors.log.include.messages": "true"})
        with make_worker(kind, tmp_path / kind[0], broker, {"c": connector}) as worker:
            records = broker.consume(f"{topic}-{kind}", 2)
            assert [record.value for record in records] == [b"1", b"3"]
            found = wait_until(lambda worker=worker: logged_errors(worker), what=f"what {kind} logs")
            logged[kind] = [line.replace(f"{topic}-{kind}", topic) for line in found]
    assert len(logged["jvm"]) == 1 and logged["sluice"] == logged["jvm"]
