"""Random configurations of transforms, predicates and converters for generate.py."""
import re

from generate_data import TRANSFORMS
from generate_regex import Regex


OPTIONS = {
    "Cast": ["spec"], "DropHeaders": ["headers"], "ExtractField": ["field", "field.syntax.version"], "Filter": ["x"],
    "Flatten": ["delimiter"], "HeaderFrom": ["fields", "headers", "operation"], "HoistField": ["field"],
    "InsertField": ["topic.field", "partition.field", "offset.field", "timestamp.field", "static.field", "static.value"],
    "InsertHeader": ["header", "value.literal"], "MaskField": ["fields", "replacement"], "RegexRouter": ["regex", "replacement"],
    "ReplaceField": ["exclude", "include", "blacklist", "whitelist", "renames"],
    "SetSchemaMetadata": ["schema.name", "schema.version"],
    "TimestampConverter": ["field", "target.type", "format", "unix.precision"],
    "TimestampRouter": ["topic.format", "timestamp.format"], "ValueToKey": ["fields"],
}


class Configurations(Regex):
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
                config["replacement"] = self.text() if self.often(0.5) else self.pick("0", "7", "***", "1.5", "-1", "300", "99999999999",
                                                                                        "1e400", "9223372036854775808", "٣", "1e-400", "0x10",
                                                                                        "1f", " 1", "1e3", "-0", "NaN")
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
        if self.often(0.04):
            config[self.pick("nonsense", "Field", "fields ", "x.y")] = "x"
        return config

    def step(self):
        name = self.r.choice(["Cast", "Cast", "DropHeaders", "ExtractField", "Filter", "Flatten", "HeaderFrom", "HoistField",
                              "InsertField", "InsertHeader", "MaskField", "RegexRouter", "ReplaceField", "SetSchemaMetadata",
                              "TimestampConverter", "TimestampConverter", "TimestampRouter", "ValueToKey"])
        plain = name in ("DropHeaders", "Filter", "InsertHeader", "RegexRouter", "TimestampRouter", "ValueToKey")
        # a .properties file has neither halves of surrogate pairs nor, here, U+0000
        config = {key: re.sub("[\ud800-\udfff\0]", "", value) for key, value in self.configuration(name).items()}
        return {"class": TRANSFORMS + name + ("" if plain else "$Value" if self.often(0.75) else "$Key"), "config": config}

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
