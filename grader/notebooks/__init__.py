"""Read a notebook, align it to the template, execute it. The child runs inside the jail."""
