import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import { type CommandInfo, type ExecutorInfo, ExecutorInfo_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { memo } from "./memo.js";
import { allocationRoleOf, flatResourcesJson, labelsJson } from "./task.js";
import { listOf, quote, stringsJson } from "./text.js";

const environment = codecs.Environment.json;

/** The fields of an executor as the master shows it, without the braces: `"executor_id":...,"type":"CUSTOM"`. */
export const executorFieldsJson = memo((info: ExecutorInfo): string => {
  let json =
    `"executor_id":${quote(info.executor_id?.value ?? "")},"name":${quote(info.name ?? "")}` +
    `,"framework_id":${quote(info.framework_id?.value ?? "")},"command":${commandJson(info.command)}` +
    `,"resources":${flatResourcesJson(info.resources)}`;
  if (info.resources.length > 0) json += `,"role":${quote(allocationRoleOf(info.resources))}`;
  if (info.labels !== undefined) json += `,"labels":${labelsJson(info.labels)}`;
  if (info.type !== undefined) json += `,"type":${quote(executorTypeName(info.type))}`;
  return json;
});

export function executorTypeName(type: ExecutorInfo_Type): string {
  return ExecutorInfo_Type[type] ?? "UNKNOWN";
}

export function commandJson(command: CommandInfo | undefined): string {
  let json = "";
  if (command?.shell !== undefined) json += `"shell":${command.shell},`;
  if (command?.value !== undefined) json += `"value":${quote(command.value)},`;
  json += `"argv":${stringsJson(command?.arguments ?? [])}`;
  if (command?.environment !== undefined) json += `,"environment":${environment.write(command.environment)}`;
  return `{${json},"uris":${listOf(
    command?.uris ?? [],
    ({ value = "", executable = false }) => `{"value":${quote(value)},"executable":${executable}}`,
  )}}`;
}
