"""Random calls of the admin API from several clients at once, with plugins that fail, hang and crash. A
simple model says how every connector has to be afterwards. SLUICE_SEED repeats a run; SLUICE_CALLS sets
its length (500; SLUICE_FULL=1: 10,000)."""
import os
import random
import signal
import threading
import time

from harness import BUILD, Sluice, wait_until

CALLS = int(os.environ.get("SLUICE_CALLS", "10000" if os.environ.get("SLUICE_FULL") else "500"))
SEED = int(os.environ.get("SLUICE_SEED", "0")) or random.randrange(1, 1 << 30)
CLIENTS = 4
SANITIZED = os.path.basename(BUILD) in ("asan", "tsan")
BEHAVIOURS = ["well"] * 6 + ["exit"] * 2 + ["crash", "hang", "bad"]
WORKER = {"plugin.path": os.path.join(BUILD, "tests", "worker_plugins"), "offset.flush.interval.ms": "100",
          "task.shutdown.graceful.timeout.ms": "2000", "sluice.plugin.timeout.ms": "8000" if SANITIZED else "5000"}
SOURCE = "sluice.test.LineSourceConnector"


class Model:
    """What one connector has to be like; calls on it come one after the other."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.exists = False

    def config(self, behave, salt):
        return {"connector.class": SOURCE, "topic": "t", "file": f"{self.folder}/in.txt", "behave": behave,
                "salt": str(salt)}

    # -- what happens; each returns the statuses that may be answered --

    def breaks(self):
        return self.current["behave"] in ("crash", "hang")

    def run_tasks(self, changed):
        """A set-up that went well: tasks that are new or have changed start."""
        if self.task is None or changed:
            self.task = self.fresh()
        self.state = self.target

    def fresh(self):
        return "FAILED" if self.current["behave"] == "exit" and self.target == "RUNNING" else self.target

    def set_up(self, forced=False):
        """The class makes task configurations of the current configuration. False: it does not."""
        if self.breaks():
            self.state = "FAILED"
            return False
        self.run_tasks(self.applied != self.current or forced)
        self.applied = self.current
        return True

    def create(self, config, initial):
        if config["behave"] == "bad":  # looked at first, as in Connect
            return [400]
        if self.exists:
            return [409]
        self.exists, self.current, self.applied, self.task, self.target = True, config, None, None, initial
        self.state = initial
        if initial == "RUNNING" and not self.set_up():
            return [500]
        return [201]

    def put(self, config):
        if not self.exists:
            return self.create(config, "RUNNING")
        if config["behave"] == "bad":
            return [400]
        if self.target != "RUNNING":
            self.current, self.state = config, self.target
            return [200]
        if config["behave"] in ("crash", "hang"):
            return [500]
        self.current = config
        self.set_up()
        return [200]

    def pause(self):
        if not self.exists:
            return [404]
        self.target = "PAUSED"
        self.state = self.state if self.state == "FAILED" else "PAUSED"
        if self.task == "RUNNING":
            self.task = "PAUSED"
        return [202]

    def resume(self):
        if not self.exists:
            return [404]
        was, self.target = self.target, "RUNNING"
        if was != "RUNNING":
            if self.task == "PAUSED":
                self.task = "FAILED" if self.applied["behave"] == "exit" else "RUNNING"
            if self.state != "FAILED":
                self.set_up()
        return [202]

    def stop(self):
        if not self.exists:
            return [500]
        self.target = self.state = "STOPPED"
        self.task = self.applied = None
        return [204]

    def delete(self):
        if not self.exists:
            return [404]
        self.exists = False
        return [204]

    def restart(self, tasks, failed):
        if not self.exists:
            return [404] if tasks or failed else [500]
        asked = [202] if tasks or failed else [204]
        if self.target == "STOPPED" or (self.target == "PAUSED" and self.task is None):
            return asked
        if failed and self.state != "FAILED":
            if tasks and self.task == "FAILED":
                self.task = self.applied_fresh()
            return asked
        was = self.task
        if not self.set_up(tasks and not failed):
            return asked if tasks or failed else [500]
        if tasks and failed and was == "FAILED":
            self.task = self.fresh()
        return asked

    def applied_fresh(self):
        return "FAILED" if self.applied["behave"] == "exit" and self.target == "RUNNING" else self.target

    def restart_task(self):
        if not self.exists:
            return [500]
        if self.task is None:
            return [404]
        self.task = self.applied_fresh()
        return [204]

    # -- how it is --

    def expected(self):
        if not self.exists:
            return None
        return self.state, [] if self.task is None else [self.task]


def seen(sluice, name):
    status, body = sluice.call("GET", f"/connectors/{name}/status")
    return (body["connector"]["state"], [task["state"] for task in body["tasks"]]) if status == 200 else None


class Client(threading.Thread):
    def __init__(self, sluice, number, calls):
        super().__init__()
        self.sluice, self.random, self.calls = sluice, random.Random(SEED * 31 + number), calls
        self.models = [Model(f"c{number}-{i}", sluice.folder) for i in range(3)]
        self.shared = [f"shared-{i}" for i in range(2)]
        self.failure = None
        self.history = []

    def run(self):
        try:
            for i in range(self.calls):
                self.one(i)
        except BaseException as error:  # noqa: B902 - told by the main thread
            self.failure = error

    def one(self, i):
        pick = self.random
        model = pick.choice(self.models)
        name, path = model.name, f"/connectors/{model.name}"
        salt = pick.randrange(3)
        config = model.config(pick.choice(BEHAVIOURS), salt)
        if pick.random() < 0.15:
            self.contend(config)
            return
        tasks, failed = pick.random() < 0.5, pick.random() < 0.5
        query = f"?includeTasks={str(tasks).lower()}&onlyFailed={str(failed).lower()}"
        initial = pick.choice(["RUNNING", "RUNNING", "PAUSED", "STOPPED"])
        method, at, body, expect = pick.choice([
            lambda: ("POST", "/connectors", {"name": name, "config": config, "initial_state": initial},
                     lambda: model.create(config, initial)),
            lambda: ("POST", "/connectors", {"name": name, "config": config},
                     lambda: model.create(config, "RUNNING")),
            lambda: ("PUT", path + "/config", config, lambda: model.put(config)),
            lambda: ("PUT", path + "/config", config, lambda: model.put(config)),
            lambda: ("PUT", path + "/pause", None, model.pause),
            lambda: ("PUT", path + "/resume", None, model.resume),
            lambda: ("PUT", path + "/stop", None, model.stop),
            lambda: ("DELETE", path, None, model.delete),
            lambda: ("POST", path + "/restart" + query, None, lambda: model.restart(tasks, failed)),
            lambda: ("POST", path + "/tasks/0/restart", None, model.restart_task),
            lambda: ("GET", path + "/status", None, lambda: [200 if model.exists else 404]),
        ])()
        settled = pick.random() < 0.3
        if settled or at.endswith(("restart" + query, "/restart", "/pause")):
            # what is restarted only where it has failed, or shall not run any more, has failed by now
            self.settle(model)
        status, answer = self.sluice.call(method, at, body)
        wanted = expect()
        self.history.append(f"{method} {at} {(body or {}).get('behave', (body or {}).get('config', {}).get('behave', ''))}"
                            f" -> {status}, then {model.expected()}")
        assert status in wanted, f"{method} {at} {body}: {status} {answer}, not {wanted}"

    def contend(self, config):
        """Connectors that every client changes: whatever comes first wins, and nothing breaks."""
        name = self.random.choice(self.shared)
        method, path, body = self.random.choice([
            ("PUT", f"/connectors/{name}/config", config), ("PUT", f"/connectors/{name}/pause", None),
            ("PUT", f"/connectors/{name}/resume", None), ("PUT", f"/connectors/{name}/stop", None),
            ("POST", f"/connectors/{name}/restart?includeTasks=true", None), ("DELETE", f"/connectors/{name}", None),
            ("POST", "/connectors", {"name": name, "config": config}), ("GET", "/connectors?expand=status&expand=info", None),
        ])
        status, answer = self.sluice.call(method, path, body)
        assert status in (200, 201, 202, 204, 400, 404, 409, 500), (method, path, status, answer)

    def settle(self, model):
        try:
            wait_until(lambda: seen(self.sluice, model.name) == model.expected())
        except AssertionError:
            own = [line for line in self.history if model.name in line]
            raise AssertionError(f"seed {SEED}: {model.name} is {seen(self.sluice, model.name)}, not "
                                 f"{model.expected()}, after\n" + "\n".join(own[-12:])) from None


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def run_clients(sluice, calls):
    clients = [Client(sluice, number, calls // CLIENTS) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    for client in clients:
        if client.failure:
            raise AssertionError(f"seed {SEED}: {client.failure}\n" + "\n".join(client.history[-8:])) from client.failure
    return clients


def remove_all(sluice):
    for name in sluice.call("GET", "/connectors")[1]:
        assert sluice.call("DELETE", f"/connectors/{name}")[0] == 204
    wait_until(lambda: sluice.call("GET", "/connectors")[1] == [], what="no connector")
    wait_until(lambda: not sluice.pids("sluice-host"), what="no host process")


def test_states_are_those_of_the_model(tmp_path):
    print(f"SLUICE_SEED={SEED}")
    (tmp_path / "in.txt").write_text("".join(f"line {i}\n" for i in range(20)))
    with Sluice(tmp_path, {}, WORKER) as sluice:
        pid = sluice.process.pid
        run_clients(sluice, 80)  # buffers and threads are there
        remove_all(sluice)
        time.sleep(0.3)
        memory, files = resident(pid), descriptors(pid)
        listed = sorted(os.listdir(tmp_path))

        clients = run_clients(sluice, CALLS)
        running = 0
        for client in clients:
            for model in client.models:
                client.settle(model)
                running += model.exists and model.task in ("RUNNING", "PAUSED")
        for name in clients[0].shared:
            sluice.call("DELETE", f"/connectors/{name}")
        wait_until(lambda: len(sluice.pids("sluice-host")) == running, what=f"{running} host processes")

        # one that is killed is FAILED, and the rest does not notice
        victim = next((m for c in clients for m in c.models if m.exists and m.task == "RUNNING"), None)
        if victim:
            os.kill(sluice.pids("sluice-host", f"{victim.name}-0")[0], signal.SIGKILL)
            victim.task = "FAILED"
            for client in clients:
                for model in client.models:
                    client.settle(model)

        remove_all(sluice)
        wait_until(lambda: descriptors(pid) <= files + 1, what=f"no more than {files} descriptors")
        assert sorted(os.listdir(tmp_path)) == listed
        wait_until(lambda: resident(pid) <= memory + (65536 if SANITIZED else 4096),
                   what=f"memory near {memory} kB, not {resident(pid)}")
    assert not [line for line in sluice.output if "Sanitizer" in line], "".join(sluice.output)[-20000:]
