import type { CommandInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { ImageConfig } from "../../sdk/contracts/image.js";
import { TepuiError } from "../../sdk/errors/index.js";

/**
 * What to run in a container of an image, as Mesos decides it. Undefined: what the framework asked for, as it is.
 *
 * | shell | value | Entrypoint | Cmd | runs |
 * |---|---|---|---|---|
 * | yes | yes | | | the framework's script |
 * | yes | no | | | error |
 * | no | yes | | | the framework's program with its arguments |
 * | no | no | yes | | the entry point, then the framework's arguments, or, where it has none, Cmd |
 * | no | no | no | yes | the first word of Cmd, then the framework's arguments, or, where it has none, the other words |
 * | no | no | no | no | error |
 *
 * @throws TepuiError TEPUI_CONTAINER_LAUNCH_FAILED
 */
export function launchCommand(
  command: CommandInfo,
  { entrypoint, command: words }: ImageConfig,
): Contribution["command"] | undefined {
  const refuse = (detail: string): never => {
    throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
      detail: `Failed to determine the launch command: ${detail}`,
    });
  };
  if (command.shell !== false) {
    return command.value === undefined ? refuse("Shell specified but no command value provided") : undefined;
  }
  if (command.value !== undefined) return undefined;
  const [first, ...rest] = words;
  const argv =
    entrypoint.length > 0
      ? [...entrypoint, ...(command.arguments.length > 0 ? command.arguments : words)]
      : first !== undefined
        ? [first, ...(command.arguments.length > 0 ? command.arguments : rest)]
        : refuse("No executable is found");
  return { program: argv[0]!, argv };
}
