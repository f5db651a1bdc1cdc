// Mercurius on Fastify with its just-in-time compiler, and mercurius-auth's directive on every field.
import Fastify from "fastify";
import { GraphQLError } from "graphql";
import mercurius from "mercurius";
import mercuriusAuth from "mercurius-auth";
import { access, denied, host, port, resolvers, typeDefs } from "./common.js";

const fastify = Fastify();
await fastify.register(mercurius, {
  schema: typeDefs,
  resolvers,
  jit: 1,
  context: ({ headers }) => access(headers.authorization, headers["data-purpose"]),
});
await fastify.register(mercuriusAuth, {
  authDirective: "may",
  applyPolicy(_directive, _source, _args, { outcomes }, { parentType, fieldName }) {
    const coordinate = `${parentType.name}.${fieldName}`;
    if (!denied(outcomes, coordinate)) return true;
    return new GraphQLError(`${coordinate} is not permitted.`, { extensions: { code: "FORBIDDEN" } });
  },
});
await fastify.listen({ port, host });
