"""A snapshot becomes one row an example and one column a feature."""
