"""Dynamics 365 Sales: logical names as Dataverse exports them, and labels as Excel does (table reference)."""

from winworth.draft.names import TableWords, Vocabulary

_STATES = {"0": "open", "1": "won", "2": "lost"}
_LATE = (
    "status reason",
    "statuscode",
    "closeprobability",
    "opportunityratingcode",
    "rating",
    "stepname",
    "pipeline phase",
    "salesstage",
    "salesstagecode",
    "sales stage",
    "process code",
    "stageid",
    "estimatedvalue",
    "estimatedvalue base",
    "est revenue",
    "est revenue base",
    "actual revenue",
    "actualvalue",
    "totalamount",
    "totallineitemamount",
    "discountamount",
    "finaldecisiondate",
    "msdyn forecastcategory",
    "forecast category",
    "msdyn opportunityscore",
    "opportunity score",
    "msdyn opportunitygrade",
    "completefinalproposal",
    "presentfinalproposal",
    "presentproposal",
    "developproposal",
    "captureproposalfeedback",
    "filedebrief",
    "sendthankyounote",
    "resolvefeedback",
    "pursuitdecision",
    "decisionmaker",
    "identifycompetitors",
    "identifycustomercontacts",
    "confirminterest",
    "evaluatefit",
)

DYNAMICS = Vocabulary(
    tables={
        "deals": TableWords(
            r"^(opportunit(y|ies)|(all|my|open|closed|won|lost) opportunities.*)$",
            {
                "deal_id": ("opportunityid", "do not modify opportunity", "opportunity"),
                "account_id": (
                    "parentaccountid",
                    "parentaccountid value",
                    "account",
                    "customerid",
                    "customerid value",
                    "potential customer",
                ),
                "owner_id": ("ownerid", "ownerid value", "owner"),
                "opened_on": ("createdon", "created on"),
                "closed_on": ("actualclosedate", "actual close date"),
                "amount": ("actualvalue base", "actual revenue base", "actualvalue", "actual revenue"),
                "currency": ("transactioncurrencyid", "currency", "isocurrencycode"),
                "source": ("originatingleadsource", "source campaign", "leadsourcecode", "lead source"),
                "probability": ("closeprobability", "probability"),
                "modified_on": ("modifiedon", "modified on"),
            },
        ),
        "accounts": TableWords(
            r"^(accounts?|(all|my|active) accounts.*)$",
            {
                "account_id": ("accountid", "do not modify account", "account"),
                "name": ("name", "account name"),
                "created_on": ("createdon", "created on"),
                "parent_id": ("parentaccountid", "parentaccountid value", "parent account"),
                "sector": ("industrycode", "industry"),
                "country": ("address1 country", "address 1 country region"),
                "region": ("address1 stateorprovince", "address 1 state province"),
                "headcount": ("numberofemployees", "number of employees", "no of employees"),
                "revenue": ("revenue base", "annual revenue base", "revenue", "annual revenue"),
                "modified_on": ("modifiedon", "modified on"),
            },
        ),
        "contacts": TableWords(
            r"^(contacts?|(all|my|active) contacts.*)$",
            {
                "contact_id": ("contactid", "do not modify contact", "contact"),
                "account_id": ("parentcustomerid", "parentcustomerid value", "company name"),
                "role": ("accountrolecode", "role"),
                "known_on": ("createdon", "created on"),
            },
        ),
    },
    known={
        **{("deals", name): ("at_close", "Dynamics changes it as the opportunity moves or ends") for name in _LATE},
        ("accounts", "customertypecode"): ("at_close", "a Prospect becomes a Customer when a deal is won"),
        ("accounts", "relationship type"): ("at_close", "a Prospect becomes a Customer when a deal is won"),
        ("accounts", "opendeals"): ("at_close", "counted from deals"),
        ("accounts", "openrevenue"): ("at_close", "counted from deals"),
    },
    left_out={
        "name": "free text",
        "topic": "free text",
        "description": "free text",
        "estimatedclosedate": "the expected day, moved as the deal moves",
        "est close date": "the expected day, moved as the deal moves",
        "do not modify row checksum": "Dynamics' own",
        "do not modify modified on": "Dynamics' own",
        "versionnumber": "Dynamics' own",
        "timezoneruleversionnumber": "Dynamics' own",
        "importsequencenumber": "Dynamics' own",
        "statecode": "whether the row is active, today",
        "status": "whether the row is active, today",
    },
    files={
        r"audits?": "the audit table names columns by number (attributemask): export the audit history with "
        "Changed Field, Old Value and "
        "New Value in its place",
        r"opportunity ?close(s)?|opportunitycloses?": "a row for each closing, whose day and outcome opportunities have",
        r"(activity ?pointers?|phone ?calls?|appointments?|emails?|tasks?)": "Dynamics hangs activities on a "
        "record of any kind "
        "(regardingobjectid), and winworth needs the account of each: add it to the export",
        r"transaction ?currenc(y|ies)": "exchangerate says how many units one unit of the base currency buys, "
        "and winworth needs the "
        "inverse: export the amounts in base currency (actualvalue_base, Actual Revenue (Base))",
        r"systemusers?|leads?|quotes?|products?": "winworth has no table for it",
    },
    status_codes={"statecode": _STATES, "state code": _STATES},
    home_money=frozenset({"actualvalue base", "actual revenue base"}),
    notes=(
        "Preset dynamics. Won and lost are statecode (0 open, 1 won, 2 lost) or the label Status. `_base` and "
        "`(Base)` amounts are in "
        "the company's own currency and preferred.",
    ),
)
