"""Predictions become expected values, tiers, segments and scored accounts."""
