"""Who signs, with which words, and what a signature must be; the programs are stand-ins that write down their call."""

from __future__ import annotations

import pytest

from dockyard.errors import DeployError, EngineError, SettingsError
from dockyard.push import signature, signer, verifier, verify
from dockyard.push.signature import GITHUB, Signer, sign
from dockyard.settings.pushes import Sign
from support import sentences

IMAGE = f"host:5000/api@sha256:{'1' * 64}"
JOB = dict.fromkeys(GITHUB, "x")
KEY = Sign(key="env://KEY", public_key="cosign.pub")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Put programs on a PATH that has no others; each writes down its call, and does what a script says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(signature, "CERTIFICATES", tmp_path / "certs.d")

    def programs(*names: str, script: str = "exit 0") -> None:
        for name in names:
            path = folder / name
            path.write_text(f'#!/bin/sh\necho "{name} $@" >> "{folder}/calls"\n{script}\n')
            path.chmod(0o755)

    programs.calls = lambda: (folder / "calls").read_text().splitlines()
    return programs


@pytest.mark.parametrize(
    ("there", "wanted", "environment", "tool", "keyless"),
    [
        (["cosign", "notation"], KEY, {}, "cosign", False),
        (["notation"], Sign(key="corp"), {}, "notation", False),
        (["cosign"], Sign(), JOB, "cosign", True),
        (["cosign"], KEY, JOB, "cosign", False),
    ],
)
def test_auto(programs, there, wanted, environment, tool, keyless):
    """It signs with what is installed: by the key that is named, else by the identity that GitHub gives the job."""
    programs(*there)
    found, why = signer(wanted, "auto", environment)
    assert (found, why) == (Signer(tool=tool, wanted=wanted, keyless=keyless), "")


@pytest.mark.parametrize(
    ("there", "tool", "says"),
    [
        ([], "auto", "neither cosign nor notation is installed"),
        (["cosign"], "auto", "names no key for cosign"),
        (["cosign"], "off", ""),
    ],
)
def test_nobody(programs, there, tool, says):
    """Where nobody can sign it is said, and `off` needs no word."""
    programs(*there)
    found, why = signer(Sign(), tool, {GITHUB[0]: "x"})
    assert found is None
    assert says in why
    assert bool(says) == bool(why)


def test_insisted(programs):
    """What is asked for must be there, and have something to sign with; before anything is pushed."""
    with pytest.raises(EngineError, match="There is no `cosign` on this machine"):
        signer(KEY, "cosign", {})
    programs("cosign", "notation")
    with pytest.raises(SettingsError, match="There is nothing to sign with"):
        signer(Sign(), "cosign", {})
    assert signer(Sign(), "notation", {})[0] == Signer(tool="notation", wanted=Sign())


@pytest.mark.parametrize(
    ("by", "sign", "verify"),
    [
        (
            Signer(tool="cosign", wanted=KEY),
            "cosign sign --yes --key env://KEY --tlog-upload=false",
            "cosign verify --output=json --key cosign.pub --private-infrastructure=true",
        ),
        (
            Signer(tool="cosign", wanted=Sign(key="awskms:///alias/a", transparency_log=True)),
            "cosign sign --yes --key awskms:///alias/a --tlog-upload=true",
            "cosign verify --output=json --key awskms:///alias/a",
        ),
        (
            Signer(tool="cosign", wanted=Sign(identity="^https://x", issuer="https://i"), keyless=True),
            "cosign sign --yes",
            "cosign verify --output=json --certificate-identity-regexp ^https://x --certificate-oidc-issuer https://i",
        ),
        (Signer(tool="notation", wanted=Sign(key="corp")), "notation sign --key corp", "notation verify"),
        (Signer(tool="notation", wanted=Sign()), "notation sign", "notation verify"),
    ],
)
def test_words(programs, by, sign, verify):
    """Each way to sign has its words; the image comes last, by its digest."""
    assert " ".join(by.sign_command(IMAGE)) == f"{sign} {IMAGE}"
    assert " ".join(by.verify_command(IMAGE)) == f"{verify} {IMAGE}"


def test_certificates(programs, tmp_path):
    """Cosign is told of the CA that the engine has for the registry."""
    known = tmp_path / "certs.d" / "host:5000" / "ca.crt"
    known.parent.mkdir(parents=True)
    known.touch()
    by = Signer(tool="cosign", wanted=KEY)
    for command in (by.sign_command(IMAGE), by.verify_command(IMAGE)):
        assert command[-3:] == ("--registry-cacert", str(known), IMAGE)


def test_signed_once(programs):
    """What is signed already is not signed again; where it is not known whose signature counts, it is said."""
    programs("cosign")
    assert sign(Signer(tool="cosign", wanted=KEY), IMAGE, {}) == "was signed already, by cosign"
    assert [call.split()[1] for call in programs.calls()] == ["verify"]
    told = sign(Signer(tool="cosign", wanted=Sign(key="k")), IMAGE, {})
    assert told == "signed by cosign; not verified: `public_key` is not set"


def test_sign_fails(programs):
    """A signature that cannot be made, or is not the right one, is told in the tool's words."""
    programs("cosign", script='echo "Error: no key" >&2; exit 1')
    with pytest.raises(DeployError) as caught:
        sign(Signer(tool="cosign", wanted=KEY), IMAGE, {})
    assert sentences(caught.value)[:2] == (f"{IMAGE} was pushed, but not signed.", "no key")
    programs("cosign", script='if [ "$1" = verify ]; then echo "Error: no match" >&2; exit 1; fi')
    with pytest.raises(DeployError) as caught:
        sign(Signer(tool="cosign", wanted=KEY), IMAGE, {})
    assert sentences(caught.value)[1] == "no match"


def test_verified(programs):
    """A digest with the right signature is let through, and nothing else is."""
    programs("cosign")
    verify(verifier(KEY), IMAGE, {})
    with pytest.raises(DeployError, match="a signature is of a digest"):
        verify(verifier(KEY), "host:5000/api:1", {})
    programs("cosign", script='echo "Error: no signatures found" >&2; exit 10')
    with pytest.raises(DeployError) as caught:
        verify(verifier(KEY), IMAGE, {})
    assert caught.value.why == "cosign: no signatures found"


def test_verifier(programs):
    """Who verifies must be installed, and know whose signature to look for."""
    with pytest.raises(EngineError, match="There is no `cosign`"):
        verifier(KEY)
    programs("cosign")
    with pytest.raises(SettingsError, match="No signature can be verified"):
        verifier(Sign(key="cosign.key"))
    programs("notation")
    assert verifier(Sign(tool="notation")).tool == "notation"
