"""From a fitted pipeline to a model file: ONNX, with its contract inside and its digest beside it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from skl2onnx import to_onnx  # type: ignore[import-untyped]
from skl2onnx.common.data_types import FloatTensorType  # type: ignore[import-untyped]

from house_pricing import contract as contracts
from house_pricing import model
from house_pricing.features import encode
from house_pricing.train.dataset import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from house_pricing.contract import Contract
    from house_pricing.features import Feature
    from house_pricing.train.generator import Listing

OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 9  # what runtimes from onnxruntime 1.17 on read


class ExportError(TrainingError):
    """The exported model does not do what the pipeline does."""

    exit_code = 4


def graph(pipeline: Any, width: int) -> onnx.ModelProto:
    """The pipeline as ONNX, its logarithm undone: one float row in, one price out."""
    rows = FloatTensorType([None, width])
    with warnings.catch_warnings():
        # skl2onnx hands booleans to protobuf; hence also `protobuf<7` in the group `train`
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto.ints: Expected an int", DeprecationWarning)
        exported: onnx.ModelProto = to_onnx(
            pipeline, initial_types=[("features", rows)], target_opset=OPSETS, name="house_pricing"
        )
    log_price = exported.graph.output[0].name
    exported.graph.node.append(onnx.helper.make_node("Exp", [log_price], ["price"], name="Exp"))
    exported.graph.output[0].name = "price"
    exported.ir_version = IR_VERSION
    domains = sorted(exported.opset_import, key=lambda opset: opset.domain)
    del exported.opset_import[:]
    exported.opset_import.extend(domains)  # they come in the order of a set
    onnx.checker.check_model(exported, full_check=True)
    return exported


def answers(
    exported: onnx.ModelProto, features: tuple[Feature, ...], requests: Mapping[str, Listing]
) -> tuple[contracts.Golden, ...]:
    """The golden rows: these requests, with the prices the exported model gives."""
    session = model.runtime().InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    rows = np.array([encode(features, request) for request in requests.values()], np.float32)
    prices = session.run(None, {"features": rows})[0].reshape(-1)
    return tuple(
        contracts.Golden(
            name=name,
            request=request,
            expected=contracts.Expected(predicted_price=round(float(price), 2)),
        )
        for (name, request), price in zip(requests.items(), prices, strict=True)
    )


def to_bytes(exported: onnx.ModelProto, contract: Contract) -> bytes:
    """The file's content; the same model and contract give the same bytes."""
    onnx.helper.set_model_props(exported, {contracts.METADATA_KEY: contracts.dump(contract)})
    content: bytes = exported.SerializeToString(deterministic=True)
    return content


def verify(content: bytes, rows: np.ndarray, prices: np.ndarray) -> model.Model:
    """Load the content as the service would, and compare it with the pipeline's prices row by row.

    Raises:
        ExportError: A row differs by more than the contract's relative tolerance.
    """
    loaded = model.from_bytes(content, hashlib.sha256(content).hexdigest(), "export")
    served = np.array([estimate.price for estimate in loaded.predict(rows.tolist())])
    error = np.abs(served - prices) / prices
    worst = int(error.argmax())
    if error[worst] > loaded.contract.tolerance:
        why = f"On row {worst} it says {served[worst]:.2f}, scikit-learn {prices[worst]:.2f}."
        todo = "Nothing was written. Train with the versions of requirements/train.txt."
        raise ExportError("The exported model is not what was learnt.", why, todo)
    return loaded


def beside(path: Path) -> dict[str, Path]:
    """Where the files that belong to a model lie: its digest, its golden rows, its card."""
    return {
        "sha256": path.with_name(f"{path.name}.sha256"),
        "golden": path.with_suffix(".golden.json"),
        "card": path.with_suffix(".md"),
    }


def golden_text(contract: Contract, digest: str) -> str:
    """The golden rows as a file of their own, for checks from outside."""
    golden = {
        "model_version": contract.model_version,
        "sha256": digest,
        "tolerance": contract.tolerance,
        "tolerance_is": "relative",
        "cases": [dataclasses.asdict(row) for row in contract.golden],
    }
    return json.dumps(golden, indent=2) + "\n"


def write(path: Path, content: bytes, contract: Contract, card: str) -> list[Path]:
    """Write the model, its digest, its golden rows and its card; each file appears whole or not at all."""
    digest = hashlib.sha256(content).hexdigest()
    place = beside(path)
    files = {
        path: content,
        place["sha256"]: f"{digest}  {path.name}\n".encode(),
        place["golden"]: golden_text(contract, digest).encode(),
        place["card"]: card.encode(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        part = file.with_name(f".{file.name}.part")
        part.write_bytes(data)
        part.replace(file)
    return list(files)
