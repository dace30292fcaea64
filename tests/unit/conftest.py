"""How Hypothesis searches: a machine that is slow for a moment makes no test fail."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("dockyard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dockyard")
