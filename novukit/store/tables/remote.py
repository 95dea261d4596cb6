"""Where the applications are whose workflows run elsewhere."""

from piccolo.columns import UUID, Text, Timestamptz
from piccolo.table import Table


class Bridge(Table, tablename="novukit_bridge"):
    environment_id = UUID(primary_key=True)
    url = Text(default=None)
    key_id = UUID(null=True, default=None)
    updated_at = Timestamptz(default=None)
