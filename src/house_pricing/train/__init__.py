"""Rows in, a model file out; nothing here is served, and the image has none of it."""

from house_pricing.train.cli import main

__all__ = ["main"]
