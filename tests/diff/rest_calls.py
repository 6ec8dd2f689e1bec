"""Random calls of the admin API, as steps of the recorded scenarios' form (method, path, headers, body, files).

The same seed gives the same steps. Names come out of a small pool, so that calls meet connectors in every state;
`${uid}`, `${tmpdir}` and the rest are put in by whoever sends them. What is generated is mostly reasonable and often
at an edge: of JSON, of HTTP, of a configuration.
"""
import json
import random
from urllib.parse import quote

FILE = "org.apache.kafka.connect.file."
TRANSFORMS = "org.apache.kafka.connect.transforms."
SOURCE, SINK = FILE + "FileStreamSourceConnector", FILE + "FileStreamSinkConnector"
JSON = "org.apache.kafka.connect.json.JsonConverter"
STRING = "org.apache.kafka.connect.storage.StringConverter"
SOURCES = [SOURCE, "FileStreamSource", "FileStreamSourceConnector"]
SINKS = [SINK, "FileStreamSink", "FileStreamSinkConnector"]
NAMES = ["a-${uid}", "b-${uid}", "c ${uid} x", "\u00fc-${uid}", "s/l-${uid}", "q?${uid}#", "p%25${uid}", "k+${uid}", "t;v=${uid}", "e\u20ac\U0001f600${uid}",
         "l${uid}-" + "x" * 600, "..${uid}", "%2e${uid}", "'\"\\${uid}", "\u202e${uid}\u00a0", "<${uid}>&"]
BAD_NAMES = ["", " ", "\t", "a\u0007b", "x\ny", "\u007f", "\u0085", "\u0080x", "${uid}\u0000", "a\u0000${uid}"]
# No class of Java's own: its loader is null, over which later requests of the same thread trip in the JVM.
PLUGINS = [*SOURCES, *SINKS, "RegexRouter", "InsertField$Value", TRANSFORMS + "Cast$Key", TRANSFORMS + "Cast", "Cast",
           TRANSFORMS + "Flatten$Value", "HoistField$Key", "TimestampConverter$Value", "Filter", "ReplaceField$Value",
           "TopicNameMatches", "HasHeaderKey", "RecordIsTombstone", "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
           JSON, "JsonConverter", "StringConverter", "SimpleHeaderConverter", "ByteArrayConverter", "Json", "String",
           "Nope", "com.example.Nope", "", "a b", "FileStream", "filestreamsource", "x/y", "Value",
           "InsertField", "MirrorSourceConnector"]
TRANSFORM_TYPES = {
    "RegexRouter": {"regex": ["a(.*)", "(", "", None], "replacement": ["$1", "", None]},
    TRANSFORMS + "InsertField$Value": {"static.field": ["f"], "static.value": ["v", ""], "topic.field": ["t!", "t?", ""], "timestamp.field": ["ts"]},
    "InsertField$Key": {"offset.field": ["o"]},
    TRANSFORMS + "Cast$Value": {"spec": ["a:int32", "a:nope", "int8", "", "a", "a:int8,b", None], "replace.null.with.default": ["x", "true"]},
    TRANSFORMS + "MaskField$Value": {"fields": ["a,b", "", None], "replacement": ["x", ""]},
    TRANSFORMS + "TimestampConverter$Value": {"target.type": ["string", "nope", "Date", None], "format": ["yyyy", "QQQ'"], "field": ["f"], "unix.precision": ["seconds", "bad"]},
    TRANSFORMS + "TimestampRouter": {"topic.format": ["${topic}-${timestamp}"], "timestamp.format": ["yyyyMMdd", "bad'"]},
    TRANSFORMS + "ReplaceField$Value": {"exclude": ["a"], "include": ["b,c"], "renames": ["a:b", "a", "a:b,"], "blacklist": ["q"]},
    TRANSFORMS + "HoistField$Value": {"field": ["f", "", None]},
    TRANSFORMS + "ExtractField$Value": {"field": ["f", None], "field.syntax.version": ["V2", "V3", "v1"]},
    TRANSFORMS + "ValueToKey": {"fields": ["a", "", None]},
    TRANSFORMS + "SetSchemaMetadata$Value": {"schema.name": ["n"], "schema.version": ["1", "x"]},
    TRANSFORMS + "Flatten$Value": {"delimiter": [".", ""]},
    TRANSFORMS + "Filter": {},
    TRANSFORMS + "DropHeaders": {"headers": ["a,b", None, ""]},
    TRANSFORMS + "HeaderFrom$Value": {"fields": ["a", None], "headers": ["h", "h,i", None], "operation": ["move", "copy", "bad", None]},
    TRANSFORMS + "InsertHeader": {"header": ["h", None], "value.literal": ["v", None]},
    "org.example.Nope": {"x": ["1"]},
    "": {}, TRANSFORMS + "Cast": {"spec": ["a:int8"]}, JSON: {}, "java.lang.String": {},
}
PREDICATE_TYPES = {
    "org.apache.kafka.connect.transforms.predicates.TopicNameMatches": {"pattern": ["a.*", "(", "", None]},
    "HasHeaderKey": {"name": ["h", "", None]},
    "RecordIsTombstone": {}, "Nope": {}, "": {}, TRANSFORMS + "Filter": {},
}
# A converter by its alias passes the JVM's validation, and the request that sets its task up then never ends there.
CONVERTERS = [JSON, STRING, "org.apache.kafka.connect.converters.ByteArrayConverter",
              "org.apache.kafka.connect.converters.IntegerConverter", "Nope", "", " ", None,
              "org.apache.kafka.connect.storage.SimpleHeaderConverter", "java.lang.String", SOURCE, "io.confluent.connect.avro.AvroConverter"]
