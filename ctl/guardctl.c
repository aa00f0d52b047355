/* guardctl: options, the table of verbs, help. Options may stand anywhere on the line. */
#include "ctl/guardctl.h"

#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build-config.h"
#include "ctl/terminal.h"
#include "wire/interface.h"

#define ARGUMENTS_ANY 1000

static const struct Command {
    const char *name, *arguments;
    int min, max; /* arguments */
    const char *help;
    const char *more; /* of its own help; NULL */
    enum Exit (*function)(const struct Options *options, char **arguments);
} commands[] = {
    {"status", "", 0, 0, "the host: mode, tenants, kill budget, what cannot be watched here and why", NULL,
     verb_status},
    {"list", "[CLASS]", 0, 1, "a row per tenant",
     "DISK is what its files take, of its limit; INODES how many they are. Of a tenant with\n"
     "  files on several filesystems it is the fullest one.",
     verb_list},
    {"show", "TENANT", 1, 1, "one tenant: limits, readings, rules, disk, last events", NULL, verb_show},
    {"set", "TENANT KEY=VALUE...", 2, ARGUMENTS_ANY, "limits, while it runs: DiskSpaceMax=20G",
     "All of them or none, in force when guardctl returns, and for good; with --runtime until\n"
     "  the next boot. KEY is TasksMax, DiskSpaceMax, DiskInodesMax, MemoryHigh, MemoryMax,\n"
     "  MemorySwapMax, CPUQuota, CPUWeight, IOWeight, IOReadBandwidthMax, IOWriteBandwidthMax,\n"
     "  IOReadIOPSMax or IOWriteIOPSMax; VALUE as in the configuration: 20G, 50%, infinity.",
     verb_set},
    {"reset", "TENANT [KEY...]", 1, ARGUMENTS_ANY, "take back what was set: the class counts again",
     "Without KEY all of it.", verb_reset},
    {"freeze", "TENANT", 1, 1, "stop all of its processes where they are", NULL, verb_freeze},
    {"thaw", "TENANT", 1, 1, "let them go on, at full speed", "Takes throttles off, too.", verb_thaw},
    {"throttle", "TENANT [RESOURCE] [PERCENT]", 1, 3, "slow it down, to a share of what it uses now",
     "RESOURCE is cpu, memory or io; left out, cpu. PERCENT is 1% to 99%; left out, 50%.\n"
     "  'guardctl thaw' takes it off again.",
     verb_throttle},
    {"kill", "TENANT", 1, 1, "kill all of its processes", NULL, verb_kill},
    {"release", "TENANT|--all", 0, 1, "take guardd's actions and limits off; leave it alone until a reload",
     NULL, verb_release},
    {"watch", "", 0, 0, "decisions, actions and outcomes as they happen", NULL, verb_watch},
    {"top", "[CLASS]", 0, 1, "the tenants, live: who is near a limit, who is held",
     "Keys: q ends it; arrows, PgUp, PgDn, Home and End move; a letter orders by a column:\n"
     "  l nearest limit (those that are held or slowed come first), n name, t tasks, c CPU,\n"
     "  m memory, d disk, i inodes, s sends, g gets, x drops. Rates are those of the last second.",
     verb_top},
    {"reload", "", 0, 0, "read the configuration anew", NULL, verb_reload},
    {"check", "[FILE...|TENANT]", 0, ARGUMENTS_ANY, "the host, the configuration; or a tenant's files",
     "Can this host be guarded, and is the configuration right: the one in place, or these\n"
     "  files. Of a tenant: does every file of it count for it? --repair mends what does not.\n"
     "  An argument is a FILE when there is such a file, or it ends in .conf, or begins with\n"
     "  / or ./ or ../; else a TENANT. Exits with 1 when something is wrong and not mended.",
     verb_check},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
    puts("guardctl [OPTIONS] VERB [ARGUMENTS]\n"
         "\n"
         "Shows and steers guardd, which keeps one tenant from taking the host down.\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-8s %-27s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
    puts("\n"
         "TENANT is a name (docker/web, user/alice, nginx.service), a cgroup path, or an\n"
         "unambiguous start of a container id.\n"
         "\n"
         "  --runtime        of set: until the next boot, not for good\n"
         "  --repair         of check: give the tenant's project to every file of it\n"
         "  --json           print what guardd answered, as JSON\n"
         "  --socket=PATH    where guardd listens (default: $GUARDD_SOCKET, else\n"
         "                   " WIRE_SOCKET ")\n"
         "  --help           this help; after a verb, that of the verb\n"
         "  --version        the version of guardctl\n"
         "\n"
         "Exits with 0 done, 1 failed, 2 wrong usage, 3 no such tenant, 4 permission denied,\n"
         "5 refused (protected, budget spent).");
}

static void print_command_help(const struct Command *command)
{
    printf("guardctl %s%s%s\n\n  %s\n", command->name, command->arguments[0] != '\0' ? " " : "",
           command->arguments, command->help);
    if (command->more)
        printf("\n  %s\n", command->more);
}

/* Slips of the fingers that make `b` of `a`: letters wrong, too many or too few. */
static size_t distance(const char *a, const char *b)
{
    size_t insertion, removal, change, least;

    if (*a == '\0' || *b == '\0')
        return strlen(a) + strlen(b);
    if (*a == *b)
        return distance(a + 1, b + 1);
    insertion = distance(a, b + 1);
    removal = distance(a + 1, b);
    change = distance(a + 1, b + 1);
    least = insertion < removal ? insertion : removal;
    return 1 + (least < change ? least : change);
}

/* The beginning of it, or one slip in a short word, two in a longer one. */
static bool is_near(const char *word, const char *name)
{
    size_t length = strlen(word);

    if (length == 0 || length > 12) /* distance() would take its time */
        return false;
    return strncmp(word, name, length) == 0 || distance(word, name) <= (length < 5 ? 1 : 2);
}

static enum Exit complain_unknown(const char *word)
{
    char near[160] = "";
    size_t used = 0;

    for (size_t i = 0; i < N_COMMANDS; i++)
        if (is_near(word, commands[i].name))
            used += (size_t)snprintf(near + used, sizeof(near) - used, "%s'%s'", used > 0 ? ", " : "",
                                     commands[i].name);
    if (used > 0)
        complain("there is no verb '%s'; did you mean %s?", word, near);
    else
        complain("there is no verb '%s'; 'guardctl --help' names them all", word);
    return EXIT_USAGE;
}

static const struct Command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* An option that one verb has; false: complained about. */
static bool fits_verb(bool given, const char *option, const char *verb, const struct Command *command)
{
    if (!given || strcmp(command->name, verb) == 0)
        return true;
    complain("%s is for %s only", option, verb);
    return false;
}

static enum Exit run(const struct Options *options, char **words, int n_words)
{
    const struct Command *command = find_command(words[0]);

    if (!command)
        return complain_unknown(words[0]);
    if (n_words - 1 < command->min || n_words - 1 > command->max) {
        complain("too %s arguments; it is: guardctl %s %s", n_words - 1 < command->min ? "few" : "many",
                 command->name, command->arguments);
        return EXIT_USAGE;
    }
    if (!fits_verb(options->all, "--all", "release", command) ||
        !fits_verb(options->runtime, "--runtime", "set", command) ||
        !fits_verb(options->repair, "--repair", "check", command))
        return EXIT_USAGE;
    return command->function(options, words + 1);
}

/* What is asked for besides a verb. */
enum Request {
    REQUEST_VERB,
    REQUEST_HELP,
    REQUEST_VERSION,
    REQUEST_WRONG, /* complained about */
};

static enum Request parse(int argc, char **argv, struct Options *options)
{
    enum { OPTION_JSON = 256, OPTION_SOCKET, OPTION_ALL, OPTION_RUNTIME, OPTION_REPAIR, OPTION_VERSION };
    static const struct option known[] = {
        {"json", no_argument, NULL, OPTION_JSON},       {"socket", required_argument, NULL, OPTION_SOCKET},
        {"all", no_argument, NULL, OPTION_ALL},         {"runtime", no_argument, NULL, OPTION_RUNTIME},
        {"repair", no_argument, NULL, OPTION_REPAIR},   {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, OPTION_VERSION}, {NULL, 0, NULL, 0},
    };
    enum Request request = REQUEST_VERB;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", known, NULL)) >= 0)
        switch (option) {
        case OPTION_JSON:
            options->json = true;
            break;
        case OPTION_SOCKET:
            options->socket = optarg;
            break;
        case OPTION_ALL:
            options->all = true;
            break;
        case OPTION_RUNTIME:
            options->runtime = true;
            break;
        case OPTION_REPAIR:
            options->repair = true;
            break;
        case 'h':
            request = REQUEST_HELP;
            break;
        case OPTION_VERSION:
            request = REQUEST_VERSION;
            break;
        case ':':
            complain("option '%s' needs a value", argv[optind - 1]);
            return REQUEST_WRONG;
        default:
            complain("option '%s' is wrong here; 'guardctl --help' names all", argv[optind - 1]);
            return REQUEST_WRONG;
        }
    return request;
}

static enum Exit help(const char *verb)
{
    const struct Command *command = verb ? find_command(verb) : NULL;

    if (verb && !command)
        return complain_unknown(verb);
    if (command)
        print_command_help(command);
    else
        print_help();
    return EXIT_DONE;
}

static enum Exit guardctl(int argc, char **argv)
{
    const char *socket = getenv("GUARDD_SOCKET");
    struct Options options = {.socket = socket && socket[0] != '\0' ? socket : WIRE_SOCKET};

    switch (parse(argc, argv, &options)) {
    case REQUEST_HELP:
        return help(argv[optind]);
    case REQUEST_VERSION:
        puts("guardctl " GUARDD_VERSION);
        return EXIT_DONE;
    case REQUEST_WRONG:
        return EXIT_USAGE;
    default:
        return optind < argc ? run(&options, argv + optind, argc - optind) : help(NULL);
    }
}

int main(int argc, char **argv)
{
    enum Exit exit;

    setlocale(LC_ALL, "");
    exit = guardctl(argc, argv);
    if (fflush(stdout) == EOF || ferror(stdout)) {
        complain("cannot write the answer");
        return exit == EXIT_DONE ? EXIT_FAILED : exit;
    }
    return exit;
}
