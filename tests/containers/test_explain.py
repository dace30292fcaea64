"""Edits of a small project: what is foretold, what BuildKit does, and what is said of it afterwards."""

from __future__ import annotations

import gzip
import os
import secrets
import shutil
import tarfile
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from serving import docker

from dockyard.build import BuildRecord, build
from dockyard.engines import process
from dockyard.errors import BuildError
from dockyard.explain import Explanation, Kind, Note, Outcome, Records, Store, forecast, gather, marks, tell
from dockyard.plan.build import BuildPlan
from dockyard.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dockyard.engines import Engine

BASE = "dockyard.local/python:3.12-slim-bookworm"
DOCKERFILE = """\
ARG BASE
ARG UNUSED_BEFORE=1
FROM $BASE AS builder
# A comment.
ARG UNIQUE
ARG VERSION=1.2
ENV MODE=fast
WORKDIR /build-$UNIQUE
COPY requirements.txt ./
RUN cat requirements.txt > /found; echo $VERSION; \\
    true
COPY src src
RUN --mount=type=bind,source=bound,target=/bound \\
    --mount=type=secret,id=token \\
    cat /bound/* src/app.py > /made
RUN <<EOF
echo one > /here
EOF

FROM scratch AS unneeded
COPY unneeded.txt /

FROM scratch
LABEL name=first
COPY --from=builder /made /made
COPY --chmod=644 entry.sh /entry.sh
COPY *.cfg /etc/
COPY <<EOF /written
text
EOF
COPY links /links
"""
FILES = {
    "requirements.txt": "one==1\ntwo==2\n",
    "src/app.py": "first\nsecond\nthird\n",
    "src/deep/part.py": "part\n",
    "src/deep/other.py": "other\n",
    "src/odd.log": "kept out as well\n",
    "bound/data.txt": "data\n",
    "unneeded.txt": "nobody takes it\n",
    "entry.sh": "#!/bin/sh\n",
    "a.cfg": "a\n",
    "links/one": "one\n",
    "links/two": "two\n",
    "notes.log": "kept out\n",
}
REQUIREMENTS, RUN, SOURCES, BOUND, HEREDOC = (f"builder {number}/7" for number in range(3, 8))
MADE, ENTRY, WILD, WRITTEN, LINKS = (f"stage-2 {number}/5" for number in range(1, 6))
ALL = ("builder 2/7", REQUIREMENTS, RUN, SOURCES, BOUND, HEREDOC, MADE, ENTRY, WILD, WRITTEN, LINKS)
AFTER_MADE = (MADE, ENTRY, WILD, WRITTEN, LINKS)


TOKEN = secrets.token_hex(4)


class CacheOnly(BuildPlan):
    """A build that leaves no image behind: so many of one name are more than the engine's store can take."""

    def options(self) -> dict[str, Any]:
        return {**super().options(), "tags": [], "load": False, "output": {"type": "cacheonly"}}


class ToFile(BuildPlan):
    """A build that writes its image to the file that its tag names."""

    def options(self) -> dict[str, Any]:
        output = {"type": "oci", "dest": self.tags[0]}
        return {**super().options(), "tags": [], "load": False, "output": output}


