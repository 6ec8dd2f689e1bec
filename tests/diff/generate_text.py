"""Random texts for generate.py: date patterns, date texts, what SimpleHeaderConverter may find in a header."""
import json

from generate_data import TEXTS, Data


class Texts(Data):
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
            text = self.wild_text()
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
