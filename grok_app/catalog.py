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


class Serves(StrEnum):
    """What a model is for."""

    CHAT = "chat"
    IMAGES = "images"
    EDITS = "edits"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that callers may name."""

    id: str
    upstream_model: str
    """`modelName` on the wire; empty for pictures, which a socket draws."""
    upstream_mode: str
    """`modelMode` on the wire; empty where Grok takes none."""
    pools: tuple[Pool, ...] = (Pool.BASIC, Pool.SUPER)
    cost: Cost = Cost.LOW
    serves: Serves = Serves.CHAT


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
    Model("grok-imagine-1.0", "", "", cost=Cost.HIGH, serves=Serves.IMAGES),
    Model("grok-imagine-1.0-edit", "imagine-image-edit", "", cost=Cost.HIGH, serves=Serves.EDITS),
    Model("grok-imagine-1.0-video", "grok-3", "", cost=Cost.HIGH, serves=Serves.VIDEO),
)

MODELS: Final = {model.id: model for model in _ROWS}
"""Every model by its id, in catalogue order."""

CHAT_MODELS: Final = {model.id: model for model in _ROWS if model.serves is Serves.CHAT}
IMAGES, EDITS, VIDEO = (
    next(model for model in _ROWS if model.serves is serves) for serves in (Serves.IMAGES, Serves.EDITS, Serves.VIDEO)
)
"""The one model of each kind of media."""
