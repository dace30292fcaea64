"""What .dockerignore admits, against BuildKit itself: a folder of canaries is copied whole."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockyard.context import CANARIES, CANARY, effective, files, plant
from dockyard.engines.buildx import CommandError
from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from dockyard.engines import Engine

REPOSITORY = Path(__file__).parents[2]
MORE = (
    *("src/house_pricing/app.py", "src/house_pricing/train/cli.py", "requirements/build.txt", "README.md", "docs/a.md"),
    *("a", "b", "ab/a", "ab/b", "ab/c/a", "ab/c/d/a", "a.txt", "x.a", "sub/a.txt", "sub/x/a.txt", "sub/x/b.txt"),
    *(
        "with space",
        "é",
        "[a]",
        "{a}",
        "a+b",
        "!bang",
        "#hash",
        "back\\slash",
        "Dockerfile.d/a",
        "x^",
        "x-",
        "x!",
        ".ENV",
    ),
)
TABLE = {
    "none": "",
    "comments": "# .env\n #id_rsa\n\n  \n#\n",
    "bom": "\ufeff.env\n",
    "crlf": ".env\r\nconfig\r\n",
    "spaces": "  .env  \n\tconfig\t\nwith space\n",
    "root only": ".env\n.env.*\n*.env\n*.pem\n",
    "any depth": "**/.env\n**/.env.*\n**/*.env\n**/*.pem\n**/id_*\n**/.git\n",
    "deny all": "*\n!src\n!config/.env\n",
    "deny all, doubly": "**\n!sub/x\n",
    "exception below": "src\n!src/deep/er/.env\n!**/.netrc\n",
    "exception, then not": "*\n!config\nconfig/.env\n**/*.prod\n",
    "exception of a folder, too early": "!ab\nab/c\n",
    "exception of a folder, after its file": "ab/a\n!ab\n",
    "exception of a folder, after a folder in it": "ab/c\n!ab\n!ab/c/d\n",
    "leading slash": "/.env\n/config/\n!/config/.env\n//ab//c/\n",
    "dots": "./.env\nab/../config\n../a\n.\n/\nab/./c\n",
    "case": ".ENV\nREADME.MD\n",
    "question": "?\n?.txt\nsub/?/a.txt\n",
    "star in the middle": "sub/*/a.txt\nab/*/*\n",
    "stars": "ab/**\nsub/**/a.txt\n",
    "stars at the end of a word": "ab**\nsu**\n",
    "stars in front of a word": "**a\n**.txt\n!**/x/a.txt\n",
    "stars in the middle of a word": "s**b\na**a\nsr**/er/.env\n",
    "three stars": "***/a\nab/***\n",
    "set": "[ab]\n[^a].a\nx[^ab]\n[a-z].txt\n",
    "set with a mark": "x[!^]\n[!a].a\n",
    "escapes": "\\!bang\n\\#hash\nback\\\\slash\n\\[a\\]\n\\a\n",
    "letters of expressions": "a+b\n{a}\na.txt\nx.?\n(a)\n$\n",
    "hash and bang": "#hash\n !bang\n",
    "bang and a space": "*\n! ab/a\n!  /sub\n",
    "unicode": "é\n",
    "links": "link\nlinked/a.txt\n",
    "its own": (REPOSITORY / ".dockerignore").read_text("utf-8"),
}
REFUSED = {
    "bang": "a\n!\n",
    "bang slash": "!/\n",
    "bracket": "[a\n",
    "empty set": "[]\n",
    "range": "[z-a]\n",
    "dash": "[^-]\n",
    "escape": "a\\\n",
}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder of canaries, and of names that patterns trip over."""
    folder = tmp_path / "context"
    plant(folder, (*CANARIES, *MORE))
    (folder / "link").symlink_to("sub")
    (folder / "linked").symlink_to(".env")
    return folder


def copied(engine: Engine, context: Path, dockerfile: Path) -> set[str]:
    """Copy the whole context into an empty image, and return what is in it."""
    dockerfile.write_text("FROM scratch\nCOPY . /\n")
    out = context.parent / "out"
    for _ in engine.buildx.build(context, file=dockerfile, output={"type": "local", "dest": str(out)}, tags=[]):
        pass
    arrived = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_symlink() or path.is_file()}
    for name in arrived & {*CANARIES, *MORE}:
        assert CANARY in (out / name).read_text()
    return arrived


@pytest.mark.parametrize("text", TABLE.values(), ids=TABLE)
def test_files(engine: Engine, context: Path, text: str) -> None:
    """What we say a build can copy is what a build copies, file by file."""
    (context / ".dockerignore").write_bytes(text.encode())
    dockerfile = context.parent / "Dockerfile"
    ignore = effective(context, dockerfile)
    told = list(files(context, ignore))

    assert set(told) == copied(engine, context, dockerfile)
    assert told == sorted(told)
    assert all(ignore.admits(name) == (name in told) for name in (*CANARIES, *MORE))


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(engine: Engine, context: Path, text: str) -> None:
    """A pattern that we refuse is one that a build refuses."""
    (context / ".dockerignore").write_text(text)
    dockerfile = context.parent / "Dockerfile"
    with pytest.raises(SettingsError):
        effective(context, dockerfile)
    with pytest.raises(CommandError) as caught:
        copied(engine, context, dockerfile)
    assert re.search("failed to (solve|run Build function): ", caught.value.output)


@pytest.mark.parametrize("text", ["config\n", "", "# nothing\n"], ids=["one", "empty", "comment"])
def test_beside_the_dockerfile(engine: Engine, context: Path, text: str) -> None:
    """The file that has the Dockerfile's name beats the root's, wherever the Dockerfile is."""
    (context / ".dockerignore").write_text("src\n")
    for dockerfile in (context.parent / "Other", context / "Dockerfile.d" / "Dockerfile"):
        dockerfile.with_name(f"{dockerfile.name}.dockerignore").write_text(text)
        arrived = copied(engine, context, dockerfile)
        assert set(files(context, effective(context, dockerfile))) == arrived
