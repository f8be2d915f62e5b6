"""HubSpot: labels as its exports write them, and internal names (default deal, company and contact properties)."""

from winworth.draft.names import TableWords, Vocabulary

_RECORD = ("record id", "hs object id")
_COMPANY = (
    r"associated company ids? primary",
    r"primary associated company ids?",
    r"associated company ids?",
    r"associatedcompanyid",
    r"company id",
    r"associated company( primary)?",
)
_LATE = (
    "closed lost reason",
    "closed won reason",
    "days to close",
    "forecast category",
    "forecast amount",
    "forecast probability",
    "weighted amount",
    "weighted amount in company currency",
    "is closed won",
    "is closed lost",
    "is deal closed",
    "hs is closed won",
    "hs is closed",
    "deal score",
    "closed amount",
    "closed amount in home currency",
    "number of sales activities",
    "number of times contacted",
    "number of associated contacts",
    "next step",
    "priority",
)
_OF_CUSTOMERS = (
    "lifecycle stage",
    "lead status",
    "type",
    "total revenue",
    "recent deal amount",
    "number of associated deals",
    "number of associated contacts",
    "number of open deals",
    "total open deal value",
    "days to close",
    "number of times contacted",
    "number of sales activities",
    "target account",
    "ideal customer profile tier",
)

HUBSPOT = Vocabulary(
    tables={
        "deals": TableWords(
            r"\bdeals?\b(?!.*histor)",
            {
                "deal_id": (*_RECORD, "deal id", "record id deal"),
                "account_id": _COMPANY,
                "owner_id": ("deal owner", "hubspot owner id"),
                "opened_on": ("create date", "createdate"),
                "closed_on": ("close date", "closedate"),
                "amount": ("amount in company currency", "amount in home currency", "amount"),
                "currency": ("currency", "deal currency code"),
                "kind": ("deal type", "dealtype"),
                "source": ("original traffic source", "original source type", "original source", "hs analytics source"),
                "probability": ("deal probability", "hs deal stage probability"),
                "modified_on": ("last modified date", "hs lastmodifieddate"),
            },
        ),
        "accounts": TableWords(
            r"\bcompan(y|ies)\b(?!.*histor)",
            {
                "account_id": (*_RECORD, "company id", "record id company"),
                "name": ("company name", "name"),
                "created_on": ("create date", "createdate"),
                "parent_id": ("parent company", "hs parent company id", "parent company id"),
                "sector": ("industry",),
                "country": ("country region", "country"),
                "region": ("state region", "state"),
                "headcount": ("number of employees", "numberofemployees"),
                "revenue": ("annual revenue", "annualrevenue"),
                "modified_on": ("last modified date", "hs lastmodifieddate"),
            },
        ),
        "contacts": TableWords(
            r"\bcontacts?\b(?!.*histor)",
            {
                "contact_id": (*_RECORD, "contact id"),
                "account_id": _COMPANY,
                "role": ("buying role", "hs buying role"),
                "seniority": ("employment seniority", "seniority", "hs seniority"),
                "known_on": ("create date", "createdate"),
            },
        ),
        "activities": TableWords(
            r"\b(activities|activity|engagements?|calls?|meetings?|emails?)\b",
            {
                "activity_id": (*_RECORD, "activity id", "engagement id"),
                "account_id": _COMPANY,
                "deal_id": (r"associated deal ids?( primary)?",),
                "contact_id": (r"associated contact ids?( primary)?",),
                "kind": ("activity type", "engagement type", "call and meeting type", "type"),
                "outcome": ("meeting outcome", "call outcome", "outcome"),
                "happened_on": ("activity date", "meeting start time", "hs timestamp"),
                "known_on": ("create date", "object create date time"),
            },
        ),
    },
    known={
        **{("deals", name): ("at_close", "HubSpot fills it in as the deal moves or ends") for name in _LATE},
        **{("accounts", name): ("at_close", "HubSpot changes it when a deal is won or worked") for name in _OF_CUSTOMERS},
    },
    left_out={
        "deal name": "free text",
        "deal description": "free text",
        "description": "free text",
        "company domain name": "names one company each",
        "website url": "names one company each",
        "associated company": "the name of what Associated Company IDs gives",
        "associated contact": "names of people",
        "associated contact ids": "ids of people",
    },
    files={
        r"(hubspot )?(crm )?exports? ?(all )?(tickets?|products?|line items?|quotes?).*": "winworth has no table for it",
    },
    home_money=frozenset({"amount in company currency", "amount in home currency"}),
    notes=(
        "Preset hubspot. Deal stages are named by each pipeline: those that HubSpot does not bring along are "
        "told from its columns "
        "`Is Closed Won` and `Is Deal Closed?`, so export them too. Close Date of an open deal is the expected day.",
    ),
)