@dataclass
class Workshop:
    """A project that is edited and built again and again.

    Attributes:
        tag: What no other test writes into a file.
    """

    folder: Path
    plan: BuildPlan
    engine: Engine
    state: State
    tag: str
    last: BuildRecord | None = None

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def edit(self, old: str, new: str, name: str = "Dockerfile") -> None:
        text = (self.folder / name).read_text("utf-8")
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))

    def append(self, name: str) -> None:
        self.write(name, (self.folder / name).read_text("utf-8") + f"{self.tag}\n")

    def foretell(self, edited: tuple[str, ...] = ()) -> Explanation:
        """What a build would do now."""
        records = Records(self.state)
        against = records.last()
        builder = against.graph.builder if against else ""
        found = gather(
            self.plan,
            state=self.state,
            image=self.engine.daemon.image,
            builder=builder,
            edited=edited,
            keep=False,
        )
        like = records.like(found)
        return forecast(found, list(records), like, Store(self.state), image=self.plan.tags[0])

    def build(self) -> Explanation:
        """Build, and explain it."""
        graph = gather(self.plan, state=self.state, image=self.engine.daemon.image)
        self.last = build(
            self.plan, engine=self.engine, state=self.state, watch=lambda _: None, ingredients=graph.plain
        )
        records = Records(self.state)
        last = records.last()
        assert last is not None
        return tell(last, records.like(last.graph, before=last.name), Store(self.state), history=list(records))

    def ran(self) -> set[str]:
        """What BuildKit ran, by the labels it printed."""
        assert self.last is not None
        steps = [step for step in self.last.steps if step.counts and not step.cached]
        return {step.name[1 : step.name.index("]")] for step in steps}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Workshop:
    """The small project, built once."""
    folder = tmp_path_factory.mktemp("explain")
    plan = CacheOnly(
        context=folder / "small",
        dockerfile=folder / "small/Dockerfile",
        python="3.12",
        base=BASE,
        tags=(f"dockyard-test-{TOKEN}:1",),
        args={"BASE": BASE, "UNIQUE": TOKEN},
        labels={},
        secrets={"token": folder / "token"},
    )
    made = Workshop(folder / "small", plan, engine, State(folder / "state"), TOKEN)
    lay_out(made)
    made.build()
    return made


def lay_out(made: Workshop) -> None:
    """Write the small project."""
    shutil.rmtree(made.folder, ignore_errors=True)
    made.plan.secrets["token"].write_text("old", "utf-8")
    for name, text in FILES.items():
        made.write(name, f"{text}{TOKEN}\n")
    (made.folder / "links/link").symlink_to("one")
    made.write(".dockerignore", "**/*.log\n")
    made.write("Dockerfile", DOCKERFILE)


@pytest.fixture
def workshop(first: Workshop, tmp_path: Path) -> Workshop:
    """The small project as it was first built, and the record of that build."""
    lay_out(first)
    shutil.copytree(first.state.folder, tmp_path / "state")
    return replace(first, state=State(tmp_path / "state"), tag=f"edit-{secrets.token_hex(4)}")


@dataclass(frozen=True, kw_only=True)
class Case:
    """An edit.

    Attributes:
        edit: Does it.
        ran: What BuildKit runs then.
        at: The step where the first cause is.
        kind: Of that cause; none if nothing runs.
        told: What the cause is about: its subject, what was and what is.
        note: Said of a step that stays cached.
    """

    edit: Callable[[Workshop], object]
    ran: Sequence[str] = ()
    at: str = ""
    kind: Kind | None = None
    told: Sequence[str | int] = ()
    note: tuple[str, Note] | None = None


def again(workshop: Workshop, **changed: Any) -> None:
    """Change the plan."""
    workshop.plan = replace(workshop.plan, **changed)


def given(workshop: Workshop, **arguments: str) -> None:
    """Give build arguments."""
    again(workshop, args={**workshop.plan.args, **arguments})


def run(*steps: Callable[[], object]) -> None:
    """Take steps one after another."""
    for step in steps:
        step()


def relink(workshop: Workshop, target: str) -> None:
    """Let the link point elsewhere."""
    link = workshop.folder / "links/link"
    link.unlink()
    link.symlink_to(target)


