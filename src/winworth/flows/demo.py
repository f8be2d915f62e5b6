"""The whole way in one command: a synthetic company, read, trained, promoted, scored and reviewed."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from winworth.config import Settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.flows.predict import Predicted, predict
from winworth.flows.promote import promote
from winworth.flows.review import Reviewed, review
from winworth.flows.train import Trained, train
from winworth.models.track import Track, untracked


@dataclass(frozen=True)
class Demonstrated:
    """What each step of the demo left."""

    trained: Trained
    predicted: Predicted
    reviews: tuple[Reviewed, ...]


def demo(
    settings: Settings, *, as_of: date, home: Path, n_deals: int = 6000, seed: int = 1, track: Track = untracked
) -> Demonstrated:
    """Write a software company's CRM as exports below `home`, then take them the way a user's files take."""
    exports = home / "exports"
    exports.mkdir(parents=True, exist_ok=True)
    write_exports(software_company(n_deals=n_deals, as_of=as_of, seed=seed), exports)
    settings = replace(settings, crm=replace(settings.crm, folder=str(exports.resolve())))
    trained = train(settings, as_of=as_of, home=home, track=track)
    promote(home)
    predicted = predict(settings, as_of=as_of, home=home)
    pages = tuple(review(settings, as_of=as_of, home=home, lang=lang) for lang in ("en", "fr"))
    return Demonstrated(trained, predicted, pages)
