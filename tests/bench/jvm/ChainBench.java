import com.sun.management.OperatingSystemMXBean;
import java.io.FileInputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.Transformation;

/*
 * The JVM's side of the chain benchmark: ChainBench CHAIN.properties TOPIC ROWS.jsonl. Bytes are read by
 * JsonConverter, go through the chain and are written by JsonConverter, as in a sink task; records per
 * second of CPU of the whole process (its collector and compiler included), after warming up.
 */
public class ChainBench {
    static long cpu() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getProcessCpuTime();
    }

    @SuppressWarnings("unchecked")
    static List<Transformation<SinkRecord>> chain(String path) throws Exception {
        Properties properties = new Properties();
        properties.load(new FileInputStream(path));
        List<Transformation<SinkRecord>> chain = new ArrayList<>();
        for (String alias : properties.getProperty("transforms").split(",")) {
            String prefix = "transforms." + alias + ".";
            Map<String, Object> config = new HashMap<>();
            for (String name : properties.stringPropertyNames()) {
                if (name.startsWith(prefix)) {
                    config.put(name.substring(prefix.length()), properties.getProperty(name));
                }
            }
            Transformation<SinkRecord> step = (Transformation<SinkRecord>) Class
                .forName((String) config.remove("type")).getDeclaredConstructor().newInstance();
            step.configure(config);
            chain.add(step);
        }
        return chain;
    }

    public static void main(String[] arguments) throws Exception {
        List<Transformation<SinkRecord>> chain = chain(arguments[0]);
        List<byte[]> rows = new ArrayList<>();
        for (String line : Files.readAllLines(Paths.get(arguments[2]))) {
            rows.add(line.getBytes("UTF-8"));
        }
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "false", "converter.type", "value"));
        long records = 0, bytes = 0, offset = 0, start = cpu();
        boolean warm = false;
        for (;;) {
            for (byte[] row : rows) {
                SchemaAndValue value = converter.toConnectData(arguments[1], row);
                SinkRecord record = new SinkRecord(arguments[1], 0, null, null, value.schema(),
                    value.value(), offset++, 1753920245123L, TimestampType.CREATE_TIME);
                for (Transformation<SinkRecord> step : chain) {
                    record = step.apply(record);
                }
                bytes += converter.fromConnectData(record.topic(), record.valueSchema(),
                    record.value()).length;
                records++;
            }
            double seconds = (cpu() - start) / 1e9;
            if (!warm && seconds > 8) {
                warm = true;
                records = bytes = 0;
                start = cpu();
            } else if (warm && seconds > 4) {
                System.out.printf("%.0f %d%n", records / seconds, bytes / records);
                return;
            }
        }
    }
}
