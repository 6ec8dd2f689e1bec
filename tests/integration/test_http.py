"""The HTTP source and sink against a server that pages, throttles, fails and stalls."""
import base64
import gzip
import http.server
import json
import subprocess
import threading
import urllib.parse

import pytest

from harness import PATIENCE, SLUICE, Sluice, wait_until


class Server:
    """Answers as handler(request) says: (status, headers, body). Keeps what it was asked."""

    def __init__(self, handler):
        outer = self
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                url = urllib.parse.urlsplit(self.path)
                request = {"method": self.command, "path": url.path, "query": dict(urllib.parse.parse_qsl(url.query)),
                           "headers": dict(self.headers), "body": self.rfile.read(length).decode()}
                outer.requests.append(request)
                status, headers, body = handler(request)
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    for each in value if isinstance(value, list) else [value]:
                        self.send_header(name, each)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def consumed(sluice, topic, count):
    lines = []

    def read():
        done = subprocess.run([SLUICE, "consume", "--bootstrap-server", sluice.worker["bootstrap.servers"], "--topic",
                               topic, "--from-beginning", "--max-messages", str(count), "--timeout-ms", "500", "--json"],
                              capture_output=True, text=True)
        lines[:] = done.stdout.splitlines()
        return len(lines) >= count
    try:
        wait_until(read)
    except AssertionError:
        raise AssertionError(f"{len(lines)} of {count} in {topic}\n{sluice.text()}") from None
    return [json.loads(line) for line in lines]


def values(sluice, topic, count):
    return [json.loads(record["value"]) for record in consumed(sluice, topic, count)]


def source(url, **more):
    return {"connector.class": "sluice.http.HttpSourceConnector", "url": url, "topic.name.pattern": "t",
            "request.interval.ms": "100", "retry.backoff.ms": "20",
            **{key.replace("__", "."): value for key, value in more.items()}}


def test_incrementing_goes_on_after_a_restart(tmp_path):
    rows = [{"n": i} for i in range(5)]

    def handler(request):
        return 200, {}, {"rows": rows[int(request["query"]["from"]):][:2]}
    with Server(handler) as server:
        properties = source(server.url + "/rows", http__request__parameters="from=${offset}",
                            http__response__data__json__pointer="/rows", sluice__key__json__pointer="/n")
        with Sluice(tmp_path, {"h": properties}) as sluice:
            assert values(sluice, "t", 5) == rows
            wait_until(lambda: sluice.call("GET", "/connectors/h/offsets")[1]["offsets"])
            wait_until(lambda: sluice.call("GET", "/connectors/h/offsets")[1]["offsets"][0]["offset"]["offset"] == "5")
        rows.append({"n": 5})
        with Sluice(tmp_path, {"h": properties}) as sluice:
            records = consumed(sluice, "t", 6)
            assert [json.loads(r["value"])["n"] for r in records] == [0, 1, 2, 3, 4, 5]
            assert records[5]["key"] == "5"


def test_cursor_pages_are_not_read_twice(tmp_path):
    """The last page is asked again and again, grows, and gets a next one."""
    pages = {"": {"items": [1, 2], "next": "b"}, "b": {"items": [3], "next": None}, "c": {"items": [6]}}
    with Server(lambda request: (200, {}, pages[request["query"].get("cursor", "")])) as server:
        properties = source(server.url, http__offset__mode="CURSOR_PAGINATION",
                            http__request__parameters="cursor=${offset}", http__response__data__json__pointer="/items",
                            http__next__page__json__pointer="/next")
        with Sluice(tmp_path, {"h": properties}) as sluice:
            assert values(sluice, "t", 3) == [1, 2, 3]
            pages["b"] = {"items": [3, 4], "next": None}
            assert values(sluice, "t", 4) == [1, 2, 3, 4]
            pages["b"] = {"items": [3, 4, 5], "next": "c"}
            assert values(sluice, "t", 6) == [1, 2, 3, 4, 5, 6]
            assert len(consumed(sluice, "t", 6)) == 6


