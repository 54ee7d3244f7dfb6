"""The ledgers of all cases as one thing (总台账): anchored every day, and verified."""
