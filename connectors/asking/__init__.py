"""The way to the network: how, when, how often and where a source may be asked."""
