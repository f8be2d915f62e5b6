"""What no feature may read: built only to say how much a leak would have flattered (the leak tax)."""

import pandas as pd

from winworth.tables import CrmTables

_KEYS = {"deals": "deal_id", "accounts": "account_id"}
_OUTCOME = {"status", "closed_on", "opened_on"}


def refused_columns(crm: CrmTables, waived: frozenset[tuple[str, str]] = frozenset()) -> list[tuple[str, str]]:
    """List the (table, column) pairs known only at the end of a deal, or overwritten in place and not signed for."""
    late = {pair for pair, known in crm.known.items() if known == "at_close" or (known == "latest_only" and pair not in waived)}
    return sorted((table, column) for table, column in late if table in _KEYS and table in crm and column not in _OUTCOME)


def refused_features(examples: pd.DataFrame, crm: CrmTables, columns: list[tuple[str, str]]) -> pd.DataFrame:
    """Return those columns as they stand in the extract, one row an example: past the gate in time, on purpose."""
    found = {}
    for table, column in columns:
        frame = crm[table]
        if pd.api.types.is_datetime64_any_dtype(frame[column]):
            continue
        of = frame.drop_duplicates(_KEYS[table]).set_index(_KEYS[table])[column].reindex(examples[_KEYS[table]])
        found[f"{table}.{column}"] = of.to_numpy()
    return pd.DataFrame(found, index=examples.index)
