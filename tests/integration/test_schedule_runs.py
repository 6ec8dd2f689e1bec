"""Runs of polling sources by schedule.cron: begun, missed, failed, on record, and visible; no test waits for a clock.

Ticks of long ago in the stored offsets make runs that were missed; schedule.run.at.start makes one now.
"""
import json
import os
import sqlite3
import subprocess

import pytest

from harness import SLUICE, Sluice, wait_until
from test_http import Server, source as http_source, values

DAY = 86400000
LONG_AGO = 1704106800000  # 2024-01-01T11:00Z: noon in Berlin
NOON = {"schedule.cron": "0 12 * * *"}


class Sql:
    def __init__(self, folder):
        self.path = folder / "rows.db"
        self.run("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        self.properties = {"connector.class": "JdbcSource", "connection.url": f"jdbc:sqlite:{self.path}", "mode": "incrementing",
                           "incrementing.column.name": "n", "table.whitelist": "t", "topic.prefix": "",
                           "poll.interval.ms": "20"}

    def run(self, sql):
        with sqlite3.connect(self.path) as db:
            db.execute(sql)
        db.close()

    def add(self, n):
        self.run(f"INSERT INTO t VALUES ({n})")

    def spoil(self):
        self.run("ALTER TABLE t RENAME TO t_away")
        self.run("CREATE TABLE t (n TEXT)")  # null allowed: refused by validate.non.null

    def mend(self):
        self.run("DROP TABLE t")
        self.run("ALTER TABLE t_away RENAME TO t")

    def close(self):
        pass


class Http:
    def __init__(self, _):
        self.rows, self.status = [], 200
        self.server = Server(lambda request: (self.status, {}, self.rows[int(request["query"]["from"]):][:2]))
        self.properties = http_source(self.server.url + "/rows", http__request__parameters="from=${offset}")

    def add(self, n):
        self.rows.append({"n": n})

    def spoil(self):
        self.status = 404  # not tried again by itself

    def mend(self):
        self.status = 200

    def close(self):
        self.server.__exit__()


class S3:
    def __init__(self, folder):
        self.folder = folder / "lake" / "b" / "topics" / "t" / "partition=0"
        self.folder.mkdir(parents=True)
        self.count = 0
        self.properties = {"connector.class": "io.confluent.connect.s3.source.S3SourceConnector", "s3.bucket.name": "b",
                           "s3.region": "us-east-1", "store.url": f"file:{folder}/lake", "s3.poll.interval.ms": "20",
                           "format.class": "io.confluent.connect.s3.format.json.JsonFormat"}

    def write(self, number, text):
        path = self.folder / f"t+0+{number:010}.json"
        (self.folder / "part").write_text(text)
        os.rename(self.folder / "part", path)

    def add(self, n):
        self.write(self.count, json.dumps({"n": n}) + "\n")
        self.count += 1

    def spoil(self):
        """A good row and a bad one in one object: the good one is not read twice."""
        self.write(self.count, '{"n":100}\n{"n":')

    def mend(self):
        self.write(self.count, '{"n":100}\n{"n":101}\n')
        self.count += 1

    def close(self):
        pass


@pytest.fixture(params=[Sql, Http, S3], ids=["sql", "http", "s3"])
def data(request, tmp_path):
    made = request.param(tmp_path)
    made.properties.update({"value.converter": "org.apache.kafka.connect.json.JsonConverter",
                            "value.converter.schemas.enable": "false"})
    yield made
    made.close()


def runs(sluice):
    """What is on record, by task."""
    offsets = sluice.call("GET", "/connectors/src/offsets")[1]["offsets"]
    return {entry["partition"].get("task", 0): entry["offset"] for entry in offsets if "schedule" in entry["partition"]}


def begin(sluice, properties, tick=None):
    """The connector; tick: of the run that ended last, as an earlier worker stored it."""
    status, answer = sluice.call("POST", "/connectors", {"name": "src", "initial_state": "STOPPED", "config": properties})
    assert status == 201, answer
    wait_until(lambda: sluice.status("src")["connector"]["state"] == "STOPPED")
    if tick is not None:
        stored = {"partition": {"schedule": "cron"}, "offset": {"tick": tick}}
        status, answer = sluice.call("PATCH", "/connectors/src/offsets", {"offsets": [stored]})
        assert status == 200, answer
    sluice.call("PUT", "/connectors/src/resume")
    sluice.wait_state("src", "RUNNING")


