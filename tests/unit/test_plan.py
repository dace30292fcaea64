from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.machine.findings import Base
from dockyard.plan import BuildOptions, Offline, build_plan, development_plan, production_plan, throwaway_plan
from dockyard.revision import Revision
from dockyard.settings import load

OFFICIAL = Base(
    reference="python:3.12-slim-bookworm",
    pinned="python:3.12-slim-bookworm@sha256:base",
    official=True,
    digest="sha256:base",
    how="pulled",
)
ASSEMBLED = Base(
    reference="local/python:3.12", pinned="local/python:3.12", official=False, digest="sha256:own", how="assembled here"
)
REVISION = Revision(commit="c0ffee", created="2023-11-14T22:13:20Z", url="https://host/a.git")

OPTIONS = ("prod", "stage", "cache", "pull", "reproducible", "offline")


@pytest.fixture
def configure(project):
    """Read the project's settings with other values."""

    def configure(**changed):
        return load(
            {key.replace("__", "."): value for key, value in changed.items()}, start=project, environment={}
        ).settings

    return configure


def planned(settings, **given):
    """Plan a build of the official base at a known commit."""
    options = BuildOptions(**{name: given.pop(name) for name in OPTIONS if name in given})
    return build_plan(settings, **{"base": OFFICIAL, "revision": REVISION, "secrets": {}, **given}, options=options)


def words(text: str) -> list[str]:
    """Split a command written over lines; a `|` stands for a space inside a word."""
    return [word.replace("|", " ") for word in text.split()]


def built(plan, recorder) -> list[str]:
    """Send a build plan to the recorder, and return the docker command that it became."""
    list(recorder.buildx.build(plan.context, **plan.options()))
    return recorder.calls[-1]


def started(plan, recorder) -> list[str]:
    """Send a run plan to the recorder, and return the docker command that it became."""
    recorder.buildx.create(plan.image, plan.command, **plan.options())
    return recorder.calls[-1]


def test_build_command(settings, project, recorder):
    """The defaults become exactly this docker command."""
    assert built(planned(settings), recorder) == words(
        f"""
        buildx build --progress rawjson
        --build-arg PYTHON_VERSION=3.12 --build-arg BASE_IMAGE=python:3.12-slim-bookworm@sha256:base
        --label org.opencontainers.image.title=tiny-service
        --label org.opencontainers.image.version=1.2.3
        --label org.opencontainers.image.revision=c0ffee
        --label org.opencontainers.image.source=https://host/a.git
        --label org.opencontainers.image.created=2023-11-14T22:13:20Z
        --label org.opencontainers.image.base.name=python:3.12-slim-bookworm
        --label org.opencontainers.image.base.digest=sha256:base
        --label dev.dockyard.project=tiny-service
        --provenance=false --load --file {project}/Dockerfile
        --tag tiny-service:prod --tag tiny-service:1.2.3-py3.12
        {project}
        """
    )


def test_every_option(configure, project, recorder):
    """Everything that can be asked of a build arrives in the docker command."""
    settings = configure(
        python="3.13",
        tag="candidate",
        build__dockerfile="docker/Service",
        build__context="src",
        build__target="runner",
        build__platforms=["linux/amd64", "linux/arm64"],
        build__builder="remote",
        build__args={"EXTRA": "1"},
        build__labels={"team": "pricing"},
    )
    plan = planned(
        settings,
        revision=Revision(),
        secrets={"ca": Path("/etc/ca.pem"), "index_url": Path("/x")},
        cache=False,
        pull=True,
    )

    assert built(plan, recorder) == words(
        f"""
        buildx build --progress rawjson
        --build-arg PYTHON_VERSION=3.13 --build-arg BASE_IMAGE=python:3.12-slim-bookworm@sha256:base --build-arg EXTRA=1
        --builder remote
        --label org.opencontainers.image.title=tiny-service
        --label org.opencontainers.image.version=1.2.3
        --label org.opencontainers.image.base.name=python:3.12-slim-bookworm
        --label org.opencontainers.image.base.digest=sha256:base
        --label dev.dockyard.project=tiny-service --label team=pricing
        --provenance=false --pull --file {project}/docker/Service --target runner
        --secret id=ca,src=/etc/ca.pem --secret id=index_url,src=/x
        --platform linux/amd64,linux/arm64 --no-cache
        --tag tiny-service:candidate --tag tiny-service:1.2.3-py3.13
        {project}/src
        """
    )


