"""Docker's words: sizes, ages, filters, templates, tables, JSON shapes."""
