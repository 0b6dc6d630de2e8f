import { readFileSync } from "node:fs";
import type { DeviceMapping, DeviceRequest, Mount, Ulimit } from "./api-types.js";

/** Values of `docker run` options, as its command line takes them. Each function throws an Error that says what it expected. */

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

export function bytes(text: string): number {
  const match = /^(-?\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) throw new Error("must be a size such as 64m");
  return Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
}

export function integer(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new Error("must be an integer");
  return Number(text);
}

export function decimal(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Error("must be a number");
  return Number(text);
}

export function boolean(text: string): boolean {
  if (/^(1|t|true)$/i.test(text) || text === "") return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new Error("must be true or false");
}

/** `1m30s` in nanoseconds. */
export function goDuration(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3.6e12, m: 6e10, s: 1e9, ms: 1e6, us: 1e3, ns: 1 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    if (text === "0") return 0;
    throw new Error("must be a duration such as 1m30s");
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit!]!, 0);
}

/** `key=value`; without the sign the value is empty. */
export function pair(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  const [key, value] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  if (key === "") throw new Error("must be of the form key=value");
  return [key, value];
}

/** `/dev/a`, `/dev/a:/dev/b`, `/dev/a:rwm`, `/dev/a:/dev/b:rwm`. */
export function device(text: string): DeviceMapping {
  const [host = "", second, third, ...rest] = text.split(":");
  const isAccess = (part: string): boolean => /^[rwm]{1,3}$/.test(part);
  const inside = second === undefined || isAccess(second) ? host : second;
  const access = third ?? (second !== undefined && isAccess(second) ? second : "rwm");
  if (host === "" || rest.length > 0 || !isAccess(access)) {
    throw new Error("must be of the form /dev/a[:/dev/b][:rwm]");
  }
  return { PathOnHost: host, PathInContainer: inside, CgroupPermissions: access };
}

/** `nofile=1024` or `nofile=1024:2048`. */
export function ulimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw new Error("must be of the form name=soft[:hard]");
  const soft = Number(match[2]);
  return { Name: match[1]!, Soft: soft, Hard: match[3] === undefined ? soft : Number(match[3]) };
}

/** `/dev/sda:1mb` and the like. */
export function perDevice(text: string, read: (value: string) => number): { Path: string; value: number } {
  const at = text.lastIndexOf(":");
  if (at < 1) throw new Error("must be of the form /dev/a:value");
  return { Path: text.slice(0, at), value: read(text.slice(at + 1)) };
}

/** `[address:]hostPort:containerPort[/protocol]`, or the container's port alone. */
export function publishedPort(text: string): { port: string; HostIp?: string; HostPort: string } {
  const match = /^(?:(?:(\[[^\]]+\]|[^:]+):)?(\d*):)?(\d+)(?:\/(tcp|udp|sctp))?$/.exec(text);
  if (match === null) throw new Error("must be of the form [address:][hostPort:]containerPort[/protocol]");
  const [, address, host = "", inside, protocol = "tcp"] = match;
  return {
    port: `${inside}/${protocol}`,
    HostPort: host,
    ...(address !== undefined && { HostIp: address.replace(/^\[|\]$/g, "") }),
  };
}

/** `80`, `80/udp`. */
export function exposedPort(text: string): string {
  const match = /^(\d+)(?:\/(tcp|udp|sctp))?$/.exec(text);
  if (match === null) throw new Error("must be of the form port[/protocol]");
  return `${match[1]}/${match[2] ?? "tcp"}`;
}

/** `all`, a number, or `device=0,1`. */
export function gpuRequest(text: string): DeviceRequest {
  const capabilities = { Capabilities: [["gpu"]] };
  if (text === "all") return { Count: -1, ...capabilities };
  if (/^\d+$/.test(text)) return { Count: Number(text), ...capabilities };
  const devices = /^"?device=([\w,:.-]+)"?$/.exec(text)?.[1];
  if (devices === undefined) throw new Error("must be all, a number, or device=0,1");
  return { DeviceIDs: devices.split(","), ...capabilities };
}

/** The profile of `seccomp=/path` is read here, as the command line does; the engine takes its text. */
export function securityOption(text: string): string {
  const [key, value] = pair(text.replace(/^(seccomp|apparmor|label):/, "$1="));
  if (key !== "seccomp" || value === "unconfined" || value.startsWith("{"))
    return key === text ? text : `${key}=${value}`;
  return `seccomp=${JSON.stringify(JSON.parse(readFileSync(value, "utf8")))}`;
}

/** `type=bind,source=/a,target=/b,readonly`. */
export function mount(text: string): Mount {
  const found: Mount = { Type: "volume", Target: "" };
  for (const field of text.split(",")) {
    const [key, value] = pair(field);
    const apply = MOUNT_FIELDS[key.toLowerCase()];
    if (apply === undefined) throw new Error(`has the unknown field '${key}'`);
    apply(found, value);
  }
  if (found.Target === "") throw new Error("must have a target");
  return found;
}

type MountField = (mount: Mount, value: string) => void;

const source: MountField = (to, value) => {
  to.Source = value;
};
const target: MountField = (to, value) => {
  to.Target = value;
};
const readonly: MountField = (to, value) => {
  to.ReadOnly = boolean(value);
};
const driver = (to: Mount) => {
  to.VolumeOptions ??= {};
  to.VolumeOptions.DriverConfig ??= {};
  return to.VolumeOptions.DriverConfig;
};

const MOUNT_FIELDS: Readonly<Record<string, MountField>> = {
  type: (to, value) => {
    if (value !== "bind" && value !== "volume" && value !== "tmpfs") {
      throw new Error("has a type other than bind, volume and tmpfs");
    }
    to.Type = value;
  },
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  readonly,
  ro: readonly,
  "bind-propagation": (to, value) => {
    to.BindOptions = { Propagation: value };
  },
  "volume-nocopy": (to, value) => {
    to.VolumeOptions = { ...to.VolumeOptions, NoCopy: boolean(value) };
  },
  "volume-driver": (to, value) => {
    driver(to).Name = value;
  },
  "volume-opt": (to, value) => {
    const [name, option] = pair(value);
    const config = driver(to);
    config.Options = { ...config.Options, [name]: option };
  },
  "tmpfs-size": (to, value) => {
    to.TmpfsOptions = { ...to.TmpfsOptions, SizeBytes: bytes(value) };
  },
  "tmpfs-mode": (to, value) => {
    if (!/^[0-7]+$/.test(value)) throw new Error("has a tmpfs-mode that is not octal");
    to.TmpfsOptions = { ...to.TmpfsOptions, Mode: Number.parseInt(value, 8) };
  },
};
