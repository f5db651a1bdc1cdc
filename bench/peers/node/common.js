// What every Node peer shares: the token check, the rules, and the reads from MongoDB.
import { readFileSync } from "node:fs";
import { GraphQLError, GraphQLScalarType } from "graphql";
import { createLocalJWKSet, jwtVerify } from "jose";
import { MongoClient } from "mongodb";

const shared = JSON.parse(readFileSync(process.env.BENCH_SHARED, "utf8"));
export const port = Number(process.env.PORT);
export const host = "127.0.0.1";
export const typeDefs = readFileSync(new URL("../schema.graphql", import.meta.url), "utf8");
export const paths = shared.paths;

const client = new MongoClient(process.env.MONGODB_URL);
await client.connect();
const users = client.db().collection("users");

// Verified tokens are remembered until they expire, as Fieldward does.
const keys = createLocalJWKSet(shared.jwks);
const verified = new Map();
const MAX_VERIFIED = 10_000;
const LEEWAY = 3;

async function verify(token) {
  const known = verified.get(token);
  if (known !== undefined) {
    if (known.exp + LEEWAY > Date.now() / 1000) return known;
    verified.delete(token);
    throw unauthenticated();
  }
  let payload;
  try {
    ({ payload } = await jwtVerify(token, keys, {
      issuer: shared.issuer,
      audience: shared.audience,
      algorithms: ["Ed25519"],
      typ: "at+jwt",
      clockTolerance: LEEWAY,
    }));
  } catch {
    throw unauthenticated();
  }
  if (verified.size >= MAX_VERIFIED) verified.delete(verified.keys().next().value);
  verified.set(token, payload);
  return payload;
}

function unauthenticated() {
  return new GraphQLError("The access token is not valid.", { extensions: { code: "UNAUTHENTICATED" } });
}

/** What the caller may see for the purpose of this request: outcomes by coordinate. */
export async function access(authorization, purpose) {
  const principal = await verify((authorization ?? "").slice("Bearer ".length));
  if (!principal.purposes.includes(purpose)) {
    throw new GraphQLError("The token does not carry this purpose.", { extensions: { code: "FORBIDDEN" } });
  }
  const outcomes = shared.outcomes[principal.roles?.[0]]?.[purpose] ?? {};
  return { outcomes, hidesRestricted: shared.hidesRestricted.includes(purpose) };
}

export function denied(outcomes, coordinate) {
  return (outcomes[coordinate] ?? "DENIED") === "DENIED";
}

/** The stored paths of the selected fields that are granted. */
function projection(names, { outcomes, hidesRestricted }) {
  const wanted = hidesRestricted ? { status: 1 } : {};
  for (const name of names) {
    const coordinate = `User.${name}`;
    if (name !== "id" && coordinate in paths && !denied(outcomes, coordinate)) wanted[paths[coordinate]] = 1;
  }
  return { ...wanted, _id: 1 };
}

/** A person as the schema names things; nothing but the id of one whose data is restricted. */
function person(document, { hidesRestricted }) {
  if (hidesRestricted && document.status === "RESTRICTED") return { id: document._id };
  return {
    id: document._id,
    status: document.status,
    ageBand: document.age_band,
    username: document.username,
    email: document.email,
    emailVerified: document.email_verified,
    phone: document.phone,
    fullName: document.full_name,
    givenName: document.given_name,
    familyName: document.family_name,
    birthDate: document.birth_date,
    country: document.country,
    locale: document.locale,
    address: document.address,
    createdAt: document.created_at,
    lastSeenAt: document.last_seen_at,
    lastSeenIp: document.last_seen_ip,
    loginCount: document.login_count,
    marketingOptIn: document.marketing_opt_in,
    deviceIds: document.device_ids,
    preferences: document.preferences,
  };
}

export async function readOne(id, names, context) {
  const document = await users.findOne({ _id: id }, { projection: projection(names, context) });
  return document && person(document, context);
}

export async function readMany(first, after, names, context) {
  if (first < 1 || first > shared.maxPage) throw new GraphQLError("first is out of range");
  const filter = after ? { _id: { $gt: place(after) } } : {};
  const documents = await users
    .find(filter, { projection: projection(names, context), sort: { _id: 1 }, limit: first })
    .toArray();
  return documents.map((document) => person(document, context));
}

function place(cursor) {
  return JSON.parse(Buffer.from(cursor, "base64url").toString())[1];
}

/** The names of the fields selected directly in `selectionSet`. */
function selected(selectionSet) {
  return selectionSet.selections.map((selection) => selection.name.value);
}

export function maskEmail(value) {
  const at = value.lastIndexOf("@");
  const local = at < 0 ? "" : value.slice(0, at);
  const domain = value.slice(at + 1);
  const dot = domain.lastIndexOf(".");
  return `${local.length > 1 ? local[0] : ""}•••@•••${dot < 0 ? "" : domain.slice(dot)}`;
}

export function maskPhone(value) {
  const digits = value.replace(/\D/g, "");
  return `•••${digits.length > 4 ? digits.slice(-2) : ""}`;
}

export function maskAll() {
  return "•••";
}

function masked(type, name, mask) {
  const coordinate = `${type}.${name}`;
  return (holder, _arguments, { outcomes }) => {
    const value = holder[name];
    return value != null && outcomes[coordinate] === "MASKED" ? mask(value) : value;
  };
}

export const resolvers = {
  Date: new GraphQLScalarType({ name: "Date", serialize: (value) => value }),
  DateTime: new GraphQLScalarType({ name: "DateTime", serialize: (value) => value.toISOString() }),
  Query: {
    user: (_root, { by }, context, info) => readOne(by.id, selected(info.fieldNodes[0].selectionSet), context),
    users: async (_root, { first, after }, context, info) => {
      const nodes = info.fieldNodes[0].selectionSet.selections.find((it) => it.name.value === "nodes");
      return { nodes: await readMany(first, after, selected(nodes.selectionSet), context) };
    },
  },
  User: { email: masked("User", "email", maskEmail), phone: masked("User", "phone", maskPhone) },
  Address: { city: masked("Address", "city", maskAll) },
};
