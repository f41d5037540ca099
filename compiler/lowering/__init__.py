"""From a network of stages to a program of integers: quantise, schedule, lower."""
