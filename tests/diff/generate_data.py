"""Random values for generate.py: numbers, texts, schemas with payloads, schemaless JSON, records."""
import base64
import json
import random
import re
import struct

CONNECT = "org.apache.kafka.connect."
TRANSFORMS = CONNECT + "transforms."
NAMES = ["a", "b", "c", "d", "ts", "n", "a.b", "x y", "ü", "a`b", "list", "map", "A", "", "q\"q", "b\\", "😀", "a.n", "a_b",
         "a_field_whose_name_is_longer_than_32_bytes", "Aa", "BB"]
BAD_NAMES = ["nope", "a.nope", "n.a", "n.n.b", "`a.b`", "n.`a.b`", "n.", ".a", "`", "`a", "a`.b", "n.`a`b`", "\\`a"]
INTS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
PRIMITIVES = ["int8", "int16", "int32", "int64", "float", "double", "boolean", "string", "bytes"]
LOGICAL = ["Decimal", "Date", "Time", "Timestamp"]
TEXTS = ["", " ", "x", "abc", "true", "TRUE", "false", "null", "0", "1", "-1", "127", "128", "-129", "300", "32768",
         "2147483648", "9223372036854775807", "9223372036854775808", "1.5", "-0.0", "1e3", "1E400", "1f", "0x1p3",
         "NaN", "Infinity", " 7 ", "+5", "٣", "ß", "日本", "😀", "a\"b", "a\\b", "a\nb", "\u2028", "\x01", "a/b", "<&>",
         "2020-01-01", "2020-01-01T00:00:00.000Z", "12:34:56.789Z", "[1,2]", "{\"a\":1}", "AQID", "é\u0301", "  lead",
         "trail  ", "1,234", "1_000", "0x10", "1d", ".5", "5.", "-", "+", "e", "1e", "1e+", "00012", "-00", "1.0E10", "\x7f", "\u00a0", "\ufeff",
         "x" * 31, "y" * 32 + "\"", "z" * 63 + "é", "\u20ac" * 12, "a" * 70, "12345678901234567890", "-9223372036854775809",
         "1e-400", "0.1e1", "3.4028236e38", "1e39", "-1e400", "+1", "1.", "0x7f", "NaN ", "-Infinity", "T", "yes", "False"]
WILD = ["\ud800", "a\udc00b", "\udbff\udbff", "\x00", "x\x00y", "\ud83d", "\udfff" * 2]
# JSON that Python does not write; see dumps()
ODD = ["300", "-129", "128", "40000", "2147483648", "9223372036854775808", "-9223372036854775809", "12345678901234567890", "1.0", "1e2",
       "1E400", "-1e400", "-0", "-0.0", "1.5", "2.5e0", "1e-400", "0.1e1", "true", "null", "[]", "{}", "\"1\"", "\"\"", "\"x\"",
       "[null]", "[1]", "{\"a\":1}", "9007199254740993", "1e19", "0.30000000000000004", "123456789012345678901234567890.5"]


def dumps(value, **options):
    """JSON with the texts that Data.odd() has marked standing as they are."""
    return re.sub(r'"@odd (\d+)@"', lambda match: ODD[int(match[1])], json.dumps(value, **options))


