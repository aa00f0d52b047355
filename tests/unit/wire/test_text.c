/* What of a text from outside crosses the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "wire/text.h"

static const struct {
    const char *raw, *clean;
} texts[] = {
    {"", ""},
    {"system.slice/docker-0a.scope", "system.slice/docker-0a.scope"},
    {"dev-disk-by\\x2duuid", "dev-disk-by\\x2duuid"},
    {"Grüße €𝄞", "Grüße €𝄞"},
    {"\x1b[2Jgone", "\\x1b[2Jgone"},
    {"two\nlines\ttab", "two\\x0alines\\x09tab"},
    {"del\x7f", "del\\x7f"},
    {"csi\xc2\x9b", "csi\\xc2\\x9b"},          /* C1: a terminal obeys it */
    {"rtl\xe2\x80\xae", "rtl\\xe2\\x80\\xae"}, /* U+202E turns what follows */
    {"isolate\xe2\x81\xa7", "isolate\\xe2\\x81\\xa7"},
    {"\xff\xfe", "\\xff\\xfe"},
    {"cut\xc3", "cut\\xc3"}, /* cut in the middle of a character */
    {"cut\xe2\x82", "cut\\xe2\\x82"},
    {"\xc0\xaf", "\\xc0\\xaf"}, /* overlong '/' */
    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
};

static void test_clean(void **state)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        _cleanup_free_ char *clean = wire_text_clean(texts[i].raw);
        _cleanup_free_ char *again = wire_text_clean(clean);

        assert_string_equal(clean, texts[i].clean);
        assert_string_equal(again, clean);
    }
}

static void test_every_text_is_json(void **state)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

        assert_true(sd_json_buildo(&v, WIRE_PAIR_TEXT("text", texts[i].raw)) >= 0);
        assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(v, "text")), texts[i].clean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_every_text_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
