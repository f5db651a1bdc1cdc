"""The GraphQL API: conducts a request from HTTP through identity, policy and reader back to bytes."""
