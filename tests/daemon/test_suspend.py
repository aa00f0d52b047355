#!/usr/bin/env python3
"""An operator has guardd do less for a time: the mode of the host, the exemption of a tenant; and how `status` begins."""

from fake import *

CONFIG = policy(held_class())


def sentence(world):
    return world.status()["health"]["sentence"]


def say(world, *words):
    return world.ctl(*words, check_exit=EXIT_DONE).stdout


@test
def mode():
    """guardctl mode: to observe, what stands is let go and nothing is done; back, it is done; a reload ends it"""
    world, bomb = started(CONFIG, "held/bomb")
    with world:
        same(say(world, "mode"), "enforce\n", "mode")
        bomb.bomb()
        eventually("frozen", lambda: bomb.frozen)
        same(world.status()["health"], {"state": "holding", "sentence": "Under control: held/bomb is frozen."}, "health")
        check("observe" in say(world, "mode", "observe"), "it says so")
        check(not bomb.wanted_frozen and not world.entries("hold"), "let go")
        status = world.status()
        same((status["mode"], status["configuredMode"], status["modeUid"]), ("observe", "enforce", os.getuid()), "status")
        check(status["health"]["state"] == "unguarded" and "Mode=observe" in sentence(world), status["health"])
        check("a reload brings enforce" in say(world, "status"), "for people")
        same(world.json("mode")["mode"], "observe", "mode")
        world.wait_log(r"mode observe, by .*uid \d+.*, process \d+")
        bomb.bomb()
        world.watch()
        time.sleep(0.2)
        check(not bomb.wanted_frozen, "nothing is done")
        say(world, "mode", "enforce")
        bomb.bomb()
        eventually("frozen again", lambda: bomb.frozen)
        say(world, "mode", "observe")
        check(not bomb.wanted_frozen, "let go")
        say(world, "reload")
        status = world.status()
        check(status["mode"] == "enforce" and "modeUid" not in status, "a reload ends it")
        bomb.bomb()
        eventually("acted on after a reload, and as a repeat offender", lambda: bomb.kills)
        say(world, "mode", "observe")
        world.restart()
        same(world.status()["mode"], "enforce", "so does a restart")
        check("no mode" in world.ctl("mode", "watch", check_exit=EXIT_USAGE).stderr, "another word")


@test
def exempt():
    """guardctl exempt: what stands is taken off, no rule does anything, limits stay, also after a crash; --end ends it"""
    world, bomb, other = started(CONFIG, "held/bomb", "held/other")
    with world:
        bomb.bomb()
        eventually("frozen", lambda: bomb.frozen)
        check("exempt from all rules until" in say(world, "exempt", "held/bomb", "--for=1h"), "it says so")
        eventually("thawed", lambda: not bomb.frozen)
        bomb.bomb()
        other.bomb()
        eventually("the other one is frozen", lambda: other.frozen)
        check(not bomb.wanted_frozen and bomb.limit == "100", "left alone, with its limit")
        row = world.tenants()["held/bomb"]
        same((row["state"], row["exemption"]["uid"], world.status()["exempt"]), ("exempt", os.getuid(), 1), "row")
        check("held/bomb is exempt" in sentence(world), sentence(world))
        check("exempt 1h" in say(world, "list") or "exempt 59min" in say(world, "list"), "list says it")
        check("Exempt: until" in say(world, "show", "held/bomb"), "show says it")
        world.wait_log(r"exempt for 1h, by .*uid \d+")
        world.crash()
        world.start()
        bomb.bomb()
        check(world.tenants()["held/bomb"]["state"] == "exempt" and not bomb.wanted_frozen, "after a crash")
        say(world, "freeze", "held/bomb")  # by hand it may be
        check(bomb.frozen, "frozen by hand")
        say(world, "thaw", "held/bomb")
        bomb.remove()
        bomb = world.kernel.make("held/bomb")
        eventually("it is there", lambda: world.tenants().get("held/bomb", {}).get("state") == "exempt")
        bomb.set_tasks(100)
        say(world, "exempt", "held/bomb", "--end")
        check("exemption" not in world.tenants()["held/bomb"], "over")
        check("is not exempt" in say(world, "exempt", "held/bomb", "--end"), "twice")
        eventually("limited", lambda: bomb.limit == "100")
        bomb.bomb()
        eventually("frozen", lambda: bomb.frozen)


@test
def ends():
    """An exemption ends by itself, while guardd runs and while it does not, and the rules hold again"""
    world, bomb = started(CONFIG, "held/bomb")
    with world:
        say(world, "exempt", "held/bomb", "--for=500ms")
        eventually("over", lambda: world.status()["exempt"] == 0)
        world.wait_log("exemption of held/bomb is over")
        same(os.listdir(os.path.join(world.state, "exemptions")), [], "files")
        bomb.bomb()
        eventually("frozen", lambda: bomb.frozen)
        say(world, "exempt", "held/bomb", "--for=300ms")
        world.stop()
        time.sleep(0.4)
        world.start()
        eventually("over", lambda: world.status()["exempt"] == 0 and not os.listdir(world.state + "/exemptions"))
        bomb.bomb()
        eventually("frozen", lambda: bomb.frozen)


@test
def refused():
    """exempt and mode with wrong words, of whom there is not, by whom may not; and where nothing can be kept"""
    world, bomb = started(CONFIG, "held/bomb")
    with world:
        for words in [], ["--for=1h", "--end"], ["--for=soon"], ["--for=0"], ["--for=32d"], ["--for=infinity"]:
            world.ctl("exempt", "held/bomb", *words, check_exit=EXIT_USAGE)
        world.ctl("exempt", "nobody", "--end", check_exit=EXIT_NO_SUCH_TENANT)
        world.ctl("exempt", "nobody", "--for=1h", check_exit=EXIT_NO_SUCH_TENANT)
        same(world.status()["exempt"], 0, "exempt")
    world, bomb = World(CONFIG), None
    with world:
        shutil.rmtree(world.state)
        with open(world.state, "w"):
            pass
        world.kernel.make("held/bomb")
        world.start()
        result = world.ctl("exempt", "held/bomb", "--for=1h", check_exit=EXIT_REFUSED)
        check("could not be written down" in result.stderr, result.stderr)


@test
def screen():
    """guardctl status begins with the sentence, and fits 80 columns and 24 lines"""
    world, *bombs = started(CONFIG, *[f"held/a-tenant-with-a-rather-long-name-{n}" for n in range(8)])
    with world:
        for bomb in bombs:
            bomb.bomb()
        eventually("all frozen", lambda: all(bomb.frozen for bomb in bombs))
        world.ctl("exempt", "held/a-tenant-with-a-rather-long-name-3", "--for=1h", check_exit=EXIT_DONE)
        text = say(world, "status")
        check(text.startswith("Under control: held/a-tenant"), text)
        check(len(text.splitlines()) <= 24, text)
        same([line for line in text.splitlines() if len(line) > 80 and world.dir not in line], [], "long lines")
        world.stop()


if __name__ == "__main__":
    run()
