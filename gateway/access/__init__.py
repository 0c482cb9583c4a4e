"""Who may call, and what they may see: one policy for every wire (design §2.16)."""
