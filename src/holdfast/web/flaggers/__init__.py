"""The page of trusted flaggers and hotlines: signed in, and only their own."""
