"""Gathers what rules need, once for all of them: first what is read, then what is tried, several trials at a time."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.evidence import Missing
from dockyard.errors import DockyardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# The longest trial waits for health states, not for a processor; builds need one each.
SIDE_BY_SIDE = 3


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where some evidence comes from.

    Attributes:
        names: What it gives, as in `evidence.NAMES`.
        label: What it does, for those who wait.
        take: Does it. A DockyardError makes all its names missing, with the error's own words as the reason.
    """

    names: tuple[str, ...]
    label: str
    take: Callable[[], Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who is told of each source's begin and end; it must be quick."""

    begun: Callable[[str], None] = lambda _: None
    ended: Callable[[str], None] = lambda _: None


def gather(
    needed: frozenset[str],
    *,
    read: Sequence[Source],
    tried: Sequence[Source],
    release: Callable[[], None],
    watch: Watch,
) -> dict[str, object]:
    """Return the evidence that is needed, by name; what could not be had is Missing.

    Args:
        needed: Names of evidence.
        read: Sources that only look, taken one after another.
        tried: Sources that start builds and containers, taken side by side.
        release: Ends what the trials have started, so that they end too; called if we are interrupted.
        watch: Told what goes on.
    """
    evidence: dict[str, object] = {}
    for source in _wanted(read, needed):
        evidence |= _take(source, watch)
    pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="audit")
    try:
        futures = [pool.submit(_take, source, watch) for source in _wanted(tried, needed)]
        for future in _as_they_end(futures):
            evidence |= future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        release()
        raise
    finally:
        pool.shutdown()
    return evidence


def _wanted(sources: Iterable[Source], needed: frozenset[str]) -> list[Source]:
    return [source for source in sources if needed & set(source.names)]


def _take(source: Source, watch: Watch) -> Mapping[str, object]:
    """Take one source; what it could not give has the reason."""
    watch.begun(source.label)
    try:
        return source.take()
    except DockyardError as error:
        reason = Missing(" ".join(f"{error.what} {error.why}".split()))
        return dict.fromkeys(source.names, reason)
    finally:
        watch.ended(source.label)


def _as_they_end(futures: list[Future[Mapping[str, object]]]) -> Iterable[Future[Mapping[str, object]]]:
    """Yield each future once it has ended; the wait is cut into pieces so that Ctrl-C gets through."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
        yield from done
