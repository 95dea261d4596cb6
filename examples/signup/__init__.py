"""A sign-up that welcomes, and nudges once."""
