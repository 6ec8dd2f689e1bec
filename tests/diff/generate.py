#!/usr/bin/env python3
"""Random cases in the recorded vectors' form, without answers: generate.py SEED COUNT [KIND..] > cases.jsonl

The same seed gives the same cases. Kinds: transforms chains predicates dates converters headers numbers
regex properties validate mutants keys connectors; all of them by weight where none is named. What is generated is meant to be
mostly reasonable and often at an edge: names come out of a small pool so that configurations hit fields,
texts are put together from pieces that the readers treat specially.
"""
import base64
import json
import sys

from generate_config import OPTIONS, Configurations
from generate_data import CONNECT, TRANSFORMS, dumps
from generate_recorded import Recorded
from rest_calls import SINK, SOURCE, Calls

CLASSES = [SOURCE, SINK, CONNECT + "runtime.SinkConnectorConfig", CONNECT + "runtime.SourceConnectorConfig",
           *[TRANSFORMS + name + half for name in ("Cast", "ExtractField", "Flatten", "HeaderFrom", "HoistField", "InsertField", "MaskField",
                                                   "ReplaceField", "SetSchemaMetadata", "TimestampConverter") for half in ("$Key", "$Value")],
           *[TRANSFORMS + name for name in ("DropHeaders", "Filter", "InsertHeader", "RegexRouter", "TimestampRouter", "ValueToKey",
                                            "predicates.TopicNameMatches", "predicates.HasHeaderKey", "predicates.RecordIsTombstone")],
           *[CONNECT + "converters." + name + "Converter" for name in ("ByteArray", "Boolean", "Short", "Integer", "Long", "Float", "Double")],
           CONNECT + "json.JsonConverter", CONNECT + "storage.StringConverter", CONNECT + "storage.SimpleHeaderConverter"]


class Cases(Configurations, Recorded):
    def transforms(self):
        schemas, sink = self.often(0.5), self.often(0.85)
        step = self.step()
        key = 0.9 if "$Key" in step["class"] else 0.2
        count = self.r.choice([1, 1, 1, 2, 3, 6])
        schema = self.schema(2, "struct") if self.often(0.4) else None
        records = [self.record(schemas, sink, None, key, schema) for _ in range(count)]
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
            value = dumps({"schema": schema, "payload": self.millis()})
            steps = [{"class": clazz, "config": {"target.type": "string", "format": first}}]
            if self.often(0.7):
                second = first if self.often(0.6) else self.pattern()
                steps.append({"class": clazz, "config": {"target.type": self.pick("unix", "unix", "Timestamp", "Date", "Time"),
                                                         "format": second}})
            return {"group": "diff/dates", "class": None, "config": None, "chain": steps, **base,
                    "records_in": [dict(record, value=value)]}
        value = dumps({"schema": {"type": "string", "optional": False}, "payload": self.date_text()})
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
            payload = dict(payload if isinstance(payload, dict) else {}, extra=1)
            payload.pop(self.r.choice(list(payload)))
        return dumps({"schema": schema, "payload": payload})

    def converters(self):
        kind = self.pick("key", "value", "value", "header")
        if self.often(0.7):
            test = {"group": "diff/JsonConverter", "class": CONNECT + "json.JsonConverter", "config": self.json_config(), "kind": kind}
            if self.often(0.75):
                way = self.r.random()
                if test["config"]["schemas.enable"] == "false" and way < 0.85:
                    self.spaced = self.often(0.1)
                    data = self.plain(self.pick(3, 3, 6)).encode("utf-8", "surrogatepass")
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
                                                      "windows-1252", "nope", "UTF-32", "UTF16LE", "utf16", "unicode", "ISO8859_1")}
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
        test = {"data": dumps({"schema": schema, "payload": self.payload(schema)})}
        if self.often(0.3):
            other = self.schema(1)
            test["schema"] = "null" if self.often(0.4) else json.dumps(other)
        return test

    def headers(self):
        test = {"group": "diff/SimpleHeaderConverter", "class": CONNECT + "storage.SimpleHeaderConverter", "config": {},
                "kind": "header"}
        if self.often(0.75):
            return dict(test, mode="bytes", in_b64=base64.b64encode(self.header_text().encode("utf-8", "surrogatepass")).decode())
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
            record["value"] = dumps({"schema": schema, "payload": value})
        else:
            record["value"] = self.pick(self.number_text(), self.number_text(), json.dumps(self.number_text()), self.plain(1))
        return {"group": "diff/numbers", "class": TRANSFORMS + "Cast$Value", "config": {"spec": self.types()}, "kind": "sink",
                "schemas": schemas, "records_in": [record]}

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
            options = OPTIONS[clazz.split(".")[-1].split("$")[0]] if self.often(0.85) else ["spec", "headers", "field", "field.syntax.version", "delimiter", "fields", "operation", "topic.field", "static.value",
                       "header", "value.literal", "replacement", "regex", "exclude", "include", "renames", "schema.version", "target.type",
                       "format", "unix.precision", "topic.format", "timestamp.format", "replace.null.with.default"]
        for _ in range(self.r.choice([0, 1, 1, 2])):
            config[self.r.choice(list(config) or options) if self.often(0.6) else self.r.choice(options)] = \
                self.pick("", " ", ",", "a,,b", " a , b ", "x", "1", "true", "TRUE", "1.5", "null", ",a", "a,", "2147483648", "-1", " 5 ", "+5", "V2",
                          "key", "value", "a:b", "٣", "0x1", "1e3", "99999999999", "True ", "a:int8,b", "(", "yyyy", "'", "move", "V1", "\t",
                          "9223372036854775807", "1.0", "0", "-0", "+", "a:b:c", "a:a,a:b", "int8", "Date", "seconds", "${x}", "no")
        for _ in range(self.r.choice([0, 0, 0, 1])):
            if config:
                del config[self.r.choice(list(config))]
        return {"group": "diff/validate", "kind": "validate_plugin", "class": clazz, "config": config}

    def keys(self):
        return {"group": "diff/keys", "kind": "key", "class": self.r.choice(CLASSES), "index": self.r.randint(0, 22)}

    def connectors(self):
        calls = Calls(self.r.random())
        config = calls.config(0.9, self.pick("v", "v", "v", "v", None, "", "a\u0007"))
        for key, value in calls.overrides().items():
            config[key] = value
        config = {key: text if isinstance(text, (str, type(None))) else json.dumps(text) for key, text in config.items() if "\0" not in f"{key}{text}"}
        for name, text in (("${topic_prefix}", ""), ("${uid}", "u"), ("${tmpdir}", "/tmp")):
            config = {key.replace(name, text): value and value.replace(name, text) for key, value in config.items()}
        if not config.get("connector.class"):
            config["connector.class"] = self.pick(SOURCE, SINK)
        return {"group": "diff/connectors", "kind": "validate_connector", "class": config["connector.class"], "config": config}


WEIGHTS = {"transforms": 30, "chains": 8, "predicates": 3, "dates": 10, "converters": 16, "headers": 10, "numbers": 8, "regex": 10,
           "properties": 2, "validate": 3, "mutants": 30, "keys": 2, "connectors": 3}


def main():
    seed, count, kinds = sys.argv[1], int(sys.argv[2]), sys.argv[3:] or list(WEIGHTS)
    cases = Cases(f"{seed} {' '.join(kinds)}")
    for i in range(count):
        kind = cases.r.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
        test = getattr(cases, kind)()
        print(json.dumps({"id": f"{test['group']}/{seed}-{i}", **test}, separators=(",", ":")))


if __name__ == "__main__":
    main()
