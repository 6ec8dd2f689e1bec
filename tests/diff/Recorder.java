import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.kafka.common.Configurable;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.connector.policy.AllConnectorClientConfigOverridePolicy;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.json.JsonConverterConfig;
import org.apache.kafka.connect.runtime.SinkConnectorConfig;
import org.apache.kafka.connect.runtime.SourceConnectorConfig;
import org.apache.kafka.connect.runtime.Worker;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.runtime.rest.entities.ConfigInfo;
import org.apache.kafka.connect.runtime.rest.entities.ConfigInfos;
import org.apache.kafka.connect.runtime.rest.entities.ConfigKeyInfo;
import org.apache.kafka.connect.runtime.standalone.StandaloneConfig;
import org.apache.kafka.connect.runtime.standalone.StandaloneHerder;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.storage.MemoryOffsetBackingStore;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/*
 * Answers of Kafka Connect's own classes, for the differential tests: reads cases of the recorded
 * vectors' form without their answers, a JSON object a line, and writes them completed. It has no
 * opinion of its own: what the classes do is what is written.
 */
public class Recorder {
    static final String CONVERTER_TYPE = "converter.type";
    static final ObjectMapper JSON = JsonMapper.builder(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(100000)
                .maxNumberLength(1000000).build()).build())
        .enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
    static final Map<String, JsonConverter> CONVERTERS = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(
            new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 20);
        PrintStream out = new PrintStream(new java.io.BufferedOutputStream(System.out, 1 << 20),
            false, StandardCharsets.US_ASCII);
        for (String line; (line = in.readLine()) != null;) {
            ObjectNode test = (ObjectNode) JSON.readTree(line);
            try {
                complete(test);
            } catch (Throwable thrown) { // of a way in that the vectors' form does not have
                test.put("skip", thrown.toString());
            }
            out.print(JSON.writeValueAsString(test));
            out.print('\n');
        }
        out.flush();
        System.exit(0); // a herder's threads would stay
    }

    static void complete(ObjectNode test) throws Exception {
        if (test.has("records_in")) {
            transform(test);
        } else if (test.has("record")) {
            predicate(test);
        } else if (test.has("mode")) {
            converter(test);
        } else if (test.has("text_b64")) {
            properties(test);
        } else if (test.has("pattern")) {
            regex(test);
        } else if ("validate_plugin".equals(text(test, "kind"))) {
            validate(test);
        } else if ("validate_connector".equals(text(test, "kind"))) {
            validateConnector(test);
        } else if ("key".equals(text(test, "kind"))) {
            key(test);
        } else {
            throw new IllegalArgumentException("no kind of case: " + test);
        }
    }

    // -- texts --

    static String text(JsonNode node, String name) {
        JsonNode member = node.get(name);
        return member == null || member.isNull() ? null : member.textValue();
    }

    static JsonNode textOrNull(String text) {
        return text == null ? NullNode.instance : JSON.getNodeFactory().textNode(text);
    }

    static JsonNode failure(String stage, Throwable thrown) {
        ObjectNode error = JSON.createObjectNode();
        error.put("stage", stage);
        error.put("class", thrown.getClass().getName());
        error.put("message", thrown.getMessage());
        return error;
    }

    static Map<String, String> config(JsonNode node) {
        Map<String, String> config = new HashMap<>();
        for (Iterator<String> names = node.fieldNames(); names.hasNext();) {
            String name = names.next();
            config.put(name, text(node, name));
        }
        return config;
    }

    static Object create(String name) throws Exception {
        return Class.forName(name).getDeclaredConstructor().newInstance();
    }

    // -- typed values --

    static JsonNode pair(String name, Object value) {
        ObjectNode node = JSON.createObjectNode();
        node.set(name, JSON.valueToTree(value));
        return node;
    }

    static JsonNode typed(Object value) {
        if (value == null) {
            return NullNode.instance;
        } else if (value instanceof Byte) {
            return pair("int8", ((Byte) value).intValue());
        } else if (value instanceof Short) {
            return pair("int16", ((Short) value).intValue());
        } else if (value instanceof Integer) {
            return pair("int32", value);
        } else if (value instanceof Long) {
            return pair("int64", value);
        } else if (value instanceof Float) {
            return pair("float32", value.toString());
        } else if (value instanceof Double) {
            return pair("float64", value.toString());
        } else if (value instanceof Boolean) {
            return pair("boolean", value);
        } else if (value instanceof String) {
            return pair("string", value);
        } else if (value instanceof byte[]) {
            return pair("bytes", Base64.getEncoder().encodeToString((byte[]) value));
        } else if (value instanceof ByteBuffer) {
            ByteBuffer copy = ((ByteBuffer) value).duplicate();
            byte[] bytes = new byte[copy.remaining()];
            copy.get(bytes);
            return pair("bytes", Base64.getEncoder().encodeToString(bytes));
        } else if (value instanceof BigDecimal) {
            return pair("decimal", value.toString());
        } else if (value instanceof Date) {
            return pair("date", ((Date) value).getTime());
        } else if (value instanceof List) {
            int depth = 0;
            Object inner = value;
            while (inner instanceof List && !((List<?>) inner).isEmpty()) {
                inner = ((List<?>) inner).get(0);
                depth++;
            }
            if (depth > 50) {
                return pair("nested_arrays", inner instanceof List ? depth + 1 : depth);
            }
            ArrayNode list = JSON.createArrayNode();
            for (Object element : (List<?>) value) {
                list.add(typed(element));
            }
            return pair("array", list);
        } else if (value instanceof Map) {
            ArrayNode list = JSON.createArrayNode();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                list.add(JSON.createArrayNode().add(typed(entry.getKey()))
                    .add(typed(entry.getValue())));
            }
            return pair("map", list);
        } else if (value instanceof Struct) {
            ArrayNode list = JSON.createArrayNode();
            for (Field field : ((Struct) value).schema().fields()) {
                list.add(JSON.createArrayNode().add(field.name())
                    .add(typed(((Struct) value).getWithoutDefault(field.name()))));
            }
            return pair("struct", list);
        }
        return pair("other", value.getClass().getName());
    }

    // -- JsonConverter, for reading and writing cases --

    static JsonConverter json(boolean schemas, String type) {
        return CONVERTERS.computeIfAbsent(schemas + type, key -> {
            JsonConverter converter = new JsonConverter();
            Map<String, Object> config = new HashMap<>();
            config.put(JsonConverterConfig.SCHEMAS_ENABLE_CONFIG, Boolean.toString(schemas));
            config.put(JsonConverterConfig.REPLACE_NULL_WITH_DEFAULT_CONFIG, "false");
            config.put(CONVERTER_TYPE, type);
            converter.configure(config);
            return converter;
        });
    }

    static byte[] utf8(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    static JsonNode schemaText(Schema schema) {
        return schema == null ? NullNode.instance
            : textOrNull(json(true, "value").asJsonSchema(schema).toString());
    }

    static SchemaAndValue read(boolean schemas, String type, String topic, String name,
            String text) {
        JsonConverter converter = json(schemas, type);
        if (text == null) {
            return new SchemaAndValue(null, null);
        }
        return type.equals("header") ? converter.toConnectHeader(topic, name, utf8(text))
            : converter.toConnectData(topic, utf8(text));
    }

    static ConnectRecord<?> record(JsonNode node, boolean sink, boolean schemas) {
        String topic = text(node, "topic");
        Integer partition = node.path("partition").isInt() ? node.get("partition").intValue() : null;
        Long timestamp = node.path("timestamp").isNumber() ? node.get("timestamp").longValue() : null;
        SchemaAndValue key = read(schemas, "key", topic, null, text(node, "key"));
        SchemaAndValue value = read(schemas, "value", topic, null, text(node, "value"));
        ConnectRecord<?> record = sink
            ? new SinkRecord(topic, partition, key.schema(), key.value(), value.schema(),
                value.value(), node.path("offset").longValue(), timestamp,
                timestamp == null ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME)
            : new SourceRecord(Map.of("p", "x"), Map.of("o", 1), topic, partition, key.schema(),
                key.value(), value.schema(), value.value(), timestamp);
        for (JsonNode header : node.path("headers")) {
            String name = header.get(0).textValue();
            SchemaAndValue raw = read(schemas, "header", topic, name,
                header.get(1).isNull() ? null : header.get(1).textValue());
            record.headers().add(name, raw.value(), raw.schema());
        }
        return record;
    }

    static void side(ObjectNode out, String name, String topic, boolean schemas, Schema schema,
            Object value) {
        boolean typed = !schemas;
        try {
            byte[] bytes = json(schemas, name).fromConnectData(topic, schema, value);
            out.set(name, textOrNull(bytes == null ? null
                : new String(bytes, StandardCharsets.UTF_8)));
        } catch (Exception thrown) {
            out.putNull(name);
            ObjectNode error = JSON.createObjectNode();
            error.put("class", thrown.getClass().getName());
            error.put("message", thrown.getMessage());
            out.set(name + "_error", error);
            typed = true;
        }
        if (typed && (value != null || schema != null)) {
            out.set(name + "_typed", typed(value));
            if (schema != null) {
                out.set(name + "_schema", schemaText(schema));
            }
        }
    }

    static JsonNode written(ConnectRecord<?> record, boolean sink, boolean schemas) {
        ObjectNode out = JSON.createObjectNode();
        out.put("topic", record.topic());
        out.put("partition", record.kafkaPartition());
        if (sink) {
            out.put("offset", ((SinkRecord) record).kafkaOffset());
        }
        out.put("timestamp", record.timestamp());
        side(out, "key", record.topic(), schemas, record.keySchema(), record.key());
        side(out, "value", record.topic(), schemas, record.valueSchema(), record.value());
        ArrayNode headers = out.putArray("headers");
        for (Header header : record.headers()) {
            ArrayNode one = headers.addArray();
            one.add(header.key());
            try {
                byte[] bytes = json(schemas, "header").fromConnectHeader(record.topic(),
                    header.key(), header.schema(), header.value());
                one.add(textOrNull(bytes == null ? null
                    : new String(bytes, StandardCharsets.UTF_8)));
            } catch (Exception thrown) {
                one.addNull();
                one.add(typed(header.value()));
                ObjectNode error = JSON.createObjectNode();
                error.put("class", thrown.getClass().getName());
                error.put("message", thrown.getMessage());
                one.add(error);
            }
        }
        return out;
    }

    // -- kinds of cases --

    @SuppressWarnings({"rawtypes", "unchecked"})
    static class Step {
        Transformation transformation;
        Predicate predicate;
        boolean negate;

        Step(JsonNode step) throws Exception {
            transformation = (Transformation) create(text(step, "class"));
            transformation.configure(config(step.get("config")));
            JsonNode guard = step.get("predicate");
            if (guard != null && !guard.isNull()) {
                predicate = (Predicate) create(text(guard, "class"));
                predicate.configure(config(guard.get("config")));
                negate = guard.path("negate").asBoolean();
            }
        }

        ConnectRecord<?> apply(ConnectRecord<?> record) {
            return predicate == null || negate ^ predicate.test(record)
                ? transformation.apply(record) : record;
        }
    }

    static void transform(ObjectNode test) throws Exception {
        boolean sink = "sink".equals(text(test, "kind"));
        boolean schemas = test.get("schemas").booleanValue();
        ArrayNode out = test.putArray("records_out");
        test.putNull("error");
        String stage = "configure";
        try {
            List<Step> steps = new ArrayList<>();
            if (test.path("chain").isArray()) {
                for (JsonNode step : test.get("chain")) {
                    steps.add(new Step(step));
                }
            } else {
                steps.add(new Step(test));
            }
            for (JsonNode input : test.get("records_in")) {
                stage = "input";
                ConnectRecord<?> record = record(input, sink, schemas);
                stage = "apply";
                for (Step step : steps) {
                    record = record == null ? null : step.apply(record);
                }
                stage = "write"; // of the recorder's own, where even the schema cannot be written
                out.add(record == null ? NullNode.instance : written(record, sink, schemas));
            }
        } catch (Exception | StackOverflowError thrown) {
            test.set("error", failure(stage, thrown));
        }
    }

    @SuppressWarnings({"rawtypes", "unchecked"})
    static void predicate(ObjectNode test) throws Exception {
        String stage = "configure";
        test.putNull("test");
        test.putNull("applies");
        test.putNull("error");
        try {
            Predicate predicate = (Predicate) create(text(test, "class"));
            predicate.configure(config(test.get("config")));
            stage = "input";
            ConnectRecord<?> record = record(test.get("record"), "sink".equals(text(test, "kind")),
                test.get("schemas").booleanValue());
            stage = "apply";
            boolean result = predicate.test(record);
            test.put("test", result);
            test.put("applies", test.path("negate").asBoolean() ^ result);
        } catch (Exception thrown) {
            test.set("error", failure(stage, thrown));
        }
    }

    static byte[] base64(String text) {
        return text == null ? null : Base64.getDecoder().decode(text);
    }

    static JsonNode base64(byte[] bytes) {
        return textOrNull(bytes == null ? null : Base64.getEncoder().encodeToString(bytes));
    }

    static void converter(ObjectNode test) throws Exception {
        String stage = "configure";
        String kind = text(test, "kind");
        boolean header = kind.equals("header");
        boolean bytes = "bytes".equals(text(test, "mode"));
        test.putNull("error");
        test.putNull("value");
        if (bytes) {
            test.putNull("schema_out");
        }
        try {
            Object made = create(text(test, "class"));
            Map<String, String> config = config(test.get("config"));
            config.put(CONVERTER_TYPE, kind);
            if (made instanceof HeaderConverter && (header || !(made instanceof Converter))) {
                ((HeaderConverter) made).configure(config);
            } else {
                ((Converter) made).configure(config, kind.equals("key"));
            }
            Schema schema;
            Object value;
            if (bytes) {
                stage = "to_connect";
                byte[] in = base64(text(test, "in_b64"));
                SchemaAndValue read = header
                    ? ((HeaderConverter) made).toConnectHeader("topic", "h", in)
                    : ((Converter) made).toConnectData("topic", in);
                if (read == null) {
                    test.put("java_null", true);
                    read = new SchemaAndValue(null, null);
                }
                schema = read.schema();
                value = read.value();
                stage = "write"; // of the recorder's own: a default that is no value of its schema has no JSON
                test.set("schema_out", schemaText(schema));
                test.set("value", typed(value));
            } else {
                stage = "input";
                SchemaAndValue read = read(true, "value", "topic", null, text(test, "data"));
                schema = read.schema();
                value = read.value();
                if (test.has("schema")) {
                    schema = json(true, "value").asConnectSchema(
                        new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS) // as JsonDeserializer
                            .readTree(text(test, "schema")));
                }
                test.set("value", typed(value));
            }
            stage = "from_connect";
            byte[] out = header
                ? ((HeaderConverter) made).fromConnectHeader("topic", "h", schema, value)
                : ((Converter) made).fromConnectData("topic", schema, value);
            test.set("out_b64", base64(out));
        } catch (Exception | StackOverflowError thrown) {
            test.set("error", failure(stage, thrown));
            test.putNull("out_b64");
            if (stage.equals("configure")) {
                test.putNull("schema_out");
            }
        }
    }

    static void properties(ObjectNode test) {
        Properties properties = new Properties();
        byte[] text = base64(text(test, "text_b64"));
        test.putNull("error");
        test.putNull("entries");
        try {
            if ("UTF-8".equals(text(test, "charset"))) {
                properties.load(new InputStreamReader(new ByteArrayInputStream(text),
                    StandardCharsets.UTF_8));
            } else {
                properties.load(new ByteArrayInputStream(text));
            }
            ArrayNode entries = test.putArray("entries");
            for (Map.Entry<Object, Object> entry : new TreeMap<>(properties).entrySet()) {
                entries.addArray().add((String) entry.getKey()).add((String) entry.getValue());
            }
        } catch (Exception thrown) {
            ObjectNode error = (ObjectNode) failure("", thrown);
            error.remove("stage");
            test.set("error", error);
        }
    }

    static JsonNode bare(Throwable thrown) {
        ObjectNode error = (ObjectNode) failure("", thrown);
        error.remove("stage");
        return error;
    }

    static void regex(ObjectNode test) {
        for (String name : List.of("compile_error", "matches", "find", "replace_first",
                "replace_error", "router")) {
            test.putNull(name);
        }
        String input = text(test, "input");
        Matcher matcher;
        try {
            matcher = Pattern.compile(text(test, "pattern")).matcher(input);
        } catch (PatternSyntaxException thrown) {
            test.set("compile_error", bare(thrown));
            return;
        }
        try {
            boolean matches = matcher.matches();
            test.put("matches", matches);
            matcher.reset();
            test.put("find", matcher.find());
            matcher.reset();
            try {
                String replaced = matcher.replaceFirst(text(test, "replacement"));
                test.put("replace_first", replaced);
                test.put("router", matches ? replaced : input);
            } catch (Exception thrown) {
                test.set("replace_error", bare(thrown));
                test.set("router", matches ? NullNode.instance : textOrNull(input));
            }
        } catch (StackOverflowError thrown) {
            test.put("overflow", true);
        }
    }

    static ConfigDef definition(Object made) {
        if (made instanceof Transformation) {
            return ((Transformation<?>) made).config();
        } else if (made instanceof Predicate) {
            return ((Predicate<?>) made).config();
        } else if (made instanceof HeaderConverter) {
            return ((HeaderConverter) made).config();
        }
        return ((Converter) made).config();
    }

    static void validate(ObjectNode test) throws Exception {
        ConfigDef definition = definition(create(text(test, "class")));
        test.putNull("error");
        ArrayNode values = test.putArray("values"), errors = test.putArray("errors");
        for (ConfigValue value : definition.validate(config(test.get("config")))) {
            ConfigDef.ConfigKey key = definition.configKeys().get(value.name());
            values.addArray().add(value.name()).add(textOrNull(
                ConfigDef.convertToString(value.value(), key == null ? null : key.type)));
            if (!value.errorMessages().isEmpty()) {
                ArrayNode one = errors.addArray();
                one.add(value.name());
                ArrayNode messages = one.addArray();
                value.errorMessages().forEach(messages::add);
            }
        }
    }

    // -- the herder's --

    static StandaloneHerder herder;

    static StandaloneHerder herder() {
        if (herder == null) {
            Map<String, String> config = Map.of("bootstrap.servers", "localhost:1",
                "key.converter", JsonConverter.class.getName(),
                "value.converter", JsonConverter.class.getName(),
                "offset.storage.file.filename", "unused", "plugin.discovery", "service_load");
            Plugins plugins = new Plugins(config);
            AllConnectorClientConfigOverridePolicy policy = new AllConnectorClientConfigOverridePolicy();
            MemoryOffsetBackingStore offsets = new MemoryOffsetBackingStore() {
                @Override
                public java.util.Set<Map<String, Object>> connectorPartitions(String name) {
                    return java.util.Set.of();
                }
            };
            herder = new StandaloneHerder(new Worker("recorder", Time.SYSTEM, plugins,
                new StandaloneConfig(config) {
                    @Override
                    public String kafkaClusterId() { // asks a broker
                        return "cluster";
                    }
                }, offsets, policy), "cluster", policy);
        }
        return herder;
    }

    static void validateConnector(ObjectNode test) {
        test.putNull("error");
        try {
            Map<String, String> config = config(test.get("config"));
            java.util.concurrent.CompletableFuture<ConfigInfos> answer =
                new java.util.concurrent.CompletableFuture<>();
            herder().validateConnectorConfig(config, (error, infos) -> {
                if (error != null) {
                    answer.completeExceptionally(error);
                } else {
                    answer.complete(infos);
                }
            }, false);
            ConfigInfos infos = answer.get();
            test.put("error_count", infos.errorCount());
            test.set("groups", JSON.valueToTree(infos.groups()));
            ArrayNode values = test.putArray("values"), errors = test.putArray("errors");
            for (ConfigInfo info : infos.values()) {
                values.addArray().add(info.configValue().name())
                    .add(textOrNull(info.configValue().value()));
                if (!info.configValue().errors().isEmpty()) {
                    errors.addArray().add(info.configValue().name())
                        .add(JSON.valueToTree(info.configValue().errors()));
                }
            }
        } catch (java.util.concurrent.ExecutionException thrown) {
            test.set("error", failure("validate", thrown.getCause()));
        } catch (Exception thrown) {
            test.set("error", failure("validate", thrown));
        }
    }

    static ConfigDef connectorDefinition(Class<?> made) throws Exception {
        return made == SinkConnectorConfig.class ? SinkConnectorConfig.configDef()
            : made == SourceConnectorConfig.class ? SourceConnectorConfig.configDef() : null;
    }

    static void key(ObjectNode test) throws Exception {
        Class<?> made = Class.forName(text(test, "class"));
        ConfigDef fixed = connectorDefinition(made);
        List<ConfigKeyInfo> keys;
        if (fixed != null) {
            keys = new ArrayList<>();
            for (ConfigDef.ConfigKey key : fixed.configKeys().values()) {
                keys.add(org.apache.kafka.connect.runtime.AbstractHerder.convertConfigKey(key));
            }
        } else {
            keys = herder().connectorPluginConfig(made.getName());
        }
        int index = test.get("index").intValue();
        if (index >= keys.size() && (index > 0 || !keys.isEmpty())) {
            throw new IndexOutOfBoundsException(); // there is no such case
        }
        test.put("of", keys.size());
        test.set("key", index < keys.size() ? JSON.valueToTree(keys.get(index)) : NullNode.instance);
    }
}
