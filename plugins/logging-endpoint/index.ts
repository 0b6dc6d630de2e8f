import { HttpServer } from "../../sdk/contracts/http-server.js";
import { LogVerbosity } from "../../sdk/contracts/log-verbosity.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { toggle } from "./toggle.js";

export default definePlugin({
  name: "logging-endpoint",
  version: "1.0.0",
  description: "Lets operators follow the daemon's log more closely for a while: /logging/toggle",
  requires: { http: HttpServer, verbosity: LogVerbosity },
  setup: (ctx, { http, verbosity }) =>
    http.route({
      path: "/logging/toggle",
      realm: `mesos-${ctx.host.target}-readwrite`,
      handle: ({ query }, reply) => toggle(verbosity, query, reply),
    }),
});
