from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from dockyard.plan import RELEASE, differences, fingerprint, from_record, production_plan, to_record
from dockyard.settings import load


def planned(project, **changed):
    """A production plan, with settings given as dotted keys."""
    arguments = {key.replace("__", "."): value for key, value in changed.items()}
    return production_plan(load(arguments, start=project, environment={}).settings, token="0000")


def test_round_trip(project):
    """A plan that went through JSON is the same, but for what each start has of its own."""
    then = planned(project, run__memory="128m", run__env={"A": "b"}, run__logs="elsewhere", run__log_files=7)
    now = replace(planned(project), image="other", key_volume="other")
    back = from_record(json.loads(json.dumps(to_record(then))), now)

    assert back == replace(then, image="other", key_volume="other")
    assert all(isinstance(folder, Path) for folder in back.binds)


def test_of_another_version(project):
    """What a record does not know is as now, and what it alone knows is left out."""
    record = {name: value for name, value in to_record(planned(project)).items() if name != "memory"}

    assert from_record({**record, "colour": "red"}, planned(project, run__memory="1g")).memory == "1g"


def test_fingerprint(project):
    """The same settings have the same fingerprint, whatever the image, the key's volume and the release."""
    one = planned(project)
    other = replace(one, image="x", key_volume="y", labels={**one.labels, RELEASE: "7"})

    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(planned(project, run__memory="1g"))
    assert len(fingerprint(one)) == 12


def test_differences(project):
    """What differs is said, with both values."""
    assert differences(planned(project, run__memory="1g"), planned(project)) == ("memory: 1g, not 512m",)
    assert differences(planned(project), planned(project)) == ()
