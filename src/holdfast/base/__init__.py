"""What every stage stands on: events, identifiers, the clock, errors, who did it."""
