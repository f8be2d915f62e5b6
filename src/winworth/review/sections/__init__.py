"""The sections of the page: each builds what its partial in templates/sections shows."""
