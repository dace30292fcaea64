"""Why a step ran: the first cause, and the chain from it. What BuildKit really does is tried in tests/containers."""

from __future__ import annotations

import os

import pytest

from dockyard import explain
from dockyard.explain import Kind, Note, Outcome

ONE = ("one 1/2", "one 2/2")
LAST = ("stage-1 1/2", "stage-1 2/2")
ALL = (*ONE, *LAST)


def told(explanation):
    """Return each step that ran: its label, the kinds of its causes, its chain."""
    return [(each.label, [cause.kind for cause in each.causes], each.chain) for each in explanation.ran]


def test_labels_and_lines(bench):
    """Steps have the labels that BuildKit prints, and their lines."""
    assert [(each.label, each.line) for each in bench.build(*ALL).steps] == list(zip(ALL, (3, 4, 6, 7), strict=True))


def test_first(bench):
    """Without a record before it, each step that ran is of the first build."""
    assert {kind for _, kinds, _ in told(bench.build(*ALL)) for kind in kinds} == {Kind.FIRST}


def test_chain(bench):
    """The first cause is told at every step behind it, with the steps between; COPY --from leads to the other stage."""
    bench.build(*ALL)
    bench.write("src/app.py", "one\nthree\nfour\n")

    found = bench.build(*ALL)

    assert told(found) == [
        ("one 1/2", [Kind.CONTENT], ()),
        ("one 2/2", [Kind.CONTENT], ("one 1/2",)),
        ("stage-1 1/2", [Kind.CONTENT], ("one 2/2", "one 1/2")),
        ("stage-1 2/2", [Kind.CONTENT], ("stage-1 1/2", "one 2/2", "one 1/2")),
    ]
    cause = found.steps[0].causes[0]
    assert (cause.subject, cause.plus, cause.minus, cause.size) == ("src/app.py", 2, 1, 15)


def test_own_cause_before_another_stage(bench):
    """A step with a cause of its own is not blamed on a stage from which it got the same files."""
    bench.build(*ALL)
    bench.write("src/app.py", "other\n")
    bench.write("last.txt", "other\n")

    found = bench.build(*ONE, LAST[1])

    assert told(found)[-1] == ("stage-1 2/2", [Kind.CONTENT], ())
    assert found.ran[-1].causes[0].subject == "last.txt"
    assert (found.steps[2].note, found.steps[2].about) == (Note.SAME_RESULT, ("one 2/2",))


LINKED = "FROM scratch\nRUN x\nCOPY --link last.txt /\nCOPY --link src /src\nRUN y\n"


def test_below_a_link(bench):
    """What stands behind COPY --link stands on the steps before it, too: they are its cause, now and later."""
    labels = ("1/4", "2/4", "3/4", "4/4")
    bench.write("Dockerfile", LINKED)
    bench.build(*labels)
    bench.write("Dockerfile", LINKED.replace("RUN x", "RUN z"))

    expected = [("1/4", [Kind.EDITED], ()), ("4/4", [Kind.EDITED], ("1/4",))]
    assert told(bench.foretell()) == expected
    assert told(bench.build("1/4", "4/4")) == expected


def test_pruned_below_a_link(bench):
    """A step behind COPY --link that ran with one before it has that one's reason, where nothing changed."""
    bench.write("Dockerfile", LINKED)
    bench.build("1/4", "2/4", "3/4", "4/4")

    assert told(bench.build("1/4", "4/4")) == [("1/4", [Kind.PRUNED], ()), ("4/4", [Kind.PRUNED], ("1/4",))]


@pytest.mark.parametrize("edit", [(" --link src", " src"), (" src", " --link src")])
def test_link_edited(bench, edit):
    """A COPY that is linked from now on, or no longer, was edited."""
    before = f"FROM scratch\nRUN x\nCOPY{' --link' if 'link' in edit[0] else ''} src /src\n"
    bench.write("Dockerfile", before)
    bench.build("1/2", "2/2")
    bench.write("Dockerfile", before.replace(*edit))

    assert told(bench.foretell()) == told(bench.build("2/2")) == [("2/2", [Kind.EDITED], ())]


