/* guardctl top: the tenants, once a second, until q or ^C.
 *
 *   guardd 0.1.0, enforce: 142 tenants, 2 kept frozen, 5 kills left            14:03:22
 *   what is degraded, or that guardd does not answer
 *   NAME               STATE     TASKS   CPU MEMORY   DISK SENDS  GETS NEAREST LIMIT
 *   docker/web         ok           37   98%   390M  8.24G  9.8M  1.2M 82% disk        as a bar
 *   ...
 *   q quit  by: l limit  n name  ...
 *
 * One connection serves all of it. When guardd goes away (it is restarted) the last answer stays, with its
 * age, and it is asked again each second. */
#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/usec.h"
#include "ctl/client.h"
#include "ctl/reply.h"
#include "ctl/signals.h"
#include "ctl/standings.h"
#include "ctl/terminal.h"
#include "wire/interface.h"
#include "wire/text.h"

#define INTERVAL_SEC 1
#define PATIENCE_USEC (5 * USEC_PER_SEC)
#define NAME_MIN 8
#define ROWS_FIRST 3 /* line of the first tenant */
#define CELL_MAX 256

struct Top {
    const struct Options *options;
    const char *class;                 /* NULL: all */
    sd_varlink *link;                  /* NULL: guardd does not answer */
    sd_json_variant *status, *tenants; /* of the last answer; NULL */
    char answered[16], trouble[128];   /* when it came; "" */
    enum Gauge by;
    size_t first; /* tenant that is shown */
    int signals, timer;
    bool ended;
};

/* Each is shown when the terminal has so many columns; what is left is for the name. */
static const struct Column {
    enum { NAME, CLASS, STATE, AMOUNT, NEAREST } kind;
    enum Gauge gauge; /* that orders by it; GAUGE_COUNT: none does */
    int width, least;
} layout[] = {
    {NAME, GAUGE_NAME, 0, 0},     {CLASS, GAUGE_COUNT, 10, 110},  {STATE, GAUGE_COUNT, 9, 40},
    {AMOUNT, GAUGE_TASKS, 5, 50}, {AMOUNT, GAUGE_CPU, 5, 50},     {AMOUNT, GAUGE_MEMORY, 6, 60},
    {AMOUNT, GAUGE_DISK, 6, 60},  {AMOUNT, GAUGE_INODES, 6, 100}, {AMOUNT, GAUGE_SENDS, 5, 80},
    {AMOUNT, GAUGE_GETS, 5, 80},  {AMOUNT, GAUGE_DROPS, 5, 100},  {NEAREST, GAUGE_NEAREST, 13, 0},
};
#define N_COLUMNS (sizeof(layout) / sizeof(layout[0]))

/* --- guardd --------------------------------------------------------------------------------------- */

/* Without a word: the screen is not to be written over. Returns 0, or what went wrong. */
static int ask(struct Top *top, const char *method, sd_json_variant *parameters, sd_json_variant **ret)
{
    sd_json_variant *reply = NULL;
    const char *error = NULL;
    int r = 0;

    if (!top->link) {
        r = sd_varlink_connect_address(&top->link, top->options->socket);
        if (r >= 0)
            r = sd_varlink_set_relative_timeout(top->link, PATIENCE_USEC);
    }
    if (r >= 0)
        r = sd_varlink_call(top->link, method, parameters, &reply, &error);
    if (r >= 0 && error)
        r = sd_varlink_error_to_errno(error, reply);
    if (r < 0) {
        top->link = sd_varlink_unref(top->link);
        return r;
    }
    *ret = sd_json_variant_ref(reply);
    return 0;
}

static void adopt(struct Top *top, sd_json_variant **status, sd_json_variant **tenants)
{
    time_t now = time(NULL);
    struct tm tm;

    sd_json_variant_unref(top->status);
    sd_json_variant_unref(top->tenants);
    top->status = take_ptr(*status);
    top->tenants = take_ptr(*tenants);
    top->trouble[0] = '\0';
    if (!localtime_r(&now, &tm) || strftime(top->answered, sizeof(top->answered), "%H:%M:%S", &tm) == 0)
        top->answered[0] = '\0';
}

