import { AgentView } from "../../sdk/contracts/agent-view.js";
import { Files } from "../../sdk/contracts/files.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import { definePlugin, optional } from "../../sdk/plugin/index.js";
import { filesRoutes } from "./routes.js";
import { VirtualFiles } from "./virtual-files.js";

export default definePlugin({
  name: "files-endpoint",
  version: "1.0.0",
  description: "Sandboxes and attached files over HTTP: /files/browse, read, download and debug",
  provides: [Files],
  requires: { http: HttpServer, agent: optional(AgentView) },
  setup: (ctx, { agent, http }) => {
    const files = new VirtualFiles(agent);
    for (const route of filesRoutes(files, `mesos-${ctx.host.target}-readonly`)) http.route(route);
    ctx.bind(Files, files);
  },
});
