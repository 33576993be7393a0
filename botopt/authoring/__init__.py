"""What authors are helped with: tidy files, proposals, previews, a handbook, an editor."""
