"""A model that has proved itself: read, compared with its digest, checked on its golden rows. Knows no HTTP."""

from __future__ import annotations

import hashlib
import hmac
import math
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from house_pricing import contract as contracts
from house_pricing.features import encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from house_pricing.contract import Contract

TOO_LARGE = "the file is larger than MODEL_MAX_BYTES"


class ModelError(Exception):
    """The model cannot be served; the text says where, why and from what cause.

    Attributes:
        why: The reason alone, which `/ready` tells everybody: no path, no address, no version, nothing that is set.
    """

    def __init__(self, why: str, *, where: str = "", cause: str = "") -> None:
        super().__init__(": ".join(part for part in (where, why, cause) if part))
        self.why = why

    def bare(self) -> ModelError:
        """The same, to keep: the traceback of the original holds on to the file's content."""
        same = ModelError(self.why)
        same.args = self.args
        return same


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A price and the range around it."""

    price: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Model:
    """A loaded model with its contract.

    Attributes:
        contract: What the file says about itself.
        sha256: Digest of the file.
        source: Where the file came from, for people.
        fallback: Why this older copy was taken instead of what was asked for; none if it was not.
    """

    contract: Contract
    sha256: str
    source: str
    fallback: ModelError | None = None
    _session: Any

    def predict(self, rows: Sequence[Sequence[float]]) -> list[Estimate]:
        """Price every row in one call of the runtime.

        Raises:
            ModelError: The model answered something that is not a price.
        """
        import numpy as np  # noqa: PLC0415 - imported with the runtime, after the server listens

        spread = self.contract.spread
        output = self._session.run(None, {self._session.get_inputs()[0].name: np.array(rows, np.float32)})[0]
        prices = [float(price) for price in output.reshape(-1)]
        if len(prices) != len(rows) or not all(math.isfinite(price) and price > 0 for price in prices):
            raise ModelError("the model's answer is not a price")
        return [Estimate(price=p, low=p * spread.low, high=p * spread.high) for p in prices]


def load(path: Path, max_bytes: int, source: str) -> Model:
    """Read a model file and the `.sha256` beside it.

    Raises:
        ModelError: A file is absent, too large or not what its digest says, or the model fails its self-test.
    """
    digest_path = path.with_name(f"{path.name}.sha256")
    try:
        if path.stat().st_size > max_bytes:
            raise ModelError(TOO_LARGE, where=str(path), cause=str(max_bytes))
        content = path.read_bytes()
        digest = digest_path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError("the model cannot be read", where=source, cause=str(error)) from error
    return from_bytes(content, digest[0] if digest else "", f"{source} {path}")


def from_bytes(content: bytes, sha256: str, source: str) -> Model:
    """Make a model of a file's content and the digest it must have.

    Raises:
        ModelError: As for `load`.
    """
    actual = hashlib.sha256(content).hexdigest()
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ModelError("its .sha256 holds no SHA-256 digest", where=source)
    if not hmac.compare_digest(actual, sha256):
        digests = f"sha256 is {actual[:12]}…, expected {sha256[:12]}…"
        raise ModelError("the file was changed", where=source, cause=digests)
    session = _session(content, source)
    text = session.get_modelmeta().custom_metadata_map.get(contracts.METADATA_KEY)
    if text is None:
        raise ModelError("the file carries no contract", where=source, cause=f"no {contracts.METADATA_KEY!r} inside")
    try:
        contract = contracts.parse(text)
    except contracts.ContractError as error:
        raise ModelError("its contract cannot be used", where=source, cause=str(error)) from error
    _check_shape(session, contract, source)
    model = Model(contract=contract, sha256=actual, source=source, _session=session)
    self_test(model)
    return model


def runtime() -> Any:
    """onnxruntime, imported when it is needed (0.3 s) and told before that not to report to its maker."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415 - see above

    onnxruntime.set_default_logger_severity(4)
    return onnxruntime


def _session(content: bytes, source: str) -> Any:
    ort = runtime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # one row is 14 µs of work: waking a second thread costs more
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError("the runtime refuses the file", where=source, cause=type(error).__name__) from error


def _check_shape(session: Any, contract: Contract, source: str) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    width = len(contract.features)
    fits = len(inputs) == 1 and inputs[0].type == "tensor(float)" and inputs[0].shape[1:] == [width]
    if not fits or len(outputs) != 1 or outputs[0].type != "tensor(float)":
        wanted = f"it must read one float row of {width} features and give one float"
        raise ModelError("the model does not fit its contract", where=source, cause=wanted)


def self_test(model: Model) -> None:
    """Price the golden rows and compare.

    Raises:
        ModelError: A price is farther from the recorded one than the contract's relative tolerance.
    """
    contract = model.contract
    estimates = model.predict([encode(contract.features, row.request) for row in contract.golden])
    for row, estimate in zip(contract.golden, estimates, strict=True):
        expected = row.expected.predicted_price
        if not math.isclose(estimate.price, expected, rel_tol=contract.tolerance):
            gave = f"{row.name!r} gave {estimate.price:.2f}, expected {expected:.2f}"
            raise ModelError("its self-test failed", where=model.source, cause=gave)
