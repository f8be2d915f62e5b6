"""Exports become tables, tables what was known on a day, and that what came of it."""
