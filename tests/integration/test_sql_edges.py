"""SQL at its edges: keys and columns of odd kinds, where rows could be lost, doubled or overtaken."""
import json
import random

from harness import Sluice
from sql_servers import ON_MARIADB, MariaDb, Postgres, table
from test_sql import SINK, dead_letters, field, produce, row, rows_are, struct
from test_sql_source import SOURCE, consumed

BY_ID = {"mode": "incrementing", "incrementing.column.name": "id"}
TOLERANT = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq",
            "errors.deadletterqueue.topic.replication.factor": "1", "value.converter.schemas.enable": "false"}
BY_KEY = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}


def source(database, **more):
    return {**SOURCE, "connection.url": database.url, **database.login, **BY_ID,
            **{name.replace("__", "."): value for name, value in more.items()}}


def sink(database, topic, **more):
    return {**SINK, "connection.url": database.url, **database.login, "topics": topic, **BY_KEY,
            **{name.replace("__", "."): value for name, value in more.items()}}


def test_what_is_followed_is_read_once(tmp_path, database, request):
    """Reals, columns with null, joined tables; a query has a place to begin, too."""
    t = table(request.node.name)
    database.run(f"CREATE TABLE {t}r (id DOUBLE PRECISION NOT NULL)")
    database.run(f"INSERT INTO {t}r VALUES (0.1), (2.7)")
    database.run(f"CREATE TABLE {t}n (id INT)")
    database.run(f"INSERT INTO {t}n VALUES (1), (NULL), (3)")
    database.run(f"CREATE TABLE {t}j (nid INT NOT NULL, b VARCHAR(9) NOT NULL)")
    database.run(f"INSERT INTO {t}j VALUES (1, 'x'), (4, 'y')")
    bytes_of = "'\\x00ff'" if isinstance(database, Postgres) else "x'00ff'"
    kind = "BYTEA" if isinstance(database, Postgres) else "VARBINARY(9)" if isinstance(database, MariaDb) else "BLOB"
    database.run(f"CREATE TABLE {t}b (id {kind} NOT NULL)")
    database.run(f"INSERT INTO {t}b VALUES ({bytes_of})")
    with Sluice(tmp_path, {
        "reals": source(database, table__whitelist=t + "r"),
        "nulls": source(database, query=f"SELECT id FROM {t}n", topic__prefix="nulls"),
        "behind": source(database, query=f"SELECT id FROM {t}n WHERE id > 0", topic__prefix="behind",
                         incrementing__initial="1"),
        "joined": source(database, query=f"SELECT id, b FROM {t}n LEFT JOIN {t}j ON nid = id", topic__prefix="joined"),
        "bytes": source(database, table__whitelist=t + "b"),
    }) as sluice:
        consumed(sluice, f"s-{t}r", 2)
        database.run(f"INSERT INTO {t}r VALUES (1e300)")
        for topic, count in (("nulls", 2), ("behind", 1), ("joined", 2)):
            consumed(sluice, topic, count)
        database.run(f"INSERT INTO {t}n VALUES (4)")
        assert [r["id"] for r in consumed(sluice, f"s-{t}r", 3)] == [0.1, 2.7, 1e300]
        assert [r["id"] for r in consumed(sluice, "nulls", 3)] == [1, 3, 4]
        assert [r["id"] for r in consumed(sluice, "behind", 2)] == [3, 4]
        assert consumed(sluice, "joined", 3) == [{"id": 1, "b": "x"}, {"id": 3, "b": None}, {"id": 4, "b": "y"}]
        assert "holds bytes, and cannot be followed" in sluice.wait_state("bytes", "FAILED")["trace"]


def test_unsigned_numbers_beyond_int64_are_read_once(tmp_path, servers):
    database = servers(ON_MARIADB)
    database.run("CREATE TABLE beyond (id BIGINT UNSIGNED NOT NULL PRIMARY KEY)")
    database.run("INSERT INTO beyond VALUES (9223372036854775807), (9223372036854775813)")
    with Sluice(tmp_path, {"src": source(database, table__whitelist="beyond", transforms="t", transforms__t__type=
                                         "org.apache.kafka.connect.transforms.Cast$Value", transforms__t__spec="id:string")
                           }) as sluice:
        consumed(sluice, "s-beyond", 2)
        database.run("INSERT INTO beyond VALUES (9223372036854775814)")
        consumed(sluice, "s-beyond", 3)
        database.run("INSERT INTO beyond VALUES (18446744073709551615)")
        assert [r["id"] for r in consumed(sluice, "s-beyond", 4)] == [
            "9223372036854775807", "9223372036854775813", "9223372036854775814", "18446744073709551615"]


def test_question_marks_in_a_query_are_operators(tmp_path, postgres):
    """As PostgreSQL writes them, and doubled as its JDBC driver has them."""
    postgres.run("CREATE TABLE marks (id INT, d JSONB)")
    postgres.run("""INSERT INTO marks VALUES (1, '{"a":1}'), (2, '{"?":1}')""")
    with Sluice(tmp_path, {
        "one": source(postgres, query="SELECT id FROM marks WHERE d ? 'a' -- ?", topic__prefix="one"),
        "two": source(postgres, query="SELECT id FROM marks WHERE d ?? '?'", topic__prefix="two"),
        "bulk": source(postgres, query="SELECT id FROM marks WHERE d ?| array['a']", topic__prefix="bulk", mode="bulk"),
    }) as sluice:
        assert [consumed(sluice, topic, 1)[0]["id"] for topic in ("one", "two", "bulk")] == [1, 2, 1]


