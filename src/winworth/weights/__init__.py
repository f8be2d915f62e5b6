"""Fitted models become what matters, and how surely."""