@pytest.mark.parametrize(("edit", "line"), [(("A=1", "A=2"), 1), (("B=1", "B=2"), 4)])
def test_line_of_an_argument(bench, edit, line):
    """An ARG that takes over the value of one before the first stage has changed on that one's line."""
    text = "ARG A=1\nFROM scratch\nARG A\nARG B=1\nRUN x\n"
    bench.write("Dockerfile", text)
    bench.build("1/1")
    bench.write("Dockerfile", text.replace(*edit))

    ((cause,),) = [each.causes for each in bench.build("1/1").ran]
    assert (cause.kind, cause.subject, cause.line) == (Kind.ARGUMENT, edit[0][0], line)


def test_user_of_a_folder(bench):
    """WORKDIR makes its folder for the user: another one is its cause."""
    bench.write("Dockerfile", "FROM scratch\nUSER 1\nWORKDIR /a\n")
    bench.build("1/1")
    bench.write("Dockerfile", "FROM scratch\nUSER 2\nWORKDIR /a\n")

    assert told(bench.build("1/1")) == [("1/1", [Kind.USER], ())]


@pytest.mark.parametrize("copy", ["COPY --exclude=deep src /src", "COPY --parents src/app.py /"])
def test_selected(bench, copy):
    """Files that --exclude leaves out, or --parents does not name, run nothing; the others do."""
    bench.write("Dockerfile", f"FROM scratch\n{copy}\n")
    bench.build("1/1")
    bench.write("src/deep/other.py", "other\n")
    assert bench.foretell("src/deep/other.py").ran == ()
    bench.write("src/app.py", "three\n")
    assert told(bench.build("1/1")) == [("1/1", [Kind.CONTENT], ())]


def test_touched(bench):
    """A file that was only touched is told at the step that takes it."""
    bench.build(*ALL)
    os.utime(bench.root / "src/app.py", (1, 1))

    steps = bench.build().steps

    assert [(each.note, each.about) for each in steps] == [(Note.TOUCHED, ("src/app.py",)), *[(None, ())] * 3]


def test_changed_and_cached(bench):
    """A step that changed and was cached was built before, as after an edit that was taken back."""
    bench.build(*ALL)
    bench.write("last.txt", "other\n")

    assert bench.build().steps[-1].note is Note.KNOWN


def test_pruned(bench):
    """A step that ran though nothing changed is no longer in the cache; those behind it follow by their chain."""
    bench.build(*ALL)

    assert told(bench.build(*ONE)) == [("one 1/2", [Kind.PRUNED], ()), ("one 2/2", [Kind.PRUNED], ("one 1/2",))]


def test_no_cache(bench):
    """Without the cache every step runs for that reason, whatever else changed."""
    bench.build(*ALL)
    bench.write("last.txt", "other\n")
    bench.again(cache=False)

    assert {kind for _, kinds, _ in told(bench.build(*ALL)) for kind in kinds} == {Kind.NO_CACHE}


def test_builder(bench):
    """Another builder has none of the steps."""
    bench.build(*ALL)
    bench.again(builder="remote")

    assert {kind for _, kinds, _ in told(bench.build(*ALL)) for kind in kinds} == {Kind.BUILDER}


def test_remote(bench):
    """A step that takes a URL may run without any change here."""
    bench.write("Dockerfile", "FROM scratch\nADD http://example.invalid/x /x\n")
    bench.build("1/1")

    assert told(bench.build("1/1")) == [("1/1", [Kind.REMOTE], ())]


def test_mode_of_folder(bench):
    """Where a step ran and only a folder has other rights, those are the cause: BuildKit got it afresh."""
    bench.build(*ALL)
    (bench.root / "src").chmod(0o700)

    assert told(bench.build("one 1/2")) == [("one 1/2", [Kind.MODE], ())]


def test_secret(bench, tmp_path):
    """A secret that changed is told where it is used, and its value is in no record."""
    token = tmp_path / "token"
    token.write_text("hunter2-old")
    bench.write("Dockerfile", "FROM scratch\nRUN --mount=type=secret,id=token make\n")
    bench.again(secrets={"token": token})
    bench.build("stage-0 1/1")
    token.write_text("hunter2-new")

    step = bench.build().steps[0]

    assert (step.note, step.about) == (Note.SECRET, ("token",))
    assert "hunter2" not in str([each.graph.plain() for each in bench.kept])


