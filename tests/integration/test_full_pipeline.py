"""The whole example, from rows in a database to the answers, against the recorded results."""
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from fetched import minio
from harness import EXAMPLE, SHARED, SLUICE, free_port
from real_kafka import Missing, jars
from sql_servers import Postgres

EXPECTED = os.path.join(SHARED, "data", "pinterest", "a131_expected.json")
recorded = pytest.mark.skipif(not os.path.exists(EXPECTED), reason=f"no recorded results at {EXPECTED} (set SLUICE_SHARED)")


def flat(row):
    return [value for part in row for value in (part if isinstance(part, list) else [part])]


def expected():
    """{name: rows as lists of values}; medians come with the size of their group, which nobody asked for."""
    with open(EXPECTED, encoding="utf-8") as file:
        recorded = json.load(file)
    exact, approximate = (recorded["intended_dedup_all_x1000_exact_median"],
                          recorded["intended_dedup_all_x1000_approx_median"])
    answers = {name: [flat(row) for row in exact[name]] for name in ("q1", "q2", "q3", "q4", "q6")}
    answers["q3b"] = [exact["q3b"]]
    for name in ("q5", "q7", "q8"):
        answers[name] = [flat(row)[:-1] for row in exact[name]]
        answers[name + "_approx"] = [flat(row)[:-1] for row in approximate[name]]
    return answers


def run(folder, *arguments):
    with open(os.path.join(folder, "output"), "w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, os.path.join(EXAMPLE, "full.py"), "--sluice", SLUICE, "--demo", os.path.join(folder, "demo"),
             "--rest", f"http://127.0.0.1:{free_port()}", "--admin", f"http://127.0.0.1:{free_port()}", *arguments],
            cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = process.wait(300)
        finally:
            with contextlib.suppress(ProcessLookupError):  # what it started, too
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        text = output.read()
    if code == 3:
        pytest.skip(text.strip().splitlines()[-1])
    assert code == 0, text[-6000:]
    return text


def answers_of(folder, branch):
    answers = {}
    results = os.path.join(folder, "demo", "results", branch)
    for name in os.listdir(results):
        with open(os.path.join(results, name), encoding="utf-8") as lines:
            answers[name.removesuffix(".jsonl")] = [list(json.loads(line).values()) for line in lines]
    return answers


def assert_recorded(folder, branch):
    found, wanted = answers_of(folder, branch), expected()
    assert sorted(found) == sorted(wanted)
    for name, rows in wanted.items():
        assert sorted(map(str, found[name])) == sorted(map(str, rows)), name


def assert_streamed(folder, output):
    """The streaming branch has the same answers; where there is no Kinesis it says that it is left out."""
    left_out = [line for line in output.splitlines() if line.startswith("The streaming branch is left out: ")]
    if left_out:
        pytest.skip(left_out[0])
    assert_recorded(folder, "stream")


