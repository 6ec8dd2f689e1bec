#include "lib/java/regex_property.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/util/utf8.h"

#define SPACE_ITEMS "\\t-\\r\\x{85}\\p{Z}"
#define WORD_ITEMS "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}"
#define IGNORABLE "\\x{0}-\\x{8}\\x{E}-\\x{1B}\\x{7F}-\\x{9F}\\p{Cf}"
#define FULL_HEX "0-9A-Fa-f\\x{FF10}-\\x{FF19}\\x{FF21}-\\x{FF26}\\x{FF41}-\\x{FF46}"
#define GRAPH_ITEMS "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}"

struct property {
    const char *name;
    const char *items;
    const char *wide; /* under flag U; NULL: the same */
};

/* CharPredicates.forProperty and forPOSIXName. General categories come out of PCRE itself. */
static const struct property properties[] = {
    {"ASCII", "\\x{0}-\\x{7F}", NULL},
    {"Alnum", "a-zA-Z0-9", "\\p{Alphabetic}\\p{Nd}"},
    {"Alpha", "a-zA-Z", "\\p{Alphabetic}"},
    {"Blank", " \\t", "\\p{Zs}\\t"},
    {"Cntrl", "\\x{0}-\\x{1F}\\x{7F}", "\\p{Cc}"},
    {"Digit", "0-9", "\\p{Nd}"},
    {"Graph", "\\x{21}-\\x{7E}", GRAPH_ITEMS},
    {"Lower", "a-z", "\\p{Lowercase}"},
    {"Print", "\\x{20}-\\x{7E}", GRAPH_ITEMS "\\p{Zs}"},
    {"Punct", "\\x{21}-\\x{2F}\\x{3A}-\\x{40}\\x{5B}-\\x{60}\\x{7B}-\\x{7E}", "\\p{P}"},
    {"Space", " \\t-\\r", SPACE_ITEMS},
    {"Upper", "A-Z", "\\p{Uppercase}"},
    {"XDigit", "0-9a-fA-F", "\\p{Nd}" FULL_HEX},
    {"L1", "\\x{0}-\\x{FF}", NULL},
    {"all", "\\x{0}-\\x{10FFFF}", NULL},
    {"LC", "\\p{Lu}\\p{Ll}\\p{Lt}", NULL},
    {"LD", "\\p{L}\\p{Nd}", NULL},
    {"javaLowerCase", "\\p{Lowercase}", NULL},
    {"javaUpperCase", "\\p{Uppercase}", NULL},
    {"javaAlphabetic", "\\p{Alphabetic}", NULL},
    {"javaIdeographic", "\\p{Ideographic}", NULL},
    {"javaTitleCase", "\\p{Lt}", NULL},
    {"javaDigit", "\\p{Nd}", NULL},
    {"javaDefined", "\\P{Cn}", NULL},
    {"javaLetter", "\\p{L}", NULL},
    {"javaLetterOrDigit", "\\p{L}\\p{Nd}", NULL},
    {"javaJavaIdentifierStart", "\\p{L}\\p{Nl}\\p{Sc}\\p{Pc}", NULL},
    {"javaJavaIdentifierPart", "\\p{L}\\p{Nl}\\p{Sc}\\p{Pc}\\p{Nd}\\p{Mc}\\p{Mn}" IGNORABLE, NULL},
    {"javaUnicodeIdentifierStart", "\\p{L}\\p{Nl}", NULL},
    {"javaUnicodeIdentifierPart", "\\p{L}\\p{Nl}\\p{Pc}\\p{Nd}\\p{Mc}\\p{Mn}" IGNORABLE, NULL},
    {"javaIdentifierIgnorable", IGNORABLE, NULL},
    {"javaSpaceChar", "\\p{Z}", NULL},
    {"javaWhitespace",
     "\\t-\\r\\x{1C}-\\x{20}\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200A}\\x{2028}\\x{2029}"
     "\\x{205F}\\x{3000}",
     NULL},
    {"javaISOControl", "\\x{0}-\\x{1F}\\x{7F}-\\x{9F}", NULL},
    {"javaMirrored", "\\p{Bidi_Mirrored}", NULL},
};

/* CharPredicates.forUnicodeProperty: behind Is, in any case. */
static const struct property binary_properties[] = {
    {"ALPHABETIC", "\\p{Alphabetic}", NULL},
    {"ASSIGNED", "\\P{Cn}", NULL},
    {"CONTROL", "\\p{Cc}", NULL},
    {"HEXDIGIT", "\\p{Nd}" FULL_HEX, NULL},
    {"HEX_DIGIT", "\\p{Nd}" FULL_HEX, NULL},
    {"IDEOGRAPHIC", "\\p{Ideographic}", NULL},
    {"JOINCONTROL", "\\x{200C}\\x{200D}", NULL},
    {"JOIN_CONTROL", "\\x{200C}\\x{200D}", NULL},
    {"LETTER", "\\p{L}", NULL},
    {"LOWERCASE", "\\p{Lowercase}", NULL},
    {"NONCHARACTERCODEPOINT", "\\p{Noncharacter_Code_Point}", NULL},
    {"NONCHARACTER_CODE_POINT", "\\p{Noncharacter_Code_Point}", NULL},
    {"PUNCTUATION", "\\p{P}", NULL},
    {"TITLECASE", "\\p{Lt}", NULL},
    {"UPPERCASE", "\\p{Uppercase}", NULL},
    {"WHITESPACE", SPACE_ITEMS, NULL},
    {"WHITE_SPACE", SPACE_ITEMS, NULL},
    {"WORD", WORD_ITEMS, NULL},
};

