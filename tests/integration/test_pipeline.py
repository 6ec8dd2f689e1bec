"""The main job end to end: emulator -> REST source -> embedded log -> raw and cleaned objects."""
import json
import os
import subprocess
import sys

import pytest
from clean_reference import clean
from harness import EXAMPLE, ROOT, TOPIC_PREFIX, Sluice, free_port, object_key, objects, read_properties, wait_until

BUCKET = "user-12471ce1b695-bucket"


def connectors(folder, rest_port):
    rest = read_properties(os.path.join(EXAMPLE, "rest-source.properties"))
    raw = read_properties(os.path.join(EXAMPLE, "s3-raw.properties"))
    cleaned = read_properties(os.path.join(EXAMPLE, "s3-clean.properties"))
    rest["listeners"] = f"http://127.0.0.1:{rest_port}"
    raw["store.url"] = f"file:{folder}/lake"
    cleaned["store.url"] = f"file:{folder}/clean"
    result = {"rest-source": rest, "s3-raw": raw, "s3-clean": cleaned}
    for properties in result.values():
        properties.pop("name", None)
    return result


def lines(tree, kind):
    text = b"".join(data for key, data in sorted(tree.items()) if f"/{TOPIC_PREFIX}{kind}/" in key)
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipeline")
    port = free_port()
    ledger = folder / "acknowledged"
    with Sluice(folder, connectors(folder, port)):
        subprocess.run([sys.executable, os.path.join(EXAMPLE, "emulator.py"), "--quiet",
                        "--url", f"http://127.0.0.1:{port}", "--acknowledged", str(ledger)], check=True)
        lake, cleaned = folder / "lake" / BUCKET, folder / "clean" / BUCKET
        wait_until(lambda: len(objects(lake)) >= 411, what="411 raw objects")
        wait_until(lambda: sum(len(lines(objects(cleaned), kind)) for kind in ("pin", "geo", "user")) >= 411,
                   what="411 cleaned rows")
    posted = [json.loads(line) for line in ledger.read_text().splitlines()]
    return posted, objects(lake), objects(cleaned)


def test_raw_objects_have_exactly_the_expected_keys(run):
    _, lake, _ = run
    expected = {object_key(TOPIC_PREFIX + kind, 0, offset)
                for kind in ("pin", "geo", "user") for offset in range(137)}
    assert set(lake) == expected


def test_raw_objects_hold_what_was_posted(run):
    posted, lake, _ = run
    for topic, partition, offset, row in posted:
        data = lake[object_key(topic, partition, offset)]
        assert data.endswith(b"\n") and json.loads(data) == row


def test_raw_objects_are_compact_json_in_the_senders_order(run):
    posted, lake, _ = run
    for topic, partition, offset, row in posted:
        text = lake[object_key(topic, partition, offset)].decode()
        assert list(json.loads(text)) == list(row)
        assert '": ' not in text.split('"title"')[0]


@pytest.mark.parametrize("kind", ["pin", "geo", "user"])
def test_cleaned_rows_equal_the_reference_cleaning(run, kind):
    posted, _, cleaned = run
    expected = [clean(kind, row) for topic, _, _, row in posted if topic == TOPIC_PREFIX + kind]
    got = lines(cleaned, kind)
    assert [list(row.items()) for row in got] == [list(row.items()) for row in expected]


def test_owner_file_is_used_unchanged():
    """s3-raw.properties is the owner's file with nothing but lines behind it."""
    owner = os.path.join(os.environ.get("SLUICE_SHARED", os.path.join(ROOT, "..", "shared")),
                         "data", "pinterest", "owner", "s3-sink.properties")
    if not os.path.exists(owner):
        pytest.skip(f"the owner's file is not at {owner} (set SLUICE_SHARED)")
    with open(owner, encoding="utf-8") as theirs, \
            open(os.path.join(EXAMPLE, "s3-raw.properties"), encoding="utf-8") as ours:
        assert ours.read().startswith(theirs.read())