# The files that the last stage takes from the builder are as they were unless src/app.py or bound/ is another one.
BUILDER = (SOURCES, BOUND, HEREDOC)
# Whether these run depends on what the steps before them make: of COPY --from, and of a RUN with a secret.
BY_CONTENT = (BOUND, HEREDOC, *AFTER_MADE)
FROM_SOURCES = (*BUILDER, *AFTER_MADE)
FROM_RUN = (RUN, *BUILDER)
FROM_WILD = (WILD, WRITTEN, LINKS)
CASES = {
    "content": Case(
        edit=lambda w: w.append("src/app.py"),
        ran=FROM_SOURCES,
        at=SOURCES,
        kind=Kind.CONTENT,
        told=["src/app.py", 1, 0],
    ),
    "content of a file that is copied alone": Case(
        edit=lambda w: w.append("requirements.txt"),
        ran=(REQUIREMENTS, *FROM_RUN),
        at=REQUIREMENTS,
        kind=Kind.CONTENT,
        told=["requirements.txt"],
    ),
    "mode": Case(
        edit=lambda w: (w.folder / "src/app.py").chmod(0o755),
        ran=BUILDER,
        at=SOURCES,
        kind=Kind.MODE,
        told=["src/app.py", "644", "755"],
    ),
    "mode that --chmod sets anyway": Case(
        edit=lambda w: (w.folder / "entry.sh").chmod(0o755),
        ran=(ENTRY, *FROM_WILD),
        at=ENTRY,
        kind=Kind.MODE,
        told=["entry.sh", "644", "755"],
    ),
    "rename": Case(
        edit=lambda w: (w.folder / "src/deep/part.py").rename(w.folder / f"src/deep/{w.tag}.py"),
        ran=BUILDER,
        at=SOURCES,
        kind=Kind.RENAMED,
        told=["src/deep/part.py"],
    ),
    "delete": Case(
        edit=lambda w: (w.folder / "src/deep/part.py").unlink(),
        ran=BUILDER,
        at=SOURCES,
        kind=Kind.DELETED,
        told=["src/deep/part.py"],
    ),
    "add": Case(
        edit=lambda w: w.write("src/new.py", w.tag), ran=BUILDER, at=SOURCES, kind=Kind.ADDED, told=["src/new.py"]
    ),
    "add an empty folder": Case(
        edit=lambda w: (w.folder / f"src/{w.tag}").mkdir(), ran=BUILDER, at=SOURCES, kind=Kind.ADDED
    ),
    "touch only": Case(edit=lambda w: os.utime(w.folder / "src/app.py", (1, 1)), note=(SOURCES, Note.TOUCHED)),
    "write the same again": Case(edit=lambda w: w.edit("first", "first", "src/app.py"), note=(SOURCES, Note.TOUCHED)),
    "nothing": Case(edit=lambda w: None),
    "target of a link": Case(
        edit=lambda w: relink(w, "two"),
        ran=(LINKS,),
        at=LINKS,
        kind=Kind.LINK,
        told=["links/link", "one", "two"],
    ),
    ".dockerignore lets in": Case(
        edit=lambda w: w.write(".dockerignore", "# nothing\n"),
        ran=BUILDER,
        at=SOURCES,
        kind=Kind.LET_IN,
        told=["src/odd.log"],
    ),
    ".dockerignore keeps out": Case(
        edit=lambda w: w.write(".dockerignore", "**/*.log\nsrc/deep/other.py\n"),
        ran=BUILDER,
        at=SOURCES,
        kind=Kind.KEPT_OUT,
        told=["src/deep/other.py", 2],
    ),
    ".dockerignore edited without effect": Case(edit=lambda w: w.write(".dockerignore", "**/*.log\n# more\n*.tmp\n")),
    "a file that is kept out": Case(edit=lambda w: w.append("notes.log")),
    "a file that no instruction takes": Case(edit=lambda w: w.write("stray.txt", w.tag)),
    "a file of a stage that is not needed": Case(edit=lambda w: w.append("unneeded.txt")),
    "wildcard gets a file": Case(
        edit=lambda w: w.write("b.cfg", w.tag), ran=FROM_WILD, at=WILD, kind=Kind.ADDED, told=["b.cfg"]
    ),
    "wildcard, renamed": Case(
        edit=lambda w: (w.folder / "a.cfg").rename(w.folder / f"{w.tag}.cfg"),
        ran=FROM_WILD,
        at=WILD,
        kind=Kind.RENAMED,
        told=["a.cfg"],
    ),
    "source of a bind mount": Case(
        edit=lambda w: w.append("bound/data.txt"),
        ran=(BOUND, HEREDOC, *AFTER_MADE),
        at=BOUND,
        kind=Kind.CONTENT,
        told=["bound/data.txt", 1, 0],
    ),
    "build argument": Case(
        edit=lambda w: given(w, VERSION=f"1.3-{w.tag}"),
        ran=FROM_RUN,
        at=RUN,
        kind=Kind.ARGUMENT,
        told=["VERSION", "1.2", "build argument"],
    ),
    "default of an argument": Case(
        edit=lambda w: w.edit("VERSION=1.2", f"VERSION={w.tag}"),
        ran=FROM_RUN,
        at=RUN,
        kind=Kind.ARGUMENT,
        told=["VERSION", "1.2", "ARG", 6],
    ),
    "argument that is declared nowhere": Case(edit=lambda w: given(w, NOWHERE=w.tag)),
    "argument before FROM that no stage declares": Case(edit=lambda w: given(w, UNUSED_BEFORE=w.tag)),
    "argument that is declared behind the last RUN": Case(
        edit=lambda w: w.edit("EOF\n\nFROM scratch AS unneeded", f"EOF\nARG LATE={w.tag}\n\nFROM scratch AS unneeded")
    ),
    "ENV": Case(
        edit=lambda w: w.edit("MODE=fast", f"MODE={w.tag}"),
        ran=FROM_RUN,
        at=RUN,
        kind=Kind.VARIABLE,
        told=["MODE", "fast", "ENV", 7],
    ),
    "USER": Case(
        edit=lambda w: w.edit("COPY src src\n", f"USER 0:{int(w.tag[-4:], 16)}\nCOPY src src\n"),
        ran=(BOUND, HEREDOC, *AFTER_MADE),
        at=BOUND,
        kind=Kind.USER,
        told=["root"],
    ),
    "SHELL": Case(
        edit=lambda w: w.edit("COPY src src\n", 'SHELL ["/bin/sh", "-e", "-c"]\nCOPY src src\n'),
        ran=(BOUND, HEREDOC),
        at=BOUND,
        kind=Kind.SHELL,
        told=["/bin/sh -c", "/bin/sh -e -c"],
    ),
    "LABEL": Case(edit=lambda w: w.edit("LABEL name=first", f"LABEL name={w.tag}")),
    "WORKDIR": Case(
        edit=lambda w: w.edit("WORKDIR /build-$UNIQUE", f"WORKDIR /{w.tag}"),
        ran=("builder 2/7", REQUIREMENTS, *FROM_RUN),
        at="builder 2/7",
        kind=Kind.EDITED,
        told=[8],
    ),
    "comment": Case(edit=lambda w: w.edit("# A comment.", f"# {w.tag}\n#\n")),
    "comment between continued lines": Case(edit=lambda w: w.edit("    true\n", f"    # {w.tag}\n    true\n")),
    "blanks of COPY": Case(edit=lambda w: w.edit("COPY src src\n", "COPY   ./src \\\n   src\n")),
    "blanks of RUN": Case(
        edit=lambda w: w.edit("    true\n", "true\n"),
        ran=(RUN, SOURCES),
        at=RUN,
        kind=Kind.BLANKS,
        told=[10],
        note=(BOUND, Note.SAME_RESULT),
    ),
    "command": Case(
        edit=lambda w: w.edit("    true\n", f"    true {w.tag}\n"),
        ran=(RUN, SOURCES),
        at=RUN,
        kind=Kind.EDITED,
        told=[10],
        note=(BOUND, Note.SAME_RESULT),
    ),
    "heredoc of RUN": Case(
        edit=lambda w: w.edit("echo one", f"echo {w.tag}"), ran=(HEREDOC,), at=HEREDOC, kind=Kind.HEREDOC, told=[16]
    ),
    "heredoc of COPY": Case(
        edit=lambda w: w.edit("text\n", f"{w.tag}\n"), ran=(WRITTEN, LINKS), at=WRITTEN, kind=Kind.HEREDOC, told=[28]
    ),
    "--chmod": Case(
        edit=lambda w: w.edit("--chmod=644", "--chmod=600"),
        ran=(ENTRY, *FROM_WILD),
        at=ENTRY,
        kind=Kind.EDITED,
        told=[26],
    ),
    "instruction added": Case(
        edit=lambda w: w.edit("COPY *.cfg", f"COPY a.cfg /{w.tag}\nCOPY *.cfg"),
        ran=("stage-2 3/6", "stage-2 4/6", "stage-2 5/6", "stage-2 6/6"),
        at="stage-2 3/6",
        kind=Kind.INSERTED,
        told=[27],
    ),
    "instruction removed": Case(
        edit=lambda w: w.edit("COPY *.cfg /etc/\n", ""),
        ran=("stage-2 3/4", "stage-2 4/4"),
        at="stage-2 3/4",
        kind=Kind.REMOVED,
        told=["COPY *.cfg /etc/", 27],
    ),
    "instructions exchanged": Case(
        edit=lambda w: (
            w.edit("COPY --chmod=644 entry.sh /entry.sh\n", ""),
            w.edit("COPY *.cfg /etc/\n", "COPY *.cfg /etc/\nCOPY --chmod=644 entry.sh /entry.sh\n"),
        ),
        ran=(ENTRY, *FROM_WILD),
        at=ENTRY,
        kind=Kind.INSERTED,
        told=["COPY *.cfg /etc/", "moved", 26],
    ),
    "stage added that another is built from": Case(
        edit=lambda w: w.edit(
            "FROM scratch\nLABEL", f"FROM scratch AS below\nCOPY a.cfg /{w.tag}\n\nFROM below\nLABEL"
        ),
        ran=("below 1/1", *(each.replace("stage-2", "stage-3") for each in AFTER_MADE)),
        at="below 1/1",
        kind=Kind.STAGE_ADDED,
        told=["below", 23],
    ),
    "stage added that nobody needs": Case(
        edit=lambda w: w.edit(
            "FROM scratch\nLABEL", f"FROM scratch AS more\nCOPY a.cfg /{w.tag}\n\nFROM scratch\nLABEL"
        )
    ),
    "stage removed that another was built from": Case(
        edit=lambda w: (
            w.append("src/app.py"),
            w.edit("FROM scratch\nLABEL", f"FROM scratch AS below\nCOPY a.cfg /{w.tag}\n\nFROM below\nLABEL"),
            w.build(),
            w.edit(f"FROM scratch AS below\nCOPY a.cfg /{w.tag}\n\nFROM below\nLABEL", "FROM scratch\nLABEL"),
        ),
        ran=AFTER_MADE,
        at=MADE,
        kind=Kind.STAGE_REMOVED,
        told=["below"],
    ),
    "stage renamed": Case(
        edit=lambda w: (
            w.edit("FROM $BASE AS builder", f"FROM $BASE AS maker-{w.tag}"),
            w.edit("--from=builder", f"--from=maker-{w.tag}"),
        )
    ),
    "secret": Case(edit=lambda w: w.plan.secrets["token"].write_text(w.tag), note=(BOUND, Note.SECRET)),
    "back to what was built before": Case(
        edit=lambda w: run(lambda: w.append("src/app.py"), w.build, lambda: w.edit(f"{w.tag}\n", "", "src/app.py")),
        note=(SOURCES, Note.KNOWN),
    ),
    "--no-cache": Case(edit=lambda w: again(w, cache=False), ran=ALL[1:], kind=Kind.NO_CACHE),
    "other target": Case(edit=lambda w: again(w, target="builder"), note=("builder 2/7", Note.KNOWN)),
}


