"""What caches keep for a project: cache mounts carried from one builder to another, records, what pays off."""
