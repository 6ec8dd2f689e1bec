"""The SQL source on real servers: SQLite, PostgreSQL, MariaDB."""
import json
import subprocess

import pytest

from harness import SLUICE, Sluice, wait_until
from sql_servers import MariaDb, ON_MARIADB, ON_POSTGRES, ON_SQLITE, Postgres, Sqlite, table
from test_sql import SINK, field, logical, produce, row, struct

SOURCE = {"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "topic.prefix": "s-",
          "poll.interval.ms": "100", "value.converter.schemas.enable": "false"}


class Reader:
    """A source that runs, and what it wrote."""

    def __init__(self, folder, database, properties):
        self.sluice = Sluice(folder, {"src": {**SOURCE, "connection.url": database.url, **database.login,
                                              **properties}}).start()

    def records(self, topic, count):
        return consumed(self.sluice, topic, count)

    def offsets(self):
        return self.sluice.call("GET", "/connectors/src/offsets")[1]["offsets"]

    def stop(self):
        self.sluice.stop()


@pytest.fixture
def reader(tmp_path, database):
    running = []

    def run(properties):
        running.append(Reader(tmp_path, database, properties))
        return running[-1]

    yield run
    for one in running:
        one.stop()


def consumed(sluice, topic, count):
    """The first so many values of a topic, which need not be there yet."""
    lines = []

    def read():
        done = subprocess.run([SLUICE, "consume", "--bootstrap-server", sluice.worker["bootstrap.servers"], "--topic",
                               topic, "--from-beginning", "--max-messages", str(count), "--timeout-ms", "1000",
                               "--json"], capture_output=True, text=True)
        lines[:] = done.stdout.splitlines()
        return len(lines) == count
    try:
        wait_until(read)
    except AssertionError:
        raise AssertionError(f"{len(lines)} of {count} in {topic}: {lines}\n{sluice.text()}") from None
    return [json.loads(json.loads(line)["value"]) for line in lines]


def full_name(database, t):
    return {Sqlite: t, Postgres: f"public.{t}", MariaDb: f"sluice.{t}"}[type(database)]


def id_column(database):
    return {Sqlite: "INTEGER PRIMARY KEY", Postgres: "BIGSERIAL PRIMARY KEY",
            MariaDb: "BIGINT AUTO_INCREMENT PRIMARY KEY"}[type(database)]


def test_incrementing_reads_new_rows_and_goes_on_after_a_restart(reader, database, request):
    t = table(request.node.name)
    database.run(f"CREATE TABLE {t} (id {id_column(database)}, v VARCHAR(20))")
    database.run(f"INSERT INTO {t} (v) VALUES ('a'), ('b')")
    properties = {"mode": "incrementing", "table.whitelist": t}
    first = reader(properties)
    assert first.records("s-" + t, 2) == [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]
    database.run(f"INSERT INTO {t} (v) VALUES ('c')")
    assert first.records("s-" + t, 3)[2] == {"id": 3, "v": "c"}
    wait_until(lambda: first.offsets() == [{"partition": {"protocol": "1", "table": full_name(database, t)},
                                            "offset": {"incrementing": 3}}], what="the offset")
    first.stop()
    database.run(f"INSERT INTO {t} (v) VALUES ('d')")
    assert reader(properties).records("s-" + t, 4)[3] == {"id": 4, "v": "d"}


def test_timestamp_holds_offsets_back_while_rows_of_one_time_go_on(reader, database, request):
    t = table(request.node.name)
    kind = "DATETIME(3)" if isinstance(database, MariaDb) else "TIMESTAMP"
    database.run(f"CREATE TABLE {t} (n INT, at {kind} NOT NULL)")
    database.run(f"INSERT INTO {t} VALUES (1, '2024-01-02 03:04:05.100'), (2, '2024-01-02 03:04:05.100'), "
                 "(3, '2024-01-02 03:04:06'), (4, '1969-01-01 00:00:00'), (5, '2999-01-01 00:00:00')")
    one = reader({"mode": "timestamp", "timestamp.column.name": "at", "table.whitelist": t})
    assert [record["n"] for record in one.records("s-" + t, 3)] == [1, 2, 3]
    wait_until(lambda: [o["offset"] for o in one.offsets()] ==
               [{"timestamp": 1704164646000, "timestamp_nanos": 0}], what="the offset")
    database.run(f"INSERT INTO {t} VALUES (6, '2024-01-03 00:00:00')")
    assert one.records("s-" + t, 4)[3]["n"] == 6


