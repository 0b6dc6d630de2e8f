// Generates w_X(message) -> JSON text.
import { ScalarType } from "@bufbuild/protobuf";
import { enumOf, hasWrittenDefault, isImplicit, isWrittenEmpty, localName, messageOf } from "./facts.mjs";

/**
 * Lines of the writer of `message`. `ref(prefix, type)` names a function or table of another type.
 * The text grows by as few concatenations as possible: each piece of a rope costs when it is flattened.
 */
export function writer(message, ref) {
  const name = localName(message);
  if (message.fields.length === 0) {
    return ["", `export function w_${name}(_m: t.${name}): string {`, `  return "{}";`, "}"];
  }
  const body = [];
  let certain = false; // is the text certainly begun?
  for (const field of message.fields) {
    body.push(...fieldWriter(field, ref, certain));
    certain ||= hasWrittenDefault(field) || isWrittenEmpty(field);
  }
  const end = certain ? '  return s + "}";' : '  return s === "" ? "{}" : s + "}";';
  return ["", `export function w_${name}(m: t.${name}): string {`, '  let s = "";', ...body, end, "}"];
}

function fieldWriter(field, ref, certain) {
  const value = `m.${field.name}`;
  const key = (tail) => {
    const [first, later] = [`'{"${field.name}":${tail}'`, `',"${field.name}":${tail}'`];
    return certain ? later : `(s === "" ? ${first} : ${later})`;
  };

  if (field.listKind === "enum") {
    const list = `$.names(${value}, ${ref("e_", enumOf(field))})`;
    return [`  { const l = ${list}; if (l !== "") s += ${key("[")} + l + "]"; }`];
  }
  if (field.fieldKind === "list") {
    const item = (v) => itemText(field, v, ref);
    const empty = isWrittenEmpty(field) ? ` else s += ${key("[]")};` : "";
    return [
      `  { const l = ${value}; if (l !== undefined && l.length !== 0) { s += ${key("[")} + ${item("l[0]!")};`,
      `    for (let i = 1; i < l.length; i++) s += "," + ${item("l[i]!")}; s += "]"; }${empty} }`,
    ];
  }
  if (field.fieldKind === "map") {
    const item = itemText(field, "o[k]!", ref);
    return [
      `  { const o = ${value}; let c = ""; for (const k in o) { s += (c === "" ? ${key("{")} : c) + $.s(k) + ":" + ${item}; c = ","; }`,
      `    if (c !== "") s += "}"; }`,
    ];
  }

  const otherwise = hasWrittenDefault(field) ? ` else s += ${key(defaultText(field))};` : "";
  if (field.fieldKind === "enum") {
    // A number without a name came from a newer peer; as in Mesos it is not shown.
    const name = `${ref("e_", enumOf(field))}[v]`;
    const known = isImplicit(field) ? "v !== undefined && v !== 0" : "v !== undefined";
    return [
      `  { const v = ${value}; const n = ${known} ? ${name} : undefined; if (n !== undefined) s += ${key("")} + n;${otherwise} }`,
    ];
  }
  const set = isImplicit(field) ? "$.nonZero(v)" : "v !== undefined";
  const text = valueText(field, isImplicit(field) ? "v!" : "v", ref);
  return [`  { const v = ${value}; if (${set}) s += ${key("")} + ${text};${otherwise} }`];
}

/** Expression for the JSON text of one value, or for something whose concatenation gives it. */
function valueText(field, v, ref) {
  const message = messageOf(field);
  if (message !== undefined) return `${ref("w_", message)}(${v})`;
  switch (field.scalar) {
    case ScalarType.STRING:
      return `$.s(${v})`;
    case ScalarType.BYTES:
      return `$.b(${v})`;
    case ScalarType.DOUBLE:
      return `$.d(${v})`;
    default:
      return v;
  }
}

const itemText = (field, v, ref) => {
  const text = valueText(field, v, ref);
  return text === v ? `String(${v})` : text;
};

function defaultText(field) {
  const value = field.getDefaultValue();
  if (field.fieldKind === "enum")
    return `"${enumOf(field).values.find(({ number }) => number === value).name}"`;
  switch (field.scalar) {
    case ScalarType.STRING:
      return JSON.stringify(value).replaceAll("\\", "\\\\").replaceAll("'", "\\'");
    case ScalarType.DOUBLE:
      return Number.isInteger(value) ? `${value}.0` : String(value);
    default:
      return String(value);
  }
}
