import type { TestAgent } from "./agent.js";
import type { MasterHarness, TestStream } from "./master-harness.js";

export type Json = Record<string, unknown>;

/** What the commands of a scenario act on: the master, and its peers by name. */
export interface Stage {
  readonly master: MasterHarness;
  readonly streams: Map<string, TestStream>;
  readonly agents: Map<string, TestAgent>;
  /** Scheduler name -> framework id; a successor of a scheduler has the same. */
  readonly frameworks: Map<string, string>;
  /** Task id -> UUID of its latest update. */
  readonly uuids: Map<string, Buffer>;
  /** Adds a line to the outcome of the command. */
  say(line: string): void;
}

/** The id of an agent, or the text itself where it is an id. */
export const agentId = (stage: Stage, name: string): string => stage.agents.get(name)?.id ?? name;
