#!/usr/bin/env python3
"""What the shells offer: `guardctl __complete`, and the completions of bash, zsh and fish, each by its own shell."""

from answers import *

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../completion")
NAMES = ["docker/web", "docker/with a blank", "podman/db", r"system-getty\x2d.slice", "user/alice"]
LIMITS = ["TasksMax", "DiskSpaceMax", "MemoryMax", "CPUWeight", "NetworkEgressMax"]


def rows_of(names=NAMES):
    return {"tenants": [row(name, **{"class": "users" if name.startswith("user/") else "containers"}) for name in names]}


def complete(guardd, *words):
    """What guardctl says to the shells: {candidate: description}"""
    run = subprocess.run([GUARDCTL, "__complete", *words], capture_output=True, text=True, timeout=DEADLINE,
                         env={**os.environ, "GUARDD_SOCKET": guardd.path})
    same(run.returncode, 0, "exit")
    return dict(line.partition("\t")[::2] for line in run.stdout.splitlines())


def shell(guardd, program, *command):
    if not shutil.which(program):
        raise Skip(f"there is no {program}")
    path = os.path.dirname(GUARDCTL) + ":" + os.environ["PATH"]
    run = subprocess.run([program, *command], capture_output=True, text=True, timeout=DEADLINE, cwd=guardd.dir,
                         stdin=subprocess.DEVNULL,
                         env={**os.environ, "GUARDD_SOCKET": guardd.path, "PATH": path, "HOME": guardd.dir, "TERM": "dumb"})
    same((run.returncode, run.stderr), (0, ""), program)
    return run.stdout.splitlines()


@test
def verbs_and_options():
    """every verb and every option that help names is offered, and an option by its verbs alone"""
    with Answers() as guardd:
        text = guardd.ctl("--help")
        verbs, options = re.findall(r"^  ([a-z]+) ", text, re.M), re.findall(r"^  (--[a-z-]+=?)", text, re.M)
        check("show" in verbs and "--json" in options, "there are some")
        same(list(complete(guardd, "")), verbs, "verbs")
        same(complete(guardd, "st"), {"status": complete(guardd, "")["status"]}, "those that begin so")
        same(sorted(complete(guardd, "-")), sorted(options), "options")
        check("--runtime" in complete(guardd, "set", "--"), "its own")
        check("--runtime" not in complete(guardd, "show", "--"), "not another's")
        same(complete(guardd, "nonsense", "x", "s").keys() >= {"set"}, True, "what is no verb does not stop it")
        same(guardd.calls, [], "nobody is asked")


@test
def each_argument():
    """each kind of argument has its candidates, of every verb that names it"""
    with Answers(ListTenants=rows_of()) as guardd:
        kinds = {"TENANT": set(NAMES), "CLASS": {"containers", "users"}, "FILE": {":files"},
                 "KEY=VALUE": {f"{limit}=" for limit in LIMITS}, "KEY": set(LIMITS), "RESOURCE": {"cpu", "memory", "io"}}
        met = set()
        for verb in complete(guardd, ""):
            usage = guardd.ctl("--help", verb).splitlines()[0].split()[2:]
            for place, argument in enumerate(usage):
                for kind in re.split(r"\||\.\.\.", argument.strip("[]")):
                    if kind in kinds:
                        met.add(kind)
                        found = set(complete(guardd, verb, *["x"] * place, ""))
                        check(kinds[kind] <= found, f"{verb} {argument}: {found}")
        same(met, set(kinds), "all of them were met")
        same(set(complete(guardd, "set", "docker/web", "TasksMax=5", "Memory")),
             {"MemoryHigh=", "MemoryMax=", "MemorySwapMax="}, "a key after a key")
        same(set(complete(guardd, "set", "docker/web", "MemoryMax=")), {"MemoryMax=infinity"}, "a value")
        same(complete(guardd, "show", "docker/web", ""), {}, "no more than there may be")
        same(set(complete(guardd, "--socket", guardd.path, "show", "podman/")), {"podman/db"}, "a value is no verb")
        same(complete(guardd, "--socket=" + guardd.path + "x", "show", ""), {}, "another socket, where nobody listens")
        same(set(complete(guardd, "--socket=")), {":files"}, "an option's value")
        guardd.calls.clear()
        same(complete(guardd, "--host=root@web1", "show", ""), {}, "nobody is asked for a password")
        same(guardd.calls, [], "nor is this host asked")


