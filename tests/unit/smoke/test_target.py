from __future__ import annotations

from dockyard.smoke import Answer


def test_answer_text():
    """An answer's text is its status and the beginning of its body."""
    assert str(Answer(status=200, body=" x" * 200)) == "200: " + ("x " * 80).strip()
    assert str(Answer(status=0, body="refused")) == "no answer: refused"
