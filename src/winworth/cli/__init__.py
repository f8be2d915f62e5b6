"""One command a verb: arguments in, a short table or one JSON document out, and the exit code of what went wrong.

- `options.py` the options that verbs share, and how they are read
- `starting.py` init
- `learning.py` train, tune, promote, agree
- `scoring.py` demo, check, predict, explain, validate
- `watching.py` monitor, recalibrate, monthly, quarterly
- `judging.py` kpi, compare, review
- `app.py` all verbs together, and what a failure ends with
"""

from winworth.cli.app import main

__all__ = ["main"]
