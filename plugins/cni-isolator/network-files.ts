import type { DefaultDns } from "./default-dns.js";
import type { Address, Dns, NetworkResult } from "./result.js";

/** `/etc/hosts` of a container: one address is its own, the first IPv4 one as in Mesos. */
export function hostsFile(hostname: string, results: readonly NetworkResult[]): string {
  const addresses: Address[] = results.flatMap((result) => result.addresses);
  const own = addresses.find(({ family }) => family === 4) ?? addresses[0];
  return [
    "127.0.0.1 localhost",
    "::1 ip6-localhost ip6-loopback",
    ...(own === undefined ? [] : [`${own.ip} ${hostname}`]),
    "",
  ].join("\n");
}

/**
 * The DNS settings of all networks of a container, joined in their order; of the domains the last one stands. A network's own settings go
 * before those of `--default_container_dns`, but only with name servers: plugins answer `"dns": {}` when they were told nothing.
 */
export function mergeDns(
  networks: readonly { readonly name: string; readonly result: NetworkResult }[],
  { byNetwork, fallback }: DefaultDns,
): Dns {
  const parts = networks.map(({ name, result: { dns } }) =>
    dns.nameservers.length > 0 ? dns : (byNetwork.get(name) ?? fallback),
  );
  return {
    nameservers: parts.flatMap((dns) => dns?.nameservers ?? []),
    domain: parts.findLast((dns) => dns?.domain !== undefined)?.domain,
    search: parts.flatMap((dns) => dns?.search ?? []),
    options: parts.flatMap((dns) => dns?.options ?? []),
  };
}

/** `/etc/resolv.conf`; undefined without name servers: then the host's serves. */
export function resolverFile({ nameservers, domain, search, options }: Dns): string | undefined {
  if (nameservers.length === 0) return undefined;
  const lines = nameservers.map((server) => `nameserver ${server}`);
  if (options.length > 0) lines.unshift(`options ${options.join(" ")}`);
  if (search.length > 0) lines.unshift(`search ${search.join(" ")}`);
  if (domain !== undefined) lines.unshift(`domain ${domain}`);
  return `${lines.join("\n")}\n`;
}
