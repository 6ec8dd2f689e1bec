"""The REST source answers what Confluent's REST Proxy 7.9.0 answered (rest_proxy/recorded.jsonl, made by
rest_proxy/record.py), and writes the same bytes. What differs on purpose is in rest_proxy/differences.py."""
import base64
import json
import os
import re
import subprocess
import sys

import pytest
from harness import SLUICE, Sluice, free_port

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rest_proxy")
sys.path.insert(0, HERE)
from differences import DIFFERENCES  # noqa: E402
from exchange import ask  # noqa: E402


def recorded():
    with open(os.path.join(HERE, "recorded.jsonl"), encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            request = case["request"]
            body = request.get("body")
            body = body.encode() if body is not None else None
            if "body64" in request:
                body = base64.b64decode(request["body64"])
            yield {**case, "request": {**request, "body": body}}


def topic_of(target):
    return re.split(r"[?;#]", target.split("/")[2])[0]


class Offsets:
    """Makes offsets comparable where one side has written more: how far each is from the one due."""

    def __init__(self):
        self.next = {}

    def relative(self, target, body):
        if not isinstance(body, dict) or "offsets" not in body:
            return body
        entries = []
        for entry in body["offsets"]:
            if isinstance(entry.get("offset"), int):
                at = (topic_of(target), entry["partition"])
                due = self.next.get(at, 0)
                self.next[at] = entry["offset"] + 1
                entry = {**entry, "offset": entry["offset"] - due}
            entries.append(entry)
        return {**body, "offsets": entries}


def shape(target, answer, offsets):
    """What is compared: JSON by its members, as their order says nothing; names of topics as a set."""
    body = answer["body"]
    try:
        body = offsets.relative(target, json.loads(body))
    except ValueError:
        pass
    if isinstance(body, list) and all(isinstance(item, str) for item in body):
        body = sorted(body)
    if isinstance(body, dict) and "end_offset" in body:
        body = {**body, "end_offset": "some"}
    allow = answer["headers"].get("allow", "").replace(" ", "").split(",")
    return {"status": answer["status"], "type": answer["headers"].get("content-type", ""), "allow": sorted(allow),
            "body": body}


def first_records(shaped):
    """Of a bad topic: statuses and codes, messages without the name."""
    if isinstance(shaped["body"], dict) and "offsets" in shaped["body"]:
        return {**shaped, "body": [entry["error_code"] for entry in shaped["body"]["offsets"]]}
    return shaped


def compare(name, proxy, ours):
    """None, or what is wrong."""
    if not proxy["type"]:
        proxy = {**proxy, "type": ours["type"]}  # Jersey sends some errors without a type
    if proxy == ours:
        return None
    for pattern, may, _ in DIFFERENCES:
        if not re.fullmatch(pattern, name):
            continue
        if isinstance(may, int) and ours["status"] == may:
            return None
        if may == "answer" and ours["status"] < 500:
            return None
        if may == "body" and ours["status"] == proxy["status"] and isinstance(ours["body"], dict):
            return None
        if may == "type" and {**ours, "type": proxy["type"]} == proxy:
            return None
        if may == "records" and first_records(ours) == first_records(proxy):
            return None
    return f"{name}\n  proxy {proxy}\n  ours  {ours}"


def make_topics(folder):
    for topic, partitions in (("one", 1), ("three", 3)):
        subprocess.run([SLUICE, "topics", "--create", "--topic", topic, "--partitions", str(partitions),
                        "--bootstrap-server", f"local:{folder}/log"], check=True, cwd=folder)


def contents(folder, topic):
    """{(partition, offset): (key, value)} as `sluice consume` prints them."""
    lines = subprocess.run([SLUICE, "consume", "--bootstrap-server", f"local:{folder}/log", "--topic", topic,
                            "--from-beginning", "--json"], check=True, cwd=folder, capture_output=True, text=True)
    records = map(json.loads, filter(None, lines.stdout.split("\n")))
    return {(record["partition"], record["offset"]): (record["key"], record["value"]) for record in records}


def as_printed(text):
    """What the Proxy's consumer gave as base64, as `sluice consume` shows it."""
    if text is None:
        return None
    data = base64.b64decode(text)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Every case with the answer of ours, and the folder."""
    folder = str(tmp_path_factory.mktemp("rest"))
    make_topics(folder)
    port = free_port()
    source = {"connector.class": "RestSource", "listeners": f"http://127.0.0.1:{port}",
              "key.converter": "sluice.rest.RestConverter", "value.converter": "sluice.rest.RestConverter"}
    cases = []
    with Sluice(folder, {"rest": source}, worker={"producer.max.block.ms": "3000"}) as sluice:
        sluice.wait_state("rest", "RUNNING")
        for case in recorded():
            cases.append((case, ask(port, case["request"])))
        assert sluice.running("rest")
    return folder, cases


def test_answers_are_the_proxys(answers):
    _, cases = answers
    proxy, ours = Offsets(), Offsets()
    wrong = []
    for case, answer in cases:
        target = case["request"]["target"]
        wrong.append(compare(case["name"], shape(target, case["answer"], proxy), shape(target, answer, ours)))
    wrong = [text for text in wrong if text]
    assert len(cases) > 600
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong[:20])


def test_bytes_are_the_proxys(answers):
    folder, cases = answers
    kept, checked = {}, 0
    for case, answer in cases:
        if "written" not in case or '"offsets"' not in answer["body"]:
            continue
        topic = topic_of(case["request"]["target"])
        if topic not in kept:
            kept[topic] = contents(folder, topic)
        for entry, proxy in zip(json.loads(answer["body"])["offsets"], case["written"]):
            if proxy and entry["offset"] is not None:
                ours = kept[topic][entry["partition"], entry["offset"]]
                assert ours == (as_printed(proxy[0]), as_printed(proxy[1])), case["name"]
                checked += 1
    assert checked > 100
