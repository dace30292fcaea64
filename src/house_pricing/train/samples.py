"""The two samples: what to train on when the user brings no data, and what to call things when they do.

A sample is the one place where training knows what a model is about; everything else reads it from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from house_pricing.train import california, dataset, generator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from house_pricing.features import Feature
    from house_pricing.train.generator import Listing

LEAST_PER_CATEGORY = 30  # fewer in small data: one row in 200, five at least


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A kind of home with its features.

    Attributes:
        name: The model's name, and the stem of its file.
        title: What the model prices, for people.
        rows_are: What a row is, in the plural.
        module: Where the generator is.
        currency: Currency of the price.
        features: What a request holds; the categories of open ones come from the data.
        increasing: Features of which more never lowers the price.
        generate: Makes rows up, from a count and a seed.
        golden: Makes the requests whose answers the model file carries.
        segments: Ways to divide the homes in the model card.
        noise: The generator's own noise, below which no error can go.
    """

    name: str
    title: str
    rows_are: str
    module: str
    currency: str
    features: tuple[Feature, ...]
    increasing: frozenset[str]
    generate: Callable[[int, int], Iterator[Listing]]
    golden: Callable[[], dict[str, Listing]]
    segments: Mapping[str, Callable[[Listing], str]]
    noise: float


def _property_type(listing: Listing) -> str:
    return str(listing["property_type"])


def with_categories(features: tuple[Feature, ...], listings: Sequence[Listing]) -> tuple[Feature, ...]:
    """The features, open ones with the categories that these listings have often enough; the others count as rare."""
    least = max(5, min(LEAST_PER_CATEGORY, len(listings) // 200))
    return tuple(
        replace(each, categories=dataset.frequent(listings, each.name, each.prefix, least)) if each.open else each
        for each in features
    )


SAMPLES = {
    "french": Sample(
        name=generator.NAME,
        title="homes in France, from their listing",
        rows_are="listings",
        module=generator.__name__,
        currency=generator.CURRENCY,
        features=generator.features(()),
        increasing=frozenset({"surface_m2", "land_m2"}),
        generate=generator.generate,
        golden=generator.golden_requests,
        segments={"property type": _property_type, "region": generator.region},
        noise=generator.NOISE,
    ),
    "california": Sample(
        name=california.NAME,
        title="the median home of a census block in California",
        rows_are="blocks",
        module=california.__name__,
        currency=california.CURRENCY,
        features=california.FEATURES,
        increasing=frozenset({"med_inc"}),
        generate=california.generate,
        golden=california.golden_requests,
        segments={"region": california.region},
        noise=california.NOISE,
    ),
}
