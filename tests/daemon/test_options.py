#!/usr/bin/env python3
"""The words of guardctl: help, options, and --host, for which a program stands in that does with its last argument what
sshd does: it gives it to a shell."""

from fake import *

SSH = """#!/bin/sh
printf '%s\\n' "$@" > "$0.arguments"
[ "$3" = nowhere ] && exit 255
PATH=$(dirname "$0"):$PATH
for last; do :; done
exec sh -c "$last"
"""


def guardctl(*words, status=EXIT_DONE, **environment):
    result = subprocess.run([GUARDCTL, *words], capture_output=True, text=True, env={**os.environ, **environment})
    same(result.returncode, status, f"exit of {words}, {result.stderr!r}")
    return result


def verbs():
    found = re.findall(r"^  ([a-z]+) ", guardctl("--help").stdout, re.MULTILINE)
    check("status" in found and "check" in found, found)
    return found


@test
def widths():
    """Help fits 80 columns, that of each verb too"""
    for words in [["--help"]] + [[verb, "--help"] for verb in verbs()]:
        text = guardctl(*words).stdout
        check(text.startswith("guardctl "), text)
        same([line for line in text.splitlines() if len(line) > 80], [], f"long lines of {words}")


@test
def whose():
    """An option is named by the help of the verbs that have it, and refused by the others"""
    has = {verb: "--runtime" in guardctl(verb, "--help").stdout for verb in verbs()}
    check(has["set"] and not has["list"], has)
    for verb in verbs():
        check("--json" in guardctl(verb, "--help").stdout, verb)
    result = guardctl("list", "--runtime", status=EXIT_USAGE)
    check("--runtime is for " in result.stderr and "set" in result.stderr, result.stderr)
    check("needs a value" in guardctl("list", "--socket", status=EXIT_USAGE).stderr, "no value")
    check("wrong here" in guardctl("list", "--jason", status=EXIT_USAGE).stderr, "no such option")


class Elsewhere:
    """A host named anything, whose guardctl tells its words; and one where there is none, nowhere."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="guardd-test-")
        self.ssh = os.path.join(self.dir, "ssh")
        self.program("ssh", SSH)
        self.program("guardctl", "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$0.words\"\nexit ${STATUS:-0}\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def program(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def read(self, name):
        with open(os.path.join(self.dir, name)) as file:
            return file.read().splitlines()

    def run(self, *words, status=EXIT_DONE, **environment):
        return guardctl(*words, status=status, GUARDD_SSH=self.ssh, **environment)


@test
def quoting():
    """--host: each word arrives as it was given, whatever a shell would make of it"""
    with Elsewhere() as there:
        words = ["it's", "$(touch x)", "a b", "", "*", "\\", "\"", ";reboot", "--all"]
        there.run("--json", "--host=me@there", "reset", "docker/web", "--", *words)
        same(there.read("guardctl.words"), ["--json", "--", "reset", "docker/web", *words], "words")
        same(there.read("ssh.arguments")[:3], ["-T", "--", "me@there"], "arguments of ssh")
        there.run("top", "--host", "there", "--socket=/x y")
        same(there.read("guardctl.words"), ["--socket=/x y", "--", "top"], "words")
        same(there.read("ssh.arguments")[0], "-t", "a terminal for top")


@test
def statuses():
    """--host: the other guardctl's exit is this one's; 255 says that ssh failed, and without ssh there is a sentence"""
    with Elsewhere() as there:
        for status in range(6):
            there.run("list", "--host=there", status=status, STATUS=str(status))
        there.run("list", "--host=nowhere", status=255)
        os.unlink(os.path.join(there.dir, "guardctl.words"))
        check("no host" in there.run("list", "--host=-oProxyCommand=x", status=EXIT_USAGE).stderr, "an option")
        check("no host" in there.run("list", "--host=", status=EXIT_USAGE).stderr, "an empty name")
        there.run("lost", "--host=there", status=EXIT_USAGE)
        check(not os.path.exists(os.path.join(there.dir, "guardctl.words")), "nothing was run")
        result = guardctl("list", "--host=there", status=EXIT_FAILED, GUARDD_SSH="/nonexistent")
        check("needs ssh" in result.stderr, result.stderr)


@test
def left():
    """guardctl watch ends when nobody reads it any more, without an event to write"""
    with World("") as world:
        world.start()
        reading, writing = os.pipe()
        watch = subprocess.Popen([GUARDCTL, "--socket", world.socket, "watch"], stdout=writing)
        os.close(writing)
        time.sleep(0.2)
        check(watch.poll() is None, "it watches")
        os.close(reading)
        eventually("it ends", lambda: watch.poll() is not None)


if __name__ == "__main__":
    run()
