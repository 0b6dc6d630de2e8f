import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { packageRoot } from "../../core/flags/package-root.js";

const FOLDERS = ["core", "docs", "examples", "manifests", "plugins", "proto", "sdk", "test"];

function pages(): string[] {
  const top = readdirSync(packageRoot);
  const below = FOLDERS.flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" }).map((file) =>
      join(folder, file),
    ),
  );
  return [...top, ...below].filter((file) => file.endsWith(".md"));
}

describe("the pages for people", () => {
  it("link to files that are there", () => {
    const broken = pages().flatMap((page) => {
      const text = readFileSync(join(packageRoot, page), "utf8");
      return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !existsSync(join(packageRoot, dirname(page), target)))
        .map((target) => `${page}: ${target}`);
    });
    expect(broken).to.deep.equal([]);
  });

  it("list every decision", () => {
    const folder = join(packageRoot, "docs/adr");
    const list = readFileSync(join(folder, "README.md"), "utf8");
    const records = readdirSync(folder).filter((file) => /^\d{4}-.*\.md$/.test(file));
    expect(records.filter((file) => !list.includes(`(${file})`))).to.deep.equal([]);
    for (const [index, file] of records.sort().entries())
      expect(Number(file.slice(0, 4)), file).to.equal(index + 1);
    for (const file of records) {
      const title = /^# (.*)$/m.exec(readFileSync(join(folder, file), "utf8"))?.[1];
      expect(list, file).to.contain(`| ${title} |`);
    }
  });
});
