"""The OpenAPI document, written by hand: endpoints read bytes, and no framework could say what they mean."""
