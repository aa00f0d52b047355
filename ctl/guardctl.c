/* guardctl: the table of verbs, and help. Options (option.c) may stand anywhere on the line. */
#include "ctl/guardctl.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build-config.h"
#include "ctl/complete.h"
#include "ctl/option.h"
#include "ctl/remote.h"
#include "ctl/terminal.h"
#include "wire/interface.h"

#define ARGUMENTS_ANY 1000
#define COMMAND_HELP_COLUMN 39

static const struct Command commands[] = {
    {"status", "", 0, 0, "is the host fine, or what is not; what cannot be watched here and why", NULL,
     verb_status},
    {"list", "[CLASS]", 0, 1, "a row per tenant",
     "DISK is what its files take, of its limit; INODES how many they are. Of a tenant with "
     "files on several filesystems it is the fullest one.",
     verb_list},
    {"show", "TENANT", 1, 1, "one tenant: limits, readings, rules, disk, last events", NULL, verb_show},
    {"set", "TENANT KEY=VALUE...", 2, ARGUMENTS_ANY, "limits, while it runs: DiskSpaceMax=20G",
     "All of them or none, in force when guardctl returns, and for good; with --runtime until "
     "the next boot, with --for=2h for so long (with both, until what comes first). What is set "
     "last counts; of what ends, what was set below it, else the class's. KEY is TasksMax, DiskSpaceMax, "
     "DiskInodesMax, MemoryHigh, MemoryMax, "
     "MemorySwapMax, CPUQuota, CPUWeight, IOWeight, IOReadBandwidthMax, IOWriteBandwidthMax, "
     "IOReadIOPSMax, IOWriteIOPSMax, NetworkEgressMax or NetworkIngressMax; VALUE as in the configuration: "
     "20G, 50%, 10M, infinity.",
     verb_set},
    {"reset", "TENANT [KEY...]", 1, ARGUMENTS_ANY, "take back what was set: the class counts again",
     "Without KEY all of it.", verb_reset},
    {"freeze", "TENANT", 1, 1, "stop all of its processes where they are", NULL, verb_freeze},
    {"thaw", "TENANT", 1, 1, "let them go on, at full speed", "Takes throttles off, too.", verb_thaw},
    {"throttle", "TENANT [RESOURCE] [PERCENT]", 1, 3, "slow it down, to a share of what it uses now",
     "RESOURCE is cpu, memory or io; left out, cpu. PERCENT is 1% to 99%; left out, 50%. "
     "'guardctl thaw' takes it off again.",
     verb_throttle},
    {"kill", "TENANT", 1, 1, "kill all of its processes", NULL, verb_kill},
    {"exempt", "TENANT --for=1h|--end", 1, 1, "no rule does anything to it meanwhile",
     "What stands on it is taken off, its limits stay, and it can be frozen by hand. It goes by the tenant's "
     "name, and holds over restarts and reboots.",
     verb_exempt},
    {"mode", "[enforce|observe]", 0, 1, "guard in earnest, or only look on; until a reload or restart",
     "Going to observe, what stands is let go; limits stay as they are.", verb_mode},
    {"release", "TENANT|--all", 0, 1, "take guardd's actions and limits off; leave it alone until a reload",
     NULL, verb_release},
    {"watch", "", 0, 0, "decisions, actions and outcomes as they happen", NULL, verb_watch},
    {"explain", "TENANT|ACTION-ID", 1, 1, "why: readings, rule, threshold, what was done and undone",
     "The last story of the tenant, or the one that an action is part of, from the journal: also "
     "of a tenant that is gone, and of an earlier boot. It takes the right to read the journal: "
     "root, or the group systemd-journal or adm.",
     verb_explain},
    {"history", "", 0, 0, "what was done on this host, from the journal",
     "A row for each decision, the oldest first; with --json an object a line. What is in the "
     "last column 'guardctl explain' explains. It takes the right to read the journal.",
     verb_history},
    {"top", "[CLASS]", 0, 1, "the tenants, live: who is near a limit, who is held",
     "Keys: q ends it; arrows, PgUp, PgDn, Home and End move; a letter orders by a column: "
     "l nearest limit (those that are held or slowed come first), n name, t tasks, c CPU, "
     "m memory, d disk, i inodes, s sends, g gets, x drops. Rates are those of the last second.",
     verb_top},
    {"metrics", "", 0, 0, "readings, limits and counters, for Prometheus",
     "One line for each tenant and reading that is on. With --textfile into a file, all of it or nothing, "
     "for node_exporter: guardd-metrics.timer does that.",
     verb_metrics},
    {"trace", "save FILE", 2, 2, "what was read and decided lately, into a file for replay",
     "FILE - is standard output. How far back it goes is a matter of TraceSize= in the configuration.",
     verb_trace},
    {"replay", "FILE", 1, 1, "what would have been done: by other rules, with --config DIR",
     "FILE is one that 'trace save' has written. Without --config the rules are those that it was "
     "recorded under, and the decisions must be those that were recorded. DIR has guardd.conf and "
     "guardd.conf.d, or is one file, and is the whole configuration. --diff tells only what differs "
     "from the present configuration: earlier, later, only here, only there. Limits are not "
     "replayed; what a tenant would have done after another action nobody knows, so its readings "
     "are the recorded ones.",
     verb_replay},
    {"reload", "", 0, 0, "read the configuration anew", NULL, verb_reload},
    {"check", "[FILE...|TENANT]", 0, ARGUMENTS_ANY, "the host, the configuration; or a tenant's files",
     "Can this host be guarded, and is the configuration right: the one in place, or these "
     "files. Of a tenant: does every file of it count for it? --repair mends what does not. "
     "An argument is a FILE when there is such a file, or it ends in .conf, or begins with "
     "/ or ./ or ../; else a TENANT. Exits with 1 when something is wrong and not mended.",
     verb_check},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
    puts("guardctl [OPTIONS] VERB [ARGUMENTS]\n"
         "\n"
         "Shows and steers guardd, which keeps one tenant from taking the host down.\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        printf("  %-8s %-27s ", commands[i].name, commands[i].arguments);
        print_wrapped(commands[i].help, COMMAND_HELP_COLUMN);
    }
    puts("\n"
         "TENANT is a name (docker/web, user/alice, nginx.service), a cgroup path, or an\n"
         "unambiguous start of a container id.\n");
    option_print_particular();
    option_print_common();
    putchar('\n');
    print_wrapped("Exits with 0 done, 1 failed, 2 wrong usage, 3 no such tenant, 4 permission denied, "
                  "5 refused (protected, budget spent); with --host 255, when ssh failed.",
                  0);
}

