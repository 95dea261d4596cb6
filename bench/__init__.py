"""The benchmark: novukit beside its peers and beside the bare database, in interleaved rounds of one session."""
