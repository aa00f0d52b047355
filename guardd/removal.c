/* See removal.h. It is a start of a guard for which nobody is a tenant: so all that the ledger tells of is
 * nobody's any more, and undone (recover.h), what links carry is swept, and each project is that of somebody
 * who is not here. Limits that operators have set stay in the state directory: they are words, not deeds. */
#include "removal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "allowance.h"
#include "base/cleanup.h"
#include "share.h"

#define PATIENCE_USEC (5 * USEC_PER_MINUTE)
#define STEP_USEC (100 * USEC_PER_MSEC)
#define PROGRESS_USEC (10 * USEC_PER_SEC)

static usec_t boot_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

static void answer(void *userdata, uint64_t ticket, const struct Tenant *tenant,
                   const struct Decision *decision, const struct Outcome *outcome)
{
}

static void announced(void *userdata)
{
}

/* Only where disks and ids are is asked of it. One that is wrong must not be what keeps a tenant frozen. */
static int load_config(const char *root, struct Config **ret)
{
    char *none[] = {NULL};
    struct Problems problems = {};
    int r = config_load(root, ret, &problems);

    problems_free(&problems);
    if (r != 0) {
        fprintf(stderr, "guardd: the configuration is not valid: DiskRoots= and ProjectIds= are taken to be "
                        "the defaults\n");
        r = config_load_files(none, ret, &problems);
        problems_free(&problems);
    }
    return r > 0 ? -EINVAL : r;
}

static bool network_is_swept(const struct NetworkGuard *network)
{
    return !network->opened || (!network->inherited && !network->unclean && network->n_orders == 0);
}

static bool is_done(const struct Guard *guard)
{
    bool network = !guard->network.connected || network_is_swept(&guard->network);

    return !guard->disk.orders && network && !guard->units.asked && !guard->units.waiting &&
           guard->units.n_told == 0;
}

static void run_until_done(struct Guard *guard)
{
    usec_t now = guard->clock(), end = usec_add(now, PATIENCE_USEC), said = now;

    while (!is_done(guard) && now < end) {
        if (sd_event_run(guard->event, STEP_USEC) < 0)
            return;
        now = guard->clock();
        if (guard_due_usec(guard) <= now)
            guard_pass(guard);
        history_write(&guard->history);
        if (now >= usec_add(said, PROGRESS_USEC)) {
            printf("guardd: taking limits and project ids off: %u orders\n", HASH_COUNT(guard->disk.orders));
            fflush(stdout);
            said = now;
        }
    }
}

static int count_standing(void *userdata, uint32_t slot, const struct LedgerEntry *entry)
{
    size_t *n = userdata;

    *n += entry->kind != ENTRY_KILL;
    return 0;
}

/* Returns an exit status. */
static int tell(struct Guard *guard)
{
    size_t projects = guard->disk.projects.n;
    bool swept = network_is_swept(&guard->network);
    size_t standing = 0;

    if (guard->ledger.fd >= 0)
        (void)ledger_for_each(&guard->ledger, count_standing, &standing);
    if (standing > 0)
        fprintf(stderr, "guardd: %zu actions could not be undone; the journal says which\n", standing);
    if (!swept)
        fprintf(stderr, "guardd: links may still have queues of guardd's%s%s\n",
                guard->network.trouble[0] != '\0' ? ": " : "", guard->network.trouble);
    if (projects > 0)
        fprintf(stderr,
                "guardd: %zu projects are still on files (without a limit where the filesystem is mounted); "
                "%s/projects says on which\n",
                projects, guard->place->state_dir);
    if (standing > 0 || !swept || projects > 0)
        return EXIT_FAILURE;
    puts("guardd: nothing of guardd is left on this host");
    return EXIT_SUCCESS;
}

static void take_off(struct Guard *guard)
{
    if (guard->disk.open) {
        (void)share_release_absent(&guard->disk);
        allowance_end_grace(&guard->disk);
    }
    /* Whatever the ledger knows of links. */
    if (guard->network.opened) {
        guard->network.inherited = guard->network.unclean = true;
        network_guard_reload(&guard->network);
    }
    run_until_done(guard);
}

static int cannot_begin(struct Config *config, int error)
{
    fprintf(stderr, "guardd: cannot begin: %s\n", strerror(-error));
    config_free(config);
    return EXIT_FAILURE;
}

int removal_run(const struct GuardPlace *place)
{
    _cleanup_free_ struct Guard *guard = calloc(1, sizeof(*guard));
    struct Config *config = NULL;
    sd_event *event = NULL;
    size_t n_classes;
    int r, status = EXIT_FAILURE;

    if (!guard)
        return cannot_begin(NULL, -ENOMEM);
    r = load_config(place->root, &config);
    if (r >= 0)
        r = sd_event_default(&event);
    if (r < 0)
        return cannot_begin(config, r);
    n_classes = config->policy.n_classes;
    config->policy.n_classes = 0;
    config->policy.mode = MODE_ENFORCE;
    guard->place = place;
    guard->clock = boot_clock;
    guard->answer = answer;
    guard->announced = announced;
    r = guard_open(guard, config, event);
    if (r >= 0) {
        take_off(guard);
        status = tell(guard);
    }
    history_write(&guard->history);
    if (r == -EBUSY)
        fputs("guardd: one is running: 'guardctl release --all' asks it, or stop it first\n", stderr);
    else if (r < 0)
        fprintf(stderr, "guardd: cannot begin: %s\n", strerror(-r));
    config->policy.n_classes = n_classes;
    guard_close(guard);
    sd_event_unref(event);
    return status;
}
