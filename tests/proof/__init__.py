"""What proofs under faults share: a ledger provider in a process of its own, and a judge of what came of it all."""
