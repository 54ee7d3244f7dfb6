"""What a source usually sends, and what of that has changed (哨兵)."""
