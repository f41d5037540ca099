"""PilotNet, as a check of counts and prices against a chip: a convolutional network of lava-dl."""
