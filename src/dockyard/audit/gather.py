"""Gathers what rules need, once for all of them: first what is read, then what is tried, in lanes side by side."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from dockyard.audit.evidence import Missing
from dockyard.errors import DockyardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Where = TypeVar("Where")
# The longest trial waits for health states, not for a processor.
SIDE_BY_SIDE = 3


@dataclass(frozen=True, kw_only=True)
class _Offer:
    """Some evidence that can be had.

    Attributes:
        names: What it is, as in `evidence.NAMES`.
        label: What is done for it, for those who wait.
    """

    names: tuple[str, ...]
    label: str

    def without(self, reason: str) -> Source:
        """Return the source that gives a reason in place of the evidence."""
        return Source(names=self.names, label=self.label, take=partial(dict.fromkeys, self.names, Missing(reason)))


@dataclass(frozen=True, kw_only=True)
class Source(_Offer):
    """Where some evidence comes from.

    Attributes:
        take: Gets it. A DockyardError makes all its names missing, with the error's own words as the reason.
    """

    take: Callable[[], Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Trial(_Offer, Generic[Where]):
    """Evidence that is tried for somewhere: with containers in a session, with builds in a workshop.

    Attributes:
        take: Tries it there, as a source does.
    """

    take: Callable[[Where], Mapping[str, object]]

    def at(self, where: Where) -> Source:
        """Return the source that tries it there."""
        return Source(names=self.names, label=self.label, take=partial(self.take, where))


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who is told of each source's begin and end; it must be quick."""

    begun: Callable[[str], None] = lambda _: None
    ended: Callable[[str], None] = lambda _: None


def gather(
    needed: frozenset[str],
    *,
    read: Iterable[Source],
    tried: Iterable[Iterable[Source]],
    release: Callable[[], None],
    watch: Watch,
) -> dict[str, object]:
    """Return the evidence that is needed, by name; what could not be had is Missing.

    Args:
        needed: Names of evidence.
        read: Sources that only look, taken one after another.
        tried: Lanes of sources that start builds and containers: lanes run side by side, the sources of one in turn.
        release: Ends what the trials have started, so that they end too; called if we are interrupted.
        watch: Told what goes on.
    """
    evidence = _take_all(_wanted(read, needed), watch)
    pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="audit")
    try:
        lanes = (_wanted(lane, needed) for lane in tried)
        futures = [pool.submit(_take_all, lane, watch) for lane in lanes if lane]
        for future in _as_they_end(futures):
            evidence |= future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        release()
        raise
    finally:
        pool.shutdown()
    return evidence


def missing(error: DockyardError) -> Missing:
    """Return an error as the reason for which some evidence is missing."""
    return Missing(" ".join(f"{error.what} {error.why}".split()))


def _wanted(sources: Iterable[Source], needed: frozenset[str]) -> list[Source]:
    return [source for source in sources if needed & set(source.names)]


def _take_all(lane: Iterable[Source], watch: Watch) -> dict[str, object]:
    found: dict[str, object] = {}
    for source in lane:
        found |= _take(source, watch)
    return found


def _take(source: Source, watch: Watch) -> Mapping[str, object]:
    """Take one source; what it could not give has the reason."""
    watch.begun(source.label)
    try:
        return source.take()
    except DockyardError as error:
        return dict.fromkeys(source.names, missing(error))
    finally:
        watch.ended(source.label)


def _as_they_end(futures: list[Future[dict[str, object]]]) -> Iterable[Future[dict[str, object]]]:
    """Yield each future once it has ended; the wait is cut into pieces so that Ctrl-C gets through."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
        yield from done
