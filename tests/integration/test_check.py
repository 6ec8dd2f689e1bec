"""`sluice check`: every error at once, with file, line, key and hint; warnings for unknown keys."""
import json
import os
import subprocess

import pytest
from harness import EXAMPLE, PATIENCE, SHARED, SLUICE


def check(*arguments):
    return subprocess.run([SLUICE, "check", *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=PATIENCE)


def findings(path):
    done = check("--json", path)
    assert done.stderr == ""
    report = json.loads(done.stdout)
    (only,) = report["files"]
    assert report["errors"] == sum(f["severity"] == "error" for f in only["findings"])
    return done.returncode, only


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_examples_are_good():
    files = [os.path.join(EXAMPLE, name) for name in os.listdir(EXAMPLE) if name.endswith(".properties")]
    done = check(*files)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("0 errors, 0 warnings\n")


def test_the_owners_file_is_good():
    path = os.path.join(SHARED, "data", "pinterest", "owner", "s3-sink.properties")
    if not os.path.exists(path):
        pytest.skip(f"{path} is not there (set SLUICE_SHARED)")
    code, report = findings(path)
    assert (code, report["type"], report["name"]) == (0, "sink", "s3-sink")


def test_every_error_at_once(tmp_path):
    code, report = findings(write(tmp_path, "bad.properties", "\n".join([
        "connector.class=RestSource",
        "tasks.max=0",
        "transforms=a,b",
        "transforms.a.type=Cast$Value",
        "transforms.a.spec=x:nope",
        "transforms.b.type=RegexRuter",
        "transforms.b.predicate=zz",
        "errors.tolerance=some",
        "errors.tolerence=all",
    ])))
    assert code == 2
    assert [(f["line"], f["key"], f["severity"]) for f in report["findings"]] == [
        (2, "tasks.max", "error"), (5, "transforms.a.spec", "error"),
        (6, "transforms.b.type", "error"), (7, "transforms.b.predicate", "error"),
        (8, "errors.tolerance", "error"), (9, "errors.tolerence", "warning")]
    assert "Value must be at least 1" in report["findings"][0]["message"]
    assert "RegexRouter" in report["findings"][2]["hint"]
    assert report["findings"][5]["hint"] == "did you mean errors.tolerance?"


def test_unknown_class_gets_a_suggestion(tmp_path):
    code, report = findings(write(tmp_path, "c.properties", "connector.class=RestSorce\n"))
    assert code == 2
    assert report["findings"][0]["key"] == "connector.class"
    assert "RestSource" in report["findings"][0]["hint"]
    code, report = findings(write(tmp_path, "d.properties",
                                  "topics=t\nconnector.class=io.confluent.connect.s3.S3SinkConector\n"))
    assert code == 2
    assert "S3SinkConnector" in [f["hint"] for f in report["findings"] if f["key"] == "connector.class"][0]


def test_no_plugin_falls_over_its_own_missing_options(tmp_path):
    """A validator is asked about null too: where an option is required and missing."""
    listed = subprocess.run([SLUICE, "plugins", "list", "--json"], capture_output=True, text=True,
                            check=True, timeout=PATIENCE)
    lines = ["connector.class=RestSource"]
    steps = {"transform": [], "predicate": []}
    connectors = []
    for plugin in json.loads(listed.stdout)["plugins"]:
        kind = plugin["kind"].split(".")[1].split("/")[0]
        if kind in steps:
            steps[kind].append(plugin["class"])
        elif kind in ("source", "sink"):
            connectors.append(plugin["class"])
    for kind, classes in steps.items():
        lines.append(f"{kind}s=" + ",".join(f"s{i}" for i in range(len(classes))))
        lines += [f"{kind}s.s{i}.type={name}" for i, name in enumerate(classes)]
    texts = ["\n".join(lines)] + [f"connector.class={name}\n" for name in connectors]
    assert len(connectors) >= 2 and len(steps["transform"]) > 20
    for text in texts:
        _, report = findings(write(tmp_path, "only.properties", text))
        assert not [f for f in report["findings"] if "crashed" in f["message"]], text


def test_values_from_providers_are_not_judged(tmp_path):
    code, report = findings(write(tmp_path, "c.properties",
                                  "connector.class=RestSource\ntasks.max=${file:/x:n}\n"))
    assert (code, report["findings"]) == (0, [])


def test_syntax_and_bytes(tmp_path):
    code, report = findings(write(tmp_path, "a.properties", "connector.class=RestSource\nx=\\u12\n"))
    assert code == 2 and "line 2" in report["findings"][0]["message"]
    path = write(tmp_path, "b.properties", "connector.class=RestSource\nname=a\nname=caf\u00e9\n")
    code, report = findings(path)
    assert code == 0
    texts = [f["message"] for f in report["findings"]]
    assert any("given twice" in text for text in texts) and any("ISO-8859-1" in text for text in texts)
    path = tmp_path / "bom.properties"
    path.write_bytes(b"\xef\xbb\xbfname=a\nconnector.class=RestSource\n")
    assert any("byte order mark" in f["message"] for f in findings(str(path))[1]["findings"])


def test_json_files(tmp_path):
    code, report = findings(write(tmp_path, "c.json", json.dumps(
        {"name": "j", "config": {"connector.class": "RestSource", "tasks.max": 1, "topic": None}})))
    assert code == 2
    assert report["name"] == "j"
    assert [f["key"] for f in report["findings"]] == ["topic"]


def test_worker_and_names_across_files(tmp_path):
    worker = write(tmp_path, "w.properties", "bootstrap.servers=local:x\nkey.converter=StringConverter\n"
                   "listner=http://:1\nsasl.jaas.config=secret\noffset.flush.interval.ms=x\n")
    one = write(tmp_path, "one.properties", "name=same\nconnector.class=RestSource\n")
    two = write(tmp_path, "two.properties", "name=same\nconnector.class=RestSource\n")
    done = check(worker, one, two)
    assert done.returncode == 2
    assert 'Missing required configuration "value.converter"' in done.stdout
    assert "did you mean listeners?" in done.stdout
    assert "secret" not in done.stdout
    assert f"'same' is the name of the connector in {one} too" in done.stdout
    assert f"error: {worker} is a worker's configuration too" in check(worker, worker).stdout


def test_usage_and_missing_files(tmp_path):
    assert check().returncode == 2
    assert check("--nope", "x").returncode == 2
    assert check("--help").returncode == 0
    done = check(tmp_path / "none.properties")
    assert done.returncode == 3 and "none.properties" in done.stdout


@pytest.mark.parametrize("key, value, said", [
    ("listeners", "ftp://127.0.0.1:1", "not of the form http://host:port"),
    ("listeners", "http://127.0.0.1:99999", "has no good host and port"),
    ("listeners", "http://127.0.0.1:0,nonsense", "not of the form http://host:port"),
    ("admin.listeners", "http://127.0.0.1:0,nonsense", "not of the form http://host:port"),
    ("bootstrap.servers", "local:", "names no folder"),
    ("bootstrap.servers", "", "names no broker")])
def test_what_run_refuses_of_a_worker_is_an_error(tmp_path, key, value, said):
    worker = {"bootstrap.servers": "local:log", "key.converter": "StringConverter",
              "value.converter": "StringConverter", "offset.storage.file.filename": "offsets", key: value}
    path = write(tmp_path, "worker.properties", "\n".join(f"{k}={v}" for k, v in worker.items()))
    code, report = findings(path)
    assert code == 2
    (finding,) = [f for f in report["findings"] if f["severity"] == "error"]
    assert finding["key"] == key and said in finding["message"] and finding["line"] > 0


def test_client_keys_of_a_worker_are_known(tmp_path):
    """They stand without a prefix, and the worker's own clients take them."""
    path = write(tmp_path, "worker.properties", "bootstrap.servers=local:log\nkey.converter=StringConverter\n"
                 "value.converter=StringConverter\noffset.storage.file.filename=offsets\ndefault.api.timeout.ms=6000\n"
                 "retries=3\nmetadata.recovery.strategy=none\nlinger.ms=5\n")
    code, report = findings(path)
    assert code == 0 and [f["key"] for f in report["findings"]] == ["linger.ms"], report
    code, report = findings(write(tmp_path, "bad.properties", path.read_text(encoding="utf-8") + "default.api.timeout.ms=soon\n"))
    assert code == 2 and "default.api.timeout.ms" in [f["key"] for f in report["findings"] if f["severity"] == "error"]


def test_folders_with_blanks_in_their_names(tmp_path):
    folder = tmp_path / "my plugins"
    folder.mkdir()
    (folder / "one.so").write_bytes(b"")
    done = subprocess.run([SLUICE, "plugins", "list", "--plugin-path", f" {folder} , "], capture_output=True, text=True,
                          check=False, timeout=PATIENCE)
    assert str(folder / "one.so") in done.stderr, done.stderr


def test_config_providers_of_a_worker(tmp_path):
    worker = {"bootstrap.servers": "local:log", "key.converter": "StringConverter", "value.converter": "StringConverter",
              "offset.storage.file.filename": "offsets", "config.providers": "a, b,c, d",
              "config.providers.a.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
              "config.providers.a.param.allowed.paths": "/x", "config.providers.a.param.allowed.path": "/x",
              "config.providers.b.class": "com.example.VaultProvider", "config.providers.b.param.token": "s3cret",
              "config.providers.d.class": "EnvVarConfigProvider",
              "config.providers.d.clas": "x", "config.providers.e.class": "EnvVarConfigProvider"}
    code, report = findings(write(tmp_path, "worker.properties", "\n".join(f"{k}={v}" for k, v in worker.items())))
    assert code == 2 and "s3cret" not in json.dumps(report)
    found = {(finding["severity"], finding["key"].removeprefix("config.providers.")): finding for finding in report["findings"]}
    assert sorted(found) == [("error", "b.class"), ("error", "c.class"),
                             ("warning", "a.param.allowed.path"), ("warning", "d.clas"), ("warning", "e.class")], report
    assert "com.example.VaultProvider could not be found" in found["error", "b.class"]["message"]
    assert "allowed.paths?" in found["warning", "a.param.allowed.path"]["hint"]
    assert "Missing required configuration" in found["error", "c.class"]["message"]


def test_keys_of_a_time_partitioner(tmp_path):
    """The API's validation says nothing, as the original's: it is found out when a task starts. This tool tells before."""
    sink = {"connector.class": "S3Sink", "topics": "t", "s3.bucket.name": "b", "s3.region": "eu-west-1", "flush.size": "1",
            "storage.class": "io.confluent.connect.s3.storage.S3Storage",
            "format.class": "io.confluent.connect.s3.format.json.JsonFormat"}
    keys = {"partition.duration.ms": "3600000", "path.format": "'year'=YYYY/", "locale": "en-US", "timezone": "UTC"}

    def errors(**more):
        text = "\n".join(f"{key}={value}" for key, value in {**sink, **more}.items())
        code, report = findings(write(tmp_path, "sink.properties", text))
        found = sorted(finding["key"] for finding in report["findings"])
        assert code == (2 if found else 0)
        return found
    time_based = {"partitioner.class": "io.confluent.connect.storage.partitioner.TimeBasedPartitioner"}
    assert errors(**time_based) == sorted(keys)
    assert errors(**time_based, **keys) == []
    assert errors(**time_based, **{**keys, "path.format": "'year'=YYYY/jj"}) == ["path.format"]
    hourly = {"partitioner.class": "io.confluent.connect.storage.partitioner.HourlyPartitioner"}
    assert errors(**hourly) == ["locale", "timezone"]
    assert errors(**{"rotate.schedule.interval.ms": "1000"}) == ["timezone"]
    assert errors() == []
