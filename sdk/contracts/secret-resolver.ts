import type { Secret } from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";

/** Turns what a framework says of a secret into the secret. */
export interface SecretResolver {
  /** Rejects with TEPUI_SECRET_UNRESOLVED, whose text names the secret and never holds it. */
  resolve(secret: Secret): Promise<Buffer>;
}

export const SecretResolver = extensionPoint<SecretResolver, "one">("tepui.secret-resolver", {
  version: "1.0",
  cardinality: "one",
});