def test_offline(settings, recorder):
    """A build without a network cuts every step off, takes no step that had one, and has folders for stages."""
    plan = planned(settings, offline=Offline(base=OFFICIAL, contexts={"wheels": Path("/w")}))
    call = built(plan, recorder)
    assert call[call.index("--network") + 1] == "none"
    assert call[call.index("--build-context") + 1] == "wheels=/w"
    assert "--no-cache" in call
    assert plan.archived(Path("/image.tar"))["network"] == "none"


@pytest.mark.parametrize(
    ("prod", "changed", "tags"),
    [
        (True, {}, ("tiny-service:prod", "tiny-service:1.2.3-py3.12")),
        (False, {}, ("tiny-service:1.2.3-py3.12",)),
        (False, {"python": "3.14"}, ("tiny-service:1.2.3-py3.14",)),
        (True, {"tag": "b", "version": "2"}, ("tiny-service:b", "tiny-service:2-py3.12")),
    ],
)
def test_tags(configure, prod, changed, tags):
    """Each build gets the tag of its version and Python; the one that `run` starts only where it is said."""
    assert planned(configure(**changed), prod=prod).tags == tags


@pytest.mark.parametrize("prod", [True, False])
def test_stage(configure, prod):
    """A stage is no product: it gets its own name alone, and takes the place of the settings' target."""
    plan = planned(configure(build__target="runner"), prod=prod, stage="builder")

    assert plan.tags == ("tiny-service:1.2.3-py3.12-builder",)
    assert plan.target == "builder"


@pytest.mark.parametrize(
    ("base", "pull", "asked"), [(OFFICIAL, True, True), (OFFICIAL, False, False), (ASSEMBLED, True, False)]
)
def test_pull(settings, base, pull, asked):
    """A newer base is looked for only where there is a registry that has it."""
    assert planned(settings, base=base, pull=pull).pull is asked


def test_reproducible(settings):
    """A reproducible build takes the time of the commit and no cached step; outside git one constant stands for it."""
    plan = planned(settings, reproducible=True)
    options = plan.archived(Path("/x/image.tar"))

    assert plan.reproducible
    assert not plan.cache
    assert plan.epoch == 1_700_000_000
    assert options["build_args"] == {**plan.args, "SOURCE_DATE_EPOCH": "1700000000"}
    assert (options["cache"], options["load"], options["provenance"]) == (False, False, False)
    assert options["output"]["dest"] == "/x/image.tar"
    assert options["tags"] == list(plan.tags)
    without = [planned(settings, reproducible=True, revision=Revision()).epoch for _ in range(2)]
    assert without == [1_000_000_000] * 2
    assert "SOURCE_DATE_EPOCH" not in planned(settings).options()["build_args"]


def test_provenance(settings, recorder):
    """An attestation is asked for by its mode; a reproducible build with one is written as an index."""
    plan = replace(planned(settings), provenance="max")

    assert plan.archived(Path("/x"))["output"]["type"] == "oci"
    assert planned(settings).archived(Path("/x"))["output"]["type"] == "docker"
    assert "mode=max" in " ".join(built(plan, recorder))


def test_note(settings):
    """A base that was assembled here is said to be, and an official one needs no word."""
    assert planned(settings).notes == ()
    (note,) = planned(settings, base=ASSEMBLED).notes
    assert ASSEMBLED.reference in note
    assert "not the official image" in note


