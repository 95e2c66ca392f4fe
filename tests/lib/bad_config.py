#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Gives an OCI runtime documents that are wrong in one field, for every field of config_table.py, and looks what it does.

Usage: bad_config.py create|refused|exec|update BUNDLE STATE_DIR MARKS ROOT RUNTIME...

create: whole configurations. refused: those of config_refused.py, which are wrong for this kernel alone. exec, update: the
parts of one, for a container that runs already: $GOOD. Prints one
TAP point per field (it stands for all the wrong values of it): the runtime must fail, name the field by its whole path,
run nothing and leave nothing. MARKS is a directory where what runs makes a file.
"""

import concurrent.futures
import glob
import os
import re
import sys
import threading

import config_refused
import config_table as table

THREADS = 2
GOOD = os.environ.get("GOOD", "good")


class Options:
    def __init__(self, *members, **more):
        vars(self).update(*members, **more)


class Tap:
    def __init__(self):
        self.count = 0

    def point(self, what, problems):
        self.count += 1
        print("%sok %d - %s" % ("not " if problems else "", self.count, what))
        for line in problems:
            print("# " + line)


class Runtime:
    """One call after the other, of a thread's own: a bundle, an id and a cgroup."""

    def __init__(self, options, number):
        self.options = options
        self.id = "bad%d-%d" % (os.getpid(), number)
        self.bundle = os.path.join(options.bundle, self.id)
        self.full = table.full(options.root, options.marks, "/ctrace/" + self.id)
        os.makedirs(self.bundle, exist_ok=True)
        self.said = os.memfd_create("said")

    def call(self, *words):
        """(what it said on stderr, its exit code, or negative: the signal that it died of). Thousands of calls: so neither
        pipes nor what else makes subprocess slow."""
        os.ftruncate(self.said, 0)
        os.lseek(self.said, 0, os.SEEK_SET)
        command = self.options.command + list(words)
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, self.said, 2)])
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return os.pread(self.said, 1 << 20, 0).decode(errors="replace"), code

    def create(self, text, *words):
        with open(os.path.join(self.bundle, "config.json"), "wb") as f:
            f.write(text)
        return self.call("create", "--bundle", self.bundle, *words, self.id)

    def left(self):
        """What an unsuccessful call left behind, or None."""
        if os.listdir(self.options.marks):
            for name in os.listdir(self.options.marks):
                os.unlink(os.path.join(self.options.marks, name))
            return "something ran"
        if os.path.exists(os.path.join(self.options.state, self.id)):
            return "its state directory is left"
        for parent in cgroup_parents():
            if os.path.isdir(os.path.join(parent, self.id)):
                return "its cgroup is left: " + parent
        return None

    def refused(self, done, where):
        """None where the call failed as it must: by that name."""
        text, code = done
        if code == 0:
            self.call("delete", "--force", self.id)
            self.left()
            return "it was accepted"
        if code < 0:
            return "it died of signal %d" % -code
        if not named(text, where):
            return "the error does not name %s: %.300s" % (where, text.strip())
        return self.left() or unclean(text)

    def problem(self, text, where):
        return self.refused(self.create(text), where)

    def taken(self, text):
        """None where the document was read to its end. Nothing is made for it: the call is wrong for another reason, which
        is looked at after the document."""
        said, _ = self.create(text, "--console-socket", "/nowhere")
        return None if "process.terminal is not set" in said else "it is refused: %.300s" % said.strip()


def named(text, where):
    """An error is about a field where its whole path stands in front of the colon; what is in the document is not."""
    return where in text and (": %s: " % where in text or not where.startswith(("process", "linux", "mounts", "hooks", "root")))


def unclean(text):
    """Errors are a line of printable text, whatever is in the document, and not a page of it."""
    if len(text) > 1200 or not text.endswith("\n") or text.count("\n") != 1:
        return "the error is not a line: %.300r" % text
    return None if text[:-1].isprintable() else "the error has bytes that a terminal obeys: %.300r" % text


def cgroup_parents():
    return glob.glob("/sys/fs/cgroup/ctrace") + glob.glob("/sys/fs/cgroup/*/ctrace")


def show(value):
    return "nothing" if value is table.MISSING else "%.70r" % (value,)


class Work:
    """Runs jobs, each a function of a Runtime that returns a problem or None, in as many threads as there are runtimes."""

    def __init__(self, options):
        self.local = threading.local()
        self.numbers = iter(range(1000))
        self.options = options
        self.pool = concurrent.futures.ThreadPoolExecutor(THREADS)

    def runtime(self):
        if not hasattr(self.local, "runtime"):
            self.local.runtime = Runtime(self.options, next(self.numbers))
        return self.local.runtime

    def add(self, job):
        return self.pool.submit(lambda: job(self.runtime()))


def problems(jobs):
    return ["%s: %s" % (what, job.result()) for what, job in jobs if job.result()]


