"""From tiers to work: the play of each account, who works it, where it stands in the list, and the files for the CRM."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from winworth.config import Settings, built_in_playbooks
from winworth.crm.snapshot import Snapshot
from winworth.flows.prepare import Prepared
from winworth.flows.tiering import COLUMNS as TIER_COLUMNS
from winworth.scoring.assign import WORKED, assign_sellers
from winworth.scoring.crm_files import changed, crm_files, gone, left_out, trend_of
from winworth.scoring.playbooks import Playbooks, play_table
from winworth.sheets import to_csv

PLAY_COLUMNS = ["play", "channel", "seller", "rank_in_seller", "rank", "trend"]
_GENERIC = "There is no playbooks.yaml: the built-in plays apply, true of most companies and the words of none. Write your own."


@dataclass(frozen=True)
class Played:
    """Accounts with play, channel, seller, ranks and trend; their texts by language; files to publish; what to know."""

    accounts: pd.DataFrame
    texts: dict[str, pd.DataFrame]
    files: dict[str, bytes]
    warnings: tuple[str, ...]


def with_plays(
    accounts: pd.DataFrame,
    texts: Mapping[str, pd.DataFrame],
    settings: Settings,
    *,
    lang: str,
    previous: pd.DataFrame | None,
) -> Played:
    """Say for each scored account what is done, by whom and in which order; `texts` has its rows in each language, `previous`
    the accounts of the scoring before, where there is one. `owner_id` and `region` of `accounts` are used and left out.

    Raises ConfigError for a segment and tier that accounts have and playbooks.yaml does not. A seller is never a feature:
    owners stand beside scores that are made.
    """
    playbooks = settings.playbooks or built_in_playbooks()
    segment = segment_ids(accounts["segment"])
    live = accounts.assign(segment=segment).groupby(["segment", "tier"]).size().rename("n_accounts").reset_index()
    plays = {code: play_table(playbooks, live, lang=code) for code in texts}
    named = {code: _names(playbooks, code) for code in texts}
    place = pd.MultiIndex.from_arrays([segment, accounts["tier"]])
    told = {code: _told(text, place, plays[code], named[code]) for code, text in texts.items()}
    work, doubts = _work(accounts, settings)
    accounts = accounts.drop(columns=["owner_id", "region"])
    before = None if previous is None else previous.set_index("account_id")["score"]
    known = accounts["account_id"].map(before).astype(float) if before is not None else accounts["score"]
    words = told[lang][["play", "channel", "segment_label"]]
    accounts = accounts.assign(**words, **work, trend=trend_of(accounts["score"], known))
    files = {f"plays_{code}.csv": to_csv(table) for code, table in plays.items()}
    files |= crm_files(changed(accounts, previous), accounts["account_id"])
    warnings = [] if settings.playbooks else [_GENERIC]
    warnings += playbooks.strangers(segment) + doubts + left_out(accounts["account_id"]) + gone(accounts, previous)
    return Played(_in_order(accounts), told, files, tuple(warnings))


def segment_ids(segment: pd.Series) -> pd.Series:
    """Write segments as playbooks.yaml calls them: a number k is Sk, a name is itself.

    >>> segment_ids(pd.Series([1, 12])).tolist(), segment_ids(pd.Series(["S3"])).tolist()
    (['S1', 'S12'], ['S3'])
    """
    names = segment.astype("str")
    return names.mask(names.str.isdigit(), "S" + names)


def present_owners(prepared: Prepared) -> pd.Series:
    """Return who holds each account, by account_id: the owner of the open deal opened last, or else of the last deal.

    The extract tells the owners of its own day, not of the as-of date (see `known: latest_only`): right for handing out work
    from now on, and the reason that no feature reads them.
    """
    deals, extract = prepared.snapshot["deals"], prepared.crm["deals"]
    if not {"deal_id", "account_id", "owner_id"} <= set(extract.columns):
        return pd.Series(dtype="str")
    owner = deals["deal_id"].map(extract.dropna(subset="deal_id").set_index("deal_id")["owner_id"])
    known = deals.assign(owner_id=owner, is_open=deals["status"] == "open").dropna(subset=["account_id", "owner_id"])
    by = ["is_open", *(name for name in ("opened_on", "deal_id") if name in known)]
    last = known.sort_values(by, na_position="first").drop_duplicates("account_id", keep="last")
    return last.set_index("account_id")["owner_id"]


def regions(snapshot: Snapshot) -> pd.Series:
    """Return the region of each account, by account_id; nothing where the extract has none."""
    if "accounts" not in snapshot or "region" not in snapshot["accounts"]:
        return pd.Series(dtype="str")
    return snapshot["accounts"].set_index("account_id")["region"]


def _names(playbooks: Playbooks, lang: str) -> dict[str, str]:
    return {name: getattr(plan.label, lang) for name, plan in playbooks.segments.items() if plan.label}


def _told(text: pd.DataFrame, place: pd.MultiIndex, plays: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Add play and channel to the texts of one language, and the names that leadership gave to segments."""
    own = plays.set_index(["segment", "tier"])[["play", "channel"]].reindex(place).set_index(text.index)
    label = [names.get(segment, learnt) for (segment, _), learnt in zip(place, text["segment_label"], strict=True)]
    return text.assign(segment_label=pd.Series(label, text.index, dtype="str"), **own)


def _work(accounts: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, list[str]]:
    """Give each A and B account a seller, and say who is left without one and how many change hands."""
    scoring = settings.scoring
    asked = accounts[["account_id", "tier"]].assign(worth=accounts["agreed_value"], owner=accounts["owner_id"])
    work = assign_sellers(asked, scoring.sellers, hours=scoring.serving.hours, territory=accounts["region"])
    doubts, is_worked = [], accounts["tier"].isin(WORKED)
    lacking = is_worked & work["seller"].isna()
    if scoring.sellers and lacking.any():
        doubts.append(
            f"{lacking.sum()} of {is_worked.sum()} A and B accounts are beyond the sellers' hours in scoring.yaml and have no "
            "seller, chosen so that the others bring most. Add hours, or make A and B smaller."
        )
    moved = int((asked["owner"].notna() & work["seller"].notna() & (asked["owner"] != work["seller"])).sum())
    if moved:
        doubts.append(f"{moved} A and B accounts go to another seller: their owner has no hours for them.")
    return work, doubts


def _in_order(accounts: pd.DataFrame) -> pd.DataFrame:
    """Put what is to be done after the tier and what belongs to it."""
    kept = [name for name in accounts.columns if name not in PLAY_COLUMNS]
    place = 1 + max(kept.index(name) for name in TIER_COLUMNS if name in kept)
    return accounts[kept[:place] + PLAY_COLUMNS + kept[place:]]