@pytest.mark.parametrize("name", CASES)
def test_edit(workshop: Workshop, name: str) -> None:
    """What runs after an edit is foretold and explained: no step is wrong, no cause is wrong, none is unknown."""
    case = CASES[name]
    case.edit(workshop)
    foretold, told = workshop.foretell(), workshop.build()

    ran = workshop.ran()
    assert ran == set(case.ran)
    assert {each.label for each in told.steps if each.outcome is Outcome.RAN} == ran
    for step in foretold.steps:
        sure = step.outcome is not Outcome.MAY_RUN or step.label not in BY_CONTENT
        assert not sure or (step.outcome is Outcome.WILL_RUN) == (step.label in ran), step
    for step in (*told.ran, *foretold.ran):
        place = (step.label, *step.chain)[-1]
        assert {each.kind for each in step.causes} == ({case.kind} if case.kind else set()), step
        assert case.at in ("", place)
        assert all(each in astuple(step.causes[0]) for each in case.told)
    noted = {(each.label, each.note) for each in told.steps if each.note}
    assert case.note is None or case.note in noted


@pytest.mark.parametrize(("builder", "kind"), [("", Kind.PRUNED), ("elsewhere", Kind.BUILDER)])
def test_not_in_the_cache(workshop: Workshop, builder: str, kind: Kind) -> None:
    """Where nothing changed, a lost cache or another builder is the cause of the first step that runs."""
    given(workshop, UNIQUE=workshop.tag)
    name = workshop.state.records("builds")[-1]
    forged = workshop.state.read_record(name)
    assert forged is not None
    # The record says that this was built; the builder knows nothing of it.
    forged["ingredients"] = gather(workshop.plan, state=workshop.state, image=workshop.engine.daemon.image).plain()
    forged["builder"] = builder or forged["builder"]
    workshop.state.write_record(name, forged)
    told = workshop.build()
    assert workshop.ran() == {each.label for each in told.ran} >= {"builder 2/7", *FROM_RUN}
    assert {cause.kind for each in told.ran for cause in each.causes} == {kind}


