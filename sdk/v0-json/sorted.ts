/** One field of an object: its name, and its value as JSON text. */
export type JsonField = readonly [name: string, value: string];

/**
 * The fields of an object, given as compact JSON text, with every value's text as it stands: parsing would lose that 1.0 is a
 * double. Nested objects come sorted by name, as Mesos writes objects that it has built in memory.
 */
export function sortedFields(json: string): JsonField[] {
  return new Scanner(json).object();
}

export function fieldsJson(fields: Iterable<JsonField>): string {
  let json = "";
  for (const [name, value] of fields) json += `${json === "" ? "" : ","}${JSON.stringify(name)}:${value}`;
  return `{${json}}`;
}

const byName = ([left]: JsonField, [right]: JsonField): number => (left < right ? -1 : left > right ? 1 : 0);

/** Reads what a codec has written, so nothing in it can be wrong. */
class Scanner {
  private at = 0;

  constructor(private readonly text: string) {}

  object(): JsonField[] {
    const fields: JsonField[] = [];
    for (this.at++; this.text[this.at] !== "}"; this.skip(",")) {
      const name: string = JSON.parse(this.string());
      this.skip(":");
      fields.push([name, this.value()]);
    }
    this.at++;
    return fields.sort(byName);
  }

  private value(): string {
    switch (this.text[this.at]) {
      case "{":
        return fieldsJson(this.object());
      case "[":
        return this.array();
      case '"':
        return this.string();
      default:
        return this.word();
    }
  }

  private array(): string {
    const items: string[] = [];
    for (this.at++; this.text[this.at] !== "]"; this.skip(",")) items.push(this.value());
    this.at++;
    return `[${items.join(",")}]`;
  }

  private string(): string {
    const start = this.at++;
    while (this.text[this.at] !== '"') this.at += this.text[this.at] === "\\" ? 2 : 1;
    return this.text.slice(start, ++this.at);
  }

  /** A number, true, false or null. */
  private word(): string {
    const start = this.at;
    while (this.at < this.text.length && !",}]".includes(this.text[this.at]!)) this.at++;
    return this.text.slice(start, this.at);
  }

  private skip(separator: string): void {
    if (this.text[this.at] === separator) this.at++;
  }
}
