// Apollo Client: what each error policy makes of a partial answer and of a refusal, by POST, GET and hash.
import { createHash } from "node:crypto";
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client/core";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { credentials, noting, refusedText, signInText, takeExchanges, told, url } from "./service.mjs";

const SIGN_IN = gql(signInText);
const PARTIAL = gql`
  query Partial($by: UserBy!) @purpose(is: SUPPORT, onDenied: NULL) {
    user(by: $by) {
      id
      username
      fullName
      email
      birthDate
    }
    users(first: 2) {
      nodes {
        id
        country
        lastSeenIp
      }
    }
  }
`;
const REFUSED = gql(refusedText);
const ALLOWED = gql`
  query Allowed($by: UserBy!) {
    user(by: $by) {
      id
      username
    }
  }
`;
const variables = { by: { username: "subject" } };

// Each client has a cache of its own: one with the nulls of a partial answer would answer the strict query from it.
function client(options = {}, link = undefined) {
  const http = new HttpLink({ uri: url, fetch: noting, ...options });
  return new ApolloClient({ cache: new InMemoryCache(), link: link ? link.concat(http) : http });
}

function outcome({ data, error }) {
  const errors = CombinedGraphQLErrors.is(error) ? told(error.errors) : error && String(error);
  return { data, errors, exchanges: takeExchanges() };
}

const signIn = await client().mutate({ mutation: SIGN_IN, variables: { input: credentials } });
const headers = { authorization: `Bearer ${signIn.data.signIn.accessToken}` };
takeExchanges();

const signedIn = client({ headers });
const partial = outcome(await signedIn.query({ query: PARTIAL, variables, errorPolicy: "all" }));
const cached = signedIn.readQuery({ query: PARTIAL, variables });

const strict = { query: REFUSED, variables };
const refused = outcome(await client({ headers }).query({ ...strict, errorPolicy: "all" }));
const thrown = await client({ headers })
  .query(strict)
  .catch((error) => outcome({ error }));
const plain = client({ headers: { ...headers, accept: "application/json" } });
const refusedPlainly = outcome(await plain.query({ ...strict, errorPolicy: "all" }));

const allowed = { query: ALLOWED, variables, context: { headers: { "data-purpose": "SUPPORT" } } };
const got = outcome(await client({ headers, useGETForQueries: true }).query(allowed));
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const hashed = outcome(await client({ headers }, new PersistedQueryLink({ sha256 })).query(allowed));

console.log(JSON.stringify({ partial, cached, refused, thrown, refusedPlainly, got, hashed }));