def changes_of(row, value):
    """Where a member goes, those that need it go too."""
    changes = {row.path: value}
    if value in (table.MISSING, None) and not row.required:
        for other in row.without:
            changes[other[1:] if other[0] == "/" else row.path.rpartition(".")[0] + "." + other] = table.MISSING
    return changes


def wrong_jobs(work, row):
    for where, value in table.wrong_values(row):
        yield show(value), work.add(
            lambda r, where=where, value=value: r.problem(table.text_of(table.changed(r.full, {row.path: value})), where))


def right_jobs(work, row):
    # a member whose name is free has a value where it is there
    absent = [] if row.required else [v for v in (table.MISSING, None) if v not in row.wrong + row.takes]
    values = row.takes + absent
    for value in values:
        yield show(value) + " (right)", work.add(
            lambda r, value=value: r.taken(table.text_of(table.changed(r.full, changes_of(row, value)))))


def check_table(tap, document):
    known = {row.path for row in table.FIELDS}
    there = set(table.members(document))
    tap.point("the table has a row for each member of the document", sorted(there - known - ROWS_ENOUGH))
    tap.point("the document has a member for each row of the table",
              sorted(path for path in known - there if not path.endswith(("args[0]", "env[0]"))))


def check_runs(runtime, tap, what, document):
    """The document is right: its program runs, to its end."""
    with open(os.path.join(runtime.bundle, "config.json"), "wb") as f:
        f.write(table.text_of(document))
    said, code = runtime.call("run", "--bundle", runtime.bundle, runtime.id)
    ran = "ran" in os.listdir(runtime.options.marks)
    runtime.left()
    tap.point(what, [] if code == 0 and ran else ["code %d: %.400s" % (code, said.strip())])


# What the table looks at in one of several that are alike.
ROWS_ENOUGH = {"process.rlimits[1]", "process.rlimits[1].type", "process.rlimits[1].soft", "process.rlimits[1].hard",
               "mounts[1]"} | {"linux.namespaces[%d]" % i for i in range(1, 8)}


def unknown_members(value):
    """The document with a member that nobody knows in each of its objects."""
    if isinstance(value, list):
        return [unknown_members(inside) for inside in value]
    if not isinstance(value, dict):
        return value
    return dict({key: unknown_members(inside) for key, inside in value.items()},
                **{"org.example.tomorrow": [{"x": None}, 1.5, "\u2603"]})


def with_unknown(document):
    maps = {}
    for path in MAPS:
        try:
            maps[path] = member(document, path)
        except KeyError:
            continue
    return table.changed(unknown_members(document), maps)


# Objects whose members have names of their own choice: there is no unknown one.
MAPS = ("annotations", "linux.sysctl", "linux.timeOffsets", "linux.resources.rdma", "linux.resources.unified")


def create(work, tap):
    first = Runtime(work.options, 999)
    check_table(tap, first.full)
    tap.point("a document with every field is read to its end", list(filter(None, [first.taken(table.text_of(first.full))])))
    tap.point("unknown members are ignored, in every object",
              list(filter(None, [first.taken(table.text_of(with_unknown(first.full)))])))
    right = table.runnable(work.options.root, work.options.marks, "/ctrace/" + first.id)
    check_runs(first, tap, "a document with every field that this host may have runs", right)
    check_runs(first, tap, "and so it does with unknown members", with_unknown(right))
    check_runs(first, tap, "and with null for every field that need not be there", table.nothing(right))
    rows = [(row, list(wrong_jobs(work, row)), list(right_jobs(work, row))) for row in table.FIELDS]
    contradictions = [(where, list(changes), work.add(
        lambda r, where=where, changes=changes: r.problem(table.text_of(table.changed(r.full, changes)), where)))
        for where, changes in table.CONTRADICTIONS]
    combinations = [(show(changes), work.add(
        lambda r, changes=changes: r.taken(table.text_of(table.changed(r.full, changes))))) for changes in table.TAKEN]
    texts = [(what, says, work.add(lambda r, text=text, says=says: r.problem(text.encode("utf-8", "surrogateescape"), says)))
             for what, text, says in table.TEXTS]
    for row, wrong, right in rows:
        tap.point("%s: %d wrong values, %d right ones" % (table.shown(row.path), len(wrong), len(right)),
                  problems(wrong + right))
    for where, paths, job in contradictions:
        tap.point("%s against %s" % (where, ", ".join(paths)), list(filter(None, [job.result()])))
    tap.point("combinations that look odd and are right (%d)" % len(combinations), problems(combinations))
    for what, says, job in texts:
        tap.point("%s: an error with \"%s\"" % (what, says.strip()), list(filter(None, [job.result()])))