def with_marks(workshop: Workshop, token: str) -> Explanation:
    """Give the secret a value, build as `build.secrets_rebuild` does, and check that it was foretold."""
    workshop.plan.secrets["token"].write_text(token)
    again(workshop, marks=marks(workshop.plan.secrets, workshop.state))
    foretold, told = workshop.foretell(), workshop.build()
    surely = {each.label for each in foretold.steps if each.outcome is Outcome.WILL_RUN}
    assert surely <= workshop.ran() <= {each.label for each in foretold.ran} | set(BY_CONTENT)
    assert workshop.ran() == {each.label for each in told.ran}
    return told


def test_changed_secret_rebuilds(workshop: Workshop) -> None:
    """With marks a changed secret runs its step and those on it, and nothing else; an unchanged one runs none."""
    told = with_marks(workshop, "old")
    assert workshop.ran() == {BOUND, HEREDOC}
    assert {(cause.kind, cause.origin) for each in told.ran for cause in each.causes} == {(Kind.SECRET, "on")}
    told = with_marks(workshop, workshop.tag)
    assert workshop.ran() == {BOUND, HEREDOC}
    assert {(cause.subject, cause.origin) for each in told.ran for cause in each.causes} == {("token", "changed")}
    assert {(each.label, *each.chain)[-1] for each in told.ran} == {BOUND}
    assert all("dockyard-" not in each.name for each in workshop.last.steps)
    with_marks(workshop, workshop.tag)
    assert workshop.ran() == set()
    told = with_marks(workshop, "old")
    assert workshop.ran() == set()
    assert (BOUND, Note.KNOWN) in {(each.label, each.note) for each in told.steps}