def test_rows_of_no_key_are_all_written_and_forms_of_a_key_are_one(tmp_path, database, request):
    t = table(request.node.name)
    schema = struct(field("id", "int32", True), field("v", "string", True))
    key = {MariaDb: "INT AUTO_INCREMENT PRIMARY KEY", Postgres: "INT UNIQUE"}.get(type(database), "INTEGER PRIMARY KEY")
    database.run(f"CREATE TABLE {t} (id {key}, v VARCHAR(9))")
    database.run(f"CREATE TABLE {t}f (id INT PRIMARY KEY, a INT, b INT)")
    sluice = Sluice(tmp_path, {"none": sink(database, t), "forms": sink(database, t + "f",
                                                                       value__converter__schemas__enable="false")})
    produce(sluice, t, [{"value": row(schema, id=None, v=v)} for v in "abc"])
    produce(sluice, t + "f", [{"value": {"id": 1, "a": 1}}, {"value": {"id": "1", "a": 2, "b": 2}},
                              {"value": {"id": 1, "a": 3}}])
    with sluice:
        rows_are(database, f"SELECT v FROM {t} ORDER BY v", [["a"], ["b"], ["c"]], sluice)
        rows_are(database, f"SELECT * FROM {t}f", [["1", "3", "2"]], sluice)


def test_keys_that_postgres_takes_for_one(tmp_path, postgres):
    schema = struct(field("id", "string"), field("v", "string", True))
    keys = {"UUID": ("aaaaaaaa-0000-0000-0000-000000000001", "AAAAAAAA-0000-0000-0000-000000000001"),
            "CHAR(4)": ("a", "a "), "NUMERIC": ("1.0", "01.00")}
    for n, kind in enumerate(keys):
        postgres.run(f"CREATE TABLE alike{n} (id {kind} PRIMARY KEY, v TEXT)")
    sluice = Sluice(tmp_path, {f"sink{n}": sink(postgres, f"alike{n}") for n in range(len(keys))})
    for n, (one, other) in enumerate(keys.values()):
        produce(sluice, f"alike{n}", [{"value": row(schema, id=one, v="first")}, {"value": row(schema, id=other, v="last")}])
    with sluice:
        for n in range(len(keys)):
            rows_are(postgres, f"SELECT v FROM alike{n}", [["last"]], sluice)


def test_a_row_comes_behind_the_delete_of_its_key_in_other_letters(tmp_path, servers):
    database = servers(ON_MARIADB)  # whose collations leave out case
    text, schema = {"type": "string", "optional": False}, struct(field("v", "string", True))
    database.run("CREATE TABLE letters (id VARCHAR(20) PRIMARY KEY, v TEXT)")
    sluice = Sluice(tmp_path, {"sink": sink(database, "letters", pk__mode="record_key", delete__enabled="true")})
    produce(sluice, "letters", [{"key": {"schema": text, "payload": "a"}, "value": None},
                                {"key": {"schema": text, "payload": "A"}, "value": row(schema, v="new")}])
    with sluice:
        rows_are(database, "SELECT id, v FROM letters", [["A", "new"]], sluice)


def test_a_row_that_a_trigger_refuses_is_a_bad_row(tmp_path, database, request):
    t = table(request.node.name)
    database.run(f"CREATE TABLE {t} (id INT PRIMARY KEY, v VARCHAR(9))")
    if isinstance(database, Postgres):
        database.run(f"CREATE FUNCTION {t}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'no' THEN "
                     "RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$")
        database.run(f"CREATE TRIGGER t BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION {t}()")
    elif isinstance(database, MariaDb):
        database.run(f"DELIMITER //\nCREATE TRIGGER t BEFORE INSERT ON {t} FOR EACH ROW IF NEW.v = 'no' THEN SIGNAL SQLSTATE "
                     "'45000' SET MESSAGE_TEXT = 'not this one'; END IF//")
    else:
        database.run(f"CREATE TRIGGER t BEFORE INSERT ON {t} WHEN NEW.v = 'no' BEGIN SELECT RAISE(ABORT, 'not this one'); END")
    sluice = Sluice(tmp_path, {"sink": sink(database, t, **TOLERANT)})
    produce(sluice, t, [{"value": {"id": n, "v": v}} for n, v in enumerate(("a", "no", "b"))])
    with sluice:
        rows_are(database, f"SELECT v FROM {t} ORDER BY id", [["a"], ["b"]], sluice)
        assert json.loads(dead_letters(sluice, "dlq", 1)[0]["value"]) == {"id": 1, "v": "no"}


def test_a_key_that_is_too_long_for_an_index_is_a_bad_row(tmp_path, postgres):
    postgres.run("CREATE TABLE long_keys (id TEXT PRIMARY KEY)")
    letters = random.Random(1)
    keys = ["a", "".join(letters.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(20000)), "b"]
    sluice = Sluice(tmp_path, {"sink": sink(postgres, "long_keys", **TOLERANT)})
    produce(sluice, "long_keys", [{"value": {"id": key}} for key in keys])
    with sluice:
        rows_are(postgres, "SELECT id FROM long_keys ORDER BY id", [["a"], ["b"]], sluice)
        assert json.loads(dead_letters(sluice, "dlq", 1)[0]["value"]) == {"id": keys[1]}
