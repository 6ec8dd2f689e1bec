"""/metrics: syntax, the table of docs/metrics.md, and that etc/ uses only what exists."""
import json
import os
import re
import urllib.request

import pytest
from harness import BUILD, Sluice, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLUGINS = ",".join(os.path.join(BUILD, "tests", folder) for folder in ("worker_plugins", "plugins"))
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(\{{(.*)\}})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|[+-]Inf|NaN)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\Z)')
HOSTILE = 'a"b\\c <i>'


def parse(text):
    """{family: (type, {(name, labels): value})}; fails where promtool would complain."""
    families, current, kind, seen, helped = {}, None, None, set(), None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, helped, said = line.split(" ", 3)
            assert helped not in families and said, line
            continue
        if line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert helped in (None, current), f"{helped} is explained, {current} follows"
            helped = None
            assert re.fullmatch(NAME, current) and kind in ("counter", "gauge", "histogram"), line
            assert current not in families, f"{current} stands in two places"
            families[current] = (kind, {})
            continue
        match = SAMPLE.match(line)
        assert match, line
        name, labels = match[1], match[3] or ""
        pairs, at = [], 0
        while at < len(labels):
            label = LABEL.match(labels, at)
            assert label, line
            pairs.append((label[1], re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), label[2])))
            at = label.end()
        assert len({key for key, _ in pairs}) == len(pairs), line
        family = re.sub(r"_(bucket|sum|count)\Z", "", name) if kind == "histogram" else name
        assert family == current, f"{line} stands under {current}"
        key = (name, tuple(pairs))
        assert key not in seen, line
        seen.add(key)
        families[current][1][key] = float(match[4])
    for family, (kind, samples) in families.items():
        if kind == "histogram":
            check_histogram(family, samples)
    return families


def check_histogram(family, samples):
    series = {}
    for (name, labels), value in samples.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        series.setdefault(rest, {})[(name, dict(labels).get("le"))] = value
    for values in series.values():
        counts = [value for (name, le), value in values.items() if le]
        assert counts == sorted(counts)
        assert values[(family + "_bucket", "+Inf")] == values[(family + "_count", None)]
        assert (family + "_sum", None) in values


def get(sluice):
    with urllib.request.urlopen(f"http://127.0.0.1:{sluice.admin_port}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.read().decode()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Of a worker whose source, sink and S3 sink have all done something."""
    folder = str(tmp_path_factory.mktemp("metrics"))
    path = os.path.join(folder, "in.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"line {i}\n" for i in range(3000))
    chain = {"transforms": "t", "transforms.t.type": "org.apache.kafka.connect.transforms.HoistField$Value",
             "transforms.t.field": "x"}
    connectors = {
        HOSTILE: {"connector.class": "sluice.test.LineSourceConnector", "file": path, "topic": "t", **chain},
        "copy": {"connector.class": "sluice.test.LineSinkConnector", "file": folder + "/out.txt", "topics": "t"},
        "lake": {"connector.class": "io.confluent.connect.s3.S3SinkConnector", "topics": "t",
                 "store.url": "file:" + folder + "/store", "s3.bucket.name": "b", "s3.region": "eu-west-1",
                 "flush.size": "1000", "storage.class": "io.confluent.connect.s3.storage.S3Storage",
                 "format.class": "io.confluent.connect.s3.format.json.JsonFormat"},
    }
    with Sluice(folder, connectors, {"plugin.path": PLUGINS, "offset.flush.interval.ms": "200"}) as sluice:
        def ready():
            text = get(sluice)
            return ('objects_written{connector="lake",task="0"} 3' in text
                    and 'completion_total{connector="copy",task="0"} 0' not in text
                    and 'stage="commit"' in text and 'stage="put"' in text)
        wait_until(ready)
        yield get(sluice)


def test_syntax_and_labels(page):
    families = parse(page)
    labels = dict(next(iter(families["kafka_connect_source_task_metrics_source_record_write_total"][1]))[1])
    assert labels == {"connector": HOSTILE, "task": "0"}
    stages = {dict(labels)["stage"] for _, labels in
              families["kafka_connect_connector_task_metrics_stage_latency_seconds"][1]}
    assert stages == {"poll", "convert", "transform", "put", "commit", "produce"}


def documented():
    with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as file:
        return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in file
                if line.startswith("| ") and "---" not in line]


def test_table_of_the_documentation(page):
    families, absent = parse(page), 0
    for row in documented():
        names = re.findall(r"`(kafka_connect_[a-z0-9_]+)`", " ".join(row))
        if len(row) == 3 and row[2] != "here":
            if row[2].startswith("absent: "):
                absent += 1
                continue
            assert names == [f"kafka_connect_{row[0]}_{row[1]}".replace("-", "_")], row
        for name in names:
            assert name in families, name
    assert absent < 8
    told = set(re.findall(r"kafka_connect_[a-z0-9_]+", " ".join(" ".join(row) for row in documented())))
    ours = {name for name in families if not name.startswith("kafka_connect_connect_worker_metrics_process_")}
    plugins = ("objects_written", "bytes_written", "uploads_in_flight", "upload_retries")
    missing = {name for name in ours - told if not name.endswith(plugins)}
    assert not missing, f"not in docs/metrics.md: {missing}"


def test_each_is_explained(page):
    explained = set(re.findall(r"^# HELP (\S+) \S", page, re.MULTILINE))
    plugins = ("objects_written", "bytes_written", "uploads_in_flight", "upload_retries")
    assert {name for name in parse(page) if not name.endswith(plugins)} == explained


def plugin_metrics():
    """What connectors make themselves: some only with a real store."""
    found = set()
    for folder, _, names in os.walk(os.path.join(ROOT, "connectors")):
        for name in names:
            if name.endswith(".c"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found.update(re.findall(r'host->metric\([^"]*"([a-z-]+)"', file.read()))
    return {"kafka_connect_connector_task_metrics_" + name.replace("-", "_") for name in found}


def expressions():
    with open(os.path.join(ROOT, "etc", "grafana-dashboard.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    yield dashboard["templating"]["list"][1]["query"]
    yaml = pytest.importorskip("yaml", reason="python3-yaml reads the alert rules")
    with open(os.path.join(ROOT, "etc", "prometheus-alerts.yml"), encoding="utf-8") as file:
        for group in yaml.safe_load(file)["groups"]:
            for rule in group["rules"]:
                assert rule["alert"] and rule["annotations"]["summary"]
                yield rule["expr"]


def test_dashboard_and_alerts_use_what_exists(page):
    families, count = set(parse(page)) | plugin_metrics(), 0
    for expression in expressions():
        assert expression.count("(") == expression.count(")"), expression
        names = re.findall(r"kafka_connect_[a-z0-9_]+", expression)
        assert names, expression
        for name in names:
            count += 1
            assert re.sub(r"_(bucket|sum|count)\Z", "", name) in families or name in families, name
    assert count > 20
