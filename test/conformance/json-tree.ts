/** JSON with what parsing loses: whether a number is written as a double, and the order of fields. */
export type JsonTree =
  | { readonly kind: "object"; readonly fields: ReadonlyMap<string, JsonTree> }
  | { readonly kind: "array"; readonly items: readonly JsonTree[] }
  | { readonly kind: "integer" | "double"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "null" };

export function parseTree(text: string): JsonTree {
  const tokens =
    text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g) ?? [];
  let at = 0;

  const value = (): JsonTree => {
    const token = tokens[at++];
    if (token === "{") return object();
    if (token === "[") return array();
    if (token === undefined) throw new Error("the text ends too early");
    if (token.startsWith('"')) return { kind: "string", value: JSON.parse(token) };
    if (token === "true" || token === "false") return { kind: "boolean", value: token === "true" };
    if (token === "null") return { kind: "null" };
    return { kind: /[.eE]/.test(token) ? "double" : "integer", value: Number(token) };
  };

  const object = (): JsonTree => {
    const fields = new Map<string, JsonTree>();
    while (tokens[at] !== "}") {
      const name: string = JSON.parse(tokens[at] ?? "");
      at += 2;
      fields.set(name, value());
      if (tokens[at] === ",") at++;
    }
    at++;
    return { kind: "object", fields };
  };

  const array = (): JsonTree => {
    const items: JsonTree[] = [];
    while (tokens[at] !== "]") {
      items.push(value());
      if (tokens[at] === ",") at++;
    }
    at++;
    return { kind: "array", items };
  };

  JSON.parse(text);
  return value();
}
