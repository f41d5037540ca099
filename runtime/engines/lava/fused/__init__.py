"""A whole program in one process of Lava: the engine ``lava-fused``, and a process for networks.

`process` imports Lava, the other modules do not.
"""
