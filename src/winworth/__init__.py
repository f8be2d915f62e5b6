"""Which accounts a B2B sales team should spend its time on, and why."""

__version__ = "0.1.0"
