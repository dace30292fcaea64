"""deploy/ is what `invoke deploy` writes from this repository's settings, for the image that it names."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dockyard.deploy import TARGETS, workload_of
from dockyard.deploy.files import compare, image_of
from dockyard.settings import load

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy"


@pytest.mark.parametrize(
    "target", [each for each in TARGETS.values() if (FOLDER / each.main).exists()], ids=lambda each: each.name
)
def test_written_files_are_current(target):
    """No file is stale or edited; write them anew with `invoke deploy --to … --image …` and the image they name."""
    settings = load(start=ROOT, environment={}).settings
    compared = compare(FOLDER, target, target.files(workload_of(settings, image_of(FOLDER, target))))

    assert {each.path: each.diff for each in compared if each.state != "unchanged"} == {}


def test_targets_are_written():
    """The audit has manifests and a stack to look at, and a person a Compose file."""
    assert [name for name in ("kubernetes", "compose", "swarm") if not (FOLDER / TARGETS[name].main).is_file()] == []
    settings = load(start=ROOT, environment={}).settings
    assert settings.audit.stack == f"deploy/{TARGETS['swarm'].main}"
    assert settings.audit.manifests == (f"deploy/{TARGETS['kubernetes'].main}",)


def test_one_image():
    """Every target names the same image, by digest."""
    images = {image_of(FOLDER, each) for each in TARGETS.values() if (FOLDER / each.main).exists()}
    assert len(images) == 1
    assert "@sha256:" in images.pop()


def test_no_key():
    """No written file holds a Kubernetes Secret, or a value for a key."""
    documents = [each for path in FOLDER.rglob("*.yaml") for each in yaml.safe_load_all(path.read_text("utf-8"))]
    assert "Deployment" in {each.get("kind") for each in documents}
    assert "Secret" not in {each.get("kind") for each in documents}
    assert not any("API_KEY" in str(each).replace("API_KEY_FILE", "") for each in documents)
