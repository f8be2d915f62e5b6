"""Salesforce: API names as Data Loader exports them, and labels as reports do (Object Reference, Field Reference)."""

from winworth.draft.names import TableWords, Vocabulary

_PROCESS = "it follows the stage or the closing day, which move as the deal does"
_LATE = (
    "forecast category",
    "forecast category name",
    "expected revenue",
    "is closed",
    "is won",
    "closed",
    "won",
    "fiscal",
    "fiscal quarter",
    "fiscal year",
    "fiscal period",
    "push count",
    "has open activity",
    "has overdue task",
    "has opportunity line item",
    "loss reason c",
    "last stage change in days",
    "age",
    "stage duration",
)

SALESFORCE = Vocabulary(
    tables={
        "deals": TableWords(
            r"^(opportunit(y|ies)|opportunities? report|report\d*)$",
            {
                "deal_id": ("id", r"opportunity id( 18)?", "case safe id"),
                "account_id": (r"account id( 18)?", "account name"),
                "owner_id": ("owner id", "opportunity owner"),
                "opened_on": ("created date",),
                "closed_on": ("close date",),
                "amount": (r"amount converted", "amount"),
                "currency": ("currency iso code", "opportunity currency", "amount currency"),
                "kind": ("type", "opportunity type"),
                "source": ("lead source",),
                "probability": ("probability", r"probability percent"),
                "modified_on": ("last modified date",),
            },
        ),
        "accounts": TableWords(
            r"^accounts?$",
            {
                "account_id": ("id", r"account id( 18)?", "account name"),
                "name": ("name", "account name"),
                "created_on": ("created date",),
                "parent_id": ("parent id", "parent account id"),
                "sector": ("industry",),
                "country": ("billing country", "billing country code"),
                "region": ("billing state", "billing state province", "billing state code"),
                "headcount": ("number of employees", "employees"),
                "revenue": ("annual revenue",),
                "modified_on": ("last modified date",),
            },
        ),
        "contacts": TableWords(
            r"^contacts?$",
            {
                "contact_id": ("id", "contact id"),
                "account_id": ("account id", "account name"),
                "known_on": ("created date",),
                "role": ("role", "contact role", "buying role c", "role c"),
            },
        ),
        "activities": TableWords(
            r"^(tasks?|events?|activity history|activities|tasks and events)$",
            {
                "activity_id": ("id", "activity id", "task id", "event id"),
                "account_id": ("account id", "company account"),
                "deal_id": ("what id", "related to id", "opportunity id"),
                "contact_id": ("who id", "contact id"),
                "kind": ("task subtype", "event subtype", "type", "activity type"),
                "happened_on": ("completed date time", "activity date", "date", "start date time"),
                "known_on": ("created date",),
            },
        ),
    },
    known={
        **{("deals", name): ("at_close", _PROCESS) for name in _LATE},
        ("accounts", "type"): ("at_close", "a Prospect becomes a Customer when a deal is won"),
        ("accounts", "account type"): ("at_close", "a Prospect becomes a Customer when a deal is won"),
        ("accounts", "customer priority c"): ("at_close", "given to who became a customer"),
    },
    left_out={
        "is deleted": "rows in the recycle bin should not be exported: query without --all-rows",
        "name": "free text",
        "opportunity name": "free text",
        "description": "free text",
        "next step": "free text, and overwritten as the deal moves",
        "system modstamp": "the system's own clock",
        "created by id": "a user",
        "last modified by id": "a user",
        "record type id": "an id: export the record type's name in its place",
        "campaign id": "an id",
        "contact id": "an id",
        "pricebook2 id": "an id",
        "photo url": "a link",
        "master record id": "an id",
    },
    files={
        r"currency types?": "Salesforce writes how many units one unit of the corporate currency buys, and "
        "winworth needs the inverse: "
        "export amounts as `Amount (converted)` from a report, or write a file of rates with 1 / ConversionRate",
        r"dated conversion rates?": "Salesforce writes how many units one unit of the corporate currency buys, "
        "and winworth needs the "
        "inverse: write a file of rates with currency, StartDate and 1 / ConversionRate",
        r"opportunity contact roles?": "it names an opportunity and no account: export contacts with a role field of their own",
        r"users?|user roles?|opportunity stages?|record types?": "set-up of the CRM, not what happened in it",
        r"opportunity line items?|pricebook entr(y|ies)": "lines of a deal: winworth reads one row a deal",
        r"leads?": "a lead is no account and has no deal yet",
    },
    notes=(
        "Preset salesforce. Ids of 15 characters (reports) and of 18 (Data Loader) meet when read. CloseDate of an open "
        "opportunity is the expected day: it is left out of open deals when read.",
    ),
)
