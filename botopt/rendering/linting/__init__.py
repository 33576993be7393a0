"""What can be said about templates before a message is sent."""