def test_no_trace_of_marks(workshop: Workshop, tmp_path: Path) -> None:
    """Neither a mark nor anything of the secret is in the image or its history, and a mark is random."""
    run_it = f"RUN --mount=type=secret,id=token ls -A /run/secrets | tee /found; : {workshop.tag}"
    workshop.write("Dockerfile", f"ARG BASE\nFROM $BASE\n{run_it}\n")
    secret = workshop.plan.secrets["token"]
    secret.write_text(workshop.tag[::-1])
    given = marks({"token": secret}, workshop.state)
    plan = ToFile(**{**vars(workshop.plan), "marks": given, "tags": (str(tmp_path / "image.tar"),)})
    build(plan, engine=workshop.engine, state=workshop.state, watch=lambda _: None)
    held = b"".join(_blobs(tmp_path / "image.tar"))
    salted = Store(workshop.state).salted(secret.read_bytes())
    assert b"RUN /bin/sh -c ls -A /run/secrets | tee /found" in held
    # What the step saw is in its layer: the secret, and no file for the mark.
    assert b"\0token\n\0" in held
    for each in (given["token"], salted, secret.read_text("utf-8")):
        assert each.encode() not in held
    assert marks({"token": secret}, State(tmp_path / "elsewhere")) != given


def _blobs(archive: Path) -> Iterator[bytes]:
    """Yield all that a saved image holds; its base's large layers but for their size."""
    with tarfile.open(archive) as tar:
        for member in tar:
            stream = tar.extractfile(member)
            content = stream.read() if stream and member.size < 1_000_000 else b""
            yield gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def test_base_moved(workshop: Workshop) -> None:
    """A base whose name is another image now is told with both digests, before and after the build."""
    name = f"{workshop.plan.tags[0].partition(':')[0]}-base:1"
    images = []

    def named() -> None:
        image = workshop.engine.daemon.image(name)
        images.append(image.id if image else "")

    moved = docker("create", BASE, "sh", "-c", f"echo {workshop.tag} > /moved").strip()
    try:
        workshop.engine.buildx.tag(BASE, name)
        named()
        given(workshop, BASE=name)
        workshop.build()
        docker("start", "--attach", moved)
        docker("commit", moved, name)
        named()
        foretold, told = workshop.foretell(), workshop.build()
    finally:
        docker("rm", moved)
        workshop.engine.buildx.remove_image(name)
    ran = {"builder 2/7", REQUIREMENTS, *FROM_RUN}
    assert workshop.ran() == {each.label for each in told.ran} == ran
    assert ran <= {each.label for each in foretold.ran}
    for step in (*told.ran, *(each for each in foretold.ran if each.outcome is Outcome.WILL_RUN)):
        assert (step.causes[0].kind, step.causes[0].subject) == (Kind.BASE, name)
        assert [step.causes[0].before, step.causes[0].after] == images


