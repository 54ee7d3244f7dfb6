"""Who answers, and how it gets there: rules, directory, topology, publisher."""