@pytest.fixture
def with_secret(bench):
    """The project with a step that mounts a secret, built once; `marks` are those that a changed secret needs."""
    bench.write("Dockerfile", "FROM scratch\nRUN --mount=type=secret,id=token make\nRUN --mount=type=secret,id=no x\n")
    bench.again(secrets={"token": bench.write("../token", "hunter2")})
    bench.build("1/2", "2/2")
    return bench


def marked(bench, value="hunter2"):
    """Give the secret a value and the build its mark; return why its step ran then, or would."""
    bench.plan.secrets["token"].write_text(value)
    bench.again(marks=explain.marks(bench.plan.secrets, bench.state))
    foretold = bench.foretell()
    told = bench.build("stage-0 1/2", "stage-0 2/2")
    assert [each.causes for each in foretold.ran] == [each.causes for each in told.ran]
    return {(cause.kind, cause.subject, cause.origin) for each in told.ran for cause in each.causes}


def test_marked_secret(with_secret):
    """With a mark, the first cause is the secret: its value, or that the setting was switched on or off."""
    assert marked(with_secret) == {(Kind.SECRET, "token", "on")}
    assert marked(with_secret, "hunter3") == {(Kind.SECRET, "token", "changed")}
    (with_secret.state.folder / "explain/marks.json").unlink()
    assert marked(with_secret, "hunter3") == {(Kind.SECRET, "token", "lost")}
    with_secret.again(marks={})
    causes = with_secret.build("stage-0 1/2", "stage-0 2/2").steps[0].causes
    assert [each.origin for each in causes] == ["off"]


def test_marked_secret_given_and_gone(with_secret):
    """A secret that was not given before, or is not given any more, is told so."""
    path = with_secret.plan.secrets["token"]
    with_secret.again(secrets={})
    with_secret.build()
    with_secret.again(secrets={"token": path})
    assert marked(with_secret) == {(Kind.SECRET, "token", "given")}
    with_secret.again(secrets={}, marks={})
    assert with_secret.build("stage-0 1/2").steps[0].causes[0].origin == "gone"


def test_marked_secret_taken_back(with_secret):
    """A value that is taken back has its mark again: the step is known, and not said to disregard its secret."""
    marked(with_secret)
    marked(with_secret, "hunter3")
    with_secret.plan.secrets["token"].write_text("hunter2")
    with_secret.again(marks=explain.marks(with_secret.plan.secrets, with_secret.state))

    assert {each.outcome for each in with_secret.foretell().steps} == {Outcome.CACHED}
    assert with_secret.build().steps[0].note is Note.KNOWN


def test_same_work_of_two_stages(bench):
    """A step that BuildKit runs once for two stages is told in both."""
    bench.write("Dockerfile", "FROM scratch AS a\nCOPY src /s\nFROM scratch\nCOPY src /s\nCOPY --from=a /s /t\n")
    graph = bench.gather()
    steps = {"a 1/1": explain.records.Step(name="[a 1/1] COPY src /s", completed="x")}
    record = explain.Record(name="1", image="tiny", graph=graph, steps=steps)

    found = explain.tell(record, None, explain.Store(bench.state))

    assert [each.outcome for each in found.steps] == [Outcome.RAN, Outcome.RAN, Outcome.SKIPPED]


@pytest.mark.parametrize(
    ("instruction", "value", "runs"),
    [("ARG VERSION=1", "ARG VERSION=2", ["one 2/2"]), ("ARG VERSION=1", "ARG VERSION=1\nLABEL a=b", [])],
)
def test_foretell(bench, instruction, value, runs):
    """What surely runs is foretold; what takes files of it may run."""
    bench.build(*ALL)
    bench.write("Dockerfile", (bench.root / "Dockerfile").read_text().replace(instruction, value))

    found = bench.foretell()

    assert [each.label for each in found.ran if each.outcome is Outcome.WILL_RUN] == runs
    assert [each.label for each in found.ran if each.outcome is Outcome.MAY_RUN] == (list(LAST) if runs else [])


def test_foretell_seconds(bench):
    """A step takes as long as it took the last time it ran, not the last time it was built."""
    bench.build(*ALL, seconds=7)
    bench.build(seconds=1)

    found = bench.foretell("src/app.py")

    assert [(each.label, each.seconds) for each in found.ran] == [(label, 7) for label in ALL]
    assert found.seconds == 28


