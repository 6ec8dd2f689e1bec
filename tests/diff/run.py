#!/usr/bin/env python3
"""Differential test: random cases through Kafka Connect's own classes and through our plugins.

    run.py [--seed N] [--count N] [--keep FILE] [KIND..]

generate.py makes cases, Recorder.java lets Connect's classes answer them, and the runner of recorded vectors puts
them to our .so files. What differs and is not among the known differences (docs/compatibility.md) is a failure; it
is printed with its case, and the same seed gives it again. Closes with `N passed, N failed`. Without Java, Maven
or the jars it is skipped and says so.
"""
import argparse
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
BUILD = os.environ.get("SLUICE_BUILD") or os.path.join(ROOT, "build", "release")
SHARED = os.environ.get("SLUICE_SHARED") or os.path.join(os.path.dirname(ROOT), "shared")
CHUNK = 5000
# Members that the recorder adds.
ANSWERS = ("records_out", "error", "test", "applies", "schema_out", "value", "out_b64", "java_null", "entries",
           "compile_error", "matches", "find", "replace_first", "replace_error", "router", "values", "errors", "error_count",
           "groups", "key", "of")

# What a text of the JVM's says that nobody can foresee: the identity hash of an array of bytes.
IDENTITY = re.compile(r"\[B@[0-9a-f]+")


def is_identity(why, case):
    """The expected text is ours but for `[B@1a2b3c`, which is the bytes themselves here."""
    if case.get("class", "") == CONNECT_STRING and "out_b64" in case:
        return IDENTITY.search(base64.b64decode(case["out_b64"] or "").replace(b"\0", b"").decode("latin-1")) is not None
    texts = re.match(r"expected (.*), got (.*)", why, re.S)
    if not texts or not IDENTITY.search(texts[1]):
        return False
    parts, got = IDENTITY.split(texts[1]), texts[2].rstrip()
    cut = got.startswith(parts[0]) and not got.endswith(")}")  # at a byte that is 0
    return cut or re.fullmatch(".*".join(map(re.escape, parts)), got, re.S) is not None


def names_meet(why, case):
    """Renames or Flatten of schemaless maps, where the order of a map that a transform has made decides."""
    return (not case["schemas"] or 'expected {"schema":null' in why) and any("renames" in step["config"] or "Flatten" in step["class"] for step in case.get("chain") or [case])


def has_long_numbers(_, case):
    """A date text with a number beyond nine digits, given or printed before it is read."""
    steps = case.get("chain") or [case]
    payload = json.loads(case["records_in"][0]["value"])["payload"]
    return len(steps) > 1 or re.search(r"\d{10}|E\d\d", str(payload)) is not None


def is_odd_utf16(_, case):
    data = base64.b64decode(case["in_b64"])
    return len(data) % 2 == 1 and b"\0" in data[:4]


def has_nul(_, case):
    """A text of the record has U+0000, which a message does not show."""
    return "\\\\u0000" in json.dumps(case["records_in"])


