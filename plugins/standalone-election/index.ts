import { Election } from "../../sdk/contracts/election.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { StandaloneElection } from "./standalone-election.js";

export default definePlugin({
  name: "standalone-election",
  version: "1.0.0",
  description: "Leadership of a cluster with a single master",
  targets: ["master"],
  provides: [Election],
  setup: (ctx) => ctx.bind(Election, new StandaloneElection()),
});
