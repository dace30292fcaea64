"""Whatever an image's files, variables and logs hold, every report of it can be written and read."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockyard.audit.verdict import Place, State, broken, unknown
from dockyard.report.audit_json import document, schema
from dockyard.report.audit_table import audit
from dockyard.report.console import Console
from dockyard.report.junit import junit
from dockyard.report.markdown import markdown
from dockyard.report.sarif import sarif
from dockyard.report.words import harmless
from support import recorded
from unit.report.audits import RULES, NoSetuid, Sane, report, verdict

# Text as a file system, a variable or a log may have it: lone surrogates and control characters too.
ANYTHING = st.text(st.characters(exclude_categories=()), min_size=1, max_size=40)
ALLOWED = {"\n"}
# Each example writes every report, and validates one.
FEW = settings(max_examples=30, deadline=None)


def made(text, name):
    """A report that says this text in every place."""
    place = Place(subject=name, file=text, line=1)
    failed = verdict(NoSetuid, State.FAIL, broken(text, place), broken(text, Place(subject=name, layer=0)), reason=text)
    return report(failed, verdict(Sane, State.NOT_RUN, unknown(text)), image=text, digest=text, dockerfile=text)


def harm(told):
    """The letters of a document that could do harm."""
    return {letter for letter in told.encode("utf-8").decode() if not letter.isprintable()} - ALLOWED


@given(ANYTHING)
def test_harmless(text):
    """A harmless text can be written, is on one line, and is left as it is the second time."""
    told = harmless(text)
    assert told.isprintable()
    assert told.encode("utf-8").decode() == told
    assert harmless(told) == told


@FEW
@given(ANYTHING, st.text(max_size=20))
def test_documents(text, name):
    """JSON, SARIF, JUnit and Markdown can be written and are valid."""
    told = made(text, name)
    found = document(told, RULES)
    log = sarif(told, RULES, line_of=lambda layer: layer)
    jsonschema.validate(found, schema(), cls=jsonschema.Draft202012Validator)
    for written in (json.dumps(found, ensure_ascii=False), json.dumps(log, ensure_ascii=False), junit(told)):
        assert harm(written) == set()
    ET.fromstring(junit(told).encode())
    assert harm(markdown(told, RULES)) == set()


@pytest.mark.parametrize("number", [0x1B, 0x00, 0x9B, 0x202E, 0xD800, 0xDCFF, 0xFFFE])
def test_schema_and_table(number, capsys):
    """SARIF stays valid against its schema, and the table moves no cursor."""
    told = made(f"[red]{chr(number)}[2J[/red]", "name")
    log = sarif(told, RULES, line_of=lambda layer: layer)
    jsonschema.Draft4Validator(json.loads(recorded("audit/sarif-schema-2.1.0.json"))).validate(log)
    audit(Console(), told, RULES)
    assert harm(capsys.readouterr().out) == set()