def test_a_run_missed_is_made_up_for_on_record_and_seen(tmp_path, data):
    for n in range(3):
        data.add(n)
    with Sluice(tmp_path, {}) as sluice:
        begin(sluice, {**data.properties, **NOON, "schedule.timezone": "Europe/Berlin"}, LONG_AGO)
        assert values(sluice, "t", 3) == [{"n": n} for n in range(3)]
        run = wait_until(lambda: runs(sluice).get(0, {}).get("result") and runs(sluice)[0], what="a run on record")
        assert (run["result"], run["attempts"], run["records"]) == ("ok", 1, 3) and run["begin"] <= run["end"]
        assert run["tick"] > LONG_AGO + DAY and run["tick"] % DAY in (10 * 3600000, 11 * 3600000)  # noon in Berlin
        # What comes later waits for the next tick.
        data.add(3)
        schedule = sluice.status("src")["schedule"]
        assert (schedule["cron"], schedule["timezone"], len(schedule["next_runs"])) == ("0 12 * * *", "Europe/Berlin", 3)
        assert all("T12:00:00+0" in time for time in schedule["next_runs"])
        assert schedule["last_runs"][0]["result"] == "ok" and "T12:00:00+0" in schedule["last_runs"][0]["tick"]
        told = subprocess.run([SLUICE, "status", "src", "--url", f"http://127.0.0.1:{sluice.admin_port}"],
                              capture_output=True, text=True)
        assert f"next  {schedule['next_runs'][0]}" in told.stdout and "records 3: ok" in told.stdout, told.stdout + told.stderr
        asked = subprocess.run([SLUICE, "schedule", "0 12 * * *", "--timezone", "Europe/Berlin", "--count", "1", "--json"],
                               capture_output=True, text=True)
        assert json.loads(asked.stdout)["time"].split()[1] == schedule["next_runs"][0][:10]
        sluice.call("PUT", "/connectors/src/pause")
        wait_until(lambda: sluice.status("src")["connector"]["state"] == "PAUSED")
        assert sluice.status("src")["schedule"]["next_runs"] == []
        assert values(sluice, "t", 3) == [{"n": n} for n in range(3)]


@pytest.mark.parametrize("catchup, ran", [("none", 0), ("last", 1), ("all", 3)])
def test_catchup_says_which_runs_are_made_up_for(tmp_path, catchup, ran):
    """Three ticks of a yearly schedule were missed."""
    data = Http(None)
    data.add(1)
    with Sluice(tmp_path, {}) as sluice:
        begin(sluice, {**data.properties, "schedule.cron": "0 0 1 1 *", "schedule.catchup": catchup}, three_ticks_ago())
        wait_until(lambda: "Next run at" in sluice.text())
        wait_until(lambda: sluice.text().count("Run of tick") == ran and sluice.text().count("Next run at") >= max(ran, 1))
        assert sluice.text().count("Run of tick") == ran
    data.close()


def three_ticks_ago():
    """Just behind the tick before the last three."""
    told = subprocess.run([SLUICE, "schedule", "0 0 1 1 *", "--count", "1", "--json"], capture_output=True, text=True)
    year = int(json.loads(told.stdout)["time"].split()[1][:4])
    told = subprocess.run([SLUICE, "schedule", "0 0 1 1 *", "--count", str(year - 1971), "--json", "--from", "0"],
                          capture_output=True, text=True)
    ticks = [json.loads(line)["ms"] for line in told.stdout.splitlines()]
    return ticks[-4] + 60000


def test_the_first_run_counts_as_missed_when_the_worker_was_down_for_it(tmp_path):
    """What is planned is on record before anything ran."""
    data = Http(None)
    with Sluice(tmp_path, {}) as sluice:
        begin(sluice, {**data.properties, **NOON})
        planned = wait_until(lambda: runs(sluice).get(0), what="the plan")
        assert planned["result"] == "planned" and "begin" not in planned
        assert sluice.status("src")["schedule"]["last_runs"] == []
    data.close()


