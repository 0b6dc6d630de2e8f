import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A temporary folder of a test's own. */
export class TestFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "manifest-test-")));

  write(name: string, content: string): string {
    const file = join(this.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** Source of a plugin that imports nothing: what definePlugin returns is plain data. */
export const plainPlugin = (name: string): string =>
  `export default { kind: "tepui-plugin", name: "${name}", version: "1.0.0", description: "", targets: ["master", "agent"],
  provides: [], requires: {}, config: undefined, failure: "abort", setup() {} };`;
