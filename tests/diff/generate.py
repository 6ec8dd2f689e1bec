#!/usr/bin/env python3
"""Random cases in the recorded vectors' form, without answers: generate.py SEED COUNT [KIND..] > cases.jsonl

The same seed gives the same cases. Kinds: transforms chains predicates dates converters headers numbers
regex properties validate; all of them by weight where none is named. What is generated is meant to be
mostly reasonable and often at an edge: names come out of a small pool so that configurations hit fields,
texts are put together from pieces that the readers treat specially.
"""
import base64
import json
import random
import struct
import sys

CONNECT = "org.apache.kafka.connect."
TRANSFORMS = CONNECT + "transforms."
NAMES = ["a", "b", "c", "d", "ts", "n", "a.b", "x y", "ü", "a`b", "list", "map", "A"]
BAD_NAMES = ["nope", "a.nope", "n.a", "n.n.b", "`a.b`", "n.`a.b`", "n.", ".a", "`", "`a", "a`.b", "n.`a`b`", "\\`a"]
INTS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
PRIMITIVES = ["int8", "int16", "int32", "int64", "float", "double", "boolean", "string", "bytes"]
LOGICAL = ["Decimal", "Date", "Time", "Timestamp"]
TEXTS = ["", " ", "x", "abc", "true", "TRUE", "false", "null", "0", "1", "-1", "127", "128", "-129", "300", "32768",
         "2147483648", "9223372036854775807", "9223372036854775808", "1.5", "-0.0", "1e3", "1E400", "1f", "0x1p3",
         "NaN", "Infinity", " 7 ", "+5", "٣", "ß", "日本", "😀", "a\"b", "a\\b", "a\nb", "\u2028", "\x01", "a/b", "<&>",
         "2020-01-01", "2020-01-01T00:00:00.000Z", "12:34:56.789Z", "[1,2]", "{\"a\":1}", "AQID", "é\u0301", "  lead",
         "trail  ", "1,234", "1_000", "0x10", "1d", ".5", "5.", "-", "+", "e", "1e", "1e+", "00012", "-00", "1.0E10"]