struct block {
    const char *name; /* without blanks, underscores and hyphens */
    unsigned first, last;
};

/* The blocks of the languages and signs that patterns are written for. */
static const struct block blocks[] = {
    {"BasicLatin", 0x0, 0x7F},
    {"Latin1Supplement", 0x80, 0xFF},
    {"LatinExtendedA", 0x100, 0x17F},
    {"LatinExtendedB", 0x180, 0x24F},
    {"IPAExtensions", 0x250, 0x2AF},
    {"SpacingModifierLetters", 0x2B0, 0x2FF},
    {"CombiningDiacriticalMarks", 0x300, 0x36F},
    {"Greek", 0x370, 0x3FF},
    {"GreekandCoptic", 0x370, 0x3FF},
    {"Cyrillic", 0x400, 0x4FF},
    {"CyrillicSupplement", 0x500, 0x52F},
    {"CyrillicSupplementary", 0x500, 0x52F},
    {"Armenian", 0x530, 0x58F},
    {"Hebrew", 0x590, 0x5FF},
    {"Arabic", 0x600, 0x6FF},
    {"Syriac", 0x700, 0x74F},
    {"Devanagari", 0x900, 0x97F},
    {"Bengali", 0x980, 0x9FF},
    {"Gurmukhi", 0xA00, 0xA7F},
    {"Gujarati", 0xA80, 0xAFF},
    {"Tamil", 0xB80, 0xBFF},
    {"Telugu", 0xC00, 0xC7F},
    {"Kannada", 0xC80, 0xCFF},
    {"Malayalam", 0xD00, 0xD7F},
    {"Sinhala", 0xD80, 0xDFF},
    {"Thai", 0xE00, 0xE7F},
    {"Lao", 0xE80, 0xEFF},
    {"Tibetan", 0xF00, 0xFFF},
    {"Georgian", 0x10A0, 0x10FF},
    {"HangulJamo", 0x1100, 0x11FF},
    {"Ethiopic", 0x1200, 0x137F},
    {"Khmer", 0x1780, 0x17FF},
    {"Mongolian", 0x1800, 0x18AF},
    {"LatinExtendedAdditional", 0x1E00, 0x1EFF},
    {"GreekExtended", 0x1F00, 0x1FFF},
    {"GeneralPunctuation", 0x2000, 0x206F},
    {"SuperscriptsandSubscripts", 0x2070, 0x209F},
    {"CurrencySymbols", 0x20A0, 0x20CF},
    {"LetterlikeSymbols", 0x2100, 0x214F},
    {"NumberForms", 0x2150, 0x218F},
    {"Arrows", 0x2190, 0x21FF},
    {"MathematicalOperators", 0x2200, 0x22FF},
    {"MiscellaneousTechnical", 0x2300, 0x23FF},
    {"BoxDrawing", 0x2500, 0x257F},
    {"BlockElements", 0x2580, 0x259F},
    {"GeometricShapes", 0x25A0, 0x25FF},
    {"MiscellaneousSymbols", 0x2600, 0x26FF},
    {"Dingbats", 0x2700, 0x27BF},
    {"BraillePatterns", 0x2800, 0x28FF},
    {"CJKSymbolsandPunctuation", 0x3000, 0x303F},
    {"Hiragana", 0x3040, 0x309F},
    {"Katakana", 0x30A0, 0x30FF},
    {"Bopomofo", 0x3100, 0x312F},
    {"HangulCompatibilityJamo", 0x3130, 0x318F},
    {"CJKUnifiedIdeographsExtensionA", 0x3400, 0x4DBF},
    {"CJKUnifiedIdeographs", 0x4E00, 0x9FFF},
    {"HangulSyllables", 0xAC00, 0xD7AF},
    {"PrivateUseArea", 0xE000, 0xF8FF},
    {"CJKCompatibilityIdeographs", 0xF900, 0xFAFF},
    {"AlphabeticPresentationForms", 0xFB00, 0xFB4F},
    {"HalfwidthandFullwidthForms", 0xFF00, 0xFFEF},
    {"Emoticons", 0x1F600, 0x1F64F},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool take(char items[REGEX_ITEMS_MAX], const char *text)
{
    snprintf(items, REGEX_ITEMS_MAX, "%s", text);
    return true;
}

static bool find_block(const char *name, char items[REGEX_ITEMS_MAX])
{
    char plain[64];
    size_t size = 0;
    for (; *name && size + 1 < sizeof(plain); name++) {
        if (!strchr(" _-", *name)) {
            plain[size++] = *name;
        }
    }
    plain[size] = '\0';
    for (size_t i = 0; i < COUNT(blocks); i++) {
        if (strcasecmp(blocks[i].name, plain) == 0) {
            snprintf(items, REGEX_ITEMS_MAX, "\\x{%X}-\\x{%X}", blocks[i].first, blocks[i].last);
            return true;
        }
    }
    return false;
}

/** Whether PCRE knows `\p{kind name}`; then that is the item. */
static bool known_to_pcre(const char *kind, const char *name, char items[REGEX_ITEMS_MAX])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    if (!*name || name[strspn(name, plain)] || strlen(name) > 40) {
        return false;
    }
    snprintf(items, REGEX_ITEMS_MAX, "\\p{%s%s}", kind, name);
    int code;
    PCRE2_SIZE offset;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)items, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &offset, NULL);
    pcre2_code_free(compiled);
    return compiled != NULL;
}

