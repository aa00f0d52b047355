#!/usr/bin/env python3
"""guardctl metrics: what it prints is what happened, and what Prometheus reads."""

from answers import *

LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\.)*",?)*)\})? (\+Inf|-?[0-9]+(?:\.[0-9]+)?)')
STATUS = {"mode": "enforce", "version": "1", "cgroupRoot": "/", "startedRealtimeUsec": 5000000, "tenants": 1, "standing": 0,
          "killsLeft": 4, "killsLimit": 5, "killsWindowUsec": 60000000, "findings": [], "notices": []}


def samples(text):
    """{name: {labels: value}}; nothing else is in it than comments, and none twice."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        sample = LINE.fullmatch(line)
        check(sample, f"not a sample: {line}")
        name, labels, value = sample.groups()
        check(labels not in found.setdefault(name, {}), f"twice: {line}")
        found[name][labels] = float(value)
    return found


def promtool(text):
    if not shutil.which("promtool"):
        raise Skip("there is no promtool")
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    same((checked.returncode, checked.stdout + checked.stderr), (0, ""), "promtool check metrics")


def tenant(name, path, readings=None, totals=None, limits=None, **more):
    return {"name": name, "class": "containers", "state": "ok", "path": path, "readings": readings or {},
            "totals": totals or {}, "limits": limits or {}, **more}


def answers(*tenants, **more):
    return Answers(GetStatus=STATUS, GetMetrics={"actions": [], "withheld": 0, "events": 7, "eventsLost": 2,
                                                 "tenants": list(tenants), **more})


@test
def of_a_bomb():
    """what a bomb did is counted: refused forks, the freeze, the kill; and promtool finds nothing wrong"""
    world, bomb, calm = started(policy(jobs_class("200ms")), "jobs/bomb", "jobs/calm")
    with world:
        watch = world.watch()
        eventually("limits", lambda: bomb.limit == "100" and calm.limit == "100")
        same(samples(world.ctl("metrics").stdout)["guardd_tenant_tasks_denied_total"]['tenant="jobs/bomb",class="jobs"'], 0,
             "before it")
        bomb.bomb(3)
        watch.wait("outcome", "kill", "jobs/bomb", "done")
        text = world.ctl("metrics", check_exit=EXIT_DONE).stdout
        found = samples(text)
        promtool(text)
        same(found["guardd_tenant_tasks_denied_total"],
             {'tenant="jobs/bomb",class="jobs"': 3, 'tenant="jobs/calm",class="jobs"': 0}, "refused forks")
        same(found["guardd_tenant_tasks"]['tenant="jobs/calm",class="jobs"'], 5, "tasks")
        same(found["guardd_tenant_limit_tasks"]['tenant="jobs/calm",class="jobs"'], 100, "its limit")
        actions = found["guardd_actions_total"]
        same((actions['verb="freeze",outcome="done"'], actions['verb="kill",outcome="done"']), (1, 1), "actions")
        same(actions['verb="kill",outcome="failed"'], 0, "what never came about")
        same((found["guardd_up"][None], found["guardd_kill_budget_left"][None], found["guardd_tenants"][None]), (1, 59, 2),
             "of guardd itself")
        same(samples(world.ctl("metrics").stdout)["guardd_tenant_tasks_denied_total"]['tenant="jobs/bomb",class="jobs"'], 3,
             "a look takes nothing away")


@test
def of_what_cannot_be_done():
    """a freeze that does not take is counted as failed"""
    world, stuck = started(policy(held_class()), "held/stuck")
    with world:
        eventually("limits", lambda: stuck.limit == "100")
        stuck.freezes = False
        world.ctl("freeze", "held/stuck", check_exit=EXIT_FAILED)
        same(samples(world.ctl("metrics").stdout)["guardd_actions_total"]['verb="freeze",outcome="failed"'], 1, "actions")
        stuck.freezes = True


@test
def labels():
    """labels: what would end one is escaped, and two tenants of one name are told apart by their paths"""
    bad = 'a"b\\c'
    with answers(tenant(bad, "p/" + bad, {"tasks.current": 3}), tenant("web", "a/web", {"tasks.current": 1}),
                 tenant("web", "b/web", {"tasks.current": 2})) as guardd:
        text = guardd.ctl("metrics")
        promtool(text)
        same(samples(text)["guardd_tenant_tasks"],
             {'tenant="a\\"b\\\\c",class="containers"': 3, 'tenant="a/web",class="containers"': 1,
              'tenant="b/web",class="containers"': 2}, "tasks")


@test
def units():
    """base units: bytes, also of what is counted in bits; ratios; never is infinite"""
    with answers(tenant("web", "web", {"net.egress": 81, "net.ingress": 80, "cpu.usage": 12345, "memory.growth": -5,
                                       "disk.eta": (1 << 63) - 1, "host.memory.available": 4096},
                        limits={"NetworkEgressMax": 800, "CPUQuota": 5000}, netLinks=1)) as guardd:
        text = guardd.ctl("metrics")
        promtool(text)
        found = {name: list(lines.values())[0] for name, lines in samples(text).items()}
        same([found[f"guardd_{name}"] for name in
              ("tenant_network_egress_bytes_per_second", "tenant_network_ingress_bytes_per_second", "tenant_cpu_usage_ratio",
               "tenant_memory_growth_bytes_per_second", "tenant_disk_eta_seconds", "host_memory_available_bytes",
               "tenant_limit_network_egress_bytes_per_second", "tenant_limit_cpu_ratio", "start_time_seconds",
               "kill_budget_window_seconds", "events_lost_total")],
             [10.125, 10, 1.2345, -5, float("inf"), 4096, 100, 0.5, 5, 60, 2], "values")
        same(samples(text)["guardd_host_memory_available_bytes"], {None: 4096}, "the host's has no tenant")
        same(len(guardd.calls), 2, "asked once each")


@test
def rates_take_two_looks():
    """where links were read once, they are asked for once more"""
    with answers() as guardd:
        metrics = guardd.answers["GetMetrics"]
        guardd.answers["GetMetrics"] = [{**metrics, "tenants": [tenant("web", "web", netLinks=1)]},
                                        {**metrics, "tenants": [tenant("web", "web", {"net.egress": 8}, netLinks=1)]}]
        same(samples(guardd.ctl("metrics"))["guardd_tenant_network_egress_bytes_per_second"],
             {'tenant="web",class="containers"': 1}, "the second answer")


@test
def textfile():
    """--textfile: all of it or nothing, for everyone to read; without guardd it says so, and is not left as it was"""
    world, _ = started(policy(held_class()), "held/a")
    with world:
        directory = os.path.join(world.dir, "textfile")
        path = os.path.join(directory, "guardd.prom")
        os.mkdir(directory)
        same(world.ctl("metrics", f"--textfile={path}", check_exit=EXIT_DONE).stdout, "", "nothing is printed")
        with open(path) as file:
            text = file.read()
        promtool(text)
        same(samples(text)["guardd_up"], {None: 1}, "up")
        check(text.endswith("# EOF\n"), "its end")
        same((os.listdir(directory), os.stat(path).st_mode & 0o777), (["guardd.prom"], 0o644), "what is there")
        inode = os.stat(path).st_ino
        world.ctl("metrics", f"--textfile={path}", check_exit=EXIT_DONE)
        check(os.stat(path).st_ino != inode, "another file in its place")
        check("cannot write" in world.ctl("metrics", f"--textfile={directory}/no/file", check_exit=EXIT_FAILED).stderr, "where")
        world.stop()
        os.path.exists(world.socket) and os.unlink(world.socket)
        world.ctl("metrics", f"--textfile={path}", check_exit=EXIT_FAILED)
        with open(path) as file:
            text = file.read()
        same(samples(text), {"guardd_up": {None: 0}}, "without guardd")
        same(world.ctl("metrics", check_exit=EXIT_FAILED).stdout, "", "nothing is made up")


@test
def openmetrics():
    """--openmetrics: a counter is declared without its _total"""
    with answers(tenant("web", "web", {"tasks.current": 1}, {"tasks.denied": 2})) as guardd:
        text = guardd.ctl("metrics", "--openmetrics")
        check("# TYPE guardd_tenant_tasks_denied counter\nguardd_tenant_tasks_denied_total{" in text, text)
        check("# TYPE guardd_tenant_tasks gauge\nguardd_tenant_tasks{" in text, text)
        text = guardd.ctl("metrics")
        check("# TYPE guardd_tenant_tasks_denied_total counter\nguardd_tenant_tasks_denied_total{" in text, text)


run()
