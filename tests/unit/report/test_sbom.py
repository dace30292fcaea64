"""A bill of materials as it is told: counts by kind and licence, changes, problems."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockyard import sbom
from dockyard.errors import SettingsError
from dockyard.report import sbom as reports
from dockyard.report.console import Console
from dockyard.report.sbom_markdown import markdown
from dockyard.sbom import Component, Licence, Listed, Listing
from dockyard.settings.sboms import Sbom
from unit.sbom.made import DEBIAN, bill, distribution, package, status

BILL = bill(
    DEBIAN, status(*(package(f"lib{number}") for number in range(5))), distribution("a", "1", "License: MIT"),
    distribution("b", "1", "License: MIT"), distribution("c", "1", "License: odd words"),
    config={"Labels": {"org.opencontainers.image.title": "shop", "org.opencontainers.image.version": "3"}},
)  # fmt: skip
OLDER = sbom.listed(BILL) - {Listed("pypi", "a", "1")} | {Listed("pypi", "b", "0"), Listed("deb", "gone", "1")}
OLDER -= {Listed("pypi", "b", "1")}
LISTING = Listing(
    bill=replace(BILL, problems=("Something was left out.",)),
    comparison=sbom.compare(OLDER, sbom.listed(BILL), reference="older:1"),
    violations=sbom.check(BILL, Sbom(allow=("MIT",), exceptions={f"lib{at}": "of the base image" for at in range(5)})),
)
ANYTHING = st.text(st.characters(exclude_categories=()), min_size=1, max_size=40)


def shown(capsys, form="table", top=15, listing=LISTING) -> tuple[list[str], str]:
    """The words of each line, and what was said beside."""
    reports.show(Console(), listing, form, top)
    done = capsys.readouterr()
    return [" ".join(line.split()) for line in done.out.splitlines()], done.err


def test_table(capsys):
    """The table counts what is there by kind and by licence, the most named first; what is not known is counted too."""
    lines, beside = shown(capsys)

    assert lines[0] == f"shop 3, {BILL.digest[:19]}: 9 components"
    assert "5 0 Debian package lib0 1.0-1, lib1 1.0-1, lib2 1.0-1 and 2 more" in lines
    assert "3 3 Python distribution a 1, b 1, c 1" in lines
    licences = lines[lines.index("count as licence such as") + 1 :]
    assert licences[:3] == ["5 not known lib0, lib1, lib2", "2 SPDX MIT a, b", "1 words odd words c"]
    assert beside == "Something was left out.\n"


def test_changes(capsys):
    """What came, went and changed is told with its versions, and counted."""
    lines, _ = shown(capsys)

    assert "+ pypi a 1" in lines
    assert "~ pypi b 0 → 1" in lines
    assert "- deb gone 1" in lines
    assert lines[-1] == "1 added, 1 removed, 1 changed since older:1; 7 as they were"


def test_nothing_changed(capsys):
    """Where nothing changed, that is said."""
    same = replace(LISTING, comparison=sbom.compare(sbom.listed(BILL), sbom.listed(BILL), reference="x"))
    assert shown(capsys, listing=same)[0][-1] == "nothing changed since x; 9 as they were"


def test_top(capsys):
    """Licences beyond the wanted rows are counted."""
    lines, _ = shown(capsys, top=1)
    assert "2 more licences; `--format json` lists them all" in lines
    assert "2 SPDX MIT a, b" not in lines


def test_json(capsys):
    """As JSON it is the document."""
    reports.show(Console(), LISTING, "json", 1)
    assert json.loads(capsys.readouterr().out) == json.loads(sbom.written(LISTING.bill))


def test_markdown():
    """Markdown has what is not allowed, what changed, and the counts."""
    told = markdown(LISTING)

    assert "| ❌ c 1 \\(pypi\\)" in told
    assert "| \\~ | pypi | b | 0 → 1 |" in told
    assert "| 2 | SPDX | MIT | a, b |" in told
    assert "Something was left out" in told


@settings(max_examples=30, deadline=None)
@given(ANYTHING)
def test_hostile(text):
    """Whatever packages are called, what is printed moves no cursor and can be written."""
    one = Component(kind="deb", name=text, version=text, licences=(Licence(text, spdx=False),))
    made = replace(BILL, components=(one,), name=text, problems=(text,))
    comparison = sbom.compare((), [Listed("deb", text, text)], reference=text)
    told = markdown(Listing(bill=made, comparison=comparison, violations=sbom.check(made, Sbom(allow=("MIT",)))))
    assert {each for each in told.encode("utf-8").decode() if not each.isprintable()} <= {"\n"}


@pytest.mark.parametrize(("name", "why"), [("gone/x.json", "There is no folder gone."), (".", "It is a folder.")])
def test_target(name, why, tmp_path, monkeypatch):
    """A place that nothing can be written to is refused before an image is read."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError) as caught:
        reports.target(Path(name))
    assert caught.value.why == why
