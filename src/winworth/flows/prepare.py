"""What every verb begins with: the extract read, the criteria checked, the snapshot taken."""

from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from winworth.config import Settings
from winworth.crm.read import read_crm
from winworth.crm.snapshot import Snapshot, take_snapshot
from winworth.errors import did_you_mean
from winworth.features.build import absent_features, check_catalog
from winworth.features.catalog import Catalog
from winworth.features.examples import closed_on_first_day
from winworth.flows.extract_days import day_warnings
from winworth.tables import CrmTables


@dataclass(frozen=True)
class Prepared:
    """An extract, what was known of it on the as-of date, and what a person should know of both."""

    crm: CrmTables
    snapshot: Snapshot
    warnings: tuple[str, ...]


def prepare(settings: Settings, *, as_of: date, catalog: Catalog | None = None) -> Prepared:
    """Read the extract, check that every feature may read what it reads, and keep what was known on `as_of`."""
    crm = read_crm(settings.crm, root=settings.folder, threads=settings.training.threads)
    return as_prepared(settings, crm, as_of=as_of, catalog=catalog or settings.catalog)


def as_prepared(settings: Settings, crm: CrmTables, *, as_of: date, catalog: Catalog) -> Prepared:
    """Check that every feature may read what it reads, and keep what was known on `as_of`."""
    waived = settings.waived(as_of)
    check_catalog(catalog, crm, waived)
    snapshot = take_snapshot(crm, as_of=as_of, waived=waived)
    return Prepared(crm, snapshot, crm.report.warnings + _warnings(crm, snapshot, catalog, settings))


def _warnings(crm: CrmTables, snapshot: Snapshot, catalog: Catalog, settings: Settings) -> tuple[str, ...]:
    found = [
        f"The feature {name} is left out: the extract has no table {table}."
        for name, table in absent_features(catalog, crm).items()
    ]
    found += _words_of_no_row(crm, catalog)
    at_once = closed_on_first_day(snapshot)
    if at_once:
        found.append(f"{at_once} deals ended on the day they opened: there was no day on which to predict them.")
    if not snapshot.has_dates:
        found.append("Deals have no dates: nothing can be tested forward in time, and no figure here is out of time.")
    else:
        found += day_warnings(crm, snapshot)
        found += _ages(snapshot, settings.training.win.observe_at_days)
    for waiver in settings.waivers:
        if waiver.column.startswith("feature:"):
            continue
        found.append(f"{waiver.column} is overwritten in place and used all the same: signed by {waiver.who}, {waiver.why}.")
    return tuple(found)


def _words_of_no_row(crm: CrmTables, catalog: Catalog) -> list[str]:
    """Say which conditions of features name a level that no row has: a count of those would be 0 everywhere."""
    said = []
    for name, spec in catalog.features.items():
        for column, levels in [*spec.where.items(), *spec.among.items()]:
            if spec.reads not in crm or column not in crm[spec.reads]:
                continue
            known = set(crm[spec.reads][column].dropna().unique())
            strange = [level for level in ((levels,) if isinstance(levels, str) else levels) if level not in known]
            if strange:
                near = did_you_mean(strange[0], known)
                said.append(
                    f"The feature {name} asks for {column} {', '.join(strange)}, which no row of {spec.reads} has. {near}"
                )
    return said


def _ages(snapshot: Snapshot, observe_at_days: tuple[int, ...]) -> list[str]:
    deals = snapshot["deals"]
    ages = (pd.Timestamp(snapshot.as_of) - deals.loc[deals["status"] == "open", "opened_on"]).dt.days
    reach = float(ages.quantile(0.9)) if len(ages) else 0.0
    if reach <= 1.5 * max(observe_at_days):
        return []
    return [
        f"A tenth of the open deals are older than {reach:.0f} days, and training observes deals up to day "
        f"{max(observe_at_days)}. Add later days to win.observe_at_days in training.yaml."
    ]


def without_absent(catalog: Catalog, crm: CrmTables) -> Catalog:
    """Return the catalogue without the features whose table is absent, and without criteria that have none left."""
    absent = absent_features(catalog, crm)
    kept = {
        name: replace(criterion, features={f: spec for f, spec in criterion.features.items() if f not in absent})
        for name, criterion in catalog.criteria.items()
    }
    return Catalog({name: criterion for name, criterion in kept.items() if criterion.features})
