/* A problem owns its four parts; the list of them is bounded, so that a file that is no configuration at
 * all does not fill the screen. */
#include "config/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/text.h"

bool complain(struct Complaint *complaint, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(complaint->what, sizeof(complaint->what), format, arguments);
    va_end(arguments);
    return false;
}

bool complain_right(struct Complaint *complaint, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(complaint->right, sizeof(complaint->right), format, arguments);
    va_end(arguments);
    return false;
}

static void problem_free(struct Problem *problem)
{
    free(problem->file);
    free(problem->what);
    free(problem->right);
}

/* A file may have any name; a message is text. */
static char *printable_name(const char *name)
{
    char *copy = strdup(name);

    if (copy && text_problem(name, strlen(name)))
        for (char *p = copy; *p != '\0'; p++)
            if (*p < ' ' || *p > '~')
                *p = '?';
    return copy;
}

int problem_add_text(struct Problems *problems, struct Place place, const char *what, const char *right)
{
    struct Problem problem = {.line = place.line};
    struct Problem *list;

    if (problems->n >= PROBLEMS_MAX)
        return 0;
    if (problems->n == PROBLEMS_MAX - 1) {
        what = "there are more problems, from here on";
        right = "mend those above and check again";
    }
    problem.file = printable_name(place.file);
    problem.what = strdup(what);
    problem.right = strdup(right);
    list = reallocarray(problems->list, problems->n + 1, sizeof(*list));
    if (list)
        problems->list = list;
    if (!list || !problem.file || !problem.what || !problem.right) {
        problem_free(&problem);
        return -ENOMEM;
    }
    list[problems->n++] = problem;
    return 0;
}

int problem_add(struct Problems *problems, struct Place place, const struct Complaint *complaint)
{
    return problem_add_text(problems, place, complaint->what, complaint->right);
}

void problems_free(struct Problems *problems)
{
    for (size_t i = 0; i < problems->n; i++)
        problem_free(&problems->list[i]);
    free(problems->list);
    *problems = (struct Problems){0};
}

char *problem_format(const struct Problem *problem)
{
    char *text;
    int n;

    if (problem->line > 0)
        n = asprintf(&text, "%s:%u: %s; %s", problem->file, problem->line, problem->what, problem->right);
    else
        n = asprintf(&text, "%s: %s; %s", problem->file, problem->what, problem->right);
    return n < 0 ? NULL : text;
}
