"""What metrics.json holds, read without stumbling over what was not measured."""

from collections.abc import Mapping

from winworth.review.outside import is_missing


def found(metrics: Mapping, path: str) -> object:
    """Return what lies at a dotted path, None where any step of it is missing or null.

    >>> found({"win": {"out_of_time": None}}, "win.out_of_time.auc") is None
    True
    """
    place: object = metrics
    for step in path.split("."):
        place = place.get(step) if isinstance(place, Mapping) else None
    return place


def figure_at(metrics: Mapping, path: str) -> Mapping | None:
    """Return a figure (value, low, high, n), None where it was not measured."""
    figure = found(metrics, path)
    return figure if isinstance(figure, Mapping) and not is_missing(figure.get("value")) else None


def headline_block(metrics: Mapping) -> str | None:
    """Name the block that answers for the ranking: later deals where there are dates, else deals set aside in turns."""
    return next((block for block in ("out_of_time", "cross_validated") if figure_at(metrics, f"win.{block}.auc")), None)
