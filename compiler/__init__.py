"""From an architecture to a chip program: graph, front ends, passes, targets, lowering."""
