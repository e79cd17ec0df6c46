"""What a plan can bound, switch and contain: the keys that plans, overrides and meters share.

Source: contracts/platform.md, "Plans" (limits, features) and contracts/control.md, "Plans" (capabilities).
"""

from dataclasses import dataclass

# Larger whole numbers do not survive the JSON readers of many languages.
LARGEST = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound.

    Attributes:
        key: its name in plans and overrides.
        meter: what is counted against it: its name in `usage`.
        unit: what one of it is.
        description: a sentence for people.
    """

    key: str
    meter: str
    unit: str
    description: str


_ALL = [
    Limit("max_users", "users", "members", "Members of the tenant."),
    Limit("max_domains", "domains", "domains", "Sending domains."),
    Limit("max_campaigns_per_month", "campaigns_this_month", "campaigns", "Campaigns started in a month."),
    Limit("max_emails_per_month", "emails_this_month", "e-mails", "E-mails sent in a month."),
    Limit("max_storage_gb", "storage_gb", "GB", "Objects and rows together, in gigabytes of 10^9 bytes."),
    Limit("max_workspaces", "workspaces", "workspaces", "Workspaces of the tenant."),
    Limit("max_sql_tables", "sql_tables", "tables", "SQL tables in all workspaces."),
    Limit(
        "max_document_collections",
        "document_collections",
        "collections",
        "Document collections in all workspaces.",
    ),
    Limit("max_functions", "functions", "functions", "Functions in all workspaces."),
    Limit("max_api_calls_per_month", "api_calls_this_month", "calls", "Calls of the data plane in a month."),
    Limit("max_scans_per_month", "scans_this_month", "scans", "Scans in a month."),
]

LIMITS: dict[str, Limit] = {limit.key: limit for limit in _ALL}
METERS: list[str] = [limit.meter for limit in _ALL]

FEATURES: dict[str, str] = {
    "api_access": "Calls with keys and tokens of the tenant.",
    "priority_support": "Tickets of this plan are answered first.",
    "white_label": "Own brand and domain in pages and mails.",
    "advanced_analytics": "Cohorts, funnels, exports of figures.",
}

CAPABILITIES: dict[str, str] = {
    "identity": "Realms, clients and roles of the tenant's own users.",
    "postgres": "SQL rows.",
    "mongo": "Documents.",
    "kafka": "Events.",
    "storage": "Objects.",
    "functions": "Functions.",
    "observability": "Logs and figures of a workspace.",
    "audit": "The tenant's own trail.",
}