static void look(struct Top *top)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *status = NULL, *tenants = NULL;
    int r = 0;

    if (top->class)
        r = sd_json_buildo(&parameters, WIRE_PAIR_TEXT("class", top->class));
    if (r >= 0)
        r = ask(top, WIRE_INTERFACE ".GetStatus", NULL, &status);
    if (r >= 0)
        r = ask(top, WIRE_INTERFACE ".ListTenants", parameters, &tenants);
    if (r >= 0)
        adopt(top, &status, &tenants);
    else
        snprintf(top->trouble, sizeof(top->trouble), "guardd does not answer (%s): this is from %s",
                 strerror(-r), top->answered);
}

/* The first time, on the terminal as it is: whoever may not look, or names no class, is told in a sentence.
 */
static enum Exit look_first(struct Top *top)
{
    _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *status = NULL, *tenants = NULL;
    enum Exit exit = client_call(top->options, "GetStatus", NULL, &status);

    if (top->class && sd_json_buildo(&parameters, WIRE_PAIR_TEXT("class", top->class)) < 0)
        have_memory(NULL);
    if (exit == EXIT_DONE)
        exit = client_call(top->options, "ListTenants", parameters, &tenants);
    if (exit == EXIT_DONE)
        adopt(top, &status, &tenants);
    return exit;
}

/* --- the screen ----------------------------------------------------------------------------------- */

static attr_t attribute_of(enum Style style)
{
    switch (style) {
    case STYLE_BOLD:
        return A_BOLD;
    case STYLE_DIM:
        return A_DIM;
    case STYLE_GOOD:
        return COLOR_PAIR(STYLE_GOOD);
    case STYLE_WARNING:
        return COLOR_PAIR(STYLE_WARNING);
    case STYLE_BAD:
        return A_BOLD | COLOR_PAIR(STYLE_BAD);
    default:
        return A_NORMAL;
    }
}

static void begin_colors(void)
{
    const char *no_color = getenv("NO_COLOR");

    if ((no_color && no_color[0] != '\0') || !has_colors())
        return;
    start_color();
    use_default_colors();
    init_pair(STYLE_GOOD, COLOR_GREEN, -1);
    init_pair(STYLE_WARNING, COLOR_YELLOW, -1);
    init_pair(STYLE_BAD, COLOR_RED, -1);
}

/* Ends `wide` where it has filled the columns. Returns how many of them it takes; `ret_cut`: not all of it
 * fits. */
static int fit(wchar_t *wide, int width, bool *ret_cut)
{
    int used = 0;

    *ret_cut = false;
    for (size_t i = 0; wide[i] != L'\0'; i++) {
        int columns = wcwidth(wide[i]) > 0 ? wcwidth(wide[i]) : 0;

        if (used + columns > width) {
            *ret_cut = true;
            wide[i] = L'\0';
            break;
        }
        used += columns;
    }
    return used;
}

/* The text, clean and in so many columns of the screen, cut, which a mark tells, or filled up with blanks. */
static void put_cell(const char *text, int width, bool right)
{
    _cleanup_free_ char *clean = have_memory(wire_text_clean(text));
    wchar_t wide[CELL_MAX];
    size_t length = mbstowcs(wide, clean, CELL_MAX - 1);
    bool cut, again;
    int used;

    wide[length == (size_t)-1 ? 0 : length] = L'\0';
    used = fit(wide, width, &cut);
    if (cut)
        used = fit(wide, width - 1, &again) + 1;
    if (right)
        printw("%*s", width - used, "");
    addwstr(wide);
    if (cut)
        addstr(terminal_ellipsis());
    if (!right)
        printw("%*s", width - used, "");
}

static void put_line(int line, const char *text, attr_t attribute)
{
    move(line, 0);
    attrset(attribute);
    put_cell(text, COLS, false);
    attrset(A_NORMAL);
}

/* Over its cell, as far as the limit is reached. */
static void put_bar(const char *text, int width, int percent)
{
    int x = getcurx(stdscr), y = getcury(stdscr), filled = (percent < 100 ? percent : 100) * width / 100;

    put_cell(text, width, false);
    if (filled > 0)
        mvchgat(y, x, filled, A_REVERSE | (percent >= 100 ? A_BOLD : 0),
                (short)(percent >= 100  ? STYLE_BAD
                        : percent >= 80 ? STYLE_WARNING
                                        : 0),
                NULL);
    move(y, x + width);
}

