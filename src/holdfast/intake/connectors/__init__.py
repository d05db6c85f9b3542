"""What intake reaches on the network, each thing by a connector of its own."""
