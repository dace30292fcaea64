"""The names of the labels on what this project makes."""

OCI = "org.opencontainers.image"
PROJECT = "dev.dockyard.project"
ROLE = "dev.dockyard.role"
RELEASE = "dev.dockyard.release"
BEHIND = "dev.dockyard.behind"
