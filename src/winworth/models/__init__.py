"""X and y go in, numbers come out; nothing here knows what a CRM is."""
