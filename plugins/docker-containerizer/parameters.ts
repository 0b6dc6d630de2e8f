import type { Parameter } from "../../proto/gen/mesos/v1/mesos.js";
import { messageOf } from "../../sdk/errors/index.js";
import type { HealthSettings, HostSettings } from "./api-types.js";
import * as read from "./parameter-values.js";
import type { RunDraft } from "./run-draft.js";

type Apply = (draft: RunDraft, value: string) => void;

const text = (value: string): string => value;

type FieldsOf<T, V> = { [K in keyof T]-?: V extends Exclude<T[K], undefined> ? K : never }[keyof T];

/** The last one given stands. */
const host =
  <V>(field: FieldsOf<HostSettings, V>, parse: (value: string) => V): Apply =>
  (draft, value) => {
    Object.assign(draft.host, { [field]: parse(value) });
  };

const config =
  <V>(field: FieldsOf<RunDraft["config"], V>, parse: (value: string) => V): Apply =>
  (draft, value) => {
    Object.assign(draft.config, { [field]: parse(value) });
  };

/** Each one given counts. */
const hostList =
  <V>(field: FieldsOf<HostSettings, V[]>, parse: (value: string) => V): Apply =>
  (draft, value) => {
    const before = (draft.host[field] ?? []) as unknown as readonly V[];
    Object.assign(draft.host, { [field]: [...before, parse(value)] });
  };

const hostRecord =
  (field: FieldsOf<HostSettings, Record<string, string>>, separator = "="): Apply =>
  (draft, value) => {
    const [key, to] = read.pair(separator === "=" ? value : value.replace(separator, "="));
    Object.assign(draft.host, { [field]: { ...draft.host[field], [key]: to } });
  };

const health =
  (field: Exclude<keyof HealthSettings, "Test">, parse: (value: string) => number): Apply =>
  (draft, value) => {
    draft.health[field] = parse(value);
  };

const dns =
  (field: "Dns" | "DnsOptions" | "DnsSearch"): Apply =>
  (draft, value) => {
    draft.dnsGiven = true;
    draft.host[field] = [...(draft.host[field] ?? []), value];
  };

const rate = (parse: (value: string) => number) => (value: string) => {
  const { Path, value: Rate } = read.perDevice(value, parse);
  return { Path, Rate };
};

const address =
  (field: "IPv4Address" | "IPv6Address"): Apply =>
  (draft, value) => {
    draft.endpoint.IPAMConfig = { ...draft.endpoint.IPAMConfig, [field]: value };
  };

/** The network of the parameter takes the place of the one that Mesos chose. */
const network: Apply = (draft, value) => {
  if (draft.networkGiven) throw new Error("is given twice; a container joins one network");
  draft.networkGiven = true;
  draft.host.NetworkMode = value;
};

const alias: Apply = (draft, value) => {
  draft.endpoint.Aliases = [...(draft.endpoint.Aliases ?? []), value];
};

const logging = (draft: RunDraft): NonNullable<HostSettings["LogConfig"]> => {
  draft.host.LogConfig ??= { Type: "", Config: {} };
  return draft.host.LogConfig;
};

const nothing: Apply = () => {};

const refuse =
  (why: string): Apply =>
  () => {
    throw new Error(`cannot be used: ${why}`);
  };

