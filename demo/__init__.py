"""The demonstration city 云泽市: its places, its units, and a small server that speaks real wire shapes."""
