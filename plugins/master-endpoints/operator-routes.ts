import { Resource, WeightInfo } from "../../proto/gen/json/mesos/v1/mesos.js";
import { QuotaRequest } from "../../proto/gen/json/mesos/v1/quota/quota.js";
import {
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
  type Resource as ResourceMessage,
} from "../../proto/gen/mesos/v1/mesos.js";
import { parseJson } from "../../proto/json/text.js";
import type { HttpServer } from "../../sdk/contracts/http-server.js";
import type { OperatorService } from "../../sdk/contracts/operator-service.js";
import { doubleJson } from "../../sdk/resources/index.js";
import { quote } from "../../sdk/v0-json/index.js";
import { converted, invalid, isServed } from "./requests.js";

const REALM = "mesos-master-readwrite";

/** A form with resources in it, as an operation. */
type Form = (values: URLSearchParams) => Offer_Operation;

const FORMS: readonly (readonly [path: string, form: Form])[] = [
  [
    "/reserve",
    (values) => {
      const resources = resourcesOf(values, "resources", "Error parsing");
      const source = values.has("source") ? resourcesOf(values, "source", "Error parsing") : [];
      return { type: OperationType.RESERVE, reserve: { resources, source } };
    },
  ],
  [
    "/unreserve",
    (values) => ({
      type: OperationType.UNRESERVE,
      unreserve: { resources: resourcesOf(values, "resources", "Error in parsing") },
    }),
  ],
  [
    "/create-volumes",
    (values) => ({
      type: OperationType.CREATE,
      create: { volumes: resourcesOf(values, "volumes", "Error in parsing") },
    }),
  ],
  [
    "/destroy-volumes",
    (values) => ({
      type: OperationType.DESTROY,
      destroy: { volumes: resourcesOf(values, "volumes", "Error in parsing") },
    }),
  ],
];

/** The endpoints with which operators change things, from before the v1 API. Only the leader serves them. */
export function addOperatorRoutes(http: HttpServer, service: OperatorService): void {
  for (const [path, form] of FORMS) {
    http.route({
      path,
      realm: REALM,
      handle: async (request, reply) => {
        if (!isServed(service, { request, reply }, ["POST"])) return;
        const values = new URLSearchParams((await request.body()).toString("utf8"));
        const agentId = values.get("slaveId");
        if (agentId === null) throw invalid("Missing 'slaveId' query parameter in the request body");
        service.operate({ agentId, operation: form(values), principal: request.principal });
        reply.send(202);
      },
    });
  }
  http.route({
    path: "/teardown",
    realm: REALM,
    handle: async (request, reply) => {
      if (!isServed(service, { request, reply }, ["POST"])) return;
      const frameworkId = new URLSearchParams((await request.body()).toString("utf8")).get("frameworkId");
      if (frameworkId === null) throw invalid("Missing 'frameworkId' query parameter in the request body");
      service.teardown(frameworkId);
      reply.send(200);
    },
  });
  http.route({
    path: "/weights",
    realm: REALM,
    handle: async (request, reply) => {
      if (!isServed(service, { request, reply }, ["GET", "PUT"])) return;
      if (request.method === "PUT") {
        await service.updateWeights(weightsOf((await request.body()).toString("utf8")));
        reply.send(200);
      } else reply.json(weightsJson(service));
    },
  });
  http.route({
    path: "/quota",
    realm: REALM,
    handle: async (request, reply) => {
      if (!isServed(service, { request, reply }, ["GET", "POST", "DELETE"])) return;
      if (request.method === "POST") {
        await service.setQuota(quotaRequestOf((await request.body()).toString("utf8")));
        reply.send(200);
      } else if (request.method === "DELETE") {
        if (request.rest === "") {
          throw invalid(
            `Failed to parse remove quota request for path '${request.target}': expected 3 tokens, found 2 tokens`,
          );
        }
        await service.removeQuota(request.rest);
        reply.send(200);
      } else reply.json(quotaJson(service));
    },
  });
}

/** @param failed how Mesos begins to say that it cannot be read */
function resourcesOf(values: URLSearchParams, name: string, failed: string): ResourceMessage[] {
  const text = values.get(name);
  if (text === null) throw invalid(`Missing '${name}' query parameter in the request body`);
  const prefix = `${failed} '${name}' query parameter in the request body: `;
  const parsed = converted(() => parseJson(text), prefix);
  if (!Array.isArray(parsed)) throw invalid(`${prefix}Unexpected JSON type parsed`);
  return parsed.map((value) => converted(() => Resource.json.fromValue(value), prefix));
}

function weightsOf(text: string): ReturnType<typeof WeightInfo.json.fromValue>[] {
  const parsed = converted(() => parseJson(text), `Failed to parse update weights request JSON '${text}': `);
  if (!Array.isArray(parsed)) {
    throw invalid(`Failed to parse update weights request JSON '${text}': Unexpected JSON type parsed`);
  }
  const prefix = `Failed to convert weights JSON array to protobuf '${text}': `;
  return parsed.map((value) => converted(() => WeightInfo.json.fromValue(value), prefix));
}

function quotaRequestOf(text: string): ReturnType<typeof QuotaRequest.json.fromValue> {
  const parsed = converted(() => parseJson(text), `Failed to parse set quota request JSON '${text}': `);
  const prefix = `Failed to validate set quota request JSON '${text}': `;
  return converted(() => QuotaRequest.json.fromValue(parsed), prefix);
}

function weightsJson(service: OperatorService): string {
  const texts = service
    .weights()
    .map(({ role = "", weight = 1 }) => `{"weight":${doubleJson(weight)},"role":${quote(role)}}`);
  return `[${texts.join(",")}]`;
}

/** Empty lists are left out, as in every protobuf message that Mesos shows. */
function quotaJson(service: OperatorService): string {
  const configs = service.quotas();
  if (configs.length === 0) return "{}";
  const infos = configs.map(({ role = "", guarantees }) => {
    const resources = Object.entries(guarantees).map(
      ([name, { value = 0 }]) =>
        `{"name":${quote(name)},"type":"SCALAR","scalar":{"value":${doubleJson(value)}}}`,
    );
    const guarantee = resources.length === 0 ? "" : `,"guarantee":[${resources.join(",")}]`;
    return `{"role":${quote(role)}${guarantee}}`;
  });
  const texts = configs.map(({ role = "", guarantees, limits }) => {
    const fields = [`"role":${quote(role)}`];
    if (Object.keys(guarantees).length > 0) fields.push(`"guarantees":${scalarsJson(guarantees)}`);
    if (Object.keys(limits).length > 0) fields.push(`"limits":${scalarsJson(limits)}`);
    return `{${fields.join(",")}}`;
  });
  return `{"infos":[${infos.join(",")}],"configs":[${texts.join(",")}]}`;
}

type Scalars = Readonly<Record<string, { readonly value?: number | undefined }>>;

function scalarsJson(scalars: Scalars): string {
  const texts = Object.keys(scalars)
    .sort()
    .map((name) => `${quote(name)}:{"value":${doubleJson(scalars[name]?.value ?? 0)}}`);
  return `{${texts.join(",")}}`;
}
