"""The chaos run: real processes of every kind under real load, hurt every few seconds, healed, and judged."""
