#!/usr/bin/env python3
"""The whole pipeline of the example, step by step: rows in a database -> emulator -> REST -> topics -> lake ->
S3 source -> cleaning -> SQL -> the eight analyses, as tables, lines of JSON and a page with charts. Beside it the
streaming branch: emulator -> REST -> topics -> Kinesis -> topics -> the same cleaning, SQL and analyses.

Each step is one `sluice run` of plain properties files, written to demo/config for you to read and reuse; it ends by
itself when everything is through. Standard library only.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import kinesalite  # noqa: E402
import page  # noqa: E402
import servers  # noqa: E402

STREAMS = "streaming-12471ce1b695-"
PREFIX = "12471ce1b695."
TABLES = {"pin": "pinterest_data", "geo": "geolocation_data", "user": "user_data"}
CLEANED = {"pin": "pin", "geo": "geo", "user": "users"}
REQUIRED = {"pin": "unique_id,category,save_location", "geo": "country,latitude,longitude,timestamp",
            "user": "first_name,last_name,date_joined,age"}
OWN_TOPICS = r"(12471ce1b695|batch|stream)[.](pin|geo|user)|streaming-12471ce1b695-.*|(batch|stream|lake|clean)-(results|dead)-.*"
ANALYSES = ["q1", "q2", "q3", "q3b", "q4", "q5", "q6", "q7", "q8", "q5_approx", "q7_approx", "q8_approx"]
JSON = {"key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false"}


# Rows as they were sent: what is no JSON is found out where rows are cleaned, and put aside there.
BYTES = {"value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter"}


def read_properties(path):
    """key=value lines, as the example's files have them."""
    with open(path, encoding="utf-8") as lines:
        pairs = (line.rstrip("\n").split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return dict(pairs)


def write_properties(path, properties, head):
    def escaped(value):
        return str(value).replace("\\", "\\\\").replace("\n", "\\n\\\n    ")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# {head}\n" + "".join(f"{key}={escaped(value)}\n" for key, value in properties.items()))
    return path


STARTED = "started here"


class Demo:
    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = pathlib.Path(arguments.demo)
        self.config = self.folder / "config"
        self.sluice = arguments.sluice
        self.config.mkdir(parents=True, exist_ok=True)
        self.worker = write_properties(self.config / "worker.properties", {
            **JSON, **read_properties(HERE / "worker.properties"), "offset.flush.interval.ms": "1000",
            "listeners": arguments.admin, "bootstrap.servers": arguments.kafka or f"local:{self.folder}/log",
            # Topics appear while sinks run; clients of a broker look for them every five minutes otherwise.
            **({"consumer.metadata.max.age.ms": "1000"} if arguments.kafka else {}),
            "offset.storage.file.filename": f"{self.folder}/connect.offsets"}, "The worker of every step.")

    def database(self, branch):
        """Connection keys of a branch's database."""
        url = self.arguments.postgres
        if not url:
            return {"connection.url": f"jdbc:sqlite:{self.folder}/{branch}.db"}
        return {"connection.url": url + ("&" if "?" in url else "?") + "currentSchema=" + branch}

    def store(self, folder):
        """Keys that point an S3 connector at the store."""
        if not self.arguments.s3:
            return {"store.url": f"file:{self.folder}/{folder}"}
        return {"store.url": self.arguments.s3, "s3.path.style.access.enabled": "true"}

    def connector(self, name, properties, head):
        return str(write_properties(self.config / f"{name}.properties", {"name": name, **properties}, head))

    def run(self, title, files, feed=None):
        """One step: until nothing moves any more."""
        print(f"\n== {title}", flush=True)
        quiet_ms = 3000 if self.arguments.kafka else 1500
        command = [self.sluice, "run", "--exit-when-idle", str(quiet_ms), str(self.worker), *files]
        process = subprocess.Popen(command)
        try:
            if feed:
                feed(process.pid)
            if process.wait() != 0:
                raise SystemExit(f"full.py: `{' '.join(command)}` ended with exit code {process.returncode}")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def make_schema(url, schema):
    """PostgreSQL: a schema a branch, emptied."""
    psql = shutil.which("psql")
    if not psql:
        raise SystemExit("full.py: --postgres needs psql (Debian package postgresql-client)")
    subprocess.run([psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c",
                    f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}", url.removeprefix("jdbc:")],
                   check=True, env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"})


def read_rows(path):
    """The objects of a file, one a line; what is none could not be posted, and is named and left out."""
    rows = []
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                json.dumps(row, ensure_ascii=False).encode()
                if not isinstance(row, dict):
                    raise ValueError("not a JSON object")
                rows.append(row)
            except (ValueError, RecursionError) as error:
                print(f"full.py: {path} line {number} is left out: {error}", file=sys.stderr)
    if not rows:
        raise SystemExit(f"full.py: {path} has no rows")
    return rows


def load_database(path, folder, as_posted):
    """The emulator's source: three tables as the original's MySQL has them. as_posted: one column, the row as JSON."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        for kind, table in TABLES.items():
            rows = read_rows(os.path.join(folder, kind + ".jsonl"))
            if as_posted:
                rows = [{"posted": json.dumps(row)} for row in rows]
            columns = list(dict.fromkeys(name for row in rows for name in row)) or ["posted"]
            db.execute(f"DROP TABLE IF EXISTS {table}")
            db.execute(f"CREATE TABLE {table} (" + ",".join(f'"{name}"' for name in columns) + ")")
            db.executemany(f"INSERT INTO {table} VALUES (" + ",".join("?" * len(columns)) + ")",
                           [[row.get(name) for name in columns] for row in rows])
        db.commit()


def emulator(demo, *more):
    """What posts the rows while a step runs."""
    def post(pid):
        subprocess.run([sys.executable, str(HERE / "emulator.py"), "--patience", "60", "--server-pid", str(pid),
                        "--url", demo.arguments.rest, "--database", str(demo.folder / "source.db"),
                        *(["--all"] if demo.arguments.data else []), *more], check=True)
    return post


def ingest(demo):
    """Posts rows over REST; they land in topics and, one object a record, in the lake."""
    lake = {**read_properties(HERE / "s3-raw.properties"), **demo.store("lake")}
    lake.pop("name")
    rest = {**read_properties(HERE / "rest-source.properties"), "listeners": demo.arguments.rest}
    rest.pop("name")
    demo.run("Rows over REST into topics and the lake",
             [demo.connector("rest-source", rest, "Takes the posts."), demo.connector("lake", lake, "Raw rows, the owner's own file.")],
             emulator(demo))


def chain():
    """The cleaning chain, as s3-clean.properties has it."""
    return {key: value for key, value in read_properties(HERE / "s3-clean.properties").items()
            if key.startswith(("transforms", "predicates"))}


def clean(demo, branch, source, topics_regex):
    """Rows of a branch's topics, cleaned, into its three tables."""
    steps = chain()
    # A row that has none of its kind's own fields is another kind's, sent to the wrong topic.
    for kind, fields in REQUIRED.items():
        steps[f"transforms.is_{kind}.type"] = "sluice.transforms.RequireFields$Value"
        steps[f"transforms.is_{kind}.predicate"] = kind
        steps[f"transforms.is_{kind}.fields"] = fields
        steps[f"transforms.is_{kind}.match"] = "any"
    steps["transforms"] = ",".join(f"is_{kind}" for kind in REQUIRED) + "," + steps["transforms"]
    # The rows' coordinates in Kafka are the key: what is written twice is one row, and equal rows stay two.
    sink = {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": "1", **JSON,
            **demo.database(branch), "topics.regex": topics_regex, "insert.mode": "upsert", "pk.mode": "kafka",
            "auto.create": "true", "auto.evolve": "true",
            "topics.to.tables.mapping": ",".join(f"{branch}.{kind}:{table}" for kind, table in CLEANED.items()),
            "errors.tolerance": "all", "errors.deadletterqueue.topic.name": f"{branch}-dead-letters",
            "errors.deadletterqueue.topic.replication.factor": "1",
            "errors.deadletterqueue.context.headers.enable": "true", **steps}
    demo.run(f"{branch}: cleaning into tables",
             [*source, demo.connector(f"{branch}-tables", sink, "Cleaned rows into three tables.")])


def batch_source(demo):
    """The lake, read back: every object of a kind, whatever partition it was written for."""
    lake = read_properties(HERE / "s3-raw.properties")
    source = {"connector.class": "io.confluent.connect.s3.source.S3SourceConnector", "tasks.max": "1", **JSON, **BYTES,
              "format.class": "io.confluent.connect.s3.format.bytearray.ByteArrayFormat",
              "s3.region": lake["s3.region"], "s3.bucket.name": lake["s3.bucket.name"], **demo.store("lake"),
              "s3.poll.interval.ms": "500", "mode": "GENERIC",
              "topic.regex.list": ",".join(f"batch.{kind}:.*/{PREFIX.replace('.', '[.]')}{kind}/.*" for kind in TABLES)}
    return [demo.connector("batch-lake", source, "Reads the lake back into topics batch.pin, batch.geo, batch.user.")]


def stream_ingest(demo, kinesis):
    """Puts rows to streams over REST; they land in topics and from there in Kinesis."""
    rest = {**read_properties(HERE / "rest-source.properties"), "listeners": demo.arguments.rest,
            "sluice.streams.allow": STREAMS + ".*"}
    rest.pop("name")
    # A row stands for itself: the order of rows with one partition key does not matter, so calls may be filled.
    sink = {"connector.class": "sluice.kinesis.KinesisSinkConnector", "tasks.max": "1", **JSON, **BYTES, **kinesis,
            "topics.regex": STREAMS + ".*", "kinesis.stream": "${topic}", "kinesis.stream.create": "true",
            "kinesis.ordering": "none"}
    demo.run("Rows over REST as streams, into Kinesis",
             [demo.connector("stream-rest", rest, "Takes the puts."), demo.connector("stream-kinesis", sink, "Topics into streams.")],
             emulator(demo, "--streams"))


def stream_source(demo, kinesis):
    """The streams, read back."""
    source = {"connector.class": "sluice.kinesis.KinesisSourceConnector", "tasks.max": "1", **JSON, **BYTES, **kinesis,
              "kinesis.stream": ",".join(STREAMS + kind for kind in TABLES),
              "kafka.topic.map": ",".join(f"{STREAMS}{kind}:stream.{kind}" for kind in TABLES),
              "kinesis.poll.interval.ms": "200"}
    return [demo.connector("stream-source", source, "Reads the streams into topics stream.pin, stream.geo, stream.user.")]


def stream_branch(demo):
    """The answers of the streaming branch; None where there is no Kinesis."""
    program, why = kinesalite.program(pathlib.Path(demo.sluice).resolve().parent / "kinesalite")
    if not program:
        print(f"\nThe streaming branch is left out: {why}.", flush=True)
        return None
    if demo.arguments.postgres:
        make_schema(demo.arguments.postgres, "stream")
    with kinesalite.running(program, str(demo.folder / "kinesalite")) as url:
        kinesis = {"kinesis.endpoint": url, "kinesis.region": "us-east-1", "aws.access.key.id": "demo",
                   "aws.secret.access.key": "demo"}
        stream_ingest(demo, kinesis)
        clean(demo, "stream", stream_source(demo, kinesis), "stream[.].*")
    analyse(demo, "stream")
    return collect(demo, "stream")


def analyse(demo, branch):
    """Runs the questions; their rows land in topics and in tables of the same names."""
    files = []
    for name in ANALYSES:
        query = "\n".join(line for line in (HERE / "analyses" / f"{name}.sql").read_text().splitlines()
                          if not line.startswith("--"))
        files.append(demo.connector(f"{branch}-{name}", {
            "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "tasks.max": "1", **JSON,
            **demo.database(branch), "mode": "bulk", "query": query, "topic.prefix": f"{branch}-results-{name}",
            # Every day at noon, as the owner's DAG; and once now, for the demo.
            "schedule.cron": "0 12 * * *", "schedule.catchup": "none", "schedule.retries": "2",
            "schedule.retry.delay.ms": "120000", "schedule.run.at.start": "true"}, f"Question {name}, every day at noon."))
    sink = {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": "1", **JSON,
            **demo.database(branch), "topics.regex": f"{branch}-results-.*", "insert.mode": "upsert",
            "pk.mode": "kafka", "auto.create": "true", "transforms": "table", "transforms.table.type": "RegexRouter",
            "transforms.table.regex": f"{branch}-results-(.*)", "transforms.table.replacement": "result_$1"}
    files.append(demo.connector(f"{branch}-results", sink, "The answers into tables result_q1 .. result_q8."))
    demo.run(f"{branch}: the analyses", files)


def refuse_old_topics(demo):
    """Rows of an earlier run would count twice."""
    done = subprocess.run([demo.sluice, "topics", "--bootstrap-server", demo.arguments.kafka, "--list",
                           "--topic", OWN_TOPICS], check=True, stdout=subprocess.PIPE, text=True)
    if done.stdout.strip():
        raise SystemExit(f"full.py: {demo.arguments.kafka} has topics of an earlier run ({', '.join(done.stdout.split())}); "
                         f"remove them: {demo.sluice} topics --bootstrap-server {demo.arguments.kafka} --delete "
                         f"--topic '{OWN_TOPICS}'")


def collect(demo, branch):
    """The answers of the last run as lines of JSON; {name: rows}."""
    folder = demo.folder / "results" / branch
    folder.mkdir(parents=True, exist_ok=True)

    def ask(verb, *more):
        command = [demo.sluice, verb, "--bootstrap-server", demo.arguments.kafka or f"local:{demo.folder}/log", *more]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    answered = ask("topics", "--list", "--topic", f"{branch}-results-.*")  # Without rows a question has no topic.
    answers = {}
    for name in ANALYSES:
        topic = f"{branch}-results-{name}"
        rows = [json.loads(line) for line in ask("consume", "--topic", topic, "--from-beginning")] if topic in answered else []
        answers[name] = rows
        with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return answers


def main():
    options = argparse.ArgumentParser(description="The whole pipeline of the example.")
    options.add_argument("--sluice", default=str(HERE.parent.parent / "build" / "release" / "sluice"))
    options.add_argument("--demo", default="demo", help="folder for everything that is made")
    options.add_argument("--rest", default="http://127.0.0.1:8082", help="where the REST source listens")
    options.add_argument("--admin", default="http://127.0.0.1:8083", help="where the admin API listens")
    options.add_argument("--batch-only", action="store_true", help="leave the streaming branch out")
    options.add_argument("--data", metavar="DIR", help="other rows: pin.jsonl, geo.jsonl, user.jsonl, each line as posted")
    options.add_argument("--kafka", metavar="HOST:PORT", nargs="?", const=STARTED, help="a Kafka broker instead of the embedded "
                         "log; without HOST:PORT one is started, and an S3 server where --s3 names none")
    options.add_argument("--s3", metavar="URL", nargs="?", const=STARTED, help="an S3 server instead of a folder, credentials "
                         "from the environment; without URL one is started")
    options.add_argument("--postgres", metavar="JDBC-URL", help="jdbc:postgresql://HOST/DB?user=..&password=.. instead of SQLite")
    arguments = options.parse_args()
    running = []
    try:
        if arguments.kafka == STARTED:
            process, arguments.kafka = servers.kafka()
            running.append(process)
            arguments.s3 = arguments.s3 or STARTED
        if arguments.s3 == STARTED:
            process, arguments.s3 = servers.s3()
            running.append(process)
        pipeline(arguments)
    except OSError as error:
        raise SystemExit(f"full.py: {error}") from None
    except subprocess.CalledProcessError as error:  # Not its arguments: a password may be one.
        raise SystemExit(f"full.py: {os.path.basename(error.cmd[0])} failed ({error.returncode}); why stands above") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    finally:
        for process in reversed(running):
            servers.end(process)


def pipeline(arguments):
    demo = Demo(arguments)
    if arguments.kafka:
        refuse_old_topics(demo)
    if arguments.s3:
        servers.make_bucket(servers.s3_client(arguments.s3), read_properties(HERE / "s3-raw.properties")["s3.bucket.name"])
    shutil.rmtree(demo.folder / "results", ignore_errors=True)

    if arguments.postgres:
        make_schema(arguments.postgres, "batch")
    load_database(demo.folder / "source.db", arguments.data or str(HERE / "rows"), bool(arguments.data))
    ingest(demo)
    clean(demo, "batch", batch_source(demo), "batch[.].*")
    analyse(demo, "batch")
    answers = {"batch": collect(demo, "batch")}
    stream = None if arguments.batch_only else stream_branch(demo)
    if stream is not None:
        answers["stream"] = stream
    page.write_tables(answers)
    page.write_page(demo.folder / "results" / "index.html", answers)
    branches = "{batch,stream}" if "stream" in answers else "batch"
    print(f"\nThe answers: {demo.folder}/results/{branches}/q1.jsonl .. q8.jsonl, as a page {demo.folder}/results/index.html, "
          "and in tables result_q1 .. result_q8.")


if __name__ == "__main__":
    main()
