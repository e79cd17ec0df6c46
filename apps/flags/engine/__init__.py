"""The engine of feature flags: pure, without a database, a clock or a web framework.

`read_flag` and `read_segment` make checked definitions of JSON; `Snapshot.build` compiles them; `Snapshot.evaluate`,
`.bootstrap` and `.explain` answer. Same snapshot, same tenant, same context, same time: same answer, in every process.
"""

from apps.flags.engine.bucketing import BUCKETS, Bucketer, bucketers
from apps.flags.engine.evaluator import Step
from apps.flags.engine.graph import MAX_DEPTH, Cycle, TooDeep, check_prerequisites
from apps.flags.engine.model import (
    FACTS,
    Condition,
    Context,
    Decision,
    Flag,
    FlagType,
    Operator,
    Override,
    Prerequisite,
    Reason,
    Rollout,
    Rule,
    Segment,
    Split,
    TenantAttributes,
    Variation,
)
from apps.flags.engine.reading import Malformed, read_flag, read_segment
from apps.flags.engine.snapshot import Bootstrap, Explanation, Snapshot

__all__ = [
    "BUCKETS",
    "FACTS",
    "MAX_DEPTH",
    "Bootstrap",
    "Bucketer",
    "Condition",
    "Context",
    "Cycle",
    "Decision",
    "Explanation",
    "Flag",
    "FlagType",
    "Malformed",
    "Operator",
    "Override",
    "Prerequisite",
    "Reason",
    "Rollout",
    "Rule",
    "Segment",
    "Snapshot",
    "Split",
    "Step",
    "TenantAttributes",
    "TooDeep",
    "Variation",
    "bucketers",
    "check_prerequisites",
    "read_flag",
    "read_segment",
]