CONNECT_STRING = "org.apache.kafka.connect.storage.StringConverter"
# (name, pattern over `why`, groups, what else holds): each is a row of docs/compatibility.md.
KNOWN = [
    ("inner classes by a short name", "", "", lambda _, case: case.get("kind") == "validate_connector" and
     any(key.startswith("transforms.") and re.fullmatch(r"\w+\$(Key|Value)", value or "") for key, value in case["config"].items())),
    ("aliases with a star", r"^errors of (transforms|predicates)\.[^ ]*\*", "", None),
    # asked over REST, which looks at that first
    ("another class in the path of the request", r"got Included connector type .* does not match request type ", "", None),
    ("identity hashes", r"^expected .*\[B@|^out: expected", r"", is_identity),
    ("regex: refused with a sentence",
     r"Not supported here: (lookbehind assertion is not fixed length|\\+b\{g\}|\\+N\{|flag c|more than 65535)", r"", None),
    ("regex: a look-behind without end in a group, and something else wrong behind it", r"^refused: ", r"regex$",
     lambda _, case: (case["compile_error"] or {}).get("message", "").startswith("Look-behind group does not have an obvious")),
    ("regex: U+0000 in a message", r"Unknown character property name \{", r"", None),
    ("regex: \\R with a possessive count, \\N without braces", r"^(matches|refused)", r"regex$",
     lambda _, case: re.search(r"\\R(\{|[*+?])|\\N(?!\{)", case["pattern"]) is not None),
    ("regex: && with nothing behind it", r"^matches", r"regex$", lambda _, case: "&&]" in case["pattern"] or "&&&&" in case["pattern"]),
    ("two bad options", r"^expected configure java.lang.ArrayIndexOutOfBoundsException: .*, got configure .*ConfigException", r"", None),
    ("Cast: capitals beyond ASCII", r"No enum constant .*[^\x00-\x7f].* for configuration Invalid type found", "", None),
    ("properties: U+0000", r'^status 0, .*\\u0000', "", None),
    ("a configuration in a message", r"contains no connector type", "", None),
    ("texts: U+0000 in a message", r"expected apply .*, got apply ", r"", has_nul),
    ("maps: which field wins a name in a chain", r'^(key|value): expected \{(?!"schema":\{)', r"(chain|Flatten.*)$", names_meet),
    ("dates: texts with a zone's name, made texts again", r'^value: expected .*Time"\}, got .*Coordinated Universal Time"\}$', r"",
     lambda _, case: "zzzz" in case.get("config", {}).get("format", "")),
    ("dates: numbers beyond an int", r'^value: expected .*"payload":', r"dates$", has_long_numbers),
    ("dates: a and p for AM and PM", r"Could not parse timestamp: ", r"dates$",
     lambda _, case: any("a" in step["config"].get("format", "") for step in case.get("chain") or [case])),
    ("JSON: UTF-16 with an odd byte", r"^to_connect did not fail", r"JsonConverter$", is_odd_utf16),
    ("floats: bits of a signalling NaN", r"^out: expected ", r"FloatConverter$",
     lambda _, case: case.get("value") == {"float32": "NaN"}),
]


def compile_recorder(jars):
    """Folder of the compiled recorder; made once per source."""
    source = os.path.join(HERE, "Recorder.java")
    with open(source, "rb") as text:
        digest = hashlib.sha256(text.read() + jars.encode()).hexdigest()[:16]
    folder = os.path.join(BUILD, "recorder-" + digest)
    if not os.path.isdir(folder):
        made = folder + ".tmp"
        shutil.rmtree(made, ignore_errors=True)
        os.makedirs(made)
        subprocess.run(["javac", "-nowarn", "-d", made, "-cp", jars + "/*", source], check=True)
        os.rename(made, folder)
    return folder


class Recorder:
    def __init__(self, jars):
        self.command = ["java", "-Xmx256m", "-Xss4m", "-XX:+UseSerialGC", "-Duser.timezone=UTC", "-Duser.language=en",
                        "-Duser.country=US", "-Dlog4j.configuration=file:",
                        "-cp", compile_recorder(jars) + os.pathsep + jars + "/*", "Recorder"]

    def answer(self, text):
        done = subprocess.run(self.command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              timeout=600)
        lines = done.stdout.decode().splitlines()
        if done.returncode != 0 or len(lines) != text.count(b"\n"):
            sys.exit("recorder: ended early\n" + done.stderr.decode()[-2000:])
        return lines


def same_answer(recorded, answered):
    """Whether the recorder says what was recorded; what is informative is left out of both."""
    def plain(value):
        if isinstance(value, dict):
            return {name: plain(member) for name, member in value.items() if name not in ("causes", "jdk17_float")}
        if isinstance(value, list):
            return [plain(member) for member in value]
        return re.sub(r"InsertionSpec@[0-9a-f]+", "InsertionSpec@HASH", value) if isinstance(value, str) else value
    return plain(recorded) == plain(answered)


def check_recorder(recorder):
    """The recorder against the recorded vectors: it has to answer them as the JVM did back then."""
    folder = os.path.join(SHARED, "conformance", "vectors")
    cases = []
    for name in ("transforms", "predicates", "converters", "configdef", "properties", "regex"):
        try:
            with open(os.path.join(folder, name + ".jsonl"), encoding="ascii") as lines:
                cases += [json.loads(line) for line in lines]
        except OSError:
            print(f"no recorded vectors in {folder}: the recorder is taken at its word")
            return 0, 0
    text = "".join(json.dumps({name: member for name, member in case.items() if name not in ANSWERS}) + "\n"
                   for case in cases)
    failed = 0
    for case, line in zip(cases, recorder.answer(text.encode())):
        if not same_answer(case, json.loads(line)):
            failed += 1
            print(f"FAILED recorder {case['id']}: {line[:1000]}")
    print(f"recorder: {len(cases) - failed} of {len(cases)} recorded cases answered alike")
    return len(cases) - failed, failed


