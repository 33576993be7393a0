"""The handbook of a policy: pages that a person who decides about messages can read, for a browser."""
