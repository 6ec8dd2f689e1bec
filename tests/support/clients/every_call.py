"""Every call of kafka-connect-py against one worker; a line for each result. Arguments: URL, folder."""
import json
import sys
import time

from kafka_connect import KafkaConnect

URL, FOLDER = sys.argv[1:]
client = KafkaConnect(url=URL)
NAME = "python-client"
CONFIG = {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "topic": "clients-topic-2",
          "file": FOLDER + "/in.txt", "tasks.max": "1"}


def step(name, call, *arguments, keep=None, **keywords):
    try:
        result = call(*arguments, **keywords)
    except Exception as error:  # noqa: B902 - the client's own, whatever it is
        response = getattr(error, "response", None)
        result = [type(error).__name__, str(error), getattr(response, "status_code", None),
                  getattr(response, "text", None)]
    if keep:
        result = keep(result)
    print(name, "=>", json.dumps(result, sort_keys=True, default=str))
    return result


def settle(state, tasks=1):
    for _ in range(400):
        status = client.get_connector_status(NAME)
        states = [status["connector"]["state"]] + [task["state"] for task in status["tasks"]]
        if len(states) == tasks + 1 and set(states) == {state}:
            return
        time.sleep(0.05)
    raise SystemExit(f"{NAME} is not {state}: {status}")


def file_stream(plugins):
    return [plugin for plugin in plugins if "FileStream" in plugin["class"]]


step("cluster", client.get_cluster_info, keep=lambda info: [info["version"], sorted(info)])
step("plugins", client.list_connector_plugins, keep=file_stream)
step("validate", client.validate_connector_config, "FileStreamSource", {**CONFIG, "name": "v"})
step("validate bad", client.validate_connector_config, "FileStreamSource", {**CONFIG, "name": "v", "batch.size": "x"})
step("create", client.create_connector, {"name": NAME, "config": CONFIG})
settle("RUNNING")
step("create again", client.create_connector, {"name": NAME, "config": CONFIG})
step("list", client.list_connectors)
step("list info", client.list_connectors, expand="info")
step("list status", client.list_connectors, expand="status")
step("list by pattern", client.list_connectors, pattern="python-*")
step("list by state", client.list_connectors, expand="status", state="RUNNING")
step("get", client.get_connector, NAME)
step("config", client.get_connector_config, NAME)
step("status", client.get_connector_status, NAME)
step("tasks", client.list_connector_tasks, NAME)
step("task status", client.get_connector_task_status, NAME, 0)
for _ in range(400):
    if client.list_connector_topics(NAME)[NAME]["topics"]:
        break
    time.sleep(0.05)
step("topics", client.list_connector_topics, NAME)
step("reset topics", client.reset_connector_topics, NAME)
step("pause", client.pause_connector, NAME)
settle("PAUSED")
step("resume", client.resume_connector, NAME)
settle("RUNNING")
step("stop", client.stop_connector, NAME)
settle("STOPPED", 0)
step("resume all", client.resume_all_connectors, pattern="python-*")
settle("RUNNING")
step("pause all", client.pause_all_connectors, pattern="python-*")
settle("PAUSED")
step("resume all", client.resume_all_connectors)
settle("RUNNING")
step("restart", client.restart_connector, NAME)
settle("RUNNING")
step("restart tasks", client.restart_connector, NAME, include_tasks=True)
settle("RUNNING")
step("restart failed", client.restart_connector, NAME, include_tasks=True, only_failed=True)
step("restart all", client.restart_all_connectors, include_tasks=True)
settle("RUNNING")
step("restart task", client.restart_connector_task, NAME, 0)
settle("RUNNING")
step("update", client.update_connector, NAME, {**CONFIG, "batch.size": "10"})
settle("RUNNING")
step("config", client.get_connector_config, NAME)
step("update bad", client.update_connector, NAME, {"connector.class": "FileStreamSource"})
step("stop all", client.stop_all_connectors)
settle("STOPPED", 0)
step("delete", client.delete_connector, NAME)
step("get unknown", client.get_connector, NAME)
step("create", client.create_connector, {"name": NAME, "config": CONFIG})
step("delete all", client.delete_all_connectors, pattern="python-*")
step("list", client.list_connectors)
