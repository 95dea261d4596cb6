"""The rules of the house, as tests: nobody needs to remember them."""
