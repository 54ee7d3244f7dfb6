"""The commands of `intake case`, by what they do: to one, to many, or only look."""
