// GraphQL Yoga on Node's own HTTP server, with a directive transformer of @graphql-tools.
import { createServer } from "node:http";
import { getDirective, MapperKind, mapSchema } from "@graphql-tools/utils";
import { makeExecutableSchema } from "@graphql-tools/schema";
import { defaultFieldResolver, GraphQLError } from "graphql";
import { createYoga } from "graphql-yoga";
import { access, denied, host, port, resolvers, typeDefs } from "./common.js";

function withMay(schema) {
  return mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (field, name, type) => {
      if (!getDirective(schema, field, "may")?.[0]) return field;
      const { resolve = defaultFieldResolver } = field;
      const coordinate = `${type}.${name}`;
      field.resolve = (source, args, context, info) => {
        if (denied(context.outcomes, coordinate)) {
          throw new GraphQLError(`${coordinate} is not permitted.`, { extensions: { code: "FORBIDDEN" } });
        }
        return resolve(source, args, context, info);
      };
      return field;
    },
  });
}

const yoga = createYoga({
  schema: withMay(makeExecutableSchema({ typeDefs, resolvers })),
  context: ({ request }) => access(request.headers.get("authorization"), request.headers.get("data-purpose")),
  graphiql: false,
  landingPage: false,
  logging: false,
});
createServer(yoga).listen(port, host);
