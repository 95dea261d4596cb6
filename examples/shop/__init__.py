"""A shop that goes with an order from the receipt to the door."""
