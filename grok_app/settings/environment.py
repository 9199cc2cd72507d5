"""The settings that the environment holds."""

from collections.abc import Mapping

from grok_app.env import ALIASES, PREFIX
from grok_app.errors import ConfigurationError
from grok_app.settings.schema import DEFINITIONS, Settings
from grok_app.settings.validation import WrongValueError, validate


class Overrides:
    """Raw values by dotted name, and the variable that each came from.

    Args:
        given: Values by the variable's name in lower case, without its prefix: `app.stream`, or an alias, `stream`.

    Raises:
        ConfigurationError: A name is no setting.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        self._spellings = {
            name: used
            for name in DEFINITIONS
            if (used := next((spelling for spelling in (name, *ALIASES.get(name, ())) if spelling in given), None))
        }
        self.values = {name: given[used] for name, used in self._spellings.items()}
        known = DEFINITIONS.keys() | {alias for aliases in ALIASES.values() for alias in aliases}
        if unknown := [name for name in given if name not in known]:
            raise ConfigurationError("\n".join(f"{variable_of(name)} is not a setting" for name in unknown))

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def variable(self, name: str) -> str:
        """The variable that holds this setting, or would."""
        return variable_of(self._spellings.get(name, name))


def settings_of(given: Mapping[str, str]) -> Settings:
    """The settings that the environment alone makes, as if nothing were stored.

    Raises:
        ConfigurationError: A name is no setting, or a value is wrong.
    """
    try:
        return validate(Overrides(given).values)
    except WrongValueError as error:
        lines = [f"{variable_of(fault.name)} {fault.reason}" for fault in error.faults]
    raise ConfigurationError("\n".join(lines))  # out here, since the cause would print secrets


def variable_of(name: str) -> str:
    """The environment variable of a dotted name."""
    return PREFIX + name.upper().replace(".", "__", 1)
