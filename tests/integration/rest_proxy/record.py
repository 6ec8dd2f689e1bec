"""Asks a real REST Proxy everything in matrix.py and writes recorded.jsonl, one case a line.

    record.py PORT FILE

The Proxy stands on a Kafka broker with topics `one` (1 partition) and `three` (3) and nothing else, and
has producer.max.block.ms=3000. What was written is read back by its consumer API and kept beside the
answers.

recorded.jsonl is of kafka-rest 7.9.0, without a Schema Registry, on Kafka 3.9.1. Confluent's jars are not on
Maven Central, but the sources of kafka-rest, rest-utils, common and schema-registry (tags v7.9.0) compile by
one javac call (-sourcepath of them all, libraries of the versions that their poms name; no -parameters, as
names of parameters are in messages); only JsonSchemaUtils' schema from a class was left out.
"""
import base64
import json
import sys
import urllib.request

from exchange import ask
from matrix import BINARY, V2, cases

KEPT = ["content-type", "allow"]


def call(port, method, path, body=None, accept=V2):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method,
                                     data=json.dumps(body).encode() if body is not None else None,
                                     headers={"Content-Type": V2, "Accept": accept})
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def contents(port):
    """{(topic, partition, offset): [key, value]}, both base64 or None."""
    found, wanted = {}, {}
    call(port, "POST", "/consumers/record", {"name": "r", "format": "binary", "auto.offset.reset": "earliest"})
    base = "/consumers/record/instances/r"
    partitions = []
    for topic in call(port, "GET", "/topics"):
        for partition in call(port, "GET", f"/topics/{topic}/partitions"):
            at = {"topic": topic, "partition": partition["partition"]}
            partitions.append(at)
            path = f"/topics/{topic}/partitions/{at['partition']}/offsets"
            wanted[topic, at["partition"]] = call(port, "GET", path)["end_offset"]
    call(port, "POST", base + "/assignments", {"partitions": partitions})
    call(port, "POST", base + "/positions/beginning", {"partitions": partitions})
    while len(found) < sum(wanted.values()):
        for record in call(port, "GET", base + "/records", accept=BINARY):
            found[record["topic"], record["partition"], record["offset"]] = [record["key"], record["value"]]
    call(port, "DELETE", base)
    return found


def written(found, target, body):
    try:
        entries = json.loads(body)["offsets"]
    except (ValueError, TypeError, KeyError):
        return None
    topic = target.split("/")[2].partition("?")[0].partition(";")[0].partition("#")[0]
    return [found.get((topic, entry["partition"], entry["offset"])) for entry in entries]


def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    lines = []
    for case in cases():
        answer = ask(port, case, 90)
        body = case["body"]
        request = {"method": case["method"], "target": case["target"], "headers": case["headers"]}
        if body is not None:
            try:
                request["body"] = body.decode()
            except UnicodeDecodeError:
                request["body64"] = base64.b64encode(body).decode()
        headers = {name: answer["headers"][name] for name in KEPT if name in answer["headers"]}
        lines.append({"name": case["name"], "request": request,
                      "answer": {"status": answer["status"], "headers": headers, "body": answer["body"]}})
    found = contents(port)
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            if line["request"]["method"] == "POST":
                records = written(found, line["request"]["target"], line["answer"]["body"])
                if records and any(records):
                    line["written"] = records
            file.write(json.dumps(line, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
