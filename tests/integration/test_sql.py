"""The SQL sink and source on real servers: SQLite, PostgreSQL, MariaDB."""
import json
import subprocess

import pytest

from harness import PATIENCE, SLUICE, Sluice, wait_until
from sql_servers import MariaDb, Postgres, Sqlite

SINK = {
    "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "true",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "true",
    "retry.backoff.ms": "200",
}
ON_POSTGRES, ON_SQLITE, ON_MARIADB = "postgresql", "sqlite", "mariadb"


@pytest.fixture(scope="module")
def servers():
    """Started when first asked for; one a product."""
    started = {}

    def get(product):
        if product not in started:
            kind = {ON_SQLITE: Sqlite, ON_POSTGRES: Postgres, ON_MARIADB: MariaDb}[product]
            started[product] = kind().start()
        return started[product]

    yield get
    for server in started.values():
        server.close()


@pytest.fixture(params=[ON_SQLITE, ON_POSTGRES, ON_MARIADB])
def database(request, servers):
    return servers(request.param)


@pytest.fixture
def postgres(servers):
    return servers(ON_POSTGRES)


def produce(sluice, topic, records):
    """records: {"key":, "value":, ..}; JSON values become texts."""
    lines = "\n".join(json.dumps({name: json.dumps(part) if name in ("key", "value") and part is not None else part
                                  for name, part in record.items()}) for record in records)
    subprocess.run([SLUICE, "produce", "--bootstrap-server", sluice.worker["bootstrap.servers"], "--topic", topic,
                    "--json"], input=lines, text=True, check=True, timeout=PATIENCE)


def dead_letters(sluice, topic, count):
    consumed = subprocess.run([SLUICE, "consume", "--bootstrap-server", sluice.worker["bootstrap.servers"], "--topic",
                               topic, "--from-beginning", "--max-messages", str(count), "--timeout-ms", "20000", "--json"],
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


def table(request_name):
    return "t_" + request_name.replace("[", "_").replace("]", "").replace("-", "_")[-50:]


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
        assert "find (PRIMARY on id; u on v, id)" in sluice.text()


# -- source --

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
        assert "Next run at" in sluice.text()


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
