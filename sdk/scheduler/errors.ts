import { TepuiError } from "../errors/tepui-error.js";

/** The framework was torn down or its failover timeout has passed. Its id can never subscribe again. */
export class FrameworkRemovedError extends TepuiError {
  constructor(detail: string) {
    super("TEPUI_FRAMEWORK_REMOVED", { detail });
  }
}

/** Another scheduler has subscribed with the same framework id and taken over. */
export class FrameworkFailedOverError extends TepuiError {
  constructor(detail: string) {
    super("TEPUI_FRAMEWORK_FAILED_OVER", { detail });
  }
}

/** The master refused the subscription for what it says: roles, principal, user, constraints. */
export class FrameworkRefusedError extends TepuiError {
  constructor(detail: string) {
    super("TEPUI_FRAMEWORK_REFUSED", { detail });
  }
}

/** The typed form of the text of an ERROR event. The texts are Mesos's (`src/master/master.cpp`). */
export function frameworkError(message: string): TepuiError {
  if (message === "Framework failed over") return new FrameworkFailedOverError(message);
  if (message === "Framework has been removed") return new FrameworkRemovedError(message);
  return new FrameworkRefusedError(message);
}
