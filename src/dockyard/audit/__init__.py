"""Every claim about an image is proved, with evidence: rules judge what was gathered, and nothing unseen passes."""
