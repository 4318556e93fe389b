"""The pages: a pure view model from the totals, and templates that only place it."""
