#!/usr/bin/env python3
"""guardctl top on a real terminal, which is tmux: a made-up guardd gives what is seen."""

from answers import *

MIB, GIB = 1 << 20, 1 << 30
TENANTS = [
    row("docker/quiet", tasksCurrent=1, tasksMax=100, memoryUsed=20 * MIB),
    row("docker/full", diskUsed=int(8.24 * GIB), diskMax=10 * GIB, memoryUsed=390 * MIB, memoryMax=512 * MIB,
        cpuUsed=9800, netEgress=9800000, netEgressMax=100000000, netIngress=1200000, netDropped=77, inodesUsed=12345),
    row("podman/held", state="frozen", tasksCurrent=90, tasksMax=100),
    row("user/\x1b[31malice", state="armed", tasksCurrent=2, tasksMax=100, cpuUsed=41200),
]
STATUS = {"mode": "enforce", "version": "7.0", "cgroupRoot": "/sys/fs/cgroup", "startedRealtimeUsec": 0,
          "tenants": 142, "standing": 2, "killsLeft": 5, "killsLimit": 5, "killsWindowUsec": 600000000,
          "findings": [], "notices": ["the journal takes nothing"]}


class Terminal:
    """guardctl in a terminal of its own, on a tmux server of its own: one that was killed may take a moment to go."""

    count = 0

    def __init__(self, guardd, *arguments, width=80, height=24, environment=""):
        Terminal.count += 1
        self.name = f"guardd-{os.getpid()}-{Terminal.count}"
        command = f"trap : INT; env {environment} {GUARDCTL} --socket={guardd.path} {' '.join(arguments)}; echo exit $?; sleep 600"
        self.tmux("new-session", "-d", "-x", str(width), "-y", str(height), "sh", "-c", command)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.tmux("kill-server")

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-u", "-L", self.name, "-f", "/dev/null", *arguments], capture_output=True,
                              text=True, timeout=DEADLINE, env=dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm-256color"))
        same(done.returncode, 0, f"tmux {arguments}: {done.stderr}")
        return done.stdout

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def resize(self, width, height):
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def lines(self):
        return self.tmux("capture-pane", "-p").split("\n")[:-1]

    def wait(self, what, condition):
        try:
            eventually(what, lambda: condition(self.lines()))
        except Exception:
            print("# the terminal:\n#   " + "\n#   ".join(self.lines()))
            raise


def names(lines):
    return [line.split()[0] for line in lines[3:-1] if line.strip()]


def looking(**status):
    return Answers(GetStatus={**STATUS, **status}, ListTenants={"tenants": TENANTS})


FULLEST = ["podman/held", "user/\\x1b[31malice", "docker/full", "docker/quiet"]


@test
def fits_80_columns():
    """80x24: a head, what is degraded, who is held first, then who is nearest to a limit; control characters are shown"""
    with looking() as guardd, Terminal(guardd, "top") as terminal:
        terminal.wait("all of them", lambda lines: names(lines) == FULLEST)
        lines = terminal.lines()
        same(len(lines), 24, "lines")
        check("guardd 7.0, enforce: 142 tenants, 2 kept frozen, 5 kills left" in lines[0], lines[0])
        same(lines[1].strip(), "the journal takes nothing", "what is degraded")
        same(lines[2].split(), ["NAME", "STATE", "TASKS", "CPU", "MEMORY", "DISK", "SENDS", "GETS", "NEAREST", "LIMIT"],
             "titles")
        same(lines[3].split(), ["podman/held", "frozen", "90", "-", "-", "-", "-", "-", "90%", "tasks"], "a row")
        same(lines[5].split(), ["docker/full", "ok", "37", "98%", "390M", "8.24G", "9.8M", "1.2M", "82%", "disk"],
             "a row of one that takes of everything")
        check(lines[23].startswith("q quit"), f"the keys: {lines[23]}")


