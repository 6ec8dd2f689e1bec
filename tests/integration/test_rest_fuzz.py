"""The admin API against docs/openapi.yaml: schemathesis makes requests, good and bad; every answer has to be
one that the file documents, and the worker has to be there afterwards."""
import os
import re
import subprocess
import sys

import pytest
from fetched import CACHE, Missing, fetched
from harness import ROOT, Sluice, wait_until

VERSION = "4.32.5"
EXAMPLES = "400" if os.environ.get("SLUICE_FULL") else "6"
KNOWN = """[parameters]
"path.connector" = "fuzzed"
"path.plugin" = "FileStreamSource"
"path.logger" = "fuzzed.logger"
"path.task" = 0
"""


@pytest.fixture(scope="module")
def schemathesis():
    install = '"$0" -m venv . && bin/pip install -q "$1"'
    try:
        folder = fetched(os.path.join(CACHE, "schemathesis-" + VERSION), "bash", "-c", install, sys.executable,
                         "schemathesis==" + VERSION)
    except Missing as missing:
        pytest.skip(str(missing))
    return [os.path.join(folder, "bin", name) for name in ("python", "schemathesis")]


def routes():
    """{(verb, path)} of core/rest/route.c, in the form of the file."""
    text = open(os.path.join(ROOT, "core", "rest", "route.c"), encoding="utf-8").read()
    table = text[text.index("routes[] = {"):text.index("};", text.index("routes[] = {"))]
    found = set()
    for pattern, verbs in re.findall(r'\{"([^"]*)",\s*\{((?:\{"[A-Z]+", \w+\},?\s*)+)\}\}', table):
        names = {"connectors": "{connector}", "connector-plugins": "{plugin}", "admin": "{logger}"}
        path = "/" + pattern.replace("{}", names.get(pattern.split("/")[0], "{}")).replace("#", "{task}")
        found |= {(verb, path) for verb in re.findall(r'"([A-Z]+)"', verbs)}
    return found


def test_the_file_names_every_path_and_verb():
    yaml = pytest.importorskip("yaml")
    with open(os.path.join(ROOT, "docs", "openapi.yaml"), encoding="utf-8") as file:
        paths = yaml.safe_load(file)["paths"]
    documented = {(verb.upper(), path) for path, verbs in paths.items() for verb in verbs}
    ours = {route for route in routes() if not route[1].startswith(("/ui", "/sluice"))}
    assert len(ours) > 25 and documented == ours


@pytest.mark.parametrize("names", ["unknown", "known"])
def test_answers_are_documented(schemathesis, tmp_path, names):
    config = tmp_path / "schemathesis.toml"
    config.write_text(KNOWN if names == "known" else "")
    (tmp_path / "in.txt").write_text("x\n")
    with Sluice(tmp_path, {}) as sluice:
        pid = sluice.process.pid
        assert sluice.call("POST", "/connectors", {"name": "fuzzed", "config": {
            "connector.class": "FileStreamSource", "topic": "t", "file": str(tmp_path / "in.txt")}})[0] == 201
        done = subprocess.run(
            [*schemathesis, "--config-file", str(config), "run", os.path.join(ROOT, "docs", "openapi.yaml"),
             "--url", f"http://127.0.0.1:{sluice.admin_port}", "-n", EXAMPLES, "--phases", "examples,coverage,fuzzing",
             "--checks", "status_code_conformance,content_type_conformance,response_schema_conformance,"
             "response_headers_conformance", "--seed", os.environ.get("SLUICE_SEED", "1")],
            cwd=tmp_path, capture_output=True, text=True, timeout=1500, check=False)
        assert done.returncode == 0, done.stdout[-6000:]
        assert sluice.process.pid == pid and sluice.process.poll() is None
        status, loggers = sluice.call("GET", "/admin/loggers")
        assert status == 200
        for name in sluice.call("GET", "/connectors")[1]:
            sluice.call("DELETE", "/connectors/" + re.sub("[^A-Za-z0-9]", lambda m: "".join(
                f"%{byte:02X}" for byte in m[0].encode()), name))
        wait_until(lambda: not sluice.pids("sluice-host"), what="no host is left")
