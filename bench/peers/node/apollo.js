// Apollo Server on Fastify, with a graphql-shield rule on every field.
import { ApolloServer } from "@apollo/server";
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from "@as-integrations/fastify";
import { makeExecutableSchema } from "@graphql-tools/schema";
import Fastify from "fastify";
import { applyMiddleware } from "graphql-middleware";
import { allow, rule, shield } from "graphql-shield";
import { access, denied, host, paths, port, resolvers, typeDefs } from "./common.js";

const may = (coordinate) =>
  rule(coordinate, { cache: "no_cache" })((_source, _args, { outcomes }) => !denied(outcomes, coordinate));

const rules = { Query: { "*": allow }, UserConnection: { "*": allow }, User: { id: allow }, Address: {}, Preferences: {} };
for (const coordinate of Object.keys(paths)) {
  const [type, name] = coordinate.split(".");
  if (name !== "id") rules[type][name] = may(coordinate);
}

const fastify = Fastify();
const apollo = new ApolloServer({
  schema: applyMiddleware(makeExecutableSchema({ typeDefs, resolvers }), shield(rules)),
  includeStacktraceInErrorResponses: false,
  introspection: false,
  plugins: [fastifyApolloDrainPlugin(fastify)],
});
await apollo.start();
fastify.route({
  url: "/graphql",
  method: ["GET", "POST"],
  handler: fastifyApolloHandler(apollo, {
    context: ({ headers }) => access(headers.authorization, headers["data-purpose"]),
  }),
});
await fastify.listen({ port, host });
