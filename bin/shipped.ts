import { SHIPPED as PLUGINS } from "../plugins/index.js";

/** Everything that a manifest may refer to by a short name: the shipped plugins and the two daemons. */
export const SHIPPED = {
  ...PLUGINS,
  master: () => import("../core/master/master.plugin.js"),
  agent: () => import("../core/agent/agent.plugin.js"),
};
