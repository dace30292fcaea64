"""house-pricing-api: a price for a home, from a model that carries its own contract."""

__version__ = "0.1.0"