def test_a_page_that_names_itself_as_the_next_is_the_last(tmp_path):
    def handler(request):
        cursor = request["query"].get("cursor", "")
        return 200, {}, {"items": [len(cursor)], "next": "end" if cursor else "b"} if cursor != "b" else \
            {"items": [], "next": "end"}
    with Server(handler) as server:
        properties = source(server.url, http__offset__mode="CURSOR_PAGINATION",
                            http__request__parameters="cursor=${offset}", http__response__data__json__pointer="/items",
                            http__next__page__json__pointer="/next", request__interval__ms="200")
        with Sluice(tmp_path, {"h": properties}) as sluice:
            assert values(sluice, "t", 2) == [0, 3]
            asked = len(server.requests)
            wait_until(lambda: len(server.requests) >= asked + 5)
            assert [record["value"] for record in sluice.consume("t")] == ["0", "3"]


def test_links_are_followed_on_the_same_server_only(tmp_path):
    def handler(request):
        page = int(request["query"].get("page", "1"))
        link = {1: ['</list>; rel="self"', '</list?page=2>; rel="next", </list?page=9>; rel="last"'],
                2: '<http://127.0.0.1:1/evil>; rel="next"'}[page]
        return 200, {"Link": link}, [{"page": page}]
    with Server(handler) as server:
        properties = source(server.url + "/list", http__offset__mode="SNAPSHOT_PAGINATION",
                            sluice__next__page__from="link", auth__type="bearer", bearer__token="s3cret")
        with Sluice(tmp_path, {"h": properties}) as sluice:
            assert values(sluice, "t", 2) == [{"page": 1}, {"page": 2}]
            assert "another server" in sluice.wait_state("h", "FAILED")["trace"]
            assert "s3cret" not in sluice.text()
        assert server.requests[0]["headers"]["Authorization"] == "Bearer s3cret"


def test_redirects_within_the_server_are_followed_and_packed_answers_unpacked(tmp_path):
    packed = gzip.compress(b'[{"n": 1}]')

    def handler(request):
        return {"/old": (302, {"Location": "new/?x=1"}, b""), "/new/": (200, {"Content-Encoding": "gzip"}, packed),
                "/round": (307, {"Location": "/round"}, b""),
                "/away": (301, {"Location": "http://localhost:1/other"}, b"")}[request["path"]]
    with Server(handler) as server:
        others = {name: source(f"{server.url}/{name}", auth__type="bearer", bearer__token="s3cret")
                  for name in ("round", "away")}
        with Sluice(tmp_path, {"old": source(server.url + "/old", request__interval__ms="600000"), **others}) as sluice:
            assert values(sluice, "t", 1) == [{"n": 1}]
            assert "307" in sluice.wait_state("round", "FAILED")["trace"]
            assert "http://localhost:1/other" in sluice.wait_state("away", "FAILED")["trace"]
        assert [r["query"] for r in server.requests if r["path"] == "/new/"] == [{"x": "1"}]
        assert sum(r["path"] == "/round" for r in server.requests) == 6


def test_throttling_failures_and_a_stall_are_waited_out(tmp_path):
    over = threading.Event()
    stalls = []

    def handler(_):
        """Each trouble until the source has told it: on a slow machine an answer may itself come too late."""
        if "429" not in sluice.text():
            return 429, {"Retry-After": "0"}, {}
        if "503" not in sluice.text():
            return 503, {}, {}
        if not stalls:
            stalls.append("begun")
            over.wait(PATIENCE)
        return 200, {}, [{"x": 1}]
    with Server(handler) as server:
        sluice = Sluice(tmp_path, {"h": source(server.url, http__timeout__ms="500")})
        with sluice:
            assert values(sluice, "t", 1) == [{"x": 1}]
            over.set()
    assert stalls


@pytest.mark.parametrize("answer, word", [((404, {}, {"why": "gone"}), "404"), ((200, {}, b"{nonsense"), "no JSON")])
def test_an_answer_that_is_no_use_fails_clearly_or_is_left_out(tmp_path, answer, word):
    answers = [answer]
    with Server(lambda request: answers.pop(0) if answers else (200, {}, [{"x": 2}])) as server:
        with Sluice(tmp_path, {"h": source(server.url)}) as sluice:
            assert word in sluice.wait_state("h", "FAILED")["trace"]
        answers.append(answer)
        with Sluice(tmp_path, {"h": source(server.url, behavior__on__error="log")}) as sluice:
            assert values(sluice, "t", 1) == [{"x": 2}]


