import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Player } from "./harness/player.js";
import { formatScenario, parseScenario } from "./harness/scenario.js";

/** The texts are not compiled, so they are read from the sources. */
const FOLDER = join(process.cwd(), "test/core/master/scenarios");

/** With this set, outcomes are written down instead of compared: read the difference before you commit it. */
const REWRITE = process.env.REWRITE_SCENARIOS !== undefined;

describe("the master, by scenarios", () => {
  for (const file of readdirSync(FOLDER).sort()) {
    it(file, async () => {
      const path = join(FOLDER, file);
      const text = readFileSync(path, "utf8");
      const scenario = parseScenario(text);
      const player = new Player();
      const outcomes: (readonly string[])[] = [];
      for (const { command } of scenario.steps) outcomes.push(await player.run(command));
      const actual = formatScenario(scenario, outcomes);
      if (REWRITE) writeFileSync(path, actual);
      else expect(actual).to.equal(text);
    });
  }
});
