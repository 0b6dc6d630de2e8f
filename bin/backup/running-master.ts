import { Registry } from "../../proto/gen/json/mesos/internal/registry.js";
import type { Registry as RegistryMessage } from "../../proto/gen/mesos/internal/registry.js";
import { reasonOf } from "../../sdk/client/index.js";
import { factsOf } from "../../sdk/registry/index.js";
import { convertResources } from "../../sdk/resources/index.js";
import type { SharedPlace } from "./places.js";

/** Every master, Mesos's included, serves its registry as JSON at this path. */
const REGISTRY_PATH = "/registrar(1)/registry";

/** `fetch` hides it in its error's cause. */
const why = (error: unknown): string => reasonOf(error instanceof Error ? (error.cause ?? error) : error);

export const isMasterUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/**
 * The registry of a running master, as it serves it over HTTP. This is the way out of Mesos's replicated log, which nothing else reads.
 *
 * @param text `http://[user:password@]host:port`
 */
export function runningMaster(text: string, timeout: number): SharedPlace {
  const base = new URL(text);
  const { username, password } = base;
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  const url = base.origin;
  const ask = async (): Promise<RegistryMessage> => {
    const answer = await fetch(url + REGISTRY_PATH, {
      headers: username === "" ? {} : { authorization: `Basic ${credentials.toString("base64")}` },
      signal: AbortSignal.timeout(timeout),
    });
    const body = await answer.text();
    if (!answer.ok) throw new Error(`it answered ${answer.status}: ${body.trim().split("\n")[0]}`);
    return Registry.json.read(body);
  };
  return {
    url,
    peek: async () => {
      let state: RegistryMessage;
      try {
        state = await ask();
      } catch (error) {
        throw new Error(`${url}: its registry cannot be read: ${why(error)}`, { cause: error });
      }
      // The master has not read its registry yet, or takes no part in the election.
      if (state.master === undefined) return undefined;
      // Mesos keeps resources in the format from before reservation refinement as long as possible.
      for (const { info } of state.slaves?.slaves ?? [])
        if (info !== undefined) info.resources = convertResources(info.resources, "post-refinement");
      return factsOf(state);
    },
    replace: async () => {
      throw new Error(`${url}: a master that runs takes no registry; name the place where it keeps it`);
    },
    close: async () => {},
  };
}