@test
def orders():
    """a letter orders by its column; figures are new each second, on one connection"""
    with looking() as guardd, Terminal(guardd, "top") as terminal:
        terminal.wait("all of them", lambda lines: names(lines) == FULLEST)
        for key, first in ("n", "docker/full"), ("t", "podman/held"), ("c", "user/\\x1b[31malice"), ("m", "docker/full"), \
                ("l", "podman/held"):
            terminal.press(key)
            terminal.wait(f"{key}: {first} first", lambda lines, first=first: names(lines)[:1] == [first])
        guardd.answers["ListTenants"] = {"tenants": TENANTS[:1]}
        terminal.wait("one is left", lambda lines: names(lines) == ["docker/quiet"])


@test
def many_and_resized():
    """more than fit: keys move, the foot says where; another size is taken up, wider shows more"""
    many = [row(f"docker/a{i:03}", cpuUsed=100) for i in range(100)]
    with looking() as guardd, Terminal(guardd, "top") as terminal:
        guardd.answers["ListTenants"] = {"tenants": many}
        terminal.wait("the first", lambda lines: "1-20 of 100" in lines[-1] and "docker/a000" in lines[3])
        terminal.press("NPage")
        terminal.wait("a page on", lambda lines: "21-40 of 100" in lines[-1] and "docker/a020" in lines[3])
        terminal.press("End")
        terminal.wait("the end", lambda lines: "81-100 of 100" in lines[-1])
        terminal.press("Home")
        terminal.press("Down")
        terminal.wait("one on", lambda lines: "2-21 of 100" in lines[-1])
        terminal.resize(120, 40)
        terminal.wait("larger", lambda lines: "2-37 of 100" in lines[-1] and "CLASS" in lines[2] and "DROPS" in lines[2])
        terminal.resize(44, 10)
        terminal.wait("smaller", lambda lines: len(lines) == 10 and "docker/a0" in lines[3] and "CPU" not in lines[2])


@test
def ends_well():
    """q and ^C end it with 0, and the terminal is as before; a guardd that goes away is waited for"""
    for key in "q", "C-c":
        with looking() as guardd, Terminal(guardd, "top", environment="NO_COLOR=1") as terminal:
            terminal.wait("it shows", lambda lines: names(lines) == FULLEST)
            terminal.press(key)
            terminal.wait(f"{key} ends it", lambda lines: lines[0] == "exit 0" and "".join(lines[1:]) == "")
    with looking() as guardd, Terminal(guardd, "top") as terminal:
        terminal.wait("it shows", lambda lines: names(lines) == FULLEST)
        os.rename(guardd.path, guardd.path + ".away")
        guardd.hang_up()
        terminal.wait("it says so", lambda lines: "guardd does not answer" in lines[1] and names(lines) == FULLEST)
        os.rename(guardd.path + ".away", guardd.path)
        terminal.wait("it is back", lambda lines: "takes nothing" in lines[1])


@test
def no_terminal():
    """without a terminal, for a program, for a class that is not there: a sentence, and the exit that says so"""
    with looking() as guardd:
        check("top needs a terminal; 'guardctl list'" in guardd.ctl("top", check_exit=EXIT_USAGE), "no terminal")
        check("'guardctl list --json'" in guardd.ctl("top", "--json", check_exit=EXIT_USAGE), "for a program")
        guardd.answers["ListTenants"] = ("NoSuchClass", {"message": "there is no class 'x'", "classes": ["docker"]})
        with Terminal(guardd, "top", "x") as terminal:
            terminal.wait("it is told", lambda lines: "there is no class 'x'" in lines[0] and "exit 2" in lines[2])
        with Terminal(guardd, "top", environment="TERM=none-such") as terminal:
            guardd.answers["ListTenants"] = {"tenants": []}
            terminal.wait("it is told", lambda lines: "exit" in "".join(lines))


if __name__ == "__main__":
    run()
