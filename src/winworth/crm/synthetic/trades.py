"""What kinds of company there are: what their CRM says of an account, how customers buy more, and by what a market is cut."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from winworth.crm.synthetic import market
from winworth.crm.synthetic.plays import SEGMENT

CRM_STACKS = {"Salesforce": 0.30, "HubSpot": 0.20, "Dynamics": 0.15, "Aucun": 0.35}
REGULATED = ("Banque et assurance", "Santé", "Industrie", "Secteur public")
BRANCHES = {  # what a distributor deals in, in place of a sector
    "Banque et assurance": "Électricité",
    "Santé": "Hydraulique",
    "Industrie": "Outillage",
    "Logistique": "Fixation",
    "Services": "Pneumatique",
    "Distribution": "Quincaillerie",
    "Bâtiment": "Sanitaire",
    "Secteur public": "Soudage",
}
POTENTIAL = {
    "Île-de-France": "Fort",
    "Auvergne-Rhône-Alpes": "Fort",
    "Hauts-de-France": "Moyen",
    "Occitanie": "Moyen",
    "Provence-Alpes-Côte d'Azur": "Moyen",
    "Hesse": "Moyen",
}
ESTABLISHED = 0.3  # share of distributors that ordered before the first deal
CADENCES = {"Mensuelle": 0.55, "Trimestrielle": 0.45}

Dress = Callable[[np.random.Generator, pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Trade:
    """`dress` gives accounts their columns of this trade, `names` what a column or criterion of the machinery is called in it,
    `sectors` what its sectors are.

    `upsells` is how many a customer is offered a quarter, `has_visits` whether customers order as they are visited. Then dress
    marks accounts as `established`: customers since before the first deal, with whom no deal is opened.
    """

    dress: Dress
    names: Mapping[str, str] = field(default_factory=dict)
    sectors: Mapping[str, str] = field(default_factory=dict)
    upsells: float = 0.0
    has_visits: bool = False

    @property
    def sells_on(self) -> bool:
        """Whether customers are sold to in another way than new accounts are."""
        return self.upsells > 0 or self.has_visits


def _software(rng: np.random.Generator, accounts: pd.DataFrame) -> pd.DataFrame:
    """Cut the market by size, automation and CRM: who has a CRM and some automation can be connected."""
    stack = market.level(rng, CRM_STACKS, len(accounts))
    connects = (stack != "Aucun") & (accounts["automation_level"] >= 2)
    size = accounts["size_class"].where(accounts["size_class"].isin(["PME", "ETI"]), "Autres")
    return accounts.assign(**{"crm_stack": stack, SEGMENT: size + np.where(connects, " connectées", " non connectées")})


def _services(rng: np.random.Generator, accounts: pd.DataFrame) -> pd.DataFrame:
    """Cut the market by sector and regulatory maturity: regulated and not ready is pressed."""
    sector = np.where(accounts["sector"].isin(REGULATED), "Régulé", "Peu régulé")
    return accounts.assign(**{SEGMENT: np.char.add(sector, np.where(accounts["automation_level"] <= 3, ", à cadrer", ", mûr"))})


def _industry(rng: np.random.Generator, accounts: pd.DataFrame) -> pd.DataFrame:
    """Cut the market by the potential of a distributor's zone and its rhythm of orders."""
    potential = accounts["region"].map(POTENTIAL).fillna("Faible")
    cadence = pd.Series(market.level(rng, CADENCES, len(accounts)), accounts.index)
    segment = (potential + ", " + cadence.str.lower()).where(potential != "Faible", "Faible")
    established = rng.random(len(accounts)) < ESTABLISHED
    pull = accounts["pull"].where(~established, 1e-9)
    return accounts.assign(
        **{"potential": potential, "cadence": cadence, "pull": pull, "established": established, SEGMENT: segment}
    )


SOFTWARE = Trade(_software)
SERVICES = Trade(
    _services, {"automation_level": "regulatory_maturity", "automation_maturity": "regulatory_maturity"}, upsells=1.0
)
INDUSTRY = Trade(
    _industry, {"automation_level": "digital_level", "automation_maturity": "digital_maturity"}, BRANCHES, has_visits=True
)