def usable(line):
    case = json.loads(line)
    error = case.get("error")
    return "skip" not in case and not (error and error.get("stage") in ("input", "write"))


def known(why, line):
    case = json.loads(line)
    return next((name for name, pattern, groups, holds in KNOWN
                 if re.search(pattern, why, re.S) and re.search(groups, case["group"]) and (not holds or holds(why, case))), None)


def run_chunk(recorder, seed, count, kinds, keep, totals):
    text = subprocess.run([sys.executable, os.path.join(HERE, "generate.py"), str(seed), str(count), *kinds],
                          check=True, stdout=subprocess.PIPE).stdout
    lines = [line for line in recorder.answer(text) if usable(line)]
    cases = {json.loads(line)["id"]: line for line in lines}
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        done = subprocess.run([os.path.join(BUILD, "tests", "vectors"), "--quiet", file.name], check=False,
                              stdout=subprocess.PIPE)
        asked = subprocess.run([sys.executable, os.path.join(ROOT, "tests", "suites", "validate_connector.py"), file.name], check=False,
                               stdout=subprocess.PIPE).stdout.decode()
    output = done.stdout.decode(errors="replace") + re.sub(r"^ok .*\n", "", asked, flags=re.M)
    sums = re.findall(r"^(\d+) passed, \d+ failed$", output, re.M)
    if done.returncode > 1 or len(sums) != 2:
        sys.exit(f"vectors: ended with {done.returncode} (seed {seed})\n{output[-2000:]}")
    totals["passed"] += sum(map(int, sums))
    # `why` may hold line ends; a new outcome begins with its word
    for outcome in re.split(r"^(?=FAILED |left out |diff/\S+ +\d+ of|\d+ passed, )", output, flags=re.M):
        match = re.match(r"FAILED (\S+): (.*)", outcome, re.S)
        if not match:
            continue
        name = known(match[2], cases[match[1]])
        if name:
            totals["known"][name] = totals["known"].get(name, 0) + 1
            continue
        totals["failed"] += 1
        print(f"FAILED {match[1]}: {match[2].rstrip()[:2000]}\n    {cases[match[1]][:4000]}", flush=True)
        if keep:
            keep.write(cases[match[1]] + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=int(os.environ.get("SLUICE_SEED") or 1))
    options.add_argument("--count", type=int, default=100000 if os.environ.get("SLUICE_FULL") else 5000)
    options.add_argument("--keep", type=argparse.FileType("w"), help="write the cases that differ to a file")
    options.add_argument("kinds", nargs="*")
    arguments = options.parse_args()
    import real_kafka  # needs pytest, which is no need of the rest
    try:
        jars = real_kafka.jars()
    except real_kafka.Missing as missing:
        print(f"SKIPPED [1] tests/diff/run.py: {missing}\n0 passed, 0 failed, 1 skipped")
        return 0
    if not shutil.which("javac"):
        print("SKIPPED [1] tests/diff/run.py: no javac: install the Debian package openjdk-17-jdk-headless\n"
              "0 passed, 0 failed, 1 skipped")
        return 0
    recorder = Recorder(jars)
    passed, failed = check_recorder(recorder)
    totals = {"passed": passed, "failed": failed, "known": {}}
    for first in range(0, arguments.count, CHUNK):
        run_chunk(recorder, arguments.seed * 1000 + first // CHUNK, min(CHUNK, arguments.count - first), arguments.kinds,
                  arguments.keep, totals)
    for name, count in sorted(totals["known"].items()):
        print(f"known difference, {name}: {count}")
    print(f"seed {arguments.seed}, {arguments.count} cases\n{totals['passed']} passed, {totals['failed']} failed")
    return totals["failed"] > 0


if __name__ == "__main__":
    sys.exit(main())
