"""The gateway that sends text messages to phones."""
