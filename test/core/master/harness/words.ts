/** A command in its parts. */
export interface Words {
  readonly first: string;
  /** `key=value` words. */
  readonly options: Readonly<Record<string, string>>;
  /** The JSON object, if there is one. */
  readonly json: Record<string, unknown> | undefined;
  /** What stands after each `+`: the same form again. */
  readonly parts: readonly Words[];
  /** The word at this place; empty when there is none. */
  at(index: number): string;
  from(index: number): string[];
  /** A `key=a,b` option as a list. */
  list(key: string): string[];
}

/** Reads `word word key=value {json} + word word {json}`. */
export function parseWords(text: string): Words {
  const [head = "", ...parts] = splitParts(text);
  const begin = head.indexOf("{");
  const end = head.lastIndexOf("}") + 1;
  const plain = begin < 0 ? head : head.slice(0, begin) + head.slice(end);
  const json = begin < 0 ? undefined : (JSON.parse(head.slice(begin, end)) as Record<string, unknown>);
  const words: string[] = [];
  const options: Record<string, string> = {};
  for (const word of plain.split(/\s+/).filter((one) => one !== "")) {
    const match = /^([a-z_]+)=(.*)$/.exec(word);
    if (match === null) words.push(word);
    else options[match[1]!] = match[2]!;
  }
  return {
    first: words[0] ?? "",
    options,
    json,
    parts: parts.map(parseWords),
    at: (index) => words[index] ?? "",
    from: (index) => words.slice(index),
    list: (key) => (options[key] ? options[key].split(",") : []),
  };
}

/** Splits at ` + ` outside of JSON. */
function splitParts(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}") depth--;
    else if (depth === 0 && text.startsWith(" + ", i)) {
      parts.push(text.slice(start, i));
      start = i + 3;
    }
  }
  return [...parts, text.slice(start)];
}
