"""Architecture graph, front ends, passes, targets and the chip program: integers only at the end."""
