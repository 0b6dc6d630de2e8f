import { isIPv4 } from "node:net";
import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { MemberFormat } from "./member.js";

/** The content of a candidate's node, in the form that Mesos's masters write and its tools read. */
export function encodeMasterInfo(info: MasterInfo): Buffer {
  return Buffer.from(codecs.MasterInfo.json.write(info), "utf8");
}

/** Throws an Error that says what is wrong with the data. */
export function decodeMasterInfo(format: MemberFormat, data: Buffer): MasterInfo {
  const info = read(format, data);
  const { ip, port } = info.address ?? {};
  return info.pid === undefined && ip !== undefined ? { ...info, pid: `master@${ip}:${port}` } : info;
}

function read(format: MemberFormat, data: Buffer): MasterInfo {
  switch (format) {
    case "json":
      return codecs.MasterInfo.json.read(data.toString("utf8"));
    case "protobuf":
      return complete(MasterInfo.decode(data));
    case "pid":
      return ofPid(data.toString("utf8"));
  }
}

function complete(info: MasterInfo): MasterInfo {
  const missing = codecs.MasterInfo.missingRequired(info);
  if (missing.length > 0) throw new Error(`it lacks ${missing.join(", ")}`);
  return info;
}

function ofPid(text: string): MasterInfo {
  const [, ip = "", digits] = /^[^@\s]+@([\d.]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!isIPv4(ip) || !(port > 0 && port < 65_536)) throw new Error("it is no address of a master");
  return {
    id: text,
    // The four bytes as one number, the first byte lowest.
    ip: Buffer.from(ip.split(".").map(Number)).readUInt32LE(),
    port,
    pid: text,
    hostname: ip,
    address: { hostname: ip, ip, port },
    capabilities: [],
  };
}