def test_first_build(workshop: Workshop, tmp_path: Path) -> None:
    """A build of which there is no record before it is called the first one, and so are steps that run in it."""
    workshop.state = State(tmp_path / "empty")
    given(workshop, UNIQUE=workshop.tag)
    assert {each.outcome for each in workshop.foretell().steps} == {Outcome.WILL_RUN}
    told = workshop.build()
    assert workshop.ran() == {each.label for each in told.ran} >= {"builder 2/7", *FROM_RUN}
    assert {cause.kind for each in told.ran for cause in each.causes} == {Kind.FIRST}
    assert {each.note for each in told.steps if each.outcome is Outcome.CACHED} <= {Note.KNOWN}


def test_link(workshop: Workshop) -> None:
    """COPY --link does not depend on the steps before it, what is behind it does; its second half is not told."""
    target = f"/{workshop.tag}"
    lines = ("FROM scratch", f"COPY a.cfg {target}", f"COPY --link entry.sh {target}/", f"COPY links {target}/")
    workshop.write("Dockerfile", "\n".join(lines))
    workshop.build()
    workshop.append("a.cfg")
    foretold, told = workshop.foretell(), workshop.build()
    assert workshop.ran() == {"1/3", "3/3"}
    assert [each.outcome for each in told.steps] == [Outcome.RAN, Outcome.CACHED, Outcome.RAN]
    assert [each.outcome for each in foretold.steps] == [Outcome.WILL_RUN, Outcome.CACHED, Outcome.WILL_RUN]
    for step in (*told.ran, *foretold.ran):
        assert ((step.label, *step.chain)[-1], step.causes[0].subject) == ("1/3", "a.cfg")


def test_folders_and_triggers(workshop: Workshop) -> None:
    """WORKDIR / is no step, WORKDIR is its user's, and what ONBUILD kept comes first, as BuildKit numbers them."""
    kept = f"FROM scratch AS one\nWORKDIR /\nONBUILD COPY a.cfg /{workshop.tag}\nONBUILD WORKDIR /\n"
    workshop.write("Dockerfile", f"{kept}FROM one\nUSER 1000\nWORKDIR /{workshop.tag}-made\nCOPY entry.sh .\n")
    workshop.build()
    labels = ["stage-1 1/2", "stage-1 2/2", "stage-1 3/2"]
    for edit, ran, kind in (
        (lambda: workshop.append("a.cfg"), labels, Kind.CONTENT),
        (lambda: workshop.edit("USER 1000", "USER 2000"), labels[1:], Kind.USER),
    ):
        edit()
        foretold, told = workshop.foretell(), workshop.build()
        assert workshop.ran() == set(ran)
        for each in (foretold, told):
            assert [step.label for step in each.ran] == ran
            assert {cause.kind for step in each.ran for cause in step.causes} == {kind}


def test_one_stage_with_a_mount(workshop: Workshop) -> None:
    """The only stage, which BuildKit numbers once a mount stands in it, is explained as well."""
    mount = "RUN --mount=type=bind,target=/bound,source=bound cat /bound/data.txt"
    workshop.write("Dockerfile", f"ARG BASE\nFROM $BASE\nCOPY a.cfg /{workshop.tag}\n{mount}\n")
    workshop.build()
    workshop.append("bound/data.txt")
    told = workshop.build()
    assert workshop.ran() == {"stage-0 3/3"}
    assert [(each.label, each.causes[0].subject) for each in told.ran] == [("stage-0 3/3", "bound/data.txt")]


