import assert from "node:assert/strict";
import { AllocatorPlayer } from "./allocator-player.js";
import { ALLOCATOR_SCENARIOS } from "./allocator-scenarios/index.js";
import type { MakeAllocator, Turns } from "./allocator-world.js";
import type { SuiteCase } from "./suite-case.js";

/**
 * A scenario is a text: `> command` lines, each followed by what has to come of it, indented; `#` begins a comment.
 * Returns the same text with what does come of it.
 */
async function playScenario(text: string, make: MakeAllocator): Promise<string> {
  const player = new AllocatorPlayer(make);
  const lines: string[] = [];
  try {
    for (const line of text.split("\n")) {
      if (line.startsWith("  ")) continue;
      lines.push(line);
      if (!line.startsWith("> ")) continue;
      for (const outcome of await player.play(line.slice(2))) lines.push(`  ${outcome}`);
    }
  } finally {
    player.world.allocator.stop();
  }
  return lines.join("\n");
}

/** Ends the names of scenarios that tell whose turn it is. */
const BY_SHARES = " [by shares]";

/** The rules of allocation as texts, one case a text. */
export function allocatorScenarios(make: MakeAllocator, turns: Turns): SuiteCase[] {
  return Object.entries(ALLOCATOR_SCENARIOS).flatMap(([topic, text]) =>
    text
      .trim()
      .split(/^## /m)
      .filter((part) => part.trim() !== "")
      .map((part) => {
        const [title = "", ...rest] = part.split("\n");
        const script = rest.join("\n");
        return {
          name: `${topic}: ${title.replace(BY_SHARES, "")}`,
          byShares: title.endsWith(BY_SHARES),
          run: async () => assert.equal(await playScenario(script, make), script),
        };
      })
      .filter(({ byShares }) => turns === "by shares" || !byShares),
  );
}