def test_a_run_that_fails_is_tried_again_and_nothing_is_read_twice(tmp_path, data):
    data.add(1)
    with Sluice(tmp_path, {}) as sluice:
        data.spoil()
        begin(sluice, {**data.properties, **NOON, "schedule.retries": "1000", "schedule.retry.delay.ms": "50"}, LONG_AGO)
        wait_until(lambda: sluice.text().count("Run failed, it is tried again in 50 ms") >= 2, what=sluice.text())
        data.mend()
        expected = [1, 100, 101] if isinstance(data, S3) else [1]
        assert [row["n"] for row in values(sluice, "t", len(expected))] == expected
        run = wait_until(lambda: "result" in runs(sluice).get(0, {}) and runs(sluice)[0], what="a run on record")
        assert run["result"] == "ok" and run["attempts"] > 2
        assert [row["n"] for row in values(sluice, "t", len(expected))] == expected


def test_a_run_is_given_up_and_the_task_goes_on(tmp_path, data):
    data.add(1)
    with Sluice(tmp_path, {}) as sluice:
        data.spoil()
        begin(sluice, {**data.properties, **NOON, "schedule.retries": "2", "schedule.retry.delay.ms": "10"}, LONG_AGO)
        run = wait_until(lambda: "result" in runs(sluice).get(0, {}) and runs(sluice)[0], what="a run on record")
        assert run["result"] not in ("ok", "planned") and run["attempts"] == 3
        wait_until(lambda: sluice.text().count("Run failed, it is tried again in 10 ms") == 2)
        assert sluice.task("src")["state"] == "RUNNING"
        assert sluice.status("src")["schedule"]["last_runs"][0]["result"] == run["result"]


def test_tasks_have_runs_of_their_own(tmp_path):
    """One task's run says nothing about the other's."""
    asked = []

    def handler(request):
        asked.append(request["path"])
        return (200, {}, [{"of": request["path"]}]) if request["path"] != "/b" or len(asked) > 12 else \
            (503, {"Retry-After": "0"}, {})
    with Server(handler) as server:
        properties = http_source(server.url + "/${entityName}", entity__names="a,b", tasks__max="2",
                                 http__offset__mode="SNAPSHOT_PAGINATION", max__retries="1000")
        properties.update(NOON)
        with Sluice(tmp_path, {}) as sluice:
            begin(sluice, properties, LONG_AGO)
            found = wait_until(lambda: sum("begin" in run for run in runs(sluice).values()) == 2 and runs(sluice),
                               what="runs of both tasks")
            assert {task: run["records"] for task, run in found.items()} == {0: 1, 1: 1}
            assert found[0]["tick"] == found[1]["tick"]
            assert sorted(run["task"] for run in sluice.status("src")["schedule"]["last_runs"]) == [0, 1]
        before = len(asked)
        with Sluice(tmp_path, {"src": properties}) as sluice:
            sluice.wait_state("src", "RUNNING", 1)
            wait_until(lambda: sluice.text().count("Next run at") == 2)
            assert len(asked) == before  # both are known to have run


def test_without_a_schedule_status_is_connects(tmp_path):
    data = Http(None)
    with Sluice(tmp_path, {"src": data.properties}) as sluice:
        sluice.wait_state("src", "RUNNING")
        assert set(sluice.status("src")) == {"name", "connector", "tasks", "type"}
    data.close()


RUBBISH = [("schedule.cron", "61 * * * *", "minute"), ("schedule.timezone", "No/Where", "No/Where"),
           ("schedule.catchup", "sometimes", "schedule.catchup"), ("schedule.retries", "-1", "schedule.retries"),
           ("schedule.retry.delay.ms", "x", "schedule.retry.delay.ms")]


def test_rubbish_is_refused(tmp_path, data):
    with Sluice(tmp_path, {}) as sluice:
        for key, value, word in RUBBISH:
            status, answer = sluice.call("POST", "/connectors", {"name": "src", "config": {**data.properties, **NOON, key: value}})
            assert status == 400 and word in answer["message"], answer