class Cases:
    def __init__(self, seed):
        self.r = random.Random(seed)

    # -- bricks --

    def often(self, chance):
        return self.r.random() < chance

    def pick(self, *choices):
        return self.r.choice(choices)

    def integer(self, bits):
        top = 1 << (bits - 1)
        kind = self.r.random()
        if kind < 0.4:
            return self.r.randint(-10, 300) if bits > 9 else self.r.randint(-10, 100)
        if kind < 0.6:
            return self.r.choice([0, 1, -1, top - 1, -top])
        if kind < 0.8:
            return self.r.randrange(-top, top)
        return max(-top, min(top - 1, self.r.choice([1, -1]) * 10 ** self.r.randint(0, 18) + self.r.randint(-1, 1)))

    def double(self):
        kind = self.r.random()
        if kind < 0.3:
            return self.r.choice([0.0, -0.0, 0.5, 1.5, -1.5, 0.1, 1e7, 1e-3, 9999999.0, 1e21, 1e22, 123456789.125, 2e-3,
                                  2.0 ** 63, -2.0 ** 63, 2.0 ** 31, 1e300, 5e-324, 1.7976931348623157e308, 9e-4, 1e23])
        if kind < 0.6:
            return round(self.r.uniform(-1000, 1000), self.r.randint(0, 6))
        if kind < 0.8:
            return self.r.uniform(-1, 1) * 10.0 ** self.r.randint(-30, 30)
        value = struct.unpack("<d", struct.pack("<Q", self.r.getrandbits(64)))[0]
        return value if value - value == 0 else 0.25

    def number_text(self):
        """A JSON number in one of the ways it can be written."""
        kind = self.r.random()
        if kind < 0.3:
            return str(self.integer(self.r.choice([8, 16, 32, 64])))
        if kind < 0.6:
            return repr(self.double())
        digits = "".join(self.r.choice("0123456789") for _ in range(self.r.randint(1, 25))).lstrip("0") or "0"
        text = self.pick("", "-") + digits
        if self.often(0.6):
            text += "." + "".join(self.r.choice("0123456789") for _ in range(self.r.randint(1, 22)))
        if self.often(0.5):
            text += self.pick("e", "E") + self.pick("", "+", "-") + str(self.r.randint(0, self.pick(3, 20, 330)))
        return text

    def text(self):
        kind = self.r.random()
        if kind < 0.5:
            return self.r.choice(TEXTS)
        if kind < 0.6:
            return self.number_text()
        if kind < 0.7:
            return "".join(self.r.choice(TEXTS) for _ in range(self.r.randint(1, 3)))
        return "".join(self.r.choice("abcxyz 0123.-,:äß😀\"\\/\n\t{}[]") for _ in range(self.r.randint(0, 12)))

    def millis(self):
        kind = self.r.random()
        if kind < 0.2:
            return self.r.choice([0, 1, -1, 999, 86400000, 86399999, -86400000, 1753920245123, 951782400000, -62135596800000,
                                  253402300799999, 253402300800000, -12219292800000, -12219292800001, -62198755200000])
        if kind < 0.8:
            return self.r.randint(0, 4102444800000)
        if kind < 0.99:
            return self.r.randint(-70000000000000, 253402300799999)
        return self.r.randint(-10 ** 15, 10 ** 15)

    def bytes(self):
        return base64.b64encode(bytes(self.r.getrandbits(8) for _ in range(self.r.randint(0, 9)))).decode()

    def name(self, bad=0.1):
        return self.r.choice(BAD_NAMES) if self.often(bad) else self.r.choice(NAMES[:6] if self.often(0.8) else NAMES)

    def names(self, least=0, most=3, bad=0.1):
        return [self.name(bad) for _ in range(self.r.randint(least, most))]

    # -- schemas with payloads, as JsonConverter writes them --

    def schema(self, depth=2, kind=None):
        kind = kind or self.pick(*PRIMITIVES, *LOGICAL, "string", "int64", "int32",
                                 *(["array", "map", "struct", "struct"] if depth > 0 else []))
        if kind in LOGICAL:
            base = {"Decimal": "bytes", "Date": "int32", "Time": "int32", "Timestamp": "int64"}[kind]
            schema = {"type": base, "optional": self.often(0.4), "name": CONNECT + "data." + kind, "version": 1}
            if kind == "Decimal":
                schema["parameters"] = {"scale": str(self.r.randint(0, 5))}
        else:
            schema = {"type": kind}
            if kind == "array":
                schema["items"] = self.schema(depth - 1)
            elif kind == "map":
                schema["keys"] = {"type": "string" if self.often(0.7) else self.pick(*PRIMITIVES), "optional": False}
                schema["values"] = self.schema(depth - 1)
            elif kind == "struct":
                names = self.r.sample(NAMES[:7] if self.often(0.7) else NAMES, self.r.randint(0 if self.often(0.1) else 1, 5))
                schema["fields"] = [dict(self.schema(depth - 1), field=name) for name in names]
            schema["optional"] = self.often(0.4)
            if self.often(0.15):
                schema["name"] = self.pick("N", "my.schema", "ü")
            if self.often(0.15):
                schema["version"] = self.r.randint(1, 5)
            if self.often(0.08):
                schema["doc"] = self.pick("d", "doc \"x\"")
            if self.often(0.08):
                schema["parameters"] = {"p": "1", "q": "x"} if self.often(0.5) else {"p": ""}
        if self.often(0.15) and kind not in ("array", "map", "struct", "bytes"):
            schema["default"] = self.payload(schema, null=0)
        return schema

    def payload(self, schema, null=0.4):
        if schema.get("optional") and self.often(null):
            return None
        kind, name = schema["type"], schema.get("name", "")
        if name.endswith(".Decimal"):
            return base64.b64encode(bytes(self.r.getrandbits(8) for _ in range(self.r.randint(1, 9)))).decode()
        if name.endswith("data.Date"):
            return self.r.choice([0, 1, -1, 20000, self.r.randint(-40000, 60000)])
        if name.endswith("data.Time"):
            return self.r.choice([0, 1, 86399999, self.r.randint(0, 86399999)])
        if name.endswith("data.Timestamp"):
            return self.millis()
        if kind in INTS:
            return self.millis() if kind == "int64" and self.often(0.3) else self.integer(INTS[kind])
        if kind == "float":
            return struct.unpack("<f", struct.pack("<f", max(-3e38, min(3e38, self.double()))))[0]
        if kind == "double":
            return self.double()
        if kind == "boolean":
            return self.often(0.5)
        if kind == "string":
            return self.text()
        if kind == "bytes":
            return self.bytes()
        if kind == "array":
            return [self.payload(schema["items"]) for _ in range(self.r.randint(0, 3))]
        if kind == "map":
            if schema["keys"]["type"] == "string":
                return {self.name(): self.payload(schema["values"]) for _ in range(self.r.randint(0, 3))}
            return [[self.payload(schema["keys"]), self.payload(schema["values"])] for _ in range(self.r.randint(0, 1))]
        return {field["field"]: self.payload(field) for field in schema["fields"]}

    def plain(self, depth=2):
        """Schemaless JSON, as text: numbers are written in several ways."""
        kind = self.r.random()
        if kind < 0.12:
            return "null"
        if kind < 0.2:
            return self.pick("true", "false")
        if kind < 0.45:
            return self.number_text()
        if kind < 0.75 or depth == 0:
            return json.dumps(self.text(), ensure_ascii=self.often(0.5))
        if kind < 0.85:
            return "[" + ",".join(self.plain(depth - 1) for _ in range(self.r.randint(0, 3))) + "]"
        return self.plain_map(depth)

    def plain_map(self, depth=2):
        names = self.r.sample(NAMES, self.r.randint(0 if self.often(0.1) else 1, 6))
        return "{" + ",".join(json.dumps(name) + ":" + self.plain(depth - 1) for name in names) + "}"

    def side(self, schemas, kind=None, null=0.05):
        """The text of a key or value; None: null bytes."""
        if self.often(null):
            return None
        if not schemas:
            return self.plain_map() if kind == "struct" or self.often(0.8) else self.plain()
        if self.often(0.04):
            return '{"schema":null,"payload":%s}' % self.plain_map()
        schema = self.schema(2, kind or ("struct" if self.often(0.8) else None))
        return json.dumps({"schema": schema, "payload": self.payload(schema, 0.1)}, separators=(",", ":"))

    def topic(self):
        return self.pick("t1", "t1", "orders", "a.b-c_d", "x", "test-topic-1", "aab", "2020-01", "A")

    def record(self, schemas, sink, kind=None, key=0.3):
        record = {"topic": self.topic(),
                  "partition": self.r.randint(0, 5) if sink or self.often(0.5) else None}
        if sink:
            record["offset"] = self.r.randint(0, 100000)
        record["timestamp"] = None if self.often(0.1) else self.millis() if self.often(0.5) else 1753920245123
        record["key"] = self.side(schemas, kind if self.often(0.9) else None) if self.often(key) else None
        record["value"] = self.side(schemas, kind if self.often(0.9) else None)
        record["headers"] = [[self.pick("a", "b", "h", "A", "x y"), None if self.often(0.1) else self.header(schemas)]
                             for _ in range(self.r.choice([0, 0, 1, 2, 4]))]
        return record

    def header(self, schemas):
        if not schemas:
            return self.plain(1)
        schema = self.schema(1)
        return json.dumps({"schema": schema, "payload": self.payload(schema)})

    # -- configurations --

    def types(self):
        return self.pick("int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "string", "int32")

    def flag(self, config, name="replace.null.with.default"):
        if self.often(0.25):
            config[name] = self.pick("true", "false", "false", "True", "maybe") if self.often(0.2) else "false"

    def cast(self):
        if self.often(0.15):
            spec = self.types()
        else:
            spec = ",".join(self.name() + ":" + (self.types() if self.often(0.95) else self.pick("bytes", "nope", "INT8", "map"))
                            for _ in range(self.r.randint(1, 3)))
            if self.often(0.05):
                spec = self.pick(spec + ",int8", spec + ":x", ":", "", " a : int8 ", spec + ",", ",".join([spec, spec]))
        return {"spec": spec}

    def pairs(self, count):
        return ",".join(self.name(0.05) + ":" + self.name(0.05) for _ in range(count))

    def pattern(self):
        """A SimpleDateFormat pattern."""
        if self.often(0.3):
            return self.pick("yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "yyyyMMdd", "HH:mm",
                             "EEE, dd MMM yyyy HH:mm:ss zzz", "yyyy-MM-dd'T'HH:mm:ssXXX", "dd/MM/yy", "MMMM d, yyyy",
                             "yyyy-DDD", "YYYY-'W'ww-u", "h:mm a", "yyyyMMddHHmmssSSS", "MM/dd/yyyy hh:mm:ss a Z", "")
        text = ""
        for _ in range(self.r.randint(1, 7)):
            kind = self.r.random()
            if kind < 0.6:
                text += self.r.choice("GyYMLwWDdFEuaHkKhmsSzZXyMdHmsyMdHms") * self.r.choice([1, 1, 2, 2, 3, 4, 5])
            elif kind < 0.85:
                text += self.r.choice([" ", "-", "/", ":", ".", ",", "", "T"[:0], "年"])
            elif kind < 0.95:
                text += self.pick("'T'", "''", "'o''clock'", "'at '", "'Z'", "' '")
            else:
                text += self.pick("'", "T", "XXXX", "Q", "b", "#", "1")
        return text

    def date_text(self):
        pieces = ["2020", "20", "1", "01", "13", "12", "31", "30", "2", "-", "-", "/", ":", ":", ".", " ", "T", "Z", "AM", "pm",
                  "Jan", "january", "MAY", "Mon", "Thursday", "AD", "BC", "UTC", "GMT", "GMT+2", "+0130", "-08:00", "+02", "EST",
                  "PST", "CET", "Europe/Berlin", "E1", "NaN", "∞", "٣", "999", "0", "00", "59", "60", "24", "23", "1753920245123", "-5", ",", "W", "366"]
        if self.often(0.6):
            y, mo, d = self.r.randint(0, 2100), self.r.randint(0, 13), self.r.randint(0, 32)
            h, mi, s, ms = self.r.randint(0, 25), self.r.randint(0, 61), self.r.randint(0, 61), self.r.randint(0, 1200)
            text = self.pick(f"{y:04}-{mo:02}-{d:02}", f"{y}-{mo}-{d}", f"{y:04}{mo:02}{d:02}", f"{d:02}/{mo:02}/{y % 100:02}",
                             f"{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}", f"{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{ms:03}Z",
                             f"{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}+02:00", f"{h}:{mi:02}", f"{h % 13}:{mi:02} PM",
                             f"{y:04}-{self.r.randint(0, 400)}", f"{y:04}{mo:02}{d:02}{h:02}{mi:02}{s:02}{ms:03}",
                             f"Thu, {d:02} Jul {y} {h:02}:{mi:02}:{s:02} GMT", f"July {d}, {y}")
            if self.often(0.2):
                at = self.r.randint(0, len(text))
                text = text[:at] + self.r.choice(pieces) + text[at + self.r.randint(0, 2):]
            return text
        return "".join(self.r.choice(pieces) for _ in range(self.r.randint(1, 7)))

    def timestamp_converter(self):
        config = {"target.type": self.pick("string", "unix", "Date", "Time", "Timestamp") if self.often(0.96)
                  else self.pick("date", "Unix", "", "nope")}
        if self.often(0.8):
            config["field"] = self.name(0.05)
        if self.often(0.75):
            config["format"] = self.pattern()
        if self.often(0.3):
            config["unix.precision"] = self.pick("seconds", "milliseconds", "microseconds", "nanoseconds") \
                if self.often(0.95) else self.pick("Seconds", "", "days")
        return config

    def configuration(self, name):
        """The options of a transform; the name without $Key and $Value."""
        r, config = self.r, {}
        if name == "Cast":
            config = self.cast()
        elif name == "DropHeaders":
            config = {"headers": ",".join(self.pick("a", "b", "h", "A", "x y", "zz") for _ in range(r.randint(0, 3)))}
        elif name == "ExtractField":
            config = {"field": self.name(0.4)}
            if self.often(0.5):
                config["field.syntax.version"] = self.pick("V2", "V2", "V2", "V1", "v2", "V3") if self.often(0.3) else "V2"
        elif name == "Flatten":
            config = {"delimiter": self.pick(".", "_", "", "--", " ", "ü")} if self.often(0.6) else {}
        elif name == "HeaderFrom":
            fields = self.names(1, 3)
            headers = [self.pick("a", "h", "new", "x y") for _ in range(len(fields) + (self.often(0.05)))]
            config = {"fields": ",".join(fields), "headers": ",".join(headers),
                      "operation": self.pick("move", "copy") if self.often(0.95) else self.pick("MOVE", "x", "")}
        elif name == "HoistField":
            config = {"field": self.name(0.1) if self.often(0.95) else ""}
        elif name == "InsertField":
            for key in ("topic.field", "partition.field", "offset.field", "timestamp.field", "static.field"):
                if self.often(0.35):
                    config[key] = self.pick("i1", "i2", "a", "i3", "ü") + self.pick("", "", "!", "?")
            if self.often(0.9 if "static.field" in config else 0.1):
                config["static.value"] = self.text()
        elif name == "InsertHeader":
            config = {"header": self.pick("h", "a", "x y", ""), "value.literal": self.header_text()}
        elif name == "MaskField":
            config = {"fields": ",".join(self.names(1, 3))}
            if self.often(0.5):
                config["replacement"] = self.text() if self.often(0.5) else self.pick("0", "7", "***", "1.5", "-1", "300", "99999999999")
        elif name == "RegexRouter":
            config = {"regex": self.regex_text(), "replacement": self.replacement()}
        elif name == "ReplaceField":
            if self.often(0.5):
                config["exclude"] = ",".join(self.names(0, 3))
            if self.often(0.5):
                config["include"] = ",".join(self.names(0, 4))
            if self.often(0.5):
                config["renames"] = self.pairs(r.randint(1, 3)) if self.often(0.95) else self.pick("a", "a:b:c", ":", "a:", ":b", "")
            if self.often(0.06):
                config[self.pick("blacklist", "whitelist")] = self.name()
        elif name == "SetSchemaMetadata":
            if self.often(0.8):
                config["schema.name"] = self.pick("new.Name", "n", "ü", "")
            if self.often(0.7):
                config["schema.version"] = self.pick("1", "42", "-1", " 3 ", "x", "2147483648") if self.often(0.3) else "7"
        elif name == "TimestampConverter":
            config = self.timestamp_converter()
        elif name == "TimestampRouter":
            if self.often(0.8):
                config["topic.format"] = self.pick("${topic}-${timestamp}", "${timestamp}", "x", "${topic}${topic}", "$1${topic}",
                                                   "a\\${timestamp}", "${TOPIC}", "", "pre_${timestamp}_${topic}")
            if self.often(0.7):
                config["timestamp.format"] = self.pattern()
        elif name == "ValueToKey":
            config = {"fields": ",".join(self.names(1, 3, 0.05))}
        self.flag(config)
        if self.often(0.02) and config:
            del config[r.choice(list(config))]
        if self.often(0.02):
            config["nonsense"] = "x"
        return config

    def step(self):
        name = self.r.choice(["Cast", "Cast", "DropHeaders", "ExtractField", "Filter", "Flatten", "HeaderFrom", "HoistField",
                              "InsertField", "InsertHeader", "MaskField", "RegexRouter", "ReplaceField", "SetSchemaMetadata",
                              "TimestampConverter", "TimestampConverter", "TimestampRouter", "ValueToKey"])
        plain = name in ("DropHeaders", "Filter", "InsertHeader", "RegexRouter", "TimestampRouter", "ValueToKey")
        return {"class": TRANSFORMS + name + ("" if plain else "$Value" if self.often(0.75) else "$Key"),
                "config": self.configuration(name)}

    def guard(self):
        name = self.pick("TopicNameMatches", "HasHeaderKey", "RecordIsTombstone")
        config = {}
        if name == "TopicNameMatches":
            config = {"pattern": self.regex_text()}
        elif name == "HasHeaderKey":
            config = {"name": self.pick("a", "b", "h", "A", "zz", "", " a ")}
        if self.often(0.02):
            config = {}
        return {"class": TRANSFORMS + "predicates." + name, "config": config, "negate": self.often(0.4)}

    # -- kinds --

    def transforms(self):
        schemas, sink = self.often(0.5), self.often(0.85)
        step = self.step()
        key = 0.9 if "$Key" in step["class"] else 0.2
        count = self.r.choice([1, 1, 1, 2, 3])
        records = [self.record(schemas, sink, None, key) for _ in range(count)]
        if count > 1 and self.often(0.3):
            records[-1] = dict(records[0], offset=7) if sink else records[0]
        test = {"group": "diff/" + step["class"].rsplit(".", 1)[1], **step}
        if self.often(0.15):
            test["predicate"] = self.guard()
        test.update(kind="sink" if sink else "source", schemas=schemas, records_in=records)
        return test

    def chains(self):
        schemas, sink = self.often(0.5), self.often(0.85)
        steps = [self.step() for _ in range(self.r.randint(2, 4))]
        for step in steps:
            if self.often(0.2):
                step["predicate"] = self.guard()
        return {"group": "diff/chain", "class": None, "config": None, "chain": steps, "kind": "sink" if sink else "source",
                "schemas": schemas, "records_in": [self.record(schemas, sink, None, 0.5) for _ in range(self.r.randint(1, 2))]}

    def dates(self):
        """Times printed with one pattern, and texts read with the same or another one."""
        first = self.pattern()
        clazz = TRANSFORMS + "TimestampConverter$Value"
        base = {"kind": "sink", "schemas": True}
        record = {"topic": "t1", "partition": 0, "offset": 1, "timestamp": 1, "key": None, "headers": []}
        if self.often(0.5):
            schema = {"type": "int64", "optional": False, "name": CONNECT + "data.Timestamp", "version": 1}
            value = json.dumps({"schema": schema, "payload": self.millis()})
            steps = [{"class": clazz, "config": {"target.type": "string", "format": first}}]
            if self.often(0.7):
                second = first if self.often(0.6) else self.pattern()
                steps.append({"class": clazz, "config": {"target.type": self.pick("unix", "unix", "Timestamp", "Date", "Time"),
                                                         "format": second}})
            return {"group": "diff/dates", "class": None, "config": None, "chain": steps, **base,
                    "records_in": [dict(record, value=value)]}
        value = json.dumps({"schema": {"type": "string", "optional": False}, "payload": self.date_text()})
        return {"group": "diff/dates", "class": clazz, "config": {"target.type": "unix", "format": first}, **base,
                "records_in": [dict(record, value=value)]}

    def predicates(self):
        schemas, sink = self.often(0.5), self.often(0.85)
        guard = self.guard()
        return {"group": "diff/" + guard["class"].rsplit(".", 1)[1], **guard, "kind": "sink" if sink else "source",
                "schemas": schemas, "record": self.record(schemas, sink)}

    def mutate(self, data):
        data = bytearray(data)
        for _ in range(self.r.randint(1, 3)):
            kind = self.r.random()
            at = self.r.randint(0, len(data))
            if kind < 0.3 and data:
                del data[min(at, len(data) - 1)]
            elif kind < 0.6:
                data[at:at] = self.pick(b",", b"}", b"{", b"[", b"]", b"\"", b"0", b"null", b" ", b"\xef\xbb\xbf", b"\xff", b"\x00", b":", b"\\u12")
            elif data:
                data[min(at, len(data) - 1)] = self.r.getrandbits(8)
        return bytes(data)

    def json_config(self):
        config = {"schemas.enable": "true" if self.often(0.6) else "false"}
        if self.often(0.4):
            config["decimal.format"] = self.pick("BASE64", "NUMERIC", "numeric", "NUMERIC") if self.often(0.95) else self.pick("x", "")
        if self.often(0.4):
            config["replace.null.with.default"] = self.pick("true", "false")
        if self.often(0.1):
            config["schemas.cache.size"] = self.pick("0", "1", "10", "-1", "x")
        return config

    def odd_schema(self):
        """A schema in JSON with something about it that is not as it should be, or a payload of another type."""
        schema = self.schema(2)
        payload = self.payload(schema)
        kind = self.r.random()
        if kind < 0.45:
            other = self.schema(1)
            payload = self.payload(other)
        elif kind < 0.65:
            schema[self.pick("type", "optional", "name", "version", "doc", "parameters", "items", "keys", "values", "fields",
                             "default", "field", "extra")] = \
                self.pick(None, 1, "x", True, [], {}, "int32", "struct", [1], {"type": "string"}, {"a": 1}, {"scale": "x"}, 1.5, [{}],
                          [{"field": "a"}], [{"type": "int8"}], [{"type": "int8", "field": "a"}], 300, "3")
        elif kind < 0.75:
            schema.pop(self.r.choice(list(schema)))
        elif kind < 0.85 and schema["type"] == "struct":
            payload = dict(payload or {}, extra=1)
            payload.pop(self.r.choice(list(payload)))
        return json.dumps({"schema": schema, "payload": payload})

    def converters(self):
        kind = self.pick("key", "value", "value", "header")
        if self.often(0.7):
            test = {"group": "diff/JsonConverter", "class": CONNECT + "json.JsonConverter", "config": self.json_config(), "kind": kind}
            if self.often(0.75):
                way = self.r.random()
                if test["config"]["schemas.enable"] == "false" and way < 0.85:
                    data = self.plain(3).encode("utf-8", "surrogatepass")
                elif way < 0.6:
                    data = (self.side(True, null=0) or "").encode()
                elif way < 0.9:
                    data = self.odd_schema().encode()
                else:
                    data = self.plain(2).encode()
                if self.often(0.1):
                    data = self.mutate(data)
                return dict(test, mode="bytes", in_b64=None if self.often(0.01) else base64.b64encode(data).decode())
            return dict(test, mode="data", **self.data())
        name = self.pick("storage.StringConverter", "converters.ByteArrayConverter", "converters.IntegerConverter",
                         "converters.LongConverter", "converters.ShortConverter", "converters.FloatConverter",
                         "converters.DoubleConverter", "converters.BooleanConverter", "storage.StringConverter")
        config = {}
        if "String" in name and self.often(0.4):
            config = {"converter.encoding": self.pick("UTF-8", "UTF-16", "ISO-8859-1", "US-ASCII", "UTF-16LE", "utf8", "latin1",
                                                      "windows-1252", "nope", "UTF-32")}
        test = {"group": "diff/" + name.rsplit(".", 1)[1], "class": CONNECT + name, "config": config, "kind": kind}
        if self.often(0.5):
            size = self.pick(0, 1, 2, 4, 8, self.r.randint(0, 12))
            data = bytes(self.r.getrandbits(8) for _ in range(size))
            if "String" in name:
                data = self.text().encode() if self.often(0.7) else data
            if "Boolean" in name and self.often(0.7):
                data = bytes([self.r.randint(0, 2)])
            return dict(test, mode="bytes", in_b64=None if self.often(0.05) else base64.b64encode(data).decode())
        return dict(test, mode="data", **self.data())

    def data(self):
        """Members `data` and `schema` of a case that writes."""
        if self.often(0.15):
            return {"data": '{"schema":null,"payload":%s}' % self.plain()}
        schema = self.schema(2)
        test = {"data": json.dumps({"schema": schema, "payload": self.payload(schema)})}
        if self.often(0.3):
            other = self.schema(1)
            test["schema"] = "null" if self.often(0.4) else json.dumps(other)
        return test

    def header_text(self, depth=3):
        """What SimpleHeaderConverter may find in a header."""
        kind = self.r.random()
        if kind < 0.25:
            text = self.number_text()
        elif kind < 0.45:
            text = self.r.choice(TEXTS)
        elif kind < 0.55:
            text = json.dumps(self.text(), ensure_ascii=False)
        elif kind < 0.6:
            text = self.date_text()
        elif kind < 0.65:
            text = self.text()
        elif depth == 0:
            text = self.pick("true", "false", "null", "a b")
        elif kind < 0.82:
            text = "[" + self.pick(",", ", ", " ,")[: 2].join(self.header_text(depth - 1) for _ in range(self.r.randint(0, 3))) + "]"
        else:
            text = "{" + self.pick(",", ", ").join(
                self.header_text(depth - 2 if depth > 1 else 0) + self.pick(":", ":", " : ", "=") + self.header_text(depth - 1)
                for _ in range(self.r.randint(0, 3))) + "}"
        if self.often(0.06):
            at = self.r.randint(0, len(text))
            text = text[:at] + self.r.choice(["[", "]", "{", "}", ",", ":", "\"", "\\", " ", "null", "\\\"", "'"]) + text[at:]
        return text

    def headers(self):
        test = {"group": "diff/SimpleHeaderConverter", "class": CONNECT + "storage.SimpleHeaderConverter", "config": {},
                "kind": "header"}
        if self.often(0.75):
            return dict(test, mode="bytes", in_b64=base64.b64encode(self.header_text().encode()).decode())
        return dict(test, mode="data", **self.data())

    def numbers(self):
        """Number texts through JsonConverter and Cast: Jackson's and Java's ways to read and write them."""
        if self.often(0.5):
            data = "[" + ",".join(self.number_text() for _ in range(self.r.randint(1, 4))) + "]"
            return {"group": "diff/numbers", "class": CONNECT + "json.JsonConverter", "config": {"schemas.enable": "false"},
                    "kind": "value", "mode": "bytes", "in_b64": base64.b64encode(data.encode()).decode()}
        schemas = self.often(0.6)
        record = {"topic": "t1", "partition": 0, "offset": 1, "timestamp": 1, "key": None, "headers": []}
        if schemas:
            schema = self.schema(0, self.pick("float", "double", "double", "int64", "int32", "Decimal", "string", "Timestamp", "bytes"))
            value = self.payload(schema, 0.02)
            if schema["type"] == "string" and self.often(0.8):
                value = self.pick("", " ", "+", "-") * self.often(0.2) + self.number_text() + self.pick("f", "d", "L", " ") * self.often(0.1)
            record["value"] = json.dumps({"schema": schema, "payload": value})
        else:
            record["value"] = self.pick(self.number_text(), self.number_text(), json.dumps(self.number_text()), self.plain(1))
        return {"group": "diff/numbers", "class": TRANSFORMS + "Cast$Value", "config": {"spec": self.types()}, "kind": "sink",
                "schemas": schemas, "records_in": [record]}

    # -- regular expressions --

    def regex_atom(self, depth):
        r = self.r
        kind = r.random()
        if kind < 0.4:
            return r.choice(["a", "b", "c", "x", "1", "-", "_", "t", "A", " ", "é", "."])
        if kind < 0.55:
            return r.choice([".", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "\\.", "\\\\", "\\-", "\\t", "\\x41", "\\u0061", "\\R", "\\h",
                             "\\v", "\\V", "\\H", "\\e", "\\cA", "\\0101", "\\x{1F600}", "\\N", "\\X", "\\Qa.b\\E", "\\Q"])
        if kind < 0.68:
            return self.regex_class(2)
        if kind < 0.75:
            return r.choice(["^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z", "\\G"])
        if kind < 0.8:
            return r.choice(["\\p{L}", "\\p{Lu}", "\\P{L}", "\\pL", "\\p{IsAlphabetic}", "\\p{javaLowerCase}", "\\p{Alpha}", "\\p{Punct}",
                             "\\p{IsLatin}", "\\p{InGreek}", "\\p{Nope}", "\\p{script=Greek}", "\\p{ASCII}", "\\p{XDigit}", "\\p{Cntrl}",
                             "\\p{general_category=Lu}", "\\p{Sc}", "\\p{IsDigit}", "\\p{Blank}", "\\p{L1}", "\\p{LC}"])
        if kind < 0.84:
            return r.choice(["\\1", "\\2", "\\k<n>", "\\11", "\\k<zz>", "\\0", "\\8"])
        if depth == 0:
            return "z"
        inner = self.regex_alternatives(depth - 1)
        return r.choice(["(", "(", "(", "(?:", "(?<n>", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i)", "(?i:", "(?s)", "(?x)", "(?m)", "(?u)",
                         "(?d)", "(?-i)", "(?U)", "(?im-s:", "(?<m2>"]) + inner + ")" if self.often(0.85) else \
            r.choice(["(?i)", "(?s)", "(?x)", "(?m)", "(?i-s)", "(?U)", "(?u)", "(?q)", "(?<n", "(?P<n>"]) + inner

    def regex_class(self, depth):
        r = self.r
        text = "[" + ("^" if self.often(0.25) else "")
        for _ in range(r.randint(1, 4)):
            kind = r.random()
            if kind < 0.35:
                text += r.choice(["a", "b", "x", "0", "-", "_", ".", " ", "é", "*", "(", "$", "^", "A", "&", "#"])
            elif kind < 0.6:
                text += r.choice(["a-z", "0-9", "A-Z", "a-c", "z-a", "\\w-x", "a-", "\\x41-\\x43", "+--", "à-ü"])
            elif kind < 0.75:
                text += r.choice(["\\d", "\\w", "\\s", "\\W", "\\p{L}", "\\]", "\\[", "\\\\", "\\-", "\\^", "\\h", "\\t", "\\Qab\\E", "\\b", "\\P{Lu}"])
            elif depth > 0:
                text += r.choice(["", "&&", "&&"]) + self.regex_class(depth - 1)
            else:
                text += r.choice(["&&a", "&&[a]", "&", "[b]"])
        return text + ("]" if self.often(0.97) else "")

    def regex_piece(self, depth):
        atom = self.regex_atom(depth)
        if self.often(0.35):
            atom += self.r.choice(["*", "+", "?", "{2}", "{1,2}", "{0,}", "{,2}", "*?", "+?", "??", "*+", "++", "?+", "{1,3}?", "{2}+",
                                   "{3,1}", "{", "}", "**", "{0}", "+*"])
        return atom

    def regex_alternatives(self, depth):
        texts = ["".join(self.regex_piece(depth) for _ in range(self.r.randint(0 if self.often(0.1) else 1, 3)))
                 for _ in range(self.r.choice([1, 1, 1, 2, 2, 3]))]
        return "|".join(texts)

    def regex_text(self):
        if self.often(0.35):
            return self.pick(".*", "t1", "(.*)", "t(.)", "(?<n>.*)", "orders|t1", "[a-z]+\\d", "(a)(b)?", "(a)|b", "([^.]*)\\.(.*)", "test-.*",
                             "(.*?)-(.*)", "\\w+", "a*", "", "(", "[", "*", "a{2", "x")
        text = self.regex_alternatives(2)
        if self.often(0.03):
            text += self.pick("(", ")", "[", "]", "\\", "{", "?", "(?", "\\p", "\\x", "\\u12", "\\k", "\\c", "[a&&", "(?<")
        return text

    def replacement(self):
        return "".join(self.pick("x", "$1", "$0", "$2", "${n}", "\\$", "\\\\", "-", "$10", "${zz}", "y", "${m2}")
                       for _ in range(self.r.randint(0, 3))) + (self.pick("$", "\\", "${", "${1}", "$a", "${n", "$9") if self.often(0.08) else "")

    def regex(self):
        flavour = "abcx1-_tA .é"
        size = self.r.randint(0, 8)
        text = "".join(self.r.choice(flavour) for _ in range(size))
        if self.often(0.15):
            text += self.pick("\n", "\r\n", "\u0085", "\u2028", "😀", "\t", "ß", "K", "ſ", "\n\n", "é\u0301")
            text += "".join(self.r.choice(flavour) for _ in range(self.r.randint(0, 3)))
        if self.often(0.2):
            text = self.topic()
        return {"group": "diff/regex", "pattern": self.regex_text(), "input": text, "replacement": self.replacement()}

    def properties(self):
        pieces = ["a", "b", "key", "=", "=", ":", " ", "\t", "\f", "\n", "\r\n", "\r", "\\", "\\\n", "\\\r\n", "\\n", "\\t", "\\u0041", "\\u00e4",
                  "\\uu0041", "\\u12", "\\=", "\\:", "\\ ", "#", "!", "#c\n", "!c\n", "é", "\\#", "\\q", "\\\\", "  ", "1", ".", ",", "${x}", "日"]
        text = "".join(self.r.choice(pieces) for _ in range(self.r.randint(0, 25)))
        charset = self.pick("ISO-8859-1", "ISO-8859-1", "UTF-8")
        return {"group": "diff/properties", "charset": charset, "text_b64": base64.b64encode(text.encode()).decode()}

    def validate(self):
        if self.often(0.15):
            name = self.pick("TopicNameMatches", "HasHeaderKey")
            clazz, config = TRANSFORMS + "predicates." + name, self.guard()["config"]
            options = ["pattern", "name"]
        elif self.often(0.15):
            clazz = CONNECT + self.pick("json.JsonConverter", "storage.StringConverter", "converters.LongConverter")
            config = self.json_config() if "Json" in clazz else {}
            options = ["schemas.enable", "schemas.cache.size", "decimal.format", "replace.null.with.default", "converter.type", "converter.encoding"]
        else:
            step = self.step()
            clazz, config = step["class"], step["config"]
            options = ["spec", "headers", "field", "field.syntax.version", "delimiter", "fields", "operation", "topic.field", "static.value",
                       "header", "value.literal", "replacement", "regex", "exclude", "include", "renames", "schema.version", "target.type",
                       "format", "unix.precision", "topic.format", "timestamp.format", "replace.null.with.default"]
        for _ in range(self.r.choice([0, 1, 1, 2])):
            config[self.r.choice(list(config) or options) if self.often(0.6) else self.r.choice(options)] = \
                self.pick("", " ", ",", "a,,b", " a , b ", "x", "1", "true", "TRUE", "1.5", "null", ",a", "a,", "2147483648", "-1", " 5 ", "+5", "V2",
                          "key", "value", "a:b", "٣", "0x1", "1e3")
        for _ in range(self.r.choice([0, 0, 0, 1])):
            if config:
                del config[self.r.choice(list(config))]
        return {"group": "diff/validate", "kind": "validate_plugin", "class": clazz, "config": config}


WEIGHTS = {"transforms": 30, "chains": 8, "predicates": 3, "dates": 10, "converters": 16, "headers": 10, "numbers": 8, "regex": 10,
           "properties": 2, "validate": 3}


def main():
    seed, count, kinds = sys.argv[1], int(sys.argv[2]), sys.argv[3:] or list(WEIGHTS)
    cases = Cases(f"{seed} {' '.join(kinds)}")
    for i in range(count):
        kind = cases.r.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
        test = getattr(cases, kind)()
        print(json.dumps({"id": f"{test['group']}/{seed}-{i}", **test}, separators=(",", ":")))


if __name__ == "__main__":
    main()
