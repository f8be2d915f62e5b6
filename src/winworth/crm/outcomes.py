"""What came of the deals behind the examples, as far as the snapshot knows."""

import pandas as pd

from winworth.crm.snapshot import Snapshot


def attach_outcomes(examples: pd.DataFrame, snapshot: Snapshot) -> pd.DataFrame:
    """Add what became of each example's deal: ended_on (NaT while open), won, and amount (missing unless won).

    The snapshot decides what is known: a deal that ends after its as-of date is still open here.
    """
    deals = snapshot["deals"].set_index("deal_id")
    of = deals.reindex(examples["deal_id"])
    won = (of["status"] == "won").to_numpy()
    ended = of["closed_on"] if "closed_on" in of else pd.Series(pd.NaT, index=of.index, dtype="datetime64[s]")
    amount = of["amount"] if "amount" in of else pd.Series(float("nan"), index=of.index)
    return examples.assign(
        status=of["status"].to_numpy(),
        ended_on=ended.to_numpy(),
        won=won,
        amount=amount.where(won).to_numpy(),
    )
