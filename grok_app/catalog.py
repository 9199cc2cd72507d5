"""The models on offer: one table. A new upstream mode is one new row.

Source: API contract, section 4; protocol notes, section 9.1 (February 2026).
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Pool(StrEnum):
    """The two kinds of account, by the names that grok2api's exports use."""

    BASIC = "ssoBasic"
    SUPER = "ssoSuper"


class Cost(IntEnum):
    """What one request takes from an account's quota."""

    LOW = 1
    HIGH = 4


@dataclass(frozen=True, slots=True)
class Model:
    """A model that callers may name."""

    id: str
    upstream_model: str
    upstream_mode: str
    pools: tuple[Pool, ...] = (Pool.BASIC, Pool.SUPER)
    cost: Cost = Cost.LOW


DEFAULT_QUOTA: Final = {Pool.BASIC: 80, Pool.SUPER: 140}
CREATED: Final = 1_771_286_400
"""The `created` of every model: 2026-02-17, the day of the protocol epoch."""

_ROWS: Final = (
    Model("grok-3", "grok-3", "MODEL_MODE_GROK_3"),
    Model("grok-3-mini", "grok-3", "MODEL_MODE_GROK_3_MINI_THINKING"),
    Model("grok-3-thinking", "grok-3", "MODEL_MODE_GROK_3_THINKING"),
    Model("grok-4", "grok-4", "MODEL_MODE_GROK_4"),
    Model("grok-4-mini", "grok-4-mini", "MODEL_MODE_GROK_4_MINI_THINKING"),
    Model("grok-4-thinking", "grok-4", "MODEL_MODE_GROK_4_THINKING"),
    Model("grok-4-heavy", "grok-4", "MODEL_MODE_HEAVY", pools=(Pool.SUPER,), cost=Cost.HIGH),
    Model("grok-4.1-mini", "grok-4-1-thinking-1129", "MODEL_MODE_GROK_4_1_MINI_THINKING"),
    Model("grok-4.1-fast", "grok-4-1-thinking-1129", "MODEL_MODE_FAST"),
    Model("grok-4.1-expert", "grok-4-1-thinking-1129", "MODEL_MODE_EXPERT", cost=Cost.HIGH),
    Model("grok-4.1-thinking", "grok-4-1-thinking-1129", "MODEL_MODE_GROK_4_1_THINKING", cost=Cost.HIGH),
    Model("grok-4.20-beta", "grok-420", "MODEL_MODE_GROK_420"),
)

MODELS: Final = {model.id: model for model in _ROWS}
"""Every model by its id, in catalogue order."""
