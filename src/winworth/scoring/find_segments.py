"""How many segments there are, and where: the most that come back, are large enough to work, and differ in what they bring."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from winworth.scoring.segment_space import Space
from winworth.scoring.segment_tests import LEAST_JACCARD, HeldOut, Pair, bootstrap_jaccard, separation
from winworth.scoring.segments import KNOWN, Segments, nearest_centres

LEAST_ROWS, LEAST_SHARE = 30, 0.02
MOST_POINTS = 20_000


@dataclass(frozen=True)
class Effort:
    """At most how many segments, and with how many starts and bootstrap draws, of how many rows, they are sought.

    With fewer than ten starts a draw's k-means misses its own best too often, and segments seem to come back less than they do.
    """

    most: int = 6
    n_init: int = 20
    n_boot: int = 100
    n_init_boot: int = 10
    most_boot: int = 2000


@dataclass(frozen=True)
class Tried:
    """A number of segments that was tried: sizes, the Jaccard similarity of each (empty: not measured, since refused before),
    the pairs tested, and why it was refused ("": it was not).
    """

    k: int
    sizes: tuple[int, ...] = ()
    jaccard: tuple[float, ...] = ()
    pairs: tuple[Pair, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class Found:
    """The segments, not yet named, and every number of them that was tried, from the most down to the one that was taken."""

    segments: Segments
    tried: tuple[Tried, ...]


def find_segments(
    features: pd.DataFrame,
    shares: pd.Series,
    held_out: HeldOut | None,
    *,
    seed: int,
    effort: Effort = Effort(),  # noqa: B008 (frozen)
) -> Found:
    """Group rows by k-means; k is the largest that is admissible, one where none is.

    `shares` is each feature's share of importance. Admissible: no segment below 30 rows or 2 %; each pair differs in win rate
    or value on the held-out rows, where there are any; each segment's bootstrap Jaccard similarity is at least 0.75. The
    segment numbered S1 is the largest. The order of rows and columns changes nothing.
    """
    space = Space.learn(features, shares)
    points = _drawn(_in_order(space.place(features)), MOST_POINTS, seed)
    later = None if held_out is None else (space.place(held_out.features), held_out)
    tried = []
    for k in range(effort.most, 1, -1):
        centres, found = _try(points, k, later, effort, seed)
        tried.append(found)
        if not found.refused:
            return Found(_segments(space, centres, points), tuple(tried))
    alone = points.mean(axis=0, keepdims=True) if len(points) else np.zeros((1, points.shape[1]))
    return Found(_segments(space, alone, points), tuple(tried))


def find_as_tested(
    features: pd.DataFrame,
    shares: pd.Series,
    past_shares: pd.Series,
    held_out: HeldOut,
    *,
    seed: int,
    effort: Effort = Effort(),  # noqa: B008 (frozen)
) -> Found:
    """Group rows by today's shares, in as many segments as shares learnt before the held-out rows are told apart in.

    Today's shares are learnt from the held-out outcomes too: what they weigh most differs most on these rows, even where
    nothing matters. So they choose no number. Where today fewer segments come back than were told apart, there are fewer,
    and what was tried today follows what was tried before. Where nothing weighed before there is one, and nothing is tried.
    """
    if past_shares.sum() == 0:
        return find_segments(features, shares, None, seed=seed, effort=replace(effort, most=1))
    tested = find_segments(features, past_shares, held_out, seed=seed, effort=effort)
    k = len(tested.segments.ids)
    now = find_segments(features, shares, None, seed=seed, effort=replace(effort, most=k))
    return Found(now.segments, tested.tried if len(now.segments.ids) == k else tested.tried + now.tried)


def _try(
    points: np.ndarray, k: int, later: tuple[np.ndarray, HeldOut] | None, effort: Effort, seed: int
) -> tuple[np.ndarray | None, Tried]:
    """Group the points in k, and say why k is refused, the cheap reasons first."""
    least = max(LEAST_ROWS, int(np.ceil(LEAST_SHARE * len(points))))
    if len(points) < k * least:
        return None, Tried(k, refused=f"{len(points)} rows hold no {k} segments of {least}")
    n_distinct = len(np.unique(points.round(9), axis=0))
    if n_distinct < k:
        return None, Tried(k, refused=f"there are only {n_distinct} different rows")
    centres, members = _kmeans(points, k, effort.n_init, seed)
    sizes = tuple(np.bincount(members, minlength=k).tolist())
    if min(sizes) < least:
        return None, Tried(k, sizes, refused=f"a segment has {min(sizes)} rows, and {least} are asked")
    pairs = () if later is None else separation(nearest_centres(later[0], centres)[0], k, later[1])
    alike = [pair for pair in pairs if not pair.is_apart]
    if alike:
        says = f"{len(alike)} of {len(pairs)} pairs differ neither in win rate nor in value on held-out accounts"
        return None, Tried(k, sizes, (), pairs, says)
    jaccard = _stability(points, members, k, effort, seed)
    weak = f"a segment comes back with Jaccard {jaccard.min():.2f}, and {LEAST_JACCARD} is asked"
    return centres, Tried(k, sizes, tuple(jaccard.tolist()), pairs, weak if jaccard.min() < LEAST_JACCARD else "")


def _stability(points: np.ndarray, members: np.ndarray, k: int, effort: Effort, seed: int) -> np.ndarray:
    rows = _drawn(np.arange(len(points)), effort.most_boot, seed)

    def cluster(some: np.ndarray, times: np.ndarray) -> np.ndarray:
        return _kmeans(some, k, effort.n_init_boot, seed, times)[1]

    return bootstrap_jaccard(points[rows], members[rows], cluster, n_boot=effort.n_boot, seed=seed)


def _kmeans(
    points: np.ndarray, k: int, n_init: int, seed: int, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return centres, those of most points first, and the place of each point's own."""
    from sklearn.cluster import KMeans

    with threadpool_limits(1):  # on one thread sums do not depend on how many there are
        fitted = KMeans(k, n_init=n_init, random_state=seed).fit(points, sample_weight=weight)
    sizes = np.bincount(fitted.labels_, minlength=k)
    order = np.lexsort([*fitted.cluster_centers_.T[::-1], -sizes])
    return fitted.cluster_centers_[order], np.argsort(order)[fitted.labels_]


def _segments(space: Space, centres: np.ndarray, points: np.ndarray) -> Segments:
    near = nearest_centres(points, centres)[1]
    edge = float(np.quantile(near, KNOWN)) if len(near) else 0.0
    ids = tuple(f"S{number}" for number in range(1, len(centres) + 1))
    return Segments(space, centres, edge, ids, len(ids))


def _in_order(points: np.ndarray) -> np.ndarray:
    """Sort points, so that what is drawn by a seed does not depend on the order of the rows."""
    return points[np.lexsort(points.T[::-1])] if points.shape[1] else points


def _drawn(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    return rows if len(rows) <= most else rows[np.sort(np.random.default_rng(seed).permutation(len(rows))[:most])]
