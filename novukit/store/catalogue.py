"""The catalogue of an environment as workers read it, and the number that tells them to read it again."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import Any

from ..errors import DecryptionFailed
from ..model import Catalogue, Resource, Variables
from . import layouts, translations, variables
from .database import Scope
from .secrets import KeyRing

log = logging.getLogger("novukit.store")


async def read(scope: Scope, ring: KeyRing, default_locale: str) -> Catalogue:
    """All layouts, translations and variables. Without the variables when those cannot be opened, which is logged."""
    texts: defaultdict[Resource, dict[str, dict[str, Any]]] = defaultdict(dict)
    for each in await translations.all(scope):
        texts[each.resource_type, each.resource_id][each.locale] = each.content
    around = await layouts.all(scope)
    try:
        known = [one for one in await variables.all(scope, ring) if one.value is not None]
    except DecryptionFailed as err:
        log.error("The variables of environment %s cannot be read: %s %s", scope.environment_id, err, err.hint or "")
        known = []
    return Catalogue(
        layouts={one.layout_id: one for one in around},
        translations=dict(texts),
        variables=Variables({one.key: one.value or "" for one in known}),
        shown={one.key: one.value or "" for one in known if not one.is_secret},
        default_layout=next((one for one in around if one.is_default), None),
        default_locale=default_locale,
    )
