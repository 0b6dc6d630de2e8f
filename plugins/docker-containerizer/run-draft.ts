import type { CreateBody, EndpointSettings, HealthSettings, HostSettings } from "./api-types.js";

/** A container that is being described, before anything is asked of the engine. */
export interface RunDraft {
  readonly config: Omit<CreateBody, "Env" | "HostConfig" | "Healthcheck" | "NetworkingConfig">;
  readonly host: HostSettings;
  readonly health: HealthSettings;
  /** The container's place in its one network. */
  readonly endpoint: EndpointSettings;
  /** The last value of a name stands. */
  readonly env: Map<string, string>;
  networkGiven: boolean;
  dnsGiven: boolean;
  /** Removed as soon as it is over, rather than after a delay. */
  removeAtOnce: boolean;
}

export function newDraft(image: string): RunDraft {
  return {
    config: { Image: image, Labels: {}, ExposedPorts: {} },
    host: { Binds: [], Mounts: [], PortBindings: {}, NetworkMode: "host" },
    health: {},
    endpoint: {},
    env: new Map(),
    networkGiven: false,
    dnsGiven: false,
    removeAtOnce: false,
  };
}

const isEmpty = (settings: object): boolean => Object.keys(settings).length === 0;

export function createBody({ config, host, health, endpoint, env }: RunDraft): CreateBody {
  return {
    ...config,
    Env: [...env].map(([name, value]) => `${name}=${value}`),
    HostConfig: host,
    ...(!isEmpty(health) && { Healthcheck: health }),
    ...(!isEmpty(endpoint) && {
      NetworkingConfig: { EndpointsConfig: { [host.NetworkMode]: endpoint } },
    }),
  };
}
