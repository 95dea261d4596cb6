"""What novukit is compared with: other systems at their best, and hand-written programs that write the same rows."""
