import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import type { ContainerStatus, ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerUsageView } from "../../sdk/contracts/agent-view.js";
import { fieldsJson, type JsonField, quote, sortedFields } from "../../sdk/v0-json/index.js";

const statisticsCodec = codecs.ResourceStatistics.json;
const statusCodec = codecs.ContainerStatus.json;

/**
 * GET /monitor/statistics: an entry for each container that could be measured. The statistics stand in `statistics`, as in Mesos,
 * and beside the other fields, where tools for versions before 0.20 look for them.
 */
export function statisticsJson(usage: readonly ContainerUsageView[]): string {
  const entries = usage.flatMap((container) => {
    if (container.statistics === undefined) return [];
    const statistics = statisticsFields(container.statistics);
    return [
      fieldsJson([...identity(container), ["statistics", fieldsJson(statistics)] as const, ...statistics]),
    ];
  });
  return `[${entries.join(",")}]`;
}

/** GET /containers: an entry for each top-level container; status and statistics only as far as they are known. */
export function containersJson(usage: readonly ContainerUsageView[]): string {
  const entries = usage.map((container) => {
    const { containerId, statistics, status } = container;
    const fields: JsonField[] = [["container_id", quote(containerId.value ?? "")], ...identity(container)];
    if (statistics !== undefined) fields.push(["statistics", fieldsJson(statisticsFields(statistics))]);
    if (status !== undefined) fields.push(["status", fieldsJson(statusFields(status))]);
    return fieldsJson(fields);
  });
  return `[${entries.join(",")}]`;
}

/** What may be asked of `/containers`; undefined asks for any. */
export interface ContainerFilter {
  readonly containerId: string | undefined;
  readonly frameworkId: string | undefined;
  readonly executorId: string | undefined;
}

/** The filter of a query, or undefined for a combination that Mesos does not know. */
export function containerFilterOf(query: URLSearchParams): ContainerFilter | undefined {
  const [containerId, frameworkId, executorId] = ["container_id", "framework_id", "executor_id"].map(
    (name) => query.get(name) ?? undefined,
  );
  if (containerId !== undefined && (frameworkId !== undefined || executorId !== undefined)) return undefined;
  if (executorId !== undefined && frameworkId === undefined) return undefined;
  return { containerId, frameworkId, executorId };
}

export function matches(filter: ContainerFilter, container: ContainerUsageView): boolean {
  return (
    (filter.containerId === undefined || filter.containerId === container.containerId.value) &&
    (filter.frameworkId === undefined || filter.frameworkId === container.frameworkId) &&
    (filter.executorId === undefined || filter.executorId === container.executorId)
  );
}

function identity({ executorId, executorName, frameworkId, source }: ContainerUsageView): JsonField[] {
  return [
    ["executor_id", quote(executorId)],
    ["executor_name", quote(executorName)],
    ["framework_id", quote(frameworkId)],
    ["source", quote(source)],
  ];
}

const statisticsFields = (statistics: ResourceStatistics): JsonField[] =>
  sortedFields(statisticsCodec.write(statistics));

const statusFields = (status: ContainerStatus): JsonField[] => sortedFields(statusCodec.write(status));