NUMBERS = ["1", "2", "0", "-1", "1.5", "x", "", " 3 ", "99999999999", "+4", "1e1", None, "0x10", "\u0663", "2147483647", "2147483648"]
BOOLEANS = ["true", "FALSE", "x", "", " true ", "1", None, "yes"]
SHARED_KEYS = {
    "tasks.max": NUMBERS, "tasks.max.enforce": BOOLEANS, "key.converter": CONVERTERS, "value.converter": CONVERTERS,
    "header.converter": CONVERTERS, "key.converter.schemas.enable": BOOLEANS, "value.converter.schemas.enable": BOOLEANS,
    "value.converter.schemas.cache.size": NUMBERS, "value.converter.decimal.format": ["BASE64", "numeric", "x"],
    "value.converter.encoding": ["UTF-8", "nope"], "key.converter.converter.type": ["value", "x", "", None], "config.action.reload": ["restart", "NONE", "x", "", None],
    "errors.retry.timeout": NUMBERS, "errors.retry.delay.max.ms": NUMBERS, "errors.tolerance": ["none", "ALL", "some", "", None],
    "errors.log.enable": BOOLEANS, "errors.log.include.messages": BOOLEANS, "unknown.key": ["u", "", None],
    "producer.override.acks": ["1", "x"], "consumer.override.max.poll.records": ["5", "x"],
    "admin.override.client.id": ["x"], "predicates": ["", "p", "p,p"], "transforms": ["", " ", "t,,u", ",", "t,t", None],
    "transforms.t.foo": ["1"], "transforms.zz.type": ["RegexRouter"], "": ["e"], "name": ["", "other", " ", None],
    "connector.client.config.override.policy": ["None"], "tasks": ["1"], "topic": ["${topic_prefix}${uid}-t", "", None],
}
SOURCE_KEYS = {
    "batch.size": NUMBERS, "topic": ["${topic_prefix}${uid}-t", "", " ", "a b", None, "a,b"], "file": ["", None, "${tmpdir}/${uid}-no.in"],
    "exactly.once.support": ["requested", "required", "REQUIRED", "x", ""], "transaction.boundary": ["poll", "interval", "CONNECTOR", "x", None],
    "transaction.boundary.interval.ms": NUMBERS, "offsets.storage.topic": ["o", "", " ", None],
    "topic.creation.groups": ["", "g", "g,h", "default", None, "g,g"], "topic.creation.default.partitions": NUMBERS,
    "topic.creation.default.replication.factor": NUMBERS, "topic.creation.g.include": ["a.*", "(", "", None],
    "topic.creation.g.exclude": ["b"], "topic.creation.g.partitions": NUMBERS, "topic.creation.g.replication.factor": NUMBERS,
    "topic.creation.default.cleanup.policy": ["compact"], "topic.creation.g.retention.ms": ["5"], "topics": ["t"],
}
SINK_KEYS = {
    "topics": ["${topic_prefix}${uid}-t", "a,b", "", " ", ",", None, "a,,b", "a b"], "topics.regex": ["a.*", "(", "", " ", None, "[a"],
    "errors.deadletterqueue.topic.name": ["dlq", "a", "", " ", None, "${topic_prefix}${uid}-t"],
    "errors.deadletterqueue.topic.replication.factor": NUMBERS,
    "errors.deadletterqueue.context.headers.enable": BOOLEANS, "file": ["", None, "${tmpdir}/none/x.out"],
    "exactly.once.support": ["required"], "topic.creation.groups": ["g"],
}
CLIENT_KEYS = {
    "admin": """bootstrap.servers bootstrap.controllers client.id metadata.max.age.ms send.buffer.bytes receive.buffer.bytes reconnect.backoff.ms
        reconnect.backoff.max.ms retry.backoff.ms retry.backoff.max.ms enable.metrics.push request.timeout.ms socket.connection.setup.timeout.ms
        socket.connection.setup.timeout.max.ms connections.max.idle.ms retries default.api.timeout.ms metrics.sample.window.ms metrics.num.samples
        metric.reporters metrics.recording.level auto.include.jmx.reporter client.dns.lookup security.providers security.protocol ssl.protocol
        ssl.provider ssl.cipher.suites ssl.enabled.protocols ssl.keystore.type ssl.keystore.location ssl.keystore.password ssl.key.password
        ssl.keystore.key ssl.keystore.certificate.chain ssl.truststore.certificates ssl.truststore.type ssl.truststore.location
        ssl.truststore.password ssl.keymanager.algorithm ssl.trustmanager.algorithm ssl.endpoint.identification.algorithm
        ssl.secure.random.implementation ssl.engine.factory.class sasl.kerberos.service.name sasl.kerberos.kinit.cmd
        sasl.kerberos.ticket.renew.window.factor sasl.kerberos.ticket.renew.jitter sasl.kerberos.min.time.before.relogin
        sasl.login.refresh.window.factor sasl.login.refresh.window.jitter sasl.login.refresh.min.period.seconds
        sasl.login.refresh.buffer.seconds sasl.mechanism sasl.jaas.config sasl.client.callback.handler.class sasl.login.callback.handler.class
        sasl.login.class sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms
        sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name sasl.oauthbearer.token.endpoint.url sasl.oauthbearer.jwks.endpoint.url
        sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms
        sasl.oauthbearer.jwks.endpoint.retry.backoff.ms sasl.oauthbearer.clock.skew.seconds sasl.oauthbearer.expected.audience
        sasl.oauthbearer.expected.issuer sasl.oauthbearer.header.urlencode metadata.recovery.strategy nope """,
    "producer": """buffer.memory acks compression.type compression.gzip.level compression.lz4.level compression.zstd.level batch.size
        partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms partitioner.ignore.keys linger.ms delivery.timeout.ms
        max.request.size max.block.ms metadata.max.idle.ms max.in.flight.requests.per.connection key.serializer value.serializer
        partitioner.class interceptor.classes enable.idempotence transaction.timeout.ms transactional.id """,
    "consumer": """group.id group.instance.id session.timeout.ms heartbeat.interval.ms partition.assignment.strategy enable.auto.commit
        auto.commit.interval.ms client.rack max.partition.fetch.bytes fetch.min.bytes fetch.max.bytes fetch.max.wait.ms auto.offset.reset
        check.crcs key.deserializer value.deserializer interceptor.classes max.poll.records max.poll.interval.ms exclude.internal.topics
        internal.leave.group.on.close internal.throw.on.fetch.stable.offset.unsupported isolation.level allow.auto.create.topics group.protocol
        group.remote.assignor """,
}
CLIENT_VALUES = ["1", "x", "", " ", "-1", "0", "true", "none", "all", "99999999999", "1.5", " 7 ", "a,b", "gzip", "GZIP", "java.lang.String", "no.Class",
                 JSON, "earliest", "SASL_SSL", "PLAINTEXT", "-5", "70000", "TRUE", "1e2", "Infinity", "0x1p3", "1f", "INFO", None]