/** Options of `docker run` by their long names, as `DockerInfo.parameters` has them: what each is in the engine's API. */
const PARAMETERS: Readonly<Record<string, Apply>> = {
  "add-host": hostList("ExtraHosts", text),
  "blkio-weight": host("BlkioWeight", read.integer),
  "blkio-weight-device": hostList("BlkioWeightDevice", (value: string) => {
    const { Path, value: Weight } = read.perDevice(value, read.integer);
    return { Path, Weight };
  }),
  "cap-add": hostList("CapAdd", text),
  "cap-drop": hostList("CapDrop", text),
  "cgroup-parent": host("CgroupParent", text),
  cgroupns: host("CgroupnsMode", text),
  "cpu-period": host("CpuPeriod", read.integer),
  "cpu-quota": host("CpuQuota", read.integer),
  "cpu-rt-period": host("CpuRealtimePeriod", read.integer),
  "cpu-rt-runtime": host("CpuRealtimeRuntime", read.integer),
  "cpu-shares": host("CpuShares", read.integer),
  cpus: host("NanoCpus", (value: string) => Math.round(read.decimal(value) * 1e9)),
  "cpuset-cpus": host("CpusetCpus", text),
  "cpuset-mems": host("CpusetMems", text),
  device: hostList("Devices", read.device),
  "device-cgroup-rule": hostList("DeviceCgroupRules", text),
  "device-read-bps": hostList("BlkioDeviceReadBps", rate(read.bytes)),
  "device-read-iops": hostList("BlkioDeviceReadIOps", rate(read.integer)),
  "device-write-bps": hostList("BlkioDeviceWriteBps", rate(read.bytes)),
  "device-write-iops": hostList("BlkioDeviceWriteIOps", rate(read.integer)),
  dns: dns("Dns"),
  "dns-opt": dns("DnsOptions"),
  "dns-option": dns("DnsOptions"),
  "dns-search": dns("DnsSearch"),
  domainname: config("Domainname", text),
  entrypoint: config("Entrypoint", (value: string) => [value]),
  env: (draft, value) => {
    const [name, given] = read.pair(value);
    // Without a value the agent's own stands, as the command line takes its own.
    const found = value.includes("=") ? given : process.env[name];
    if (found !== undefined) draft.env.set(name, found);
  },
  expose: (draft, value) => {
    draft.config.ExposedPorts[read.exposedPort(value)] = {};
  },
  gpus: hostList("DeviceRequests", read.gpuRequest),
  "group-add": hostList("GroupAdd", text),
  "health-cmd": (draft, value) => {
    draft.health.Test = ["CMD-SHELL", value];
  },
  "health-interval": health("Interval", read.goDuration),
  "health-retries": health("Retries", read.integer),
  "health-start-period": health("StartPeriod", read.goDuration),
  "health-timeout": health("Timeout", read.goDuration),
  hostname: config("Hostname", text),
  init: host("Init", read.boolean),
  interactive: config("OpenStdin", read.boolean),
  ip: address("IPv4Address"),
  ip6: address("IPv6Address"),
  ipc: host("IpcMode", text),
  "kernel-memory": host("KernelMemory", read.bytes),
  label: (draft, value) => {
    const [name, to] = read.pair(value);
    draft.config.Labels[name] = to;
  },
  link: hostList("Links", text),
  "log-driver": (draft, value) => {
    logging(draft).Type = value;
  },
  "log-opt": (draft, value) => {
    const [name, to] = read.pair(value);
    logging(draft).Config[name] = to;
  },
  "mac-address": config("MacAddress", text),
  memory: host("Memory", read.bytes),
  "memory-reservation": host("MemoryReservation", read.bytes),
  "memory-swap": host("MemorySwap", read.bytes),
  "memory-swappiness": host("MemorySwappiness", read.integer),
  mount: hostList("Mounts", read.mount),
  net: network,
  "net-alias": alias,
  network,
  "network-alias": alias,
  "no-healthcheck": (draft, value) => {
    if (read.boolean(value)) draft.health.Test = ["NONE"];
  },
  "oom-kill-disable": host("OomKillDisable", read.boolean),
  "oom-score-adj": host("OomScoreAdj", read.integer),
  pid: host("PidMode", text),
  "pids-limit": host("PidsLimit", read.integer),
  privileged: host("Privileged", read.boolean),
  publish: (draft, value) => {
    const { port, ...binding } = read.publishedPort(value);
    draft.config.ExposedPorts[port] = {};
    draft.host.PortBindings[port] = [...(draft.host.PortBindings[port] ?? []), binding];
  },
  "publish-all": host("PublishAllPorts", read.boolean),
  "read-only": host("ReadonlyRootfs", read.boolean),
  rm: (draft, value) => {
    draft.removeAtOnce = read.boolean(value);
  },
  runtime: host("Runtime", text),
  "security-opt": hostList("SecurityOpt", read.securityOption),
  "shm-size": host("ShmSize", read.bytes),
  "stop-signal": config("StopSignal", text),
  "stop-timeout": config("StopTimeout", read.integer),
  "storage-opt": hostRecord("StorageOpt"),
  sysctl: hostRecord("Sysctls"),
  tmpfs: hostRecord("Tmpfs", ":"),
  tty: config("Tty", read.boolean),
  ulimit: hostList("Ulimits", read.ulimit),
  user: config("User", text),
  userns: host("UsernsMode", text),
  uts: host("UTSMode", text),
  volume: hostList("Binds", text),
  "volume-driver": host("VolumeDriver", text),
  "volumes-from": hostList("VolumesFrom", text),
  workdir: config("WorkingDir", text),

  // Of the command line alone; the container is the same with them and without.
  detach: nothing,
  "disable-content-trust": nothing,
  "sig-proxy": nothing,

  attach: refuse("all output goes to the sandbox"),
  cidfile: refuse("the container's name is mesos-<container id>"),
  "env-file": refuse("give each variable, by env or in the command's environment"),
  "label-file": refuse("give each label"),
  name: refuse("the container's name is mesos-<container id>"),
  pull: refuse("set force_pull_image in DockerInfo"),
  restart: refuse("a container that starts again by itself would escape its agent"),
};

/** Throws an Error that names the first parameter that cannot be used. */
export function applyParameters(draft: RunDraft, parameters: readonly Parameter[]): void {
  for (const { key = "", value = "" } of parameters) {
    const apply = Object.hasOwn(PARAMETERS, key) ? PARAMETERS[key] : undefined;
    if (apply === undefined) throw new Error(`Unknown Docker parameter '${key}'`);
    try {
      apply(draft, value);
    } catch (error) {
      throw new Error(`Docker parameter '${key}' with the value '${value}' ${messageOf(error)}`);
    }
  }
}