static void put_standing(const struct Standing *standing, const struct Column *column, int width)
{
    const char *state = reply_text_or(standing->tenant, "state", "?");
    char text[STANDINGS_TEXT_MAX];

    switch (column->kind) {
    case NAME:
        return put_cell(reply_text_or(standing->tenant, "name", "?"), width, false);
    case CLASS:
        return put_cell(reply_text_or(standing->tenant, "class", "-"), width, false);
    case STATE:
        attrset(attribute_of(state_style(state)));
        put_cell(state, width, false);
        attrset(A_NORMAL);
        return;
    case AMOUNT:
        return put_cell(standing_amount(standing, column->gauge, text, sizeof(text)), width, true);
    default:
        return put_bar(standing_nearest(standing, text, sizeof(text)), width, standing->percent);
    }
}

static void put_title(const struct Top *top, const struct Column *column, int width)
{
    const char *title = column->kind == CLASS   ? "CLASS"
                        : column->kind == STATE ? "STATE"
                                                : gauge_title(column->gauge);

    attrset(A_BOLD | (column->gauge == top->by ? A_UNDERLINE : 0));
    put_cell(title, width, column->kind == AMOUNT);
    attrset(A_NORMAL);
}

/* A line of the table; that of the titles without a `standing`. */
static void put_row(const struct Top *top, int line, const struct Standing *standing)
{
    int name = COLS, width;

    for (size_t i = 1; i < N_COLUMNS; i++)
        if (COLS >= layout[i].least)
            name -= layout[i].width + 1;
    move(line, 0);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        if (COLS < layout[i].least)
            continue;
        width = i > 0 ? layout[i].width : name > NAME_MIN ? name : NAME_MIN;
        if (i > 0)
            addch(' ');
        if (standing)
            put_standing(standing, &layout[i], width);
        else
            put_title(top, &layout[i], width);
    }
}

static void put_head(const struct Top *top)
{
    sd_json_variant *notice = reply_item(top->status, "notices", 0);
    char tenants[REPLY_DIGITS_MAX], standing[REPLY_DIGITS_MAX], kills[REPLY_DIGITS_MAX], text[CELL_MAX];

    snprintf(text, sizeof(text), "guardd %.32s, %.16s: %s tenants, %s kept frozen, %s kills left",
             reply_text_or(top->status, "version", "?"), reply_text_or(top->status, "mode", "?"),
             reply_digits(top->status, "tenants", "?", tenants, sizeof(tenants)),
             reply_digits(top->status, "standing", "?", standing, sizeof(standing)),
             reply_digits(top->status, "killsLeft", "?", kills, sizeof(kills)));
    put_line(0, text, A_BOLD);
    if (COLS > (int)(strlen(text) + strlen(top->answered)))
        mvprintw(0, COLS - (int)strlen(top->answered), "%s", top->answered);
    if (top->trouble[0] != '\0')
        put_line(1, top->trouble, attribute_of(STYLE_BAD));
    else if (notice && sd_json_variant_is_string(notice))
        put_line(1, sd_json_variant_string(notice), attribute_of(STYLE_WARNING));
}

static size_t rows_shown(void)
{
    return LINES > ROWS_FIRST + 1 ? (size_t)(LINES - ROWS_FIRST - 1) : 0;
}

static void put_foot(const struct Top *top, size_t n)
{
    size_t last = top->first + rows_shown() < n ? top->first + rows_shown() : n;
    char text[48] = "";

    put_line(LINES - 1, "q quit  order: l limit n name t tasks c cpu m memory d disk s sends g gets", A_DIM);
    if (n > rows_shown())
        snprintf(text, sizeof(text), " %zu-%zu of %zu", top->first + 1, last, n);
    if (COLS > (int)strlen(text))
        mvprintw(LINES - 1, COLS - (int)strlen(text), "%s", text);
}

