import { z } from "zod";

/** Replaces secrets. */
export const MASK = "********";

/** Names of secrets, whatever the schema says, so that a forgotten mark does no harm. */
const SECRET_NAME = /passw(or)?d|secret|token|private_?key|credential/i;

/** `scheme://user:password@host`; a password may contain an '@'. */
const URL_PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^/@:]*):[^/]*@/i;

/** The relevant parts of a zod schema; zod's own types do not let one walk a schema of unknown kind. */
interface SchemaParts {
  readonly def: {
    readonly innerType?: z.ZodType;
    readonly shape?: Readonly<Record<string, z.ZodType>>;
    readonly element?: z.ZodType;
    readonly valueType?: z.ZodType;
    readonly in?: z.ZodType;
    readonly options?: readonly z.ZodType[];
  };
}

/** A copy in which every secret is masked: fields marked `.meta({ secret: true })`, and those whose name or value looks like a secret. */
export function maskSecrets(value: unknown, schema: z.ZodType | undefined): unknown {
  if (value === undefined || value === null) return value;
  const schemas = unwrap(schema);
  if (schemas.some((part) => z.globalRegistry.get(part)?.secret === true)) return MASK;
  if (typeof value === "string") return value.replace(URL_PASSWORD, `$1:${MASK}@`);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "function") return "[function]";
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => maskSecrets(item, child(schemas, "element")));
  if (value instanceof Map || value instanceof Set) return maskSecrets([...value], undefined);
  if (!isPlain(value)) return `[${value.constructor.name}]`;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (SECRET_NAME.test(key) && (typeof item === "string" || typeof item === "number")) return [key, MASK];
      return [key, maskSecrets(item, field(schemas, key))];
    }),
  );
}

/** False for instances of classes, which a program may put into a config. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether the field at this path is a secret, so that an error must not repeat its value. */
export function isSecretPath(path: readonly PropertyKey[], schema: z.ZodType | undefined): boolean {
  let schemas = unwrap(schema);
  for (const key of path) {
    if (SECRET_NAME.test(String(key))) return true;
    schemas = unwrap(typeof key === "number" ? child(schemas, "element") : field(schemas, String(key)));
    if (schemas.some((part) => z.globalRegistry.get(part)?.secret === true)) return true;
  }
  return false;
}

/** The schema and everything that it wraps (optional, default, pipe, union): a mark on any of them counts. */
function unwrap(schema: z.ZodType | undefined): z.ZodType[] {
  if (schema === undefined) return [];
  const { innerType, in: input, options } = parts(schema).def;
  return [schema, ...unwrap(innerType), ...unwrap(input), ...(options ?? []).flatMap(unwrap)];
}

function child(schemas: readonly z.ZodType[], kind: "element" | "valueType"): z.ZodType | undefined {
  return schemas.map((schema) => parts(schema).def[kind]).find((part) => part !== undefined);
}

function field(schemas: readonly z.ZodType[], key: string): z.ZodType | undefined {
  const own = schemas.map((schema) => parts(schema).def.shape?.[key]).find((part) => part !== undefined);
  return own ?? child(schemas, "valueType");
}

const parts = (schema: z.ZodType): SchemaParts => schema as unknown as SchemaParts;