static void print_command_help(const struct Command *command)
{
    printf("guardctl %s%s%s\n\n  ", command->name, command->arguments[0] != '\0' ? " " : "",
           command->arguments);
    print_wrapped(command->help, 2);
    if (command->more) {
        fputs("\n  ", stdout);
        print_wrapped(command->more, 2);
    }
    option_print_own(command->name);
    putchar('\n');
    option_print_common();
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

static const char *default_socket(void)
{
    const char *socket = getenv("GUARDD_SOCKET");

    return socket && socket[0] != '\0' ? socket : WIRE_SOCKET;
}

static enum Exit run(struct Options *options, char **words, int n_words)
{
    const struct Command *command = find_command(words[0]);

    if (!command)
        return complain_unknown(words[0]);
    if (n_words - 1 < command->min || n_words - 1 > command->max) {
        complain("too %s arguments; it is: guardctl %s %s", n_words - 1 < command->min ? "few" : "many",
                 command->name, command->arguments);
        return EXIT_USAGE;
    }
    if (!option_suit(options, command->name))
        return EXIT_USAGE;
    if (options->host)
        return remote_run(options, words);
    if (!options->socket)
        options->socket = default_socket();
    return command->function(options, words + 1);
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
    struct Options options = {0};
    int first;

    if (argc > 1 && strcmp(argv[1], COMPLETE_WORD) == 0) {
        options.socket = default_socket();
        return complete(&options, commands, N_COMMANDS, argv + 2);
    }
    first = option_parse(argc, argv, &options);
    if (first < 0)
        return EXIT_USAGE;
    if (options.help || (first == argc && !options.version))
        return help(argv[first]);
    if (options.version) {
        puts("guardctl " GUARDD_VERSION);
        return EXIT_DONE;
    }
    return run(&options, argv + first, argc - first);
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
