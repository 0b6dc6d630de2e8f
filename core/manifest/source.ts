import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";

type Path = readonly PropertyKey[];

/** The text of a manifest as data that knows the line of each value. JSON is read as YAML, which includes it. */
export class ManifestSource {
  readonly data: unknown;
  readonly problems: readonly string[];
  private readonly lines = new LineCounter();
  private readonly document;

  /**
   * @param path absolute; relative paths in the manifest start from its directory
   * @param name the file's name in messages
   */
  constructor(
    readonly path: string,
    readonly name: string,
    text: string,
  ) {
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false });
    this.problems = this.document.errors.map(
      (error) => `${name}:${this.lines.linePos(error.pos[0]).line}: ${error.message}`,
    );
    this.data = this.problems.length > 0 ? undefined : this.document.toJS();
  }

  /** @throws TepuiError TEPUI_MANIFEST_UNREADABLE */
  static async read(path: string, name = path): Promise<ManifestSource> {
    try {
      return new ManifestSource(resolve(path), name, await readFile(path, "utf8"));
    } catch (error) {
      throw new TepuiError("TEPUI_MANIFEST_UNREADABLE", {
        detail: `${name}: ${messageOf(error)}`,
        cause: error,
      });
    }
  }

  /** `master.yaml:12` for the field or item at the path, or for the nearest one around it. */
  where(path: Path): string {
    for (let length = path.length; length >= 0; length--) {
      const part = path.slice(0, length);
      // The content of a field may start on a later line than its name.
      const node = this.key(part) ?? this.node(part);
      if (node?.range) return `${this.name}:${this.lines.linePos(node.range[0]).line}`;
    }
    return this.name;
  }

  /** Whether the text is quoted; then it stays a text whatever it contains. */
  isQuoted(path: Path): boolean {
    const node = this.node(path);
    return isScalar(node) && node.type !== "PLAIN";
  }

  private key(path: Path): Node | undefined {
    const parent = path.length === 0 ? undefined : this.node(path.slice(0, -1));
    if (!isMap(parent)) return undefined;
    const name = String(path.at(-1));
    const key = parent.items.find(({ key }) => isScalar(key) && String(key.value) === name)?.key;
    return isNode(key) ? key : undefined;
  }

  private node(path: Path): Node | undefined {
    const found = path.length === 0 ? this.document.contents : this.document.getIn(path, true);
    return isNode(found) ? found : undefined;
  }
}
