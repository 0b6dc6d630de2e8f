// Generates r_X(value, context) -> message, and for messages that reach a required field
//   k_X(message) -> are all there        q_X(message, prefix, out): lists the missing ones
import { ScalarType } from "@bufbuild/protobuf";
import { enumOf, isNumber64, isRequired, localName, messageOf } from "./facts.mjs";

export function reader(message, ref, isRecursive) {
  const name = localName(message);
  const base = message.fields.map((field) => `${field.name}: ${emptyValue(field)}`);
  const create = `const m: t.${name} = { ${base.join(", ")} };`;
  const head = ["", `export function r_${name}(o: unknown, x: $.Context): t.${name} {`];
  if (message.fields.length === 0) return [...head, "  $.object(o);", "  return {};", "}"];
  const required = message.fields.filter(isRequired).map((field) => `m.${field.name} === undefined`);
  return [
    ...head,
    `  ${create}`,
    "  const j = $.object(o);",
    ...(isRecursive ? ["  $.enter(x);"] : []),
    '  let k = "";',
    "  try {",
    "    for (k in j) {",
    "      const v = j[k];",
    "      if (v == null) continue;",
    "      switch (k) {",
    ...message.fields.map((field) => `        case "${field.name}": ${fieldReader(field, ref)} break;`),
    "      }",
    "    }",
    "  } catch (e) {",
    "    throw $.within(e, k);",
    "  }",
    ...(isRecursive ? ["  x.depth--;"] : []),
    ...(required.length > 0 ? [`  if (${required.join(" || ")}) x.incomplete = true;`] : []),
    "  return m;",
    "}",
  ];
}

function emptyValue(field) {
  if (field.fieldKind === "list") return "[]";
  return field.fieldKind === "map" ? "new $.Dictionary()" : "undefined";
}

function fieldReader(field, ref) {
  const target = `m.${field.name}`;
  const message = messageOf(field);
  const type = enumOf(field);
  const item =
    message !== undefined ? ref("r_", message) : type === undefined ? scalarReader(field) : undefined;
  if (field.fieldKind === "map") return `$.map(${target}, v, ${item}, x);`;
  if (field.fieldKind === "list") {
    return type === undefined
      ? `${target} = $.list(v, ${item}, x);`
      : `${target} = $.enums(v, ${ref("n_", type)});`;
  }
  // Of a oneof only the last one read stays.
  const others =
    field.oneof?.fields.filter((other) => other !== field).map((other) => ` m.${other.name} = undefined;`) ??
    [];
  if (message !== undefined) return `${target} = ${item}(v, x);${others.join("")}`;
  if (type === undefined) return `${target} = ${item}(v);${others.join("")}`;
  return `${target} = $.${isRequired(field) ? "requiredEnum" : "optionalEnum"}(v, ${ref("n_", type)});${others.join("")}`;
}

function scalarReader(field) {
  switch (field.scalar) {
    case ScalarType.STRING:
      return "$.string";
    case ScalarType.BYTES:
      return "$.bytes";
    case ScalarType.BOOL:
      return "$.bool";
    case ScalarType.DOUBLE:
      return "$.double";
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return "$.int32";
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return "$.uint32";
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return "$.int64";
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return isNumber64(field) ? "$.safeUint" : "$.uint64";
    default:
      throw new Error(`${field}: scalar ${field.scalar} is not supported`);
  }
}

/** `reachesRequired` is the set of messages that have these functions. */
export function requiredChecks(message, ref, reachesRequired) {
  const name = localName(message);
  const check = ["", `export function k_${name}(m: t.${name}): boolean {`];
  const list = ["", `export function q_${name}(m: t.${name}, p: string, out: string[]): void {`];

  // A required enum whose number has no name counts as missing: that is what protobuf makes of it.
  const absent = (field) => {
    const unset = `m.${field.name} === undefined`;
    return field.fieldKind === "enum"
      ? `${unset} || ${ref("e_", enumOf(field))}[m.${field.name}] === undefined`
      : unset;
  };
  const own = message.fields.filter(isRequired);
  if (own.length > 0) check.push(`  if (${own.map(absent).join(" || ")}) return false;`);
  for (const field of own) list.push(`  if (${absent(field)}) out.push(p + "${field.name}");`);

  // Own fields in the order of declaration, then nested messages in the order of numbers: Mesos's order.
  const below = message.fields.filter((field) => reachesRequired.has(messageOf(field)));
  for (const field of below.sort((a, b) => a.number - b.number)) {
    const value = `m.${field.name}`;
    const [k, q] = [ref("k_", messageOf(field)), ref("q_", messageOf(field))];
    if (field.fieldKind === "list") {
      check.push(`  for (const v of ${value}) if (!${k}(v)) return false;`);
      list.push(
        `  for (let i = 0; i < ${value}.length; i++) ${q}(${value}[i]!, p + "${field.name}[" + i + "].", out);`,
      );
    } else if (field.fieldKind === "map") {
      check.push(`  for (const i in ${value}) if (!${k}(${value}[i]!)) return false;`);
      list.push(
        `  for (const i in ${value}) ${q}(${value}[i]!, p + "${field.name}[" + JSON.stringify(i) + "].", out);`,
      );
    } else {
      check.push(`  if (${value} !== undefined && !${k}(${value})) return false;`);
      list.push(`  if (${value} !== undefined) ${q}(${value}, p + "${field.name}.", out);`);
    }
  }
  return [...check, "  return true;", "}", ...list, "}"];
}
