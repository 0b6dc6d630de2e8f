import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect } from "chai";
import { packageRoot } from "../../../core/flags/package-root.js";

/** Folder of the compiled program, of which this file is a part. */
const compiled = fileURLToPath(new URL("../../../", import.meta.url));

describe("the reference pages", () => {
  it("are those that the tables give (node scripts/reference.mjs writes them)", async () => {
    const script = pathToFileURL(join(packageRoot, "scripts/reference.mjs")).href;
    const { referencePages } = (await import(script)) as {
      referencePages(compiled: string): Promise<Record<string, string>>;
    };
    const pages = await referencePages(compiled);
    expect(Object.keys(pages)).to.deep.equal([
      "docs/contracts.md",
      "docs/errors.md",
      "docs/flags.md",
      "docs/manifest.schema.json",
    ]);
    for (const [file, text] of Object.entries(pages)) {
      expect(readFileSync(join(packageRoot, file), "utf8"), file).to.equal(text);
    }
  });
});
