"""What several rules know how to read out of evidence: accounts, programs, the shipped instructions, pods, locks."""
