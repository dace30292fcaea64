"""What is said to those who have no key."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from .conftest import CONFIG, Client, ReadableLog, edited, saved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Given = Callable[[Path, bytes], dict[str, str]]


def good(folder: Path, content: bytes) -> dict[str, str]:
    return {"model_path": str(saved(folder, content))}


def tampered(folder: Path, content: bytes) -> dict[str, str]:
    return {"model_path": str(saved(folder, content, sha256="0" * 64))}


def absent(folder: Path, _: bytes) -> dict[str, str]:
    return {"model_path": str(folder / "some.onnx")}


def no_model(folder: Path, _: bytes) -> dict[str, str]:
    return good(folder, b"not a model")


def odd_contract(folder: Path, content: bytes) -> dict[str, str]:
    return good(folder, edited(content, lambda contract: contract.update(colour="blue")))


def no_registry(folder: Path, _: bytes) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return {"mlflow_tracking_uri": f"http://127.0.0.1:{port}", "model_cache_dir": str(folder)}


@pytest.mark.parametrize(
    ("why", "given"),
    [
        (None, good),
        ("the file was changed", tampered),
        ("the model cannot be read", absent),
        ("the runtime refuses the file", no_model),
        ("its contract cannot be used", odd_contract),
        ("the registry does not answer, there is no last good copy", no_registry),
    ],
)
def test_strangers_learn_no_path_or_address(
    make_client: Callable[..., Client], tmp_path: Path, shipped: bytes, log: ReadableLog, why: str | None, given: Given
) -> None:
    """Without a key there is the reason alone; where it was seen is in the log, and no library is named anywhere."""
    settings = given(tmp_path, shipped)
    client = make_client(**settings)
    if why:
        assert client.get("/ready").json()["detail"] == f"No model: {why}. The log says more."
    answers = [client.get(path) for path in ("/", "/health", "/ready", "/metrics", "/model", "/nowhere", "/predict")]
    answers += [client.predict(key=None), client.predict(key="wrong"), client.predict()]
    told = "\n".join(f"{answer.text}\n{answer.headers}" for answer in answers).lower()
    secret = [str(tmp_path), str(CONFIG), *settings.values(), "127.0.0.1"]
    libraries = ["onnx", "uvicorn", "fastapi", "starlette", "pydantic", "numpy", "python"]
    assert [text for text in (*secret, *libraries) if text.lower() in told] == []
    assert next(iter(settings.values())) in log.text()
