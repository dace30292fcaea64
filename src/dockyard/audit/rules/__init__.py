"""The rules, one file per family; a family too long for one file has several that begin with its name."""