MALFORMED = ["{", "[", "", " ", "null", "true", "17", "1.5", '"text"', "[]", "[1]", "{}x", "{} {}", "{'name':'x'}", '{"name":}', '{"name"}',
             '{"a":1,}', '{"a":NaN}', "// c\n{}", "\ufeff{}", '{"name":"x\\u"}', '{"name":"x\\q"}', '{"name":"a\nb"}', "nul", "{\"a\":01}",
             "[" * 3000, '{"a":' * 1200, '{"a":"' + "x" * 200000, '{"a":1e99999}', '{"a":"\\ud800"}', "\u0000", "hello", "{\"a\" 1}", "}", '{"a":.5}', "{,}"]
VALUES = [1, 0, -5, 1.5, 1.0, 1e21, 1e-7, 123456789012345678901234567890, True, False, None, "", "text", [], {}, [1], {"x": 1}, [None]]
RAW_VALUES = ["1.10", "1e3", "1E400", "-0", "-0.0", "0.10", "00", "12345678901234567890.123456789", '"\\u00e9\\ud83d\\ude00"', "tru", "1.0E+2"]
TYPES = ["application/json", "application/json; charset=utf-8", "application/json;charset=ISO-8859-1", "APPLICATION/JSON", "application/*",
         "*/*", "text/plain", "text/json", "application", "", "application/x-www-form-urlencoded", "application/octet-stream",
         "application/vnd.api+json", "application/json, text/plain", ";", "application/json;q=0.1", None, "multipart/form-data; boundary=x",
         "application/json ; charset=\"utf-8\"", "application/json;", "json", "application/xml", "/", "a/b/c", "application/json;charset"]
