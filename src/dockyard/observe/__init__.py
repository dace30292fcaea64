"""A container as it runs: its log read and followed, what it uses, and where it differs from the settings."""
