"""`sluice transform`: the cleaning chain of the example over every row at hand, and the tool's manners."""
import json
import os
import signal
import subprocess

import pytest
from clean_reference import clean
from harness import EXAMPLE, PATIENCE, SHARED, SLUICE, TOPIC_PREFIX

CHAIN = os.path.join(EXAMPLE, "s3-clean.properties")
KINDS = ("pin", "geo", "user")


def transform(arguments, text, check=0):
    done = subprocess.run([SLUICE, "transform", *arguments], input=text.encode(), capture_output=True,
                          check=False)
    assert done.returncode == check, done.stderr.decode()
    return done.stdout.decode().split("\n")[:-1], done.stderr.decode()


def cleaned(kind, rows, dumps=json.dumps):
    lines, _ = transform(["--topic", TOPIC_PREFIX + kind, CHAIN],
                         "".join(dumps(row) + "\n" for row in rows))
    return [json.loads(line) for line in lines]


def check(kind, rows, dumps=json.dumps):
    got = cleaned(kind, rows, dumps)
    assert len(got) == len(rows)
    for row, result in zip(rows, got):
        expected = clean(kind, row)
        assert list(result.items()) == list(expected.items()), row
        assert [type(value) for value in result.values()] == [type(value) for value in expected.values()]


def read_rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def as_sent(rows):
    """`ind` goes out as `index`, as the emulator sends it."""
    return [{"index" if key == "ind" else key: value for key, value in row.items()} for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_every_recorded_row(kind):
    path = os.path.join(SHARED, "data", "pinterest", f"a131_{kind}_raw.jsonl")
    if not os.path.exists(path):
        pytest.skip(f"no recorded rows at {path} (set SLUICE_SHARED)")
    rows = read_rows(path)
    assert len(rows) >= 131
    check(kind, rows)
    check(kind, as_sent(rows))
    check(kind, rows, lambda row: json.dumps(row, ensure_ascii=False))


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_of_the_example(kind):
    check(kind, as_sent(read_rows(os.path.join(EXAMPLE, "rows", kind + ".jsonl"))))


PIN = {"index": 1, "unique_id": "u", "title": "t", "description": "d", "poster_name": "p",
       "follower_count": "1k", "tag_list": "a,b", "is_image_or_video": "image", "image_src": "s",
       "downloaded": 1, "save_location": "Local save in /data/art", "category": "art"}
GEO = {"index": 1, "timestamp": "2020-08-28T03:52:47", "latitude": -89.9787, "longitude": -173.293,
       "country": "Albania"}
USER = {"index": 1, "first_name": "A", "last_name": "B", "age": 20, "date_joined": "2015-10-24T11:23:51"}


def variants(row, field, values):
    return [{**row, field: value} for value in values]


def without(row):
    return [{key: value for key, value in row.items() if key != gone} for gone in row]


NOTHING = ["", None, " ", "Untitled", "untitled", " User Info Error ", "User Info Error",
           "No description available", "No description available Story format",
           "No Title Data Available", "Image src error", "Image src error.", "Image src error..",
           "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e", "\u00e9\U0001F600\u2028\"\\/\n\t"]
COUNTS = ["0", "136k", "136", "1.5k", "2m", "2M", "999M", "3,000", "1.2345k", "1.0005k", "k", "", None, "-5k",
          "+5k", " 5k", "5 k", "5K", "1e3", "1.", ".5k", "9223372036854775807", "9223372036854775808",
          "9223372036854775.807k", "99999999999999999999k", "0.0000001M", "0.000001M", 12, 12.0, 12.5,
          True, [], {}, "1.50000000000000000000000000000000000000000000000000k", "00012k", "\u0663k"]
PLACES = ["Local save in /data/art", "Local save in ", "Local save in", " Local save in /x",
          "/data/Local save in x", "Save location: /data/x", "Local save in Local save in /x", 5, None]
TIMES = ["2017-12-31T23:59:59", "2018-01-01T00:00:00", "2018-01-01 00:00:00", "2018-1-1 00:00:00",
         "2018-01-01", "2018-13-01T00:00:00", "2018-02-29T00:00:00", "2020-02-29T00:00:00",
         "2018-01-01T24:00:00", "2018-01-01T00:00:60", "2018-01-01T00:00:00Z", "2018-01-01T00:00:00.5",
         " 2018-01-01T00:00:00", "2018:01:01 00:00:00", "", None, 1514764800000, [], "1900-02-29 00:00:00"]
NUMBERS = [None, 17, 18, 24, 25, 35, 36, 50, 51, "36", "36.0", "", "x", 20.0, 20.5, -1, 2**63 - 1, 2**63,
           True, [1], "9223372036854775808", "-9223372036854775808"]
COUNTRIES = ["  Albania ", "\tAlbania\n", "", " ", None, "Cote d'Ivoire", "\u00a0Chad\u3000", "a  b", 5]


@pytest.mark.parametrize("kind, rows", [
    ("pin", [row for field in PIN if field != "index" for row in variants(PIN, field, NOTHING)]),
    ("pin", variants(PIN, "follower_count", COUNTS)),
    ("pin", variants(PIN, "save_location", PLACES)),
    ("pin", variants(PIN, "downloaded", [0, 1, 2, True, False, "true", "FALSE", "1", "0", "yes", 0.5, None])),
    ("pin", variants(PIN, "index", ["7", "x", None, 1.5, 7.0]) + without(PIN) + [{}, {**PIN, "more": 1}]),
    ("geo", variants(GEO, "country", COUNTRIES) + without(GEO)),
    ("geo", variants(GEO, "timestamp", TIMES) + variants(GEO, "latitude", [None, "1.5", 0, 1e-7, 1e7])),
    ("user", variants(USER, "age", [n for n in NUMBERS if n != 2**63]) + without(USER)),
    ("user", variants(USER, "date_joined", TIMES)),
    ("user", variants(USER, "first_name", ["", " ", None, "\U0001F600"]) + [USER, USER]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_edge_rows(kind, rows):
    check(kind, rows)


def test_other_topics_are_only_renamed():
    lines, _ = transform(["--topic", "12471ce1b695.other", CHAIN], '{"index":1,"z":"","a":2}\n')
    assert lines == ['{"ind":1,"z":"","a":2}']


# -- manners --

def write_chain(tmp_path, text):
    path = tmp_path / "chain.properties"
    path.write_text(text)
    return str(path)


def test_records_in_and_out(tmp_path):
    chain = write_chain(tmp_path, "transforms=r,i,h,d\n"
                        "transforms.r.type=RegexRouter\ntransforms.r.regex=a(.*)\n"
                        "transforms.r.replacement=b$1\n"
                        "transforms.i.type=InsertField$Value\ntransforms.i.offset.field=o\n"
                        "transforms.h.type=HeaderFrom$Value\ntransforms.h.fields=x\n"
                        "transforms.h.headers=hx\ntransforms.h.operation=move\n"
                        "transforms.d.type=DropHeaders\ntransforms.d.headers=gone\n")
    record = {"topic": "a1", "partition": 3, "timestamp": 5, "key": {"k": [1]}, "value": {"x": 1, "y": 2},
              "headers": [["gone", 1], ["kept", {"z": None}]]}
    lines, _ = transform(["--records", chain], json.dumps(record) + "\n\n" + '{"value":{"x":0}}\n')
    first, second = map(json.loads, lines)
    assert first == {"topic": "b1", "partition": 3, "timestamp": 5, "key": {"k": [1]},
                     "value": {"y": 2, "o": 0}, "headers": [["kept", {"z": None}], ["hx", 1]]}
    assert second["topic"] == "topic" and second["value"] == {"o": 2} and second["key"] is None


def test_dropped_records_leave_no_line(tmp_path):
    chain = write_chain(tmp_path, "transforms=f\ntransforms.f.type=Filter\ntransforms.f.predicate=t\n"
                        "predicates=t\npredicates.t.type=RecordIsTombstone\n")
    lines, _ = transform([chain], "1\nnull\n\"x\"\n")
    assert lines == ["1", '"x"']


def test_a_line_that_is_not_json(tmp_path):
    chain = write_chain(tmp_path, "transforms=t\ntransforms.t.type=TrimText$Value\n")
    lines, error = transform([chain], '{"a":" x"}\n{"a":\n', check=2)
    assert lines == ['{"a":"x"}']
    assert "line 2: not JSON:" in error


def test_a_record_that_fails(tmp_path):
    chain = "transforms=c\ntransforms.c.type=Cast$Value\ntransforms.c.spec=a:int8\n"
    text = '{"a":"1"}\n{"a":"x"}\n{"a":"2"}\n'
    lines, error = transform([write_chain(tmp_path, chain)], text, check=1)
    assert lines == ['{"a":1}']
    assert "line 2: org.apache.kafka.connect.errors.DataException: Value (x) was out of range" in error
    lines, error = transform([write_chain(tmp_path, chain + "errors.tolerance=all\n")], text)
    assert lines == ['{"a":1}', '{"a":2}'] and "line 2:" in error


def test_bad_configuration_and_usage(tmp_path):
    _, error = transform([write_chain(tmp_path, "transforms=c\n")], "", check=2)
    assert 'Missing required configuration "transforms.c.type"' in error
    _, error = transform([str(tmp_path / "none.properties")], "", check=3)
    assert "none.properties" in error
    transform([], "", check=2)
    transform(["--nonsense"], "", check=2)
    lines, _ = transform(["--help"], "")
    assert lines[0].startswith("Usage: sluice transform")


def test_explain():
    _, error = transform(["--topic", TOPIC_PREFIX + "pin", "--explain", CHAIN], json.dumps(PIN) + "\n")
    assert "followers (sluice.transforms.ExpandSuffix$Value)\n    ~ follower_count: \"1k\" -> 1000\n" in error
    assert "country (sluice.transforms.TrimText$Value): skipped, its predicate does not apply" in error
    assert "    - index: 1\n    + ind: 1\n" in error
    assert "    order: ind, unique_id, title" in error


@pytest.mark.parametrize("nested", [False, True])
def test_a_chain_in_json(tmp_path, nested):
    """As `run`, `check` and the REST API take connectors; it is not taken for properties without transforms."""
    config = {"transforms": "h", "transforms.h.type": "HoistField$Value", "transforms.h.field": "x"}
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"name": "c", "config": config} if nested else config), encoding="utf-8")
    assert transform([str(path)], "1\n")[0] == ['{"x":1}']
    path.write_text('{"transforms":', encoding="utf-8")
    assert "line 1" in transform([str(path)], "1\n", check=2)[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_both_processes(number):
    """A supervisor sends it to the one that it started; the other one has the output, too."""
    with subprocess.Popen([SLUICE, "transform", "--explain", CHAIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          # which a shell has the tests ignore that it runs in its background
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
        process.stdin.write(b"{}\n")
        process.stdin.flush()
        assert process.stderr.readline()  # the child is at it
        process.send_signal(number)
        assert process.wait(PATIENCE) == -number
        assert process.stdout.read() == b"" and b"crash" not in process.stderr.read()
        process.stdin.close()
