"""The doors to outside tools; each is opened in one file and speaks dockyard's errors."""