def test_foretell_known(bench):
    """What any build had before is in the cache."""
    bench.build(*ALL)
    bench.write("last.txt", "other\n")
    bench.build(LAST[1])
    bench.write("last.txt", "last\n")

    assert bench.foretell().ran == ()


def test_foretell_leaves_no_trace(bench):
    """Looking ahead does not hide from the next build what was touched."""
    bench.build(*ALL)
    os.utime(bench.root / "src/app.py", (1, 1))
    bench.foretell()

    assert bench.build().steps[0].note is Note.TOUCHED


@pytest.mark.parametrize(
    ("command", "hinted"),
    [
        ("uv pip install --requirement requirements.txt", True),
        ("apt-get update && apt-get install -y gcc", True),
        ("uv pip install ./src", False),
        ("pip install -r /src/list.txt", False),
        ("pip install -r other.txt", False),
        ("apt-get install -y $(cat /src/packages)", False),
        ("pip install -e .", False),
        ("make all", False),
    ],
)
def test_hint(bench, command, hinted):
    """Sources that change often and stand before an installer that does not use them are told, with what that costs."""
    bench.write("requirements.txt", "one\n")
    bench.write("Dockerfile", f"FROM scratch\nCOPY src /src\nCOPY requirements.txt /\nRUN {command}\n")
    bench.build("1/3", "2/3", "3/3", seconds=40)
    assert bench.build().hints == ()
    bench.write("src/app.py", "other\n")

    found = bench.build("1/3", "2/3", "3/3", seconds=40).hints

    assert [(each.line, each.costly_line, each.seconds) for each in found] == ([(2, 4, 40)] if hinted else [])


def test_hint_of_a_whole_context(bench):
    """Where one COPY brings all, the file that the installer reads should come alone."""
    bench.write("requirements.txt", "one\n")
    bench.write("Dockerfile", "FROM scratch\nCOPY . /src\nRUN pip install -r requirements.txt\n")
    bench.build("1/2", "2/2", seconds=9)
    bench.write("src/app.py", "other\n")

    assert [each.alone for each in bench.build("1/2", "2/2", seconds=9).hints] == ["requirements.txt"]


def test_value_that_sounds_like_a_secret(bench):
    """A variable whose name sounds like a secret's is compared, and its value is kept nowhere."""
    bench.write("Dockerfile", "FROM scratch\nENV API_KEY=hunter2-old\nRUN make\n")
    bench.build("1/1")
    bench.write("Dockerfile", "FROM scratch\nENV API_KEY=hunter2-new\nRUN make\n")

    found = bench.build("1/1")

    assert [(each.kind, each.subject) for each in found.ran[0].causes] == [(Kind.VARIABLE, "API_KEY")]
    assert "hunter2" not in str([found, *(each.graph.plain() for each in bench.kept)])


def test_other_sources(bench):
    """Where a COPY names another source, that edit is the cause, and not the files of either."""
    bench.build(*ALL)
    bench.write("Dockerfile", (bench.root / "Dockerfile").read_text().replace("COPY last.txt /", "COPY src/app.py /"))

    assert told(bench.build(LAST[1])) == [(LAST[1], [Kind.EDITED], ())]


def test_known_by_its_content(bench):
    """A RUN with a secret that was cached behind a new step is the same, and what stands on it has no cause there."""
    tail = "RUN --mount=type=secret,id=token make\nCOPY last.txt /\n"
    bench.write("Dockerfile", f"FROM scratch\n{tail}")
    bench.build("stage-0 1/2", "stage-0 2/2")
    bench.write("Dockerfile", f"FROM scratch\nRUN nothing\n{tail}")
    foretold = bench.foretell()

    found = bench.build("stage-0 1/3")

    assert [each.outcome for each in foretold.steps] == [Outcome.WILL_RUN, Outcome.MAY_RUN, Outcome.MAY_RUN]
    assert told(found) == [("stage-0 1/3", [Kind.INSERTED], ())]
    assert [(each.note, each.about) for each in found.steps[1:]] == [(Note.SAME_RESULT, ("stage-0 1/3",)), (None, ())]
