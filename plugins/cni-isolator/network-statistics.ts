import { readFile } from "node:fs/promises";
import type { ResourceStatistics, SNMPStatistics } from "../../proto/gen/mesos/v1/mesos.js";

/** What the interfaces of a process's network namespace carried, without the loopback, and what its IP stack counted. */
export async function networkUsage(pid: number): Promise<Partial<ResourceStatistics>> {
  try {
    const [interfaces, protocols] = await Promise.all([
      readFile(`/proc/${pid}/net/dev`, "utf8"),
      readFile(`/proc/${pid}/net/snmp`, "utf8"),
    ]);
    return { ...interfaceStatistics(interfaces), net_snmp_statistics: snmpStatistics(protocols) };
  } catch {
    // The process ended meanwhile.
    return {};
  }
}

const COUNTERS = [
  ["net_rx_bytes", 0],
  ["net_rx_packets", 1],
  ["net_rx_errors", 2],
  ["net_rx_dropped", 3],
  ["net_tx_bytes", 8],
  ["net_tx_packets", 9],
  ["net_tx_errors", 10],
  ["net_tx_dropped", 11],
] as const;

/** Sums over the interfaces that the isolator made (`eth<n>`), from the text of `/proc/net/dev`. */
export function interfaceStatistics(text: string): Partial<ResourceStatistics> {
  const sums: Partial<Record<(typeof COUNTERS)[number][0], bigint>> = {};
  for (const line of text.split("\n")) {
    const [, values] = /^\s*eth\d+:\s*(.*)$/.exec(line) ?? [];
    if (values === undefined) continue;
    const numbers = values.trim().split(/\s+/);
    for (const [name, column] of COUNTERS) sums[name] = (sums[name] ?? 0n) + BigInt(numbers[column] ?? 0);
  }
  return sums;
}

const PROTOCOLS = { Ip: "ip_stats", Icmp: "icmp_stats", Tcp: "tcp_stats", Udp: "udp_stats" } as const;

/** From the text of `/proc/net/snmp`: for each protocol a line of names and one of values. The names are those of the message's fields. */
export function snmpStatistics(text: string): SNMPStatistics {
  const statistics: Record<string, Record<string, bigint>> = {};
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    const [protocol, names] = line.split(": ");
    const field = PROTOCOLS[protocol as keyof typeof PROTOCOLS];
    if (field === undefined || names === undefined || statistics[field] !== undefined) continue;
    const values = lines[index + 1]?.split(": ")[1]?.trim().split(" ") ?? [];
    statistics[field] = Object.fromEntries(
      names
        .trim()
        .split(" ")
        .map((name, at) => [name, BigInt(values[at] ?? 0)]),
    );
  }
  return statistics;
}
