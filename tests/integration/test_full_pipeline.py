"""The whole example, from rows in a database to the answers, against the recorded results."""
import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from harness import EXAMPLE, SHARED, SLUICE, free_port
from real_kafka import Missing, jars
from sql_servers import Postgres

EXPECTED = os.path.join(SHARED, "data", "pinterest", "a131_expected.json")
pytestmark = pytest.mark.skipif(not os.path.exists(EXPECTED), reason=f"no recorded results at {EXPECTED}")


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
        pytest.skip(text.strip().splitlines()[0])
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


def test_on_sqlite(tmp_path):
    output = run(tmp_path)
    assert_recorded(tmp_path, "batch")
    assert "Azerbaijan  6,000,000" in output
    page = (tmp_path / "demo" / "results" / "index.html").read_text(encoding="utf-8")
    assert "Azerbaijan" in page and "http" not in page
    assert_streamed(tmp_path, output)


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


EDGES = {
    "pin": [{"index": 1, "category": "", "follower_count": "1.5k", "save_location": "Local save in /data/a", "downloaded": 1},
            {"index": 2, "category": "x", "follower_count": "2m", "poster_name": " User Info Error "},
            {"index": 3, "category": "x", "follower_count": "999M", "poster_name": "p3"},
            {"index": 4, "category": "y", "follower_count": "3,000", "poster_name": None},
            {"index": 3, "category": "x", "follower_count": "999M", "poster_name": "p3"},
            {"index": 9, "category": "lonely", "follower_count": "1"},
            {"index": 5, "category": "\u00e9\u2603", "follower_count": None}],
    "geo": [{"ind": 1, "country": "  A ", "latitude": 1.5, "longitude": 2, "timestamp": "2017-12-31T23:59:59"},
            {"ind": 2, "country": "A", "latitude": 1, "longitude": 2, "timestamp": "2018-01-01 00:00:00"},
            {"ind": 3, "country": "B", "latitude": 1, "longitude": 2, "timestamp": "2022-12-31T23:59:59"},
            {"ind": 4, "country": "N", "latitude": 1, "longitude": 2, "timestamp": "nonsense"},
            {"ind": 5, "country": "N", "latitude": 1, "longitude": 2, "timestamp": "2023-01-01T00:00:00"}],
    "user": [{"ind": i, "first_name": "f", "last_name": "l", "age": age, "date_joined": "2015-01-01T00:00:00"}
             for i, age in ((1, None), (2, 17), (3, 18), (4, 51), (5, "36"))],
}


def test_edge_rows_of_ones_own(tmp_path):
    """Rows made up to be odd; a pin among the users is not cleaned into their table but put aside."""
    rows = tmp_path / "rows"
    rows.mkdir()
    for kind, lines in EDGES.items():
        lines = lines + [EDGES["pin"][0]] if kind == "user" else lines
        (rows / f"{kind}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    run(tmp_path, "--batch-only", "--data", str(rows))
    found = answers_of(tmp_path, "batch")
    assert ["A", None, 1] in found["q1"] and ["N", "\u00e9\u2603", 1] in found["q1"]
    assert sorted(found["q2"]) == [[2018, "x", 1], [2022, "x", 1]]
    assert ["B", "p3", 999000000] in found["q3"] and ["A", None, 1500] in found["q3"]
    assert ["N", None, None] in found["q3"]  # a country whose counts are all null
    assert found["q3b"] == [["B", 999000000]]
    assert found["q6"] == [[2015, 5]]
    groups = {row[0] for row in found["q5"]}
    assert groups == {"18-24", "36-50", "50+"}
    assert ["18-24", 999000000] in found["q5"] or ["18-24", 999000000.0] in found["q5"]  # the two equal pins are one
    dead = subprocess.run([SLUICE, "consume", "--bootstrap-server", f"local:{tmp_path}/demo/log", "--topic",
                           "batch-dead-letters", "--from-beginning"], capture_output=True, text=True)
    assert json.loads(dead.stdout)["save_location"] == "Local save in /data/a", dead.stderr
