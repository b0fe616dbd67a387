"""Who would hear of a failure: the rules that there are, and those that an estate could do with."""
