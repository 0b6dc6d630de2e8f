import { expect } from "chai";
import { SHIPPED } from "../../../bin/shipped.js";
import { DAEMON_SETTINGS } from "../../../core/flags/index.js";
import { configFields } from "../../../core/kernel/check-config.js";
import type { PluginDefinition, Target } from "../../../sdk/plugin/index.js";

/** Flags that no plugin takes as a field of its config, and who looks at them instead. */
const READ_ELSEWHERE: Record<Target, Readonly<Record<string, string>>> = {
  master: {
    help: "the command line",
    version: "the command line",
    quiet: "the log of the daemon",
    logging_level: "the log of the daemon",
    registry: "the manifest chooses the registry by it",
    allocator: "has one value, another allocator is another plugin",
  },
  agent: {
    help: "the command line",
    version: "the command line",
    quiet: "the log of the daemon",
    logging_level: "the log of the daemon",
    container_logger: "the manifest chooses the logger by it",
    launcher: "the manifest chooses the launcher by it",
    resource_estimator: "the manifest chooses the estimator by it",
    qos_controller: "the manifest chooses the controller by it",
  },
};

describe("no flag is accepted and then ignored", () => {
  for (const target of ["master", "agent"] as const) {
    it(`every supported flag of the ${target} reaches a plugin that ships`, async () => {
      const loaded = await Promise.all(Object.values(SHIPPED).map((load) => load()));
      const definitions: PluginDefinition[] = loaded.map((module) => module.default);
      const fields = new Set(
        definitions
          .filter(({ targets }) => targets.includes(target))
          .flatMap(({ config }) => configFields(config)),
      );
      const supported = DAEMON_SETTINGS[target].filter(({ support }) => support.kind !== "refused");
      const ignored = supported
        .map(({ name }) => name)
        .filter((name) => !fields.has(name) && !(name in READ_ELSEWHERE[target]));
      expect(ignored).to.deep.equal([]);
    });
  }
});
