"""Signatures of files: with which words, and what stays where one cannot be made; the program is a stand-in."""

from __future__ import annotations

import pytest

from dockyard.errors import EngineError, SettingsError
from dockyard.push.files import require_cosign, sign_file, verify_file
from dockyard.push.signature import Signer, verifier
from dockyard.settings.pushes import Sign
from support import sentences

KEY = Sign(key="env://KEY", public_key="cosign.pub")
# What cosign does as far as it matters here: a signature is a file, behind the option that names it.
WRITES = 'if [ "$1" = sign-blob ]; then while [ "$1" != --output-signature ]; do shift; done; echo sig > "$2"; fi'


@pytest.fixture
def cosign(tmp_path, monkeypatch):
    """Put a cosign on the PATH that does what a script says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def cosign(script):
        (folder / "cosign").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "cosign").chmod(0o755)

    return cosign


@pytest.fixture
def file(tmp_path):
    """A file in a folder of its own."""
    made = tmp_path / "files" / "b.tar"
    made.parent.mkdir()
    made.write_text("content")
    return made


@pytest.mark.parametrize(
    ("by", "signs", "verifies"),
    [
        (
            Signer(tool="cosign", wanted=KEY),
            "cosign sign-blob --yes --key env://KEY --tlog-upload=false --output-signature b.sig b",
            "cosign verify-blob --key cosign.pub --private-infrastructure=true --offline=true --signature b.sig b",
        ),
        (
            Signer(tool="cosign", wanted=Sign(key="k", public_key="p", transparency_log=True)),
            "cosign sign-blob --yes --key k --tlog-upload=true --bundle b.sig b",
            "cosign verify-blob --key p --offline=true --bundle b.sig b",
        ),
        (
            Signer(tool="cosign", wanted=Sign(identity="^https://x", issuer="https://i"), keyless=True),
            "cosign sign-blob --yes --bundle b.sig b",
            "cosign verify-blob --certificate-identity-regexp ^https://x --certificate-oidc-issuer https://i "
            "--offline=true --bundle b.sig b",
        ),
    ],
)
def test_words(by, signs, verifies):
    """Each way to sign has its words; none of them asks a log to verify."""
    assert " ".join(by.sign_file_command("b", "b.sig")) == signs
    assert " ".join(by.verify_file_command("b", "b.sig")) == verifies


def test_signed(cosign, file):
    """The signature lies beside the file, and whose signature counts is said if it is not known."""
    cosign(WRITES)
    assert sign_file(Signer(tool="cosign", wanted=KEY), file, {}) == "b.tar.sig: signed by cosign and verified"
    verify_file(verifier(KEY, "bundle.verify"), file, {})
    told = sign_file(Signer(tool="cosign", wanted=Sign(key="k")), file, {})
    assert told == "b.tar.sig: signed by cosign; not verified: `public_key` is not set"
    assert sorted(each.name for each in file.parent.iterdir()) == ["b.tar", "b.tar.sig"]


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ('echo "Error: no key" >&2; exit 1', "was written, but not signed."),
        ("exit 0", "was written, but not signed."),
        (f'{WRITES}; [ "$1" != verify-blob ] || exit 1', "was signed, but its signature is not what"),
    ],
)
def test_nothing_half_made(cosign, file, script, what):
    """A signature that could not be made, or is not the right one, leaves nothing beside the file."""
    cosign(script)
    with pytest.raises(EngineError) as caught:
        sign_file(Signer(tool="cosign", wanted=KEY), file, {})
    assert what in caught.value.what
    assert [each.name for each in file.parent.iterdir()] == ["b.tar"]


def test_refused(cosign, file):
    """A file without its signature, or with a wrong one, is not used; the cause is named."""
    cosign('echo "Error: invalid signature" >&2; exit 1')
    by = verifier(KEY, "bundle.verify")
    with pytest.raises(EngineError) as missing:
        verify_file(by, file, {})
    assert sentences(missing.value)[:2] == (
        f"{file} was not used: no right signature of it was found.",
        f"There is no {file}.sig.",
    )
    file.with_name("b.tar.sig").write_text("sig")
    with pytest.raises(EngineError) as wrong:
        verify_file(by, file, {})
    assert wrong.value.why == "cosign: invalid signature"


def test_whose(cosign):
    """Where it is not said whose signature it must be the setting is named that wants one; notation signs no files."""
    cosign("exit 0")
    with pytest.raises(SettingsError) as caught:
        verifier(Sign(), "bundle.verify")
    assert "`bundle.verify` is on" in caught.value.why
    with pytest.raises(SettingsError, match="no signature of notation"):
        require_cosign(Sign(tool="notation"))
    require_cosign(Sign(tool="off"))
