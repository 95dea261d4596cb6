"""What messages are made of besides code: layouts, translations and variables."""

from piccolo.columns import JSONB, UUID, Boolean, Text, Timestamptz
from piccolo.table import Table


class Layout(Table, tablename="novukit_layout"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    layout_id = Text(default=None)
    name = Text(default=None)
    body = Text(default=None)
    is_default = Boolean(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class Translation(Table, tablename="novukit_translation"):
    environment_id = UUID(primary_key=True)
    resource_type = Text(default=None)
    resource_id = Text(default=None)
    locale = Text(default=None)
    content = JSONB(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class Variable(Table, tablename="novukit_variable"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    key = Text(default=None)
    is_secret = Boolean(default=None)
    value = Text(null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
