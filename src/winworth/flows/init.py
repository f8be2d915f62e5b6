"""A folder of exports becomes a configuration folder to answer questions in: nothing that is there is overwritten."""

import os
from dataclasses import dataclass
from pathlib import Path

from winworth.atomic import write_file
from winworth.draft.assembled import draft_of
from winworth.draft.drafted import Draft
from winworth.draft.paper import crm_yaml
from winworth.draft.presets import PRESETS
from winworth.draft.starter import criteria_yaml
from winworth.errors import ConfigError, did_you_mean

_TRAINING = """\
# How the models are trained and tested. Left out, a key has its default; `winworth check` proposes the horizon.
win:
  horizon_days: 180               # the question: won within so many days of the as-of date?
  observe_at_days: [0, 30, 90, 180]  # the ages at which past deals are observed, the day they opened being 0
  exclude_kinds: [renewal]        # deals that the win model leaves out

seed: 1
"""
_SCORING = """\
# How predictions become money, tiers and segments. Left out, a key has its default.
value:
  months: 24                      # lifetime value is the discounted gross margin of so many months
  # ? What share of turnover is gross margin? Where invoices have no margin, amounts are multiplied by it.
  margin_rate: 1.0
  zero_amounts: unknown           # a won deal of 0: unknown (not filled in) or nothing (it really brought nothing)

tiers: {A: 0.2, B: 0.3}           # the share of accounts the team can work as A, and as B; the rest is C
"""


@dataclass(frozen=True)
class Initiated:
    """The draft, and where it was written."""

    draft: Draft
    out: Path
    files: tuple[str, ...]


def init(folder: Path, *, out: Path, preset: str | None = None) -> Initiated:
    """Look at a folder of exports and write a configuration drafted from them to `out`.

    Raises ConfigError where there is no such folder, preset, or where `out` has a configuration already.
    """
    if not folder.is_dir():
        raise ConfigError(f"There is no folder {folder}. Name the folder that your exports are in.")
    if preset is not None and preset not in PRESETS:
        raise ConfigError(f"There is no preset {preset}. {did_you_mean(preset, PRESETS)}")
    names = ("crm.yaml", "criteria.yaml", "training.yaml", "scoring.yaml")
    there = [name for name in names if (out / name).exists()]
    if there:
        raise ConfigError(f"{out} has {', '.join(there)} already, and nothing is overwritten. Name another folder with --out.")
    shown = os.path.relpath(folder.resolve(), out.resolve())
    draft = draft_of(folder, shown=Path(shown).as_posix(), preset=PRESETS[preset] if preset else None)
    texts = dict(zip(names, (crm_yaml(draft), criteria_yaml(draft), _TRAINING, _SCORING), strict=True))
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_file(out / name, text)
    return Initiated(draft, out, names)