def test_oauth2_tokens_are_fetched_and_renewed(tmp_path):
    tokens = []

    def handler(request):
        if request["path"] == "/token":
            basic = base64.b64decode(request["headers"]["Authorization"].split()[1]).decode()
            assert basic == "me:s3cret" and "grant_type=client_credentials" in request["body"]
            tokens.append(f"t{len(tokens)}")
            return 200, {}, {"access_token": tokens[-1], "expires_in": 3600}
        if request["headers"].get("Authorization") != "Bearer t1":
            return 401, {}, {}  # the first one was taken back
        return 200, {}, [{"x": 3}]
    with Server(handler) as server:
        properties = source(server.url, auth__type="oauth2", oauth2__token__url=server.url + "/token",
                            oauth2__client__id="me", oauth2__client__secret="s3cret")
        with Sluice(tmp_path, {"h": properties}) as sluice:
            assert values(sluice, "t", 1) == [{"x": 3}]
            assert tokens == ["t0", "t1"] and "s3cret" not in sluice.text()


def test_entities_are_shared_among_tasks(tmp_path):
    with Server(lambda request: (200, {}, [{"of": request["path"]}])) as server:
        properties = {**source(server.url + "/${entityName}", entity__names="a b,c,d", tasks__max="2"),
                      "topic.name.pattern": "e-${entityName}", "http.offset.mode": "CHAINING",
                      "http.offset.json.pointer": "/of"}
        properties["entity.names"] = "a,b,c"
        with Sluice(tmp_path, {"h": properties}) as sluice:
            for name in "abc":
                assert values(sluice, f"e-{name}", 1)[0] == {"of": f"/{name}"}
            assert len(sluice.status("h")["tasks"]) == 2


def test_what_moves_to_another_task_is_not_read_again(tmp_path):
    """New tasks wait for the offsets of the old ones, which are not due for a minute."""
    def handler(request):
        begin = int(request["query"]["from"])
        return 200, {}, [{"n": n} for n in range(begin, min(begin + 3, 60))]
    with Server(handler) as server:
        properties = {**source(server.url + "/${entityName}", http__request__parameters="from=${offset}"),
                      "entity.names": "a,b,c", "topic.name.pattern": "m-${entityName}", "request.interval.ms": "5"}
        with Sluice(tmp_path, {"h": properties}, {"offset.flush.interval.ms": "60000"}) as sluice:
            for tasks in ("3", "1", "2"):
                for name in "abc":
                    consumed(sluice, f"m-{name}", 3)
                status, _ = sluice.call("PUT", "/connectors/h/config", {**properties, "tasks.max": tasks})
                assert status == 200
                wait_until(lambda: len(sluice.status("h")["tasks"]) == int(tasks) and sluice.running("h"))
            for name in "abc":
                assert [row["n"] for row in values(sluice, f"m-{name}", 60)] == list(range(60)), name


@pytest.mark.parametrize("properties, word", [
    ({"url": "ftp://x"}, "http://"), ({"url": "http://x/${nope}"}, "nope"), ({"auth.type": "basic"}, "connection.user"),
    ({"http.offset.mode": "CHAINING"}, "http.offset.json.pointer"), ({"retry.on.status.codes": "5xx"}, "status codes"),
    ({"http.request.headers": "no colon"}, "Name: value")])
def test_rubbish_is_refused(tmp_path, properties, word):
    with Sluice(tmp_path, {}) as sluice:
        status, answer = sluice.call("POST", "/connectors", {"name": "h", "config": {**source("http://x"), **properties}})
        assert status == 400 and word in answer["message"], answer


# -- sink --

def sink(url, **more):
    return {"connector.class": "sluice.http.HttpSinkConnector", "topics": "out", "http.url": url, "retry.backoff.ms": "20",
            **{key.replace("__", "."): value for key, value in more.items()}}


