"""How long steps go: on some threads, in the order of their numbers, showing progress by what the caller wraps round them."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from winworth.models.linear import one_thread

Track = Callable[[Iterable, str], Iterable]
T = TypeVar("T")


def untracked(steps: Iterable, label: str) -> Iterable:
    """Go through steps without showing progress."""
    return steps


def in_order(step: Callable[[int], T], n: int, threads: int, track: Track, label: str) -> Iterator[T]:
    """Take `n` numbered steps on some threads and yield what they give in the order of their numbers."""
    with one_thread(), ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(step, k) for k in range(n)]
        for k in track(range(n), label):
            yield waiting[k].result()
