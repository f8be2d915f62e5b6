"""Whether it works: the KPI ledger, before and after, and what segments, tiers and plays brought, with its doubt."""
