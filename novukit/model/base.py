"""What every domain type shares: frozen, and strict about extra fields."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A noun of novukit. Immutable; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
