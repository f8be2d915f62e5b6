"""What Salesforce, HubSpot and Dynamics 365 call objects, fields and stages in their exports."""

from winworth.draft.names import Vocabulary
from winworth.draft.presets.dynamics import DYNAMICS
from winworth.draft.presets.hubspot import HUBSPOT
from winworth.draft.presets.salesforce import SALESFORCE

PRESETS: dict[str, Vocabulary] = {"salesforce": SALESFORCE, "hubspot": HUBSPOT, "dynamics": DYNAMICS}
