"""What came of it: the ten KPIs by tier, segment, size and quarter, each with its definition, counts and doubt."""
