"""The vocabulary of learning, data only: objectives, rules, feedback, traces, sums of products."""
