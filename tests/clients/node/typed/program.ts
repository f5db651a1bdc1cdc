// A program on generated types: the compiler knows what may be null, and what each input takes.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { graphql } from "./generated/gql.ts";

const PEOPLE = graphql(`
  query People($first: Int!, $filter: UserFilter) @purpose(is: SUPPORT, onDenied: NULL) {
    users(first: $first, filter: $filter, orderBy: { field: CREATED_AT }) {
      edges {
        cursor
        node {
          id
          ...Card
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);
const PERSON = graphql(`
  query Person($by: UserBy!) {
    user(by: $by) {
      ...Card
      status
    }
  }
`);
const UPDATE = graphql(`
  mutation Update($input: UpdateUserInput!) @purpose(is: ACCOUNT) {
    updateUser(input: $input) {
      user {
        locale
      }
      errors {
        code
        path
      }
    }
  }
`);
graphql(`
  fragment Card on User {
    username
    createdAt
    loginCount
  }
`);

declare function run<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>;

export async function names(): Promise<(string | null | undefined)[]> {
  const { users } = await run(PEOPLE, { first: 2, filter: { country: "SE", status: "ACTIVE" } });
  return users.edges.map(({ node }) => node.username);
}

export async function counted(): Promise<number> {
  const { user } = await run(PERSON, { by: { email: "subject@demo.example" } });
  return user?.loginCount ?? 0;
}

export async function failures(): Promise<string[]> {
  const { updateUser } = await run(UPDATE, { input: { locale: "sv-SE" } });
  return updateUser.errors.map(({ code, path }) => `${code} ${path.join(".")}`);
}

// Each of these is wrong, and the compiler must say so.
export async function wrong(): Promise<void> {
  const { users } = await run(PEOPLE, { first: 2 });
  for (const { node } of users.edges) {
    // @ts-expect-error: what the policy may deny can be null
    node.username.length;
    // @ts-expect-error: not asked for
    node.email;
  }
  // @ts-expect-error: a person is named in one way
  await run(PERSON, { by: { id: "a", email: "b" } });
  // @ts-expect-error: no such status
  await run(PEOPLE, { first: 2, filter: { status: "GONE" } });
  // @ts-expect-error: how many is needed
  await run(PEOPLE, {});
}
