"""A folder of exports becomes a draft of crm.yaml and criteria.yaml: each guess with its evidence, each doubt as a question.

- `sample.py` which files there are, how they part their cells, and enough of their rows to judge by
- `days.py`, `numerals.py` which date format and which decimal mark the cells prove
- `look.py` what one column holds
- `names.py` the words that headers, files and cells use for what winworth knows
- `status.py` which words mean won, lost and open
- `place.py` which file is which table, and which column is which
- `known.py` when a column's cells could be known, by name and by test
- `relate.py` whether keys meet across files, and look-ups
- `histories.py` what a deal said earlier
- `tabled.py` one table of the draft; `assembled.py` all of it; `drafted.py` what it consists of
- `paper.py` the draft as YAML with comments; `starter.py` the starter criteria
- `presets/` what Salesforce, HubSpot and Dynamics 365 call things
"""
