"""Companies whose truth is known, to try everything on before the first real export.

- `market.py` whom the company could sell to, and its attempts to sell
- `truth.py` what matters in this world, what came of the attempts, and what an oracle would say
- `events.py` contacts, technologies, activities, stages
- `billing.py` renewals, invoices, costs
- `world.py` all of it together
- `exports.py` the files that a French CRM would export of it; `dirt.py` what becomes of them in people's hands
- `use_cases.py` three companies that changed their plays, with known effect: `trades.py` what kind of company each is,
  `plays.py` a change and what it moves, `plans.py` where it enters, `upsells.py` and `visits.py` what customers answer
- `staggered.py` customers who started at different times, and what each brings in two years
"""

from winworth.crm.synthetic.exports import write_exports
from winworth.crm.synthetic.use_cases import USE_CASES
from winworth.crm.synthetic.world import World, software_company

__all__ = ["USE_CASES", "World", "software_company", "write_exports"]
