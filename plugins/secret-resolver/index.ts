import { SecretResolver } from "../../sdk/contracts/secret-resolver.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { FileSecretResolver } from "./file-secret-resolver.js";

export default definePlugin({
  name: "secret-resolver",
  version: "1.0.0",
  description: "Resolves secrets that are given as values, and references to files of the operator",
  targets: ["agent"],
  provides: [SecretResolver],
  config: z.strictObject({
    /** Where references lead: the file NAME, or NAME/KEY. Absent: values alone are resolved, as in Mesos. */
    directory: z.string().min(1).optional(),
  }),
  setup: (ctx) => ctx.bind(SecretResolver, new FileSecretResolver(ctx.config.directory)),
});
