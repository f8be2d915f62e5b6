"""The leak gate, L1 to L7: what a feature may not know, tested on the user's own tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.config import Settings
from winworth.crm.archive import Extract, latest_older, read_archived
from winworth.crm.outcomes import attach_outcomes
from winworth.crm.snapshot import take_snapshot
from winworth.errors import ConfigError, WinworthError, did_you_mean, listed
from winworth.features.build import build_features
from winworth.features.catalog import Catalog
from winworth.features.examples import training_examples
from winworth.features.invariance import truncation_changes
from winworth.features.two_extracts import changes_between
from winworth.flows.gate import Check
from winworth.flows.learn import Examples
from winworth.flows.prepare import Prepared, without_absent
from winworth.flows.soft_leaks import soft_findings
from winworth.tables import ReadReport

NAMES = {
    "L1": "truncation_invariance",
    "L2": "two_extracts",
    "L3": "day_zero",
    "L4": "too_strong_alone",
    "L5": "closed_against_open",
    "L6": "missingness",
    "L7": "names_that_hint",
}
COLUMNS = ["test", "feature", "figure", "limit", "kind", "found", "waived_by"]


@dataclass(frozen=True)
class Older:
    """The older extract to compare with, or None; `says` tells which one it is, or why there is none."""

    extract: Extract | None
    says: str


@dataclass(frozen=True)
class LeakReport:
    """What the leak tests found.

    `table` has one row a feature and test: test (L1 to L7), feature, figure (share of changed cells or AUC), limit, kind
    (hard, soft or hint), found, waived_by. `by_outcome` has the share of changed cells between two extracts by feature
    and outcome. `excluded` names the features that changed: drop them and refit. `notes` says by test what it ran on, or
    why it did not run.
    """

    table: pd.DataFrame
    by_outcome: pd.DataFrame
    excluded: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    def checks(self, in_use: Iterable[str]) -> list[Check]:
        """Return one check a test for the gate; `in_use` are the features that the model reads in the end."""
        return [self._check(test, set(in_use)) for test in NAMES]

    def to_dict(self) -> dict:
        """Return the report for metrics.json; what was not measured is null."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        changed = self.by_outcome.reset_index()
        by_outcome = changed.astype(object).where(changed.notna(), None).to_dict("records")
        return {"findings": rows, "by_outcome": by_outcome, "excluded": list(self.excluded), "notes": dict(self.notes)}

    def _check(self, test: str, in_use: set[str]) -> Check:
        name, rows = NAMES[test], self.table[self.table["test"] == test]
        note = self.notes.get(test, "")
        if rows.empty:
            return Check(name, True, note or "no feature to test")
        found = rows[rows["found"] & rows["feature"].isin(in_use)]
        unsigned = found[found["waived_by"] == ""]
        passed = unsigned.empty or test == "L7"
        told = listed([_told(row) for row in found.itertuples()], limit=12)
        says = f"{rows['feature'].nunique()} features tested: {told or 'nothing found'}"
        if test == "L2" and self.excluded:
            says += f"; excluded: {listed(self.excluded, limit=12)}"
        return Check(name, passed, f"{says}; {note}" if note else says)


def run_leak_tests(prepared: Prepared, examples: Examples, settings: Settings, *, older: Older) -> LeakReport:
    """Run every leak test that the tables allow; without dates L4, L6 and L7.

    Features that changed between the two extracts are left out of the later tests, as they are of the model.
    """
    catalog = without_absent(settings.catalog, prepared.crm)
    signed = _signatures(catalog, settings, prepared.snapshot.as_of)
    if prepared.snapshot.has_dates and len(examples.rows):
        hard, by_outcome, notes = _hard(prepared, examples, catalog, settings, older)
    else:
        hard, by_outcome = pd.DataFrame(columns=COLUMNS), pd.DataFrame()
        notes = dict.fromkeys(("L1", "L2", "L3", "L5"), "not possible: deals have no dates, so that no day can be gone back to")
    excluded = tuple(hard.loc[(hard["test"] == "L2") & hard["found"].astype(bool), "feature"])
    if len(excluded) == len(catalog.features):
        excluded = ()  # nothing would be left to learn from: the gate refuses instead
    rest = without_features(catalog, excluded)
    kept = replace(examples, features=examples.features[list(rest.features)])
    soft, soft_notes = soft_findings(prepared, kept, rest, settings)
    soft = soft.assign(waived_by=[signed.get(name, "") for name in soft["feature"]])
    parts = [part for part in (hard.assign(waived_by=""), soft) if len(part)]
    table = pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)
    return LeakReport(table.astype({"found": bool}), by_outcome, excluded, notes | soft_notes)


