import { ClusterStatus, Schedule } from "../../proto/gen/json/mesos/v1/maintenance/maintenance.js";
import { MachineID } from "../../proto/gen/json/mesos/v1/mesos.js";
import type { MachineID as MachineIdMessage } from "../../proto/gen/mesos/v1/mesos.js";
import { parseJson } from "../../proto/json/text.js";
import type { HttpRequest, HttpServer } from "../../sdk/contracts/http-server.js";
import type { OperatorService } from "../../sdk/contracts/operator-service.js";
import { converted, invalid, isServed } from "./requests.js";

const READ_REALM = "mesos-master-readonly";
const REALM = "mesos-master-readwrite";

/** The endpoints for the maintenance of machines, from before the v1 API. Only the leader serves them. */
export function addMaintenanceRoutes(http: HttpServer, service: OperatorService): void {
  http.route({
    path: "/maintenance/schedule",
    realm: REALM,
    handle: async (request, reply) => {
      if (!isServed(service, { request, reply }, ["GET", "POST"])) return;
      if (request.method === "POST") {
        const value = await bodyOf(request, "object");
        await service.updateMaintenanceSchedule(converted(() => Schedule.json.fromValue(value), ""));
        reply.send(200);
      } else reply.json(Schedule.json.write(service.maintenanceSchedule()));
    },
  });
  http.route({
    path: "/maintenance/status",
    realm: READ_REALM,
    handle: (request, reply) => {
      if (!isServed(service, { request, reply }, ["GET"])) return;
      reply.json(ClusterStatus.json.write(service.maintenanceStatus()));
    },
  });
  const machines = (path: string, bring: (ids: MachineIdMessage[]) => Promise<void>): void => {
    http.route({
      path,
      realm: REALM,
      handle: async (request, reply) => {
        if (!isServed(service, { request, reply }, ["POST"])) return;
        const values = await bodyOf(request, "array");
        await bring(values.map((value) => converted(() => MachineID.json.fromValue(value), "")));
        reply.send(200);
      },
    });
  };
  machines("/machine/down", (ids) => service.startMaintenance(ids));
  machines("/machine/up", (ids) => service.stopMaintenance(ids));
}

async function bodyOf(request: HttpRequest, form: "object"): Promise<unknown>;
async function bodyOf(request: HttpRequest, form: "array"): Promise<unknown[]>;
async function bodyOf(request: HttpRequest, form: "object" | "array"): Promise<unknown> {
  const text = (await request.body()).toString("utf8");
  const value: unknown = converted(() => parseJson(text), "");
  const isForm = form === "array" ? Array.isArray(value) : isObject(value);
  if (!isForm) throw invalid("Unexpected JSON type parsed");
  return value;
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);
