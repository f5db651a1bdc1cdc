// The limit in Node: Fastify without GraphQL. It checks the token, reads the same paths, masks, and writes JSON.
import Fastify from "fastify";
import { access, host, maskAll, maskEmail, maskPhone, port, readMany, readOne } from "./common.js";

const fields = JSON.parse(process.env.BENCH_FIELDS);
const fastify = Fastify();

fastify.post("/graphql", async ({ headers, body }) => {
  const context = await access(headers.authorization, headers["data-purpose"]);
  const { operationName, variables } = body;
  const { names, first } = fields[operationName];
  const show = shower(names, context.outcomes);
  if (first === undefined) {
    const user = await readOne(variables.id, names, context);
    return { data: { user: user && show(user) } };
  }
  const people = await readMany(first, variables.after, names, context);
  return { data: { users: { nodes: people.map(show) } } };
});

const masks = { email: maskEmail, phone: maskPhone, address: (value) => ({ city: value.city && maskAll() }) };

function shower(names, outcomes) {
  const masking = names.filter((name) => outcomes[`User.${name}`] === "MASKED").map((name) => [name, masks[name]]);
  return (user) => {
    const shown = {};
    for (const name of names) shown[name] = user[name] ?? null;
    for (const [name, mask] of masking) if (shown[name] !== null) shown[name] = mask(shown[name]);
    return shown;
  };
}

await fastify.listen({ port, host });
