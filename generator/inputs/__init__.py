"""What comes in: the description, the navigation, corrections, and the models that they select."""