class Data:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.spaced = False

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

    def wild_text(self):
        """With what texts of a configuration cannot have: halves of surrogate pairs, U+0000."""
        return self.r.choice(WILD) + self.text() * self.often(0.3) if self.often(0.04) else self.text()

    def odd(self):
        return f"@odd {self.r.randrange(len(ODD))}@"

    def far_millis(self):
        """The ends of what a long can say, too; not for records' own timestamps."""
        return self.r.choice([-2 ** 63, 2 ** 63 - 1, 2 ** 62, -10 ** 18, 10 ** 17, 31556889864403199, 2 ** 31]) if self.often(0.03) \
            else self.millis()

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
                schema["parameters"] = {"scale": str(self.r.choice([-3, 10, 40, -30]) if self.often(0.1) else self.r.randint(0, 5))}
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
        if self.often(0.04 if kind in ("array", "map", "struct", "bytes") else 0.15):
            schema["default"] = self.payload(schema, null=0)
        return schema

    def payload(self, schema, null=0.4):
        if schema.get("optional") and self.often(null):
            return None
        if self.often(0.01):
            return self.odd()
        kind, name = schema["type"], schema.get("name", "")
        if name.endswith(".Decimal"):
            return base64.b64encode(bytes(self.r.getrandbits(8) for _ in range(self.r.randint(1, self.pick(9, 9, 30))))).decode()
        if name.endswith("data.Date"):
            return self.r.choice([0, 1, -1, 20000, self.r.randint(-40000, 60000)])
        if name.endswith("data.Time"):
            return self.r.choice([0, 1, 86399999, self.r.randint(0, 86399999)])
        if name.endswith("data.Timestamp"):
            return self.far_millis()
        if kind in INTS:
            return self.far_millis() if kind == "int64" and self.often(0.3) else self.integer(INTS[kind])
        if kind in ("float", "double") and self.often(0.03):
            return f"@odd {ODD.index(self.pick('1E400', '-1e400', '-0.0', '1e-400', '-0'))}@"
        if kind == "float":
            return struct.unpack("<f", struct.pack("<f", max(-3e38, min(3e38, self.double()))))[0]
        if kind == "double":
            return self.double()
        if kind == "boolean":
            return self.often(0.5)
        if kind == "string":
            return self.wild_text()
        if kind == "bytes":
            return self.bytes()
        if kind == "array":
            return [self.payload(schema["items"]) for _ in range(self.r.randint(0, 3))]
        if kind == "map":
            if schema["keys"]["type"] == "string":
                return {self.name(): self.payload(schema["values"]) for _ in range(self.r.randint(0, 3))}
            return [[self.payload(schema["keys"]), self.payload(schema["values"])] for _ in range(self.r.randint(0, 1))]
        return {field["field"]: self.payload(field) for field in schema["fields"]}

    def gap(self):
        return self.r.choice(["", " ", "\n", "\t\r\n ", "  "]) if self.spaced else ""

    def quoted(self, text):
        lone = any("\ud800" <= c <= "\udfff" for c in text)
        return json.dumps(text, ensure_ascii=lone or self.often(0.5))

    def plain(self, depth=2):
        """Schemaless JSON, as text: numbers are written in several ways."""
        return self.gap() + self.plain_value(depth) + self.gap()

    def plain_value(self, depth):
        kind = self.r.random()
        if kind < 0.12:
            return "null"
        if kind < 0.2:
            return self.pick("true", "false")
        if kind < 0.45:
            return self.number_text()
        if kind < 0.75 or depth == 0:
            return self.quoted(self.wild_text())
        if kind < 0.85:
            return "[" + ",".join(self.plain(depth - 1) for _ in range(self.r.randint(0, 3))) + "]"
        return self.plain_map(depth)

    def plain_map(self, depth=2):
        names = self.r.sample(NAMES, self.r.randint(0 if self.often(0.1) else 1, 6))
        if self.often(0.03):
            names += [f"k{i}" for i in range(self.r.randint(5, 30))]
        if self.often(0.03) and names:
            names.insert(self.r.randint(0, len(names)), self.r.choice(names)) # twice
        return "{" + ",".join(self.gap() + self.quoted(name) + self.gap() + ":" + self.plain(depth - 1) for name in names) + "}"

    def side(self, schemas, kind=None, null=0.05, schema=None):
        """The text of a key or value; None: null bytes. A schema may be given."""
        if self.often(null):
            return None
        self.spaced = self.often(0.08)
        depth = 5 if self.often(0.06) else 2
        if not schemas:
            return self.plain_map(depth) if kind == "struct" or self.often(0.8) else self.plain(depth)
        if self.often(0.04):
            return '{"schema":null,"payload":%s}' % self.plain_map()
        schema = schema or self.schema(depth, kind or ("struct" if self.often(0.8) else None))
        return dumps({"schema": schema, "payload": self.payload(schema, 0.1)}, separators=(",", ":"),
                     indent=1 if self.spaced else None)

    def topic(self):
        return self.pick("t1", "t1", "orders", "a.b-c_d", "x", "test-topic-1", "aab", "2020-01", "A")

    def record(self, schemas, sink, kind=None, key=0.3, schema=None):
        record = {"topic": self.topic(),
                  "partition": self.r.randint(0, 5) if sink or self.often(0.5) else None}
        if sink:
            record["offset"] = self.r.randint(0, 100000)
        record["timestamp"] = None if self.often(0.1) else self.millis() if self.often(0.5) else 1753920245123
        record["key"] = self.side(schemas, kind if self.often(0.9) else None) if self.often(key) else None
        record["value"] = self.side(schemas, kind if self.often(0.9) else None, schema=schema)
        record["headers"] = [[self.pick("a", "b", "h", "A", "x y"), None if self.often(0.1) else self.header(schemas)]
                             for _ in range(self.r.choice([0, 0, 1, 2, 4]))]
        return record

    def header(self, schemas):
        if not schemas:
            return self.plain(1)
        schema = self.schema(1)
        return dumps({"schema": schema, "payload": self.payload(schema)})
