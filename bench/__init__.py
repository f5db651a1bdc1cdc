"""The benchmark: Fieldward beside other GraphQL servers and a plain endpoint, on one machine."""
