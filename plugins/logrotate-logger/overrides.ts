import { type CommandInfo, Environment_Variable_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { type Rotations, readRotations } from "./rotation.js";

/**
 * The settings for one container: the agent's, but for what variables of the command with this prefix say
 * (`CONTAINER_LOGGER_MAX_STDOUT_SIZE=1MB`). Throws TEPUI_CONTAINER_LAUNCH_FAILED for those that make no sense.
 */
export function rotationsFor(command: CommandInfo, prefix: string, general: Rotations): Rotations {
  const given: Record<string, string> = {};
  for (const { name = "", value, type } of command.environment?.variables ?? []) {
    if (!name.startsWith(prefix) || value === undefined || type === Environment_Variable_Type.SECRET)
      continue;
    given[name.slice(prefix.length).toLowerCase()] = value;
  }
  const read = readRotations(given);
  if (!("problem" in read)) return { ...general, ...read };
  throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
    detail: `Failed to load container logger settings: ${read.problem}`,
  });
}
