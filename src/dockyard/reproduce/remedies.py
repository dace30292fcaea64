"""What helps against a difference: known causes by path, else by how it differs."""

from __future__ import annotations

import re

from dockyard.reproduce.difference import How, Seen

# The first that fits; most are known from distributions that build everything reproducibly.
BY_PATH = tuple(
    (re.compile(pattern), remedy)
    for pattern, remedy in (
        (
            r"/etc/(g?shadow|passwd|group|subuid|subgid)-?",
            "useradd stamps /etc/shadow with the day: declare `ARG SOURCE_DATE_EPOCH` before that step, which newer "
            "releases obey, or write the account's line by hand (`echo … >> /etc/passwd`); remove the `-` backups.",
        ),
        (
            r"/var/lib/apt/lists/.*",
            "apt's lists are of the day: `rm -rf /var/lib/apt/lists/*` in the step that made them.",
        ),
        (
            r"/var/cache/apt/.*",
            "apt's cache is of the day: `rm -rf /var/cache/apt/*` in the step that made it, or mount a cache there.",
        ),
        (
            r"/var/log/.*",
            "Logs hold times: remove them in the step that writes them, for instance "
            "`rm -rf /var/log/apt /var/log/dpkg.log /var/log/alternatives.log`.",
        ),
        (
            r"/var/cache/ldconfig/aux-cache",
            "ldconfig notes inodes and times here: remove it in the same step; it is made again when wanted.",
        ),
        (
            r"/etc/machine-id|/var/lib/dbus/machine-id",
            "A machine's id is random: empty the file (`: > /etc/machine-id`) in the step that made it.",
        ),
        (
            r"/etc/ssh/ssh_host_.*",
            "Host keys are random, and no secret once shipped: make them when the container starts.",
        ),
        (
            r"/var/cache/(fontconfig|man|debconf)/.*|/usr/share/info/dir",
            "A cache with times or inodes in it: remove it in the step that made it.",
        ),
        (
            r"/(.*/)?\.git(/.*)?",
            "git's own files differ between clones: keep them out with a line `.git` in .dockerignore.",
        ),
        (
            r".*/\.(cache|npm)(/.*)?",
            "A package manager's cache: mount a cache there (`RUN --mount=type=cache,target=…`), or remove it in the "
            "step that made it.",
        ),
        (r".*/\.((bash|python)_history|wget-hsts|lesshst)", "Left by a tool: remove it in the step that wrote it."),
        (
            r".*\.dist-info/direct_url\.json",
            "Installed from a folder, whose path is noted: install it from a wheel, or always from the same path.",
        ),
        (
            r".*\.pyc",
            "Python noted the time of the source: install with `pip --no-compile`, set PYTHONDONTWRITEBYTECODE=1 for "
            "the step, or compile with `python -m compileall --invalidation-mode unchecked-hash`.",
        ),
        (
            r".*/site-packages/.*\.so",
            "Compiled in the build: install a wheel, or compile in a folder with a fixed name, with SOURCE_DATE_EPOCH.",
        ),
    )
)  # fmt: skip
EPOCH = "declare `ARG SOURCE_DATE_EPOCH` in the stage and write that instead (`date -u -d @$SOURCE_DATE_EPOCH`)"
SOMETIMES = "A step makes this file only sometimes, or under a new name: give it a fixed one, or remove it there."
BY_HOW = {
    How.LAYERS: "The images are of different Dockerfiles: build both from the same commit, with the same target.",
    How.MISSING: SOMETIMES,
    How.EXTRA: SOMETIMES,
    How.KIND: "Which name of a file is the hard link depends on the order: sort what is written, or copy instead.",
    How.CONTENT: "Make it of the sources alone: fixed versions and seeds (PYTHONHASHSEED=0), nothing random.",
    How.TIME: f"Leave the time out, or {EPOCH}; many tools obey the variable by themselves.",
    How.PATH: "Build in a folder with a fixed name, not of `mktemp`, or strip its name (`-ffile-prefix-map`, `strip`).",
    How.BYTECODE: "Compile with `--invalidation-mode unchecked-hash`, or leave bytecode out (`pip --no-compile`).",
    How.GZIP: "Compress with `gzip -n`, which leaves out time and name.",
    How.LINK: "A link to a name that the build makes up: give it a fixed one.",
    How.MODE: "The rights are those of the checkout and its umask: set them with `COPY --chmod=…` or `RUN chmod`.",
    How.OWNER: "Set the owner with `COPY --chown=…`, and give accounts fixed numbers (`useradd --uid`).",
    How.ATTRIBUTE: "Set it in the Dockerfile (`setcap`), not by where the file came from.",
    How.MTIME: "Build with SOURCE_DATE_EPOCH and `rewrite-timestamp=true`, as `invoke build --reproducible` does.",
    How.ORDER: "Sort what is written: `find … | sort`, `tar --sort=name`, `ls` with LC_ALL=C; set PYTHONHASHSEED=0.",
    How.HEADERS: "Another tool wrote the layer: build both with BuildKit.",
    How.COMPRESSION: "The content is equal: compress with the same tool, release and level.",
    How.ENVIRONMENT: "Give both builds the same arguments, and put nothing random or of the day into ENV.",
    How.LABEL: "Give both builds the same commit and labels, and put nothing random or of the day into LABEL.",
    How.CREATED: "Build with SOURCE_DATE_EPOCH, as `invoke build --reproducible` does.",
    How.HISTORY: "Build with SOURCE_DATE_EPOCH, and the same arguments, Dockerfile and release of BuildKit.",
    How.SETTING: "Build both from the same Dockerfile, on the same base and for the same platform.",
    How.MANIFEST: "Layers and configuration are equal: media types or annotations differ with the tool that wrote it.",
}  # fmt: skip
# Of all else, that a file is one of a known cause says nothing.
CONTENTS = {How.CONTENT, How.TIME, How.PATH, How.BYTECODE, How.ORDER, How.GZIP, How.MISSING, How.EXTRA}
ARCHIVE = "`tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner`; of zip, `zip -X` sorted"


def remedy(path: str, seen: Seen) -> str:
    """Return a sentence.

    Args:
        path: Of the file; empty for what is none.
        seen: How it differs.
    """
    if seen.packed:
        return f"Write the archive so that it depends on its files alone: {ARCHIVE}."
    if seen.how in CONTENTS and path.startswith("/"):
        for pattern, told in BY_PATH:
            if pattern.fullmatch(path):
                return told
    return BY_HOW[seen.how]