def test_timestamp_reads_no_row_twice_where_a_batch_ends_with_its_query(tmp_path, postgres):
    postgres.run("CREATE TABLE even (n INT, at TIMESTAMP NOT NULL)")
    postgres.run("INSERT INTO even VALUES (1, '2024-01-01'), (2, '2024-01-02')")
    one = Reader(tmp_path, postgres, {"mode": "timestamp", "timestamp.column.name": "at", "table.whitelist": "even",
                                      "batch.max.rows": "1"})
    try:
        one.records("s-even", 2)
        for n, day in ((3, "2024-01-03"), (4, "2024-01-04")):
            postgres.run(f"INSERT INTO even VALUES ({n}, '{day}')")
            assert [r["n"] for r in one.records("s-even", n)] == list(range(1, n + 1))
    finally:
        one.stop()


def test_timestamp_and_incrementing_sees_changes(reader, database, request):
    t = table(request.node.name)
    kind = "DATETIME(6)" if isinstance(database, MariaDb) else "TIMESTAMP"
    database.run(f"CREATE TABLE {t} (id {id_column(database)}, at {kind} NOT NULL, v INT)")
    database.run(f"INSERT INTO {t} (at, v) VALUES ('2024-01-01 00:00:00', 1), ('2024-01-01 00:00:00', 2)")
    one = reader({"mode": "timestamp+incrementing", "timestamp.column.name": "at", "incrementing.column.name": "id",
                  "table.whitelist": t})
    one.records("s-" + t, 2)
    database.run(f"UPDATE {t} SET v = 3, at = '2024-01-01 00:00:00.5' WHERE id = 1")
    assert one.records("s-" + t, 3)[2]["v"] == 3
    wait_until(lambda: [o["offset"] for o in one.offsets()] ==
               [{"timestamp": 1704067200500, "timestamp_nanos": 500000000, "incrementing": 1}], what="the offset")


def test_tables_are_listed_by_any_of_their_names_and_missing_ones_are_told(tmp_path, database):
    q, name = database.quote, "t listed.odd"
    database.run(f"DROP TABLE IF EXISTS {q}{name}{q}")
    database.run(f"CREATE TABLE {q}{name}{q} (id INT PRIMARY KEY)")
    database.run(f"INSERT INTO {q}{name}{q} VALUES (1)")
    source = {**SOURCE, "connection.url": database.url, **database.login, "mode": "bulk", "poll.interval.ms": "600000",
              "transforms": "r", "transforms.r.type": "RegexRouter", "transforms.r.regex": "([abc])-.*",
              "transforms.r.replacement": "$1"}
    lists = {"a": name, "b": f"{q}{name}{q}", "c": full_name(database, f"{q}{name}{q}")}
    with Sluice(tmp_path, {**{topic: {**source, "topic.prefix": topic + "-", "table.whitelist": listed}
                              for topic, listed in lists.items()},
                           "none": {**source, "table.whitelist": "nowhere,other"}}) as sluice:
        for topic in lists:
            assert consumed(sluice, topic, 1) == [{"id": 1}]
        text = "".join(sluice.output)
        assert "there is no table nowhere" in text and "there is no table other" in text
        assert "there is no table t" not in text


