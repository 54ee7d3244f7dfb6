"""Rules that people own: tests beside them, rehearsal over what is stored, release, and every decision made again."""