ACCEPTS = ["*/*", "application/json", "application/*", "text/html", "text/plain", "text/html, */*;q=0.1", "application/json;q=0", "*/*;q=0",
           "", "nonsense", "application/xml;q=0.9,application/json;q=0.8", "text/*", "application/json;charset=utf-8", "a/b/c", "*", ",",
           "application/json;q=x", "*/json", "application/json; indent=4", "text/html;q=2", "application/json;q=1.5", "application/vnd.kafka+json",
           "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", "TEXT/PLAIN", "application/JSON"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"]
LEVELS = ["DEBUG", "info", "Trace", "WARN", "ERROR", "OFF", "ALL", "FATAL", "", " ", "LOUD", "debug ", None, 1, True, [], {}]
LOGGERS = ["org.rest.${uid}", "org.rest.${uid}.a", "org.rest.${uid}.a.B", "org.rest.${uid}.a.B$C", "org.rest.${uid}b", "org.rest.${uid}.a b",
           "org.rest.${uid}.\u00fc", "org.rest.${uid}.", ".${uid}", "org.apache.kafka.connect.runtime.Worker", "ROOT", "Root"]
READS = ["/connectors/{}", "/connectors/{}/config", "/connectors/{}/status", "/connectors/{}/tasks", "/connectors/{}/tasks-config",
         "/connectors/{}/topics", "/connectors/{}/offsets", "/connectors/{}/tasks/0/status", "/connectors/{}/tasks/1/status"]
QUERIES = ["?x=1", "?", "?expand=status", "?expand=info", "?expand=status&expand=info", "?expand=", "?expand=STATUS", "?expand", "?expand=info,status",
           "?expand=nope&expand=info", "?forward=true", "?forward=false", "?forward=x", "?a=%", "?%zz=1", "?a=%C3%28", "?connectorsOnly=x", "?scope=worker"]


class Calls:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.count = 0

    def often(self, chance):
        return self.r.random() < chance

    def pick(self, choices):
        return self.r.choice(list(choices))

    # -- parts --

    def name(self):
        return self.pick(NAMES[:2]) if self.often(0.75) else self.pick([*NAMES, "none-${uid}"])

    def encoded(self, name):
        """A name as a part of a path; variables stay what they are."""
        parts = [quote(part, safe="" if self.often(0.8) else "+;=:@!$&'()*,") for part in name.split("${uid}")]
        text = "${uid}".join(parts)
        return text.replace("%2F", "%2f") if self.often(0.1) else text

    def step(self, method, path, body=None, headers=None, **more):
        self.count += 1
        step = {"id": f"{self.count}-{method.lower()}", "method": method, "path": path, **more}
        if body is not None:
            step["body"] = body
        if headers:
            step["headers"] = headers
        return step

    def values(self, keys, least, most, config):
        for key in self.r.sample(list(keys), self.r.randint(least, min(most, len(keys)))):
            value = self.pick(keys[key])
            if value is None and self.often(0.5):
                config.pop(key, None)
            else:
                config[key] = value

    def chain(self, config):
        """A few transforms and predicates with right and wrong keys."""
        aliases = self.r.sample(["t", "u", "v w", "x.y"], self.r.randint(1, 2))
        config["transforms"] = self.pick([",", ", "]).join(aliases)
        for alias in aliases:
            kind = self.pick(TRANSFORM_TYPES)
            if self.often(0.95):
                config[f"transforms.{alias}.type"] = kind
            for key, choices in TRANSFORM_TYPES[kind].items():
                value = self.pick(choices)
                if self.often(0.8) and value is not None:
                    config[f"transforms.{alias}.{key}"] = value
            if self.often(0.3):
                config[f"transforms.{alias}.predicate"] = self.pick(["p", "q", "", "nope", None])
            if self.often(0.2):
                config[f"transforms.{alias}.negate"] = self.pick(["true", "x", "", None])
            if self.often(0.1):
                config[f"transforms.{alias}.unknown"] = "z"
        if self.often(0.4):
            config["predicates"] = self.pick(["p", "p,q", "q", "p,p"])
            for alias in "pq":
                kind = self.pick(PREDICATE_TYPES)
                if self.often(0.9):
                    config[f"predicates.{alias}.type"] = kind
                for key, choices in PREDICATE_TYPES[kind].items():
                    value = self.pick(choices)
                    if value is not None:
                        config[f"predicates.{alias}.{key}"] = value

    def config(self, wrong=0.3, name=None):
        """A connector's configuration; wrong: how often it is changed at random."""
        sink = self.often(0.4)
        config = {"connector.class": self.pick((SINKS if sink else SOURCES) if self.often(0.3) else [SINK if sink else SOURCE])}
        if sink:
            config.update({"topics": "${topic_prefix}${uid}-t", "file": "${tmpdir}/${uid}-%d.out" % self.r.randint(1, 3)})
        else:
            config.update({"topic": "${topic_prefix}${uid}-t", "file": "${tmpdir}/${uid}.in"})
        if name is not None:
            config["name"] = name
        if self.often(wrong):
            self.values({**SHARED_KEYS, **(SINK_KEYS if sink else SOURCE_KEYS)}, 1, 4, config)
        if self.often(wrong * 0.1):
            config.update(self.overrides())
        if self.often(wrong * 0.6):
            self.chain(config)
        if self.often(wrong * 0.1):
            config["connector.class"] = self.pick(["Nope", "", " ", JSON, TRANSFORMS + "Filter", SOURCE + " ", None])
        if self.often(wrong * 0.1):
            config[self.pick(["n", "tasks.max", "topic"])] = self.pick(VALUES)
        return config

    def overrides(self):
        """Settings of a connector's Kafka clients."""
        config = {}
        if self.often(0.4):
            prefix = self.pick(CLIENT_KEYS)
            for _ in range(self.r.choice([1, 1, 1, 2])):
                config[f"{prefix}.override.{self.pick((CLIENT_KEYS[prefix] + CLIENT_KEYS['admin']).split())}"] = self.pick(CLIENT_VALUES)
        return config

    def raw(self, body):
        """The body as a text with something odd in it."""
        text = json.dumps(body)
        kind = self.r.randint(0, 6)
        if kind == 0:
            return text[:-1] + self.pick(["", ",}", ', "x": 1}', ', "config": {}}', "}}", "} x", ', "name": "twice"}'])
        if kind == 1:
            return text.replace('"config": {', '"config": {"raw": ' + self.pick(RAW_VALUES) + ", ", 1)
        if kind == 2:
            return text.replace(":", " :\n\t", 3)
        if kind == 3:
            return "\ufeff" + text
        if kind == 4:
            return text[:self.r.randint(0, len(text))]
        if kind == 5:
            return "\n  " + text + "\n\n"
        return self.pick(MALFORMED)

    def failing(self):
        """A configuration whose task fails, or whose connector does."""
        config = self.config(0)
        kind = self.r.randint(0, 3)
        if kind == 0:
            config = {"connector.class": SINK, "topics": "${topic_prefix}${uid}-t", "file": "${tmpdir}/none/x.out"}
        elif kind == 1:
            config = {"connector.class": SOURCE, "topic": "${topic_prefix}${uid}-t", "file": "${tmpdir}/${uid}.in", "transforms": "t",
                      "transforms.t.type": TRANSFORMS + "ExtractField$Value", "transforms.t.field": "f"}
        elif config["connector.class"] == SOURCE:
            self.topic_creation(config)
        return config

    def topic_creation(self, config):
        for group in ["default", *self.r.sample(["g", "h", "x.y"], self.r.randint(0, 2))]:
            for key, choices in {"replication.factor": ["1", "1", "-1", "0", "x", "", None], "partitions": ["1", "1", "2", "-1", "0", "x", None],
                                 "include": [None, "a.*", "(", "a,(", "", "*"], "exclude": [None, None, "b", "[", "x,"], "retention.ms": [None, "5"]}.items():
                value = self.pick(choices)
                if value is not None:
                    config[f"topic.creation.{group}.{key}"] = value
        if self.often(0.7):
            config["topic.creation.groups"] = self.pick(["g", "g,h", "h, g", "default,g", "x.y", "", "k", "default"])

    # -- families of calls; each returns a list of steps --

    def create(self):
        name = self.name()
        body = {"name": name, "config": self.config(0.25)}
        if self.often(0.2):
            body["initial_state"] = self.pick(["RUNNING", "PAUSED", "STOPPED", "stopped", "Paused", "", "x", None, 1, 0, 5, True, [], "DESTROYED", "FAILED"])
        if self.often(0.1):
            body["config"]["name"] = self.pick([name, "", "other", " " + name])
        if self.often(0.06):
            body["name"] = self.pick([*BAD_NAMES, *VALUES])
        if self.often(0.04):
            body["config"] = self.pick(VALUES)
        if self.often(0.04):
            body[self.pick(["x", "Config", "tasks", "type", "initialState"])] = self.pick(VALUES)
        if self.often(0.02):
            del body[self.pick(body)]
        return [self.step("POST", "/connectors" + (self.pick(QUERIES) if self.often(0.05) else ""), self.raw(body) if self.often(0.1) else body)]

    def put_config(self):
        name = self.name()
        config = self.config(0.35)
        if self.often(0.1):
            config["name"] = self.pick([name, "other", "", None])
        body = self.raw({"config": config})[10:] if self.often(0.05) else config
        return [self.step("PUT", f"/connectors/{self.encoded(name)}/config", self.pick(MALFORMED + VALUES) if self.often(0.05) else body)]

    def patch_config(self):
        patch = {}
        for _ in range(self.r.randint(0, 3)):
            key, choices = self.pick({**SHARED_KEYS, "file": ["${tmpdir}/${uid}.in"], "connector.class": [SOURCE, None, "Nope"], "n": VALUES}.items())
            patch[key] = self.pick(choices)
        body = self.pick(MALFORMED + VALUES) if self.often(0.15) else patch
        return [self.step("PATCH", f"/connectors/{self.encoded(self.name())}/config", body)]

    def life(self):
        """One connector of a kind that may fail, through several states, looked at after each."""
        name = self.pick(NAMES)
        path = f"/connectors/{self.encoded(name)}"
        body = {"name": name, "config": self.failing()}
        if self.often(0.3):
            body["initial_state"] = self.pick(["PAUSED", "STOPPED", "RUNNING"])
        steps = [self.step("POST", "/connectors", body)]
        for _ in range(self.r.randint(2, 6)):
            kind = self.r.randint(0, 9)
            if kind < 4:
                steps.append(self.step("PUT", f"{path}/{self.pick(['pause', 'resume', 'stop', 'stop'])}"))
            elif kind == 4:
                steps.append(self.step("POST", f"{path}/restart" + self.pick(["", "?includeTasks=true", "?onlyFailed=true", "?includeTasks=true&onlyFailed=true"])))
            elif kind == 5:
                steps.append(self.step("PUT", f"{path}/config", self.failing()))
            elif kind == 6:
                patch = {self.pick(["file", "topics", "topic", "transforms", "tasks.max", "topic.creation.default.partitions",
                                    "topic.creation.default.replication.factor", "connector.class", "nope"]): self.pick([None, None, "1", "2", "", "x"])}
                steps.append(self.step("PATCH", f"{path}/config", patch))
            elif kind == 7:
                steps.append(self.step("DELETE", f"{path}/offsets"))
            elif kind == 8:
                steps.append(self.step("PATCH", f"{path}/offsets", {"offsets": [self.offset_entry() for _ in range(self.r.randint(1, 5))]}))
            else:
                steps.append(self.step("POST", "/connectors", {"name": name, "config": self.failing()}))
            steps.append(self.step("GET", path + self.pick(["/offsets", "/status", "", "/config", "/tasks", "/tasks-config", "/topics", "/tasks/0/status"])))
        return [*steps, self.step("DELETE", path), self.step("GET", path + self.pick(["", "/status", "/offsets", "/config"]))]

    def offset_entry(self):
        """Good mostly, of a source or of a sink; several make the order show."""
        if self.often(0.5):
            return {"partition": {"filename": self.pick(["${tmpdir}/${uid}.in", "a", "b", "c", "d1", "e22", "\u00e9", "x y"]),
                                  **({"n": self.pick([1, -1, 5000000000, 1.5, True, None])} if self.often(0.2) else {})},
                    "offset": self.pick([{"position": 0}, {"position": 3}, {"position": 0}, {"position": -1}, {"position": "x"}, {}, None])}
        return {"partition": {"kafka_topic": self.pick(["${topic_prefix}${uid}-t", "${topic_prefix}${uid}-t", "${topic_prefix}${uid}-t2"]),
                              "kafka_partition": self.pick([0, 0, "0", 1])},
                "offset": self.pick([{"kafka_offset": 0}, {"kafka_offset": 1}, {"kafka_offset": -1}, {"kafka_offset": "x"}, {}, None])}

    def verbs(self):
        name = self.encoded(self.name())
        verb = self.pick(["pause", "resume", "stop", "resume", "pause", "stop"])
        steps = [self.step("PUT", f"/connectors/{name}/{verb}", self.pick([None, None, None, "", "{}", "{", "x"]))]
        return steps

    def restart(self):
        name = self.encoded(self.name())
        query = self.pick(["", "?includeTasks=true", "?onlyFailed=true", "?includeTasks=true&onlyFailed=true", "?includeTasks=TRUE", "?includeTasks=1",
                           "?includeTasks=", "?includeTasks", "?onlyFailed=x&includeTasks=yes", "?includeTasks=true&includeTasks=false", "?forward=true"])
        if self.often(0.3):
            number = self.pick(["0", "0", "1", "-1", "x", "99999999999", "00", "%30", "+1", ""])
            return [self.step("POST", f"/connectors/{name}/tasks/{number}/restart{self.pick(['', '', '?forward=true'])}")]
        return [self.step("POST", f"/connectors/{name}/restart{query}", self.pick([None, None, "{}", "x"]))]

    def delete(self):
        return [self.step("DELETE", f"/connectors/{self.encoded(self.name())}", self.pick([None, None, None, "{}", "x"]))]

    def read(self):
        path = self.pick(READS).format(self.encoded(self.name()))
        return [self.step("GET", path + (self.pick(QUERIES) if self.often(0.1) else "") + ("/" if self.often(0.05) else ""))]

    def everything(self):
        name = self.encoded(self.name())
        return [self.step("GET", path.format(name)) for path in READS] + [self.step("GET", "/connectors" + self.pick(QUERIES[:10]))]

    def topics(self):
        name = self.encoded(self.name())
        return [self.step("PUT", f"/connectors/{name}/topics/reset", self.pick([None, "{}"])),
                self.step("GET", f"/connectors/{name}/topics")]

    def offsets(self):
        name = self.encoded(self.name())
        path = f"/connectors/{name}/offsets"
        topic = "${topic_prefix}${uid}-t"
        entries = []
        if self.often(0.3):
            entries = [self.offset_entry() for _ in range(self.r.randint(2, 6))]
        for _ in range(self.r.randint(0, 2)):
            sink = self.often(0.5)
            if sink:
                partition = {"kafka_topic": self.pick([topic, topic, "", None, 5, "nope-${uid}", " "]), "kafka_partition": self.pick([0, 0, "0", "1", 1, 7, -1, "x", None, 0.0, 1.5, True, "", 99999999999])}
                offset = {"kafka_offset": self.pick([0, 1, "1", "x", -1, None, 1.0, 2.5, "", 99999999999999999999, 1000, True])}
            else:
                partition = {"filename": self.pick(["${tmpdir}/${uid}.in", "${tmpdir}/${uid}.in", "other", "", None, 5, ["x"], {"y": 1}])}
                offset = {"position": self.pick([0, 0, 5, "5", "x", -1, None, 1.5, 1.0, 2147483648, True, 99999999999999999999, [], {}])}
            if self.often(0.1):
                partition[self.pick(["x", "kafka_topic", "filename"])] = self.pick(VALUES)
            if self.often(0.1):
                offset[self.pick(["x", "kafka_offset", "position"])] = self.pick(VALUES)
            entry = {"partition": partition, "offset": offset}
            if self.often(0.25):
                entry[self.pick(["partition", "offset"])] = self.pick([None, None, {}, [], "x", 5])
            if self.often(0.05):
                del entry[self.pick(entry)]
            if self.often(0.05):
                entry["x"] = 1
            entries.append(entry)
        body = {"offsets": entries}
        if self.often(0.1):
            body = self.pick([*MALFORMED, {}, {"offsets": None}, {"offsets": {}}, {"offsets": [None]}, {"offsets": "x"}, {"offsets": [1]}, {"offsets": [], "x": 1},
                              {"offset": []}, {"offsets": [[]]}, {"offsets": [{}]}])
        change = self.step("DELETE", path) if self.often(0.25) else self.step("PATCH", path, body)
        steps = [self.step("PUT", f"/connectors/{name}/stop")] if self.often(0.6) else []
        steps += [change, self.step("GET", path)]
        if self.often(0.4):
            steps.append(self.step("PUT", f"/connectors/{name}/resume"))
        return steps

    def lines(self):
        text = "".join(f"line {self.r.randint(1, 99)}\n" for _ in range(self.r.randint(1, 4)))
        return [self.step("GET", "/connectors", files=[{"path": "${tmpdir}/${uid}.in", "content": text, "append": True}])]

    def plugin(self):
        plugin = self.pick(PLUGINS)
        return [self.step("GET", f"/connector-plugins/{quote(plugin, safe='$')}/config"),
                self.step("GET", "/connector-plugins" + self.pick(["", "/", "?connectorsOnly=false", "?connectorsOnly=x", "?connectorsOnly=", "?connectorsOnly"]))]

    def validate(self):
        config = self.config(0.9, name=self.pick(["v", "v", "v", None, "", "a\u0007"]))
        plugin = config.get("connector.class")
        if self.often(0.1) or not isinstance(plugin, str):
            plugin = self.pick(PLUGINS)
        if self.often(0.03):
            config.pop("connector.class", None)
        if self.often(0.1):
            config[self.pick(["key.converter", "value.converter", "header.converter"])] = self.pick(["JsonConverter", "StringConverter", "SimpleHeaderConverter"])
        body = self.raw({"config": config})[10:] if self.often(0.03) else config
        return [self.step("PUT", f"/connector-plugins/{quote(plugin, safe='$')}/config/validate" + (self.pick(QUERIES) if self.often(0.03) else ""), body)]

    def loggers(self):
        logger = quote(self.pick(LOGGERS), safe="${}")
        if self.often(0.4):
            return [self.step("GET", "/admin/loggers/" + logger)]
        body = {"level": self.pick(LEVELS)}
        if self.often(0.2):
            body = self.pick([*MALFORMED, {}, {"level": "INFO", "x": 1}, {"Level": "INFO"}, {"level": "INFO", "x": {"y": 1}}])
        scope = self.pick(["", "", "", "?scope=worker", "?scope=cluster", "?scope=CLUSTER", "?scope=", "?scope=x", "?scope", "?scope=cluster&scope=worker"])
        return [self.step("PUT", f"/admin/loggers/{logger}{scope}", body), self.step("GET", "/admin/loggers/" + logger)]

    def http(self):
        """Any method on any path with odd headers."""
        name = self.encoded(self.name())
        path = self.pick([*[one.format(name) for one in READS], "/", "", "/connectors", "/connectors/", "/connector-plugins", "/connector-plugins/",
                          "/connector-plugins/FileStreamSource/config", "/connector-plugins/FileStreamSource/config/validate", "/admin/loggers",
                          "/admin/loggers/", "/admin/loggers/root", "/admin", "/admin/", "/health", "/health/", "/nope", "//", "//connectors",
                          "/connectors//", f"/connectors/{name}/", f"/connectors/{name}/restart", f"/connectors/{name}/pause", f"/connectors/{name}/fence",
                          f"/connectors/{name}/tasks/", f"/connectors/{name}/tasks/0", f"/connectors/{name}/tasks/0/restart", f"/connectors/{name}/topics/reset",
                          "/connectors/../", "/./connectors", "/connectors/%2e%2e", "/CONNECTORS", "/connectors/%", "/connectors/%zz", "/favicon.ico",
                          "/connectors;x=1", "/connectors/a%00b", f"/connectors/{name}/status;v=1", "/%63onnectors", "/connectors/%C3%28", "/connector-plugins//config",
                          "/root", "/index.html", "/connectors/a/b/c/d", "/connectors?expand=status&expand=info"])
        if path.startswith("/admin/loggers") and "root" not in path:
            method = self.pick(["POST", "DELETE", "OPTIONS", "PATCH"])  # the list is another in every program
        else:
            method = self.pick(METHODS)
        headers = {}
        if self.often(0.4):
            headers["Accept"] = self.pick(ACCEPTS)
        if self.often(0.3):
            headers["Content-Type"] = self.pick(TYPES)
        if self.often(0.05):
            headers[self.pick(["Accept-Encoding", "X-HTTP-Method-Override", "Content-Encoding", "Accept-Language", "Origin", "If-None-Match", "Range", "Accept-Charset"])] = \
                self.pick(["gzip", "DELETE", "identity", "de", "http://a", "*", "bytes=0-1", "utf-8"])
        body = None
        if method not in ("GET", "HEAD", "OPTIONS", "TRACE") or self.often(0.05):
            body = self.pick([None, "", "{}", {}, {"name": name, "config": {}}, "[]", "x", {"level": "INFO"}, {"offsets": []}])
        if path.endswith("admin/loggers/root") and method == "PUT":
            body = {"level": "INFO"}
        if body is not None and "Content-Type" not in headers and self.often(0.1):
            headers["Content-Type"] = None
        return [self.step(method, path, body, headers)]

    FAMILIES = {"create": 8, "put_config": 8, "patch_config": 5, "verbs": 6, "restart": 4, "delete": 4, "read": 4, "everything": 2, "topics": 1,
                "offsets": 8, "lines": 2, "plugin": 2, "validate": 14, "loggers": 4, "http": 14, "life": 3}

    def steps(self, count, families=()):
        """At least count steps, beginning with one connector of each kind that runs."""
        found = [self.step("POST", "/connectors", {"name": NAMES[0], "config": {"connector.class": SOURCE, "topic": "${topic_prefix}${uid}-t", "file": "${tmpdir}/${uid}.in"}},
                           files=[{"path": "${tmpdir}/${uid}.in", "content": "one\ntwo\nthree\n"}]),
                 self.step("POST", "/connectors", {"name": NAMES[1], "config": {"connector.class": SINK, "topics": "${topic_prefix}${uid}-t", "file": "${tmpdir}/${uid}.out"}})]
        names = list(families or self.FAMILIES)
        weights = [self.FAMILIES[name] for name in names]
        while len(found) < count:
            found += getattr(self, self.r.choices(names, weights)[0])()
        return found
