// What every client here shares: where the service is, who signs in, and how it was asked and answered.
export const url = `${process.argv[2]}/graphql`;
export const credentials = { login: "support", password: "fieldward-demo-password" };
export const signInText = `
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      accessToken
      errors {
        code
      }
    }
  }
`;
export const refusedText = `
  query Refused($by: UserBy!) @purpose(is: SUPPORT) {
    user(by: $by) {
      id
      username
      birthDate
    }
  }
`;
let exchanges = [];

// `fetch`, noting each exchange.
export async function noting(input, options) {
  const response = await fetch(input, options);
  const [type] = response.headers.get("content-type").split(";");
  exchanges.push({ method: options?.method ?? "GET", status: response.status, type });
  return response;
}

// Those since this was last asked.
export function takeExchanges() {
  const taken = exchanges;
  exchanges = [];
  return taken;
}

// GraphQL errors, out of the classes that a client wraps them in.
export function told(errors) {
  return errors?.map(({ message, path, extensions }) => ({ message, path, extensions }));
}
