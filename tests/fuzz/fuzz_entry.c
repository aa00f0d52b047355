/* Fuzz target: entries of the journal (ctl/entry.h) and the story that is made of them (ctl/story.h, tale.h).
 * A line of the input is a field, and an empty one ends an entry. Tenants choose names in it, and whoever may
 * write to a journal all of it: nothing is told that a terminal would obey. */
#include "ctl/acts.h"
#include "ctl/entry.h"
#include "ctl/reply.h"
#include "ctl/story.h"
#include "ctl/tale.h"
#include "tests/fuzz/ground.h"
#include "wire/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_entry(struct Entry *entry, struct Acts *acts)
{
    sd_json_variant *event = NULL;

    if (entry_event(entry, &event) == 0) {
        must(sd_json_variant_is_object(event));
        acts_add(acts, event);
    }
    sd_json_variant_unref(event);
    entry_clear(entry);
}

static void read_entries(const char *text, size_t size, struct Acts *acts)
{
    const char *end = text + size;
    struct Entry entry;

    entry_init(&entry);
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline ? newline : end) - text);

        if (length > 0)
            entry_add(&entry, text, length);
        else
            take_entry(&entry, acts);
        text += length + 1;
    }
    take_entry(&entry, acts);
    entry_done(&entry);
}

/* Cleaning a clean text changes nothing. */
static void check_clean(const char *told)
{
    char *copy = strdup(told), *rest = copy, *line;

    while ((line = strsep(&rest, "\n"))) {
        char *clean = wire_text_clean(line);

        must(clean && strcmp(clean, line) == 0);
        free(clean);
    }
    free(copy);
}

static void tell(struct Acts *acts, const char *action)
{
    static const struct TaleStyle style = {.utf8 = true, .bold = "", .warning = "", .plain = ""};
    sd_json_variant *object;
    struct Story story;
    char *told = NULL;
    size_t size;
    FILE *file;

    if (!story_find(acts, action, &story))
        return;
    must(story.n > 0 && story.first + story.n <= acts_count(acts));
    object = story_object(acts, &story);
    file = open_memstream(&told, &size);
    must(object && file);
    tale_print(file, object, &style);
    fclose(file);
    must(strlen(told) == size);
    check_clean(told);
    free(told);
    sd_json_variant_unref(object);
}

/* As an operator names it: by a text of the operator's own, for a story that is found may put others in place
 * of the acts. */
static void tell_first(struct Acts *acts)
{
    const char *name = acts_count(acts) > 0 ? reply_text(acts_at(acts, 0), "action") : NULL;
    char *action = name ? strdup(name) : NULL;

    if (action)
        tell(acts, action);
    free(action);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = input_text(data, size);
    struct Acts acts;

    acts_init(&acts);
    read_entries(text, size, &acts);
    tell(&acts, NULL);
    tell_first(&acts);
    acts_done(&acts);
    free(text);
    return 0;
}
