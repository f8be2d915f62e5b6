"""The whole way in one command: a synthetic company, read, trained, promoted, scored and reviewed.

A company that changed its plays is compared before and after too; one in which nothing matters is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from winworth.config import Settings
from winworth.crm.synthetic import USE_CASES, World, software_company, write_exports
from winworth.crm.synthetic.plays import SEGMENT
from winworth.errors import GateRefused
from winworth.flows.check import Checked, check
from winworth.flows.compare import Compared, Question, compare
from winworth.flows.predict import Predicted, predict
from winworth.flows.promote import promote
from winworth.flows.review import Reviewed, review
from winworth.flows.train import Trained, train
from winworth.models.track import Track, untracked

NULL = "null"  # the world in which nothing matters
N_DEALS = 6000


@dataclass(frozen=True)
class Demonstrated:
    """What each step of the demo left."""

    trained: Trained
    predicted: Predicted
    reviews: tuple[Reviewed, ...]


def demo(
    settings: Settings, *, as_of: date, home: Path, n_deals: int = N_DEALS, seed: int = 1, track: Track = untracked
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


@dataclass(frozen=True)
class WorldShown:
    """What the demo of a world left: what was read, the model, and either why it was refused or the way to the end.

    `planted` tells by (market segment, outcome) what moved by what share from `split` on; `found` what compare made of it.
    """

    checked: Checked
    trained: Trained
    refused: GateRefused | None = None
    demonstrated: Demonstrated | None = None
    split: date | None = None
    planted: Mapping[tuple[str, str], float] | None = None
    found: Compared | None = None


def demo_world(
    settings: Settings, world: str, *, as_of: date, home: Path, is_dirty: bool = False, seed: int = 1, track: Track = untracked
) -> WorldShown:
    """Take a world the whole way, from clean or dirty exports; refused where the gate refuses, as it must in the null world."""
    exports = home / "exports"
    exports.mkdir(parents=True, exist_ok=True)
    drawn = draw_world(world, as_of=as_of, seed=seed)
    write_exports(drawn, exports, is_dirty=is_dirty)
    settings = replace(settings, crm=replace(settings.crm, folder=str(exports.resolve())))
    checked = check(settings, as_of=as_of)
    trained = train(settings, as_of=as_of, home=home, track=track)
    try:
        promote(home)
    except GateRefused as refused:
        return WorldShown(checked, trained, refused)
    predicted = predict(settings, as_of=as_of, home=home)
    pages = tuple(review(settings, as_of=as_of, home=home, lang=lang) for lang in ("en", "fr"))
    shown = WorldShown(checked, trained, demonstrated=Demonstrated(trained, predicted, pages))
    if drawn.split is None:
        return shown
    case = USE_CASES[world]
    question = Question(drawn.split, case.treated, SEGMENT, case.outcomes)
    return replace(shown, split=drawn.split, planted=drawn.planted, found=compare(settings, question, as_of=as_of, home=home))


def draw_world(world: str, *, as_of: date, seed: int) -> World:
    """Draw the demo company (""), the one in which nothing matters ("null"), or one that changed its plays."""
    if world in USE_CASES:
        return USE_CASES[world].draw(as_of=as_of, seed=seed)
    return software_company(n_deals=N_DEALS, as_of=as_of, seed=seed, signal=world != NULL)
