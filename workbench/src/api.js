// Sends GraphQL requests to the endpoint that this page came from, with its cookies.

const JSON_TYPE = "application/json";

/** POST one request; `headers` beat the purpose. Resolves to the response map, whatever its status. */
export async function post({ query, variables, operationName }, { purpose, headers } = {}) {
  const sent = new Headers({ Accept: JSON_TYPE, "Content-Type": JSON_TYPE });
  if (purpose) sent.set("Data-Purpose", purpose);
  for (const [name, value] of Object.entries(headers ?? {})) sent.set(name, value);
  const response = await fetch(location.pathname, {
    body: JSON.stringify({ query, variables, operationName: operationName ?? undefined }),
    credentials: "same-origin",
    headers: sent,
    method: "POST",
  });
  return response.json();
}

/** Whether a response says that the caller is not, or no longer, signed in. */
export function isUnauthenticated(response) {
  return Boolean(response?.errors?.some((error) => error.extensions?.code === "UNAUTHENTICATED"));
}