@pytest.mark.parametrize(
    ("platforms", "load"), [([], True), (["linux/arm64"], True), (["linux/amd64", "linux/arm64"], False)]
)
def test_load(configure, platforms, load):
    """An image of one platform goes into the engine; of several it cannot."""
    assert planned(configure(build__platforms=platforms)).options()["load"] is load


def test_label_ranks(configure):
    """The project's own labels win over those that are known, and unknown facts make no label."""
    labels = planned(
        configure(build__labels={"org.opencontainers.image.title": "Tiny"}),
        revision=Revision(),
        base=replace(OFFICIAL, digest=""),
    ).labels

    assert labels["org.opencontainers.image.title"] == "Tiny"
    assert not [name for name in labels if name.endswith(("revision", "created", "source", "digest"))]


def test_argument_ranks(configure):
    """The project's own build arguments win over ours."""
    assert planned(configure(build__args={"PYTHON_VERSION": "3.9"})).args["PYTHON_VERSION"] == "3.9"


def test_production_command(settings, project, recorder):
    """The production container becomes exactly this docker command, in which there is no key."""
    plan = production_plan(settings, token="0000")

    assert started(plan, recorder) == words(
        f"""
        create --cap-drop ALL --cpus 1.0
        --env API_ENV=production --env API_KEY_FILE=/run/secrets/api_key --env PORT=8000
        --label dev.dockyard.project=tiny-service --label dev.dockyard.role=prod
        --log-driver json-file --log-opt max-size=10m --log-opt max-file=3
        --memory 512m --memory-swap 512m --name api-prod --network tiny-service --pids-limit 128
        -p 127.0.0.1:8000:8000 --pull never --read-only --restart on-failure:5
        --security-opt no-new-privileges --stop-timeout 10
        --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m --user 1000:1000
        --volume api-prod-key-0000:/run/secrets:ro --volume {project}/logs:/app/logs:rw
        tiny-service:prod
        """
    )


def test_development_command(configure, project, recorder):
    """The development container mounts the sources read-only, reloads, and does not come back by itself."""
    settings = configure(
        dev__mounts={"src/service": "/app/service"},
        dev__command=["serve", "--reload"],
        dev__env={"LOG_LEVEL": "debug"},
        run__env={"LOG_LEVEL": "info", "MODEL": "m"},
    )
    plan = development_plan(settings, token="0000")

    assert started(plan, recorder) == words(
        f"""
        create --cap-drop ALL --cpus 1.0
        --env API_ENV=development --env API_KEY_FILE=/run/secrets/api_key --env PORT=8000
        --env LOG_LEVEL=debug --env MODEL=m --env PYTHONDONTWRITEBYTECODE=1
        --label dev.dockyard.project=tiny-service --label dev.dockyard.role=dev
        --log-driver json-file --log-opt max-size=10m --log-opt max-file=3
        --memory 512m --memory-swap 512m --name api-dev --network tiny-service --pids-limit 128
        -p 127.0.0.1:8001:8000 --pull never --read-only --restart no
        --security-opt no-new-privileges --stop-timeout 10
        --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m --user 1000:1000
        --volume api-dev-key-0000:/run/secrets:ro --volume {project}/logs:/app/logs:rw
        --volume {project}/src/service:/app/service:ro
        tiny-service:prod serve --reload
        """
    )


def test_throwaway_command(settings, recorder):
    """A try is the production container under its own name, on a free port, with its own logs folder and key."""
    plan = throwaway_plan(settings, image="sha256:1", logs=Path("/srv/try"), token="0000")

    assert started(plan, recorder) == words(
        """
        create --cap-drop ALL --cpus 1.0
        --env API_ENV=production --env API_KEY_FILE=/run/secrets/api_key --env PORT=8000
        --label dev.dockyard.project=tiny-service --label dev.dockyard.role=throwaway
        --log-driver json-file --log-opt max-size=10m --log-opt max-file=3
        --memory 512m --memory-swap 512m --name api-prod-try-0000 --network tiny-service --pids-limit 128
        -p 127.0.0.1::8000 --pull never --read-only --restart no
        --security-opt no-new-privileges --stop-timeout 10
        --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m --user 1000:1000
        --volume api-prod-try-0000-key:/run/secrets:ro --volume /srv/try:/app/logs:rw
        sha256:1
        """
    )


