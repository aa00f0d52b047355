/* io.guardd.Guard as data: a comment, then the field or symbol it is for. Names are API: add, never rename.
 * What is not known is left out of a reply, never 0 in its place. Numbers that end in `Usec` are durations in
 * microseconds, `RealtimeUsec` points in time (microseconds since 1970-01-01 UTC). Texts that hold names from
 * outside are clean, see wire/text.h. */
#include "wire/interface.h"

#define MAYBE SD_VARLINK_NULLABLE
#define LIST SD_VARLINK_ARRAY
#define MAP SD_VARLINK_MAP

#define COMMENT(text) SD_VARLINK_FIELD_COMMENT(text)
#define TEXT(name, flags) SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, flags)
#define NUMBER(name, flags) SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_INT, flags)
#define FLAG(name) SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_BOOL, 0)
#define STRUCT(name, type, flags) SD_VARLINK_DEFINE_FIELD_BY_TYPE(name, type, flags)

#define IN_TEXT(name, flags) SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, flags)
#define IN_NUMBER(name, flags) SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_INT, flags)
#define IN_FLAG(name, flags) SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_BOOL, flags)
#define IN_STRUCT(name, type, flags) SD_VARLINK_DEFINE_INPUT_BY_TYPE(name, type, flags)
#define OUT_FLAG(name) SD_VARLINK_DEFINE_OUTPUT(name, SD_VARLINK_BOOL, 0)
#define OUT_TEXT(name, flags) SD_VARLINK_DEFINE_OUTPUT(name, SD_VARLINK_STRING, flags)
#define OUT_NUMBER(name, flags) SD_VARLINK_DEFINE_OUTPUT(name, SD_VARLINK_INT, flags)
#define OUT_STRUCT(name, type, flags) SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(name, type, flags)

/* clang-format off */

/* Types */

