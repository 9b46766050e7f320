"""The graph itself: files and the graphs they become, exact statements, the store with its rules, saved questions, formats."""
