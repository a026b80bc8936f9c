"""The tamper-evident log: what was stored, decided and removed, as the leaves of a Merkle tree."""
