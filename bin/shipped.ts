import { SHIPPED as PLUGINS } from "../plugins/index.js";

/** Everything that a manifest may call by a short name: the plugins that ship, and the two daemons' own parts. */
export const SHIPPED = {
  ...PLUGINS,
  master: () => import("../core/master/master.plugin.js"),
  agent: () => import("../core/agent/agent.plugin.js"),
};
