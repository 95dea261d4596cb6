"""Three small applications that use novukit the way one would: a blog, a shop and a sign-up."""
