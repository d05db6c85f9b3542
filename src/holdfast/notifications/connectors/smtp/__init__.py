"""E-mail to the people on call."""
