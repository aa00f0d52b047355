/* What is left of two words when their common beginning and their common end are taken off is the slip. */
#include "config/nearest.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

bool is_near(const char *word, const char *name)
{
    size_t word_left = strlen(word), name_left = strlen(name);

    if (strcasecmp(word, name) == 0)
        return true;
    while (*word != '\0' && *word == *name) {
        word++, name++;
        word_left--, name_left--;
    }
    while (word_left > 0 && name_left > 0 && word[word_left - 1] == name[name_left - 1])
        word_left--, name_left--;
    if (word_left == 2 && name_left == 2)
        return word[0] == name[1] && word[1] == name[0];
    return word_left <= 1 && name_left <= 1;
}
