import { Isolator } from "../../sdk/contracts/isolator.js";
import { SecretResolver } from "../../sdk/contracts/secret-resolver.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { EnvironmentSecretIsolator } from "./environment-secret-isolator.js";

/** Active without being named in --isolation, as in Mesos. */
export default definePlugin({
  name: "environment-secret",
  version: "1.0.0",
  description: "environment_secret: puts resolved secrets into the environment of containers",
  targets: ["agent"],
  provides: [Isolator],
  requires: { resolver: SecretResolver },
  setup: (ctx, { resolver }) => ctx.bind(Isolator, new EnvironmentSecretIsolator(resolver)),
});