@pytest.mark.parametrize("zone", ["America/New_York", "GMT+9"], ids=["named", "fixed"])
def test_times_have_a_zone_whatever_the_server_knows(tmp_path, database, zone, request):
    """Written, and read back by time: columns with and without a zone. MariaDB has no named zones loaded."""
    t = table(request.node.name)
    database.run(f"DROP TABLE IF EXISTS {t}")
    plain, instant = {MariaDb: ("DATETIME(6)", "TIMESTAMP(6)"), Postgres: ("TIMESTAMP", "TIMESTAMPTZ"),
                      Sqlite: ("TIMESTAMP", "TIMESTAMP")}[type(database)]
    database.run(f"CREATE TABLE {t} (id INT PRIMARY KEY, at {plain} NOT NULL, moment {instant} NOT NULL)")
    schema = struct(field("id", "int32"), logical("at", "Timestamp", "int64"), logical("moment", "Timestamp", "int64"))
    times = [1710054000000, 1730608200000, 1730611800000]  # 1:30 in New York twice, summer and winter
    source = {**SOURCE, "connection.url": database.url, **database.login, "db.timezone": zone, "mode": "timestamp"}
    whole = {"table.whitelist": t, "timestamp.column.name": "moment", "topic.prefix": "w-"}
    by_query = {"query": f"SELECT id, at FROM {t}", "timestamp.column.name": "at", "topic.prefix": "q-" + t}
    with Sluice(tmp_path, {"sq": {**SINK, "topics": t, "connection.url": database.url, **database.login,
                                  "db.timezone": zone, "pk.mode": "record_value", "pk.fields": "id"},
                           "whole": {**source, **whole}, "query": {**source, **by_query}}) as sluice:
        produce(sluice, t, [{"value": row(schema, id=i, at=at, moment=at)} for i, at in enumerate(times[:1])])
        assert consumed(sluice, "w-" + t, 1) == [{"id": 0, "at": times[0], "moment": times[0]}]
        assert consumed(sluice, "q-" + t, 1) == [{"id": 0, "at": times[0]}]
        if not isinstance(database, Sqlite):
            clock = {"America/New_York": "2024-03-10 03:00:00", "GMT+9": "2024-03-10 16:00:00"}[zone]
            assert database.run(f"SELECT at FROM {t}")[0][0].startswith(clock)
        produce(sluice, t, [{"value": row(schema, id=i, at=at, moment=at)} for i, at in enumerate(times) if i > 0])
        assert [record["moment"] for record in consumed(sluice, "w-" + t, 3)] == times


def test_a_query_may_have_a_where(reader, database, request):
    t = table(request.node.name)
    database.run(f"CREATE TABLE {t} (id {id_column(database)}, v INT)")
    database.run(f"INSERT INTO {t} (v) VALUES (1), (2), (3), (4)")
    one = reader({"mode": "incrementing", "incrementing.column.name": "id", "topic.prefix": "q" + t,
                  "query": f"SELECT id, v * 10 AS v FROM {t} WHERE v > 2 -- ?\n;"})
    assert one.records("q" + t, 2) == [{"id": 3, "v": 30}, {"id": 4, "v": 40}]
    assert one.offsets() == [] or one.offsets()[0]["partition"] == {"query": "query"}


def test_types_of_postgres(tmp_path, postgres):
    postgres.run("CREATE TABLE kinds (a smallint NOT NULL, b int, c bigint, d real, e double precision, f boolean, "
                 "g numeric(10,2), h numeric, i text, j bytea, k date, l time, m timestamp, n timestamptz, o uuid, "
                 "p jsonb, q int[], r inet)")
    postgres.run("INSERT INTO kinds VALUES (1, 2, 3, 1.5, 2.5, true, 12.34, 1.234, 'x', '\\x0001', '2022-01-08', "
                 "'01:02:03.004', '2022-01-08 00:00:00.123456', '2022-01-08 00:00:00+09', "
                 "'6f1b6c1e-56b5-4d50-9d0f-0f6f5b1a2c3d', '{\"a\": 1}', '{1,NULL}', '10.0.0.1')")
    one = Reader(tmp_path, postgres, {"mode": "bulk", "table.whitelist": "kinds", "value.converter.schemas.enable": "true",
                                      "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                                      "poll.interval.ms": "600000", "sluice.key.mode": "columns",
                                      "sluice.key.columns": "a"})
    try:
        record = one.records("s-kinds", 1)[0]
        assert record["payload"] == {
            "a": 1, "b": 2, "c": 3, "d": 1.5, "e": 2.5, "f": True, "g": "BNI=", "h": "1.234", "i": "x", "j": "AAE=",
            "k": 19000, "l": 3723004, "m": 1641600000123, "n": 1641567600000,
            "o": "6f1b6c1e-56b5-4d50-9d0f-0f6f5b1a2c3d", "p": '{"a": 1}', "q": "{1,NULL}", "r": "10.0.0.1"}
        schema = {f["field"]: f for f in record["schema"]["fields"]}
        assert not schema["a"]["optional"] and schema["b"]["optional"]
        assert (schema["a"]["type"], schema["d"]["type"], schema["g"]["name"], schema["g"]["parameters"]) == \
            ("int16", "float", "org.apache.kafka.connect.data.Decimal", {"scale": "2"})
        assert record["schema"]["name"] == "kinds"
    finally:
        one.stop()


