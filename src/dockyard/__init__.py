"""Build-automation toolkit for containerised Python services."""
