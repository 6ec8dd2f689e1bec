"""The SQL sink on real servers: SQLite, PostgreSQL, MariaDB."""
import json
import subprocess

import pytest

from harness import PATIENCE, SLUICE, Sluice, wait_until
from sql_servers import MariaDb, ON_MARIADB, ON_SQLITE, Postgres, Sqlite, table

SINK = {
    "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "true",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "true",
    "retry.backoff.ms": "200",
}


def produce(sluice, topic, records):
    """records: {"key":, "value":, ..}; JSON values become texts."""
    lines = "\n".join(json.dumps({name: json.dumps(part) if name in ("key", "value") and part is not None else part
                                  for name, part in record.items()}) for record in records)
    subprocess.run([SLUICE, "produce", "--bootstrap-server", sluice.worker["bootstrap.servers"], "--topic", topic,
                    "--json"], input=lines, text=True, check=True, timeout=PATIENCE)


def dead_letters(sluice, topic, count):
    consumed = subprocess.run([SLUICE, "consume", "--bootstrap-server", sluice.worker["bootstrap.servers"], "--topic",
                               topic, "--from-beginning", "--max-messages", str(count), "--timeout-ms",
                               str(PATIENCE * 500), "--json"],
                              capture_output=True, text=True, timeout=PATIENCE)
    return [json.loads(line) for line in consumed.stdout.splitlines()]


def field(name, kind, optional=False, **more):
    return {"field": name, "type": kind, "optional": optional, **more}


def logical(name, kind, of):
    return {**field(name, of), "name": "org.apache.kafka.connect.data." + kind, "version": 1}


def struct(*fields):
    return {"type": "struct", "optional": False, "fields": list(fields)}


def row(schema, **members):
    return {"schema": schema, "payload": members}


@pytest.fixture
def sink(tmp_path, database):
    """Runs a sink on topics, which get the records given; the table is looked at by the test."""
    running = []

    def run(properties, topic, records=(), worker=None, before=()):
        sluice = Sluice(tmp_path, {"sq": {**SINK, "topics": topic, "connection.url": database.url, **database.login,
                                          **properties}}, worker)
        if before:  # so that one batch has them all
            produce(sluice, topic, before)
        running.append(sluice.start())
        if records:
            produce(sluice, topic, records)
        return sluice

    yield run
    for sluice in running:
        sluice.stop()


def rows_are(database, sql, expected, sluice):
    last = []

    def look():
        last[:] = [database.run(sql, check=False)]
        return last[0] == expected
    try:
        wait_until(look)
    except AssertionError:
        raise AssertionError(f"{sql}: {last}, not {expected}\n{sluice.text()}") from None


