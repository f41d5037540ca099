"""The credit report: how a rule's update relates to the exact gradient of the stated objective."""
