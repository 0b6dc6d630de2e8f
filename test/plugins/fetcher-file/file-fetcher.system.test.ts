import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileFetcher } from "../../../plugins/fetcher-file/file-fetcher.js";
import { fetcherSuite } from "../../../sdk/testing/fetcher-suite.js";

describe("file fetcher", () => {
  const suite = fetcherSuite(async () => {
    const folder = await mkdtemp(join(tmpdir(), "tepui-offer-"));
    const path = join(folder, "offered");
    return {
      fetcher: new FileFetcher(),
      offer: async (content) => {
        await writeFile(path, content);
        return path;
      },
      missing: () => join(folder, "missing"),
      close: () => rm(folder, { recursive: true }),
    };
  });
  for (const { name, run } of suite) it(name, run);
});