def test_without_node_the_streaming_branch_is_left_out(tmp_path):
    """Asked of the part that decides, with nothing on the path."""
    code = "import kinesalite, os; os.environ['PATH'] = ''; print(kinesalite.program('nowhere'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=EXAMPLE, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("(None, 'Node is missing") and not os.path.exists(os.path.join(EXAMPLE, "nowhere"))


@recorded
def test_on_sqlite(tmp_path):
    """Both branches; what is no JSON in a stream goes through it and ends among the dead letters."""
    malformed_into(tmp_path, "streaming-12471ce1b695-pin")
    output = run(tmp_path)
    assert_recorded(tmp_path, "batch")
    assert "Azerbaijan  6,000,000" in output
    page = (tmp_path / "demo" / "results" / "index.html").read_text(encoding="utf-8")
    assert "Azerbaijan" in page and "http" not in page
    assert_streamed(tmp_path, output)
    assert dead_letters(tmp_path, "stream-dead-letters") == [MALFORMED]


@recorded
def test_on_postgresql(tmp_path):
    server = Postgres().start()
    try:
        output = run(tmp_path, "--postgres", server.url + "?user=sluice&password=s3cret")
        assert_recorded(tmp_path, "batch")
        assert server.run("SELECT country, follower_count FROM batch.result_q3b") == [["Azerbaijan", "6000000"]]
        assert_streamed(tmp_path, output)
    finally:
        server.close()


def test_on_kafka_and_s3(tmp_path):
    """A broker and an S3 server that the example starts by itself; and topics of an earlier run are not added to."""
    try:
        jars()
        minio()
    except Missing as why:
        pytest.skip(str(why))
    output = run(tmp_path, "--kafka", "--batch-only")
    assert_recorded(tmp_path, "batch")
    assert "Kafka: 127.0.0.1:" in output and "S3: http://127.0.0.1:" in output
    assert not (tmp_path / "demo" / "log").exists() and not (tmp_path / "demo" / "lake").exists()


def test_topics_of_an_earlier_run_are_not_added_to(tmp_path):
    log = f"local:{tmp_path}/other"
    subprocess.run([SLUICE, "topics", "--bootstrap-server", log, "--create", "--topic", "batch-results-q1"], check=True)
    done = subprocess.run([sys.executable, os.path.join(EXAMPLE, "full.py"), "--sluice", SLUICE, "--demo", str(tmp_path / "demo"),
                           "--kafka", log], capture_output=True, text=True)
    assert done.returncode == 1 and "has topics of an earlier run (batch-results-q1)" in done.stderr, done.stderr
    subprocess.run(done.stderr.split("remove them: ")[1], shell=True, check=True)
    left = subprocess.run([SLUICE, "topics", "--bootstrap-server", log, "--list"], check=True, capture_output=True, text=True)
    assert not left.stdout.strip()


# -- the rows of one's own: made up to be odd, each with a test --

LAKE = "demo/lake/user-12471ce1b695-bucket/topics"
MALFORMED = '{"index": 77, "category": "cut off'
EDGES = {
    "pin": [{"index": 1, "category": "", "follower_count": "1.5k", "save_location": "Local save in /data/a", "downloaded": 1},
            {"index": 2, "category": "x", "follower_count": "2m", "poster_name": " User Info Error "},
            {"index": 3, "category": "x", "follower_count": "999M", "poster_name": "p3"},
            {"index": 4, "category": "y", "follower_count": "3,000", "poster_name": None},
            {"index": 3, "category": "x", "follower_count": "999M", "poster_name": "p3"},
            {"index": 9, "category": "lonely", "follower_count": "1"},
            {"index": 5, "category": "\u00e9\u2603", "follower_count": None},
            *({"index": 10 + i, "category": f"age {i}", "follower_count": "7"} for i in range(9))],
    "geo": [{"ind": 1, "country": "  A ", "latitude": 1.5, "longitude": 2, "timestamp": "2017-12-31T23:59:59"},
            {"ind": 2, "country": "A", "latitude": 1, "longitude": 2, "timestamp": "2018-01-01 00:00:00"},
            {"ind": 3, "country": "B", "latitude": 1, "longitude": 2, "timestamp": "2022-12-31T23:59:59"},
            {"ind": 4, "country": "N", "latitude": 1, "longitude": 2, "timestamp": "nonsense"},
            {"ind": 5, "country": "N", "latitude": 1, "longitude": 2, "timestamp": "2023-01-01T00:00:00"}],
    "user": [{"ind": 10 + i, "first_name": "f", "last_name": "l", "age": age, "date_joined": "2015-01-01T00:00:00"}
             for i, age in enumerate((None, 17, 18, 24, 25, 35, "36", 50, 51))],
}
WRONG = {"ind": 6, "first_name": "wrong", "last_name": "topic", "age": 30, "date_joined": "2015-01-01T00:00:00"}


def malformed_into(folder, topic):
    (folder / "demo").mkdir(exist_ok=True)
    subprocess.run([SLUICE, "produce", "--bootstrap-server", f"local:{folder}/demo/log", "--topic", topic], check=True,
                   input=MALFORMED + "\n", text=True)


def dead_letters(folder, topic):
    """What is read again, as a group may at its beginning, is told again: once here."""
    done = subprocess.run([SLUICE, "consume", "--bootstrap-server", f"local:{folder}/demo/log", "--topic", topic,
                           "--from-beginning"], capture_output=True, text=True)
    return list(dict.fromkeys(done.stdout.splitlines()))


class Edges:
    """One run of the batch branch over the odd rows, with what else came into its topics and its lake."""

    def __init__(self, folder):
        self.folder = folder
        rows = folder / "rows"
        rows.mkdir()
        for kind, lines in EDGES.items():
            lines = lines + [WRONG] if kind == "pin" else lines + [EDGES["pin"][0]] if kind == "user" else lines
            (rows / f"{kind}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        with open(rows / "geo.jsonl", "ab") as geo:
            geo.write(b'\n{"ind":\n[1]\n\xff\n' + b"[" * 100000 + json.dumps({"ind": 7, "country": "x" * (1 << 20)}).encode() + b"\n"
                      + json.dumps({"ind": 8, "country": "x" * (1 << 20)}).encode() + b"\n")
        malformed_into(folder, "12471ce1b695.pin")
        # What others wrote into the lake: a partition of its own, and an object that was cut off.
        for partition, text in ((1, json.dumps({"index": 20, "category": "partition 1", "follower_count": "1k"}) + "\n"),
                                (2, MALFORMED + "\n")):
            path = folder / LAKE / "12471ce1b695.pin" / f"partition={partition}"
            path.mkdir(parents=True)
            (path / f"12471ce1b695.pin+{partition}+0000000000.json").write_text(text)
        self.output = run(folder, "--batch-only", "--data", str(rows))
        self.answers = answers_of(folder, "batch")
        self.dead = dead_letters(folder, "batch-dead-letters")

    def rows(self, sql):
        with contextlib.closing(sqlite3.connect(self.folder / "demo" / "batch.db")) as db:
            return [list(row) for row in db.execute(sql)]

    def pin(self, number, columns="follower_count"):
        return self.rows(f"SELECT DISTINCT {columns} FROM pin WHERE ind = {number}")[0]


@pytest.fixture(scope="module")
def edges(tmp_path_factory):
    return Edges(tmp_path_factory.mktemp("edges"))


def test_edge_lines_that_cannot_be_posted_are_named(edges):
    """No object, or larger than the broker takes: everything else went on."""
    named = [line for line in edges.output.splitlines() if "is left out" in line]
    assert [line.split("geo.jsonl ")[1].split(" is")[0] for line in named[:4]] == ["line 7", "line 8", "line 9", "line 10"], named
    assert len(named) == 5 and "max.request.size" in named[4] and '"index": 8' in named[4], named


def test_questions_without_rows_have_empty_answers(tmp_path):
    for number, kind in enumerate(("pin", "geo", "user")):
        (tmp_path / f"{kind}.jsonl").write_text(json.dumps({"index": number, "category": "x", "country": "x", "age": 1,
                                                              "date_joined": "2016-01-01T00:00:00"}) + "\n")
    output = run(tmp_path, "--batch-only", "--data", str(tmp_path))
    assert "no rows" in output and answers_of(tmp_path, "batch")["q1"] == [], output
    assert answers_of(tmp_path, "batch")["q6"] == [[2016, 1]]


def test_edge_empty_text_is_null(edges):
    assert edges.pin(1, "category, title") == [None, None]
    assert ["A", None, 1] in edges.answers["q1"]


def test_edge_json_null_stays_null(edges):
    assert edges.pin(4, "poster_name") == [None] and edges.pin(5) == [None]


def test_edge_a_marker_with_blanks_around_is_text(edges):
    """The originals compare exactly, untrimmed."""
    assert edges.pin(2, "poster_name") == [" User Info Error "]


@pytest.mark.parametrize("number, text, count", [
    (1, "1.5k", 1500), (2, "2m", None), (3, "999M", 999000000), (4, "3,000", None)])
def test_edge_followers(edges, number, text, count):
    assert next(row for row in EDGES["pin"] if row["index"] == number)["follower_count"] == text
    assert edges.pin(number) == [count]


def test_edge_blanks_around_a_country(edges):
    assert edges.rows("SELECT DISTINCT country FROM geo ORDER BY 1") == [["A"], ["B"], ["N"]]


@pytest.mark.parametrize("number, age, group", [
    (0, None, "50+"), (1, 17, "50+"), (2, 18, "18-24"), (3, 24, "18-24"), (4, 25, "25-35"), (5, 35, "25-35"),
    (6, 36, "36-50"), (7, 50, "36-50"), (8, 51, "50+")])
def test_edge_ages(edges, number, age, group):
    assert edges.rows(f"SELECT age FROM users WHERE ind = {10 + number}") == [[age]]
    assert [group, f"age {number}", 1] in edges.answers["q4"]


def test_edge_last_and_first_second_of_a_year(edges):
    assert edges.rows('SELECT "timestamp" FROM geo WHERE ind < 3 ORDER BY ind') == \
        [["2017-12-31T23:59:59"], ["2018-01-01T00:00:00"]]
    assert sorted(edges.answers["q2"]) == [[2018, "x", 1], [2022, "x", 1]]  # 2018 to 2022: no 2017


def test_edge_a_pin_without_place_and_user(edges):
    assert edges.pin(9, "category") == ["lonely"] and "lonely" not in str([edges.answers["q1"], edges.answers["q4"]])


def test_edge_two_identical_rows_count_once(edges):
    assert edges.rows("SELECT COUNT(*) FROM pin WHERE ind = 3") == [[2]]
    assert ["B", "x", 1] in edges.answers["q1"] and edges.answers["q3b"] == [["B", 999000000]]


def test_edge_partition_1_is_read(edges):
    assert edges.pin(20, "category, follower_count") == ["partition 1", 1000]


def test_edge_escapes(edges):
    assert edges.pin(5, "category") == ["\u00e9\u2603"] and ["N", "\u00e9\u2603", 1] in edges.answers["q1"]


def test_edge_a_country_whose_counts_are_all_null(edges):
    assert ["N", None, None] in edges.answers["q3"] and "N" not in [row[0] for row in edges.answers["q3b"]]


def test_edge_a_record_in_the_wrong_topic_is_a_dead_letter(edges):
    """A user among the pins, a pin among the users: neither table has them, the rest went on."""
    dead = [json.loads(line) for line in edges.dead if line != MALFORMED]
    assert {row["index"]: row.get("last_name", row.get("save_location")) for row in dead} == \
        {6: "topic", 1: "Local save in /data/a"}
    assert edges.rows("SELECT COUNT(*) FROM pin WHERE ind = 6") == [[0]]
    assert edges.rows("SELECT COUNT(*) FROM users") == [[len(EDGES["user"])]]


def test_edge_malformed_json_is_a_dead_letter(edges):
    """In a topic: put aside before the lake. In the lake: put aside before the tables."""
    assert dead_letters(edges.folder, "lake-dead-letters") == [MALFORMED]
    assert edges.dead.count(MALFORMED) == 1 and len(edges.dead) == 3