def produce(sluice, rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    subprocess.run([SLUICE, "produce", "--bootstrap-server", sluice.worker["bootstrap.servers"], "--topic", "out",
                    "--json"], input=lines, text=True, check=True)


def test_each_record_is_a_request_in_order_and_none_is_sent_twice_for_a_failure(tmp_path):
    failures = {3: 2, 5: 1}

    def handler(request):
        number = json.loads(request["body"])["n"]
        if failures.get(number, 0):
            failures[number] -= 1
            return 500, {}, {}
        request["good"] = True
        return 204, {}, b""
    with Server(handler) as server:
        with Sluice(tmp_path, {"h": sink(server.url + "/in/${topic}/${key}/${value:/n}",
                                         http__headers__additional="X-A: 1|X-B: two")}) as sluice:
            produce(sluice, [{"key": f"k{i}", "value": {"n": i}} for i in range(10)])
            wait_until(lambda: sum("good" in r for r in server.requests) >= 10, what="ten requests")
        good = [r for r in server.requests if "good" in r]
        assert [json.loads(r["body"])["n"] for r in good] == list(range(10))
        assert good[4]["path"] == "/in/out/k4/4"
        assert good[4]["headers"]["X-B"] == "two" and good[4]["headers"]["Content-Type"] == "application/json"
        assert len(server.requests) == 13


def test_what_a_record_says_is_a_part_of_the_url_and_no_more(tmp_path):
    with Server(lambda request: (200, {}, {})) as server:
        with Sluice(tmp_path, {"h": sink(server.url + "/in/${key}?v=${value:/v}")}) as sluice:
            produce(sluice, [{"key": "../a b/\u00fc?x#", "value": {"v": "1&admin=true"}}])
            wait_until(lambda: server.requests, what="a request\n" + sluice.text())
        assert server.requests[0]["path"] == "/in/..%2Fa%20b%2F%C3%BC%3Fx%23"
        assert server.requests[0]["query"] == {"v": "1&admin=true"}


def test_a_file_for_aivens_sink_is_taken(tmp_path):
    with Server(lambda request: (200, {}, {})) as server:
        properties = {"connector.class": "io.aiven.kafka.connect.http.HttpSinkConnector", "topics": "out",
                      "http.url": server.url, "http.authorization.type": "static",
                      "http.headers.authorization": "Token s3cret", "http.timeout": "5",
                      "http.headers.additional": "X-A: 1, X-B: two,three"}
        listed = {**properties, "http.headers.additional": "X-A: 1,X-B: two"}
        with Sluice(tmp_path, {"one": properties, "two": listed}) as sluice:
            produce(sluice, [{"value": {"n": 1}}])
            wait_until(lambda: len(server.requests) == 2, what="two requests\n" + sluice.text())
            assert "s3cret" not in sluice.text()
        assert {r["headers"]["Authorization"] for r in server.requests} == {"Token s3cret"}
        assert sorted((r["headers"]["X-A"], r["headers"].get("X-B")) for r in server.requests) == \
            [("1", "two"), ("1, X-B: two,three", None)]


def test_batches_are_joined(tmp_path):
    with Server(lambda request: (200, {}, {})) as server:
        with Sluice(tmp_path, {"h": sink(server.url, batching__enabled="true", batch__max__size="4", batch__prefix="[",
                                         batch__separator=",", batch__suffix="]")}) as sluice:
            produce(sluice, [{"value": {"n": i}} for i in range(9)])
            wait_until(lambda: sum(len(json.loads(r["body"])) for r in server.requests) >= 9)
        assert [row["n"] for r in server.requests for row in json.loads(r["body"])] == list(range(9))
        assert max(len(json.loads(r["body"])) for r in server.requests) <= 4


def test_a_record_that_is_refused_goes_to_the_dead_letters(tmp_path):
    def handler(request):
        return (422, {}, {"why": "odd"}) if json.loads(request["body"])["n"] == 1 else (200, {}, {})
    with Server(handler) as server:
        properties = sink(server.url, errors__tolerance="all", errors__deadletterqueue__topic__name="dead",
                          errors__deadletterqueue__topic__replication__factor="1")
        with Sluice(tmp_path, {"h": properties}) as sluice:
            produce(sluice, [{"value": {"n": i}} for i in range(3)] + [{"value": None}])
            dead = consumed(sluice, "dead", 2)
            assert [record["value"] for record in dead] == ['{"n":1}', None]
            assert sluice.task("h")["state"] == "RUNNING"
        assert [json.loads(r["body"])["n"] for r in server.requests] == [0, 1, 2]


def test_without_tolerance_the_task_fails_and_says_which(tmp_path):
    with Server(lambda request: (400, {}, {"why": "odd"})) as server:
        with Sluice(tmp_path, {"h": sink(server.url)}) as sluice:
            produce(sluice, [{"value": {"n": 1}}])
            trace = sluice.wait_state("h", "FAILED")["trace"]
            assert "400" in trace and "out-0@0" in trace and "odd" in trace