def older_extract(settings: Settings, home: Path, report: ReadReport, *, as_of: date) -> Older:
    """Find the extract to compare with among those that earlier trainings kept, and read it by the map of today."""
    if "deal_id" not in settings.crm.tables["deals"].columns:
        return Older(None, "not possible: deals have no deal_id by which to know them again")
    kept = latest_older(home, report, as_of=as_of)
    if kept is None:
        return Older(None, "not possible yet: no older extract is kept (archive: true in conf/crm.yaml keeps each)")
    try:
        extract = read_archived(kept, settings.crm, threads=settings.training.threads)
    except WinworthError as error:
        return Older(None, f"not possible: the extract of {kept.as_of} does not read by today's conf/crm.yaml ({error})")
    return Older(extract, f"against the extract of {kept.as_of}")


def without_features(catalog: Catalog, names: Iterable[str]) -> Catalog:
    """Return the catalogue without some features, and without criteria that have none left."""
    gone = set(names)
    kept = {
        name: replace(criterion, features={f: spec for f, spec in criterion.features.items() if f not in gone})
        for name, criterion in catalog.criteria.items()
    }
    return Catalog({name: criterion for name, criterion in kept.items() if criterion.features})


def _hard(
    prepared: Prepared, examples: Examples, catalog: Catalog, settings: Settings, older: Older
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    win, waived = settings.training.win, settings.waived(prepared.snapshot.as_of)

    def observe(extract: Extract) -> pd.DataFrame:
        snapshot = take_snapshot(extract.crm, as_of=extract.as_of, waived=waived)
        rows = training_examples(snapshot, observe_at_days=win.observe_at_days, exclude_kinds=win.exclude_kinds)
        return attach_outcomes(rows, snapshot)

    def build(extract: Extract, rows: pd.DataFrame) -> pd.DataFrame:
        return build_features(rows, take_snapshot(extract.crm, as_of=extract.as_of, waived=waived), catalog)

    now = Extract(prepared.crm, prepared.snapshot.as_of)
    truncated = truncation_changes(now, examples.rows, build, seed=settings.training.seed, waived=waived)
    parts, by_outcome = [_hard_rows("L1", truncated)], pd.DataFrame()
    if older.extract is not None:
        by_outcome = changes_between(older.extract, now, observe, build)
        parts.append(_hard_rows("L2", by_outcome["changed"]))
    return pd.concat(parts, ignore_index=True), by_outcome, {"L2": older.says}


def _hard_rows(test: str, changed: pd.Series) -> pd.DataFrame:
    rows = pd.DataFrame({"feature": changed.index, "figure": changed.to_numpy(dtype=float)})
    return rows.assign(test=test, limit=0.0, kind="hard", found=rows["figure"] > 0)


def _signatures(catalog: Catalog, settings: Settings, as_of: date) -> dict[str, str]:
    """Say by feature who signed for it, or for a column that it reads."""
    settings.waived(as_of)
    by = {waiver.column: waiver.who for waiver in settings.waivers}
    strange = [name.removeprefix("feature:") for name in by if name.startswith("feature:")]
    strange = [name for name in strange if name not in settings.catalog.features]
    if strange:
        near = did_you_mean(strange[0], settings.catalog.features)
        raise ConfigError(f"leak_waivers.yaml signs for the feature {strange[0]}, which criteria.yaml does not have. {near}")
    signed = {}
    for name, spec in catalog.features.items():
        lines = [f"feature:{name}", *(f"{spec.reads}.{column}" for column in spec.columns)]
        who = [by[line] for line in lines if line in by]
        if who:
            signed[name] = who[0]
    return signed


def _told(row: tuple) -> str:
    what = f"{row.figure:.1%} of cells" if row.kind == "hard" else f"AUC {row.figure:.2f} against {row.limit:.2f}"
    if row.kind == "hint":
        what = "by its name"
    return f"{row.feature} ({what}{', signed by ' + row.waived_by if row.waived_by else ''})"
