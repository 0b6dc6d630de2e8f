import { Fetcher } from "../../sdk/contracts/fetcher.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { FileFetcher } from "./file-fetcher.js";

export default definePlugin({
  name: "fetcher-file",
  version: "1.0.0",
  description: "Fetches files of this host",
  targets: ["agent"],
  provides: [Fetcher],
  setup: (ctx) => ctx.bind(Fetcher, new FileFetcher(), { key: "file" }),
});