/** CharPredicates.forProperty; under flag i the cases of letters are one. */
static bool find_property(const struct regex_parser *parser, const char *name,
                          char items[REGEX_ITEMS_MAX])
{
    static const char *const cased[] = {
        "Lu", "Ll", "Lt", "javaLowerCase", "javaUpperCase", "javaTitleCase"};
    bool wide = parser->flags & FLAG_UNICODE_CLASS;
    if (parser->flags & FLAG_CASE) {
        for (size_t i = 0; i < COUNT(cased); i++) {
            if (strcmp(cased[i], name) == 0) {
                return take(items, "\\p{Lu}\\p{Ll}\\p{Lt}");
            }
        }
        if (strcmp(name, "Lower") == 0 || strcmp(name, "Upper") == 0) {
            return take(items, wide ? "\\p{Lu}\\p{Ll}\\p{Lt}" : "a-zA-Z");
        }
    }
    for (size_t i = 0; i < COUNT(properties); i++) {
        if (strcmp(properties[i].name, name) == 0) {
            return take(items,
                        wide && properties[i].wide ? properties[i].wide : properties[i].items);
        }
    }
    /* general categories: one or two letters, as Java spells them */
    return strlen(name) <= 2 && *name >= 'C' && *name <= 'Z' && known_to_pcre("", name, items) &&
           (!name[1] || (name[1] >= 'a' && name[1] <= 'z'));
}

static bool find_is(const struct regex_parser *parser, const char *name,
                    char items[REGEX_ITEMS_MAX])
{
    for (size_t i = 0; i < COUNT(binary_properties); i++) {
        if (strcasecmp(binary_properties[i].name, name) == 0) {
            return take(items, binary_properties[i].items);
        }
    }
    return find_property(parser, name, items) || known_to_pcre("sc:", name, items);
}

/** \p{name=value} */
static bool find_valued(const struct regex_parser *parser, const char *name, const char *value,
                        char items[REGEX_ITEMS_MAX])
{
    if (strcasecmp(name, "sc") == 0 || strcasecmp(name, "script") == 0) {
        return known_to_pcre("sc:", value, items);
    }
    if (strcasecmp(name, "blk") == 0 || strcasecmp(name, "block") == 0) {
        return find_block(value, items);
    }
    return (strcasecmp(name, "gc") == 0 || strcasecmp(name, "general_category") == 0) &&
           find_property(parser, value, items);
}

/** The name as written, and the cursor behind it: Pattern.family's reading. */
static void read_name(struct regex_parser *parser, char name[128])
{
    size_t size = 0;
    int32_t c = regex_next(parser);
    if (c != '{') {
        c = parser->text[parser->cursor];
        if (c) {
            size = utf8_encode(name, (uint32_t)c);
        }
        regex_read(parser);
        name[size] = '\0';
        return;
    }
    regex_next(parser);
    for (;;) {
        if (parser->cursor >= parser->size) {
            parser->cursor = parser->size + 1;
            regex_fail(parser, "Unclosed character family");
        }
        c = regex_read(parser);
        if (c == '}') {
            break;
        }
        if (size + 5 < 128) {
            size += utf8_encode(name + size, (uint32_t)c);
        }
    }
    name[size] = '\0';
    if (size == 0) {
        regex_fail(parser, "Empty character family");
    }
}

void regex_read_property(struct regex_parser *parser, char items[REGEX_ITEMS_MAX],
                         bool *ret_negated)
{
    char name[128];
    *ret_negated = parser->text[parser->cursor] == 'P';
    read_name(parser, name);
    char *equals = strchr(name, '=');
    if (equals) {
        *equals = '\0';
        if (!find_valued(parser, name, equals + 1, items)) {
            regex_fail(parser, "Unknown Unicode property {name=<%s>, value=<%s>}", name,
                       equals + 1);
        }
        return;
    }
    bool known = strncmp(name, "In", 2) == 0   ? find_block(name + 2, items)
                 : strncmp(name, "Is", 2) == 0 ? find_is(parser, name + 2, items)
                                               : find_property(parser, name, items);
    if (!known) {
        regex_fail(parser, "Unknown character property name {%s}", name);
    }
}
