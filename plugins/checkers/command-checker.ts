import type {
  Checker,
  CheckOutcome,
  CheckSpec,
  CheckTarget,
  PreparedCheck,
} from "../../sdk/contracts/checker.js";
import type { ContainerExit } from "../../sdk/contracts/containerizer.js";

/** Healthy is what exits with 0. */
export class CommandChecker implements Checker {
  prepare({ command }: CheckSpec, target: CheckTarget): PreparedCheck {
    return {
      async run(signal) {
        if (command === undefined) return { healthy: false, message: "there is no command" };
        const exit = await target.run(command, signal);
        return exit && outcomeOf(exit);
      },
    };
  }
}

const outcomeOf = ({ code, signal }: ContainerExit): CheckOutcome =>
  code === undefined
    ? { healthy: false, message: `the command was ended by signal ${signal}` }
    : {
        healthy: code === 0,
        exitCode: code,
        ...(code !== 0 && { message: `the command exited with status ${code}` }),
      };
