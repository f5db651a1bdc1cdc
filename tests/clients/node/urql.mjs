// urql: a partial answer, a refusal and an allowed one.
import { Client, fetchExchange, gql } from "@urql/core";
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
  }
`;
const REFUSED = gql(refusedText);
const variables = { by: { username: "subject" } };
let token;
const client = new Client({
  url,
  fetch: noting,
  preferGetMethod: false,
  exchanges: [fetchExchange],
  fetchOptions: () => ({ headers: token ? { authorization: `Bearer ${token}` } : {} }),
});

function outcome({ data, error }) {
  const network = error?.networkError?.message;
  return { data, network, errors: told(error?.graphQLErrors), exchanges: takeExchanges() };
}

const signedIn = await client.mutation(SIGN_IN, { input: credentials });
token = signedIn.data.signIn.accessToken;
takeExchanges();

const partial = outcome(await client.query(PARTIAL, variables));
const refused = outcome(await client.query(REFUSED, variables));
const got = outcome(await client.query(PARTIAL, variables, { preferGetMethod: "force" }));
console.log(JSON.stringify({ partial, refused, got }));
