"""What kind of file a path is, by its name and rights."""

from __future__ import annotations

import re

EXECUTABLE = 0o111
NAMES = {
    "native libraries": r".*\.(so(\.[\w.]+)?|a|o|dll|dylib|pyd|node)",
    "bytecode": r".*\.py[co]",
    "Python sources": r".*\.(py|pyi|pyx|pxd|pth)|.*\.(dist|egg)-info/.*",
    "documentation": r"/usr/(local/)?share/(doc|man|info|licenses|common-licenses)/.*|.*\.(md|rst)"
    r"|.*/(LICENSE|LICENCE|COPYING|NOTICE|README|CHANGELOG)[^/]*",
    "languages and time zones": r"/usr/(local/)?(share/(locale|i18n|zoneinfo)|lib/locale)/.*|.*\.mo"
    r"|/usr/lib/[^/]+/gconv/.*",
    "package lists": r"/var/(lib/(dpkg|apt|rpm|pacman)|cache|log)/.*|/lib/apk/db/.*",
    "models": r".*\.(onnx|pt|pth|ckpt|safetensors|gguf|tflite|pb|joblib|pkl|pickle|h5|keras)",
    "archives": r".*\.(gz|bz2|xz|zst|zip|tar|tgz|whl|jar|deb|rpm|apk)",
    "data": r".*\.(json|jsonl|csv|tsv|parquet|npy|npz|dat|db|sqlite3?|bin|xml|ya?ml|toml|pem|crt|ttf|png|svg|ico)",
    "headers and sources": r".*\.(h|hh|hpp|hxx|c|cc|cpp|cu|rs|go|js|mjs|ts|css|html?|map)",
}
KINDS = {kind: re.compile(regex, re.DOTALL) for kind, regex in NAMES.items()}
PROGRAM, OTHER = "programs and scripts", "other"


def filekind(path: str, mode: int) -> str:
    """Return the kind; a program is what may be executed and is nothing else."""
    for kind, regex in KINDS.items():
        if regex.fullmatch(path):
            return kind
    return PROGRAM if mode & EXECUTABLE else OTHER
