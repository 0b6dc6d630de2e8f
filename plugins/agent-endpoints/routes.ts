import type { AgentView } from "../../sdk/contracts/agent-view.js";
import type { Containerizer } from "../../sdk/contracts/containerizer.js";
import type { HttpReply, HttpRequest, HttpServer } from "../../sdk/contracts/http-server.js";
import { type BuildInfo, mapJson, versionJson } from "../../sdk/v0-json/index.js";
import { stateJson } from "./state-json.js";
import { containerFilterOf, containersJson, matches, statisticsJson } from "./usage-json.js";

const REALM = "mesos-agent-readonly";

export interface AgentRoutesOptions {
  readonly http: HttpServer;
  readonly view: AgentView;
  readonly containerizers: readonly Pick<Containerizer, "pending">[];
  readonly build: BuildInfo;
  /** False while the agent recovers and has no state to show. */
  readonly ready: () => boolean;
}

/** The agent's older endpoints, with the names that they had when they ended in `.json`. No method is refused, as in Mesos. */
export function addAgentRoutes({ http, view, containerizers, build, ready }: AgentRoutesOptions): void {
  const whenReady =
    (answer: HttpAnswer): HttpAnswer =>
    (request, reply) => {
      if (ready()) return answer(request, reply);
      reply.text(503, "Agent has not finished recovery");
    };
  const read = (paths: readonly string[], answer: HttpAnswer): void => {
    for (const path of paths) http.route({ path, realm: REALM, handle: whenReady(answer) });
  };

  read(["/state", "/state.json"], (_, reply) => reply.json(stateJson(view, build)));
  read(["/monitor/statistics", "/monitor/statistics.json"], async (_, reply) =>
    reply.json(statisticsJson(await view.usage())),
  );
  read(["/containers", "/containers.json"], (request, reply) => containers(view, request, reply));

  // Also while it recovers: it may be that which hangs.
  http.route({
    path: "/containerizer/debug",
    realm: REALM,
    handle: (_, reply) => {
      const pending = containerizers.flatMap((each) => each.pending?.() ?? []);
      reply.json(JSON.stringify({ pending: pending.map(({ operation, args }) => ({ operation, args })) }));
    },
  });
  http.route({
    path: "/flags",
    realm: REALM,
    handle: (_, reply) => reply.json(`{"flags":${mapJson(view.flags)}}`),
  });
  http.route({ path: "/version", handle: (_, reply) => reply.json(versionJson(build)) });
  http.route({ path: "/health", handle: (_, reply) => reply.send(200) });
}

type HttpAnswer = (request: HttpRequest, reply: HttpReply) => void | Promise<void>;

async function containers(view: AgentView, request: HttpRequest, reply: HttpReply): Promise<void> {
  const filter = containerFilterOf(request.query);
  if (filter === undefined) {
    reply.text(
      400,
      "Supported query parameters are container_id only, framework_id only, or executor_id and framework_id only",
    );
    return;
  }
  const usage = await view.usage();
  reply.json(containersJson(usage.filter((container) => matches(filter, container))));
}
