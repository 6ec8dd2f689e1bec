#include "plugins/converters/charset_names.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Aliases of JDK 17 (Charset.aliases()) that the C library does not know, or knows as something else. */
static const struct {
    const char *name, *aliases;
} charsets[] = {
    {"Big5", "csbig5"},
    {"Big5-HKSCS", "big5_hkscs big5hk"},
    {"EUC-JP", "euc_jp eucjis extended_unix_code_packed_format_for_japanese x-euc-jp x-eucjp"},
    {"EUC-KR", "5601 euc_kr ks_c_5601-1987 ksc5601 ksc5601-1987 ksc5601_1987 ksc_5601"},
    {"GB18030", "gb18030-2022"},
    {"GB2312", "euc_cn gb2312-1980 gb2312-80 x-euc-cn"},
    {"IBM037", "037 cpibm37 cs-ebcdic-cp-ca cs-ebcdic-cp-nl cs-ebcdic-cp-us cs-ebcdic-cp-wt ibm-037 ibm-37"},
    {"IBM1026", "ibm-1026"},
    {"IBM273", "273 ibm-273"},
    {"IBM277", "277 cp277 ibm-277"},
    {"IBM278", "278 ebcdic-sv ibm-278"},
    {"IBM280", "280 ibm-280"},
    {"IBM284", "284 cpibm284 ibm-284"},
    {"IBM285", "285 cpibm285 ebcdic-gb ibm-285"},
    {"IBM290", "290 ibm-290"},
    {"IBM297", "297 cpibm297 ibm-297"},
    {"IBM420", "420 ibm-420"},
    {"IBM424", "424 ibm-424"},
    {"IBM437", "ibm-437 windows-437"},
    {"IBM500", "ebcdic-cp-bh ibm-500"},
    {"IBM775", "775 ibm-775"},
    {"IBM850", "ibm-850"},
    {"IBM852", "ibm-852"},
    {"IBM855", "cspcp855 ibm-855"},
    {"IBM857", "ibm-857"},
    {"IBM860", "ibm-860"},
    {"IBM861", "cp-is csibm861 ibm-861"},
    {"IBM862", "csibm862 ibm-862"},
    {"IBM863", "ibm-863"},
    {"IBM864", "ibm-864"},
    {"IBM865", "ibm-865"},
    {"IBM866", "ibm-866"},
    {"IBM868", "868 ibm-868"},
    {"IBM869", "ibm-869"},
    {"IBM870", "870 ibm-870"},
    {"IBM871", "871 ibm-871"},
    {"IBM918", "918 ibm-918"},
    {"ISO-2022-JP", "csjisencoding jis jis_encoding"},
    {"ISO-8859-1", "819 ibm-819 iso8859_1 iso_8859_1"},
    {"ISO-8859-13", "8859_13 iso8859_13 iso_8859-13"},
    {"ISO-8859-15", "8859_15 923 cp923 csiso885915 csisolatin0 csisolatin9 ibm-923 ibm923 iso8859_15 "
     "iso8859_15_fdis l9 latin0"},
    {"ISO-8859-16", "csiso885916 iso8859_16"},
    {"ISO-8859-2", "912 ibm-912 iso8859_2"},
    {"ISO-8859-3", "913 cp913 ibm-913 ibm913 iso8859_3"},
    {"ISO-8859-4", "914 cp914 ibm-914 ibm914 iso8859_4"},
    {"ISO-8859-5", "915 ibm-915 iso8859_5"},
    {"ISO-8859-6", "1089 ibm-1089 iso8859_6"},
    {"ISO-8859-7", "813 ibm-813 iso8859_7 sun_eu_greek"},
    {"ISO-8859-8", "916 ibm-916 iso8859_8"},
    {"ISO-8859-9", "920 ibm-920 iso8859_9"},
    {"KOI8-R", "koi8_r"},
    {"KOI8-U", "koi8_u"},
    {"Shift_JIS", "x-sjis"},
    {"TIS-620", "tis620.2533"},
    {"US-ASCII", "646 ascii7 default iso_646.irv:1983"},
    {"UTF-16", "unicode unicodebig utf16 utf_16"},
    {"UTF-16BE", "iso-10646-ucs-2 unicodebigunmarked utf_16be x-utf-16be"},
    {"UTF-16LE", "unicodelittleunmarked utf_16le x-utf-16le"},
    {"UTF-32", "iso-10646-ucs-4 utf32 utf_32"},
    {"UTF-32BE", "utf_32be x-utf-32be"},
    {"UTF-32LE", "utf_32le x-utf-32le"},
    {"UTF-8", "unicode-1-1-utf-8 utf8"},
    {"windows-1250", "cp5346"},
    {"windows-1251", "ansi-1251"},
    {"windows-1252", "cp5348 ibm-1252 ibm1252"},
    {"windows-1253", "cp5349"},
    {"windows-1254", "cp5350"},
    {"windows-1257", "cp5353"},
    {"windows-31j", "windows-932"},
};

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    while (*words) {
        size_t length = strcspn(words, " ");
        if (length == size && strncasecmp(words, word, size) == 0) {
            return true;
        }
        words += length + (words[length] == ' ');
    }
    return false;
}

const char *charset_iconv_name(const char *name)
{
    for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
        if (strcasecmp(charsets[i].name, name) == 0 || has_word(charsets[i].aliases, name)) {
            return charsets[i].name;
        }
    }
    static const char *const ours[] = {"utf", "ucs", "unicode"}; /* the C library has more spellings */
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strncasecmp(name, ours[i], strlen(ours[i])) == 0) {
            return NULL;
        }
    }
    return name;
}
