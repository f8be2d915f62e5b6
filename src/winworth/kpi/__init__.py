"""Whether it works: what came of segments, tiers and plays, said with its doubt."""
