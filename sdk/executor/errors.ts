import { TepuiError } from "../errors/tepui-error.js";

/** The agent refused the executor (an ERROR event). */
export class ExecutorRefusedError extends TepuiError {
  constructor(detail: string) {
    super("TEPUI_EXECUTOR_REFUSED", { detail });
  }
}
