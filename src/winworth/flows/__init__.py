"""One module a verb: each reads like the diagram in the README."""
