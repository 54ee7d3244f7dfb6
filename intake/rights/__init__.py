"""What citizens are owed about their data: who saw it, what is held, its end (公民权利)."""
