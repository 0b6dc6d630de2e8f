import type { Clock } from "../../sdk/contracts/clock.js";
import type { HttpReply, HttpRequest, HttpServer } from "../../sdk/contracts/http-server.js";
import type { MasterView } from "../../sdk/contracts/master-view.js";
import { answeredByLeadership, masterLocation, SharedReads } from "../../sdk/http/index.js";
import { type BuildInfo, listOf, mapJson, versionJson } from "../../sdk/v0-json/index.js";
import { fullAgentJson } from "./agent-json.js";
import { frameworkJson } from "./framework-json.js";
import { rolesJson } from "./roles-json.js";
import { recoveredAgentJson, stateJson } from "./state-json.js";
import { stateSummaryJson } from "./summary-json.js";
import { tasksJson } from "./tasks-json.js";

const REALM = "mesos-master-readonly";

/** Writes an answer that only the leader gives. */
type Write = (view: MasterView, query: URLSearchParams, build: BuildInfo) => string;

const READS: readonly (readonly [path: string, write: Write])[] = [
  ["/state", (view, _, build) => stateJson(view, build, "text")],
  ["/state.json", (view, _, build) => stateJson(view, build, "object")],
  ["/state-summary", stateSummaryJson],
  ["/state-summary.json", stateSummaryJson],
  ["/slaves", slavesJson],
  ["/slaves.json", slavesJson],
  ["/frameworks", frameworksJson],
  ["/frameworks.json", frameworksJson],
  ["/tasks", tasksJson],
  ["/tasks.json", tasksJson],
  ["/roles", rolesJson],
  ["/roles.json", rolesJson],
];

/** The master's older endpoints, with the names that they had when they ended in `.json`. No method is refused, as in Mesos. */
export function addMasterRoutes(
  http: HttpServer,
  view: MasterView,
  { build, clock }: { readonly build: BuildInfo; readonly clock: Clock },
): void {
  const reads = new SharedReads(clock);
  for (const [path, write] of READS) {
    const handle = async (request: HttpRequest, reply: HttpReply): Promise<void> => {
      if (answeredByOther(view, request, reply)) return;
      const { query } = request;
      const body = await reads.ask(questionOf(path, query), () => write(view, query, build));
      // It may have been deposed meanwhile.
      if (!answeredByOther(view, request, reply)) reply.json(body);
    };
    http.route({ path, realm: REALM, handle });
  }
  http.route({
    path: "/flags",
    realm: REALM,
    handle: (_, reply) => reply.json(`{"flags":${mapJson(view.flags)}}`),
  });
  http.route({ path: "/version", handle: (_, reply) => reply.json(versionJson(build)) });
  http.route({ path: "/health", handle: (_, reply) => reply.send(200) });
  // Nothing below it, lest the leader's own answer leads on for ever.
  http.route({ path: "/redirect", exact: true, handle: (_, reply) => redirect(view, reply) });
}

/** The callback is around the answer and no part of it. */
function questionOf(path: string, query: URLSearchParams): string {
  const asked = new URLSearchParams(query);
  asked.delete("jsonp");
  return `${path}?${asked}`;
}

/** A master that leads but still reads its registry shows what it has, which is nothing yet, as in Mesos. */
function answeredByOther(view: MasterView, request: HttpRequest, reply: HttpReply): boolean {
  const leadership = view.leadership();
  return leadership.role === "standby" && answeredByLeadership(leadership, request, reply);
}

function redirect(view: MasterView, reply: HttpReply): void {
  const { leader } = view.leadership();
  if (leader === undefined) reply.text(503, "No leader elected");
  else reply.send(307, "", { Location: masterLocation(leader) });
}

function slavesJson(view: MasterView, query: URLSearchParams): string {
  const id = query.get("slave_id");
  const one = id === null ? undefined : view.agent(id);
  const agents = id === null ? view.agents() : one === undefined ? [] : [one];
  const recovered = [...view.recoveredAgents()].filter((info) => id === null || info.id?.value === id);
  return `{"slaves":${listOf(agents, fullAgentJson)},"recovered_slaves":${listOf(recovered, recoveredAgentJson)}}`;
}

function frameworksJson(view: MasterView, query: URLSearchParams): string {
  const wanted = query.get("framework_id");
  const some = (frameworks: ReturnType<MasterView["frameworks"]>): string =>
    listOf(
      [...frameworks].filter(({ id }) => wanted === null || id === wanted),
      frameworkJson,
    );
  return (
    `{"frameworks":${some(view.frameworks())},"completed_frameworks":${some(view.completedFrameworks())}` +
    `,"unregistered_frameworks":[]}`
  );
}
