import { Allocator } from "../../sdk/contracts/allocator.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import { MasterView } from "../../sdk/contracts/master-view.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { answeredByLeadership } from "../../sdk/http/index.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { constraintsDebugJson } from "./constraints-debug.js";
import { explanationJson } from "./explanation-json.js";
import { findFramework } from "./find-framework.js";

export default definePlugin({
  name: "explain-endpoint",
  version: "1.0.0",
  description:
    "Says why a framework gets no offers: /allocator/explain?framework=ID&role=R, /allocator/offer_constraints_debug",
  targets: ["master"],
  requires: { http: HttpServer, view: MasterView, allocator: Allocator },
  setup(_, { http, view, allocator }) {
    http.route({
      path: "/allocator/explain",
      methods: ["GET"],
      exact: true,
      realm: "mesos-master-readonly",
      handle(request, reply) {
        if (answeredByLeadership(view.leadership(), request, reply)) return;
        const wanted = request.query.get("framework") ?? "";
        const framework = findFramework(view, wanted);
        const role = request.query.get("role") ?? undefined;
        const explanation = allocator.explain(framework.id, role);
        // Known from an agent after a failover, or just gone.
        if (explanation === undefined)
          throw new TepuiError("TEPUI_EXPLAIN_UNKNOWN_FRAMEWORK", {
            detail: `'${framework.id}' has not subscribed yet`,
          });
        reply.json(explanationJson(framework, explanation));
      },
    });
    http.route({
      path: "/allocator/offer_constraints_debug",
      exact: true,
      realm: "mesos-master-readonly",
      handle: (_request, reply) => reply.json(constraintsDebugJson(view, allocator)),
    });
  },
});
