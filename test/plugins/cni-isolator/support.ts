import { CniIsolator } from "../../../plugins/cni-isolator/cni-isolator.js";
import { type DefaultDns, readDefaultDns } from "../../../plugins/cni-isolator/default-dns.js";
import { NetworkConfigs } from "../../../plugins/cni-isolator/network-configs.js";
import { shareMount } from "../../../plugins/cni-isolator/network-namespace.js";
import { PluginChain } from "../../../plugins/cni-isolator/plugin-chain.js";
import { PluginRunner } from "../../../plugins/cni-isolator/plugin-runner.js";
import { ContainerInfo, type NetworkInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { PLUGINS } from "../../support/cni-host.js";
import { requestFor } from "../../support/container-request.js";

export interface IsolatorParts {
  readonly root: string;
  readonly configs: string;
  readonly pluginPath?: string;
  readonly timeout?: number;
  readonly dns?: DefaultDns;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** As the plugin wires it. */
export async function cniIsolator(parts: IsolatorParts): Promise<CniIsolator> {
  const { root, pluginPath = PLUGINS, timeout = 20_000 } = parts;
  const logger = parts.logger ?? new MemoryLogger();
  const clock = parts.clock ?? new SystemClock();
  const configs = new NetworkConfigs({ directory: parts.configs, pluginPath, logger });
  const runner = new PluginRunner({ pluginPath, timeout, clock, logger });
  await shareMount(root);
  return new CniIsolator({
    root,
    configs,
    chain: new PluginChain({ runner, program: (type) => configs.program(type) }),
    dns: parts.dns ?? readDefaultDns({}),
    measures: true,
    clock,
    logger,
  });
}

export function networkInfo(name: string, more: Partial<NetworkInfo> = {}): NetworkInfo {
  return { name, ip_addresses: [], groups: [], port_mappings: [], ...more };
}

export function containerRequest(
  id: string,
  infos: readonly NetworkInfo[],
  container: Partial<ContainerInfo> = {},
): ContainerRequest {
  return requestFor(id, {
    container: ContainerInfo.fromPartial({ type: 2, network_infos: [...infos], ...container }),
  });
}