def refuse(runtime, row):
    """A case of config_refused.py: None, or what is wrong with the answer."""
    text = table.text_of(table.changed(config_refused.base(
        runtime.options.root, runtime.options.marks, "/ctrace/" + runtime.id), row.changes))
    usual = runtime.options.command
    if row.without:
        runtime.options = Options(vars(runtime.options), command=[
            "/usr/bin/setpriv", "--bounding-set", ",".join("-" + name for name in row.without)] + usual)
    said, code = runtime.create(text)
    runtime.options = Options(vars(runtime.options), command=usual)
    return runtime.refused((said, code), row.where) or (
        None if re.search(row.says, said) else "it does not say %r: %.400s" % (row.says, said.strip()))


def refused(work, tap):
    spare = os.path.join(work.options.bundle, "spare")
    os.mkdir(spare)
    first = Runtime(work.options, 999)
    check_runs(first, tap, "the document without a change runs",
               config_refused.base(work.options.root, work.options.marks, "/ctrace/" + first.id))
    rows = config_refused.rows(spare)
    jobs = [None if row.skip else work.add(lambda r, row=row: refuse(r, row)) for row in rows]
    for row, job in zip(rows, jobs):
        what = "%s: %s%s" % (row.where, "; ".join(map(show, row.changes.values())),
                             " without %s" % ", ".join(row.without) if row.without else "")
        tap.point(what + (" # SKIP " + row.skip if row.skip else ""), list(filter(None, [job and job.result()])))


def few(row):
    """Of a type's wrong values two; the others show in create, where the same code reads them."""
    values = list(table.wrong_values(row))
    return values[:2] + values[len(table.WRONG[row.kind]):]


def parts(work, tap, verb, name, rows, texts):
    """A process document, or one of resources, for a container that runs."""
    def job(runtime, text, where):
        path = os.path.join(runtime.bundle, verb)
        with open(path, "wb") as f:
            f.write(text)
        option = {"exec": ["--process", path, "--detach"], "update": ["--resources", path]}[verb]
        return runtime.refused(runtime.call(verb, *option, GOOD), where)

    def part(runtime, row, value):
        place = {"process": runtime.full["process"], "resources": runtime.full["linux"]["resources"]}
        return table.text_of(table.changed(place, {row.path: value})[name])

    done = [(row, [(show(value), work.add(lambda r, row=row, value=value, where=where: job(r, part(r, row, value), where)))
                   for where, value in few(row)]) for row in rows]
    for row, jobs in done:
        tap.point("%s: %s, %d wrong values" % (verb, table.shown(row.path), len(jobs)), problems(jobs))
    for text, says in texts:
        tap.point("%s: %s" % (verb, says), list(filter(None, [work.add(lambda r, text=text, says=says: job(r, text, says)).result()])))


def limits():
    """What files of the good container's cgroups say."""
    found = {}
    for name in ("memory.limit_in_bytes", "memory.max", "cpu.shares", "cpu.weight", "pids.max", "cpuset.cpus"):
        for path in glob.glob("/sys/fs/cgroup/ctrace/%s/%s" % (GOOD, name)) + glob.glob("/sys/fs/cgroup/*/ctrace/%s/%s" % (GOOD, name)):
            with open(path, encoding="utf-8") as f:
                found[path] = f.read()
    return found


def execute(work, tap):
    parts(work, tap, "exec", "process", table.process_fields(), [
        (b"", "not a JSON object"), (b'{"args": ["touch", "/marks/ran"], "cwd": "/"', "not a JSON object"),
        (b'{"args": ["touch", "/marks/ran"], "cwd": "/"}\0', "NUL byte"),
        (b'{"args": ["touch", "/marks/ran"], "cwd": "/", "cwd": "/"}', "config: cwd: ")])


def update(work, tap):
    before = limits()
    parts(work, tap, "update", "resources", table.resource_fields("resources"), [
        (b"", "not a JSON object"), (b"[]", "not a JSON object"), (b'{"pids": {"limit": 7, "limit": 8}}', "config: pids.limit: ")])
    tap.point("update: the limits are what they were (%d files)" % len(before), [] if before and before == limits() else
              ["%s, now %s" % (before, limits())])


def member(document, path):
    for step in table.steps(path):
        document = document[step]
    return document


def mounts_below(directory):
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as f:
        return [line.split()[4] for line in f if line.split()[4].startswith(directory)]


def main():
    verb = sys.argv[1]
    options = Options(zip(("bundle", "state", "marks", "root"), sys.argv[2:6]), command=sys.argv[6:])
    tap, work = Tap(), Work(options)
    before = mounts_below(os.path.dirname(options.bundle))
    {"create": create, "refused": refused, "exec": execute, "update": update}[verb](work, tap)
    left = [name for name in os.listdir(options.state) if name != GOOD] if os.path.isdir(options.state) else []
    tap.point("no state directory is left", left)
    tap.point("no mount is left", [m for m in mounts_below(os.path.dirname(options.bundle)) if m not in before])
    print("1..%d" % tap.count)


main()