def test_times_that_are_no_dates_do_not_stop_a_table(tmp_path, servers):
    """MySQL's zero dates are nulls, PostgreSQL's infinity what its JDBC driver makes of it: where that is no date or time
    of Connect's, its converter refuses the row."""
    mariadb, postgres = servers(ON_MARIADB), servers(ON_POSTGRES)
    mariadb.run("CREATE TABLE zero (id INT PRIMARY KEY, d DATE, at DATETIME)")
    mariadb.run("SET sql_mode=''; INSERT INTO zero VALUES (1, '0000-00-00', '0000-00-00 00:00:00')")
    mariadb.run("CREATE TABLE longest (id INT PRIMARY KEY, t TIME)")
    mariadb.run("INSERT INTO longest VALUES (1, '838:59:59'), (2, '-00:00:01'), (3, '23:59:59')")
    postgres.run("CREATE TABLE endless (id INT PRIMARY KEY, at TIMESTAMP, z TIMESTAMPTZ)")
    postgres.run("INSERT INTO endless VALUES (1, 'infinity', '-infinity')")
    postgres.run("CREATE TABLE endless_days (id INT PRIMARY KEY, d DATE)")
    postgres.run("INSERT INTO endless_days VALUES (1, 'infinity'), (2, '-infinity'), (3, '2024-01-01')")
    with Sluice(tmp_path, {name: {**SOURCE, "connection.url": database.url, **database.login, "mode": "bulk",
                                  "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                                  "table.whitelist": name, "poll.interval.ms": "600000", "errors.tolerance": "all"}
                           for name, database in (("zero", mariadb), ("longest", mariadb), ("endless", postgres),
                                                  ("endless_days", postgres))}) as sluice:
        assert consumed(sluice, "s-longest", 1) == [{"id": 3, "t": 86399000}]
        assert consumed(sluice, "s-endless_days", 1) == [{"id": 3, "d": 19723}]
        wait_until(lambda: "Column d: 'infinity' is no date" in sluice.text())
        wait_until(lambda: "Column t: '838:59:59' is no time of day" in sluice.text())
        assert consumed(sluice, "s-zero", 1) == [{"id": 1, "d": None, "at": None}]
        assert consumed(sluice, "s-endless", 1) == [{"id": 1, "at": 9223372036825200000, "z": -9223372036832400000}]


def test_a_wrong_query_is_refused_and_a_table_that_comes_is_read(tmp_path, servers):
    database = servers(ON_SQLITE)
    with Sluice(tmp_path, {}) as sluice:
        status, answer = sluice.call("POST", "/connectors", {"name": "w", "config": {
            **SOURCE, "connection.url": database.url, "mode": "bulk", "query": "SELECT nope FROM nowhere"}})
        assert status == 400 and "nowhere" in answer["message"], answer
        status, _ = sluice.call("POST", "/connectors", {"name": "late", "config": {
            **SOURCE, "connection.url": database.url, "mode": "bulk", "table.whitelist": "late",
            "table.poll.interval.ms": "200"}})
        assert status == 201
        sluice.wait_state("late", "RUNNING")
        wait_until(lambda: "0 tables are there of those that table.whitelist names" in sluice.text())
        database.run("CREATE TABLE late (x INT)")
        database.run("INSERT INTO late VALUES (7)")
        assert consumed(sluice, "s-late", 1) == [{"x": 7}]


def test_a_run_missed_is_made_up_for_and_recorded(tmp_path, servers):
    """The tick stored is of long ago, so that the one missed last is run at once."""
    database = servers(ON_SQLITE)
    database.run("CREATE TABLE daily (x INT)")
    database.run("INSERT INTO daily VALUES (1)")
    with Sluice(tmp_path, {}) as sluice:
        status, _ = sluice.call("POST", "/connectors", {"name": "src", "initial_state": "STOPPED", "config": {
            **SOURCE, "connection.url": database.url, "mode": "bulk", "table.whitelist": "daily",
            "schedule.cron": "0 12 * * *", "schedule.timezone": "Europe/Berlin"}})
        assert status == 201
        wait_until(lambda: sluice.status("src")["connector"]["state"] == "STOPPED")
        old = {"partition": {"schedule": "cron"}, "offset": {"tick": 1704106800000, "result": "ok"}}
        status, answer = sluice.call("PATCH", "/connectors/src/offsets", {"offsets": [old]})
        assert status == 200, answer
        sluice.call("PUT", "/connectors/src/resume")
        assert consumed(sluice, "s-daily", 1) == [{"x": 1}]

        def run():
            offsets = sluice.call("GET", "/connectors/src/offsets")[1]["offsets"]
            return offsets and offsets[0]["offset"]["tick"] != 1704106800000 and offsets[0]["offset"]
        offset = wait_until(run, what="the run on record")
        assert offset["result"] == "ok" and offset["attempts"] == 1 and offset["begin"] <= offset["end"]
        assert offset["tick"] % 86400000 in (10 * 3600000, 11 * 3600000)  # noon in Berlin
        sluice.told("Next run at")


def test_a_run_that_fails_is_tried_again(tmp_path, servers):
    database = servers(ON_SQLITE)
    with Sluice(tmp_path, {}) as sluice:
        database.run("CREATE TABLE retried (id TEXT)")  # null allowed: refused by validate.non.null
        sluice.call("POST", "/connectors", {"name": "src", "initial_state": "STOPPED", "config": {
            **SOURCE, "connection.url": database.url, "mode": "incrementing", "incrementing.column.name": "id",
            "table.whitelist": "retried", "topic.prefix": "", "schedule.cron": "0 12 * * *",
            "schedule.retries": "500", "schedule.retry.delay.ms": "100"}})
        old = {"partition": {"schedule": "cron"}, "offset": {"tick": 1704106800000}}
        wait_until(lambda: sluice.call("PATCH", "/connectors/src/offsets", {"offsets": [old]})[0] == 200)
        sluice.call("PUT", "/connectors/src/resume")
        wait_until(lambda: "tried again" in sluice.text(), what="a failure")
        database.run("DROP TABLE retried")
        database.run("CREATE TABLE retried (id INTEGER PRIMARY KEY)")
        database.run("INSERT INTO retried VALUES (5)")
        assert consumed(sluice, "retried", 1) == [{"id": 5}]


def test_a_look_for_tables_leaves_the_open_query_alone(reader, database, request):
    t = table(request.node.name)
    database.run(f"CREATE TABLE {t} (id INT PRIMARY KEY)")
    database.run(f"INSERT INTO {t} VALUES " + ", ".join(f"({i})" for i in range(300)))
    one = reader({"mode": "bulk", "table.whitelist": t, "batch.max.rows": "10", "table.poll.interval.ms": "1",
                  "poll.interval.ms": "600000"})
    assert [record["id"] for record in one.records("s-" + t, 300)] == list(range(300))


def test_rows_of_one_time_are_read_again_when_their_query_breaks_off(tmp_path, postgres):
    postgres.run("CREATE SEQUENCE tries")
    postgres.run("CREATE FUNCTION fails_once(n INT) RETURNS INT VOLATILE LANGUAGE plpgsql AS $$ BEGIN "
                 "IF n = 150 AND nextval('tries') = 1 THEN RAISE EXCEPTION 'broken off' USING ERRCODE = '40001'; "
                 "END IF; RETURN n; END $$")
    postgres.run("CREATE TABLE broken (n INT, at TIMESTAMP NOT NULL)")
    one = Reader(tmp_path, postgres, {"mode": "timestamp", "timestamp.column.name": "at", "topic.prefix": "s-broken",
                                      "query": "SELECT at, fails_once(n) AS n FROM broken "
                                               "ORDER BY broken.at, broken.n LIMIT 1000"})
    try:
        one.sluice.wait_state("src", "RUNNING")  # validation ran the query, too
        postgres.run("INSERT INTO broken SELECT n, CASE WHEN n < 50 THEN '2024-01-01'::timestamp ELSE '2024-01-02' END "
                     "FROM generate_series(0, 299) n")
        wait_until(lambda: "broken off" in one.sluice.text(), what="a failure")

        def all_there():
            return {json.loads(r["value"])["n"] for r in one.sluice.consume("s-broken")} == set(range(300))
        wait_until(all_there, what="all rows")
    finally:
        one.stop()
