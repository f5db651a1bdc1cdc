// Documents as a Relay application holds them; only the compiler reads this file. Queries that it makes of fragments
// carry the purpose that `@refetchable` names.
import { graphql } from "relay-runtime";

graphql`
  fragment people_name on User {
    username
    fullName
  }
`;

graphql`
  fragment people_contact on User
  @refetchable(queryName: "peopleContactQuery", directives: ["@purpose(is: SUPPORT, onDenied: NULL)"]) {
    ...people_name
    email
    birthDate
  }
`;

graphql`
  fragment people_page on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "peoplePageQuery", directives: ["@purpose(is: SUPPORT, onDenied: NULL)"]) {
    users(first: $count, after: $cursor, orderBy: { field: CREATED_AT, direction: DESC })
      @connection(key: "people_users") {
      edges {
        node {
          ...people_name
          country
        }
      }
    }
  }
`;

graphql`
  query peopleListQuery($count: Int!, $cursor: String) @purpose(is: SUPPORT, onDenied: NULL) {
    ...people_page @arguments(count: $count, cursor: $cursor)
  }
`;

graphql`
  query peopleOneQuery($id: ID!) @purpose(is: SUPPORT, onDenied: NULL) {
    node(id: $id) {
      ... on User {
        ...people_contact @alias(as: "contact")
        status
        birthDate @catch
        lastSeenAt
      }
    }
  }
`;

graphql`
  mutation peopleSignInMutation($input: SignInInput!) {
    signIn(input: $input) {
      accessToken
    }
  }
`;
