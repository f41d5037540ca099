"""Integer semantics: what a step, a message and a learning epoch compute, in named dtypes."""
