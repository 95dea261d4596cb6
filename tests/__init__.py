"""The tests: a folder mirrors each package of novukit; ``cases`` tells scenarios, ``house`` keeps the rules."""
