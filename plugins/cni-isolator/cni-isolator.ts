import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ContainerStatus,
  type NetworkInfo,
  NetworkInfo_Protocol as Protocol,
  type ResourceStatistics,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { containerName } from "../../sdk/ids/index.js";
import { type Attachment, attachmentOf, declares, problemWith } from "./attachment.js";
import { ContainerDirectory } from "./container-directory.js";
import { hostFiles, networkFiles } from "./contributions.js";
import type { DefaultDns } from "./default-dns.js";
import { hostnameOf } from "./hostname.js";
import { endLeftovers } from "./leftovers.js";
import type { NetworkConfigs } from "./network-configs.js";
import { hostsFile, mergeDns, resolverFile } from "./network-files.js";
import { holdNamespace } from "./network-namespace.js";
import { NetworkRemovals } from "./network-removals.js";
import { networkUsage } from "./network-statistics.js";
import type { PluginChain } from "./plugin-chain.js";
import { type NetworkResult, parseResult } from "./result.js";
import { Turns } from "./turns.js";

export interface CniIsolatorOptions {
  /** Of this agent alone; exists. */
  readonly root: string;
  /** Absent: there are no networks, every container is in the host's. */
  readonly configs: NetworkConfigs | undefined;
  readonly chain: PluginChain;
  readonly dns: DefaultDns;
  /** Whether `usage` tells what the networks carried. */
  readonly measures: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Network {
  /** As the framework asked for it. */
  readonly info: NetworkInfo;
  readonly attachment: Attachment;
  result: NetworkResult | undefined;
}

interface Container {
  readonly hostname: string;
  readonly networks: readonly Network[];
}

/** The address that the agent may have given a container is the host's. */
const ANY_ADDRESS = { LIBPROCESS_IP: "0.0.0.0" };

/** `network/cni`: joins containers to the networks that they name. One that names none is in the host's network. */
export class CniIsolator implements Isolator {
  readonly name = "network/cni";
  readonly nesting = true;
  private readonly containers = new Map<string, Container>();
  /** Containers in the network of one that they are within: that one, by container. */
  private readonly guests = new Map<string, string>();
  /** A clean-up waits for the ADD that is under way: DEL at the same time would leave what ADD makes after it. */
  private readonly turns = new Turns();
  private readonly removals: NetworkRemovals;

  constructor(private readonly options: CniIsolatorOptions) {
    const { chain, clock, logger } = options;
    this.removals = new NetworkRemovals({
      directory: (id) => this.directory(id),
      chain,
      turns: this.turns,
      clock,
      logger,
    });
  }

  async recover(known: readonly RecoverableContainer[]): Promise<void> {
    const { root, clock, logger, configs } = this.options;
    if (configs === undefined) return;
    const ended = await endLeftovers(root, clock);
    if (ended > 0) logger.warn({ processes: ended }, "ended CNI plugins of an earlier run of the agent");
    const requests = new Map(known.map(({ request }) => [containerName(request.containerId), request]));
    for (const { request } of known) if (joinsAnother(request)) this.settleIn(request);
    for (const id of await readdir(root)) {
      const request = requests.get(id);
      if (request !== undefined) {
        await this.takeBack(id, request);
        continue;
      }
      logger.info({ container: id }, "removing the networks of a container that nobody knows");
      // One that cannot be removed now must not keep the agent from starting; it is tried again.
      await this.turns.run(id, () => this.removals.remove(id)).catch(() => undefined);
    }
  }

  prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    return this.turns.run(containerName(request.containerId), () => this.plan(request));
  }

  isolate(id: string, pid: number): Promise<void> {
    return this.turns.run(id, async () => {
      const container = this.containers.get(id);
      if (container !== undefined) await this.join(id, container, pid);
    });
  }

  async status(id: string): Promise<Partial<ContainerStatus>> {
    const container = this.containers.get(this.guests.get(id) ?? id);
    if (container === undefined) return {};
    const infos: NetworkInfo[] = [];
    for (const { info, result } of container.networks) {
      if (result === undefined) continue;
      const addresses = result.addresses.map(({ family, ip }) => ({
        protocol: family === 4 ? Protocol.IPv4 : Protocol.IPv6,
        ip_address: ip,
      }));
      infos.push({ ...info, ip_addresses: addresses });
    }
    return infos.length === 0 ? {} : { network_infos: infos };
  }

  async usage(id: string, pid: number): Promise<Partial<ResourceStatistics>> {
    return this.options.measures && this.containers.has(this.guests.get(id) ?? id) ? networkUsage(pid) : {};
  }

  cleanup(id: string): Promise<void> {
    return this.turns.run(id, async () => {
      this.guests.delete(id);
      if (this.containers.delete(id)) await this.removals.remove(id);
    });
  }

  /** Tries no more to clean up; the next run of the agent will. */
  stop(): void {
    this.removals.stop();
  }

