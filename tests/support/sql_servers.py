"""Starts PostgreSQL and MariaDB of Debian's packages for tests: free ports, temporary folders, nothing left running."""
import contextlib
import glob
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile

import pytest

from harness import PATIENCE, free_port, wait_until


def _as_user(name, command):
    """These servers refuse to run as root. No process stays between, so that a kill reaches the server."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid", name, "--regid", name, "--clear-groups", *command]


class Server:
    """A server process in a folder of its own, which can be killed and started again."""

    def __init__(self):
        self.find()  # or skips
        # Not pytest's: that one is closed to the users that these servers run as.
        self.folder, self.port, self.process = tempfile.mkdtemp(prefix="sluice-sql-"), free_port(), None
        self.data = os.path.join(self.folder, "data")
        try:
            self.prepare()
        except BaseException:
            self.close()
            raise

    def start(self):
        self.log = open(os.path.join(self.folder, "server.log"), "ab")
        self.process = None

        def answers():
            # After a kill the next one may find what is left of the one before, and end again.
            if self.process is None or self.process.poll() is not None:
                self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=subprocess.STDOUT,
                                                stdin=subprocess.DEVNULL, start_new_session=True)
            return self.answers()
        try:
            wait_until(answers, what="a database server that answers")
        except AssertionError:
            self.kill()
            with open(os.path.join(self.folder, "server.log"), errors="replace") as log:
                raise AssertionError("the database server did not start:\n" + log.read()[-2000:]) from None
        return self

    def kill(self, number=signal.SIGKILL):
        if self.process:
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
                self.process.wait(PATIENCE)
            self.log.close()
        self.process = None

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Server):
    quote = '"'

    def find(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
        if not found:
            pytest.skip("PostgreSQL's server is not installed (package postgresql)")
        if not shutil.which("psql"):
            pytest.skip("PostgreSQL's client is not installed (package postgresql-client)")
        self.bin = os.path.dirname(found[-1])

    def prepare(self):
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        password = os.path.join(self.folder, "password")
        with open(password, "w") as file:
            file.write("s3cret\n")
        os.chmod(password, 0o644)
        subprocess.run(_as_user("postgres", [os.path.join(self.bin, "initdb"), "-D", self.data, "-U", "sluice",
                                             "--pwfile", password, "-A", "scram-sha-256", "-E", "UTF8",
                                             "--locale=C", "-N"]),
                       check=True, stdout=subprocess.DEVNULL, cwd="/")
        self.url = f"jdbc:postgresql://127.0.0.1:{self.port}/postgres"
        self.login = {"connection.user": "sluice", "connection.password": "s3cret"}

    def command(self):
        return _as_user("postgres", [os.path.join(self.bin, "postgres"), "-D", self.data, "-p", str(self.port),
                                     "-k", self.folder, "-c", "listen_addresses=127.0.0.1"])

    def answers(self):
        return self.run("SELECT 1", check=False) == [["1"]]

    def run(self, sql, check=True):
        """Rows as lists of texts; null is None."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-P", "null=\x02", "-v",
                               "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "sluice",
                               "-c", sql, "postgres"],
                              env={**os.environ, "PGPASSWORD": "s3cret"}, capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stderr
        return [[None if cell == "\x02" else cell for cell in line.split("\x1f")]
                for line in done.stdout.splitlines() if line]


class MariaDb(Server):
    quote = "`"

    def find(self):
        self.server = shutil.which("mariadbd") or shutil.which("mysqld") or "/usr/sbin/mariadbd"
        if not os.path.exists(self.server) or not shutil.which("mariadb-install-db"):
            pytest.skip("MariaDB's server is not installed (package mariadb-server)")
        if not shutil.which("mariadb"):
            pytest.skip("MariaDB's client is not installed (package mariadb-client)")

    def prepare(self):
        if os.geteuid() == 0:
            shutil.chown(self.folder, "mysql")
        # A server that starts clears its tmpdir of temporary tables, those of another one, too.
        subprocess.run(_as_user("mysql", ["mariadb-install-db", "--datadir=" + self.data, "--no-defaults",
                                          "--tmpdir=" + self.folder, "--auth-root-authentication-method=normal", "--skip-test-db"]),
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        self.socket = os.path.join(self.folder, "s")
        self.url = f"jdbc:mysql://127.0.0.1:{self.port}/sluice"
        self.login = {"connection.user": "sluice", "connection.password": "s3cret"}
        self.made = False

    def command(self):
        return _as_user("mysql", [self.server, "--no-defaults", "--datadir=" + self.data, f"--port={self.port}",
                                  "--socket=" + self.socket, "--tmpdir=" + self.folder, "--bind-address=127.0.0.1", "--skip-log-bin",
                                  "--innodb-buffer-pool-size=32M", "--performance-schema=OFF"])

    def answers(self):
        if self._client("SELECT 1", user="root", database="mysql").returncode != 0:
            return False
        if not self.made:
            done = self._client("CREATE DATABASE IF NOT EXISTS sluice CHARACTER SET utf8mb4;"
                                "CREATE USER IF NOT EXISTS sluice@'%' IDENTIFIED BY 's3cret';"
                                "GRANT ALL ON *.* TO sluice@'%'", user="root", database="mysql")
            assert done.returncode == 0, done.stderr
            self.made = True
        return True

    def _client(self, sql, user="sluice", database="sluice"):
        return subprocess.run(["mariadb", "--no-defaults", "-S", self.socket, "-u", user,
                               *(["-ps3cret"] if user == "sluice" else []), "-N", "-B", "-r", "-e", sql, database],
                              capture_output=True, text=True)

    def run(self, sql, check=True):
        done = self._client(sql)
        assert not check or done.returncode == 0, done.stderr
        return [[None if cell == "NULL" else cell for cell in line.split("\t")]
                for line in done.stdout.splitlines()]


class Sqlite:
    quote = '"'
    login = {}

    def __init__(self):
        self.file = os.path.join(tempfile.mkdtemp(prefix="sluice-sql-"), "x.db")
        self.url = "jdbc:sqlite:" + self.file

    def start(self):
        return self

    def close(self):
        shutil.rmtree(os.path.dirname(self.file), ignore_errors=True)

    def run(self, sql, check=True):
        with contextlib.closing(sqlite3.connect(self.file, timeout=10)) as connection:
            try:
                rows = connection.execute(sql).fetchall()
                connection.commit()
            except sqlite3.OperationalError:  # no such table yet
                assert not check
                return None
        return [[None if cell is None else cell.hex() if isinstance(cell, bytes) else str(cell) for cell in row]
                for row in rows]


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


def table(request_name):
    return "t_" + request_name.replace("[", "_").replace("]", "").replace("-", "_")[-50:]
