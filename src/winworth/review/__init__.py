"""The page that sales leadership reads, in French or English."""