def test_upsert_last_value_of_a_key_counts(sink, database, request):
    t = table(request.node.name)
    schema = struct(field("id", "int32"), field("v", "string", True))
    sluice = sink({"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "auto.create": "true"}, t,
                  [{"value": row(schema, id=1, v="a")}, {"value": row(schema, id=2, v="x")},
                   {"value": row(schema, id=1, v="b")}])
    rows_are(database, f"SELECT id, v FROM {t} ORDER BY id", [["1", "b"], ["2", "x"]], sluice)


def test_all_types_make_a_table_and_come_back(sink, database, request):
    t = table(request.node.name)
    schema = struct(field("i8", "int8"), field("i16", "int16", True), field("i32", "int32", default=7),
                    field("i64", "int64"), field("f32", "float"), field("f64", "double"), field("b", "boolean"),
                    field("s", "string"), field("y", "bytes"),
                    logical("d", "Date", "int32"),
                    logical("t", "Time", "int32"),
                    logical("ts", "Timestamp", "int64"))
    sluice = sink({"auto.create": "true"}, t,
                  [{"value": row(schema, i8=-1, i16=None, i32=3, i64=2**60, f32=1.5, f64=2.25, b=True, s="it's",
                                 y="AAH/", d=19000, t=3723004, ts=1641600000123)}])
    names = "i8, i16, i32, i64, f32, f64, b, s, y, d, t, ts"
    if isinstance(database, Sqlite):
        expected = ["-1", None, "3", str(2**60), "1.5", "2.25", "1", "it's", "0001ff", str(19000 * 86400000),
                    "3723004", "1641600000123"]
    elif isinstance(database, Postgres):
        expected = ["-1", None, "3", str(2**60), "1.5", "2.25", "t", "it's", "\\x0001ff", "2022-01-08",
                    "01:02:03.004", "2022-01-08 00:00:00.123"]
    else:
        names = names.replace(" y,", " hex(y),")
        expected = ["-1", None, "3", str(2**60), "1.5", "2.25", "1", "it's", "0001FF", "2022-01-08", "01:02:03.004",
                    "2022-01-08 00:00:00.123"]
    rows_are(database, f"SELECT {names} FROM {t}", [expected], sluice)


def test_schemaless_rows_make_a_table_and_grow_it(sink, database, request):
    t = table(request.node.name)
    sluice = sink({"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "auto.create": "true",
                   "auto.evolve": "true", "value.converter.schemas.enable": "false"}, t,
                  [{"value": {"id": 1, "a": None, "n": 1.5, "o": {"k": [1, 2]}}},
                   {"value": {"id": 2, "a": "x", "n": 2.5, "o": None}},
                   {"value": {"id": 3, "more": True}}, {"value": {"id": 1, "a": "y", "n": 3.5, "o": None}}])
    yes = "t" if isinstance(database, Postgres) else "1"
    rows_are(database, f"SELECT id, a, n, more FROM {t} ORDER BY id",
             [["1", "y", "3.5", None], ["2", "x", "2.5", None], ["3", None, None, yes]], sluice)


@pytest.mark.parametrize("by", [{"sluice.unknown.fields": "ignore"}, {"fields.whitelist": "id,a,known"}])
def test_a_member_without_a_column_hides_no_other(sink, database, request, by):
    """As many members as the row before, of which one had no column."""
    t = table(request.node.name)
    text = "VARCHAR(9)"
    database.run(f"CREATE TABLE {t} (id INT PRIMARY KEY, a {text}, known {text})")
    sluice = sink({"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", **by,
                   "value.converter.schemas.enable": "false"}, t,
                  before=[{"value": {"id": 1, "a": "x", "odd": 1}}, {"value": {"id": 2, "a": "y", "known": "z"}},
                          {"value": {"known": "q", "id": 3, "a": "y"}}, {"value": {"id": 4, "a": "y", "even": 1}}])
    rows_are(database, f"SELECT id, a, known FROM {t} ORDER BY id",
             [["1", "x", None], ["2", "y", "z"], ["3", "y", "q"], ["4", "y", None]], sluice)


def test_partial_rows_leave_other_columns(sink, database, request):
    """SQLite's OR REPLACE would lose e."""
    t = table(request.node.name)
    wide = struct(field("id", "int32"), field("b", "string", True), field("e", "int32", True))
    sluice = sink({"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "auto.create": "true",
                   "auto.evolve": "true"}, t,
                  [{"value": row(wide, id=2, b="b", e=9)},
                   {"value": row(struct(field("id", "int32"), field("c", "string", True)), id=2, c="c")}])
    rows_are(database, f"SELECT id, b, e, c FROM {t}", [["2", "b", "9", "c"]], sluice)


def test_deletes_keep_the_order_of_a_key(sink, database, request):
    t = table(request.node.name)
    key, value = struct(field("id", "int32")), struct(field("v", "string", True))
    properties = {"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "auto.create": "true"}
    put = lambda i, v: {"key": row(key, id=i), "value": row(value, v=v)}  # noqa: E731
    gone = lambda i: {"key": row(key, id=i), "value": None}  # noqa: E731
    sluice = sink(properties, t, [gone(9), put(1, "a"), gone(1), put(1, "b"), put(2, "a"), gone(2), put(3, "z")])
    rows_are(database, f"SELECT id, v FROM {t} ORDER BY id", [["1", "b"], ["3", "z"]], sluice)


def test_a_bad_row_goes_to_the_dead_letters_and_its_batch_is_written(sink, database, request):
    t = table(request.node.name)
    database.run(f"CREATE TABLE {t} (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL)")
    database.run(f"INSERT INTO {t} VALUES (7, 'old')")
    schema = struct(field("id", "int32"), field("v", "string", True))
    records = [{"value": row(schema, id=i, v="v")} for i in range(20)]
    records.append({"value": row(schema, id=30, v=None)})
    sluice = sink({"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead",
                   "errors.deadletterqueue.context.headers.enable": "true",
                   "errors.deadletterqueue.topic.replication.factor": "1"}, t, records)
    rows_are(database, f"SELECT count(*), sum(id) FROM {t}", [["20", str(sum(range(20)))]], sluice)
    letters = dead_letters(sluice, "dead", 2)
    assert sorted(json.loads(letter["value"])["payload"]["id"] for letter in letters) == [7, 30]
    assert "java.sql.SQLException" in json.dumps(letters)


def test_without_tolerance_a_bad_row_fails_the_task_and_nothing_is_kept(sink, database, request):
    t = table(request.node.name)
    database.run(f"CREATE TABLE {t} (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL)")
    database.run(f"INSERT INTO {t} VALUES (1, 'old')")
    schema = struct(field("id", "int32"), field("v", "string", True))
    sluice = sink({}, t, before=[{"value": row(schema, id=3, v="x")}, {"value": row(schema, id=1, v="dup")}])
    trace = sluice.wait_state("sq", "FAILED")["trace"]
    assert "java.sql.SQLException" in trace and f"{t}-0@1" in trace, trace
    assert database.run(f"SELECT id, v FROM {t}") == [["1", "old"]]


@pytest.mark.parametrize("properties, message", [
    ({}, "auto-creation is disabled"),
    ({"auto.create": "true", "pk.mode": "record_value", "pk.fields": "nope"}, "nope"),
    ({"auto.create": "true", "pk.mode": "record_key"}, "exactly one PK column"),
])
def test_what_cannot_be_written_says_why(tmp_path, servers, properties, message):
    database = servers(ON_SQLITE)
    with Sluice(tmp_path, {"sq": {**SINK, "topics": "nowhere", "connection.url": database.url, **properties}}) as sluice:
        produce(sluice, "nowhere", [{"key": {"schema": {"type": "string", "optional": False}, "payload": "k"},
                                     "value": row(struct(field("id", "int32")), id=1)}])
        assert message in sluice.wait_state("sq", "FAILED")["trace"]


def test_a_server_that_is_away_is_waited_for(tmp_path):
    server = Postgres()
    properties = {**SINK, "topics": "t", "connection.url": server.url, **server.login, "insert.mode": "upsert",
                  "pk.mode": "record_value", "pk.fields": "id", "auto.create": "true", "max.retries": "300"}
    schema = struct(field("id", "int32"), field("v", "int32"))
    try:
        with Sluice(tmp_path, {"sq": properties}) as sluice:
            produce(sluice, "t", [{"value": row(schema, id=1, v=1)}])
            wait_until(lambda: "retries remain" in sluice.text())
            server.start()
            rows_are(server, "SELECT id, v FROM t", [["1", "1"]], sluice)
            server.kill()
            produce(sluice, "t", [{"value": row(schema, id=i, v=2)} for i in range(1000)])
            server.start()
            rows_are(server, "SELECT count(*), min(v) FROM t", [["1000", "2"]], sluice)
            assert sluice.task("sq")["state"] == "RUNNING"
    finally:
        server.close()


def test_secrets_stay_out_of_the_log(tmp_path, servers):
    with Sluice(tmp_path, {"sq": {**SINK, "topics": "t", "connection.url": "jdbc:postgresql://127.0.0.1:1/x",
                                  "connection.user": "u", "connection.password": "pl4nted", "max.retries": "0"}}) as sluice:
        produce(sluice, "t", [{"value": row(struct(field("id", "int32")), id=1)}])
        sluice.wait_state("sq", "FAILED")
        assert "pl4nted" not in sluice.text()


def test_uuid_json_and_case_of_columns(tmp_path, postgres):
    postgres.run('CREATE TABLE odd ("ID" uuid PRIMARY KEY, doc jsonb, at timestamptz, tags text[])')
    key = {"schema": {"type": "string", "optional": False}}
    uuid = "6f1b6c1e-56b5-4d50-9d0f-0f6f5b1a2c3d"
    value = struct(field("doc", "string"), logical("at", "Timestamp", "int64"),
                   {"field": "tags", "type": "array", "items": {"type": "string", "optional": False},
                    "optional": False})
    properties = {**SINK, "topics": "odd", "connection.url": postgres.url, **postgres.login, "insert.mode": "upsert",
                  "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true", "db.timezone": "Asia/Tokyo"}
    with Sluice(tmp_path, {"sq": properties}) as sluice:
        produce(sluice, "odd", [{"key": {**key, "payload": uuid},
                                 "value": row(value, doc='{"a": 1}', at=1641600000123, tags=["x", 'y"\\', "z,"])}])
        rows_are(postgres, """SELECT doc->>'a', at AT TIME ZONE 'UTC', tags[2], tags[3] FROM odd""",
                 [["1", "2022-01-08 00:00:00.123", 'y"\\', "z,"]], sluice)
        produce(sluice, "odd", [{"key": {**key, "payload": uuid}, "value": None}])
        rows_are(postgres, "SELECT count(*) FROM odd", [["0"]], sluice)


def test_postgres_takes_and_refuses_as_by_itself(tmp_path, postgres):
    """Rows travel as arrays: what fits, what is cast, what is refused and cut is as with a statement a row."""
    postgres.run("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    postgres.run("CREATE DOMAIN tiny AS varchar(3) CHECK (value <> 'bad')")
    postgres.run("CREATE TABLE takes (id int PRIMARY KEY, s smallint, f float8, r real, v varchar(3), c char(3), n numeric(6,2),"
                 " b bit(3), d date, u uuid, m mood, a int[], y bytea, t boolean, i inet)")
    postgres.run("CREATE TABLE tinies (id int PRIMARY KEY, v tiny)")
    good = [{"id": 1, "s": 7, "f": 2, "r": 1.1, "v": "abc", "c": "ab", "n": 1.005, "b": "101", "d": "2024-02-29",
             "u": "6f1b6c1e-56b5-4d50-9d0f-0f6f5b1a2c3d", "m": "ok", "a": "{1,2}", "y": "\\x00ff", "t": True, "i": "::1"},
            {"id": 2, "s": "8", "f": "1e300", "r": 3, "v": 12, "c": 1, "n": "9999.99", "b": "000", "d": "infinity",
             "u": None, "m": None, "a": None, "y": "x", "t": "yes", "i": None},
            {"id": 3}]
    bad = [{"s": 70000}, {"v": "abcd"}, {"v": "a\0"}, {"c": "abcd"}, {"n": 123456}, {"b": "1"}, {"d": "2024-02-30"}, {"u": "x"},
           {"m": "glad"}, {"s": 1.5}, {"f": "x"}, {"id": None}]
    records = [{"value": {"id": 10, "v": "1st"}}, *({"value": value} for value in good),
               *({"value": {"id": 100 + i, **value}} for i, value in enumerate(bad)), {"value": {"id": 11, "v": "end"}}]
    properties = {**SINK, "topics": "takes,tinies", "connection.url": postgres.url, **postgres.login, "insert.mode": "upsert",
                  "pk.mode": "record_value", "pk.fields": "id", "value.converter.schemas.enable": "false",
                  "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "takes-dlq",
                  "errors.deadletterqueue.topic.replication.factor": "1",
                  "errors.deadletterqueue.context.headers.enable": "true"}
    sluice = Sluice(tmp_path, {"sq": properties})
    produce(sluice, "takes", records)
    produce(sluice, "tinies", [{"value": {"id": 1, "v": "abc"}}, {"value": {"id": 2, "v": "abcd"}}, {"value": {"id": 3, "v": "bad"}}])
    with sluice:
        rows_are(postgres, "SELECT * FROM takes WHERE id < 3 ORDER BY id", [
            ["1", "7", "2", "1.1", "abc", "ab ", "1.01", "101", "2024-02-29", "6f1b6c1e-56b5-4d50-9d0f-0f6f5b1a2c3d", "ok",
             "{1,2}", "\\x00ff", "t", "::1"],
            ["2", "8", "1e+300", "3", "12", "1  ", "9999.99", "000", "infinity", None, None, None, "\\x78", "t", None]], sluice)
        rows_are(postgres, "SELECT id FROM takes ORDER BY id", [["1"], ["2"], ["3"], ["10"], ["11"]], sluice)
        rows_are(postgres, "SELECT * FROM tinies", [["1", "abc"]], sluice)
        assert len(dead_letters(sluice, "takes-dlq", len(bad) + 2)) == len(bad) + 2


@pytest.mark.parametrize("columns", ["id int, v text", "id int, v text, n int PRIMARY KEY"], ids=["none", "not_written"])
def test_upsert_that_would_always_insert_says_what_it_needs(sink, database, request, columns):
    t = table(request.node.name)
    database.run(f"CREATE TABLE {t} ({columns})")
    sluice = sink({"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}, t,
                  [{"value": row(struct(field("id", "int32")), id=1)}])
    assert "unique index on the columns of pk.fields" in sluice.wait_state("sq", "FAILED")["trace"]


def test_upsert_by_other_columns_than_the_keys_is_told(tmp_path, servers):
    """MariaDB: PostgreSQL and SQLite refuse."""
    server = servers(ON_MARIADB)
    server.run("CREATE TABLE others (id int PRIMARY KEY, v varchar(9), UNIQUE u (v, id))")
    with Sluice(tmp_path, {"sq": {**SINK, "topics": "others", "connection.url": server.url, **server.login,
                                  "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "v"}}) as sluice:
        schema = struct(field("id", "int32"), field("v", "string"))
        produce(sluice, "others", [{"value": row(schema, id=1, v="a")}, {"value": row(schema, id=1, v="b")}])
        rows_are(server, "SELECT id, v FROM others", [["1", "a"]], sluice)
        sluice.told("find (PRIMARY on id; u on v, id)")


def test_texts_that_say_a_time_are_times(sink, database, request):
    """Those of timestamp.fields.list; on MariaDB any that names a zone and goes into a column for times."""
    t = table(request.node.name)
    database.run(f"DROP TABLE IF EXISTS {t}")
    kind = {MariaDb: "DATETIME(6)", Postgres: "TIMESTAMP", Sqlite: "TIMESTAMP"}[type(database)]
    database.run(f"CREATE TABLE {t} (id INT PRIMARY KEY, a {kind}, b {kind}, c {kind})")
    schema = struct(*[field("id", "int32")] + [field(name, "string") for name in "abc"])
    sluice = sink({"timestamp.fields.list": "a,b"}, t,
                  [{"value": row(schema, id=1, a="2024-01-01T02:00:00.123456+02:00", b="1704067200123456",
                                 c="2024-01-01T00:00:00Z")}])
    if isinstance(database, Sqlite):
        rows_are(database, f"SELECT a, b, c FROM {t}", [["1704067200123", "1704067200123", "2024-01-01T00:00:00Z"]], sluice)
    else:
        rows_are(database, f"SELECT a, b, c = '2024-01-01 00:00:00' FROM {t}",
                 [["2024-01-01 00:00:00.123456"] * 2 + ["t" if isinstance(database, Postgres) else "1"]], sluice)


def test_a_topic_with_a_dot_on_sqlite_says_what_to_do(tmp_path, servers):
    with Sluice(tmp_path, {"sq": {**SINK, "topics": "a.b", "connection.url": servers(ON_SQLITE).url,
                                  "auto.create": "true"}}) as sluice:
        produce(sluice, "a.b", [{"value": row(struct(field("id", "int32")), id=1)}])
        assert "unknown database a " in sluice.wait_state("sq", "FAILED")["trace"]
