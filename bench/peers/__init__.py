"""The same people, rules and answers by other libraries, to measure against."""
