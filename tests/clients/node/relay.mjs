// Relay: what its compiler has made, run by its runtime. Pages of a connection, a node, a fragment fetched anew.
import { createRequire } from "node:module";
import runtime from "relay-runtime";
import { credentials, url } from "./service.mjs";

const { Environment, Network, RecordSource, Store, fetchQuery, getSingularSelector } = runtime;
const compiled = createRequire(new URL("./relay/__generated__/", import.meta.url));
const artifact = (name) => compiled(`./${name}.graphql.js`);
const statuses = {};

async function ask({ name, text: query }, variables, token) {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json",
      "content-type": "application/json",
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables, operationName: name }),
  });
  statuses[name] = response.status;
  return response.json();
}

const signIn = await ask(artifact("peopleSignInMutation").params, { input: credentials });
const token = signIn.data.signIn.accessToken;
const environment = new Environment({
  network: Network.create((request, variables) => ask(request, variables, token)),
  store: new Store(new RecordSource()),
});
const fetched = (name, variables) => fetchQuery(environment, artifact(name), variables).toPromise();

// A fragment's data, as a component would read it from the store.
function read(name, reference) {
  const { data } = environment.lookup(getSingularSelector(artifact(name), reference));
  return data;
}

// Without what the runtime adds for itself.
function plain(data) {
  return Object.fromEntries(Object.entries(data).filter(([key]) => !key.startsWith("__")));
}

function page(reference) {
  const { edges, pageInfo } = read("people_page", reference).users;
  const nodes = edges.map(({ node }) => ({ ...plain(node), ...plain(read("people_name", node)), id: node.__id }));
  return { nodes, pageInfo };
}

const first = page(await fetched("peopleListQuery", { count: 2 }));
const second = page(await fetched("peoplePageQuery", { count: 2, cursor: first.pageInfo.endCursor }));

const variables = { id: first.nodes[0].id };
const one = (await fetched("peopleOneQuery", variables)).node;
const again = (await fetched("peopleContactQuery", variables)).node;
const contact = plain(read("people_contact", one.contact));
const contactAgain = plain(read("people_contact", again));
console.log(JSON.stringify({ first, second, one: plain(one), contact, contactAgain, statuses }));
