"""--config-dir: connectors that are kept for good, and files that are changed by hand."""
import json
import os

import pytest
from harness import BUILD, Sluice, wait_until

WORKER = {"plugin.path": os.path.join(BUILD, "tests", "worker_plugins")}
SOURCE = "sluice.test.LineSourceConnector"


@pytest.fixture
def kept(tmp_path):
    (tmp_path / "in.txt").write_text("a\n")
    folder = tmp_path / "connectors"
    folder.mkdir()

    def run():
        return Sluice(tmp_path, {}, WORKER, ["--config-dir", str(folder)])

    run.dir, run.config = folder, {"connector.class": SOURCE, "topic": "t", "file": str(tmp_path / "in.txt")}
    return run


def properties(path, config):
    path.write_text("# mine\n" + "".join(f"{key}={value}\n" for key, value in config.items()))


def config_of(sluice, name):
    return sluice.call("GET", f"/connectors/{name}/config")[1]


def test_what_rest_does_is_kept(kept):
    long = ["x" * 300 + end for end in "12"]  # more than a file's name may have
    with kept() as sluice:
        for name in ("one", "two", "three", "a/b \u00fc", *long):
            assert sluice.call("POST", "/connectors", {"name": name, "config": kept.config})[0] == 201
        sluice.call("PATCH", "/connectors/one/config", {"note": "n = 1\n\u20ac"})
        sluice.call("PUT", "/connectors/two/pause")
        sluice.call("DELETE", "/connectors/three")
        one = config_of(sluice, "one")
    names = sorted(os.listdir(kept.dir))
    assert names[:4] == [".states.json", "a%2Fb%20%C3%BC.json", "one.json", "two.json"] and len(names) == 6, names
    assert oct(os.stat(kept.dir / "one.json").st_mode & 0o777) == "0o600"
    with kept() as sluice:
        wait_until(lambda: sluice.running("one"), what="one runs again")
        wait_until(lambda: sorted(sluice.call("GET", "/connectors")[1]) == ["a/b \u00fc", "one", "two", *long], what="the kept ones")
        assert config_of(sluice, "one") == one
        wait_until(lambda: sluice.status("two")["connector"]["state"] == "PAUSED", what="it is still paused")
        assert sluice.call("PUT", "/connectors/two/resume")[0] == 202
    with kept() as sluice:
        wait_until(lambda: sluice.running("two"), what="two runs again")


def test_files_changed_by_hand(kept):
    with kept() as sluice:
        properties(kept.dir / "hand.properties", kept.config)
        wait_until(lambda: sluice.running("hand"), what="a new file's connector runs")
        properties(kept.dir / "hand.properties", {**kept.config, "topic": "u"})
        wait_until(lambda: config_of(sluice, "hand")["topic"] == "u", what="the new configuration")
        (kept.dir / "other.json").write_text(json.dumps({"name": "o", "config": kept.config, "initial_state": "paused"}))
        wait_until(lambda: sluice.call("GET", "/connectors/o/status")[0] == 200, what="another")
        wait_until(lambda: sluice.status("o")["connector"]["state"] == "PAUSED", what="it is paused")
        os.rename(kept.dir / "hand.properties", kept.dir / "moved.properties")
        wait_until(lambda: sluice.call("GET", "/connectors")[1] == ["moved", "o"], what="the file's new name")
        os.remove(kept.dir / "moved.properties")
        wait_until(lambda: sluice.call("GET", "/connectors")[1] == ["o"], what="it is gone")


@pytest.mark.parametrize("bad, words", [
    ("connector.class=X\\u00zz\n", ["hand.properties", "line"]),
    ('{"connector.class": ', ["hand.properties", "line"]),
    ("topic=u\n", ["hand.properties", "connector.class"]),
    (f"connector.class={SOURCE}\nfile=x\n", ["hand.properties", '"topic"']),
    (f"connector.class={SOURCE}\ntopic=t\ntasks.max=many\n", ["hand.properties", "tasks.max"]),
    ("connector.class=no.Such\ntopic=t\n", ["hand.properties", "no.Such"]),
])
def test_a_bad_file_is_told_and_the_old_configuration_runs_on(kept, bad, words):
    with kept() as sluice:
        properties(kept.dir / "hand.properties", kept.config)
        wait_until(lambda: sluice.running("hand"), what="it runs")
        (kept.dir / "hand.properties").write_text(bad)
        wait_until(lambda: any(all(word in line for word in words) for line in "".join(sluice.output).split("[20")),
                   what=f"{words} in\n" + sluice.text())
        assert sluice.running("hand")
        assert config_of(sluice, "hand") == {**kept.config, "name": "hand"}


def test_a_file_that_rest_changes_keeps_its_form(kept):
    properties(kept.dir / "hand.properties", kept.config)
    with kept() as sluice:
        wait_until(lambda: sluice.running("hand"), what="it runs")
        odd = {**kept.config, "name": "hand", "odd key:=#": "  two blanks \\ and \u00fc\u20ac\U0001f600\n"}
        assert sluice.call("PUT", "/connectors/hand/config", odd)[0] == 200
        assert os.listdir(kept.dir) == ["hand.properties"]
    with kept() as sluice:
        wait_until(lambda: sluice.running("hand"), what="it runs again")
        assert config_of(sluice, "hand") == odd


def test_two_files_for_one_connector(kept):
    with kept() as sluice:
        properties(kept.dir / "a.properties", {**kept.config, "name": "same"})
        wait_until(lambda: sluice.running("same"), what="it runs")
        properties(kept.dir / "b.properties", {**kept.config, "name": "same", "topic": "u"})
        wait_until(lambda: "describes a connector 'same' too" in sluice.text(), what="a word about it")
        assert config_of(sluice, "same")["topic"] == "t"