@pytest.mark.parametrize(
    ("copy", "edits", "no_edits"),
    [
        ("COPY --exclude=deep src /src", ["src/app.py"], ["src/deep/part.py"]),
        (
            "COPY --exclude=* --exclude=!deep/part.py src /src",
            ["src/deep/part.py"],
            ["src/app.py", "src/deep/other.py"],
        ),
        ("COPY --exclude=*.cfg *.cfg /etc/", ["a.cfg"], []),
        ("COPY --parents src/deep/part.py /", ["src/deep/part.py"], ["src/app.py", "src/deep/other.py"]),
        ("COPY --parents ./src/./deep /", ["src/deep/part.py"], ["src/app.py"]),
        ("COPY --parents src/**/part.py /", ["src/deep/part.py"], ["src/deep/other.py"]),
    ],
)
def test_selected(workshop: Workshop, copy: str, edits: Sequence[str], no_edits: Sequence[str]) -> None:
    """Of --exclude and --parents only what is taken runs the step, where the frontend knows them."""
    frontend = os.environ.get("DOCKYARD_TEST_FRONTEND")
    syntax = f"# syntax={frontend}\n" if frontend else ""
    workshop.write("Dockerfile", f"{syntax}FROM scratch\nLABEL a={workshop.tag}\n{copy}\n")
    try:
        workshop.build()
    except BuildError as error:
        if "unknown flag" in str(error):
            pytest.skip("not run: this frontend does not know the flag; DOCKYARD_TEST_FRONTEND may name one that does")
        raise
    for name in no_edits:
        workshop.append(name)
        assert (workshop.foretell().ran, workshop.build().ran, workshop.ran()) == ((), (), set())
    for name in edits:
        workshop.append(name)
        foretold, told = workshop.foretell(), workshop.build()
        assert workshop.ran() == {each.label for each in told.ran} == {each.label for each in foretold.ran} == {"1/1"}
        assert [each.causes[0].subject for each in told.ran] == [name]


def test_builder_in_use(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who builds is known before a build, whether `docker buildx use` chose it or the environment."""
    monkeypatch.setenv("BUILDX_CONFIG", str(tmp_path))
    assert engine.buildx.current() == "default"
    assert process.run(["docker", "buildx", "create", "--use", "--name", f"other-{TOKEN}"]).ok
    assert engine.buildx.current() == f"other-{TOKEN}"
    monkeypatch.setenv("BUILDX_BUILDER", "default")
    assert engine.buildx.current() == "default"


def test_platforms(workshop: Workshop) -> None:
    """The steps of two platforms are told apart."""
    workshop.write("Dockerfile", f"FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH.txt /{workshop.tag}\nCOPY a.cfg /\n")
    for name in ("amd64.txt", "arm64.txt"):
        workshop.append("a.cfg")
        workshop.write(name, workshop.tag)
    again(workshop, platforms=("linux/amd64", "linux/arm64"))
    workshop.build()
    workshop.append("arm64.txt")
    foretold, told = workshop.foretell(), workshop.build()
    assert workshop.ran() == {"linux/arm64 1/2", "linux/arm64 2/2"}
    assert {each.label for each in told.ran} == {each.label for each in foretold.ran} == workshop.ran()
    assert {each.causes[0].subject for each in told.ran} == {"arm64.txt"}
    assert len(told.steps) == 4


@pytest.mark.parametrize("name", ["src/app.py", "entry.sh", "a.cfg", "notes.log", "unneeded.txt"])
def test_what_if(workshop: Workshop, name: str) -> None:
    """What the edit of a file would run is known before the file is edited."""
    foretold = workshop.foretell((name,))
    workshop.append(name)
    workshop.build()
    surely = {each.label for each in foretold.steps if each.outcome is Outcome.WILL_RUN}
    unsure = {each.label for each in foretold.steps if each.outcome is Outcome.MAY_RUN}
    assert surely <= workshop.ran() <= surely | unsure
    assert unsure <= set(BY_CONTENT)