  private async plan(request: ContainerRequest): Promise<Contribution | undefined> {
    const id = containerName(request.containerId);
    const rootfs = request.image?.rootfs !== undefined;
    const infos = request.container?.network_infos ?? [];
    const named = infos.filter(({ name }) => name !== undefined);
    if (named.length === 0) {
      refuseWishes(request.container?.hostname, infos);
      const home = joinsAnother(request) ? this.settleIn(request) : id;
      if (this.containers.has(home)) return this.visit(request, home);
      return rootfs ? { mounts: await hostFiles() } : undefined;
    }
    const hostname = hostnameOf(request);
    const networks = await this.networks(named);
    const directory = this.directory(id);
    this.containers.set(id, { hostname, networks });
    await directory.create();
    // They are bound into the container before it is known what they will say; the host's resolv.conf is the likely one.
    await directory.writeFile("hostname", `${hostname}\n`);
    await directory.writeFile("hosts", hostsFile(hostname, []));
    await directory.writeFile("resolv.conf", await readFile("/etc/resolv.conf", "utf8").catch(() => ""));
    return {
      namespaces: ["mount", "network", "uts"],
      hostname,
      mounts: await networkFiles(directory, { rootfs }),
      finalEnvironment: ANY_ADDRESS,
    };
  }

  private settleIn({ containerId }: ContainerRequest): string {
    const parent = containerName(containerId.parent!);
    const home = this.guests.get(parent) ?? parent;
    this.guests.set(containerName(containerId), home);
    return home;
  }

  /** What makes a container at home in the networks of one that it is within. */
  private async visit({ image, within }: ContainerRequest, home: string): Promise<Contribution> {
    const directory = this.directory(home);
    return {
      namespaces: ["mount"],
      enter: { network: directory.namespace, uts: `/proc/${within!.pid}/ns/uts` },
      mounts: await networkFiles(directory, { rootfs: image?.rootfs !== undefined }),
      finalEnvironment: ANY_ADDRESS,
    };
  }

  private async networks(infos: readonly NetworkInfo[]): Promise<Network[]> {
    const networks: Network[] = [];
    for (const info of infos) {
      const name = info.name!;
      const problem = problemWith(info);
      if (problem !== undefined) throw new Error(`of the CNI network '${name}': ${problem}`);
      if (this.options.configs === undefined) {
        throw new Error(
          `Unknown CNI network '${name}'; the agent has no --network_cni_config_dir and --network_cni_plugins_dir`,
        );
      }
      if (networks.some(({ info: { name: other } }) => other === name))
        throw new Error(`Attempted to join CNI network '${name}' multiple times`);
      const config = await this.options.configs.find(name);
      const attachment = attachmentOf(config, info, `eth${networks.length}`);
      if (info.port_mappings.length > 0 && !declares(attachment, "portMappings")) {
        const message =
          "a container asks for port mappings in a CNI network without a plugin that declares them";
        this.options.logger.warn({ network: name }, message);
      }
      networks.push({ info, attachment, result: undefined });
    }
    return networks;
  }

  private async join(id: string, container: Container, pid: number): Promise<void> {
    const directory = this.directory(id);
    await holdNamespace(pid, directory.namespace);
    // Both to their ends, whatever becomes of the other: DEL comes next.
    const [loopback, networks] = await Promise.allSettled([
      this.options.chain.loopback(id, directory),
      this.addAll(id, container),
    ]);
    if (networks.status === "rejected") throw networks.reason;
    if (loopback.status === "rejected") throw loopback.reason;
    await this.writeFiles(directory, container);
  }

  private async addAll(id: string, { networks }: Container): Promise<void> {
    const directory = this.directory(id);
    for (const network of networks) {
      const { attachment } = network;
      network.result = await this.options.chain.add({ containerId: id, directory, attachment });
      const addresses = network.result.addresses.map(({ ip }) => ip);
      this.options.logger.info(
        { container: id, network: attachment.network, addresses },
        "joined a CNI network",
      );
    }
  }

  private async writeFiles(directory: ContainerDirectory, { hostname, networks }: Container): Promise<void> {
    const joined = networks.map(({ info, result }) => ({ name: info.name!, result: result! }));
    const results = joined.map(({ result }) => result);
    await directory.writeFile("hosts", hostsFile(hostname, results));
    const resolver = resolverFile(mergeDns(joined, this.options.dns));
    if (resolver !== undefined) await directory.writeFile("resolv.conf", resolver);
  }

  private async takeBack(id: string, request: ContainerRequest): Promise<void> {
    const directory = this.directory(id);
    const networks: Network[] = [];
    try {
      for (const attachment of await directory.attachments()) {
        const info = request.container?.network_infos.find(({ name }) => name === attachment.network);
        const result = await directory.result(attachment);
        if (info !== undefined) networks.push({ info, attachment, result: result && parseResult(result) });
      }
    } catch (error) {
      this.options.logger.error(
        { container: id, err: error },
        "what is known of a container's networks cannot be read",
      );
    }
    this.containers.set(id, { hostname: request.container?.hostname ?? id, networks });
  }

  private directory(id: string): ContainerDirectory {
    return new ContainerDirectory(join(this.options.root, id));
  }
}

/** A container within another is in that one's network unless it names its own. */
const joinsAnother = ({ containerId, container }: ContainerRequest): boolean =>
  containerId.parent !== undefined &&
  container?.network_infos.some(({ name }) => name !== undefined) !== true;

/** In the host's network nobody could fulfil them. */
function refuseWishes(hostname: string | undefined, infos: readonly NetworkInfo[]): void {
  if (hostname !== undefined) {
    throw new Error("a container has a host name of its own only in a network: network_infos names none");
  }
  for (const { port_mappings: ports, ip_addresses: addresses } of infos) {
    if (ports.length > 0 || addresses.some(({ ip_address: ip }) => ip !== undefined))
      throw new Error("port mappings and addresses need a network: network_infos has no 'name'");
  }
}
