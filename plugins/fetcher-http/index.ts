import { Fetcher } from "../../sdk/contracts/fetcher.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { HttpFetcher } from "./http-fetcher.js";

export default definePlugin({
  name: "fetcher-http",
  version: "1.0.0",
  description: "Fetches over http and https",
  targets: ["agent"],
  provides: [Fetcher],
  setup(ctx) {
    const fetcher = new HttpFetcher();
    ctx.bind(Fetcher, fetcher, { key: "http" });
    ctx.bind(Fetcher, fetcher, { key: "https" });
  },
});
