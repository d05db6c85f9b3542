"""Meta's ThreatExchange, by its own client."""
