import { Registry as RegistryMessage } from "../../proto/gen/json/mesos/internal/registry.js";
import type { HttpReply, HttpServer } from "../../sdk/contracts/http-server.js";
import type { MasterView } from "../../sdk/contracts/master-view.js";
import type { Registry } from "../../sdk/contracts/registry.js";
import { messageOf } from "../../sdk/errors/index.js";
import { masterLocation } from "../../sdk/http/index.js";

const REALM = "mesos-master-readonly";

/** Of the process that keeps the registry in Mesos, and the same with its brackets escaped. */
const PATHS = ["/registrar(1)/registry", "/registrar%281%29/registry"];

/** Says that an answer may be older than what the leader knows (RFC 7234, 5.5.1). */
const STALE = '110 - "Response is Stale"';

/**
 * The registry as JSON. Every master answers: one that does not lead with what the store that it shares with the leader holds, and with
 * headers that say so.
 */
export function addRegistryRoutes(
  http: HttpServer,
  { view, registry }: { view: MasterView; registry: Registry },
): void {
  for (const path of PATHS) {
    http.route({
      path,
      realm: REALM,
      handle: (_, reply) => answer(reply, { view, registry }),
    });
  }
}

async function answer(
  reply: HttpReply,
  { view, registry }: { view: MasterView; registry: Registry },
): Promise<void> {
  let state: Awaited<ReturnType<NonNullable<Registry["peek"]>>>;
  try {
    state = await registry.peek?.();
  } catch (error) {
    reply.text(503, `The registry cannot be read now: ${messageOf(error)}`);
    return;
  }
  // Mesos's form for a master that has read nothing yet.
  const body = state === undefined ? "{}" : RegistryMessage.json.write(state);
  const { role, leader } = view.leadership();
  if (role === "leading") reply.json(body);
  else {
    const location = leader === undefined ? {} : { "Tepui-Leader": masterLocation(leader) };
    reply.json(body, 200, { Warning: STALE, ...location });
  }
}
