"""Topics as Kinesis streams in the REST source: what the owner's streaming emulator meets at its API gateway."""
import http.client
import json
import socket

import pytest
from harness import PATIENCE, Sluice, free_port, wait_until

UUID = "streaming-12471ce1b695-"


class Streams:
    def __init__(self, port):
        self.port = port

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def call(self, method, path, body=None, headers=None):
        wait_until(self.listens, what="the listener")  # it is away while a configuration is changed
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            body = json.dumps(body) if body is not None and not isinstance(body, str) else body
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.getheader("Content-Type") == "application/json", text
            return answer.status, json.loads(text)
        finally:
            connection.close()


    def becomes(self, answer, method, path, body=None):
        """Awaits an answer that a change of configuration brings. The old listener serves until it goes, so even a call
        that began may find none."""
        def look():
            try:
                return answer(self.call(method, path, body))
            except (ConnectionError, http.client.HTTPException):
                return False
        wait_until(look, what="the change")


@pytest.fixture
def served(tmp_path):
    port = free_port()
    with Sluice(tmp_path, {"rest": {
            "connector.class": "RestSource", "listeners": f"http://127.0.0.1:{port}",
            "key.converter": "sluice.rest.RestConverter", "value.converter": "sluice.rest.RestConverter",
            "sluice.streams.allow": UUID + ".*", "sluice.streams.delete": "true",
            "sluice.http.base.path": "/prod,/test"}}) as sluice:
        yield sluice, Streams(port)


def test_the_emulators_puts(served):
    sluice, streams = served
    row = {"index": 7528, "title": "No \u00e9 \"Title\"", "latitude": -89.9787, "downloaded": 0, "none": None}
    status, answer = streams.call("PUT", f"/streams/{UUID}pin/record",
                                  {"StreamName": "another", "Data": row, "PartitionKey": "pin"})
    assert (status, answer) == (200, {"ShardId": "shardId-000000000000", "SequenceNumber": "0"})
    status, answer = streams.call("PUT", f"/streams/{UUID}pin/records", {"records": [
        {"data": row, "partition-key": "a"}, {"data": "as it is", "partition-key": 5}, {"data": [1], "partition-key": "b"}]})
    assert status == 200 and answer["FailedRecordCount"] == 0
    assert [each["SequenceNumber"] for each in answer["Records"]] == ["1", "2", "3"]
    records = sluice.consume(UUID + "pin")
    text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
    assert [(each["key"], each["value"]) for each in records] == [("pin", text), ("a", text), ("5", "as it is"), ("b", "[1]")]
    assert not sluice.consume("another")


def test_the_stage_of_an_api_gateway_is_left_out(served):
    """Only the host changes in the URLs that the owner's emulators were written with."""
    sluice, streams = served
    assert streams.call("PUT", f"/test/streams/{UUID}pin/record", {"Data": {"a": 1}, "PartitionKey": "x"})[0] == 200
    assert streams.call("GET", "/test/streams")[1]["StreamNames"] == [UUID + "pin"]
    assert [each["value"] for each in sluice.consume(UUID + "pin")] == ['{"a":1}']
    assert streams.call("GET", "/dev/streams")[0] == 404
    status, answer = sluice.call("PUT", "/connector-plugins/RestSource/config/validate", {
        "name": "rest", "connector.class": "RestSource", "topics": "a", "sluice.http.base.path": "prod"})
    errors = {each["value"]["name"]: each["value"]["errors"] for each in answer["configs"] if each["value"]["errors"]}
    assert status == 200 and "write /name" in errors["sluice.http.base.path"][0], errors


def test_streams_come_and_go(served):
    _, streams = served
    assert streams.call("GET", "/streams") == (200, {"HasMoreStreams": False, "StreamNames": []})
    assert streams.call("GET", f"/streams/{UUID}geo")[1]["__type"] == "ResourceNotFoundException"
    assert streams.call("POST", f"/streams/{UUID}geo") == (200, {})
    assert streams.call("POST", f"/streams/{UUID}user", {"ShardCount": 2}) == (200, {})
    assert streams.call("POST", f"/streams/{UUID}user", {"ShardCount": 2})[1]["__type"] == "ResourceInUseException"
    described = streams.call("GET", f"/streams/{UUID}geo")[1]["StreamDescription"]
    assert described["StreamStatus"] == "ACTIVE" and len(described["Shards"]) == 5
    assert len(streams.call("GET", f"/streams/{UUID}user")[1]["StreamDescription"]["Shards"]) == 2
    assert streams.call("GET", "/streams")[1]["StreamNames"] == [UUID + "geo", UUID + "user"]
    assert streams.call("DELETE", f"/streams/{UUID}user") == (200, {})
    assert streams.call("DELETE", f"/streams/{UUID}user")[1]["__type"] == "ResourceNotFoundException"
    assert streams.call("GET", "/streams")[1]["StreamNames"] == [UUID + "geo"]


def test_what_is_refused(served):
    sluice, streams = served
    path = f"/streams/{UUID}pin/record"
    good = {"Data": {"a": 1}, "PartitionKey": "p"}
    refused = [
        ("PUT", path, "{", 400, "ValidationException"), ("PUT", path, None, 400, "ValidationException"),
        ("PUT", path, [good], 400, "ValidationException"), ("PUT", path, {"Data": 1}, 400, "ValidationException"),
        ("PUT", path, {"PartitionKey": "p"}, 400, "ValidationException"),
        ("PUT", path, {**good, "PartitionKey": ""}, 400, "ValidationException"),
        ("PUT", path, {**good, "Data": "x" * (1 << 20)}, 400, "ValidationException"),  # larger than max.request.size
        ("PUT", path + "s", {"records": []}, 400, "ValidationException"),
        ("PUT", path + "s", {"records": [{"data": 1, "partition-key": "a"}, {}]}, 400, "ValidationException"),
        ("PUT", "/streams/other/record", good, 400, "AccessDeniedException"),
        ("POST", "/streams/other", None, 400, "AccessDeniedException"),
        ("POST", f"/streams/{UUID}x", {"ShardCount": 0}, 400, "ValidationException"),
        ("PUT", f"/streams/{UUID}%2F/record", good, 400, "AccessDeniedException"),
        ("POST", path, good, 405, "ValidationException"), ("GET", f"/streams/{UUID}pin/nothing", None, 404, "ValidationException"),
    ]
    for method, where, body, status, kind in refused:
        got = streams.call(method, where, body)
        assert (got[0], got[1]["__type"]) == (status, kind), (method, where, body, got)
        assert got[1]["message"]
    assert not sluice.consume(UUID + "pin")
    # Without the keys there are no such paths, and nothing is deleted.
    sluice.call("PUT", "/connectors/rest/config", {"name": "rest", "connector.class": "RestSource", "sluice.streams.allow": UUID + ".*",
                                                   "listeners": f"http://127.0.0.1:{streams.port}"})
    streams.becomes(lambda got: got[1].get("__type") == "AccessDeniedException", "DELETE", f"/streams/{UUID}pin")
    sluice.call("PUT", "/connectors/rest/config", {"name": "rest", "connector.class": "RestSource",
                                                   "listeners": f"http://127.0.0.1:{streams.port}"})
    streams.becomes(lambda got: got == (404, {"error_code": 404, "message": "HTTP 404 Not Found"}), "PUT", path, good)