#define TENANT_FIELDS                                                                                        \
    COMMENT("docker/web, podman/db, user/alice, nginx.service, else the cgroup path"),                       \
    TEXT(name, 0),                                                                                           \
    COMMENT("The [Tenants NAME] section it falls in; left out when a reload left it none"),                  \
    TEXT(class, MAYBE),                                                                                      \
    COMMENT("ok, armed (a rule is pending or stands), throttled, frozen, freezing, thawing, ending, killing, "          \
            "released (left alone until a reload), exempt (by the rules, for a time), protected"),                                              \
    TEXT(state, 0),                                                                                          \
    COMMENT("No rule does anything to it, because an operator says so; left out when it is not so"),         \
    STRUCT(exemption, Exemption, MAYBE),                                                                     \
    COMMENT("Of the cgroup, from the root of the tree, no leading slash"),                                   \
    TEXT(path, 0),                                                                                           \
    COMMENT("Inode number of the cgroup directory: what identifies a tenant"),                               \
    NUMBER(cgroupId, 0),                                                                                     \
    COMMENT("Processes and threads now; left out when they cannot be counted"),                              \
    NUMBER(tasksCurrent, MAYBE),                                                                             \
    COMMENT("How many it may have; left out when there is no limit, or none is known"),                      \
    NUMBER(tasksMax, MAYBE),                                                                                 \
    COMMENT("Bytes of memory that are charged to it; left out when they were not measured"),                 \
    NUMBER(memoryUsed, MAYBE),                                                                               \
    COMMENT("The lower one of MemoryHigh and MemoryMax; left out when there is neither, or none is known"),  \
    NUMBER(memoryMax, MAYBE),                                                                                \
    COMMENT("What it used of one CPU since the last look, in hundredths of a percent (20000: two CPUs); left out " \
            "when it was not read twice"),                                                                   \
    NUMBER(cpuUsed, MAYBE),                                                                                  \
    COMMENT("How much it may use; left out when there is no limit, or none is known"),                       \
    NUMBER(cpuMax, MAYBE),                                                                                   \
    COMMENT("Part of the time since the last look that some of it waited for a CPU, in hundredths of a percent"), \
    NUMBER(cpuPressure, MAYBE),                                                                              \
    COMMENT("The same, for memory"),                                                                         \
    NUMBER(memoryPressure, MAYBE),                                                                           \
    COMMENT("The same, for I/O"),                                                                            \
    NUMBER(ioPressure, MAYBE),                                                                               \
    COMMENT("Bytes that its files take, on its fullest filesystem; left out when they are not counted"),     \
    NUMBER(diskUsed, MAYBE),                                                                                 \
    COMMENT("How many they may take; left out when there is no limit, or none is known"),                    \
    NUMBER(diskMax, MAYBE),                                                                                  \
    COMMENT("Files and directories it has there; left out when they are not counted"),                       \
    NUMBER(inodesUsed, MAYBE),                                                                               \
    COMMENT("How many it may have; left out when there is no limit, or none is known"),                      \
    NUMBER(inodesMax, MAYBE),                                                                                \
    COMMENT("Why nothing of it is guarded on disk although it should be, and what to do"),                   \
    TEXT(diskUnguarded, MAYBE),                                                                              \
    COMMENT("Bits per second that it sends; left out when its links are not known, or were not read twice of late"), \
    NUMBER(netEgress, MAYBE),                                                                                \
    COMMENT("How many it may send; left out when there is no limit, or none is known"),                      \
    NUMBER(netEgressMax, MAYBE),                                                                             \
    COMMENT("Bits per second that it gets"),                                                                 \
    NUMBER(netIngress, MAYBE),                                                                               \
    COMMENT("How many it may get"),                                                                          \
    NUMBER(netIngressMax, MAYBE),                                                                            \
    COMMENT("Packets to and from it that its links dropped since guardd keeps a rate on them"),              \
    NUMBER(netDropped, MAYBE),                                                                               \
    COMMENT("How many links of this host lead into its network namespace; left out when nobody has looked. "  \
            "Where there are some and netEgress is left out, they were read once: ask again after 250 ms"),    \
    NUMBER(netLinks, MAYBE),                                                                                 \
    COMMENT("Why what it sends and gets passes no link that could be shaped: host-network, macvlan, ipvlan, "  \
            "other-link, no-link, too-many-links; left out when it does, or when nobody has looked"),          \
    TEXT(netUnshaped, MAYBE)

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Exemption,
    COMMENT("When it ends by itself"),
    NUMBER(untilRealtimeUsec, 0),
    COMMENT("When it began"),
    NUMBER(sinceRealtimeUsec, 0),
    COMMENT("Whose wish it is"),
    NUMBER(uid, 0),
    COMMENT("The name of that user; left out when there is none"),
    TEXT(user, MAYBE),
    COMMENT("The process that asked for it"),
    NUMBER(pid, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Tenant,
    TENANT_FIELDS);

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    LimitValue,
    COMMENT("Left out when it is unlimited (infinity, \"max\")"),
    NUMBER(value, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Limit,
    COMMENT("systemd's directive: TasksMax"),
    TEXT(name, 0),
    COMMENT("What its values count: count, bytes, percent (of one CPU, in hundredths: 5000 is 50%), bytes/s, "
            "rate (per second), bits/s (on all links of its network namespace, which other tenants may share). What is "
            "else per second holds on each of the host's disks; of several values that of the disk with most is told"),
    TEXT(unit, 0),
    COMMENT("What the class asks for; left out when it asks for nothing"),
    STRUCT(asked, LimitValue, MAYBE),
    COMMENT("What an operator set it to, which goes before the class; left out when nobody did"),
    STRUCT(override, LimitValue, MAYBE),
    COMMENT("What the kernel enforces now; left out when it is not known"),
    STRUCT(inForce, LimitValue, MAYBE),
    COMMENT("What was there before guardd, and what release gives back; left out when guardd has set nothing"),
    STRUCT(found, LimitValue, MAYBE),
    COMMENT("Who asks for it: class, override (an operator), \"\" (nobody)"),
    TEXT(source, 0),
    COMMENT("Where the value in force comes from: override (an operator), class, systemd, runtime (that of a "
            "container, or systemd for it), other (somebody else), kernel (its default: no limit); left out when it is "
            "not known what is in force"),
    TEXT(origin, MAYBE),
    COMMENT("How much of what it bounds is used now; left out when that could not be measured"),
    NUMBER(used, MAYBE),
    COMMENT("The service manager was asked to set it and has not answered yet"),
    FLAG(waiting),
    COMMENT("Why it is not as it is asked for"),
    TEXT(note, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Override,
    COMMENT("The limit: TasksMax"),
    TEXT(limit, 0),
    COMMENT("What it was set to"),
    STRUCT(value, LimitValue, 0),
    COMMENT("persistent (for good), runtime (until the next boot), timed (until untilRealtimeUsec)"),
    TEXT(layer, 0),
    COMMENT("Ends with the boot; of a timed one at the latest"),
    FLAG(runtime),
    COMMENT("It is what is asked for; the others of this limit lie below it, and are asked for when it has ended"),
    FLAG(topmost),
    COMMENT("Who set it: the user's id ..."),
    NUMBER(uid, 0),
    COMMENT("... and name, where /etc/passwd has it"),
    TEXT(user, MAYBE),
    COMMENT("By which process; for root and OperatorGroup= only"),
    NUMBER(pid, MAYBE),
    COMMENT("Its command line; for root and OperatorGroup= only"),
    TEXT(command, MAYBE),
    COMMENT("When"),
    NUMBER(setRealtimeUsec, 0),
    COMMENT("When it ends, of a timed one"),
    NUMBER(untilRealtimeUsec, MAYBE),
    COMMENT("In how long; 0: it is ending"),
    NUMBER(leftUsec, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    LimitSetting,
    COMMENT("A limit by its name: DiskSpaceMax"),
    TEXT(name, 0),
    COMMENT("As people write it: 20G, 200k, infinity"),
    TEXT(value, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Directory,
    COMMENT("On the host"),
    TEXT(path, 0),
    COMMENT("layer (what a container writes to its root), runtime (the runtime's own for it: its log), volume, "
            "path (DiskPath= of the class)"),
    TEXT(kind, 0),
    COMMENT("out (does not count), waiting (to be tagged), tagging, counted"),
    TEXT(state, 0),
    COMMENT("Why it does not count, or not all of it"),
    TEXT(why, MAYBE),
    COMMENT("Files and directories met when it was last tagged or checked, or so far"),
    NUMBER(seen, 0),
    COMMENT("How many of them had not the tenant's project; a check without repair only counts them"),
    NUMBER(changed, 0),
    COMMENT("How many of them were left as they are: with names elsewhere, or another's project"),
    NUMBER(passedOver, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    DiskShare,
    COMMENT("The filesystem: mount point, device, UUID or label"),
    TEXT(where, 0),
    COMMENT("The project id by which the kernel counts the tenant's files there"),
    NUMBER(project, 0),
    COMMENT("Bytes; left out when the usage could not be read"),
    NUMBER(diskUsed, MAYBE),
    COMMENT("The hard limit; left out when there is none"),
    NUMBER(diskMax, MAYBE),
    COMMENT("The tripwire: the kernel announces when it is crossed"),
    NUMBER(diskWarn, MAYBE),
    COMMENT("Files and directories; left out when the usage could not be read"),
    NUMBER(inodesUsed, MAYBE),
    COMMENT("The hard limit; left out when there is none"),
    NUMBER(inodesMax, MAYBE),
    COMMENT("The tripwire"),
    NUMBER(inodesWarn, MAYBE),
    COMMENT("Bytes that the filesystem has left, for all"),
    NUMBER(diskFree, MAYBE),
    COMMENT("Bytes that it has"),
    NUMBER(diskSize, MAYBE),
    COMMENT("Inodes that it has left"),
    NUMBER(inodesFree, MAYBE),
    COMMENT("Inodes that it can have"),
    NUMBER(inodesSize, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    NetworkLink,
    COMMENT("The end that is here, of a pair whose other one is in its network namespace"),
    TEXT(name, 0),
    COMMENT("Its number"),
    NUMBER(ifindex, 0),
    COMMENT("Bits per second that the tenant may send there; left out when there is no limit"),
    NUMBER(egressMax, MAYBE),
    COMMENT("Packets of it that were dropped for that since it is kept"),
    NUMBER(egressDropped, MAYBE),
    COMMENT("Bits per second that it may get there; left out when there is no limit"),
    NUMBER(ingressMax, MAYBE),
    COMMENT("Packets for it that were dropped for that since it is kept"),
    NUMBER(ingressDropped, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Network,
    COMMENT("The links of this host that lead into its network namespace"),
    STRUCT(links, NetworkLink, LIST),
    COMMENT("How many other tenants are in that namespace: all of them together have one rate, the lowest that "
            "is set for any of them"),
    NUMBER(sharers, 0),
    COMMENT("One of them"),
    TEXT(sharer, MAYBE),
    COMMENT("Why it is not shaped, as in netUnshaped, as a sentence"),
    TEXT(unshaped, MAYBE),
    COMMENT("How often somebody has taken away what keeps its rates, and it was put back"),
    NUMBER(repaired, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Reading,
    COMMENT("As rules name it: tasks.current"),
    TEXT(name, 0),
    COMMENT("\"\" for a plain count"),
    TEXT(unit, 0),
    COMMENT("One line that explains it"),
    TEXT(meaning, 0),
    COMMENT("Left out when it could not be taken"),
    NUMBER(value, MAYBE),
    COMMENT("What a percentage of it is of; left out when there is no limit"),
    NUMBER(limit, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    RuleState,
    COMMENT("The [Rule NAME] section"),
    TEXT(name, 0),
    COMMENT("idle (When does not hold), pending (it holds, but not for long enough), acting (a step is on its "
            "way), standing (the step is in force), releasing (the inverse is on its way)"),
    TEXT(phase, 0),
    COMMENT("The condition, as configured"),
    TEXT(when, 0),
    COMMENT("The condition that ends it"),
    TEXT(until, 0),
    COMMENT("All steps of the rule, each with how long it lasts"),
    TEXT(steps, LIST),
    COMMENT("The step it is at: warn, throttle, freeze, terminate, kill; only in the phases acting and standing"),
    TEXT(step, MAYBE),
    COMMENT("For how long When has held"),
    NUMBER(heldUsec, MAYBE),
    COMMENT("For how long the step has stood, or since it was last tried"),
    NUMBER(stepUsec, MAYBE),
    COMMENT("The step that comes next, while the condition lasts"),
    TEXT(nextStep, MAYBE),
    COMMENT("In how long; 0 when it is due"),
    NUMBER(nextStepUsec, MAYBE),
    COMMENT("For how long Until has held"),
    NUMBER(untilHeldUsec, MAYBE),
    COMMENT("The step did not take and is not in force"),
    FLAG(stepFailed),
    COMMENT("A kill is due but held back: protected, or the kill budget is spent"),
    FLAG(withheld),
    COMMENT("Offences of this tenant's name that are remembered, this one not counted"),
    NUMBER(repeats, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Decision,
    COMMENT("warn, throttle, unthrottle, freeze, thaw, terminate, kill, limit, unlimit"),
    TEXT(verb, 0),
    COMMENT("rule, relief (the danger has passed), operator, class (a limit it asks for), stop, recovery "
            "(taken up from the run before)"),
    TEXT(cause, 0),
    COMMENT("The rule that decided it"),
    TEXT(rule, MAYBE),
    COMMENT("The operator's user id, where the cause is operator"),
    NUMBER(uid, MAYBE),
    COMMENT("The limit meant, for limit and unlimit"),
    TEXT(limit, MAYBE),
    COMMENT("Its value, for limit"),
    STRUCT(value, LimitValue, MAYBE),
    COMMENT("What it is slowed down in, for throttle and unthrottle: memory, cpu, io"),
    TEXT(resource, MAYBE),
    COMMENT("To this share of what it uses, for throttle"),
    NUMBER(percent, MAYBE),
    COMMENT("A sentence: reading, threshold, what was passed over"),
    TEXT(reason, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Outcome,
    COMMENT("pending, done (and verified), failed (what was begun is undone), observed (Mode=observe: would "
            "have been done), skipped (there was nothing to do), superseded, gone (the cgroup vanished first)"),
    TEXT(result, 0),
    COMMENT("The errno of failed, positive"),
    NUMBER(error, MAYBE),
    COMMENT("From the decision to the confirmation"),
    NUMBER(tookUsec, 0),
    COMMENT("A sentence where there is more to say"),
    TEXT(text, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Event,
    COMMENT("Counts up from 1 in each run of guardd"),
    NUMBER(sequence, 0),
    COMMENT("appeared (guarded from now on), vanished, decision (about to be carried out), outcome, notice (of "
            "guardd itself), configuration, change (an operator asks for something)"),
    TEXT(kind, 0),
    COMMENT("As in syslog: 0 emerg ... 7 debug"),
    NUMBER(priority, 0),
    COMMENT("When"),
    NUMBER(realtimeUsec, 0),
    COMMENT("Left out when it concerns the host"),
    TEXT(tenant, MAYBE),
    COMMENT("Of the tenant"),
    NUMBER(cgroupId, MAYBE),
    COMMENT("Class of the tenant"),
    TEXT(class, MAYBE),
    COMMENT("Cgroup path of the tenant"),
    TEXT(path, MAYBE),
    COMMENT("Of decision and outcome: by which the one is found to the other, and guardctl explain finds both; no "
            "other action has it, whenever guardd was started"),
    TEXT(action, MAYBE),
    COMMENT("Of decision and outcome"),
    STRUCT(decision, Decision, MAYBE),
    COMMENT("Of outcome"),
    STRUCT(outcome, Outcome, MAYBE),
    COMMENT("Of change: the operator's user id ..."),
    NUMBER(uid, MAYBE),
    COMMENT("... and name, where /etc/passwd has it"),
    TEXT(user, MAYBE),
    COMMENT("All of it as one sentence for people"),
    TEXT(sentence, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Throttle,
    COMMENT("memory, cpu, io"),
    TEXT(resource, 0),
    COMMENT("Of the cgroup: cpu.max"),
    TEXT(file, 0),
    COMMENT("What was there before, and is written back at its end"),
    TEXT(found, 0),
    COMMENT("What is in force, or on its way"),
    TEXT(value, 0),
    COMMENT("Who wants it: names of rules, or operator; empty while it begins"),
    TEXT(by, LIST));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    TenantDetails,
    TENANT_FIELDS,
    COMMENT("The service manager's unit of this cgroup"),
    TEXT(unit, MAYBE),
    COMMENT("The whole container id, where it is one"),
    TEXT(containerId, MAYBE),
    COMMENT("The Protect= glob or the reason why it is never acted on"),
    TEXT(protectedBy, MAYBE),
    COMMENT("It holds guardd, PID 1 or what they need: it gets no limits either"),
    FLAG(untouchable),
    COMMENT("An operator released it: left alone until a reload"),
    FLAG(released),
    COMMENT("For how long it has been guarded"),
    NUMBER(guardedUsec, 0),
    COMMENT("How old the readings are"),
    NUMBER(readingsUsec, MAYBE),
    COMMENT("Every limit guardd knows"),
    STRUCT(limits, Limit, LIST),
    COMMENT("Every reading guardd takes"),
    STRUCT(readings, Reading, LIST),
    COMMENT("Every rule of its class"),
    STRUCT(rules, RuleState, LIST),
    COMMENT("Who keeps it frozen: names of rules, or operator"),
    TEXT(frozenBy, LIST),
    COMMENT("Each line of its cgroup's files that slows it down"),
    STRUCT(throttles, Throttle, LIST),
    COMMENT("The action whose outcome is awaited"),
    STRUCT(underWay, Decision, MAYBE),
    COMMENT("Everything on disk that belongs to it, or would if it could"),
    STRUCT(directories, Directory, LIST),
    COMMENT("What is counted for it, on each filesystem"),
    STRUCT(shares, DiskShare, LIST),
    COMMENT("Its network, as far as guardd has looked at it: where nobody asks for anything of it, a look makes "
            "it look"),
    STRUCT(network, Network, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    TenantMetrics,
    COMMENT("As of Tenant"),
    TEXT(name, 0),
    COMMENT("As of Tenant"),
    TEXT(class, MAYBE),
    COMMENT("As of Tenant"),
    TEXT(state, 0),
    COMMENT("As of Tenant"),
    TEXT(path, 0),
    COMMENT("What was measured, by the names of readings, in their units (percent in hundredths: 5000 is 50%). "
            "What is counted since the last look is not here"),
    NUMBER(readings, MAP),
    COMMENT("What is counted (tasks.denied and its like), since guardd first looked at it"),
    NUMBER(totals, MAP),
    COMMENT("What the kernel enforces, by the names of limits, in their units; unlimited ones are left out"),
    NUMBER(limits, MAP),
    COMMENT("As of Tenant: where there are some and net.egress is not among the readings, they were read once"),
    NUMBER(netLinks, MAYBE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    ActionCount,
    COMMENT("As of Decision"),
    TEXT(verb, 0),
    COMMENT("As of Outcome"),
    TEXT(result, 0),
    COMMENT("How often, in this run of guardd"),
    NUMBER(count, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Finding,
    COMMENT("Guarding needs nothing more here"),
    FLAG(ok),
    COMMENT("What was looked for: pids controller"),
    TEXT(what, 0),
    COMMENT("What was found; when it is not ok also what follows from that and what to do"),
    TEXT(text, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Health,
    COMMENT("fine (all is guarded, and nothing stands), holding (somebody is held, slowed or under suspicion), "
            "impaired (something that guardd would do it cannot, or will not), unguarded (it would do nothing)"),
    TEXT(state, 0),
    COMMENT("For people"),
    TEXT(sentence, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
    Problem,
    COMMENT("The file"),
    TEXT(file, MAYBE),
    COMMENT("Left out when it is of no single line"),
    NUMBER(line, MAYBE),
    COMMENT("What is wrong"),
    TEXT(what, 0),
    COMMENT("What would be right"),
    TEXT(right, MAYBE));

/* Methods that look */

static SD_VARLINK_DEFINE_METHOD(
    GetStatus,
    COMMENT("Is the host fine, or what is not"),
    OUT_STRUCT(health, Health, 0),
    COMMENT("enforce, or observe: decide and record, act on nothing"),
    OUT_TEXT(mode, 0),
    COMMENT("Mode= of the configuration, which a reload comes back to"),
    OUT_TEXT(configuredMode, 0),
    COMMENT("Who has changed the mode live; left out when nobody has, since the start or a reload"),
    OUT_NUMBER(modeUid, MAYBE),
    COMMENT("The name of that user"),
    OUT_TEXT(modeUser, MAYBE),
    COMMENT("And when"),
    OUT_NUMBER(modeRealtimeUsec, MAYBE),
    COMMENT("Of guardd"),
    OUT_TEXT(version, 0),
    COMMENT("The cgroup v2 tree that is guarded"),
    OUT_TEXT(cgroupRoot, 0),
    COMMENT("When this run began"),
    OUT_NUMBER(startedRealtimeUsec, 0),
    COMMENT("How many tenants are guarded"),
    OUT_NUMBER(tenants, 0),
    COMMENT("How many of them are kept frozen now"),
    OUT_NUMBER(standing, 0),
    COMMENT("How many of them are slowed down now"),
    OUT_NUMBER(throttled, 0),
    COMMENT("How many of them no rule does anything to, because an operator says so"),
    OUT_NUMBER(exempt, 0),
    COMMENT("Kills that the budget still allows now"),
    OUT_NUMBER(killsLeft, 0),
    COMMENT("KillBudget=: so many kills ..."),
    OUT_NUMBER(killsLimit, 0),
    COMMENT("... in so long"),
    OUT_NUMBER(killsWindowUsec, 0),
    COMMENT("What this host offers to a guard; what is not ok cannot be watched or done"),
    OUT_STRUCT(findings, Finding, LIST),
    COMMENT("What is degraded now, a sentence each"),
    OUT_TEXT(notices, LIST));

static SD_VARLINK_DEFINE_METHOD(
    GetMetrics,
    COMMENT("What was done in this run of guardd; what never came about is left out"),
    OUT_STRUCT(actions, ActionCount, LIST),
    COMMENT("Decisions that fell short: a kill was due and held back"),
    OUT_NUMBER(withheld, 0),
    COMMENT("Of the history, in this run"),
    OUT_NUMBER(events, 0),
    COMMENT("Events that the journal did not get"),
    OUT_NUMBER(eventsLost, 0),
    COMMENT("Sorted by name, measured afresh"),
    OUT_STRUCT(tenants, TenantMetrics, LIST));

static SD_VARLINK_DEFINE_METHOD(
    ListTenants,
    COMMENT("Only those of this class"),
    IN_TEXT(class, MAYBE),
    COMMENT("Sorted by name, measured afresh"),
    OUT_STRUCT(tenants, Tenant, LIST));

#define TENANT_ARGUMENT                                                                                      \
    COMMENT("A name, a cgroup path, an unambiguous start of a container id (4 digits or more), a unit name, "\
            "or what stands behind the slash of a name"),                                                    \
    IN_TEXT(tenant, 0)

static SD_VARLINK_DEFINE_METHOD(
    ShowTenant,
    TENANT_ARGUMENT,
    COMMENT("All that is known of it, measured afresh"),
    OUT_STRUCT(details, TenantDetails, 0),
    COMMENT("What operators have set of it, of each limit the topmost first"),
    OUT_STRUCT(overrides, Override, LIST),
    COMMENT("Of overrides: another one after each change, see SetLimits; 0 when there never was one"),
    OUT_NUMBER(version, 0),
    COMMENT("Its newest events, at most 20, the newest last"),
    OUT_STRUCT(events, Event, LIST));

static SD_VARLINK_DEFINE_METHOD_FULL(
    Watch, SD_VARLINK_REQUIRES_MORE,
    COMMENT("Of each event only what a line for people needs is told, in place of `event`: whoever waits for "
            "that line has it sooner"),
    IN_FLAG(brief, MAYBE),
    COMMENT("Left out of the first reply, which comes at once and says that the watch stands"),
    OUT_STRUCT(event, Event, MAYBE),
    COMMENT("Where it was asked for briefly: as in an Event"),
    OUT_NUMBER(priority, MAYBE),
    COMMENT("Likewise"),
    OUT_NUMBER(realtimeUsec, MAYBE),
    COMMENT("Likewise; left out when it concerns the host"),
    OUT_TEXT(tenant, MAYBE),
    COMMENT("Likewise"),
    OUT_TEXT(sentence, MAYBE));

static SD_VARLINK_DEFINE_METHOD_FULL(
    Trace, SD_VARLINK_REQUIRES_MORE,
    COMMENT("Each a line of a file for `guardctl replay`; the first one of all is the header"),
    SD_VARLINK_DEFINE_OUTPUT(entries, SD_VARLINK_OBJECT, LIST));

/* Methods that change something */

#define ACTION_FIELDS                                                                                        \
    TENANT_ARGUMENT,                                                                                         \
    COMMENT("The name of the tenant that was meant"),                                                        \
    OUT_TEXT(name, 0),                                                                                       \
    COMMENT("What came of it"),                                                                              \
    OUT_STRUCT(outcome, Outcome, 0)

static SD_VARLINK_DEFINE_METHOD(Freeze, ACTION_FIELDS);
static SD_VARLINK_DEFINE_METHOD(Thaw, ACTION_FIELDS);
static SD_VARLINK_DEFINE_METHOD(Kill, ACTION_FIELDS);

static SD_VARLINK_DEFINE_METHOD(
    Throttle,
    COMMENT("memory, cpu or io; left out: cpu"),
    IN_TEXT(resource, MAYBE),
    COMMENT("To this share of what it uses by its last look, 1 to 99; left out: 50"),
    IN_NUMBER(percent, MAYBE),
    ACTION_FIELDS);

static SD_VARLINK_DEFINE_METHOD(
    Release,
    TENANT_ARGUMENT,
    COMMENT("The name of the tenant that was meant"),
    OUT_TEXT(name, 0),
    COMMENT("A sentence where there is more to say"),
    OUT_TEXT(text, MAYBE));

static SD_VARLINK_DEFINE_METHOD(
    ReleaseAll,
    COMMENT("How many tenants something was taken off, or that are left alone now"),
    OUT_NUMBER(released, 0),
    COMMENT("A sentence where there is more to say"),
    OUT_TEXT(text, MAYBE));

#define LIMITS_REPLY                                                                                         \
    COMMENT("The name of the tenant that was meant"),                                                        \
    OUT_TEXT(name, 0),                                                                                       \
    COMMENT("Every limit guardd knows, as it is now"),                                                       \
    OUT_STRUCT(limits, Limit, LIST),                                                                         \
    COMMENT("What operators have set, of each limit the topmost first"),                                     \
    OUT_STRUCT(overrides, Override, LIST),                                                                   \
    COMMENT("Of overrides: another one after each change"),                                                  \
    OUT_NUMBER(version, 0),                                                                                  \
    COMMENT("A sentence where there is more to say"),                                                        \
    OUT_TEXT(text, MAYBE)

#define VERSION_ARGUMENT                                                                                     \
    COMMENT("Only when this is the version of the tenant's overrides; else LimitsChanged"),                  \
    IN_NUMBER(ifVersion, MAYBE)

static SD_VARLINK_DEFINE_METHOD(
    SetLimits,
    TENANT_ARGUMENT,
    COMMENT("Each limit at most once"),
    IN_STRUCT(limits, LimitSetting, LIST),
    COMMENT("Until the next boot, else for good"),
    IN_FLAG(runtime, MAYBE),
    COMMENT("For so long (left out, or 0: no end), also over a reboot unless `runtime` is given; then what lies below "
            "counts again"),
    IN_NUMBER(forUsec, MAYBE),
    VERSION_ARGUMENT,
    LIMITS_REPLY);

static SD_VARLINK_DEFINE_METHOD(
    ResetLimits,
    TENANT_ARGUMENT,
    COMMENT("Of the limits; all when it is empty or left out"),
    IN_TEXT(names, LIST | MAYBE),
    VERSION_ARGUMENT,
    LIMITS_REPLY);

static SD_VARLINK_DEFINE_METHOD(
    CheckTenant,
    TENANT_ARGUMENT,
    COMMENT("Give the tenant's project to what has another one or none"),
    IN_FLAG(repair, MAYBE),
    COMMENT("The name of the tenant that was meant"),
    OUT_TEXT(name, 0),
    COMMENT("Everything on disk that belongs to it, with what was found there"),
    OUT_STRUCT(directories, Directory, LIST),
    COMMENT("Every file that should count for it does, now"),
    OUT_FLAG(clean),
    COMMENT("A sentence where there is more to say"),
    OUT_TEXT(text, MAYBE));

static SD_VARLINK_DEFINE_METHOD(
    SetMode,
    COMMENT("enforce, or observe"),
    IN_TEXT(mode, 0),
    COMMENT("The one that is in force now"),
    OUT_TEXT(mode, 0));

#define EXEMPTION_REPLY                                                                                      \
    COMMENT("The name of the tenant that was meant"),                                                        \
    OUT_TEXT(name, 0),                                                                                       \
    COMMENT("As it is now; left out when there is none"),                                                    \
    OUT_STRUCT(exemption, Exemption, MAYBE),                                                                 \
    COMMENT("A sentence where there is more to say"),                                                        \
    OUT_TEXT(text, MAYBE)

static SD_VARLINK_DEFINE_METHOD(
    Exempt,
    TENANT_ARGUMENT,
    COMMENT("For how long from now on, at most 31 days"),
    IN_NUMBER(forUsec, 0),
    EXEMPTION_REPLY);

static SD_VARLINK_DEFINE_METHOD(
    EndExemption,
    TENANT_ARGUMENT,
    EXEMPTION_REPLY);

static SD_VARLINK_DEFINE_METHOD(Reload);

/* Errors */

#define MESSAGE COMMENT("A sentence for people"), TEXT(message, 0)

static SD_VARLINK_DEFINE_ERROR(NoSuchTenant, MESSAGE);
static SD_VARLINK_DEFINE_ERROR(
    AmbiguousTenant,
    MESSAGE,
    COMMENT("The tenants it could mean: names, or the path of one whose very name was given"),
    TEXT(candidates, LIST));
static SD_VARLINK_DEFINE_ERROR(
    NoSuchClass,
    MESSAGE,
    COMMENT("The classes of the configuration in force"),
    TEXT(classes, LIST));
static SD_VARLINK_DEFINE_ERROR(
    InvalidLimit,
    MESSAGE,
    COMMENT("The limit it is about, as it was given; left out when it is about none"),
    TEXT(name, MAYBE),
    COMMENT("What would be right"),
    TEXT(right, 0));
static SD_VARLINK_DEFINE_ERROR(
    LimitsChanged,
    MESSAGE,
    COMMENT("The version now"),
    NUMBER(version, 0));
static SD_VARLINK_DEFINE_ERROR(PermissionDenied, MESSAGE);
static SD_VARLINK_DEFINE_ERROR(Refused, MESSAGE);
static SD_VARLINK_DEFINE_ERROR(ActionFailed, MESSAGE);
static SD_VARLINK_DEFINE_ERROR(
    InvalidConfiguration,
    MESSAGE,
    COMMENT("Everything that is wrong"),
    STRUCT(problems, Problem, LIST));

#define MAY_LOOK " root and members of OperatorGroup= and ViewerGroup= may call it."
#define MAY_CHANGE " root and members of OperatorGroup= may call it."
#define SYMBOL(comment, symbol) SD_VARLINK_SYMBOL_COMMENT(comment), &vl_##symbol

SD_VARLINK_DEFINE_INTERFACE(
    io_guardd_Guard, WIRE_INTERFACE,
    SD_VARLINK_INTERFACE_COMMENT(
        "guardd keeps one tenant from taking the host down. This shows what it sees and does, and lets an operator "
        "act by hand, the same way a rule acts: protected tenants stay protected, and every outcome is verified."),
    SYMBOL("The host: mode, tenants, kill budget, what cannot be watched here." MAY_LOOK, method_GetStatus),
    SYMBOL("All that a monitoring system wants, at once: every tenant's readings and limits, and guardd's own "
           "counters." MAY_LOOK,
           method_GetMetrics),
    SYMBOL("A row per tenant." MAY_LOOK, method_ListTenants),
    SYMBOL("One tenant: limits, readings, rules, its newest events." MAY_LOOK, method_ShowTenant),
    SYMBOL("Every event as it happens, until the caller hangs up. A caller that stops reading is hung up on." MAY_LOOK,
           method_Watch),
    SYMBOL("What was read and decided lately, the oldest first: what replaying it needs, in many replies." MAY_CHANGE,
           method_Trace),
    SYMBOL("Freezes a tenant until it is thawed by hand; answers when the kernel has confirmed it." MAY_CHANGE,
           method_Freeze),
    SYMBOL("Thaws a tenant, whoever froze it, and takes its throttles off; a rule whose condition still holds may "
           "freeze or throttle it again." MAY_CHANGE,
           method_Thaw),
    SYMBOL("Slows a tenant down in one resource until it is thawed by hand; answers when the kernel has confirmed it."
           MAY_CHANGE,
           method_Throttle),
    SYMBOL("Kills every process of a tenant; answers when the cgroup is empty." MAY_CHANGE, method_Kill),
    SYMBOL("Takes guardd's actions and limits off a tenant and leaves it alone until a reload." MAY_CHANGE,
           method_Release),
    SYMBOL("The same for every tenant, and for what is left of tenants that are gone." MAY_CHANGE, method_ReleaseAll),
    SYMBOL("Sets limits of a tenant while it runs, all of them or none; answers when they are in force. A value below "
           "the present use is taken: it stops growth. What is set last counts: it ends what was set for a shorter "
           "time." MAY_CHANGE,
           method_SetLimits),
    SYMBOL("Takes back what SetLimits set: the class counts again." MAY_CHANGE, method_ResetLimits),
    SYMBOL("Walks everything of a tenant on disk: does every file count for it? Answers when the walk is done, which "
           "may take minutes." MAY_CHANGE,
           method_CheckTenant),
    SYMBOL("Guards in earnest, or only looks on, until a reload or the end of this run. Going to observe, what stands is "
           "let go; limits stay as they are." MAY_CHANGE,
           method_SetMode),
    SYMBOL("No rule does anything to a tenant for a time, after which it is guarded again by itself. What stands on it "
           "is taken off, its limits stay. It goes by the tenant's name, over restarts and reboots." MAY_CHANGE,
           method_Exempt),
    SYMBOL("The rules hold for a tenant again." MAY_CHANGE, method_EndExemption),
    SYMBOL("Reads the configuration anew. What is wrong with it changes nothing." MAY_CHANGE, method_Reload),
    SYMBOL("A tenant, as a row of a list", type_Tenant),
    SYMBOL("All that is known of a tenant", type_TenantDetails),
    SYMBOL("The value of a limit", type_LimitValue),
    SYMBOL("A value that the kernel enforces for a tenant", type_Limit),
    SYMBOL("A limit as an operator has set it", type_Override),
    SYMBOL("A limit to be set", type_LimitSetting),
    SYMBOL("A directory that belongs to a tenant, or would if it could", type_Directory),
    SYMBOL("What a filesystem counts for a tenant", type_DiskShare),
    SYMBOL("What a tenant has of the network", type_Network),
    SYMBOL("A link of this host that leads to a tenant", type_NetworkLink),
    SYMBOL("One measured value of a tenant", type_Reading),
    SYMBOL("Where a rule stands with a tenant", type_RuleState),
    SYMBOL("A line of a cgroup file that slows a tenant down", type_Throttle),
    SYMBOL("What is wanted done, and why", type_Decision),
    SYMBOL("What really came of a decision", type_Outcome),
    SYMBOL("One line of the history", type_Event),
    SYMBOL("What a monitoring system wants of a tenant", type_TenantMetrics),
    SYMBOL("How often something was done, with what result", type_ActionCount),
    SYMBOL("One thing that guarding needs, and whether this host has it", type_Finding),
    SYMBOL("Is the host fine, or what is not", type_Health),
    SYMBOL("That no rule does anything to a tenant, for a time", type_Exemption),
    SYMBOL("One thing that is wrong with the configuration", type_Problem),
    SYMBOL("No tenant is called so", error_NoSuchTenant),
    SYMBOL("Several tenants could be meant", error_AmbiguousTenant),
    SYMBOL("No [Tenants NAME] section is called so", error_NoSuchClass),
    SYMBOL("There is no such limit, or it cannot have this value; nothing was changed", error_InvalidLimit),
    SYMBOL("Somebody was quicker: the version is not the one given, nothing was changed; the message says what has "
           "changed, and by whom",
           error_LimitsChanged),
    SYMBOL("The caller may not do this; the message names the group to join", error_PermissionDenied),
    SYMBOL("Not done, on purpose: the tenant is protected, or the like", error_Refused),
    SYMBOL("Tried, but it did not take; what was begun is undone", error_ActionFailed),
    SYMBOL("The configuration is wrong; the one in force stays in force", error_InvalidConfiguration));