def test_run_settings(configure, project, recorder):
    """Every setting of the production container arrives in the docker command."""
    settings = configure(
        run__name="pricing",
        run__address="0.0.0.0",
        run__port=80,
        run__container_port=9000,
        run__logs="/var/log/pricing",
        run__logs_target="/logs",
        run__user="2000:3000",
        run__env={"LOG_LEVEL": "info"},
        run__memory="1g",
        run__cpus=0.5,
        run__pids=64,
        run__restart="on-failure:5",
        run__log_size="1m",
        run__log_files=9,
        run__stop_timeout=30,
    )

    assert started(production_plan(settings, token="0000"), recorder) == words(
        """
        create --cap-drop ALL --cpus 0.5
        --env API_ENV=production --env API_KEY_FILE=/run/secrets/api_key --env PORT=9000 --env LOG_LEVEL=info
        --label dev.dockyard.project=tiny-service --label dev.dockyard.role=prod
        --log-driver json-file --log-opt max-size=1m --log-opt max-file=9
        --memory 1g --memory-swap 1g --name pricing --network tiny-service --pids-limit 64
        -p 0.0.0.0:80:9000 --pull never --read-only --restart on-failure:5
        --security-opt no-new-privileges --stop-timeout 30
        --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m --user 2000:3000
        --volume pricing-key-0000:/run/secrets:ro --volume /var/log/pricing:/logs:rw
        tiny-service:prod
        """
    )


def test_patience(configure, project):
    """How long each container is waited for, and how long it has to stop, are the settings'."""
    settings = configure(run__wait=7.5, run__stop_timeout=3)
    plans = [
        production_plan(settings, token="0"),
        development_plan(settings, token="0"),
        throwaway_plan(settings, image="a", logs=project, token="0"),
    ]

    assert [(plan.wait, plan.stop_timeout) for plan in plans] == [(7.5, 3)] * 3


def test_ipv6(configure, recorder):
    """An IPv6 address is written as docker wants it."""
    command = started(production_plan(configure(run__address="::1"), token="0"), recorder)

    assert command[command.index("-p") + 1] == "[::1]:8000:8000"


def test_same_confinement(settings, project):
    """Development and a try are confined as production is."""
    plans = [
        production_plan(settings, token="0"),
        development_plan(settings, token="0"),
        throwaway_plan(settings, image="a", logs=project, token="0"),
    ]
    confined = ("read_only", "cap_drop", "security_options", "memory", "pids_limit", "user", "tmpfs", "cpus")

    options = [{name: plan.options()[name] for name in confined} for plan in plans]
    assert options[0] == options[1] == options[2]


def test_writable_folders(configure, project):
    """Only the logs are written on the host; the mounted sources are not."""
    plan = development_plan(configure(dev__mounts={"src": "/app/src"}), token="0")

    assert plan.writable_folders() == (project / "logs",)


@pytest.mark.parametrize("plan", [production_plan, development_plan])
def test_own_key_volume(settings, plan):
    """Two starts have two key volumes, so that the old container keeps its own."""
    assert plan(settings, token="1").key_volume != plan(settings, token="2").key_volume


def test_pure(settings, project):
    """Planning makes no file and asks nobody."""
    before = sorted(project.rglob("*"))
    plan = planned(settings)
    assert (plan.python, plan.base) == ("3.12", OFFICIAL.reference)
    production_plan(settings, token="0")

    assert sorted(project.rglob("*")) == before
