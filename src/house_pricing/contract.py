"""What a model file says about itself: its features, its golden rows, how far to trust it.

The contract is one JSON text in the ONNX file's metadata, under `METADATA_KEY`. Training writes it, the service
checks it at load and builds its request model from it, so that another model needs no change of code.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import TypeAdapter, ValidationError

from house_pricing.features import Feature, encode

METADATA_KEY = "house_pricing"
_STRICT = {"extra": "forbid", "strict": True}


class ContractError(Exception):
    """The metadata is not a contract this service understands."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a golden row must give."""

    __pydantic_config__: ClassVar = _STRICT

    predicted_price: float


@dataclass(frozen=True, kw_only=True)
class Golden:
    """A request with its known answer."""

    __pydantic_config__: ClassVar = _STRICT

    name: str
    request: dict[str, int | float | str | None]
    expected: Expected


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How true prices lie around predicted ones, as ratios measured on homes the model never saw.

    Attributes:
        low: Quantile of true price / predicted price at the lower end.
        high: The same at the upper end.
        coverage: The share of homes meant to lie between them.
        measured: The share that did, on yet other homes.
    """

    __pydantic_config__: ClassVar = _STRICT

    low: float
    high: float
    coverage: float
    measured: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high or not 0 < self.coverage < 1:
            raise ValueError("the spread's ratios or its coverage make no sense")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Everything a model file carries beside the model."""

    __pydantic_config__: ClassVar = _STRICT

    format: Literal[1]
    name: str
    version: str
    currency: str
    features: tuple[Feature, ...]
    spread: Spread
    tolerance: float
    golden: tuple[Golden, ...]
    metrics: dict[str, float]
    data: str
    libraries: dict[str, str]
    trained_at: str | None = None

    def __post_init__(self) -> None:
        if not self.features or not self.golden:
            raise ValueError("a contract needs features and golden rows")
        twice = [name for name, count in Counter(f.name for f in self.features).items() if count > 1]
        if twice:
            raise ValueError(f"feature {twice[0]} is described twice")
        for row in self.golden:
            encode(self.features, row.request)

    @property
    def model_version(self) -> str:
        """The name answers and log lines carry."""
        return f"{self.name}-{self.version}"


_ADAPTER = TypeAdapter(Contract)


def parse(text: str) -> Contract:
    """Read a contract.

    Raises:
        ContractError: The text is no contract of this format; the first fault is named with its path.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in fault["loc"]) or "contract"
        raise ContractError(f"{path}: {fault['msg']}") from None


def dump(contract: Contract) -> str:
    """The contract as text; the same contract always gives the same text."""
    return _ADAPTER.dump_json(contract).decode()
