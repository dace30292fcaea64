"""The licence policy lets in what it says, and names what it does not."""

from __future__ import annotations

import pytest

from dockyard import sbom
from dockyard.errors import AuditError
from dockyard.sbom import Bill, Component, Licence
from dockyard.settings.sboms import Sbom
from unit.sbom.made import SITE, bill, distribution


def of(*licences: str, name: str = "a") -> Bill:
    """A bill of one package with these licences; a question mark is before words."""
    given = tuple(Licence(each.lstrip("?"), spdx=not each.startswith("?")) for each in licences)
    one = Component(kind="pypi", name=name, version="1", place="/here", licences=given)
    return Bill(name="x", version="", digest="sha256:1", created="", architecture="", licences=(), components=(one,))


@pytest.mark.parametrize(
    ("licences", "policy", "why"),
    [
        (["GPL-3.0-only"], {}, ""),
        (["MIT"], {"allow": ["MIT"]}, ""),
        (["MIT"], {"allow": ["mit"]}, ""),
        (["BSD-3-Clause"], {"allow": ["MIT", "BSD-*"]}, ""),
        (["GPL-3.0-only"], {"allow": ["MIT"]}, "GPL-3.0-only is not in `allow`"),
        (["GPL-3.0-only"], {"deny": ["GPL-3.0-only"]}, "GPL-3.0-only is denied"),
        (["GPL-3.0-only"], {"deny": ["*GPL-*"]}, "GPL-3.0-only is denied by *GPL-*"),
        (["GPL-3.0-only"], {"allow": ["*"], "deny": ["GPL-*"]}, "GPL-3.0-only is denied by GPL-*"),
        (["MIT OR GPL-3.0-only"], {"deny": ["GPL-*"]}, ""),
        (["MIT AND GPL-3.0-only"], {"deny": ["GPL-*"]}, "GPL-3.0-only is denied by GPL-*"),
        (["MIT AND (ISC OR GPL-3.0-only)"], {"deny": ["GPL-*"]}, ""),
        (["MIT AND (AGPL-3.0-only OR GPL-3.0-only)"], {"deny": ["*GPL-*"]}, "AGPL-3.0-only is denied by *GPL-*"),
        (["MIT", "GPL-3.0-only"], {"deny": ["GPL-*"]}, "GPL-3.0-only is denied by GPL-*"),
        (["GPL-2.0-only WITH Classpath-exception-2.0"], {"allow": ["GPL-2.0-only"]}, ""),
        (["GPL-2.0-only WITH Classpath-exception-2.0"], {"allow": ["MIT"]}, "is not in `allow`"),
        (["GPL-2.0-only"], {"allow": ["GPL-2.0-only WITH Classpath-exception-2.0"]}, "is not in `allow`"),
        (["?public-domain"], {"allow": ["MIT", "public-domain"]}, ""),
        (["?public-domain"], {"allow": ["MIT"]}, "public-domain is not in `allow`"),
        (["?odd (words AND more"], {"deny": ["GPL-*"]}, ""),
        ([], {"deny": ["GPL-*"]}, ""),
        ([], {"allow": ["MIT"]}, "no licence is known"),
        (["GPL-3.0-only"], {"deny": ["GPL-*"], "exceptions": {"A": "a tool that is not linked"}}, ""),
        (["GPL-3.0-only"], {"deny": ["GPL-*"], "exceptions": {"b": "another one, not this"}}, "is denied"),
        (["GPL-3.0-only"], {"deny": ["GPL-*"], "exceptions": {"pypi:*": "all of this kind may"}}, ""),
        (["GPL-3.0-only"], {"deny": ["GPL-*"], "exceptions": {"deb:*": "all of that kind may"}}, "is denied"),
    ],
)
def test_policy(licences, policy, why):
    """Each licence that holds must be let in; of a choice one is enough; `deny` wins, an exception over both."""
    found = sbom.check(of(*licences), Sbom(**policy))
    assert [why in " ".join(each.faults) for each in found] == ([True] if why else [])


def test_sentence():
    """A violation says which package and where, and each licence that is not let in, of a choice the whole."""
    gpl = distribution("a", "1", "License-Expression: GPL-3.0-only")
    (alone,) = sbom.check(bill(gpl), Sbom(allow=("MIT",)))
    (several,) = sbom.check(of("GPL-2.0-only OR ISC", "?\x1b", "MIT", "Zlib AND X11"), Sbom(allow=("MIT", "ISC-*")))

    assert alone.sentence == f"a 1 (pypi) in /{SITE}: GPL-3.0-only is not in `allow`"
    assert several.sentence.startswith("a 1 (pypi) in /here: ")
    assert several.sentence.partition("here: ")[2].split("; ") == [
        "GPL-2.0-only OR ISC: GPL-2.0-only is not in `allow`",
        "GPL-2.0-only OR ISC: ISC is not in `allow`",
        "1b is not in `allow`",
        "Zlib AND X11: Zlib is not in `allow`",
        "Zlib AND X11: X11 is not in `allow`",
    ]


def test_what_is_no_package():
    """The base, the system and models have no licence of a package, and offend no policy."""
    config = {"Labels": {"org.opencontainers.image.base.name": "python:3"}}
    assert sbom.check(bill(config=config), Sbom(allow=("MIT",))) == ()


def test_require():
    """Violations end with exit code 5 and are named, the first twenty of them."""
    sbom.require(())
    found = sbom.check(of("GPL-3.0-only"), Sbom(allow=("MIT",)))
    with pytest.raises(AuditError, match="A package's licence is not allowed") as one:
        sbom.require(found)
    assert (one.value.exit_code, one.value.why) == (5, found[0].sentence)
    with pytest.raises(AuditError) as many:
        sbom.require(found * 25)
    assert many.value.why.endswith("and 5 more packages")
