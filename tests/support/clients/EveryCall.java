import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.sourcelab.kafka.connect.apiclient.Configuration;
import org.sourcelab.kafka.connect.apiclient.KafkaConnectClient;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorPluginConfigDefinition;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorStatus;
import org.sourcelab.kafka.connect.apiclient.request.dto.NewConnectorDefinition;
import org.sourcelab.kafka.connect.apiclient.request.post.PostConnectorRestart;

/** Every call of kafka-connect-client against one worker; a line for each result. Arguments: URL, folder. */
public final class EveryCall {
    private static KafkaConnectClient client;

    private static void step(String name, Callable<?> call) {
        String result;
        try {
            result = String.valueOf(call.call());
        } catch (Exception error) {
            result = error.getClass().getName() + ": " + error.getMessage();
        }
        System.out.println(name + " => " + result.replace("\n", "\\n"));
    }

    private static void settle(String name, String state, int tasks) throws Exception {
        for (int i = 0; i < 400; i++) {
            ConnectorStatus status = client.getConnectorStatus(name);
            boolean good = state.equals(status.getConnector().get("state")) && status.getTasks().size() == tasks;
            for (ConnectorStatus.TaskStatus task : status.getTasks()) {
                good = good && state.equals(task.getState());
            }
            if (good) {
                return;
            }
            Thread.sleep(50);
        }
        throw new IllegalStateException(name + " is not " + state);
    }

    private static Map<String, String> config(String folder) {
        Map<String, String> config = new HashMap<>();
        config.put("connector.class", "org.apache.kafka.connect.file.FileStreamSourceConnector");
        config.put("topic", "clients-topic");
        config.put("file", folder + "/in.txt");
        config.put("tasks.max", "1");
        return config;
    }

    public static void main(String[] arguments) throws Exception {
        client = new KafkaConnectClient(new Configuration(arguments[0]));
        Map<String, String> config = config(arguments[1]);
        String name = "java client";
        step("version", () -> client.getConnectServerVersion().getVersion());
        step("connectors", () -> client.getConnectors());
        step("plugins", () -> {
            TreeSet<String> names = new TreeSet<>();
            client.getConnectorPlugins().forEach(plugin -> {
                if (plugin.getClassName().contains("FileStream")) {
                    names.add(plugin.getClassName() + " " + plugin.getType() + " " + plugin.getVersion());
                }
            });
            return names;
        });
        ConnectorPluginConfigDefinition.Builder validated =
            ConnectorPluginConfigDefinition.newBuilder().withName("FileStreamSourceConnector").withConfig(config)
                .withConfig("name", "v");
        step("validate", () -> client.validateConnectorPluginConfig(validated.build()));
        step("validate bad", () -> client.validateConnectorPluginConfig(validated.withConfig("tasks.max", "many").build()));
        NewConnectorDefinition definition =
            NewConnectorDefinition.newBuilder().withName(name).withConfig(config).build();
        step("add", () -> client.addConnector(definition));
        settle(name, "RUNNING", 1);
        step("add again", () -> client.addConnector(definition));
        step("add bad", () -> client.addConnector(
            NewConnectorDefinition.newBuilder().withName("bad").withConfig("connector.class", "FileStreamSource").build()));
        step("connectors", () -> client.getConnectors());
        step("connector", () -> client.getConnector(name));
        step("config", () -> new TreeMap<>(client.getConnectorConfig(name)));
        step("status", () -> client.getConnectorStatus(name));
        step("expanded status", () -> client.getConnectorsWithExpandedStatus());
        step("expanded info", () -> client.getConnectorsWithExpandedInfo());
        step("expanded all", () -> client.getConnectorsWithAllExpandedMetadata());
        step("tasks", () -> {
            StringBuilder text = new StringBuilder();
            client.getConnectorTasks(name).forEach(task ->
                text.append(task.getId()).append(new TreeMap<>(task.getConfig())));
            return text;
        });
        step("task status", () -> client.getConnectorTaskStatus(name, 0));
        step("task status unknown", () -> client.getConnectorTaskStatus(name, 7));
        for (int i = 0; i < 400 && !String.valueOf(client.getConnectorTopics(name)).contains("clients-topic"); i++) {
            Thread.sleep(50);
        }
        step("topics", () -> client.getConnectorTopics(name));
        step("reset topics", () -> client.resetConnectorTopics(name));
        step("pause", () -> client.pauseConnector(name));
        settle(name, "PAUSED", 1);
        step("resume", () -> client.resumeConnector(name));
        settle(name, "RUNNING", 1);
        step("restart", () -> client.restartConnector(name));
        settle(name, "RUNNING", 1);
        step("restart all", () -> client.restartConnector(
            new PostConnectorRestart(name).withIncludeTasks(true).withOnlyFailed(false)));
        settle(name, "RUNNING", 1);
        step("restart failed", () -> client.restartConnector(
            new PostConnectorRestart(name).withIncludeTasks(true).withOnlyFailed(true)));
        step("restart task", () -> client.restartConnectorTask(name, 0));
        settle(name, "RUNNING", 1);
        Map<String, String> changed = new HashMap<>(config);
        changed.put("batch.size", "10");
        step("update", () -> client.updateConnectorConfig(name, changed));
        settle(name, "RUNNING", 1);
        step("update bad", () -> client.updateConnectorConfig(name, Map.of("connector.class", "FileStreamSource", "name", name)));
        step("config", () -> new TreeMap<>(client.getConnectorConfig(name)));
        // a JVM worker shows a task 9 from then on
        step("restart unknown task", () -> client.restartConnectorTask(name, 9));
        step("delete", () -> client.deleteConnector(name));
        step("delete again", () -> client.deleteConnector(name));
        step("pause unknown", () -> client.pauseConnector(name));
        step("connector unknown", () -> client.getConnector(name));
        step("connectors", () -> client.getConnectors());
        Collection<String> left = client.getConnectors();
        System.out.println("left => " + left);
    }
}
