import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { VersionInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { MESOS_VERSION } from "../mesos-version.js";
import { quote, timeJson } from "./text.js";

/** What `/version` and `/state` tell about the program. */
export interface BuildInfo {
  readonly version: string;
  /** Seconds since the epoch. */
  readonly buildTime: number;
}

/** The program was built when this very file was. */
export function buildInfo(): BuildInfo {
  const { mtimeMs } = statSync(fileURLToPath(import.meta.url));
  return { version: MESOS_VERSION, buildTime: Math.floor(mtimeMs / 1000) };
}

/** The fields at the head of `/state`, without the braces. */
export function buildFieldsJson({ version, buildTime }: BuildInfo): string {
  return `"version":${quote(version)},"build_date":${quote(buildDate(buildTime))},"build_time":${timeJson(buildTime)},"build_user":""`;
}

/** GET /version; sorted by name, as Mesos's answer is. */
export function versionJson({ version, buildTime }: BuildInfo): string {
  return `{"build_date":${quote(buildDate(buildTime))},"build_time":${timeJson(buildTime)},"build_user":"","version":${quote(version)}}`;
}

/** As the v1 APIs tell it. */
export const versionInfo = ({ version, buildTime }: BuildInfo): VersionInfo => ({
  version,
  build_date: buildDate(buildTime),
  build_time: buildTime,
  build_user: "",
});

/** `2026-11-22 07:34:29 UTC` */
function buildDate(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
