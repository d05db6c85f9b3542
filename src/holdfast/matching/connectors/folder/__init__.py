"""A folder of bank files, for lists that come by other ways than a service."""