static void draw(struct Top *top)
{
    size_t n = 0, shown = rows_shown();
    _cleanup_free_ struct Standing *standings =
        standings_make(top->tenants ? sd_json_variant_by_key(top->tenants, "tenants") : NULL, top->by, &n);

    if (!standings)
        return;
    if (top->first + shown > n)
        top->first = n > shown ? n - shown : 0;
    erase();
    put_head(top);
    put_row(top, ROWS_FIRST - 1, NULL);
    for (size_t i = 0; i < shown && top->first + i < n; i++)
        put_row(top, ROWS_FIRST + (int)i, &standings[top->first + i]);
    put_foot(top, n);
    refresh();
}

/* --- keys ----------------------------------------------------------------------------------------- */

static void move_by(struct Top *top, long rows)
{
    if (rows < 0 && (size_t)-rows > top->first)
        top->first = 0;
    else
        top->first += (size_t)rows; /* draw() finds the end */
}

static void take_key(struct Top *top, int key)
{
    enum Gauge by = gauge_from_letter(key);
    long page = (long)rows_shown();

    if (by != GAUGE_COUNT) {
        top->by = by;
        top->first = 0;
    } else if (key == 'q')
        top->ended = true;
    else if (key == KEY_UP || key == KEY_DOWN)
        move_by(top, key == KEY_UP ? -1 : 1);
    else if (key == KEY_PPAGE || key == KEY_NPAGE)
        move_by(top, key == KEY_PPAGE ? -page : page);
    else if (key == KEY_HOME)
        top->first = 0;
    else if (key == KEY_END)
        top->first = SIZE_MAX / 2;
}

/* Each second, whatever keys there are. */
static int open_timer(void)
{
    struct itimerspec every = {.it_interval = {.tv_sec = INTERVAL_SEC}, .it_value = {.tv_sec = INTERVAL_SEC}};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) < 0)
        return negative_errno();
    return fd;
}

/* A resize interrupts the wait, and is a key. */
static void wait_for_input(struct Top *top)
{
    enum { KEYS, SIGNALS, TIMER };
    struct pollfd inputs[] = {[KEYS] = {.fd = STDIN_FILENO, .events = POLLIN},
                              [SIGNALS] = {.fd = top->signals, .events = POLLIN},
                              [TIMER] = {.fd = top->timer, .events = POLLIN}};
    int n = poll(inputs, sizeof(inputs) / sizeof(inputs[0]), -1), key;
    uint64_t times;

    if (n > 0 && ((inputs[KEYS].revents & (POLLHUP | POLLERR)) || inputs[SIGNALS].revents != 0))
        top->ended = true;
    while (!top->ended && (key = getch()) != ERR)
        take_key(top, key);
    if (!top->ended && read(top->timer, &times, sizeof(times)) > 0)
        look(top);
}

static enum Exit show_all(struct Top *top)
{
    SCREEN *screen = newterm(NULL, stdout, stdin);

    if (!screen) {
        complain("nothing is known of the terminal '%s' (TERM)", getenv("TERM") ? getenv("TERM") : "");
        return EXIT_FAILED;
    }
    begin_colors();
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    while (!top->ended) {
        draw(top);
        wait_for_input(top);
    }
    endwin();
    delscreen(screen);
    return EXIT_DONE;
}

enum Exit verb_top(const struct Options *options, char **arguments)
{
    struct Top top = {.options = options, .class = arguments[0], .by = GAUGE_NEAREST};
    enum Exit exit;

    if (options->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        complain(options->json ? "top has no --json; 'guardctl list --json' tells the same, once"
                               : "top needs a terminal; 'guardctl list' tells the same, once");
        return EXIT_USAGE;
    }
    top.signals = signals_open();
    top.timer = open_timer();
    if (top.signals < 0 || top.timer < 0) {
        complain("cannot wait for signals and a timer: %s",
                 strerror(top.signals < 0 ? -top.signals : -top.timer));
        return EXIT_FAILED;
    }
    exit = look_first(&top);
    if (exit == EXIT_DONE)
        exit = show_all(&top);
    fd_close(top.timer);
    fd_close(top.signals);
    sd_varlink_unref(top.link);
    sd_json_variant_unref(top.status);
    sd_json_variant_unref(top.tenants);
    return exit;
}
