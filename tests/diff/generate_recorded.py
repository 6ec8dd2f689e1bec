"""Cases made out of recorded ones, for generate.py: what two cases of one class say, mixed, with a detail changed.

So whatever the recordings hold turns up in surroundings that nobody has thought of.
"""
import base64
import copy
import json
import os
import re

FOLDER = os.path.join(os.environ.get("SLUICE_SHARED") or os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared"),
                      "conformance", "vectors")
FILES = ("transforms", "predicates", "converters", "configdef", "properties", "regex")
INPUTS = ("group", "class", "config", "kind", "schemas", "records_in", "record", "predicate", "chain", "negate", "mode", "in_b64",
          "data", "schema", "charset", "text_b64", "pattern", "input", "replacement")


def load():
    """{(file, class or None): cases without their answers}; {} without recordings."""
    found = {}
    for name in FILES:
        path = os.path.join(FOLDER, name + ".jsonl")
        if not os.path.exists(path):
            continue
        with open(path, encoding="ascii") as lines:
            for case in map(json.loads, lines):
                if case.get("kind") != "key" and len(json.dumps(case)) < 20000:
                    found.setdefault((name, case.get("class"), case.get("mode")), []).append(
                        {member: case[member] for member in INPUTS if member in case})
    return found


class Recorded:
    """A part of Cases; its bricks are the others'."""

    recorded = None

    def mutants(self):
        if self.recorded is None:
            Recorded.recorded = load()
        if not self.recorded:
            return self.transforms()
        where = self.r.choice(sorted(self.recorded, key=str)) if self.often(0.5) \
            else self.r.choices(list(self.recorded), [len(cases) for cases in self.recorded.values()])[0]
        case = copy.deepcopy(self.r.choice(self.recorded[where]))
        other = self.r.choice(self.recorded[where])
        case["group"] = "diff/mutants " + (case["class"] or "chain").rsplit(".", 1)[-1] if "class" in case else "diff/mutants"
        case["group"] = case["group"].replace(" ", "-")
        getattr(self, "mix_" + where[0])(case, other)
        return case

    def mix_config(self, config, other):
        """Values of the other's, of texts put together from both, or changed a bit."""
        for key in list(config):
            if self.often(0.15):
                config[key] = self.changed_text(config[key])
        for key, value in other.items():
            if self.often(0.4) and value is not None:
                config[key] = value
            elif self.often(0.1) and config.get(key) and value:
                config[key] = self.spliced(config[key], value)
        if config and self.often(0.04):
            del config[self.r.choice(list(config))]

    def spliced(self, one, two):
        return one[:self.r.randint(0, len(one))] + two[self.r.randint(0, len(two)):]

    def changed_text(self, text):
        if text is None or self.often(0.2):
            return re.sub("[\ud800-\udfff\0]", "", self.text())
        at = self.r.randint(0, len(text))
        kind = self.r.random()
        if kind < 0.3:
            return text[:at] + text[at + 1:]
        if kind < 0.6 and text:
            piece = text[at:at + self.r.randint(1, 4)]
            return text[:at] + piece + text[at:]
        return text[:at] + re.sub("[\ud800-\udfff\0]", "", self.r.choice(list(",:.-_'\"\\$(){}[]*+? 0123456789abyMdHTZ\u00fc"))) + text[at:]

    def changed(self, value, chance):
        """JSON with some of its leaves changed."""
        if isinstance(value, dict):
            made = {self.changed_text(key) if self.often(chance / 6) else key: self.changed(member, chance) for key, member in value.items()
                    if not self.often(chance / 6)}
            return made
        if isinstance(value, list):
            made = [self.changed(member, chance) for member in value]
            return made + made[:1] if self.often(chance / 3) else made
        if not self.often(chance):
            return value
        if isinstance(value, bool) or value is None:
            return self.pick(True, False, None, 1, "x")
        if isinstance(value, (int, float)):
            return self.pick(value + 1, -value, self.integer(32), self.integer(64), self.double(), value * 1000, str(value), None)
        return self.changed_text(value)

    def changed_json(self, text, chance=0.15):
        """Of an envelope mostly the payload."""
        if text is None:
            return None
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if isinstance(value, dict) and value.keys() == {"schema", "payload"}:
            value["payload"] = self.changed(value["payload"], chance)
            if value["schema"] is not None and self.often(0.15):
                value["schema"] = self.changed(value["schema"], 0.05)
        else:
            value = self.changed(value, chance)
        return json.dumps(value)

    def mix_record(self, record):
        for side in ("key", "value"):
            if self.often(0.4):
                record[side] = self.changed_json(record[side])
        if self.often(0.1):
            record["timestamp"] = self.millis()
        if self.often(0.1):
            record["topic"] = self.topic()
        if self.often(0.1):
            record["key"], record["value"] = record["value"], record["key"]

    def mix_transforms(self, case, other):
        steps, others = case.get("chain") or [case], other.get("chain") or [other]
        for step in steps:
            self.mix_config(step["config"], self.r.choice(others)["config"])
        if case.get("schemas") == other.get("schemas") and self.often(0.4):
            case["records_in"] = copy.deepcopy(other["records_in"])
            case["kind"] = other["kind"]
        for record in case["records_in"]:
            self.mix_record(record)
        if not case.get("chain"):
            if "$Value" in case["class"] and self.often(0.1):
                case["class"] = case["class"].replace("$Value", "$Key")
            if self.often(0.1):
                more = self.r.choice(self.recorded[self.r.choice([one for one in self.recorded if one[0] == "transforms" and one[1]])])
                if None in [*case["config"].values(), *more["config"].values()]:
                    return  # properties have no way to say so
                chain = [{"class": one["class"], "config": one["config"]} for one in (case, copy.deepcopy(more))]
                case.update({"class": None, "config": None, "chain": chain})

    def mix_predicates(self, case, other):
        self.mix_config(case["config"], other["config"])
        if case["schemas"] == other["schemas"] and self.often(0.5):
            case["record"], case["kind"] = copy.deepcopy(other["record"]), other["kind"]
        self.mix_record(case["record"])

    def mix_converters(self, case, other):
        self.mix_config(case["config"], other["config"])
        if case["mode"] == "data":
            case["data"] = self.changed_json(self.r.choice([case, other])["data"])
            if self.often(0.3) and "schema" in other:
                case["schema"] = other["schema"]
            return
        data = base64.b64decode(self.r.choice([case, other])["in_b64"] or "")
        if self.often(0.5):
            try:
                data = self.changed_json(data.decode(), 0.1).encode("utf-8", "surrogatepass")
            except UnicodeDecodeError:
                pass
        elif self.often(0.5):
            data = self.mutate(data)
        case["in_b64"] = base64.b64encode(data).decode()

    def mix_configdef(self, case, other):
        self.mix_config(case["config"], other["config"])
        for key in case["config"]:
            if case["config"][key] is None and case["kind"] == "validate_plugin":
                case["config"][key] = ""
        if case["kind"] == "validate_connector":
            case["class"] = case["config"].get("connector.class") or case["class"]

    def mix_properties(self, case, other):
        one, two = (base64.b64decode(each["text_b64"]) for each in (case, other))
        data = one[:self.r.randint(0, len(one))] + two[self.r.randint(0, len(two)):]
        case["text_b64"] = base64.b64encode(self.mutate(data) if self.often(0.5) else data).decode()

    def mix_regex(self, case, other):
        kind = self.r.random()
        if kind < 0.4:
            case["pattern"] = self.changed_text(case["pattern"])
        elif kind < 0.7:
            case["pattern"] = self.spliced(case["pattern"], other["pattern"])
        if self.often(0.3):
            case["input"] = self.pick(other["input"], case["input"] + other["input"], self.spliced(case["input"], other["input"]))
        if self.often(0.4):
            case["replacement"] = self.pick(other["replacement"], self.changed_text(case["replacement"]), self.replacement())
