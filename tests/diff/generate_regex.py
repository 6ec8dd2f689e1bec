"""Random regular expressions and replacements for generate.py."""
from generate_text import Texts


class Regex(Texts):
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
