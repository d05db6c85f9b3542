"""The portal's pages: reporting, and coming back."""