BASH = r"""
. "$1/guardctl.bash"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
_guardctl guardctl
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
"""


@test
def in_bash():
    """bash: names as they have to be typed, what stands behind a `=`, files"""
    with Answers(ListTenants=rows_of()) as guardd:
        def offered(line):
            return shell(guardd, "bash", "--norc", "-c", BASH, "bash", DIRECTORY, line)

        check("status" in offered("guardctl ") and "freeze" in offered("guardctl "), "verbs")
        same(offered("guardctl sh"), ["show"], "a verb")
        same(offered("guardctl show docker/"), ["docker/web", r"docker/with\ a\ blank"], "names")
        same(offered("guardctl show system"), [r"system-getty\\x2d.slice"], "a name that has to be quoted")
        same(offered("guardctl set docker/web IOR"), ["IOReadBandwidthMax=", "IOReadIOPSMax="], "keys")
        same(offered("guardctl set docker/web TasksMax="), ["infinity"], "behind the =")
        same(offered("guardctl metrics --t"), ["--textfile="], "options")
        same(offered("guardctl check"), ["check"], "no blank yet")
        open(os.path.join(guardd.dir, "a.conf"), "w").close()
        same(offered("guardctl check a"), ["a.conf"], "files")
        same(offered("guardctl metrics --textfile=a"), ["a.conf"], "files behind the =")


@test
def in_fish():
    """fish: names with their states, files"""
    with Answers(ListTenants=rows_of()) as guardd:
        def offered(line):
            return shell(guardd, "fish", "--no-config", "-c", 'source $argv[1]/guardctl.fish; complete -C $argv[2]',
                         DIRECTORY, line)

        same(offered("guardctl show docker/"), ["docker/web\tok", "docker/with a blank\tok"], "names")
        same(offered("guardctl stat")[0].split("\t")[0], "status", "a verb")
        same(offered("guardctl throttle podman/db m"), ["memory"], "a resource")
        check("--repair" in "\n".join(offered("guardctl check --")), "options")
        open(os.path.join(guardd.dir, "a.conf"), "w").close()
        same([line.split("\t")[0] for line in offered("guardctl check a")], ["a.conf"], "files")
        same([line.split("\t")[0] for line in offered("guardctl metrics --textfile=a")], ["--textfile=a.conf"], "behind the =")


ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "unsetopt beep; PS1= fpath=($1 \$fpath); autoload -Uz compinit; compinit -D -u"
zpty -w shell 'report() { print -r -- "<<$BUFFER>>" }; zle -N report; bindkey "^X" report; echo rea""dy'
zpty -r shell output '*ready*'
zpty -w -n shell "$2"$'\t\x18'
zpty -r shell output '*<<*>>*'
output=${output##*<<}
print -r -- ${output%%>>*}
"""


@test
def in_zsh():
    """zsh: what a press of the tab key makes of the line"""
    with Answers(ListTenants=rows_of()) as guardd:
        def completed(line):
            return shell(guardd, "zsh", "-f", "-c", ZSH, "zsh", DIRECTORY, line)[-1]

        same(completed("guardctl stat"), "guardctl status ", "a verb")
        same(completed("guardctl show docker/we"), "guardctl show docker/web ", "a name")
        same(completed("guardctl show system"), r"guardctl show system-getty\\x2d.slice ", "a name that has to be quoted")
        same(completed("guardctl set podman/db DiskS"), "guardctl set podman/db DiskSpaceMax=", "a key")
        open(os.path.join(guardd.dir, "a.conf"), "w").close()
        same(completed("guardctl metrics --textfile=a"), "guardctl metrics --textfile=a.conf ", "files behind the =")


@test
def they_parse():
    """zsh -n, fish --no-execute, bash -n"""
    with Answers() as guardd:
        for command in (["bash", "-n", "guardctl.bash"], ["zsh", "-n", "_guardctl"], ["fish", "--no-execute", "guardctl.fish"]):
            shell(guardd, *command[:-1], os.path.join(DIRECTORY, command[-1]))


run()
