"""The names of the labels on what this project makes."""

OCI = "org.opencontainers.image"
BASE_NAME, BASE_DIGEST = f"{OCI}.base.name", f"{OCI}.base.digest"
PROJECT = "dev.dockyard.project"
ROLE = "dev.dockyard.role"
RELEASE = "dev.dockyard.release"
BEHIND = "dev.dockyard.behind"
